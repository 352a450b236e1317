/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_core.h. From one try to the next: lookup, login, connection, probe, delay. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "io/error.h"
#include "io/mqtt_core.h"
#include "io/resolver.h"

/* On its own, because a lookup that hangs cannot be stopped: it may end after its client has. Else it
 * stays with its client, for the addresses. */
typedef struct bb_mqtt_lookup {
  bb_resolve resolve;
  bb_mqtt_core *core; /* NULL: gone */
} bb_mqtt_lookup;

static void fail(bb_mqtt_core *core, int code, bool lasting, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void fail(bb_mqtt_core *core, int code, bool lasting, const char *format, ...) {
  bb_mqtt_fault fault = {.code = code, .lasting = lasting};
  va_list args;
  va_start(args, format);
  vsnprintf(fault.text, sizeof(fault.text), format, args);
  va_end(args);
  core->vague = false;
  bb_mqtt_fail(core, &fault);
}

static void run_connect(bb_mqtt_job *job) {
  bb_mqtt_session_connect(&BB_LIST_ITEM(job, bb_mqtt_core, connect_job)->session);
}

/* False, and failed: the owner has no login for now. */
static bool log_in(bb_mqtt_core *core) {
  bb_mqtt *mqtt = core->mqtt;
  char why[BB_MQTT_MAX_FAULT] = "";
  bb_mqtt_login *login = calloc(1, sizeof(*login));
  if (login == NULL) {
    fail(core, BB_ERR_NOMEM, false, "no connection to %s: out of memory", core->session.place);
    return false;
  }
  int err = mqtt->on_login != NULL ? mqtt->on_login(mqtt, login, why, sizeof(why)) : 0;
  if (err < 0) {
    bb_secret_wipe(login, sizeof(*login));
    free(login);
    fail(core, err, true, "%s", why);
    return false;
  }
  core->session.login = login;
  return true;
}

static void on_timeout(uv_timer_t *timer);

/* Each address has the whole time. */
static void connect_to(bb_mqtt_core *core, const struct sockaddr *address) {
  if (core->closing || !log_in(core)) return;
  uv_timer_start(&core->timer, on_timeout, core->config.connect_timeout_ms, 0);
  bool v6 = address->sa_family == AF_INET6;
  memcpy(&core->session.address, address,
         v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
  if (core->config.tls) bb_mqtt_name_hold(&core->name, core->config.host, address);
  core->state = BB_MQTT_CONNECTING;
  core->connect_job.run = run_connect;
  bb_mqtt_feeder_push(&core->connect_job);
}

static void on_resolved(bb_resolve *resolve, int status, const struct sockaddr *address) {
  bb_mqtt_lookup *lookup = resolve->user;
  bb_mqtt_core *core = lookup->core;
  if (core == NULL) {
    free(lookup);
  } else if (core->state == BB_MQTT_LOOKING_UP && status == 0) {
    connect_to(core, address);
  } else if (core->state == BB_MQTT_LOOKING_UP) {
    fail(core, status, false, "the name %.64s is not found: %s", core->config.host,
         bb_error_text(status));
  }
}

static int start_lookup(bb_mqtt_core *core) {
  if (core->lookup == NULL) {
    core->lookup = calloc(1, sizeof(*core->lookup));
    if (core->lookup == NULL) return BB_ERR_NOMEM;
    *core->lookup = (bb_mqtt_lookup){.resolve.user = core->lookup, .core = core};
  }
  if (core->lookup->resolve.busy) return 0; /* the one of the try before has not ended */
  return bb_resolve_start(&core->lookup->resolve, core->loop, core->config.host, core->config.port,
                          on_resolved);
}

static void look_up(bb_mqtt_core *core) {
  struct sockaddr_storage address;
  if (bb_resolve_literal(core->config.host, core->config.port, &address)) {
    connect_to(core, (const struct sockaddr *)&address);
    return;
  }
  int err = start_lookup(core);
  if (err == 0) return;
  fail(core, err, false, "the name %.64s cannot be looked up: %s", core->config.host,
       bb_error_text(err));
}

void bb_mqtt_abandon_lookup(bb_mqtt_core *core) {
  bb_mqtt_lookup *lookup = core->lookup;
  if (lookup == NULL) return;
  core->lookup = NULL;
  lookup->core = NULL;
  if (lookup->resolve.busy) {
    bb_resolve_cancel(&lookup->resolve);
  } else {
    free(lookup);
  }
}

void bb_mqtt_keep_address(bb_mqtt_core *core) {
  if (core->lookup != NULL) bb_resolve_keep(&core->lookup->resolve);
}

static void on_timeout(uv_timer_t *timer) {
  bb_mqtt_core *core = timer->data;
  char time[32];
  bb_text_show_ms(time, sizeof(time), core->config.connect_timeout_ms);
  if (core->state == BB_MQTT_LOOKING_UP) {
    fail(core, BB_ERR_TIMEOUT, false, "no answer to the lookup of the name %.64s for %s",
         core->config.host, time);
  } else {
    fail(core, BB_ERR_TIMEOUT, false, "no answer from %s for %s", core->session.place, time);
  }
}

void bb_mqtt_try(bb_mqtt_core *core) {
  const bb_mqtt_config *config = &core->config;
  bool v6 = strchr(config->host, ':') != NULL;
  snprintf(core->session.place, sizeof(core->session.place), v6 ? "[%.64s]:%u" : "%.64s:%u",
           config->host, config->port);
  core->state = BB_MQTT_LOOKING_UP;
  core->vague = false;
  uv_timer_start(&core->timer, on_timeout, config->connect_timeout_ms, 0);
  look_up(core);
}

static void on_due(uv_timer_t *timer) {
  bb_mqtt_try(timer->data);
}

void bb_mqtt_retry(bb_mqtt *mqtt) {
  bb_mqtt_core *core = mqtt->core;
  if (core == NULL || core->closing || core->state == BB_MQTT_UP) return;
  if (core->state == BB_MQTT_WAITING) {
    uv_timer_start(&core->timer, on_due, 0, 0);
  } else {
    core->eager = true;
  }
}

static void say_why(bb_mqtt_core *core) {
  if (core->closing) {
    bb_mqtt_close_handles(core);
    return;
  }
  bb_mqtt_fault fault = core->fault;
  fault.retry_ms =
      core->eager ? 0 : bb_backoff_next_ms(fault.lasting ? &core->slow : &core->backoff);
  core->eager = false;
  core->state = BB_MQTT_WAITING;
  uv_timer_start(&core->timer, on_due, fault.retry_ms, 0);
  core->mqtt->on_down(core->mqtt, &fault);
}

static void on_probed(bb_mqtt_probe *probe, int status) {
  bb_mqtt_core *core = probe->user;
  unsigned n_found = core->lookup != NULL ? core->lookup->resolve.n_found : 1;
  char addresses[32] = "";
  if (n_found > 1) snprintf(addresses, sizeof(addresses), " (%u addresses)", n_found);
  if (status < 0) {
    core->fault.code = status;
    snprintf(core->fault.text, sizeof(core->fault.text), "no connection to %s%s: %s",
             core->session.place, addresses, bb_error_text(status));
  } else if (core->config.tls) {
    snprintf(core->fault.text, sizeof(core->fault.text),
             core->config.no_verify
                 ? "%s broke off the TLS handshake"
                 : "%s broke off the TLS handshake, or its certificate is for another name",
             core->session.place);
  }
  say_why(core);
}

/* The next address has its turn. At once, if this one said no: then that took no time worth telling. */
static bool try_next(bb_mqtt_core *core) {
  if (!core->missed || core->lookup == NULL) return false;
  bool more = bb_resolve_pass(&core->lookup->resolve);
  if (!more || !core->vague || core->closing) return false;
  core->vague = core->missed = false;
  core->state = BB_MQTT_LOOKING_UP;
  connect_to(core, bb_resolve_turn(&core->lookup->resolve));
  return true;
}

void bb_mqtt_wait(bb_mqtt_core *core) {
  uv_timer_stop(&core->timer);
  if (try_next(core)) return;
  core->probe.user = core;
  core->state = BB_MQTT_PROBING;
  if (!core->vague || core->closing ||
      bb_mqtt_probe_start(&core->probe, core->loop, (const struct sockaddr *)&core->session.address,
                          on_probed) < 0) {
    say_why(core);
  }
}
