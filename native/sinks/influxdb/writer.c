/* SPDX-License-Identifier: Apache-2.0 */
/* The batches from the queue into packets, and packets to where they are sent. See sink.h. */
#include <stdlib.h>

#include "base/err.h"
#include "sinks/influxdb/sink.h"

#define BATCHES_A_TURN 64 /* that are encoded before the loop turns: about a millisecond */

int bb_influxdb_writer_open(bb_influxdb *sink, uint32_t window) {
  sink->queue_cap = window;
  sink->queue = calloc(window, sizeof(*sink->queue));
  int err = sink->queue != NULL ? 0 : BB_ERR_NOMEM;
  uint32_t cap = sink->options.batch.lines < window ? sink->options.batch.lines : window;
  while (err == 0 && sink->n_slots < sink->options.concurrency + 1) {
    bb_influxdb_slot *slot = &sink->slots[sink->n_slots++];
    slot->sink = sink;
    err = bb_influxdb_packet_open(&slot->packet, cap);
  }
  return err;
}

void bb_influxdb_writer_close(bb_influxdb *sink) {
  for (uint32_t i = 0; i < sink->n_slots; i++) bb_influxdb_packet_close(&sink->slots[i].packet);
  free(sink->queue);
}

int bb_influxdb_writer_queue(bb_influxdb *sink, const bb_run *run) {
  bool takes = sink->state == BB_INFLUXDB_READY || sink->state == BB_INFLUXDB_CLOSING;
  if (!takes || run->n > sink->queue_cap - sink->queue_n) {
    return BB_ERR_AGAIN;
  }
  for (uint32_t i = 0; i < run->n; i++) {
    uint32_t at = (sink->queue_head + sink->queue_n++) % sink->queue_cap;
    sink->queue[at] = (bb_influxdb_queued){run->ticket + i, &run->batches[i], run->history};
  }
  bb_influxdb_work_soon(sink);
  return 0;
}

bool bb_influxdb_writer_idle(const bb_influxdb *sink) {
  for (uint32_t i = 0; i < sink->n_slots; i++) {
    if (sink->slots[i].stage != BB_INFLUXDB_FREE) return false;
  }
  return sink->queue_n == 0;
}

static void send_due(bb_influxdb *sink) {
  while (sink->under_way < sink->options.concurrency) {
    bb_influxdb_slot *next = NULL;
    for (uint32_t i = 0; i < sink->n_slots; i++) {
      bb_influxdb_slot *slot = &sink->slots[i];
      if (slot->stage != BB_INFLUXDB_DUE) continue;
      if (next == NULL || slot->order < next->order) next = slot;
    }
    if (next == NULL) return;
    bb_influxdb_request_send(sink, next);
    if (next->stage != BB_INFLUXDB_SENT) return;
  }
}

static bb_influxdb_slot *find_slot(bb_influxdb *sink, bb_influxdb_stage stage) {
  for (uint32_t i = 0; i < sink->n_slots; i++) {
    if (sink->slots[i].stage == stage) return &sink->slots[i];
  }
  return NULL;
}

/* A packet of batches that all have no line needs no request. False when it came to a wait. */
static bool make_due(bb_influxdb *sink, bb_influxdb_slot *slot) {
  uv_timer_stop(&sink->age);
  sink->history = false;
  if (slot->packet.lines == 0) {
    slot->stage = BB_INFLUXDB_FREE;
    bb_influxdb_request_give(sink, slot->packet.records, slot->packet.n, BB_VERDICT_ACKED, 0);
    return true;
  }
  int err = bb_influxdb_packet_end(&slot->packet, &sink->encoder);
  if (err < 0) {
    bb_influxdb_fail(sink, err);
    return false;
  }
  slot->stage = BB_INFLUXDB_DUE;
  slot->order = sink->next_order++;
  slot->tries = 0;
  return true;
}

/* The packet being filled waits no longer. */
static void flush(bb_influxdb *sink) {
  bb_influxdb_slot *slot = find_slot(sink, BB_INFLUXDB_FILLING);
  if (slot != NULL && make_due(sink, slot)) send_due(sink);
}

static void on_age(uv_timer_t *timer) {
  flush(timer->data);
}

static bb_influxdb_slot *open_slot(bb_influxdb *sink) {
  bb_influxdb_slot *slot = find_slot(sink, BB_INFLUXDB_FILLING);
  if (slot != NULL) return slot;
  slot = find_slot(sink, BB_INFLUXDB_FREE);
  if (slot == NULL) return NULL;
  bb_influxdb_packet_start(&slot->packet, &sink->encoder);
  slot->stage = BB_INFLUXDB_FILLING;
  uv_timer_start(&sink->age, on_age, sink->options.batch.age_ms, 0);
  return slot;
}

/* Moves the first batch of the queue into a packet. 1: done; 0: there is no room; negative: it came
 * to a wait. */
static int move_one(bb_influxdb *sink) {
  bb_influxdb_slot *slot = open_slot(sink);
  if (slot == NULL) return 0;
  bb_influxdb_queued next = sink->queue[sink->queue_head];
  int err = bb_influxdb_packet_add(&slot->packet, &sink->encoder, next.ticket, next.batch,
                                   sink->options.batch.lines, sink->max_bytes);
  if (err == BB_ERR_AGAIN) return make_due(sink, slot) ? 1 : -1;
  if (err == BB_ERR_NOMEM) {
    bb_influxdb_fail(sink, err);
    return err;
  }
  sink->queue_head = (sink->queue_head + 1) % sink->queue_cap;
  sink->queue_n--;
  sink->history |= next.history;
  if (err < 0) {
    bb_influxdb_request_refuse(sink, next.ticket, 0,
                               "its lines are larger than any request may be");
    return 1;
  }
  const bb_influxdb_packet *packet = &slot->packet;
  bool full = packet->lines >= sink->options.batch.lines || packet->bytes >= sink->max_bytes;
  return !full || make_due(sink, slot) ? 1 : -1;
}

void bb_influxdb_writer_work(bb_influxdb *sink) {
  if (sink->state != BB_INFLUXDB_READY && sink->state != BB_INFLUXDB_CLOSING) return;
  int moved = 1;
  for (int turn = BATCHES_A_TURN; turn > 0 && moved > 0 && sink->queue_n > 0; turn--) {
    moved = move_one(sink);
  }
  if (moved < 0) return;
  send_due(sink);
  if (moved > 0 && sink->queue_n > 0) {
    bb_influxdb_work_soon(sink);
  } else if (sink->eager || (sink->history && sink->under_way == 0)) {
    flush(sink);
  }
}

/* RETRY for what has no verdict. */
static void give_back(bb_influxdb *sink, const bb_influxdb_slot *slot) {
  const bb_influxdb_packet *packet = &slot->packet;
  if (slot->stage == BB_INFLUXDB_FILLING) {
    bb_influxdb_request_give(sink, packet->records, packet->n, BB_VERDICT_RETRY, 0);
  } else if (slot->stage == BB_INFLUXDB_DUE || slot->stage == BB_INFLUXDB_SENT) {
    for (uint32_t i = 0; i < packet->n_pieces; i++) {
      bb_influxdb_request_give(sink, packet->records + packet->pieces[i].first, packet->pieces[i].n,
                               BB_VERDICT_RETRY, 0);
    }
  }
}

void bb_influxdb_writer_forget(bb_influxdb *sink, bool verdict) {
  for (uint32_t i = 0; i < sink->n_slots; i++) {
    bb_influxdb_slot *slot = &sink->slots[i];
    if (verdict) give_back(sink, slot);
    bool busy = bb_http_busy(&slot->request);
    slot->stage = busy ? BB_INFLUXDB_VOID : BB_INFLUXDB_FREE;
    if (busy) bb_http_cancel(&slot->request);
  }
  while (sink->queue_n > 0) {
    bb_influxdb_queued next = sink->queue[sink->queue_head];
    sink->queue_head = (sink->queue_head + 1) % sink->queue_cap;
    sink->queue_n--;
    if (verdict) {
      sink->base.host->on_verdict(&sink->base, next.ticket, 1, BB_VERDICT_RETRY, NULL);
    }
  }
}
