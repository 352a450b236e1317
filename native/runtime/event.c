/* SPDX-License-Identifier: Apache-2.0 */
/* See event.h. */
#include "runtime/event.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "runtime/runtime.h"

/* Databases know a line by its time, most of them in milliseconds. */
#define STEP_NS ((int64_t)BB_NS_PER_MS)
#define MAX_AHEAD_NS ((int64_t)BB_NS_PER_S) /* more is a clock that was set back */

int bb_event_route(bb_station *station) {
  bb_runtime *runtime = station->runtime;
  const bb_config *config = runtime->config;
  station->event_sinks = 0;
  for (uint32_t i = 0; config != NULL && i < config->n_routes; i++) {
    const bb_config_route *route = &config->routes[i];
    if (!route->events || !bb_config_matches(route->devices, station->id)) continue;
    const bb_outlet *outlet = bb_runtime_outlet(runtime, route->sink->id);
    if (outlet != NULL && !outlet->closing) station->event_sinks |= 1ull << outlet->place;
  }
  station->events = NULL;
  if (station->event_sinks == 0) return 0;
  station->events = bb_runtime_join(runtime, station->event_sinks, BB_STORE_EVENTS);
  return station->events != NULL ? 0 : BB_ERR_NOMEM;
}

/* No two of the runtime's own have one time. */
static int64_t next_time(bb_station *station) {
  int64_t now = bb_clock_utc_ns(&station->runtime->clock);
  int64_t ahead = station->event_ns - now;
  if (ahead > -STEP_NS && ahead < MAX_AHEAD_NS) now = station->event_ns + STEP_NS;
  station->event_ns = now;
  return now;
}

int bb_event_add(bb_station *station, bb_batch *event) {
  bb_runtime *runtime = station->runtime;
  if (event->text_len > BB_MAX_EVENT_TEXT) return BB_ERR_LIMIT;
  if (station->events == NULL || bb_list_empty(&station->events->readers)) return 0;
  event->device = station->config->device;
  if (event->time_ns == 0) event->time_ns = next_time(station);
  event->mono_ns = bb_clock_mono_ns(&runtime->clock);
  event->boot = runtime->boot;
  bb_runtime_stamp(runtime, event);
  return bb_runtime_append(runtime, station->events, station->event_sinks, event);
}

void bb_event_turned(bb_station *station, bool first) {
  char text[BB_MAX_REASON + 8];
  const char *why = station->reason.text, *next = strstr(why, "; next try");
  int len = next != NULL ? (int)(next - why) : (int)strlen(why);
  if (station->up) {
    len = snprintf(text, sizeof(text), "%s", first ? "answers" : "back");
  } else {
    len = snprintf(text, sizeof(text), "lost: %.*s", len, why);
  }
  bb_batch event = {.kind = BB_BATCH_EVENT, .text = text, .text_len = (uint16_t)len};
  bb_event_add(station, &event);
}
