/* SPDX-License-Identifier: Apache-2.0 */
/* See intake.h. */
#include "runtime/intake.h"

#include <stdlib.h>

#include "runtime/runtime.h"
#include "runtime/window.h"

uint64_t bb_intake_waiting(const bb_intake *intake) {
  uint64_t live = intake->reader.stream->next - intake->live;
  return live + bb_span_count(intake->history, intake->n_history);
}

/* Where it reads on in the past, so that what was fetched for it stays. */
static void note_reading(bb_intake *intake) {
  intake->reader.reading = intake->n_history > 0 ? intake->history[0].from : intake->live;
}

void bb_intake_add_history(bb_intake *intake, uint64_t from, uint64_t to) {
  if (from < intake->reader.stream->first) from = intake->reader.stream->first;
  intake->n_history = bb_span_add(intake->history, intake->n_history, BB_OUTLET_RANGES, from, to);
  note_reading(intake);
}

void bb_intake_sent(bb_intake *intake, uint64_t floor) {
  uint64_t removed = 0;
  intake->n_history = bb_span_clip(intake->history, intake->n_history, floor, &removed);
  note_reading(intake);
}

void bb_intake_add_saved(bb_intake *intake, uint64_t from, uint64_t to) {
  bb_reader *reader = &intake->reader;
  bb_intake_add_history(intake, from, to);
  reader->durable = true;
  if (reader->reading < reader->floor) reader->floor = reader->reading;
}

static void shift_spans(bb_span *spans, uint32_t n, uint64_t by) {
  for (uint32_t i = 0; i < n; i++) {
    spans[i].from += by;
    spans[i].to += by;
  }
}

void bb_intake_shift(bb_intake *intake, uint64_t by) {
  const bb_outlet *outlet = intake->outlet;
  intake->live += by;
  intake->reader.reading += by;
  intake->reader.floor += by;
  shift_spans(intake->history, intake->n_history, by);
  shift_spans(intake->rewound, intake->n_rewound, by);
  for (uint32_t i = 0; i <= BB_OUTLET_SPANS; i++) {
    shift_spans(intake->acked[i].ranges, intake->acked[i].n, by);
  }
  if (outlet == NULL) return;
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    bb_flight *flight = bb_window_flight(outlet, ticket);
    if (flight->intake == intake) flight->record += by;
  }
}

/* The records on their way that it would lose if they did not arrive. */
static uint32_t add_flights(const bb_intake *intake, bb_span *out, uint32_t n) {
  const bb_outlet *outlet = intake->outlet;
  if (outlet == NULL) return n;
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    const bb_flight *flight = bb_window_flight(outlet, ticket);
    if (flight->intake != intake || flight->state != BB_FLIGHT_SENT) continue;
    n = bb_span_add(out, n, BB_READER_SPANS, flight->record, flight->record + 1);
  }
  return n;
}

uint32_t bb_intake_need(const bb_reader *reader, bb_span *out) {
  const bb_intake *intake = (const bb_intake *)reader;
  uint32_t n = 0;
  for (uint32_t i = 0; i < intake->n_history; i++) {
    n = bb_span_add(out, n, BB_READER_SPANS, intake->history[i].from, intake->history[i].to);
  }
  n = add_flights(intake, out, n);
  return bb_span_add(out, n, BB_READER_SPANS, intake->live, BB_STORE_OPEN_END);
}

void bb_intake_resume(bb_outlet *outlet) {
  uint64_t now = bb_clock_mono_ns(&outlet->runtime->clock);
  uint64_t age = BB_OUTLET_LIVE_MS * BB_NS_PER_MS;
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    uint64_t live = bb_stream_since(intake->reader.stream, now > age ? now - age : 0);
    if (live <= intake->live) continue;
    bb_intake_add_history(intake, intake->live, live);
    intake->live = live;
  }
}

bb_intake *bb_intake_new(bb_stream *stream, const char *sink, bool durable) {
  bb_intake *intake = calloc(1, sizeof(*intake));
  if (intake == NULL) return NULL;
  intake->reader.sink = sink;
  intake->reader.durable = durable;
  intake->reader.need = bb_intake_need;
  intake->live = stream->next;
  bb_reader_join(&intake->reader, stream);
  return intake;
}

void bb_intake_enter(bb_intake *intake, bb_list *intakes) {
  if (intake->reader.stream->class == BB_STORE_EVENTS) {
    bb_list_prepend(intakes, &intake->link);
  } else {
    bb_list_append(intakes, &intake->link);
  }
}

void bb_intake_set_store(bb_intake *intake, const bb_config_sink_store *store) {
  bb_reader *reader = &intake->reader;
  bb_span need[BB_READER_SPANS];
  reader->max_age_ns = store->max_age_ms * BB_NS_PER_MS;
  if (store->mode == BB_CONFIG_MEMORY) {
    reader->durable = reader->durable && intake->n_history > 0;
    return;
  }
  /* What came while nobody saved it is saved now. */
  bb_intake_need(reader, need);
  if (!reader->durable) bb_reader_save_late(reader, need[0].from);
}

void bb_intake_free(bb_intake *intake) {
  bb_reader_leave(&intake->reader);
  free(intake);
}

uint64_t bb_intake_drop(bb_intake *intake, uint64_t from, uint64_t to) {
  uint64_t removed = 0;
  intake->n_history =
      bb_span_cut(intake->history, intake->n_history, BB_OUTLET_RANGES, from, to, &removed);
  if (intake->live < to) {
    uint64_t begin = intake->live > from ? intake->live : from;
    removed += to - begin;
    if (intake->live < begin) bb_intake_add_history(intake, intake->live, begin);
    intake->live = to;
  }
  note_reading(intake);
  return removed;
}
