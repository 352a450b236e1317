/* SPDX-License-Identifier: Apache-2.0 */
/* See window.h. */
#include "runtime/window.h"

#include "base/err.h"
#include "runtime/intake.h"
#include "runtime/past.h"
#include "runtime/pump.h"
#include "runtime/rewind.h"
#include "runtime/runtime.h"

/* How many records may go into the next run. The views of a run lie together, so a run ends where
 * the ring does. */
static uint32_t run_room(const bb_outlet *outlet) {
  uint32_t window = outlet->needs.window_records;
  uint32_t room = window - bb_window_used(outlet);
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
    bb_flight *flight = bb_window_flight(outlet, outlet->newest + n);
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
    bb_flight *flight = bb_window_flight(outlet, outlet->newest + i);
    outlet->flight_bytes -= flight->bytes;
    bb_chunk_unpin(flight->chunk);
  }
}

uint32_t bb_window_send(bb_outlet *outlet, bb_intake *intake, uint64_t from, uint64_t to,
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

const bb_batch *bb_window_batch(const bb_outlet *outlet, uint64_t ticket) {
  if (ticket < outlet->oldest || ticket >= outlet->newest) return NULL;
  if (bb_window_flight(outlet, ticket)->state != BB_FLIGHT_SENT) return NULL;
  return &outlet->views[ticket % outlet->needs.window_records];
}

void bb_window_verdict(bb_outlet *outlet, uint64_t ticket, bb_verdict verdict) {
  if (ticket < outlet->oldest || ticket >= outlet->newest) return;
  bb_flight *flight = bb_window_flight(outlet, ticket);
  if (flight->state != BB_FLIGHT_SENT) return;
  outlet->undone--;
  outlet->undone_history -= flight->history;
  if (bb_pace_is_timed(&outlet->pace, ticket)) {
    bb_pace_done(&outlet->pace, verdict == BB_VERDICT_ACKED, bb_pump_history_most(outlet),
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

void bb_window_retry_all(bb_outlet *outlet) {
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    bb_window_verdict(outlet, ticket, BB_VERDICT_RETRY);
  }
}

/* What the intake still needs of its stream: history, flights, what is not yet sent, and what a
 * rewind may ask for. */
static uint64_t floor_of(const bb_outlet *outlet, const bb_intake *intake) {
  uint64_t floor = intake->live;
  if (intake->n_history > 0 && intake->history[0].from < floor) floor = intake->history[0].from;
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    const bb_flight *flight = bb_window_flight(outlet, ticket);
    if (flight->intake != intake || flight->state == BB_FLIGHT_DONE) continue;
    if (flight->record < floor) floor = flight->record;
  }
  return bb_rewind_floor(intake, floor);
}

/* Of what lay in the store, whether some may have to be sent once more. */
static bool has_history(const bb_outlet *outlet, const bb_intake *intake) {
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    const bb_flight *flight = bb_window_flight(outlet, ticket);
    if (flight->intake != intake || !flight->history) continue;
    if (flight->state == BB_FLIGHT_SENT) return true;
  }
  return intake->n_history > 0;
}

static bool has_flights(const bb_outlet *outlet, const bb_intake *intake) {
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    if (bb_window_flight(outlet, ticket)->intake == intake) return true;
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

void bb_window_settle(bb_outlet *outlet) {
  while (outlet->oldest < outlet->newest) {
    bb_flight *flight = bb_window_flight(outlet, outlet->oldest);
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
  if (outlet->ready) bb_pump_run(outlet);
}

void bb_window_drop_returning(bb_outlet *outlet, const bb_stream *stream, uint64_t from,
                              uint64_t to, bb_drop why) {
  for (uint64_t ticket = outlet->oldest; ticket < outlet->newest; ticket++) {
    bb_flight *flight = bb_window_flight(outlet, ticket);
    const bb_reader *reader = &flight->intake->reader;
    if (reader->stream != stream || !bb_reader_loses(reader, why)) continue;
    if (flight->record >= from && flight->record < to) flight->dropped = true;
  }
}

void bb_window_drop_flights(bb_outlet *outlet) {
  for (; outlet->oldest < outlet->newest; outlet->oldest++) {
    bb_flight *flight = bb_window_flight(outlet, outlet->oldest);
    if (flight->chunk != NULL) bb_chunk_unpin(flight->chunk);
    flight->chunk = NULL;
  }
  outlet->undone = outlet->undone_history = 0;
}
