/* SPDX-License-Identifier: Apache-2.0 */
/* See feed.h. */
#include "runtime/feed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/feed_aggregate.h"

/* A mean needs room for fractions; the other aggregates keep the point's type. */
static bb_type out_type(const bb_config_route *route, bb_type type) {
  bool mean = route->aggregate == BB_AGGREGATE_MEAN && bb_type_is_integer(type);
  return mean ? BB_TYPE_F64 : type;
}

static bb_point out_point(const bb_config_route *route, const bb_point *point) {
  bb_point out = *point;
  out.type = out_type(route, point->type);
  if (out.type != point->type) out.size = (uint16_t)bb_type_size(out.type);
  return out;
}

/* Which of the source's points are reported; the number of them. */
static uint16_t choose(const bb_config_route *route, const bb_shape *source, uint16_t *map) {
  uint16_t n = 0;
  for (uint16_t i = 0; i < source->n_points; i++) {
    if (bb_config_matches(route->points, source->points[i].name)) map[n++] = i;
  }
  return n;
}

static bb_shape *make_shape(const bb_config_route *route, const bb_shape *source,
                            const uint16_t *map, uint16_t n) {
  bb_point *points = calloc(n, sizeof(*points));
  const bb_point **list = calloc(n, sizeof(*list));
  bb_shape *shape = NULL;
  if (points != NULL && list != NULL) {
    for (uint16_t i = 0; i < n; i++) {
      points[i] = out_point(route, &source->points[map[i]]);
      list[i] = &points[i];
    }
    shape = bb_shape_new(source->scan, list, n);
  }
  free(list);
  free(points);
  return shape;
}

static int allocate(bb_feed *feed) {
  size_t n = feed->shape->n_points, bytes = feed->shape->value_bytes;
  bool aggregate = feed->route->aggregate != BB_AGGREGATE_NONE;
  bool mean = feed->route->aggregate == BB_AGGREGATE_MEAN;
  feed->quality = malloc(n);
  feed->codes = malloc(n);
  feed->values = malloc(bytes + 1);
  feed->last_quality = malloc(n);
  feed->last_values = malloc(bytes + 1);
  if (feed->last_quality != NULL) memset(feed->last_quality, BB_QUALITY_ABSENT, n);
  feed->sums = mean ? calloc(n, sizeof(double)) : NULL;
  feed->kept = aggregate ? malloc(bytes + 1) : NULL;
  feed->counts = aggregate ? calloc(n, sizeof(uint32_t)) : NULL;
  bool whole = feed->quality != NULL && feed->codes != NULL && feed->values != NULL &&
               feed->last_quality != NULL && feed->last_values != NULL;
  if (aggregate) whole = whole && feed->kept != NULL && feed->counts != NULL;
  if (mean) whole = whole && feed->sums != NULL;
  return whole ? 0 : -1;
}

static bool is_plain(const bb_config_route *route) {
  return route->points == NULL && route->report == BB_REPORT_ALL &&
         route->aggregate == BB_AGGREGATE_NONE;
}

bb_feed *bb_feed_new(bb_config *owner, const bb_config_route *route, const bb_shape *source,
                     bool *none) {
  *none = false;
  bb_feed *feed = calloc(1, sizeof(*feed));
  uint16_t *map = calloc((size_t)source->n_points + 1, sizeof(*map));
  if (feed == NULL || map == NULL) goto fail;
  feed->route = route;
  feed->owner = bb_config_ref(owner);
  feed->fresh = true;
  uint16_t n = choose(route, source, map);
  *none = n == 0;
  if (n == 0) goto fail;
  bool whole = n == source->n_points;
  if (whole && route->aggregate == BB_AGGREGATE_NONE) {
    feed->shape = bb_shape_ref(source);
    free(map);
    map = NULL;
  } else {
    feed->shape = make_shape(route, source, map, n);
    feed->map = map;
    map = NULL;
  }
  if (feed->shape == NULL) goto fail;
  if (!(is_plain(route) && feed->map == NULL) && allocate(feed) < 0) goto fail;
  return feed;
fail:
  free(map);
  if (feed != NULL) bb_feed_free(feed);
  return NULL;
}

void bb_feed_free(bb_feed *feed) {
  bb_config_unref(feed->owner);
  bb_shape_unref(feed->shape);
  free(feed->map);
  free(feed->quality);
  free(feed->codes);
  free(feed->values);
  free(feed->last_quality);
  free(feed->last_values);
  free(feed->sums);
  free(feed->kept);
  free(feed->counts);
  free(feed);
}

void bb_feed_adopt(bb_feed *feed, bb_config *owner, const bb_config_route *route) {
  bb_config *old = feed->owner;
  feed->owner = bb_config_ref(owner);
  feed->route = route;
  bb_config_unref(old);
}

void bb_feed_refresh(bb_feed *feed) {
  feed->fresh = true;
}

/* The chosen points of the batch, in the feed's own memory and shape. */
static void pick(bb_feed *feed, const bb_batch *batch) {
  const bb_shape *out = feed->shape;
  for (uint16_t i = 0; i < out->n_points; i++) {
    uint16_t from = bb_feed_source(feed, i);
    uint8_t *slot = feed->values + out->offsets[i];
    feed->quality[i] = batch->quality[from];
    feed->codes[i] = batch->codes != NULL ? batch->codes[from] : 0;
    if (out->points[i].type == batch->shape->points[from].type) {
      memcpy(slot, batch->values + batch->shape->offsets[from], out->points[i].size);
    } else if (bb_quality_has_value(feed->quality[i])) {
      bb_value value = {.type = BB_TYPE_F64, .v.d = bb_value_double(bb_batch_value(batch, from))};
      bb_value_store(value, slot, out->points[i].size);
    }
  }
}

static bool changed(const bb_feed *feed, uint16_t i) {
  const bb_point *point = &feed->shape->points[i];
  const uint8_t *now = feed->values + feed->shape->offsets[i];
  const uint8_t *last = feed->last_values + feed->shape->offsets[i];
  if (feed->quality[i] == BB_QUALITY_ABSENT) return false;
  if (feed->quality[i] != feed->last_quality[i]) return true;
  if (!bb_quality_has_value(feed->quality[i])) return false;
  if (point->type == BB_TYPE_TEXT) return memcmp(now, last, 1u + now[0]) != 0;
  if (memcmp(now, last, point->size) == 0) return false;
  if (point->deadband <= 0) return true;
  double difference = bb_value_double(bb_value_load(point->type, now)) -
                      bb_value_double(bb_value_load(point->type, last));
  return !(fabs(difference) <= point->deadband);
}

/* Marks what has not changed since it was reported as absent. False if nothing has. */
static bool keep_changes(bb_feed *feed) {
  bool any = false;
  for (uint16_t i = 0; i < feed->shape->n_points; i++) {
    if (changed(feed, i)) {
      any = true;
    } else {
      feed->quality[i] = BB_QUALITY_ABSENT;
    }
  }
  return any;
}

static void remember(bb_feed *feed) {
  const bb_shape *shape = feed->shape;
  for (uint16_t i = 0; i < shape->n_points; i++) {
    if (feed->quality[i] == BB_QUALITY_ABSENT) continue;
    feed->last_quality[i] = feed->quality[i];
    memcpy(feed->last_values + shape->offsets[i], feed->values + shape->offsets[i],
           shape->points[i].size);
  }
}

/* Whether the running period of `every` ends with this batch. Periods are whole ones, so that all
 * devices' means cover the same minute. */
static bool period_over(bb_feed *feed, uint64_t now_ns) {
  uint64_t period = (uint64_t)feed->route->every_ms * BB_NS_PER_MS;
  if (period == 0) return true;
  bool first = feed->window_ns == 0;
  if (!first && now_ns < feed->window_ns) return false;
  feed->window_ns = now_ns / period * period + period;
  return !first || feed->route->aggregate == BB_AGGREGATE_NONE;
}

static bool heartbeat_due(const bb_feed *feed, uint64_t now_ns) {
  uint64_t heartbeat = (uint64_t)feed->route->heartbeat_ms * BB_NS_PER_MS;
  return heartbeat > 0 && now_ns >= feed->reported_ns + heartbeat;
}

static void show(bb_feed *feed, const bb_batch *batch, bb_batch *out) {
  *out = *batch;
  if (feed->values == NULL) return;
  out->shape = feed->shape;
  out->quality = feed->quality;
  out->values = feed->values;
  if (batch->codes != NULL) out->codes = feed->codes;
}

/* Leaves in the feed's memory what is to be reported of it, if anything. */
static bool pick_reported(bb_feed *feed, const bb_batch *batch, bool *repeat) {
  if (feed->route->report != BB_REPORT_CHANGES) return true;
  bool whole = feed->fresh;
  if (!whole) *repeat = whole = heartbeat_due(feed, batch->mono_ns);
  if (!whole && !keep_changes(feed)) return false;
  remember(feed);
  return true;
}

/* Back after a loss: a period that ended meanwhile is over without a report, for its mean would be
 * told as one of now. */
static void come_back(bb_feed *feed, uint64_t now_ns) {
  feed->lost = false;
  if (feed->counts == NULL || now_ns < feed->window_ns) return;
  feed->window_ns = 0;
  memset(feed->counts, 0, feed->shape->n_points * sizeof(uint32_t));
}

bool bb_feed_report(bb_feed *feed, const bb_batch *batch, bb_batch *out) {
  bool loss = (batch->flags & BB_BATCH_REPEAT) != 0; /* old values, marked stale: told at once */
  bool aggregate = feed->counts != NULL, repeat = false;
  if (!loss && feed->lost) come_back(feed, batch->mono_ns);
  feed->lost = loss;
  bool reports = loss || period_over(feed, batch->mono_ns);
  if (reports && feed->values != NULL) {
    pick(feed, batch);
    if (aggregate && !loss) bb_feed_conclude(feed);
    reports = pick_reported(feed, batch, &repeat);
  }
  /* The batch that ends a period is the first of the next one. */
  if (aggregate && !loss) bb_feed_gather(feed, batch);
  if (!reports) return false;
  feed->fresh = false;
  feed->reported_ns = batch->mono_ns;
  show(feed, batch, out);
  if (repeat) out->flags |= BB_BATCH_REPEAT;
  return true;
}

void bb_feed_view(bb_feed *feed, const bb_batch *batch, bb_batch *out) {
  if (feed->values != NULL) pick(feed, batch);
  show(feed, batch, out);
}

bool bb_feed_same(const bb_config_route *a, const bb_config_route *b) {
  return a->report == b->report && a->heartbeat_ms == b->heartbeat_ms &&
         a->every_ms == b->every_ms && a->aggregate == b->aggregate &&
         bb_doc_equal(a->points, b->points);
}
