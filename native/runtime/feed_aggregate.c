/* SPDX-License-Identifier: Apache-2.0 */
/* See feed_aggregate.h. */
#include "runtime/feed_aggregate.h"

#include <string.h>

/* Whether the mean of the point is one of numbers; else it is the last value. */
static bool is_summed(const bb_feed *feed, bb_type type) {
  return feed->sums != NULL && type != BB_TYPE_TEXT && type != BB_TYPE_BOOL;
}

/* Whether a smallest or largest value, the one so far, stays in place of a new one. */
static bool stays(const bb_feed *feed, bb_value now, bb_value kept) {
  int order;
  if (now.type == BB_TYPE_TEXT || now.type == BB_TYPE_BOOL) return false;
  order = bb_value_compare(now, kept);
  if (feed->route->aggregate == BB_AGGREGATE_MIN) return order >= 0;
  if (feed->route->aggregate == BB_AGGREGATE_MAX) return order <= 0;
  return false;
}

static void gather_point(bb_feed *feed, uint16_t i, const bb_batch *batch, uint16_t from) {
  const bb_point *point = &batch->shape->points[from];
  const uint8_t *slot = batch->values + batch->shape->offsets[from];
  uint8_t *kept = feed->kept + feed->shape->offsets[i];
  bool first = feed->counts[i]++ == 0;
  bb_value now = bb_value_load(point->type, slot);
  if (is_summed(feed, point->type)) {
    feed->sums[i] = (first ? 0 : feed->sums[i]) + bb_value_double(now);
  } else if (first || !stays(feed, now, bb_value_load(point->type, kept))) {
    memcpy(kept, slot, point->size);
  }
}

void bb_feed_gather(bb_feed *feed, const bb_batch *batch) {
  for (uint16_t i = 0; i < feed->shape->n_points; i++) {
    uint16_t from = bb_feed_source(feed, i);
    if (bb_quality_class(batch->quality[from]) != BB_QUALITY_GOOD) continue;
    gather_point(feed, i, batch, from);
  }
}

void bb_feed_conclude(bb_feed *feed) {
  const bb_shape *shape = feed->shape;
  for (uint16_t i = 0; i < shape->n_points; i++) {
    const bb_point *point = &shape->points[i];
    uint8_t *slot = feed->values + shape->offsets[i];
    uint32_t count = feed->counts[i];
    feed->counts[i] = 0;
    if (count == 0) continue;
    if (is_summed(feed, point->type)) {
      bb_value value, mean = {.type = BB_TYPE_F64, .v.d = feed->sums[i] / count};
      if (bb_value_convert(mean, point->type, &value) < 0) continue;
      bb_value_store(value, slot, point->size);
    } else {
      memcpy(slot, feed->kept + shape->offsets[i], point->size);
    }
    feed->quality[i] = BB_QUALITY_GOOD;
    feed->codes[i] = 0;
  }
}
