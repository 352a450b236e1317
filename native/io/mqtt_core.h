/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of an MQTT client, for its three files: io/mqtt.c (life and what the library tells),
 * io/mqtt_connect.c (from one try to the next), io/mqtt_publish.c (bursts and their ends).
 */
#ifndef BB_IO_MQTT_CORE_H
#define BB_IO_MQTT_CORE_H

#include <uv.h>

#include "io/backoff.h"
#include "io/mqtt.h"
#include "io/mqtt_name.h"
#include "io/mqtt_probe.h"
#include "io/mqtt_session.h"

#define BB_MQTT_BURSTS 8

typedef enum bb_mqtt_state {
  BB_MQTT_WAITING, /* for the next try */
  BB_MQTT_LOOKING_UP,
  BB_MQTT_CONNECTING, /* the library has the session from here to GONE */
  BB_MQTT_UP,
  BB_MQTT_ENDING,
  BB_MQTT_PROBING,
} bb_mqtt_state;

typedef struct bb_mqtt_core {
  bb_mqtt *mqtt;
  uv_loop_t *loop;
  bb_mqtt_config config;
  bb_mqtt_state state;
  bool closing;
  unsigned handles; /* not yet closed */
  uv_async_t wake;
  uv_timer_t timer;   /* the next try, the end of patience with this one, or with the broker */
  uv_timer_t harvest; /* ends that were not worth a wake-up */

  /* connecting */
  bb_backoff backoff;
  bb_backoff slow; /* after a refusal that lasts */
  uint64_t up_since_ms;
  bool works;                    /* this connection, says its user */
  uint32_t n_breaks;             /* of young connections, without a try that failed between */
  struct bb_mqtt_lookup *lookup; /* and what it found; one under way may outlast the client */
  bb_mqtt_name name;
  bb_mqtt_probe probe;
  bool vague;  /* the fault needs a probe */
  bool missed; /* there was no answer at this address */
  bool eager;  /* should this try fail, the next one follows at once */
  bb_mqtt_fault fault;
  bb_mqtt_job connect_job;
  bb_mqtt_job end_job;
  bb_mqtt_session session;
  bb_mqtt_inbox inbox;

  /* publishing */
  uint32_t window; /* messages in flight at most, on this connection */
  bb_mqtt_slot *slots;
  uint16_t *free_slots;
  uint32_t n_free;
  uint64_t n_ends;
  uint64_t n_ends_before; /* when patience was last looked at; UINT64_MAX: nothing was in flight */
  bb_mqtt_done *done;     /* room for all that can end at once */
  bb_mqtt_burst *bursts;
  bb_mqtt_burst *filling;
  size_t mark; /* where the payload of the next message begins in filling's bytes */
} bb_mqtt_core;

/* io/mqtt.c */

/* Ends this try or this connection: for good if closing, else on_down follows. */
void bb_mqtt_fail(bb_mqtt_core *core, const bb_mqtt_fault *fault);

void bb_mqtt_close_handles(bb_mqtt_core *core);

/* io/mqtt_connect.c */

/* Begins a try. */
void bb_mqtt_try(bb_mqtt_core *core);

/* The library has forgotten the session, or never had it: says why, and waits for the next try. */
void bb_mqtt_wait(bb_mqtt_core *core);

/* The address worked, and stays the first to be tried. */
void bb_mqtt_keep_address(bb_mqtt_core *core);

/* A lookup under way will find nobody at home. */
void bb_mqtt_abandon_lookup(bb_mqtt_core *core);

/* io/mqtt_publish.c */

int bb_mqtt_publish_init(bb_mqtt_core *core);
void bb_mqtt_publish_close(bb_mqtt_core *core);

/* Tells of ends; also when there are none but room again. */
void bb_mqtt_tell_ends(bb_mqtt_core *core, const bb_mqtt_news *news);

#endif
