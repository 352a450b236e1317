/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and devices of the simulator; see server.h. */
#include "sim/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/session.h"

#define BACKLOG 128
#define DEFAULT_REQUESTS 16 /* Modbus messaging on TCP/IP, NumberMaxOfServerTransaction: 1 to 16 */

#define BIT(function) (1u << (function))

typedef struct {
  const char *point, *value;
} setting;

/* What devices do that their profiles do not say, and how they are set up. */
static const struct habit {
  const char *profile;
  uint32_t max_clients;
  bool same_tables;
  uint32_t functions;
  setting settings[4]; /* ended by NULL */
} habits[] = {
    /* 1420-UM001E p. 44; its single socket is reported, not confirmed. */
    {"rockwell/powermonitor-500",
     1,
     true,
     BIT(3) | BIT(4) | BIT(6) | BIT(8) | BIT(16),
     {{"setup/system", "5"}, {"setup/demand/method", "1"}, {"setup/demand/interval", "3"}}},
    {"eastron/sdm630", 0, false, BIT(3) | BIT(4) | BIT(8) | BIT(16), {{"setup/system", "3"}}},
};

static const struct habit *habit_of(const bb_profile *profile) {
  for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
    if (strcmp(profile->id, habits[i].profile) == 0) return &habits[i];
  }
  return NULL;
}

void bb_sim_config_init(bb_sim_config *config, const bb_profile *profile) {
  const struct habit *habit = habit_of(profile);
  *config = (bb_sim_config){.profile = profile, .clock = bb_clock_system()};
  if (habit == NULL) return;
  config->max_clients = habit->max_clients;
  config->registers.same_tables = habit->same_tables;
  config->functions = habit->functions;
}

/* A setting that the profile at hand does not have is left out. */
static void set_up(bb_sim_device *device, const struct habit *habit) {
  for (size_t i = 0; habit != NULL && habit->settings[i].point != NULL; i++) {
    bb_registers_set(&device->registers, habit->settings[i].point, habit->settings[i].value);
  }
}

bb_sim_device *bb_sim_port_find(bb_sim_port *port, uint8_t unit) {
  const bb_sim_config *config = &port->sim->config;
  bool alone = config->n_units == 1;
  if (alone && !config->rtu && (unit == 0 || unit == 255)) return &port->devices[0];
  uint32_t place = (uint32_t)unit - config->first_unit;
  return unit >= config->first_unit && place < config->n_units ? &port->devices[place] : NULL;
}

static void on_connection(uv_stream_t *listener, int status) {
  if (status == 0) bb_sim_session_accept(listener->data);
}

/* Makes the listener; afterwards it has to be closed even if this fails. */
static int listen_on(bb_sim_port *port, const struct sockaddr_storage *address) {
  bb_sim *sim = port->sim;
  struct sockaddr_storage bound;
  int len = sizeof(bound);
  int err = uv_tcp_init(sim->loop, &port->listener);
  if (err < 0) return err;
  port->listener.data = port;
  sim->n_handles++;
  err = uv_tcp_bind(&port->listener, (const struct sockaddr *)address, 0);
  if (err == 0) err = uv_listen((uv_stream_t *)&port->listener, BACKLOG, on_connection);
  if (err == 0) err = uv_tcp_getsockname(&port->listener, (struct sockaddr *)&bound, &len);
  if (err < 0) return err;
  port->number = ntohs(bound.ss_family == AF_INET6
                           ? ((const struct sockaddr_in6 *)(const void *)&bound)->sin6_port
                           : ((const struct sockaddr_in *)(const void *)&bound)->sin_port);
  return 0;
}

static int parse_address(const char *host, uint16_t port, struct sockaddr_storage *out) {
  if (uv_ip4_addr(host, port, (struct sockaddr_in *)(void *)out) == 0) return 0;
  return uv_ip6_addr(host, port, (struct sockaddr_in6 *)(void *)out);
}

static int open_port(bb_sim *sim, uint32_t place, uint16_t *bad_port) {
  const bb_sim_config *config = &sim->config;
  bb_sim_port *port = &sim->ports[place];
  struct sockaddr_storage address;
  uint32_t number = config->first_port > 0 ? config->first_port + place : 0;
  bb_list_init(&port->sessions);
  port->sim = sim;
  port->devices = &sim->devices[(size_t)place * config->n_units];
  for (uint32_t i = 0; i < config->n_units; i++) {
    bb_sim_device *device = &port->devices[i];
    device->unit = (uint8_t)(config->first_unit + i);
    uint64_t seed = config->seed + (uint64_t)place * config->n_units + i;
    int err = bb_registers_init(&device->registers, &sim->map, seed);
    if (err < 0) return err;
    set_up(device, habit_of(config->profile));
  }
  if (bad_port != NULL) *bad_port = (uint16_t)number;
  if (number > UINT16_MAX) return BB_ERR_RANGE;
  int err = parse_address(config->host, (uint16_t)number, &address);
  return err < 0 ? err : listen_on(port, &address);
}

int bb_sim_open(bb_sim *sim, uv_loop_t *loop, const bb_sim_config *config, uint16_t *bad_port) {
  *sim = (bb_sim){.loop = loop, .config = *config, .user = sim->user};
  bb_sim_config *own = &sim->config;
  if (own->host == NULL) own->host = "127.0.0.1";
  if (own->n_ports == 0) own->n_ports = 1;
  if (own->n_units == 0) own->n_units = 1;
  if (own->first_unit == 0) own->first_unit = 1;
  if (own->max_requests == 0) own->max_requests = DEFAULT_REQUESTS;
  if (own->functions == 0) own->functions = UINT32_MAX;
  if (bad_port != NULL) *bad_port = 0;
  bb_fault_list_init(&sim->faults, own->seed);
  int err = bb_sim_outbox_init(&sim->outbox, loop, own->clock);
  if (err < 0) return err;
  sim->n_handles = 1;
  if (own->n_ports > BB_SIM_MAX_PORTS || own->first_unit + own->n_units > BB_SIM_MAX_UNITS + 1u) {
    return BB_ERR_RANGE;
  }
  err = bb_register_map_init(&sim->map, own->profile, own->registers);
  if (err < 0) return err;
  sim->ports = calloc(own->n_ports, sizeof(*sim->ports));
  sim->devices = calloc((size_t)own->n_ports * own->n_units, sizeof(*sim->devices));
  if (sim->ports == NULL || sim->devices == NULL) return BB_ERR_NOMEM;
  for (uint32_t i = 0; err == 0 && i < own->n_ports; i++) err = open_port(sim, i, bad_port);
  return err;
}

static void free_all(bb_sim *sim) {
  const bb_sim_config *config = &sim->config;
  for (size_t i = 0; sim->devices != NULL && i < (size_t)config->n_ports * config->n_units; i++) {
    bb_registers_close(&sim->devices[i].registers);
  }
  free(sim->devices);
  free(sim->ports);
  bb_register_map_close(&sim->map);
  bb_sim_outbox_close(&sim->outbox);
}

void bb_sim_release(bb_sim *sim) {
  if (--sim->n_handles > 0 || !sim->closing) return;
  free_all(sim);
  sim->on_close(sim);
}

static void on_timer_closed(uv_handle_t *handle) {
  const bb_sim_outbox *outbox = handle->data;
  bb_sim_release((bb_sim *)(void *)((char *)(uintptr_t)outbox - offsetof(bb_sim, outbox)));
}

static void on_listener_closed(uv_handle_t *handle) {
  bb_sim_release(((bb_sim_port *)handle->data)->sim);
}

static void close_sessions(bb_sim_port *port) {
  /* Sessions leave the list from the loop only. */
  for (bb_list *node = port->sessions.next; node != &port->sessions; node = node->next) {
    bb_sim_session_close(BB_LIST_ITEM(node, bb_sim_session, node));
  }
}

void bb_sim_close(bb_sim *sim, bb_sim_close_cb on_close) {
  if (sim->closing) return;
  sim->closing = true;
  sim->on_close = on_close;
  for (uint32_t i = 0; sim->ports != NULL && i < sim->config.n_ports; i++) {
    bb_sim_port *port = &sim->ports[i];
    if (port->listener.data == NULL) break; /* where opening failed */
    close_sessions(port);
    uv_close((uv_handle_t *)&port->listener, on_listener_closed);
  }
  uv_close((uv_handle_t *)&sim->outbox.timer, on_timer_closed);
}

static bool is_targeted(const bb_sim_port *port, bb_fault_target target) {
  return target.port == BB_FAULT_ANY || target.port == port->number;
}

int bb_sim_fault(bb_sim *sim, const bb_fault *fault) {
  if (fault->kind != BB_FAULT_CLOSE) return bb_fault_list_add(&sim->faults, fault);
  for (uint32_t i = 0; i < sim->config.n_ports; i++) {
    if (is_targeted(&sim->ports[i], fault->target)) close_sessions(&sim->ports[i]);
  }
  return 0;
}

int bb_sim_set(bb_sim *sim, bb_fault_target target, const char *point, const char *value) {
  int err = BB_ERR_NOTFOUND;
  for (uint32_t i = 0; i < sim->config.n_ports; i++) {
    bb_sim_port *port = &sim->ports[i];
    for (uint32_t k = 0; is_targeted(port, target) && k < sim->config.n_units; k++) {
      bb_sim_device *device = &port->devices[k];
      if (target.unit != BB_FAULT_ANY && target.unit != device->unit) continue;
      err = bb_registers_set(&device->registers, point, value);
      if (err < 0) return err;
    }
  }
  return err;
}
