/* SPDX-License-Identifier: Apache-2.0 */
/* See schedule.h. */
#include "runtime/schedule.h"

#include "base/list.h"
#include "runtime/station.h"

#define TICK_NS (BB_SCHEDULE_TICK_MS * BB_NS_PER_MS)
#define SOON_NS BB_NS_PER_S /* within which every scan is polled first */

static bb_station_scan *scan_of(bb_heap_node *node) {
  return BB_LIST_ITEM(node, bb_station_scan, due);
}

static uint64_t now(const bb_schedule *schedule) {
  return bb_clock_mono_ns(schedule->clock);
}

static void on_timer(uv_timer_t *timer) {
  bb_schedule_run(timer->data);
}

static void arm(bb_schedule *schedule) {
  bb_heap_node *first = bb_heap_first(&schedule->heap);
  if (first == NULL || schedule->paused) {
    uv_timer_stop(&schedule->timer);
    return;
  }
  uint64_t at = now(schedule);
  /* Rounded up: a timer that fires early would find nothing due. */
  uint64_t ms = first->key > at ? (first->key - at + BB_NS_PER_MS - 1) / BB_NS_PER_MS : 0;
  uv_update_time(schedule->timer.loop);
  uv_timer_start(&schedule->timer, on_timer, ms, 0);
}

int bb_schedule_init(bb_schedule *schedule, uv_loop_t *loop, const bb_clock *clock) {
  schedule->clock = clock;
  schedule->timer.data = schedule;
  return uv_timer_init(loop, &schedule->timer);
}

void bb_schedule_close(bb_schedule *schedule, uv_close_cb on_closed) {
  uv_close((uv_handle_t *)&schedule->timer, on_closed);
  bb_heap_close(&schedule->heap);
}

int bb_schedule_reserve(bb_schedule *schedule, size_t n) {
  return bb_heap_reserve(&schedule->heap, n);
}

/* The n-th of many equal steps round a circle by the golden ratio: any number of devices, added in
 * any order, lies evenly spread. */
static uint64_t spread(uint64_t n, uint64_t period_ns) {
  uint64_t fraction = (n * 0x9E3779B97F4A7C15ull) >> 32; /* of 2^32 */
  uint64_t ticks = period_ns / TICK_NS;
  return ticks > 0 ? (fraction * ticks >> 32) * TICK_NS : 0;
}

/* The first time on the scan's grid that is after `at`. */
static uint64_t next_due(const bb_station_scan *scan, uint64_t at) {
  uint64_t due = at / scan->period_ns * scan->period_ns + scan->offset_ns;
  return due > at ? due : due + scan->period_ns;
}

void bb_schedule_add(bb_schedule *schedule, bb_station_scan *scan) {
  uint64_t at = now(schedule), n = schedule->spread++;
  scan->offset_ns = spread(n, scan->period_ns);
  scan->due.key = next_due(scan, at);
  /* Nobody waits an hour for what is read hourly: the first poll comes soon, off the grid. */
  if (scan->due.key > at + SOON_NS) {
    scan->due.key = (at / TICK_NS + 1) * TICK_NS + spread(n, SOON_NS);
    scan->off_grid = true;
  }
  bb_heap_insert(&schedule->heap, &scan->due);
  if (bb_heap_first(&schedule->heap) == &scan->due) arm(schedule);
}

void bb_schedule_soon(bb_schedule *schedule, bb_station_scan *scan) {
  uint64_t at = now(schedule);
  if (scan->due.place == 0 || scan->due.key <= at + SOON_NS) return;
  bb_heap_remove(&schedule->heap, &scan->due);
  scan->due.key = (at / TICK_NS + 1) * TICK_NS + scan->offset_ns % SOON_NS;
  scan->off_grid = true;
  bb_heap_insert(&schedule->heap, &scan->due);
  if (bb_heap_first(&schedule->heap) == &scan->due) arm(schedule);
}

void bb_schedule_remove(bb_schedule *schedule, bb_station_scan *scan) {
  bb_heap_remove(&schedule->heap, &scan->due);
}

void bb_schedule_pause(bb_schedule *schedule, bool paused) {
  uint64_t at = now(schedule);
  bb_heap_node *node;
  schedule->paused = paused;
  /* What came due meanwhile was not late: it goes on with its next period. */
  while (!paused && (node = bb_heap_first(&schedule->heap)) != NULL && node->key <= at) {
    bb_station_scan *scan = scan_of(node);
    bb_heap_remove(&schedule->heap, node);
    node->key = scan->off_grid ? (at / TICK_NS + 1) * TICK_NS : next_due(scan, at);
    bb_heap_insert(&schedule->heap, node);
  }
  arm(schedule);
}

/* Moves the scan to its next due time after `at` and counts the periods in between. */
static void advance(bb_schedule *schedule, bb_station_scan *scan, uint64_t at) {
  uint64_t next = next_due(scan, at);
  bb_heap_remove(&schedule->heap, &scan->due);
  if (!scan->off_grid) scan->counters.skipped += (next - scan->due.key) / scan->period_ns - 1;
  scan->off_grid = false;
  scan->due.key = next;
  bb_heap_insert(&schedule->heap, &scan->due);
}

void bb_schedule_run(bb_schedule *schedule) {
  uint64_t at = now(schedule);
  for (bb_heap_node *node; !schedule->paused && (node = bb_heap_first(&schedule->heap)) != NULL;) {
    if (node->key > at) break;
    bb_station_scan *scan = scan_of(node);
    uint64_t due = node->key;
    advance(schedule, scan, at);
    bb_histogram_add(&schedule->lateness, at - due);
    schedule->on_due(schedule, scan, due, at);
  }
  arm(schedule);
}
