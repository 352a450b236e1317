/* SPDX-License-Identifier: Apache-2.0 */
/* Routes of which another one of the same sink takes all: they add nothing, or the same points are
 * delivered twice. A part that two routes share may be meant (all as it changes, some as a mean). */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/config_read.h"
#include "runtime/feed.h"

typedef struct {
  bb_config_reader *reader;
  const bb_config_route *route;   /* the one that is looked at */
  const bb_config_device **takes; /* what it means */
  uint32_t n;
  bool any_points;
} looker;

/* An external device brings points of its own: nobody knows their names yet. */
static bool is_open(const bb_config_device *device) {
  return device->profile == NULL;
}

static bool takes_nothing(const bb_doc *patterns) {
  return patterns != NULL && patterns->kind == BB_DOC_LIST && patterns->n == 0;
}

static bool takes_points(const bb_config_route *route, const bb_config_device *device) {
  if (is_open(device)) return !takes_nothing(route->scans) && !takes_nothing(route->points);
  for (uint32_t i = 0; i < device->n_scans; i++) {
    if (bb_config_feeds(route, device, &device->scans[i])) return true;
  }
  return false;
}

static void look_at(looker *l, const bb_config_route *route) {
  const bb_config *config = l->reader->config;
  l->route = route;
  l->n = 0;
  l->any_points = false;
  for (uint32_t i = 0; i < config->n_devices; i++) {
    const bb_config_device *device = &config->devices[i];
    if (!bb_config_matches(route->devices, device->id)) continue;
    bool points = takes_points(route, device);
    l->any_points |= points;
    if (points || route->events) l->takes[l->n++] = device;
  }
}

static bool wider(const bb_doc *patterns, const bb_doc *than) {
  return patterns == NULL || bb_doc_equal(patterns, than);
}

static bool covers_scan(const bb_config_route *other, const bb_config_route *route,
                        const bb_config_device *device, const bb_scan *scan) {
  if (!bb_config_feeds(route, device, scan)) return true;
  if (!bb_config_matches(other->scans, scan->name)) return false;
  for (uint16_t i = 0; i < scan->n_points; i++) {
    const char *point = device->profile->points[scan->points[i]].point.name;
    if (bb_config_matches(route->points, point) && !bb_config_matches(other->points, point)) {
      return false;
    }
  }
  return true;
}

static bool covers_device(const bb_config_route *other, const bb_config_route *route,
                          const bb_config_device *device) {
  if (!bb_config_matches(other->devices, device->id)) return false;
  if (is_open(device)) {
    return !takes_points(route, device) ||
           (wider(other->scans, route->scans) && wider(other->points, route->points));
  }
  for (uint32_t i = 0; i < device->n_scans; i++) {
    if (!covers_scan(other, route, device, &device->scans[i])) return false;
  }
  return true;
}

static bool covers(const bb_config_route *other, const looker *l) {
  for (uint32_t i = 0; i < l->n; i++) {
    if (!covers_device(other, l->route, l->takes[i])) return false;
  }
  return l->n > 0;
}

/* Where it is written, and whether it is the short form at a sink. */
static const bb_doc *place_of(const bb_config *config, const bb_config_route *route, bool *own) {
  const bb_doc *routes = bb_doc_get(config->tree.root, "routes");
  uint32_t at = (uint32_t)(route - config->routes);
  *own = routes == NULL || at >= routes->n;
  if (*own) return bb_doc_get(route->sink->doc, "devices");
  const bb_doc *item = routes->first;
  while (at-- > 0) item = item->next;
  return item;
}

static void tell(const looker *l, const bb_config_route *other, bool adds_nothing) {
  const bb_config *config = l->reader->config;
  char name[64] = "`devices` of the sink";
  bool own, others_own;
  const bb_doc *doc = place_of(config, l->route, &own);
  const bb_doc *there = place_of(config, other, &others_own);
  if (!others_own) snprintf(name, sizeof(name), "routes[%u]", (uint32_t)(other - config->routes));
  if (adds_nothing) {
    bb_report_warn(l->reader->report, doc,
                   "%s in line %u sends all of this to %s already, so this adds nothing; take it "
                   "away",
                   name, there->line, l->route->sink->id);
  } else {
    bb_report_warn(l->reader->report, doc,
                   "%s in line %u sends all of these points to %s as well, so they are delivered "
                   "twice; take one of the two away, or leave these points out of it",
                   name, there->line, l->route->sink->id);
  }
}

static bool compare(const looker *l, const bb_config_route *other) {
  if (other == l->route || other->sink != l->route->sink || !covers(other, l)) return false;
  bool twice = l->any_points && !bb_feed_same(other, l->route);
  if (!twice && l->route->events && !other->events) return false;
  tell(l, other, !twice);
  return true;
}

/* From the last on, and by none that was told itself: of two that are alike the later one is told. */
void bb_config_warn_covered(bb_config_reader *reader) {
  const bb_config *config = reader->config;
  bool told[BB_MAX_ROUTES + BB_MAX_SINKS] = {false};
  looker l = {.reader = reader, .takes = malloc((config->n_devices + 1u) * sizeof(*l.takes))};
  if (l.takes == NULL) {
    reader->no_memory = true;
    return;
  }
  for (uint32_t i = config->n_routes; i-- > 0;) {
    if (!config->routes[i].sink->enabled) continue;
    look_at(&l, &config->routes[i]);
    for (uint32_t k = 0; k < config->n_routes && !told[i]; k++) {
      told[i] = !told[k] && compare(&l, &config->routes[k]);
    }
  }
  free(l.takes);
}
