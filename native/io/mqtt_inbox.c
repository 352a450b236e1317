/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_inbox.h. */
#include "io/mqtt_inbox.h"

#include <stdlib.h>

#include "base/err.h"

int bb_mqtt_inbox_init(bb_mqtt_inbox *inbox, uv_async_t *wake, bb_mqtt_slot *slots, uint32_t cap) {
  *inbox = (bb_mqtt_inbox){.wake = wake, .slots = slots, .cap = cap};
  inbox->ends = calloc(2 * (size_t)cap, sizeof(bb_mqtt_end));
  if (inbox->ends == NULL) return BB_ERR_NOMEM;
  inbox->taken = inbox->ends + cap;
  int err = uv_mutex_init(&inbox->lock);
  if (err < 0) free(inbox->ends);
  return err;
}

void bb_mqtt_inbox_close(bb_mqtt_inbox *inbox) {
  uv_mutex_destroy(&inbox->lock);
  free(inbox->ends < inbox->taken ? inbox->ends : inbox->taken); /* one allocation */
}

void bb_mqtt_inbox_open(bb_mqtt_inbox *inbox, const uint16_t *slots, uint32_t n) {
  uv_mutex_lock(&inbox->lock);
  for (uint32_t i = 0; i < n; i++) inbox->slots[slots[i]].open = true;
  inbox->open += n;
  uv_mutex_unlock(&inbox->lock);
}

bool bb_mqtt_inbox_is_free(bb_mqtt_inbox *inbox, const bool *busy) {
  uv_mutex_lock(&inbox->lock);
  bool is_free = !*busy;
  uv_mutex_unlock(&inbox->lock);
  return is_free;
}

void bb_mqtt_inbox_want_burst(bb_mqtt_inbox *inbox) {
  uv_mutex_lock(&inbox->lock);
  inbox->short_of_bursts = true;
  uv_mutex_unlock(&inbox->lock);
}

/* With the lock held. */
static void post(bb_mqtt_inbox *inbox, unsigned event) {
  if ((inbox->events & event) != 0) return;
  inbox->events |= event;
  uv_async_send(inbox->wake);
}

void bb_mqtt_inbox_free(bb_mqtt_inbox *inbox, bool *busy) {
  uv_mutex_lock(&inbox->lock);
  *busy = false;
  if (inbox->short_of_bursts) post(inbox, BB_MQTT_EVENT_SPACE);
  inbox->short_of_bursts = false;
  uv_mutex_unlock(&inbox->lock);
}

void bb_mqtt_inbox_take(bb_mqtt_inbox *inbox, bb_mqtt_news *news) {
  uv_mutex_lock(&inbox->lock);
  bb_mqtt_end *ends = inbox->ends;
  inbox->ends = inbox->taken;
  inbox->taken = ends;
  *news = (bb_mqtt_news){inbox->events, inbox->n, ends, inbox->broker, inbox->fault};
  inbox->events = 0;
  inbox->n = 0;
  uv_mutex_unlock(&inbox->lock);
}

/* True if that was one more to tell of. */
static bool end(bb_mqtt_inbox *inbox, uint16_t slot, int status, uint8_t reason) {
  if (!inbox->slots[slot].open) return false;
  inbox->slots[slot].open = false;
  inbox->ends[inbox->n++] = (bb_mqtt_end){slot, reason, status};
  inbox->open--;
  return true;
}

void bb_mqtt_inbox_fail(bb_mqtt_inbox *inbox, int status) {
  uv_mutex_lock(&inbox->lock);
  for (uint32_t i = 0; i < inbox->cap; i++) end(inbox, (uint16_t)i, status, 0);
  uv_mutex_unlock(&inbox->lock);
}

uint32_t bb_mqtt_inbox_end(bb_mqtt_inbox *inbox, const bb_mqtt_slot *slot, int status,
                           uint8_t reason) {
  uv_mutex_lock(&inbox->lock);
  bool news = end(inbox, (uint16_t)(slot - inbox->slots), status, reason);
  uint32_t open = inbox->open;
  if (news && (open == 0 || inbox->n == (inbox->cap + 1) / 2)) uv_async_send(inbox->wake);
  uv_mutex_unlock(&inbox->lock);
  return open;
}

void bb_mqtt_inbox_up(bb_mqtt_inbox *inbox, const bb_mqtt_broker *broker) {
  uv_mutex_lock(&inbox->lock);
  inbox->broker = *broker;
  post(inbox, BB_MQTT_EVENT_UP);
  uv_mutex_unlock(&inbox->lock);
}

void bb_mqtt_inbox_fault(bb_mqtt_inbox *inbox, const bb_mqtt_fault *fault) {
  uv_mutex_lock(&inbox->lock);
  if ((inbox->events & BB_MQTT_EVENT_FAULT) == 0) inbox->fault = *fault;
  post(inbox, BB_MQTT_EVENT_FAULT);
  uv_mutex_unlock(&inbox->lock);
}

void bb_mqtt_inbox_event(bb_mqtt_inbox *inbox, unsigned event) {
  uv_mutex_lock(&inbox->lock);
  post(inbox, event);
  uv_mutex_unlock(&inbox->lock);
}
