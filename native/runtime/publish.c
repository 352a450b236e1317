/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a batch from its scan to feeds and watches; see station.h. */
#include <string.h>

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
  for (bb_feed *feed = scan->feeds; feed != NULL; feed = feed->next) {
    bb_batch out;
    if (bb_feed_report(feed, batch, &out)) bb_runtime_deliver(runtime, feed, &out);
  }
  for (bb_list *node = runtime->watches.next; node != &runtime->watches;) {
    bb_watch *watch = BB_LIST_ITEM(node, bb_watch, link);
    node = node->next;
    if (watch->on_batch != NULL) watch->on_batch(watch, scan, batch);
  }
}

/* True if the batch tells nothing but that the device cannot be reached, which is announced once. */
static bool is_loss(const bb_batch *batch) {
  for (uint16_t i = 0; i < batch->shape->n_points; i++) {
    uint8_t cause = batch->quality[i] & BB_CAUSE_MASK;
    if (bb_quality_class(batch->quality[i]) != BB_QUALITY_BAD) return false;
    if (cause != BB_CAUSE_NO_ANSWER && cause != BB_CAUSE_NOT_CONNECTED &&
        cause != BB_CAUSE_GATEWAY && cause != BB_CAUSE_NOT_READ) {
      return false;
    }
  }
  return true;
}

/* The first answer ever makes a device known to be there. */
static void note_answer(bb_station *station, const bb_batch *batch) {
  station->heard_ns = batch->time_ns;
  if (station->known) return;
  station->known = station->up = true;
  station->since_ns = batch->time_ns;
  bb_runtime_station_changed(station->runtime, station);
}

void bb_station_publish(bb_station_scan *scan, bb_batch *batch) {
  bb_station *station = scan->station;
  bb_runtime *runtime = station->runtime;
  count(scan, batch);
  if (is_loss(batch) && scan->has_latest) {
    bb_station_announce_stale(station);
    return;
  }
  batch->seq = ++runtime->seq;
  if (!runtime->clock_set) batch->flags |= BB_BATCH_CLOCK_UNSET;
  if (bb_batch_good(batch) > 0) note_answer(station, batch);
  scan->stale = is_loss(batch); /* no value that could become stale */
  scan->latest = *batch;
  scan->has_latest = true;
  scan->filling ^= 1;
  hand_on(scan, batch);
}

static void announce(bb_station_scan *scan) {
  bb_runtime *runtime = scan->station->runtime;
  bb_batch *latest = &scan->latest;
  uint8_t *quality = (uint8_t *)latest->quality; /* the scan's own buffer */
  for (uint16_t i = 0; i < latest->shape->n_points; i++) {
    if (bb_quality_has_value(quality[i])) quality[i] = BB_QUALITY_STALE | BB_CAUSE_NO_ANSWER;
  }
  scan->stale = true;
  latest->seq = ++runtime->seq;
  latest->time_ns = bb_clock_utc_ns(&runtime->clock);
  latest->mono_ns = bb_clock_mono_ns(&runtime->clock);
  latest->flags |= BB_BATCH_REPEAT;
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
