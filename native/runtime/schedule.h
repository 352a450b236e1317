/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each scan is due: whole periods against an absolute grid, so that no lateness adds up.
 *
 * Due times lie on ticks of BB_SCHEDULE_TICK_MS, and the devices of one period are spread evenly
 * over it, so that many share a wake-up and none crowd one. A period that passes while the scan is
 * still being polled, or while the loop is held up, is skipped and counted.
 */
#ifndef BB_RUNTIME_SCHEDULE_H
#define BB_RUNTIME_SCHEDULE_H

#include <stdbool.h>
#include <uv.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/histogram.h"
#include "io/beat.h"

#define BB_SCHEDULE_TICK_MS BB_BEAT_MS /* so that polls and what waits for a beat share wake-ups */

struct bb_station_scan;

typedef struct bb_schedule bb_schedule;

struct bb_schedule {
  /* public: called for each due scan; `due_ns` is when it should have been */
  void (*on_due)(bb_schedule *schedule, struct bb_station_scan *scan, uint64_t due_ns,
                 uint64_t now_ns);
  void *user;
  /* read-only */
  bb_histogram lateness;
  bool paused;
  /* private */
  bb_heap heap;
  uv_timer_t timer;
  const bb_clock *clock;
  uint64_t spread; /* counts the scans added, for their places in the period */
};

int bb_schedule_init(bb_schedule *schedule, uv_loop_t *loop, const bb_clock *clock);
void bb_schedule_close(bb_schedule *schedule, uv_close_cb on_closed);

/* Room for that many scans. 0 or BB_ERR_NOMEM. */
int bb_schedule_reserve(bb_schedule *schedule, size_t n);

/* The scan's first due time is within its first period, and within a second. The room must have been
 * reserved. */
void bb_schedule_add(bb_schedule *schedule, struct bb_station_scan *scan);
void bb_schedule_remove(bb_schedule *schedule, struct bb_station_scan *scan);

/* Due within a second for once, though its period would have it later: what it last read has become
 * stale. Its place in the period stays. Nothing happens to a scan that is not in the schedule. */
void bb_schedule_soon(bb_schedule *schedule, struct bb_station_scan *scan);

/* Nothing is due while paused; when it goes on, what came due meanwhile is left out, uncounted. */
void bb_schedule_pause(bb_schedule *schedule, bool paused);

/* Calls on_due for all that is due now; the timer does so by itself. For tests with a clock of
 * their own. */
void bb_schedule_run(bb_schedule *schedule);

#endif
