/* SPDX-License-Identifier: Apache-2.0 */
/* Which scan goes to which sinks, through which stream; see runtime.h and feed.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "model/frame.h"
#include "runtime/apply.h"
#include "runtime/past.h"
#include "runtime/runtime.h"
#include "runtime/wait.h"

#define MAX_STREAM_NAME (BB_MAX_SINKS * (BB_MAX_ID + 1) + 1)

bb_shape *bb_runtime_intern(bb_runtime *runtime, bb_shape *shape) {
  if (shape == NULL) return NULL;
  for (uint32_t i = 0; i < runtime->n_shapes; i++) {
    if (runtime->shapes[i]->hash != shape->hash) continue;
    bb_shape_unref(shape);
    return bb_shape_ref(runtime->shapes[i]);
  }
  bb_shape **shapes = realloc(runtime->shapes, (runtime->n_shapes + 1) * sizeof(*shapes));
  if (shapes == NULL) return shape;
  runtime->shapes = shapes;
  shapes[runtime->n_shapes++] = bb_shape_ref(shape);
  return shape;
}

static int compare_ids(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "bus+hist": the ids of the sinks in their order, so that one set has one name in every run. */
static const char *stream_name(const bb_runtime *runtime, uint64_t sinks, char *out, size_t cap) {
  const char *ids[BB_MAX_SINKS];
  uint32_t n = 0;
  size_t len = 0;
  for (uint32_t place = 0; place < BB_MAX_SINKS; place++) {
    if (sinks >> place & 1) ids[n++] = runtime->places[place]->id;
  }
  qsort(ids, n, sizeof(*ids), compare_ids);
  for (uint32_t i = 0; i < n; i++) {
    const char *id = ids[i];
    size_t more = strlen(id);
    if (len + more + 2 > cap) break;
    if (len > 0) out[len++] = '+';
    memcpy(out + len, id, more);
    len += more;
  }
  out[len] = 0;
  return out;
}

bb_stream *bb_runtime_stream_named(bb_runtime *runtime, const char *name, bb_store_class class) {
  bb_stream *stream = bb_map_get(&runtime->streams[class], name);
  if (stream != NULL) return stream;
  stream = bb_stream_open(&runtime->queue, name, class);
  if (stream == NULL) return NULL;
  if (bb_map_add(&runtime->streams[class], stream->name, stream) < 0) {
    bb_stream_close(stream);
    return NULL;
  }
  return stream;
}

bb_stream *bb_runtime_stream(bb_runtime *runtime, uint64_t sinks, bb_store_class class) {
  char name[MAX_STREAM_NAME];
  return bb_runtime_stream_named(runtime, stream_name(runtime, sinks, name, sizeof(name)), class);
}

static bb_feed *same_feed(const bb_station_scan *scan, const bb_config_route *route) {
  for (bb_feed *feed = scan->feeds; feed != NULL; feed = feed->next) {
    if (bb_feed_same(feed->route, route)) return feed;
  }
  return NULL;
}

static bb_feed *new_feed(bb_runtime *runtime, bb_station_scan *scan, const bb_config_route *route,
                         bool *none) {
  bb_feed *feed = bb_feed_new(runtime->config, route, scan->shape, none);
  if (feed == NULL) return NULL;
  feed->shape = bb_runtime_intern(runtime, feed->shape);
  feed->next = scan->feeds;
  scan->feeds = feed;
  return feed;
}

/* Routes that ask for the same reporting share a feed, and so a stream and its bytes. A feed of the
 * former config goes on. */
static int add_route(bb_runtime *runtime, bb_station_scan *scan, const bb_config_route *route) {
  bool none = false;
  bb_outlet *outlet = bb_runtime_outlet(runtime, route->sink->id);
  if (outlet == NULL || outlet->closing) return 0;
  if (!bb_config_route_takes(route, scan->station->id, scan->scan->name)) return 0;
  bb_feed *feed = same_feed(scan, route);
  if (feed == NULL) {
    feed = new_feed(runtime, scan, route, &none);
    if (feed == NULL) return none ? 0 : BB_ERR_NOMEM;
  } else if (feed->owner != runtime->config) {
    bb_feed_adopt(feed, runtime->config, route);
  }
  feed->sinks |= 1ull << outlet->place;
  return 0;
}

/* Whether the sink at that place is sent the shape by another feed of the scan, or was told of it. */
static bool has_other(const bb_station_scan *scan, const bb_feed *feed, uint64_t bit, bool told) {
  for (const bb_feed *other = scan->feeds; other != NULL; other = other->next) {
    if (other == feed || other->shape->hash != feed->shape->hash) continue;
    if ((told ? other->told : other->sinks) & bit) return true;
  }
  return false;
}

static void announce_to(bb_runtime *runtime, const bb_station_scan *scan, const bb_feed *feed,
                        bb_outlet *outlet) {
  const bb_sink_kind *kind = outlet->config->kind;
  const bb_device *device = scan->station->config->device;
  if (kind->shape != NULL && !bb_past_adopt(outlet, device, feed->shape) &&
      kind->shape(outlet->sink, device, feed->shape) < 0) {
    bb_log_error(runtime->log, outlet->id, "%s, scan %s: out of memory; it is not sent",
                 scan->station->id, scan->scan->name);
  }
  /* A sink that joins later learns how the device is, too. */
  if (kind->device != NULL && scan->station->known) {
    kind->device(outlet->sink, device, scan->station->up);
  }
}

/* Tells the feed's sinks of its shape, those that do not know it. */
static void announce(bb_runtime *runtime, bb_station_scan *scan, bb_feed *feed) {
  uint64_t news = feed->sinks & ~feed->told;
  for (uint32_t place = 0; news >> place != 0 && place < BB_MAX_SINKS; place++) {
    bb_outlet *outlet = runtime->places[place];
    uint64_t bit = 1ull << place;
    if (!(news & bit) || outlet == NULL) continue;
    if (!has_other(scan, feed, bit, true)) announce_to(runtime, scan, feed, outlet);
    feed->told |= bit;
    bb_feed_refresh(feed);
  }
}

/* Tells the sinks that the feed left that its shape is gone, unless another one brings it. */
static void take_back(bb_runtime *runtime, bb_station_scan *scan, bb_feed *feed) {
  uint64_t left = feed->told & ~feed->sinks;
  feed->told &= feed->sinks;
  for (uint32_t place = 0; left >> place != 0 && place < BB_MAX_SINKS; place++) {
    bb_outlet *outlet = runtime->places[place];
    uint64_t bit = 1ull << place;
    if (!(left & bit) || outlet == NULL || outlet->closing) continue;
    const bb_sink_kind *kind = outlet->config->kind;
    if (kind->shape_gone == NULL || has_other(scan, feed, bit, false)) continue;
    if (has_other(scan, feed, bit, true)) continue; /* the last one that goes says it */
    if (bb_past_give_back(outlet, scan->station->config->device, feed->shape)) continue;
    kind->shape_gone(outlet->sink, scan->station->config->device, feed->shape);
  }
}

bb_stream *bb_runtime_join(bb_runtime *runtime, uint64_t sinks, bb_store_class class) {
  bb_stream *stream = bb_runtime_stream(runtime, sinks, class);
  for (uint32_t place = 0; stream != NULL && place < BB_MAX_SINKS; place++) {
    if (!(sinks >> place & 1)) continue;
    /* Else it may have no reader, and go. */
    if (bb_outlet_join(runtime->places[place], stream) < 0) stream = NULL;
  }
  return stream;
}

/* Takes out the feeds that no sink wants. */
static void prune(bb_runtime *runtime, bb_station_scan *scan) {
  for (bb_feed *feed = scan->feeds; feed != NULL; feed = feed->next) {
    take_back(runtime, scan, feed);
  }
  for (bb_feed **at = &scan->feeds; *at != NULL;) {
    bb_feed *feed = *at;
    if (feed->sinks != 0) {
      at = &feed->next;
      continue;
    }
    *at = feed->next;
    bb_feed_free(feed);
  }
}

int bb_runtime_route(bb_runtime *runtime, bb_station_scan *scan) {
  int result = 0;
  if (runtime->config == NULL || scan->shape == NULL) return 0;
  for (bb_feed *feed = scan->feeds; feed != NULL; feed = feed->next) feed->sinks = 0;
  for (uint32_t i = 0; i < runtime->config->n_routes; i++) {
    int err = add_route(runtime, scan, &runtime->config->routes[i]);
    if (err < 0) result = err;
  }
  for (bb_feed *feed = scan->feeds; feed != NULL; feed = feed->next) {
    if (feed->sinks == 0) continue;
    feed->stream = bb_runtime_join(runtime, feed->sinks, BB_STORE_TELEMETRY);
    if (feed->stream == NULL) result = BB_ERR_NOMEM;
    announce(runtime, scan, feed);
  }
  prune(runtime, scan);
  return result;
}

void bb_runtime_unroute(bb_runtime *runtime, bb_station_scan *scan) {
  for (bb_feed *feed = scan->feeds; feed != NULL; feed = feed->next) feed->sinks = 0;
  prune(runtime, scan);
}

void bb_runtime_forget_place(bb_runtime *runtime, uint32_t place) {
  uint64_t others = ~(1ull << place);
  runtime->places[place] = NULL;
  for (size_t i = 0; i < runtime->stations.cap; i++) {
    bb_station *station = runtime->stations.entries[i].value;
    if (runtime->stations.entries[i].key == NULL) continue;
    station->event_sinks &= others;
    for (uint32_t s = 0; s < station->n_scans; s++) {
      for (bb_feed *feed = station->scans[s].feeds; feed != NULL; feed = feed->next) {
        feed->sinks &= others;
        feed->told &= others;
      }
    }
  }
}

void bb_runtime_stamp(bb_runtime *runtime, bb_batch *batch) {
  batch->seq = ++runtime->seq;
  if (!runtime->clock_set) batch->flags |= BB_BATCH_CLOCK_UNSET;
}

int bb_runtime_append(bb_runtime *runtime, bb_stream *stream, uint64_t sinks,
                      const bb_batch *batch) {
  int err = bb_stream_append(stream, batch);
  if (err >= 0) {
    runtime->wake_set |= sinks;
    bb_save_appended(&runtime->save, (uint32_t)bb_frame_batch_bytes(batch));
    return err;
  }
  for (uint32_t place = 0; place < BB_MAX_SINKS; place++) {
    bb_outlet *outlet = runtime->places[place];
    if ((sinks >> place & 1) && outlet != NULL) outlet->counters.dropped++;
  }
  return err;
}

/* The log tells of the first batch that does not fit. */
static void note_oversized(bb_runtime *runtime, bb_feed *feed, const bb_batch *batch) {
  char most[32];
  if (feed->oversized) return;
  feed->oversized = true;
  bb_log_error(runtime->log, batch->device->id,
               "scan %s: a batch of %u points is larger than the %s that can be queued and is "
               "dropped; divide its points between several scans",
               batch->shape->scan, batch->shape->n_points,
               bb_text_show_bytes(most, sizeof(most), BB_CHUNK_BYTES));
}

void bb_runtime_deliver(bb_runtime *runtime, bb_feed *feed, const bb_batch *batch) {
  if (feed->stream == NULL || bb_list_empty(&feed->stream->readers)) return;
  int err = bb_runtime_append(runtime, feed->stream, feed->sinks, batch);
  if (err == BB_ERR_LIMIT) note_oversized(runtime, feed, batch);
}

static void tidy_streams(bb_runtime *runtime, bb_map *streams) {
  for (size_t i = 0; i < streams->cap;) {
    bb_stream *stream = streams->entries[i].value;
    if (streams->entries[i].key == NULL || !bb_list_empty(&stream->readers) ||
        !bb_save_forget_stream(&runtime->save, stream)) {
      i++;
      continue;
    }
    /* Others may move into the place that is freed, so it is looked at again. */
    bb_map_remove(streams, stream->name);
    bb_waits_lost(runtime, stream, 0, stream->next, BB_DROP_ROOM);
    bb_stream_close(stream);
  }
}

/* Streams that no sink reads any more, and shapes that no scan has, go. */
void bb_runtime_tidy(bb_runtime *runtime) {
  /* While sinks are exchanged, feeds may name a stream that is to go. */
  if (runtime->stop_step == 0 && (runtime->next != NULL || runtime->outlet_closed)) return;
  runtime->untidy = false;
  for (size_t i = 0; i < BB_STORE_CLASSES; i++) tidy_streams(runtime, &runtime->streams[i]);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < runtime->n_shapes; i++) {
    bb_shape *shape = runtime->shapes[i];
    if (shape->refs > 1) {
      runtime->shapes[kept++] = shape;
    } else {
      bb_shape_unref(shape);
    }
  }
  runtime->n_shapes = kept;
}
