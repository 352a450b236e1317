/* SPDX-License-Identifier: Apache-2.0 */
/* Which scan goes to which sinks, through which stream; see runtime.h and feed.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/apply.h"
#include "runtime/runtime.h"

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

/* "hist+bus": the sinks in the order of their places, so that one set has one name. */
static const char *stream_name(const bb_runtime *runtime, uint64_t sinks, char *out, size_t cap) {
  size_t len = 0;
  for (uint32_t place = 0; place < BB_MAX_SINKS; place++) {
    if (!(sinks >> place & 1)) continue;
    const char *id = runtime->places[place]->id;
    size_t more = strlen(id);
    if (len + more + 2 > cap) break;
    if (len > 0) out[len++] = '+';
    memcpy(out + len, id, more);
    len += more;
  }
  out[len] = 0;
  return out;
}

static bb_stream *stream_of(bb_runtime *runtime, uint64_t sinks) {
  char name[MAX_STREAM_NAME];
  stream_name(runtime, sinks, name, sizeof(name));
  bb_stream *stream = bb_map_get(&runtime->streams, name);
  if (stream != NULL) return stream;
  stream = bb_stream_open(&runtime->queue, name);
  if (stream == NULL) return NULL;
  if (bb_map_add(&runtime->streams, stream->name, stream) < 0) {
    bb_stream_close(stream);
    return NULL;
  }
  return stream;
}

static bb_feed *same_feed(const bb_station_scan *scan, const bb_config_route *route) {
  for (bb_feed *feed = scan->feeds; feed != NULL; feed = feed->next) {
    if (bb_feed_same(feed->route, route)) return feed;
  }
  return NULL;
}

/* Routes that ask for the same reporting share a feed, and so a stream and its bytes. */
static int add_route(bb_runtime *runtime, bb_station_scan *scan, const bb_config_route *route) {
  bb_outlet *outlet = bb_runtime_outlet(runtime, route->sink->id);
  if (outlet == NULL || outlet->closing) return 0;
  if (!bb_config_route_takes(route, scan->station->id, scan->scan->name)) return 0;
  bb_feed *feed = same_feed(scan, route);
  if (feed == NULL) {
    bool none;
    feed = bb_feed_new(runtime->config, route, scan->shape, &none);
    if (feed == NULL) return none ? 0 : BB_ERR_NOMEM;
    feed->next = scan->feeds;
    scan->feeds = feed;
  }
  feed->sinks |= 1ull << outlet->place;
  return 0;
}

static void announce(bb_runtime *runtime, bb_station_scan *scan, const bb_feed *feed,
                     const bb_shape *shape) {
  for (uint32_t place = 0; place < BB_MAX_SINKS; place++) {
    bb_outlet *outlet = runtime->places[place];
    if (!(feed->sinks >> place & 1) || outlet == NULL || outlet->closing) continue;
    if (outlet->config->kind->shape == NULL) continue;
    const bb_device *device = scan->station->config->device;
    if (outlet->config->kind->shape(outlet->sink, device, scan->scan->name, shape) < 0) {
      bb_log_error(runtime->log, outlet->id, "%s, scan %s: out of memory; it is not sent",
                   scan->station->id, scan->scan->name);
    }
    /* A sink that joins later learns how the device is, too. */
    bool known = shape != NULL && scan->station->known;
    if (known && outlet->config->kind->device != NULL) {
      outlet->config->kind->device(outlet->sink, device, scan->station->up);
    }
  }
}

static int join(bb_runtime *runtime, bb_feed *feed) {
  feed->stream = stream_of(runtime, feed->sinks);
  if (feed->stream == NULL) return BB_ERR_NOMEM;
  for (uint32_t place = 0; place < BB_MAX_SINKS; place++) {
    if (!(feed->sinks >> place & 1)) continue;
    int err = bb_outlet_join(runtime->places[place], feed->stream);
    if (err < 0) {
      feed->stream = NULL; /* it may have no reader, and go */
      return err;
    }
  }
  return 0;
}

int bb_runtime_route(bb_runtime *runtime, bb_station_scan *scan) {
  int result = 0;
  if (runtime->config == NULL || scan->shape == NULL) return 0;
  for (uint32_t i = 0; i < runtime->config->n_routes; i++) {
    int err = add_route(runtime, scan, &runtime->config->routes[i]);
    if (err < 0) result = err;
  }
  for (bb_feed *feed = scan->feeds; feed != NULL; feed = feed->next) {
    int err = join(runtime, feed);
    if (err < 0) result = err;
    announce(runtime, scan, feed, feed->shape);
  }
  for (bb_list *node = runtime->watches.next; node != &runtime->watches;) {
    bb_watch *watch = BB_LIST_ITEM(node, bb_watch, link);
    node = node->next;
    if (watch->on_shape != NULL) watch->on_shape(watch, scan);
  }
  return result;
}

void bb_runtime_unroute(bb_runtime *runtime, bb_station_scan *scan) {
  while (scan->feeds != NULL) {
    bb_feed *feed = scan->feeds;
    scan->feeds = feed->next;
    announce(runtime, scan, feed, NULL);
    bb_feed_free(feed);
  }
}

void bb_runtime_deliver(bb_runtime *runtime, bb_feed *feed, const bb_batch *batch) {
  if (feed->stream == NULL || bb_list_empty(&feed->stream->readers)) return;
  if (bb_stream_append(feed->stream, batch) < 0) {
    for (uint32_t place = 0; place < BB_MAX_SINKS; place++) {
      bb_outlet *outlet = runtime->places[place];
      if ((feed->sinks >> place & 1) && outlet != NULL) outlet->counters.dropped++;
    }
    return;
  }
  runtime->wake_set |= feed->sinks;
}

/* Streams that no sink reads any more, and shapes that no scan has, go. */
void bb_runtime_tidy(bb_runtime *runtime) {
  for (size_t i = 0; i < runtime->streams.cap;) {
    bb_stream *stream = runtime->streams.entries[i].value;
    if (runtime->streams.entries[i].key == NULL || !bb_list_empty(&stream->readers)) {
      i++;
      continue;
    }
    /* Others may move into the place that is freed, so it is looked at again. */
    bb_map_remove(&runtime->streams, stream->name);
    bb_stream_close(stream);
  }
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
