/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two devices on one topic of a broker: subscribers cannot tell them apart, and of a retained message
 * only the last one is left. Found over all MQTT sinks; the sink alone does not know of the others.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "runtime/config_read.h"
#include "sinks/mqtt/mqtt.h"
#include "sinks/mqtt/options.h"
#include "sinks/mqtt/topic.h"

#define MAX_USES (4u << 20) /* what lies past them is not looked at */

/* A device is published on a topic. The topic is known by its hash and its broker's. */
typedef struct {
  uint64_t hash;
  uint32_t device;
  uint16_t sink, scan;
} use;

typedef struct {
  bb_config_reader *reader;
  use *uses;
  size_t n, cap;
  uint16_t sink, scan;
  uint64_t broker;
  bb_topic topic;
  bb_buf text, whole;
} finder;

/* What is told of a sink: the first device that has the topic of another one. */
typedef struct {
  bool found, more;
  use second;
  uint32_t first; /* the device that has it too */
} clash;

static void add(finder *f, uint32_t device, const char *topic) {
  if (f->n == f->cap) {
    size_t cap = f->cap > 0 ? f->cap * 2 : 256;
    use *uses = cap <= MAX_USES ? realloc(f->uses, cap * sizeof(*uses)) : NULL;
    if (uses == NULL) {
      if (cap <= MAX_USES) f->reader->no_memory = true;
      return;
    }
    f->uses = uses;
    f->cap = cap;
  }
  f->uses[f->n++] = (use){bb_hash_string(f->broker, topic), device, f->sink, f->scan};
}

static void add_points(finder *f, uint32_t place, const bb_scan *scan,
                       const bb_config_route *route) {
  const bb_config_device *device = &f->reader->config->devices[place];
  for (uint16_t i = 0; device->profile != NULL && i < scan->n_points; i++) {
    const char *name = device->profile->points[scan->points[i]].point.name;
    if (!bb_config_matches(route->points, name)) continue;
    bb_buf_clear(&f->whole);
    if (bb_topic_point(bb_buf_string(&f->text), name, &f->whole) == 0) {
      add(f, place, bb_buf_string(&f->whole));
    }
  }
}

static void add_route(finder *f, const bb_config_route *route) {
  const bb_config *config = f->reader->config;
  for (uint32_t i = 0; i < config->n_devices; i++) {
    const bb_config_device *device = &config->devices[i];
    for (uint32_t k = 0; device->enabled && k < device->n_scans; k++) {
      if (!bb_config_feeds(route, device, &device->scans[k])) continue;
      bb_buf_clear(&f->text);
      f->scan = (uint16_t)k;
      if (bb_topic_render(&f->topic, device->device, device->scans[k].name, &f->text) < 0) continue;
      if (f->topic.has_point) {
        add_points(f, i, &device->scans[k], route);
      } else {
        add(f, i, bb_buf_string(&f->text));
      }
    }
  }
}

static void add_sink(finder *f, uint32_t place) {
  const bb_config *config = f->reader->config;
  const bb_config_sink *sink = &config->sinks[place];
  bb_mqtt_options options;
  if (!sink->enabled || sink->kind != &bb_sink_mqtt) return;
  bb_mqtt_options_read(&options, sink->options);
  if (bb_topic_compile(&f->topic, options.topic) < 0) return;
  f->sink = (uint16_t)place;
  f->broker = bb_hash_string(BB_HASH_START, options.broker.host);
  f->broker = bb_hash_add(f->broker, &options.broker.port, sizeof(options.broker.port));
  for (uint32_t i = 0; i < config->n_routes; i++) {
    if (config->routes[i].sink == sink) add_route(f, &config->routes[i]);
  }
}

static int by_topic(const void *a, const void *b) {
  const use *x = a, *y = b;
  if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
  if (x->device != y->device) return x->device < y->device ? -1 : 1;
  return x->sink != y->sink ? x->sink - y->sink : x->scan - y->scan;
}

/* Once a sink, by the first pair of devices: a template makes the same mistake many times over. */
static void tell(finder *f, const clash *found) {
  const bb_config *config = f->reader->config;
  const bb_config_sink *sink = &config->sinks[found->second.sink];
  const bb_config_device *device = &config->devices[found->second.device];
  const bb_doc *topic = bb_doc_get(sink->options, "topic");
  bb_mqtt_options options;
  bb_mqtt_options_read(&options, sink->options);
  bb_buf_clear(&f->text);
  bb_buf_clear(&f->whole);
  if (bb_topic_compile(&f->topic, options.topic) < 0) return;
  bb_topic_render(&f->topic, device->device, device->scans[found->second.scan].name, &f->text);
  bb_topic_point(bb_buf_string(&f->text), "{point}", &f->whole);
  bb_report_warn(
      f->reader->report, topic != NULL ? topic : sink->options,
      "devices %s and %s%s are published on the same topic, %s; put {device} into it, or "
      "give them tags that differ",
      config->devices[found->first].id, device->id, found->more ? " and others" : "",
      bb_buf_string(&f->whole));
}

static bool is_before(const use *a, const use *b) {
  return a->device != b->device ? a->device < b->device : a->scan < b->scan;
}

static void compare(finder *f) {
  clash clashes[BB_MAX_SINKS] = {{.found = false}};
  size_t start = 0; /* of the uses of one topic */
  if (f->n > 0) qsort(f->uses, f->n, sizeof(*f->uses), by_topic);
  for (size_t i = 1; i < f->n; i++) {
    const use *first = &f->uses[start], *second = &f->uses[i];
    if (second->hash != first->hash) start = i;
    if (second->hash != first->hash || second->device == first->device) continue;
    clash *known = &clashes[second->sink];
    if (known->found && second->device != known->second.device) known->more = true;
    if (known->found && !is_before(second, &known->second)) continue;
    known->found = true;
    known->second = *second;
    known->first = first->device;
  }
  for (size_t i = 0; i < BB_MAX_SINKS; i++) {
    if (clashes[i].found) tell(f, &clashes[i]);
  }
}

void bb_config_warn_topics(bb_config_reader *reader) {
  finder f = {.reader = reader};
  bb_buf_init(&f.text, 2 * BB_TOPIC_MAX_BYTES);
  bb_buf_init(&f.whole, 2 * BB_TOPIC_MAX_BYTES);
  for (uint32_t i = 0; i < reader->config->n_sinks; i++) add_sink(&f, i);
  compare(&f);
  bb_buf_close(&f.text);
  bb_buf_close(&f.whole);
  free(f.uses);
}
