/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, written out or as the short form at a sink. */
#include <string.h>

#include "runtime/config_read.h"

typedef struct {
  const char *sink;
  bb_config_route out;
} route_part;

static const char *const reports[] = {"all", "changes", NULL};
static const char *const aggregates[] = {"none", "last", "mean", "min", "max", NULL};

static const bb_field fields[] = {
    {"sink", BB_FIELD_ID, offsetof(route_part, sink), true, 0, 0, NULL, NULL,
     "id of the sink that is fed"},
    {"devices", BB_FIELD_DOC, offsetof(route_part, out.devices), false, 0, 0, NULL, NULL,
     "patterns of device ids, such as `[meter-*]`; all without"},
    {"scans", BB_FIELD_DOC, offsetof(route_part, out.scans), false, 0, 0, NULL, NULL,
     "patterns of scan names; all without"},
    {"points", BB_FIELD_DOC, offsetof(route_part, out.points), false, 0, 0, NULL, NULL,
     "patterns of point names, such as `[power/*]`; all without"},
    {"report", BB_FIELD_CHOICE, offsetof(route_part, out.report), false, 0, 0, reports, "all",
     "every value, or only those that changed by more than the point's deadband"},
    {"heartbeat", BB_FIELD_DURATION, offsetof(route_part, out.heartbeat_ms), false, 0, 604800000,
     NULL, "0s", "with `report: changes`, everything again after so long without a change"},
    {"every", BB_FIELD_DURATION, offsetof(route_part, out.every_ms), false, 0, 604800000, NULL,
     "0s", "at most one batch in so long"},
    {"aggregate", BB_FIELD_CHOICE, offsetof(route_part, out.aggregate), false, 0, 0, aggregates,
     "none", "what the one batch of `every` holds: the mean, least or greatest of the period"},
    {"events", BB_FIELD_BOOL, offsetof(route_part, out.events), false, 0, 0, NULL, "false",
     "also the events of these devices (lost, back, what a client tells) and the outcomes of "
     "writes to them; alone with `scans: []`"},
};
static const bb_schema schema = BB_SCHEMA("route", fields);

static bool are_patterns(const bb_doc *doc) {
  if (doc->kind == BB_DOC_SCALAR) return doc->text[0] != 0;
  if (doc->kind != BB_DOC_LIST) return false;
  for (const bb_doc *item = doc->first; item != NULL; item = item->next) {
    if (item->kind != BB_DOC_SCALAR || item->text[0] == 0) return false;
  }
  return true;
}

static bool check_patterns(bb_config_reader *reader, const bb_doc *doc) {
  if (doc == NULL || are_patterns(doc)) return true;
  bb_report_add(reader->report, doc,
                "a pattern or a list of patterns stands here, such as [\"*\"]");
  return false;
}

/* Patterns that fit no device are told: a misspelt id would be silence. */
static void check_devices(bb_config_reader *reader, const bb_doc *doc) {
  const bb_config *config = reader->config;
  if (reader->gaps[BB_CONFIG_DEVICES].unsure) return;
  const bb_doc *item = doc->kind == BB_DOC_LIST ? doc->first : doc;
  for (; item != NULL; item = doc->kind == BB_DOC_LIST ? item->next : NULL) {
    bool any = strcmp(item->text, "*") == 0;
    for (uint32_t i = 0; i < config->n_devices && !any; i++) {
      any = bb_config_matches(item, config->devices[i].id);
    }
    if (!any) {
      bb_report_add(reader->report, item,
                    "no device fits \"%s\"; allowed: ids of `devices`, with * for any characters",
                    item->text);
    }
  }
}

static bool fits_any(const bb_config *config, const bb_doc *pattern, bool scans) {
  for (uint32_t i = 0; i < config->n_devices; i++) {
    const bb_config_device *device = &config->devices[i];
    if (device->profile == NULL) return true; /* its source brings names of its own */
    for (uint32_t k = 0; scans && k < device->profile->n_scans; k++) {
      if (bb_config_matches(pattern, device->profile->scans[k].name)) return true;
    }
    for (uint32_t k = 0; !scans && k < device->profile->n_points; k++) {
      if (bb_config_matches(pattern, device->profile->points[k].point.name)) return true;
    }
  }
  return config->n_devices == 0;
}

/* The same for scans and points: a route that can never deliver is a mistake. */
static void check_names(bb_config_reader *reader, const bb_doc *doc, bool scans) {
  const bb_doc *item = doc->kind == BB_DOC_LIST ? doc->first : doc;
  if (reader->gaps[BB_CONFIG_DEVICES].unsure) return;
  for (; item != NULL; item = doc->kind == BB_DOC_LIST ? item->next : NULL) {
    if (fits_any(reader->config, item, scans)) continue;
    bb_report_add(reader->report, item,
                  "no %s of any device fits \"%s\"; `busbar profiles ID` lists them",
                  scans ? "scan" : "point", item->text);
  }
}

static void check_route(bb_config_reader *reader, const bb_doc *doc, const bb_config_route *route) {
  if (check_patterns(reader, route->devices) && route->devices != NULL) {
    check_devices(reader, route->devices);
  }
  if (check_patterns(reader, route->scans) && route->scans != NULL) {
    check_names(reader, route->scans, true);
  }
  if (check_patterns(reader, route->points) && route->points != NULL) {
    check_names(reader, route->points, false);
  }
  if (route->heartbeat_ms > 0 && route->report != BB_REPORT_CHANGES) {
    bb_report_add(reader->report, bb_doc_get(doc, "heartbeat"),
                  "a heartbeat goes with `report: changes`");
  }
  if (route->aggregate != BB_AGGREGATE_NONE && route->every_ms == 0) {
    bb_report_add(reader->report, bb_doc_get(doc, "aggregate"),
                  "an aggregate needs its period: `every`, such as 1min");
  }
  if (route->events && route->sink != NULL && !route->sink->kind->events) {
    bb_report_add(reader->report, bb_doc_get(doc, "events"),
                  "sink %s is of kind %s, which cannot carry events; leave this out",
                  route->sink->id, route->sink->kind->kind);
  }
}

static void read_route(bb_config_reader *reader, const bb_doc *item, bb_config_route *route) {
  route_part part = {0};
  bb_schema_read(&schema, item, &part, reader->report);
  *route = part.out;
  if (item->kind != BB_DOC_MAP) return;
  if (part.sink != NULL) {
    route->sink = bb_map_get(&reader->config->sinks_by_id, part.sink);
    if (route->sink == NULL) {
      bb_config_tell_missing(reader, bb_doc_get(item, "sink"), BB_CONFIG_SINKS);
    }
  }
  check_route(reader, item, route);
}

bool bb_config_is_routed(const bb_config *config, const bb_config_sink *sink) {
  for (uint32_t i = 0; i < config->n_routes; i++) {
    if (config->routes[i].sink == sink) return true;
  }
  return false;
}

/* A sink with `devices` has that route; one without any route at all gets everything, one with an
 * empty list nothing but its routes. */
static void add_short_form(bb_config_reader *reader, const bb_config_sink *sink) {
  bb_config *config = reader->config;
  const bb_doc *devices = bb_doc_get(sink->doc, "devices");
  bool routed = devices == NULL && bb_config_is_routed(config, sink);
  if (routed || (devices != NULL && devices->kind == BB_DOC_LIST && devices->n == 0)) {
    if (!sink->events) return;
    bb_report_add(reader->report, bb_doc_get(sink->doc, "events"),
                  "the sink is fed by `routes` alone; say \"events: true\" at one of them");
    return;
  }
  bb_config_route *route = &config->routes[config->n_routes++];
  *route = (bb_config_route){.sink = sink, .devices = devices, .events = sink->events};
  check_route(reader, sink->doc, route);
}

void bb_config_read_routes(bb_config_reader *reader, const bb_doc *list) {
  bb_config *config = reader->config;
  uint32_t n = list != NULL ? list->n : 0;
  if (n > BB_MAX_ROUTES) {
    bb_report_add(reader->report, list, "%u routes are too many; allowed: %u", n, BB_MAX_ROUTES);
    return;
  }
  size_t all = n + (size_t)config->n_sinks;
  config->routes = bb_arena_take(&config->arena, all * sizeof(bb_config_route));
  if (config->routes == NULL) {
    reader->no_memory = true;
    return;
  }
  for (const bb_doc *item = n > 0 ? list->first : NULL; item != NULL; item = item->next) {
    read_route(reader, item, &config->routes[config->n_routes++]);
  }
  for (uint32_t i = 0; i < config->n_sinks; i++) add_short_form(reader, &config->sinks[i]);
}

bool bb_config_route_takes(const bb_config_route *route, const char *device, const char *scan) {
  return bb_config_matches(route->devices, device) && bb_config_matches(route->scans, scan);
}

void bb_config_print_routes(bb_buf *out) {
  bb_buf_text(out, "\n## `routes`\n\n");
  bb_schema_print(&schema, out);
}
