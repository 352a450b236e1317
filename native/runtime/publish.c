/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a batch from its scan to feeds and watches; see station.h. */
#include <string.h>

#include "runtime/event.h"
#include "runtime/runtime.h"
#include "runtime/station.h"

static void count(bb_station_scan *scan, const bb_batch *batch) {
  uint16_t n = batch->shape->n_points, good = bb_batch_good(batch);
  scan->counters.samples[0] += good;
  if (good == n) return;
  for (uint16_t i = 0; i < n; i++) {
    uint8_t quality = batch->quality[i];
    if (quality == BB_QUALITY_ABSENT) continue;
    if (bb_quality_class(quality) != BB_QUALITY_GOOD) scan->counters.samples[quality >> 6]++;
  }
}

static void hand_on(bb_station_scan *scan, const bb_batch *batch) {
  bb_runtime *runtime = scan->station->runtime;
  runtime->taken++;
  for (bb_feed *feed = scan->feeds; feed != NULL; feed = feed->next) {
    bb_batch out;
    if (!bb_feed_report(feed, batch, &out)) continue;
    /* Another batch than the one it was made of: a sink may get both. */
    if (out.values != batch->values) out.seq = ++runtime->seq;
    bb_runtime_deliver(runtime, feed, &out);
  }
  for (bb_list *node = runtime->watches.next; node != &runtime->watches;) {
    bb_watch *watch = BB_LIST_ITEM(node, bb_watch, link);
    node = node->next;
    if (watch->on_batch != NULL) watch->on_batch(watch, scan, batch);
  }
}

/* Why the whole batch has no value, if that is because the device cannot be reached; else 0. */
static uint8_t loss_of(const bb_batch *batch) {
  uint8_t cause = BB_CAUSE_NONE;
  for (uint16_t i = 0; i < batch->shape->n_points; i++) {
    uint8_t own = batch->quality[i] & BB_CAUSE_MASK;
    if (bb_quality_class(batch->quality[i]) != BB_QUALITY_BAD) return 0;
    if (own == BB_CAUSE_NOT_READ) continue;
    if (own != BB_CAUSE_NO_ANSWER && own != BB_CAUSE_NOT_CONNECTED && own != BB_CAUSE_GATEWAY) {
      return 0;
    }
    cause = own;
  }
  return cause != BB_CAUSE_NONE ? cause : BB_CAUSE_NO_ANSWER;
}

void bb_station_turn(bb_station *station, bool up, const bb_reason *reason) {
  bool first = !station->known;
  station->known = true;
  station->up = up;
  station->since_ns = bb_clock_utc_ns(&station->runtime->clock);
  station->reason = up ? (bb_reason){0} : *reason;
  bb_event_turned(station, first);
  bb_runtime_station_changed(station->runtime, station);
}

static void set_up(bb_station *station, bool up) {
  if (station->known && station->up == up) return;
  bb_station_turn(station, up, &station->link->reason);
}

/* A poll that brought nothing. While the device counts as there, that is told as it is; once it is
 * lost, its last values are announced stale, once. */
static void publish_loss(bb_station_scan *scan, bb_batch *batch, uint8_t cause) {
  bb_station *station = scan->station;
  station->loss = cause;
  /* Drivers tell of a link once, not of each device behind it. */
  if (!station->link->conn->up) set_up(station, false);
  if (station->known && !station->up) {
    bb_station_announce_stale(station);
  } else if (!scan->stale) {
    bb_runtime_stamp(station->runtime, batch);
    hand_on(scan, batch);
  }
}

void bb_station_publish(bb_station_scan *scan, bb_batch *batch) {
  bb_station *station = scan->station;
  uint8_t loss = loss_of(batch);
  count(scan, batch);
  if (loss != 0 && scan->has_latest) {
    publish_loss(scan, batch, loss);
    return;
  }
  bb_runtime_stamp(station->runtime, batch);
  if (bb_batch_good(batch) > 0) {
    station->heard_ns = batch->time_ns;
    set_up(station, true);
  }
  scan->stale = loss != 0; /* no value that could become stale */
  scan->latest = *batch;
  scan->has_latest = true;
  scan->filling ^= 1;
  hand_on(scan, batch);
}

static void announce(bb_station_scan *scan) {
  bb_station *station = scan->station;
  bb_runtime *runtime = station->runtime;
  bb_batch *latest = &scan->latest;
  uint8_t *quality = (uint8_t *)latest->quality; /* the scan's own buffer */
  uint8_t cause = station->loss != 0 ? station->loss : BB_CAUSE_NO_ANSWER;
  for (uint16_t i = 0; i < latest->shape->n_points; i++) {
    if (bb_quality_has_value(quality[i])) quality[i] = (uint8_t)(BB_QUALITY_STALE | cause);
  }
  scan->stale = true;
  latest->time_ns = bb_clock_utc_ns(&runtime->clock);
  latest->mono_ns = bb_clock_mono_ns(&runtime->clock);
  latest->flags |= BB_BATCH_REPEAT;
  bb_runtime_stamp(runtime, latest);
  hand_on(scan, latest);
}

void bb_station_announce_stale(bb_station *station) {
  for (uint32_t i = 0; i < station->n_scans; i++) {
    bb_station_scan *scan = &station->scans[i];
    if (scan->has_latest && !scan->stale) announce(scan);
  }
}

void bb_station_poll(bb_station_scan *scan, uint64_t now_ns) {
  bb_station *station = scan->station;
  if (scan->polling) {
    scan->counters.skipped++;
    return;
  }
  scan->polling = true;
  scan->started_ns = now_ns;
  scan->counters.polls++;
  uint32_t place = (uint32_t)(scan - station->scans);
  if (station->config->connection->driver->poll(station->attachment, place) < 0) {
    scan->polling = false;
    scan->counters.failed++;
  }
}
