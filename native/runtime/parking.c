/* SPDX-License-Identifier: Apache-2.0 */
/* See parking.h. */
#include "runtime/parking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/apply.h"
#include "runtime/intake.h"
#include "runtime/runtime.h"
#include "runtime/wait.h"
#include "runtime/window.h"

typedef struct bb_parked {
  bb_list link;
  bb_list intakes;
  bb_outlet_counters counters;
  bool told;      /* it is an orphan, and the log has spoken of it */
  bool drop_told; /* and of batches that it lost */
  char id[BB_MAX_ID + 1];
} parked;

static parked *find(const bb_runtime *runtime, const char *id) {
  for (bb_list *node = runtime->parked.next; node != &runtime->parked; node = node->next) {
    parked *place = BB_LIST_ITEM(node, parked, link);
    if (strcmp(place->id, id) == 0) return place;
  }
  return NULL;
}

static parked *make(const char *id) {
  parked *place = calloc(1, sizeof(*place));
  if (place == NULL) return NULL;
  bb_list_init(&place->link);
  bb_list_init(&place->intakes);
  snprintf(place->id, sizeof(place->id), "%s", id);
  return place;
}

static parked *find_or_make(bb_runtime *runtime, const char *id) {
  parked *place = find(runtime, id);
  if (place == NULL && (place = make(id)) != NULL) bb_list_append(&runtime->parked, &place->link);
  return place;
}

int bb_parking_reserve(bb_outlet *outlet) {
  outlet->parked = make(outlet->id);
  return outlet->parked != NULL ? 0 : BB_ERR_NOMEM;
}

void bb_parking_give_up(bb_outlet *outlet) {
  free(outlet->parked);
}

/* What was reserved, unless something is parked under that id already. */
static parked *take_place(bb_outlet *outlet) {
  parked *place = find(outlet->runtime, outlet->id);
  if (place != NULL) return place;
  place = outlet->parked;
  outlet->parked = NULL;
  bb_list_append(&outlet->runtime->parked, &place->link);
  return place;
}

static void move(bb_intake *intake, bb_list *to, bb_outlet *outlet, const char *sink) {
  bb_list_remove(&intake->link);
  bb_intake_enter(intake, to);
  intake->outlet = outlet;
  intake->reader.sink = sink;
}

void bb_parking_take(bb_outlet *outlet) {
  if (bb_list_empty(&outlet->intakes)) return;
  parked *place = take_place(outlet);
  bb_window_retry_all(outlet);
  place->counters = outlet->counters;
  for (bb_list *node; (node = bb_list_first(&outlet->intakes)) != NULL;) {
    move(BB_LIST_ITEM(node, bb_intake, link), &place->intakes, NULL, place->id);
  }
}

bb_intake *bb_parking_add(bb_runtime *runtime, const char *sink, bb_stream *stream) {
  parked *place = find_or_make(runtime, sink);
  bb_intake *intake = place != NULL ? bb_intake_new(stream, place->id, true) : NULL;
  if (intake == NULL) return NULL;
  intake->leaving = true; /* unless a route feeds it again */
  bb_intake_enter(intake, &place->intakes);
  return intake;
}

static void free_place(parked *place) {
  bb_list_remove(&place->link);
  free(place);
}

void bb_parking_give(bb_outlet *outlet) {
  parked *place = find(outlet->runtime, outlet->id);
  if (place == NULL) return;
  outlet->counters = place->counters;
  for (bb_list *node; (node = bb_list_first(&place->intakes)) != NULL;) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    move(intake, &outlet->intakes, outlet, outlet->id);
    bb_intake_set_store(intake, &outlet->config->store);
  }
  free_place(place);
}

static bool is_disabled(const bb_config *config, const char *sink) {
  for (uint32_t i = 0; config != NULL && i < config->n_sinks; i++) {
    if (strcmp(config->sinks[i].id, sink) == 0) return !config->sinks[i].enabled;
  }
  return false;
}

static void sum_up(const bb_runtime *runtime, const parked *place, bb_orphan *out) {
  *out = (bb_orphan){.sink = place->id,
                     .dropped = place->counters.dropped,
                     .disabled = is_disabled(runtime->config, place->id)};
  for (bb_list *node = place->intakes.next; node != &place->intakes; node = node->next) {
    const bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    uint64_t waiting = bb_intake_waiting(intake);
    const bb_stream *stream = intake->reader.stream;
    out->batches += waiting;
    if (stream->saved_records > 0) {
      out->bytes += waiting * (stream->saved_bytes / stream->saved_records);
    }
  }
}

/* Frees the intakes, all or those that are of no use any more. Returns what waited in them. */
static uint64_t clear(bb_runtime *runtime, parked *place, bool all) {
  uint64_t lost = 0;
  for (bb_list *node = place->intakes.next; node != &place->intakes;) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    uint64_t waiting = bb_intake_waiting(intake);
    node = node->next;
    if (!all && intake->reader.durable && waiting > 0) continue;
    lost += waiting;
    bb_waits_lost_by(runtime, &intake->reader, 0, intake->reader.stream->next);
    bb_list_remove(&intake->link);
    bb_intake_free(intake);
  }
  return lost;
}

static void settle(bb_runtime *runtime, parked *place) {
  char count[BB_TEXT_COUNT];
  bb_orphan orphan;
  for (bb_list *node = place->intakes.next; node != &place->intakes; node = node->next) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    intake->leaving = true;
    if (!runtime->save.open) intake->reader.durable = false;
  }
  uint64_t lost = clear(runtime, place, false);
  if (lost > 0) {
    bb_log_warn(runtime->log, place->id, "the sink was removed or disabled; %s dropped",
                bb_text_count(count, lost, "batch that it had not been sent is",
                              "batches that it had not been sent are"));
  }
  sum_up(runtime, place, &orphan);
  if (bb_list_empty(&place->intakes)) {
    free_place(place);
  } else if (!place->told) {
    place->told = true;
    bb_log_warn(runtime->log, place->id,
                "%s; %s kept in the store: %s takes what waits, `busbar store drop %s` drops it",
                orphan.disabled ? "the sink is disabled" : "there is no such sink any more",
                bb_text_count(count, orphan.batches, "batch that it had not been sent is",
                              "batches that it had not been sent are"),
                orphan.disabled ? "once it is enabled it" : "a sink of that id", place->id);
  }
}

void bb_parking_settle(bb_runtime *runtime) {
  for (bb_list *node = runtime->parked.next; node != &runtime->parked;) {
    parked *place = BB_LIST_ITEM(node, parked, link);
    node = node->next;
    settle(runtime, place);
  }
}

static void note_dropped(const bb_runtime *runtime, parked *place, uint64_t dropped, bool aged) {
  place->counters.dropped += dropped;
  if (dropped == 0 || place->drop_told) return;
  place->drop_told = true;
  bb_log_warn(runtime->log, place->id,
              "no sink takes what is kept for it, and %s: the oldest batches are dropped unsent; "
              "`busbar store reassign %s SINK` gives the rest to another sink",
              aged ? "it has reached its age limit" : "the store has no more room", place->id);
}

void bb_parking_dropped(bb_runtime *runtime, bb_stream *stream, uint64_t from, uint64_t to,
                        bb_drop why) {
  for (bb_list *node = runtime->parked.next; node != &runtime->parked; node = node->next) {
    parked *place = BB_LIST_ITEM(node, parked, link);
    for (bb_list *at = place->intakes.next; at != &place->intakes; at = at->next) {
      bb_intake *intake = BB_LIST_ITEM(at, bb_intake, link);
      if (intake->reader.stream != stream || !bb_reader_loses(&intake->reader, why)) continue;
      note_dropped(runtime, place, bb_intake_drop(intake, from, to), why == BB_DROP_AGED);
    }
  }
}

void bb_parking_aged(bb_runtime *runtime, bb_intake *intake, uint64_t to) {
  uint64_t dropped = bb_intake_drop(intake, 0, to);
  parked *place = find(runtime, intake->reader.sink);
  if (place != NULL) note_dropped(runtime, place, dropped, true);
}

bool bb_parking_next(const bb_runtime *runtime, const void **at, bb_orphan *out) {
  const bb_list *node = *at != NULL ? *at : &runtime->parked;
  while ((node = node->next) != &runtime->parked) {
    const parked *place = BB_LIST_ITEM(node, parked, link);
    if (!place->told) continue; /* a change of config has only just parked it */
    sum_up(runtime, place, out);
    *at = node;
    if (out->batches > 0) return true;
  }
  return false;
}

int64_t bb_parking_drop(bb_runtime *runtime, const char *sink) {
  parked *place = find(runtime, sink);
  if (place == NULL) return BB_ERR_NOTFOUND;
  uint64_t lost = clear(runtime, place, true);
  free_place(place);
  runtime->untidy = true;
  bb_save_appended(&runtime->save, 0);
  return (int64_t)lost;
}

int64_t bb_parking_reassign(bb_runtime *runtime, const char *sink, bb_outlet *to) {
  parked *place = find(runtime, sink);
  if (place == NULL) return BB_ERR_NOTFOUND;
  uint64_t given = 0;
  for (bb_list *node; (node = bb_list_first(&place->intakes)) != NULL;) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    given += bb_intake_waiting(intake);
    move(intake, &to->intakes, to, to->id);
    bb_intake_set_store(intake, &to->config->store);
  }
  to->counters.dropped += place->counters.dropped;
  free_place(place);
  bb_save_appended(&runtime->save, 0);
  bb_outlet_wake(to);
  return (int64_t)given;
}

void bb_parking_close(bb_runtime *runtime) {
  for (bb_list *node; (node = bb_list_first(&runtime->parked)) != NULL;) {
    parked *place = BB_LIST_ITEM(node, parked, link);
    char count[BB_TEXT_COUNT];
    uint64_t kept = 0, lost = 0;
    for (bb_list *at = place->intakes.next; at != &place->intakes; at = at->next) {
      const bb_intake *intake = BB_LIST_ITEM(at, bb_intake, link);
      const bb_stream *stream = intake->reader.stream;
      bool saved = intake->reader.durable && bb_stream_has_saved(stream, 0, stream->next);
      *(saved ? &kept : &lost) += bb_intake_waiting(intake);
    }
    if (kept > 0) {
      bb_log_info(runtime->log, place->id, "%s in the store for the next start",
                  bb_text_count(count, kept, "batch waits", "batches wait"));
    }
    if (lost > 0) {
      bb_log_warn(runtime->log, place->id, "%s lost",
                  bb_text_count(count, lost, "batch could not be delivered before the end and is",
                                "batches could not be delivered before the end and are"));
    }
    clear(runtime, place, true);
    free_place(place);
  }
}
