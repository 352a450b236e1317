/* SPDX-License-Identifier: Apache-2.0 */
/* See health_page.h. */
#include "runtime/health_page.h"

typedef struct {
  bb_buf *out;
  uint32_t n; /* sentences */
} page;

/* `why` may be "". */
static void add(page *p, const char *what, const char *id, const char *how, const char *why) {
  if (p->n++ >= BB_HEALTH_PAGE_SENTENCES) return;
  bb_buf_printf(p->out, "%s %s: %s%s%s\n", what, id, how, *why != 0 ? ": " : "", why);
}

static const char *why_down(const bb_station *station) {
  if (station->reason.text[0] != 0) return station->reason.text;
  return station->link != NULL ? station->link->reason.text : "";
}

static void add_device(page *p, const bb_runtime *runtime, const bb_config_device *device) {
  if (!device->enabled) return;
  const bb_station *station = bb_map_get(&runtime->stations, device->id);
  if (station == NULL) {
    add(p, "device", device->id, "not started", "");
  } else if (!bb_station_was_asked(station)) {
    add(p, "device", device->id, "not asked yet", why_down(station));
  } else if (!station->up) {
    add(p, "device", device->id, "does not answer", why_down(station));
  }
}

static void add_sink(page *p, const bb_runtime *runtime, const bb_config_sink *sink) {
  if (!sink->enabled) return;
  const bb_outlet *outlet = bb_map_get(&runtime->outlets, sink->id);
  if (outlet == NULL) {
    add(p, "sink", sink->id, "not started", "");
  } else if (!outlet->ready) {
    add(p, "sink", sink->id, "not ready", outlet->reason.text);
  }
}

bool bb_health_page_ready(const bb_runtime *runtime, bb_buf *out) {
  bool ready = bb_runtime_is_ready(runtime);
  const bb_config *config = runtime->config;
  page p = {.out = out};
  bb_buf_text(out, ready ? "ready\n" : "not ready\n");
  if (config == NULL) {
    bb_buf_text(out, "no config is applied yet\n");
    return ready;
  }
  for (uint32_t i = 0; i < config->n_sinks; i++) add_sink(&p, runtime, &config->sinks[i]);
  for (uint32_t i = 0; i < config->n_devices; i++) add_device(&p, runtime, &config->devices[i]);
  if (p.n > BB_HEALTH_PAGE_SENTENCES) {
    bb_buf_printf(out, "and %u more\n", p.n - BB_HEALTH_PAGE_SENTENCES);
  }
  return ready;
}
