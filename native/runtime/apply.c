/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the config that runs to the one that is wanted; see runtime.h.
 *
 * First all that is gone or changed is closed. Once the last of it has let go of its socket, the new
 * is opened. What did not change never notices.
 */
#include "runtime/apply.h"
#include "runtime/difference.h"
#include "runtime/event.h"
#include "runtime/parking.h"
#include "runtime/probe.h"
#include "runtime/runtime.h"

#define RETIRE_DRAIN_MS 2000 /* for a sink that is changed or removed */
#define OUT_OF_MEMORY "out of memory; the next change of config tries again"

static void close_changed_stations(bb_runtime *runtime, bb_config *config) {
  for (size_t i = 0; i < runtime->stations.cap; i++) {
    bb_station *station = runtime->stations.entries[i].value;
    if (runtime->stations.entries[i].key == NULL || station->leaving) continue;
    if (bb_difference_keeps_device(config, station->config)) continue;
    runtime->closing++;
    station->leaving = true;
  }
}

static void close_changed_links(bb_runtime *runtime, bb_config *config) {
  for (size_t i = 0; i < runtime->links.cap; i++) {
    bb_link *link = runtime->links.entries[i].value;
    if (runtime->links.entries[i].key == NULL || link->closing) continue;
    if (bb_difference_keeps_connection(config, link->config)) continue;
    runtime->closing++;
    link->closing = true;
  }
}

static void mark_outlet(bb_runtime *runtime, bb_outlet *outlet) {
  outlet->closing = true;
  runtime->closing++;
  runtime->retiring++;
}

static void close_changed_outlets(bb_runtime *runtime, bb_config *config) {
  for (size_t i = 0; i < runtime->outlets.cap; i++) {
    bb_outlet *outlet = runtime->outlets.entries[i].value;
    if (runtime->outlets.entries[i].key == NULL || outlet->closing) continue;
    if (bb_difference_keeps_sink(config, outlet->config, outlet->owner->site)) continue;
    mark_outlet(runtime, outlet);
  }
}

/*
 * Closing changes the maps, at once or later, so what is to be closed is marked first and then
 * closed one by one, beginning anew after each.
 */
static bool close_one(bb_runtime *runtime) {
  for (size_t i = 0; i < runtime->stations.cap; i++) {
    bb_station *station = runtime->stations.entries[i].value;
    if (runtime->stations.entries[i].key == NULL || !station->leaving) continue;
    if (station->detached) continue;
    station->detached = true;
    bb_station_close(station);
    return true;
  }
  for (size_t i = 0; i < runtime->links.cap; i++) {
    bb_link *link = runtime->links.entries[i].value;
    if (runtime->links.entries[i].key == NULL || !link->closing || link->closed) continue;
    if (link->n_stations > 0) continue; /* its last station closes it */
    bb_link_close(link);
    return true;
  }
  for (size_t i = 0; i < runtime->outlets.cap; i++) {
    bb_outlet *outlet = runtime->outlets.entries[i].value;
    if (runtime->outlets.entries[i].key == NULL || !outlet->closing || outlet->close_begun)
      continue;
    outlet->close_begun = true;
    bb_outlet_close(outlet, runtime->stopping ? runtime->drain_ms : RETIRE_DRAIN_MS);
    return true;
  }
  return false;
}

void bb_apply_close_marked(bb_runtime *runtime) {
  while (close_one(runtime)) {
  }
}

/* Returns how many were opened. */
static uint32_t open_outlets(bb_runtime *runtime, bb_config *config) {
  uint32_t opened = 0;
  for (uint32_t i = 0; i < config->n_sinks; i++) {
    bb_config_sink *wanted = &config->sinks[i];
    bb_reason reason;
    if (!wanted->enabled || bb_runtime_outlet(runtime, wanted->id) != NULL) continue;
    uint32_t place = 0;
    while (runtime->places[place] != NULL) place++;
    bb_outlet *outlet = bb_outlet_open(runtime, config, wanted, place, &reason);
    if (outlet == NULL) {
      bb_log_error(runtime->log, wanted->id, "%s", reason.text);
      continue;
    }
    runtime->places[place] = outlet;
    if (bb_map_add(&runtime->outlets, outlet->id, outlet) < 0) {
      bb_log_error(runtime->log, wanted->id, OUT_OF_MEMORY);
      mark_outlet(runtime, outlet);
      outlet->close_begun = true;
      bb_outlet_close(outlet, 0);
      continue;
    }
    bb_runtime_outlet_changed(runtime, outlet);
    opened++;
  }
  return opened;
}

static void open_links(bb_runtime *runtime, bb_config *config) {
  for (uint32_t i = 0; i < config->n_connections; i++) {
    bb_config_connection *wanted = &config->connections[i];
    bb_reason reason;
    if (!wanted->used || bb_map_get(&runtime->links, wanted->id) != NULL) continue;
    bb_link *link = bb_link_open(runtime, config, wanted, &reason);
    if (link == NULL) {
      bb_log_error(runtime->log, wanted->id, "%s", reason.text);
      continue;
    }
    if (bb_map_add(&runtime->links, link->id, link) < 0) {
      bb_log_error(runtime->log, wanted->id, OUT_OF_MEMORY);
      runtime->closing++;
      bb_link_close(link);
    }
  }
}

static void open_stations(bb_runtime *runtime, bb_config *config) {
  for (uint32_t i = 0; i < config->n_devices; i++) {
    bb_config_device *wanted = &config->devices[i];
    bb_reason reason;
    if (!wanted->enabled || bb_runtime_station(runtime, wanted->id) != NULL) continue;
    bb_link *link = bb_map_get(&runtime->links, wanted->connection->id);
    if (link == NULL) continue; /* could not be opened: told */
    bb_station *station = bb_station_open(runtime, config, wanted, link, &reason);
    if (station == NULL) {
      bb_log_error(runtime->log, wanted->id, "%s", reason.text);
      continue;
    }
    if (bb_map_add(&runtime->stations, station->id, station) < 0) {
      bb_log_error(runtime->log, wanted->id, OUT_OF_MEMORY);
      runtime->closing++;
      station->detached = true;
      bb_station_close(station);
      continue;
    }
    bb_runtime_station_changed(runtime, station);
  }
}

static void reroute(bb_runtime *runtime) {
  for (size_t i = 0; i < runtime->stations.cap; i++) {
    bb_station *station = runtime->stations.entries[i].value;
    if (runtime->stations.entries[i].key == NULL) continue;
    bool failed = bb_event_route(station) < 0;
    for (uint32_t s = 0; s < station->n_scans; s++) {
      failed |= bb_runtime_route(runtime, &station->scans[s]) < 0;
    }
    if (failed) bb_log_error(runtime->log, station->id, "out of memory; some sinks do not get it");
  }
}

/* Streams that no scan feeds any more are left by their sinks, once they are empty. */
static void leave_streams(bb_runtime *runtime) {
  for (size_t i = 0; i < runtime->outlets.cap; i++) {
    bb_outlet *outlet = runtime->outlets.entries[i].value;
    if (runtime->outlets.entries[i].key == NULL) continue;
    for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
      BB_LIST_ITEM(node, bb_intake, link)->leaving = true;
    }
  }
}

static void configure(bb_runtime *runtime, const bb_config *config) {
  runtime->queue.max_bytes = config->runtime.queue_bytes;
  const bb_config_store *store = &config->runtime.store;
  runtime->queue.max_age_ns = store->max_age_ms * BB_NS_PER_MS;
  runtime->save.limits = (bb_save_limits){.sync_ms = store->sync_ms,
                                          .max_bytes = store->max_bytes,
                                          .max_age_ns = store->max_age_ms * BB_NS_PER_MS,
                                          .dead_bytes = store->dead_bytes,
                                          .dead_age_ns = store->dead_age_ms * BB_NS_PER_MS};
  runtime->log->level = (bb_log_level)config->runtime.log_level;
  runtime->log->json = config->runtime.log_format == 1;
}

static size_t count_scans(const bb_config *config) {
  size_t n = 0;
  for (uint32_t i = 0; i < config->n_devices; i++) n += config->devices[i].n_scans;
  return n;
}

static void open_wanted(bb_runtime *runtime) {
  bb_config *config = runtime->next, *old = runtime->config;
  /* Else feeds that were built by the one are as the other would build them. */
  bool rerouted = bb_difference_in(old, config, "routes") ||
                  bb_difference_in(old, config, "sinks") || runtime->outlet_closed;
  runtime->outlet_closed = false;
  runtime->next = NULL;
  if (bb_schedule_reserve(&runtime->schedule, runtime->schedule.heap.n + count_scans(config)) < 0) {
    bb_log_error(runtime->log, NULL, "out of memory; the config is not applied");
    bb_config_unref(config);
    return;
  }
  runtime->config = config;
  configure(runtime, config);
  bb_runtime_refresh(runtime);
  uint32_t opened = open_outlets(runtime, config);
  if (rerouted || opened > 0) {
    leave_streams(runtime);
    reroute(runtime);
  }
  open_links(runtime, config);
  open_stations(runtime, config);
  bb_config_unref(old);
  bb_parking_settle(runtime);
  bb_runtime_tidy(runtime);
  runtime->applied++;
  bb_log_info(runtime->log, NULL, "applied; devices: %zu, connections: %zu, sinks: %zu",
              runtime->stations.n, runtime->links.n, runtime->outlets.n);
  for (bb_list *node = runtime->watches.next; node != &runtime->watches;) {
    bb_watch *watch = BB_LIST_ITEM(node, bb_watch, link);
    node = node->next;
    if (watch->on_applied != NULL) watch->on_applied(watch);
  }
}

void bb_apply_go_on(bb_runtime *runtime) {
  if (runtime->closing == 0 && runtime->next != NULL && !runtime->stopping) open_wanted(runtime);
}

void bb_apply_start(bb_runtime *runtime, bb_config *config) {
  bb_config_unref(runtime->next);
  runtime->next = config;
  close_changed_stations(runtime, config);
  close_changed_links(runtime, config);
  close_changed_outlets(runtime, config);
  bb_runtime_probes_yield(runtime, config);
  bb_apply_close_marked(runtime);
  bb_apply_go_on(runtime);
}

void bb_apply_close_all(bb_runtime *runtime, bool stations, bool outlets) {
  for (size_t i = 0; stations && i < runtime->stations.cap; i++) {
    bb_station *station = runtime->stations.entries[i].value;
    if (runtime->stations.entries[i].key == NULL || station->leaving) continue;
    runtime->closing++;
    station->leaving = true;
  }
  for (size_t i = 0; stations && i < runtime->links.cap; i++) {
    bb_link *link = runtime->links.entries[i].value;
    if (runtime->links.entries[i].key == NULL || link->closing) continue;
    runtime->closing++;
    link->closing = true;
  }
  for (size_t i = 0; outlets && i < runtime->outlets.cap; i++) {
    bb_outlet *outlet = runtime->outlets.entries[i].value;
    if (runtime->outlets.entries[i].key == NULL || outlet->closing) continue;
    mark_outlet(runtime, outlet);
  }
  if (stations) bb_runtime_probes_yield(runtime, NULL);
  bb_apply_close_marked(runtime);
}
