/* SPDX-License-Identifier: Apache-2.0 */
/* See limits.h. */
#include "runtime/limits.h"

#include "runtime/intake.h"
#include "runtime/parking.h"
#include "runtime/runtime.h"
#include "runtime/wait.h"

static uint64_t mean_bytes(const bb_stream *stream) {
  return stream->saved_records > 0 ? stream->saved_bytes / stream->saved_records : 0;
}

static void add_waiting(const bb_outlet *outlet, uint64_t bytes[BB_STORE_CLASSES]) {
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    const bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    const bb_stream *stream = intake->reader.stream;
    bytes[stream->class] += bb_intake_waiting(intake) * mean_bytes(stream);
  }
}

/* The intake whose oldest record waits longest cannot be told across streams, so each gives its share
 * of what is too much. */
static uint64_t drop_share(bb_intake *intake, uint64_t excess, uint64_t all) {
  uint64_t mean = mean_bytes(intake->reader.stream);
  uint64_t bytes = bb_intake_waiting(intake) * mean;
  if (mean == 0 || bytes == 0 || all == 0) return 0;
  double share = (double)excess * ((double)bytes / (double)all);
  uint64_t records = (uint64_t)(share / (double)mean) + 1, dropped = 0;
  while (dropped < records && intake->n_history > 0) {
    uint64_t from = intake->history[0].from, to = intake->history[0].to;
    if (to > from + (records - dropped)) to = from + (records - dropped);
    if (intake->outlet != NULL) {
      bb_waits_lost_by(intake->outlet->runtime, &intake->reader, from, to);
    }
    dropped += bb_intake_drop(intake, from, to);
  }
  return dropped;
}

static uint64_t drop_class(bb_outlet *outlet, bb_store_class class, uint64_t excess, uint64_t all) {
  uint64_t dropped = 0;
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    if (intake->reader.stream->class == class) dropped += drop_share(intake, excess, all);
  }
  return dropped;
}

/* Telemetry before events. */
static uint64_t keep_bytes(bb_outlet *outlet) {
  uint64_t bytes[BB_STORE_CLASSES] = {0}, max = outlet->config->store.max_bytes, dropped = 0;
  add_waiting(outlet, bytes);
  uint64_t all = bytes[BB_STORE_TELEMETRY] + bytes[BB_STORE_EVENTS];
  if (max == 0 || all <= max) return 0;
  bb_intake_resume(outlet); /* what waits is history */
  uint64_t excess = all - max;
  for (bb_store_class class = BB_STORE_TELEMETRY; class <= BB_STORE_EVENTS && excess > 0;
       class ++) {
    uint64_t share = excess < bytes[class] ? excess : bytes[class];
    if (share > 0) dropped += drop_class(outlet, class, share, bytes[class]);
    excess -= share;
  }
  return dropped;
}

static void note_dropped(bb_outlet *outlet, const char *key, uint64_t dropped) {
  if (dropped == 0) return;
  outlet->counters.dropped += dropped;
  if (outlet->drop_told) return;
  outlet->drop_told = true;
  bb_log_warn(outlet->runtime->log, outlet->id,
              "more waits than %s of the sink allows: the oldest batches are dropped unsent; raise "
              "it, or see why the sink is away",
              key);
}

/* What lies in memory. What lies only in the store is looked at there; see save_job.c. */
static uint64_t keep_age(bb_intake *intake, uint64_t now_ns) {
  const bb_stream *stream = intake->reader.stream;
  uint64_t age = intake->reader.max_age_ns;
  const bb_chunk *oldest = bb_stream_find(stream, stream->first);
  if (age == 0 || now_ns < age || oldest == NULL) return 0;
  uint64_t since = bb_stream_since(stream, now_ns - age);
  if (since <= oldest->first) return 0;
  if (intake->outlet != NULL) bb_waits_lost_by(intake->outlet->runtime, &intake->reader, 0, since);
  return bb_intake_drop(intake, 0, since);
}

void bb_limits_aged(bb_queue *queue, bb_reader *reader, uint64_t to) {
  bb_runtime *runtime = queue->user;
  bb_intake *intake = (bb_intake *)reader;
  bb_waits_lost_by(runtime, reader, 0, to);
  if (intake->outlet == NULL) {
    bb_parking_aged(runtime, intake, to);
  } else {
    note_dropped(intake->outlet, "store.max_age", bb_intake_drop(intake, 0, to));
  }
}

void bb_limits_look(bb_runtime *runtime, uint64_t now_ns) {
  for (uint32_t place = 0; place < BB_MAX_SINKS; place++) {
    bb_outlet *outlet = runtime->places[place];
    if (outlet == NULL || outlet->closed) continue;
    note_dropped(outlet, "store.max_bytes", keep_bytes(outlet));
    for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
      bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
      note_dropped(outlet, "store.max_age", keep_age(intake, now_ns));
    }
  }
}
