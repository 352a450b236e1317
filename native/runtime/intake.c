/* SPDX-License-Identifier: Apache-2.0 */
/* See intake.h. */
#include "runtime/intake.h"

#include <stdlib.h>

#include "base/err.h"
#include "runtime/past.h"
#include "runtime/rewind.h"
#include "runtime/runtime.h"

static uint32_t in_window(const bb_outlet *outlet) {
  return (uint32_t)(outlet->newest - outlet->oldest);
}

static bb_flight *flight_of(const bb_outlet *outlet, uint64_t ticket) {
  return &outlet->flights[ticket % outlet->needs.window_records];
}

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
    bb_flight *flight = flight_of(outlet, ticket);
    if (flight->intake == intake) flight->record += by;
  }
}

/* The records on their way that it would lose if they did not arrive. */
static uint32_t add_flights(const bb_intake *intake, bb_span *out, uint32_t n) {
  const bb_outlet *outlet = intake->outlet;
  if (outlet == NULL) return n;
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    const bb_flight *flight = flight_of(outlet, ticket);
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

/* How many records may go into the next run. The views of a run lie together, so a run ends where
 * the ring does. */
static uint32_t run_room(const bb_outlet *outlet) {
  uint32_t window = outlet->needs.window_records;
  uint32_t room = window - in_window(outlet);
  uint32_t to_end = window - (uint32_t)(outlet->newest % window);
  if (room > to_end) room = to_end;
  return room < outlet->needs.run_records ? room : outlet->needs.run_records;
}

/* Puts records from..to into the window, as far as there is room. Returns how many. */
static uint32_t load(bb_outlet *outlet, bb_intake *intake, uint64_t from, uint64_t to,
                     bool history) {
  uint32_t n = 0, room = run_room(outlet);
  bb_chunk_walk walk = {0};
  bb_chunk *chunk = NULL;
  for (uint64_t record = from; record < to && n < room; record++) {
    if (outlet->flight_bytes >= outlet->needs.window_bytes) break;
    if (chunk == NULL || record >= chunk->first + chunk->n) {
      int found = bb_stream_pin(intake->reader.stream, record, &chunk);
      if (found < 0 && n == 0) bb_stream_miss(intake->reader.stream, record);
      if (found != 1) break;
    } else {
      bb_chunk_pin(chunk);
    }
    bb_flight *flight = flight_of(outlet, outlet->newest + n);
    *flight = (bb_flight){.intake = intake, .chunk = chunk, .record = record, .history = history};
    bb_batch *view = &outlet->views[(outlet->newest + n) % outlet->needs.window_records];
    *view = *bb_chunk_batch(chunk, &walk, record, &flight->bytes);
    if (chunk->fetched && bb_past_tell(outlet, view) < 0) {
      bb_chunk_unpin(chunk);
      break;
    }
    outlet->flight_bytes += flight->bytes;
    n++;
  }
  return n;
}

static void unload(bb_outlet *outlet, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    bb_flight *flight = flight_of(outlet, outlet->newest + i);
    outlet->flight_bytes -= flight->bytes;
    bb_chunk_unpin(flight->chunk);
  }
}

/* Sends one run of records from..to. Returns how many went; 0: the window or the sink is full. */
static uint32_t send_run(bb_outlet *outlet, bb_intake *intake, uint64_t from, uint64_t to,
                         bool history) {
  uint32_t n = load(outlet, intake, from, to, history);
  if (n == 0) return 0;
  bb_run run = {.ticket = outlet->newest,
                .n = n,
                .history = history,
                .batches = &outlet->views[outlet->newest % outlet->needs.window_records]};
  /* Counted before the call, so that a verdict from within finds its flight. */
  outlet->newest += n;
  outlet->undone += n;
  outlet->undone_history += history ? n : 0;
  if (outlet->config->kind->deliver(outlet->sink, &run) < 0) {
    outlet->newest -= n;
    outlet->undone -= n;
    outlet->undone_history -= history ? n : 0;
    unload(outlet, n);
    /* Without a batch on its way no verdict will come that could end this. */
    outlet->blocked = outlet->undone > 0;
    if (!outlet->blocked) bb_outlet_wait(outlet, bb_backoff_next_ms(&outlet->backoff));
    return 0;
  }
  return n;
}

static bool may_send(const bb_outlet *outlet) {
  return outlet->ready && !outlet->waiting && !outlet->regroup && !outlet->blocked &&
         !outlet->closed && in_window(outlet) < outlet->needs.window_records &&
         outlet->flight_bytes < outlet->needs.window_bytes;
}

static void pump_live(bb_outlet *outlet, bb_intake *intake) {
  bb_stream *stream = intake->reader.stream;
  while (may_send(outlet) && intake->live < stream->next) {
    uint32_t n = send_run(outlet, intake, intake->live, stream->next, false);
    if (n == 0) return;
    intake->live += n;
  }
}

/* Half of the window is left to what is live. */
static uint32_t history_most(const bb_outlet *outlet) {
  return (outlet->needs.window_records + 1) / 2;
}

/* How many batches of history may go now: the room in its half, at its pace, and where
 * store.history_rate is set, so many a second. */
static uint32_t history_room(bb_outlet *outlet) {
  uint64_t now = bb_clock_mono_ns(&outlet->runtime->clock);
  uint32_t most = history_most(outlet), window = in_window(outlet);
  uint32_t share = bb_pace_share(&outlet->pace, most, now);
  uint32_t room = share > outlet->undone_history ? share - outlet->undone_history : 0;
  uint32_t rate = outlet->config->store.history_rate;
  if (window >= most) return 0;
  if (room > most - window) room = most - window;
  if (rate == 0) return room;
  outlet->history_room += (double)(now - outlet->history_ns) / 1e9 * rate;
  outlet->history_ns = now;
  if (outlet->history_room > rate) outlet->history_room = rate;
  return outlet->history_room < room ? (uint32_t)outlet->history_room : room;
}

/* Sends at most `turn` records of the intake's history. Returns how many went. */
static uint32_t send_turn(bb_outlet *outlet, bb_intake *intake, uint32_t turn) {
  uint32_t sent = 0;
  while (sent < turn && intake->n_history > 0 && may_send(outlet)) {
    bb_span *range = &intake->history[0];
    uint64_t to = range->from + (turn - sent), removed = 0;
    uint32_t n = send_run(outlet, intake, range->from, to < range->to ? to : range->to, true);
    uint64_t floor = range->from + n;
    if (n == 0) break;
    sent += n;
    outlet->history_room -= n;
    bb_pace_sent(&outlet->pace, outlet->newest - 1, outlet->undone_history,
                 bb_clock_mono_ns(&outlet->runtime->clock));
    intake->n_history = bb_span_clip(intake->history, intake->n_history, floor, &removed);
    note_reading(intake);
  }
  return sent;
}

/* What comes from a stream that no route feeds any more may be followed in another one by newer
 * records of the same devices. */
static bool goes_first(const bb_intake *intake) {
  return intake->leaving && !intake->reader.stream->unreadable;
}

/* Whose turn it is, of those that have history; `*n`: how many take turns. */
static bb_intake *whose_turn(const bb_outlet *outlet, uint32_t *n) {
  bb_intake *first = NULL;
  *n = 0;
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    if (intake->n_history == 0) continue;
    if (goes_first(intake)) {
      *n = 1;
      return intake;
    }
    if (first == NULL) first = intake;
    ++*n;
  }
  return first;
}

/* Streams take turns, each with an equal share of the room, so that none has to wait until all of
 * another is sent. One whose records have to be fetched first is passed over. */
static void pump_history(bb_outlet *outlet) {
  uint32_t n, idle = 0, turn = 0;
  for (bb_intake *intake; (intake = whose_turn(outlet, &n)) != NULL && idle < n;) {
    uint32_t room = may_send(outlet) ? history_room(outlet) : 0;
    if (room == 0) return;
    if (turn == 0) turn = room > n ? room / n : 1;
    uint32_t sent = send_turn(outlet, intake, turn < room ? turn : room);
    if (sent == 0 && !may_send(outlet)) return; /* the sink is full: its turn is still to come */
    idle = sent > 0 ? 0 : idle + 1;
    if (!goes_first(intake)) bb_outlet_stand_last(intake);
  }
}

/* A sink that is slow, not away, must not get old batches as live ones either. */
static void age(bb_outlet *outlet) {
  uint64_t now = bb_clock_mono_ns(&outlet->runtime->clock);
  if (now < outlet->aged_ns + BB_NS_PER_S) return;
  outlet->aged_ns = now;
  bb_intake_resume(outlet);
}

void bb_intake_pump(bb_outlet *outlet) {
  age(outlet);
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    pump_live(outlet, BB_LIST_ITEM(node, bb_intake, link));
  }
  pump_history(outlet);
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

const bb_batch *bb_intake_batch(const bb_outlet *outlet, uint64_t ticket) {
  if (ticket < outlet->oldest || ticket >= outlet->newest) return NULL;
  if (flight_of(outlet, ticket)->state != BB_FLIGHT_SENT) return NULL;
  return &outlet->views[ticket % outlet->needs.window_records];
}

void bb_intake_verdict(bb_outlet *outlet, uint64_t ticket, bb_verdict verdict) {
  if (ticket < outlet->oldest || ticket >= outlet->newest) return;
  bb_flight *flight = flight_of(outlet, ticket);
  if (flight->state != BB_FLIGHT_SENT) return;
  outlet->undone--;
  outlet->undone_history -= flight->history;
  if (bb_pace_is_timed(&outlet->pace, ticket)) {
    bb_pace_done(&outlet->pace, verdict == BB_VERDICT_ACKED, history_most(outlet),
                 bb_clock_mono_ns(&outlet->runtime->clock));
  }
  flight->state = BB_FLIGHT_DONE;
  switch (verdict) {
  case BB_VERDICT_ACKED:
    outlet->counters.delivered++;
    bb_rewind_note(flight->intake, flight->record);
    break;
  case BB_VERDICT_RETRY:
    flight->state = BB_FLIGHT_RETRY;
    outlet->counters.retried++;
    outlet->regroup = true;
    if (flight->dropped) {
      outlet->counters.dropped++;
    } else {
      bb_intake_add_history(flight->intake, flight->record, flight->record + 1);
    }
    break;
  case BB_VERDICT_REFUSED:
    outlet->counters.refused++;
    break;
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

void bb_intake_retry_all(bb_outlet *outlet) {
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    bb_intake_verdict(outlet, ticket, BB_VERDICT_RETRY);
  }
}

/* What the intake still needs of its stream: history, flights, what is not yet sent, and what a
 * rewind may ask for. */
static uint64_t floor_of(const bb_outlet *outlet, const bb_intake *intake) {
  uint64_t floor = intake->live;
  if (intake->n_history > 0 && intake->history[0].from < floor) floor = intake->history[0].from;
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    const bb_flight *flight = flight_of(outlet, ticket);
    if (flight->intake != intake || flight->state == BB_FLIGHT_DONE) continue;
    if (flight->record < floor) floor = flight->record;
  }
  return bb_rewind_floor(intake, floor);
}

/* Of what lay in the store, whether some may have to be sent once more. */
static bool has_history(const bb_outlet *outlet, const bb_intake *intake) {
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    const bb_flight *flight = flight_of(outlet, ticket);
    if (flight->intake != intake || !flight->history) continue;
    if (flight->state == BB_FLIGHT_SENT) return true;
  }
  return intake->n_history > 0;
}

static bool has_flights(const bb_outlet *outlet, const bb_intake *intake) {
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    if (flight_of(outlet, ticket)->intake == intake) return true;
  }
  return false;
}

static void release(bb_outlet *outlet) {
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes;) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    node = node->next;
    bb_reader_release(&intake->reader, floor_of(outlet, intake));
    if (outlet->config->store.mode == BB_CONFIG_MEMORY && intake->reader.durable) {
      intake->reader.durable = has_history(outlet, intake); /* what the store holds for it */
    }
    if (!intake->leaving || bb_intake_waiting(intake) > 0 || has_flights(outlet, intake)) continue;
    bb_list_remove(&intake->link);
    bb_intake_free(intake);
    outlet->runtime->untidy = true;
  }
}

void bb_intake_settle(bb_outlet *outlet) {
  while (outlet->oldest < outlet->newest) {
    bb_flight *flight = flight_of(outlet, outlet->oldest);
    if (flight->state == BB_FLIGHT_SENT) break;
    outlet->flight_bytes -= flight->bytes;
    bb_chunk_unpin(flight->chunk);
    flight->chunk = NULL;
    outlet->oldest++;
  }
  outlet->blocked = false;
  if (outlet->regroup && outlet->undone == 0) {
    outlet->regroup = false;
    if (outlet->ready && !outlet->waiting) {
      bb_outlet_wait(outlet, bb_backoff_next_ms(&outlet->backoff));
    }
  }
  release(outlet);
  bb_past_settle(outlet);
  bb_save_appended(&outlet->runtime->save, 0); /* how far it has come is to be saved */
  outlet->runtime->safe_changed = true;
  if (outlet->ready) bb_intake_pump(outlet);
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

void bb_intake_drop_returning(bb_outlet *outlet, const bb_stream *stream, uint64_t from,
                              uint64_t to, bb_drop why) {
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    bb_flight *flight = flight_of(outlet, ticket);
    const bb_reader *reader = &flight->intake->reader;
    if (reader->stream != stream || !bb_reader_loses(reader, why)) continue;
    if (flight->record >= from && flight->record < to) flight->dropped = true;
  }
}

void bb_intake_drop_flights(bb_outlet *outlet) {
  for (; outlet->oldest < outlet->newest; outlet->oldest++) {
    bb_flight *flight = flight_of(outlet, outlet->oldest);
    if (flight->chunk != NULL) bb_chunk_unpin(flight->chunk);
    flight->chunk = NULL;
  }
  outlet->undone = outlet->undone_history = 0;
}
