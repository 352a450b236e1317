/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated Modbus devices behind TCP ports: thousands in one process, on a borrowed loop.
 *
 * Each port is a device, or a gateway with several units behind it. All devices have the same
 * profile, and each has a feeder of its own (sim/plant.h). A device answers after a delay, requests
 * of one connection in their order; it refuses, ignores, or does wrong what it is told to
 * (sim/fault.h). A unit that does not exist is met with silence by a device, with exception 11 by a
 * gateway; unit 0 is the device itself, at a gateway a broadcast, and 255 is the device too.
 */
#ifndef BB_SIM_SERVER_H
#define BB_SIM_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/list.h"
#include "model/profile.h"
#include "sim/fault.h"
#include "sim/outbox.h"
#include "sim/register_map.h"
#include "sim/registers.h"

#define BB_SIM_MAX_PORTS 20000
#define BB_SIM_MAX_UNITS 247
#define BB_SIM_MAX_DELAY_MS 60000

typedef struct bb_sim_config {
  const bb_profile *profile;
  const char *host;      /* an address in numbers; NULL: 127.0.0.1 */
  uint16_t first_port;   /* the others follow it; 0: the system chooses each */
  uint32_t n_ports;      /* 1..BB_SIM_MAX_PORTS; 0: 1 */
  uint32_t n_units;      /* of each port, 1..BB_SIM_MAX_UNITS; 0: 1. More than one is a gateway */
  uint8_t first_unit;    /* 1..247; the others follow it; 0: 1 */
  bool rtu;              /* RTU frames over TCP */
  uint32_t delay_min_ms; /* how long an answer takes: random in between, 0..BB_SIM_MAX_DELAY_MS */
  uint32_t delay_max_ms;
  uint32_t max_clients;  /* of a port at the same time; 0: any number */
  bool ignore_more;      /* one client too many is accepted and never heard; default: closed */
  uint32_t max_requests; /* of a connection at the same time; more: exception 6. 0: 16 */
  uint32_t functions;    /* one bit a function code; 0: all that are known */
  bb_register_map_config registers;
  uint64_t seed; /* of the first device; the others follow it */
  bb_clock clock;
} bb_sim_config;

typedef struct bb_sim bb_sim;

typedef struct bb_sim_device {
  bb_registers registers;
  uint8_t unit;
} bb_sim_device;

typedef struct bb_sim_port {
  /* read-only */
  bb_sim *sim;
  bb_sim_device *devices; /* n_units of them */
  uint16_t number;
  uint32_t n_clients; /* those that are heard */
  bb_list sessions;
  /* private */
  uv_tcp_t listener;
} bb_sim_port;

typedef void (*bb_sim_close_cb)(bb_sim *sim);

struct bb_sim {
  /* public */
  void *user;
  /* read-only */
  uv_loop_t *loop;
  bb_sim_config config;
  bb_register_map map;
  bb_sim_port *ports;
  bb_sim_device *devices;
  bb_fault_list faults;
  uint64_t n_requests;    /* understood so far */
  uint64_t n_connections; /* accepted so far, the refused ones included */
  uint32_t n_clients;     /* connected now and heard */
  /* private */
  bb_sim_outbox outbox;
  uint64_t n_handles; /* to be closed */
  bool closing;
  bb_sim_close_cb on_close;
};

/*
 * Fills `config` with the defaults, and with what a device of this profile is known to do that a
 * profile cannot say: a PowerMonitor 500 has one client, one table for functions 3 and 4, and few
 * functions. (bb_sim_open also sets it up as what the plant is: three phases and neutral.)
 */
void bb_sim_config_init(bb_sim_config *config, const bb_profile *profile);

/*
 * Listens on all ports. 0, or a code of libuv or ours; `bad_port` (may be NULL) then tells which
 * port it was if one could not be opened. Whatever comes out, bb_sim_close has to follow.
 */
int bb_sim_open(bb_sim *sim, uv_loop_t *loop, const bb_sim_config *config, uint16_t *bad_port);

/* Closes all connections and ports. on_close comes once, from the loop, when the memory may be
 * reused. */
void bb_sim_close(bb_sim *sim, bb_sim_close_cb on_close);

/* Adds a fault to the list, or closes connections if that is what it is. 0 or BB_ERR_LIMIT. */
int bb_sim_fault(bb_sim *sim, const bb_fault *fault);

/* Gives a point of the targeted devices a value; see bb_registers_set. BB_ERR_NOTFOUND also when
 * there is no such device. */
int bb_sim_set(bb_sim *sim, bb_fault_target target, const char *point, const char *value);

/* The device behind that unit id, or NULL. */
bb_sim_device *bb_sim_port_find(bb_sim_port *port, uint8_t unit);

/* A handle of the simulator's has closed. For its own parts. */
void bb_sim_release(bb_sim *sim);

#endif
