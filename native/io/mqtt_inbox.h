/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the MQTT library's threads have to say to the loop: the ends of messages and the events of
 * the connection. Bounded: each message has a slot, and each slot has one end.
 *
 * The loop is woken when the last message under way has ended, when half of the room has, or for an
 * event; not for each message, because a wake-up costs more than a message. What is neither is
 * collected by the loop's own timer, every BB_MQTT_HARVEST_MS while messages are under way.
 *
 * The loop is woken with the lock held: once it has seen GONE, no other thread touches the inbox.
 */
#ifndef BB_IO_MQTT_INBOX_H
#define BB_IO_MQTT_INBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "io/mqtt.h"

#define BB_MQTT_HARVEST_MS 20

/* A message under way. The loop fills it in before it is handed over. */
typedef struct bb_mqtt_slot {
  struct bb_mqtt_session *session;
  uint64_t tag;
  uint8_t qos;
  bool open; /* has no end yet; under the inbox's lock */
} bb_mqtt_slot;

typedef struct bb_mqtt_end {
  uint16_t slot;
  uint8_t reason;
  int status;
} bb_mqtt_end;

enum {
  BB_MQTT_EVENT_UP = 1,
  BB_MQTT_EVENT_FAULT = 2, /* could not connect, or the connection broke */
  BB_MQTT_EVENT_GONE = 4,  /* the library has forgotten the session: no more callbacks */
  BB_MQTT_EVENT_SPACE = 8, /* a burst is free again after there was none */
};

/* What has come since the last look. */
typedef struct bb_mqtt_news {
  unsigned events;
  uint32_t n;
  bb_mqtt_end *ends; /* valid until the next look */
  bb_mqtt_broker broker;
  bb_mqtt_fault fault; /* the first one */
} bb_mqtt_news;

typedef struct bb_mqtt_inbox {
  /* private */
  uv_mutex_t lock;
  uv_async_t *wake;
  bb_mqtt_slot *slots;
  bb_mqtt_end *ends;  /* filled by the library's threads */
  bb_mqtt_end *taken; /* being read by the loop */
  uint32_t cap;
  uint32_t n;
  uint32_t open; /* slots without an end */
  bool short_of_bursts;
  unsigned events;
  bb_mqtt_broker broker;
  bb_mqtt_fault fault;
} bb_mqtt_inbox;

/* `slots` has `cap` places. 0 or BB_ERR_NOMEM, or of libuv. */
int bb_mqtt_inbox_init(bb_mqtt_inbox *inbox, uv_async_t *wake, bb_mqtt_slot *slots, uint32_t cap);
void bb_mqtt_inbox_close(bb_mqtt_inbox *inbox);

/* The loop's side. */

/* These slots are about to be handed over. */
void bb_mqtt_inbox_open(bb_mqtt_inbox *inbox, const uint16_t *slots, uint32_t n);

bool bb_mqtt_inbox_is_free(bb_mqtt_inbox *inbox, const bool *busy);

/* Tells SPACE with the next burst that becomes free. */
void bb_mqtt_inbox_want_burst(bb_mqtt_inbox *inbox);

void bb_mqtt_inbox_take(bb_mqtt_inbox *inbox, bb_mqtt_news *news);

/* Ends every slot that is still open; the next look sees them. */
void bb_mqtt_inbox_fail(bb_mqtt_inbox *inbox, int status);

/* The other threads' side. */

/* Only the first end of a slot counts. How many slots have none yet. */
uint32_t bb_mqtt_inbox_end(bb_mqtt_inbox *inbox, const bb_mqtt_slot *slot, int status,
                           uint8_t reason);

/* The burst is no longer needed. */
void bb_mqtt_inbox_free(bb_mqtt_inbox *inbox, bool *busy);

void bb_mqtt_inbox_up(bb_mqtt_inbox *inbox, const bb_mqtt_broker *broker);
void bb_mqtt_inbox_fault(bb_mqtt_inbox *inbox, const bb_mqtt_fault *fault);
void bb_mqtt_inbox_event(bb_mqtt_inbox *inbox, unsigned event);

#endif
