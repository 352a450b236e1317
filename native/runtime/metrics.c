/* SPDX-License-Identifier: Apache-2.0 */
/* See metrics.h. */
#include "runtime/metrics.h"

#include <string.h>

#include "base/err.h"
#include "runtime/exposition.h"
#include "runtime/metrics_family.h"

typedef bb_metrics_family family;
typedef bb_metrics_place place;

void bb_metrics_start(bb_metrics *metrics, const bb_runtime *runtime) {
  memset(metrics, 0, sizeof(*metrics));
  metrics->runtime = runtime;
  if (runtime->config != NULL) metrics->config = bb_config_ref(runtime->config);
}

void bb_metrics_end(bb_metrics *metrics) {
  bb_config_unref(metrics->config);
  bb_descriptors_close(&metrics->descriptors);
  memset(metrics, 0, sizeof(*metrics));
}

static uint32_t count_drivers(const bb_runtime *runtime) {
  uint32_t n = 0;
  if (runtime->kinds == NULL) return 0;
  while (n < BB_RUNTIME_DRIVERS && runtime->kinds->drivers[n] != NULL) n++;
  return n;
}

/* The orphan at that place; one that comes meanwhile is the last, so that none is shown twice. */
static bool find_orphan(const bb_runtime *runtime, uint32_t item, bb_orphan *out) {
  const void *at = NULL;
  for (uint32_t i = 0; bb_parking_next(runtime, &at, out); i++) {
    if (i == item) return true;
  }
  return false;
}

static uint32_t count_orphans(const bb_runtime *runtime) {
  const void *at = NULL;
  bb_orphan orphan;
  uint32_t n = 0;
  while (bb_parking_next(runtime, &at, &orphan)) n++;
  return n;
}

/* How many things the family walks over. */
static uint32_t count_items(const bb_metrics *metrics, const family *f) {
  const bb_config *config = metrics->config;
  switch (f->about) {
  case BB_METRICS_ONCE:
  case BB_METRICS_DESCRIPTORS:
    return 1;
  case BB_METRICS_DRIVER:
    return count_drivers(metrics->runtime);
  case BB_METRICS_CONNECTION:
    return config != NULL ? config->n_connections : 0;
  case BB_METRICS_DEVICE:
  case BB_METRICS_SCAN:
    return config != NULL ? config->n_devices : 0;
  case BB_METRICS_ORPHAN:
    return count_orphans(metrics->runtime);
  default:
    return config != NULL ? config->n_sinks : 0;
  }
}

static void show_station(const family *f, place *at, bb_buf *out) {
  if (f->about == BB_METRICS_DEVICE) {
    f->show(f, at, out);
    return;
  }
  for (uint32_t i = 0; i < at->station->n_scans; i++) {
    at->scan = &at->station->scans[i];
    f->show(f, at, out);
  }
}

/* What has gone since the cursor started, or is switched off, is not found and shown. */
static void show_item(const bb_metrics *metrics, const family *f, bb_buf *out) {
  const bb_runtime *runtime = metrics->runtime;
  const bb_config *config = metrics->config;
  uint32_t item = metrics->item;
  bb_orphan orphan;
  place at = {.runtime = runtime, .descriptors = metrics->descriptors.n};
  switch (f->about) {
  case BB_METRICS_ONCE:
  case BB_METRICS_DESCRIPTORS:
    f->show(f, &at, out);
    break;
  case BB_METRICS_DRIVER:
    at.driver = runtime->kinds->drivers[item]->kind;
    at.latency = &runtime->latency[item];
    if (at.latency->count > 0) f->show(f, &at, out);
    break;
  case BB_METRICS_CONNECTION:
    at.link = bb_map_get(&runtime->links, config->connections[item].id);
    if (at.link != NULL && at.link->conn != NULL) f->show(f, &at, out);
    break;
  case BB_METRICS_DEVICE:
  case BB_METRICS_SCAN:
    at.station = bb_map_get(&runtime->stations, config->devices[item].id);
    if (at.station != NULL) show_station(f, &at, out);
    break;
  case BB_METRICS_SINK:
    at.outlet = bb_map_get(&runtime->outlets, config->sinks[item].id);
    if (at.outlet != NULL) f->show(f, &at, out);
    break;
  case BB_METRICS_ORPHAN:
    at.orphan = &orphan;
    if (find_orphan(runtime, item, &orphan)) f->show(f, &at, out);
    break;
  }
}

int bb_metrics_slice(bb_metrics *metrics, bb_buf *out) {
  size_t full = out->len + BB_METRICS_SLICE_BYTES;
  uint32_t items = 0;
  for (; metrics->family < bb_metrics_n_families; metrics->family++, metrics->item = 0) {
    const family *f = &bb_metrics_families[metrics->family];
    uint32_t n = count_items(metrics, f);
    if (out->len >= full || items >= BB_METRICS_SLICE_ITEMS) return 1;
    if (f->about == BB_METRICS_DESCRIPTORS && bb_descriptors_count(&metrics->descriptors)) return 1;
    if (metrics->item == 0) bb_exposition_head(out, f->name, f->type, f->help);
    while (metrics->item < n) {
      show_item(metrics, f, out);
      metrics->item++;
      items++;
      if (out->failed < 0) return out->failed;
      if (out->len >= full || items >= BB_METRICS_SLICE_ITEMS) return 1;
    }
  }
  return out->failed;
}
