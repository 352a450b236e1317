/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing of links and stations; see station.h. What the drivers call is in
 * station_host.c. */
#include "runtime/station.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "io/error.h"
#include "runtime/event.h"
#include "runtime/runtime.h"

static bb_histogram *latency_of(bb_runtime *runtime, const bb_driver *driver) {
  for (unsigned i = 0; i < BB_RUNTIME_DRIVERS && runtime->kinds->drivers[i] != NULL; i++) {
    if (runtime->kinds->drivers[i] == driver) return &runtime->latency[i];
  }
  return &runtime->latency[BB_RUNTIME_DRIVERS - 1];
}

void bb_link_free(bb_link *link) {
  bb_config_unref(link->owner);
  free(link->conn);
  free(link);
}

bb_link *bb_link_open(bb_runtime *runtime, bb_config *owner, const bb_config_connection *config,
                      bb_reason *reason) {
  bb_link *link = calloc(1, sizeof(*link));
  bb_conn *conn = calloc(1, config->driver->conn_bytes);
  if (link == NULL || conn == NULL) {
    free(link);
    free(conn);
    bb_reason_set(reason, BB_ERR_NOMEM, 0, "out of memory");
    return NULL;
  }
  *link = (bb_link){.id = config->id, .config = config, .conn = conn, .runtime = runtime};
  link->owner = bb_config_ref(owner);
  conn->id = config->id;
  conn->driver = config->driver;
  conn->host = &bb_station_host;
  conn->loop = runtime->loop;
  conn->beat = &runtime->beat;
  conn->log = runtime->log;
  conn->clock = &runtime->clock;
  conn->latency = latency_of(runtime, config->driver);
  conn->seed = bb_hash_string(runtime->seed + BB_HASH_START, config->id);
  conn->owner = link;
  int err = config->driver->open(conn, config->options);
  if (err < 0) {
    bb_reason_set(reason, err, 0, "the connection cannot be opened: %s", bb_error_text(err));
    bb_link_free(link);
    return NULL;
  }
  return link;
}

void bb_link_close(bb_link *link) {
  link->closing = true;
  if (link->n_stations > 0 || link->closed) return;
  link->closed = true;
  link->config->driver->close(link->conn);
}

static void free_scan(bb_station_scan *scan) {
  bb_shape_unref(scan->shape);
  free(scan->memory);
}

void bb_station_free(bb_station *station) {
  for (uint32_t i = 0; i < station->n_scans; i++) free_scan(&station->scans[i]);
  bb_config_unref(station->owner);
  free(station->attachment);
  free(station);
}

static bb_station *new_station(bb_runtime *runtime, bb_config *owner,
                               const bb_config_device *config, bb_link *link) {
  const bb_driver *driver = config->connection->driver;
  size_t scans = config->n_scans * sizeof(bb_station_scan);
  bb_station *station = calloc(1, sizeof(*station) + scans);
  bb_attachment *attachment = calloc(1, driver->attachment_bytes);
  if (station == NULL || attachment == NULL) {
    free(station);
    free(attachment);
    return NULL;
  }
  station->id = config->id;
  station->config = config;
  station->owner = bb_config_ref(owner);
  station->link = link;
  station->attachment = attachment;
  station->runtime = runtime;
  station->n_scans = config->n_scans;
  for (uint32_t i = 0; i < config->n_scans; i++) {
    station->scans[i].station = station;
    station->scans[i].scan = &config->scans[i];
    station->scans[i].period_ns = config->scans[i].period_ms * BB_NS_PER_MS;
  }
  attachment->conn = link->conn;
  attachment->device = config->device;
  attachment->profile = config->profile;
  attachment->options = config->doc;
  attachment->scans = config->scans;
  attachment->n_scans = config->n_scans;
  attachment->owner = station;
  return station;
}

bb_station *bb_station_open(bb_runtime *runtime, bb_config *owner, const bb_config_device *config,
                            bb_link *link, bb_reason *reason) {
  bb_station *station = new_station(runtime, owner, config, link);
  if (station == NULL) {
    bb_reason_set(reason, BB_ERR_NOMEM, 0, "out of memory");
    return NULL;
  }
  if (bb_event_route(station) < 0) {
    bb_log_error(runtime->log, station->id, "out of memory; some sinks do not get its events");
  }
  int err = config->connection->driver->attach(station->attachment);
  if (err < 0) {
    bb_reason_set(reason, err, 0, "the device cannot be attached: %s", bb_error_text(err));
    for (uint32_t i = 0; i < station->n_scans; i++) {
      bb_schedule_remove(&runtime->schedule, &station->scans[i]);
      bb_runtime_unroute(runtime, &station->scans[i]);
    }
    bb_station_free(station);
    return NULL;
  }
  link->n_stations++;
  return station;
}

void bb_station_close(bb_station *station) {
  station->leaving = true;
  for (uint32_t i = 0; i < station->n_scans; i++) {
    bb_schedule_remove(&station->runtime->schedule, &station->scans[i]);
  }
  station->config->connection->driver->detach(station->attachment);
}

bool bb_station_was_asked(const bb_station *station) {
  bool polled = false;
  for (uint32_t i = 0; i < station->n_scans; i++) {
    const bb_station_scan *scan = &station->scans[i];
    if (scan->has_latest || scan->counters.failed > 0) return true;
    polled |= scan->period_ns > 0 && scan->mode == BB_SCAN_POLLED;
  }
  return station->known || !polled;
}
