/* SPDX-License-Identifier: Apache-2.0 */
/* See pump.h. */
#include "runtime/pump.h"

#include "runtime/intake.h"
#include "runtime/runtime.h"
#include "runtime/window.h"

static bool may_send(const bb_outlet *outlet) {
  return outlet->ready && !outlet->waiting && !outlet->regroup && !outlet->blocked &&
         !outlet->closed && bb_window_used(outlet) < outlet->needs.window_records &&
         outlet->flight_bytes < outlet->needs.window_bytes;
}

static void pump_live(bb_outlet *outlet, bb_intake *intake) {
  bb_stream *stream = intake->reader.stream;
  while (may_send(outlet) && intake->live < stream->next) {
    uint32_t n = bb_window_send(outlet, intake, intake->live, stream->next, false);
    if (n == 0) return;
    intake->live += n;
  }
}

uint32_t bb_pump_history_most(const bb_outlet *outlet) {
  return (outlet->needs.window_records + 1) / 2;
}

/* How many batches of history may go now: the room in its half, at its pace, and where
 * store.history_rate is set, so many a second. */
static uint32_t history_room(bb_outlet *outlet) {
  uint64_t now = bb_clock_mono_ns(&outlet->runtime->clock);
  uint32_t most = bb_pump_history_most(outlet), window = bb_window_used(outlet);
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
    uint64_t to = range->from + (turn - sent);
    uint32_t n = bb_window_send(outlet, intake, range->from, to < range->to ? to : range->to, true);
    uint64_t floor = range->from + n;
    if (n == 0) break;
    sent += n;
    outlet->history_room -= n;
    bb_pace_sent(&outlet->pace, outlet->newest - 1, outlet->undone_history,
                 bb_clock_mono_ns(&outlet->runtime->clock));
    bb_intake_sent(intake, floor);
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

void bb_pump_run(bb_outlet *outlet) {
  age(outlet);
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    pump_live(outlet, BB_LIST_ITEM(node, bb_intake, link));
  }
  pump_history(outlet);
}
