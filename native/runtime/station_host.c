/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers call; see plug/driver.h and station.h. On the connections that run, a probe's guest
 * may be among the devices: what concerns it is for probe_host.c. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/event.h"
#include "runtime/probe.h"
#include "runtime/runtime.h"
#include "runtime/station.h"

/* The end of a detach: the driver has let go of it. */
static void on_detached(bb_attachment *attachment) {
  if (attachment->apart) {
    bb_runtime_probe_host.on_detached(attachment);
    return;
  }
  bb_station *station = attachment->owner;
  bb_runtime *runtime = station->runtime;
  bb_link *link = station->link;
  for (uint32_t i = 0; i < station->n_scans; i++) bb_runtime_unroute(runtime, &station->scans[i]);
  link->n_stations--;
  bb_runtime_station_closed(runtime, station);
  bb_station_free(station);
  if (link->closing) bb_link_close(link);
}

static void on_closed(bb_conn *conn) {
  bb_link *link = conn->owner;
  bb_runtime_link_closed(link->runtime, link);
  bb_link_free(link);
}

/* One allocation holds both buffers of a scan. */
static int allocate(bb_station_scan *scan, const bb_shape *shape) {
  size_t n = shape->n_points, one = 2 * n + shape->value_bytes;
  uint8_t *memory = calloc(2, one + 1);
  if (memory == NULL) return BB_ERR_NOMEM;
  free(scan->memory);
  scan->memory = memory;
  for (int i = 0; i < 2; i++) {
    uint8_t *at = memory + (size_t)i * one;
    scan->buffers[i] = (bb_scan_buffer){at, at + n, at + 2 * n};
  }
  return 0;
}

static void on_shape(bb_attachment *attachment, uint32_t place, bb_shape *shape,
                     bb_scan_mode mode) {
  if (attachment->apart) {
    bb_runtime_probe_host.on_shape(attachment, place, shape, mode);
    return;
  }
  bb_station *station = attachment->owner;
  bb_runtime *runtime = station->runtime;
  bb_station_scan *scan = &station->scans[place];
  shape = bb_runtime_intern(runtime, shape);
  if (scan->shape == shape) {
    bb_shape_unref(shape);
    return;
  }
  assert(!scan->draft_taken);
  bb_runtime_unroute(runtime, scan);
  bb_schedule_remove(&runtime->schedule, scan);
  bb_shape_unref(scan->shape);
  scan->shape = NULL;
  scan->has_latest = false;
  scan->mode = mode;
  if (shape == NULL || allocate(scan, shape) < 0) {
    bb_log_error(runtime->log, station->id, "scan %s: out of memory; it is not polled",
                 scan->scan->name);
    bb_shape_unref(shape);
    return;
  }
  scan->shape = shape;
  if (bb_runtime_route(runtime, scan) < 0) {
    bb_log_error(runtime->log, station->id, "scan %s: out of memory; some sinks do not get it",
                 scan->scan->name);
  }
  if (mode == BB_SCAN_POLLED && scan->period_ns > 0) bb_schedule_add(&runtime->schedule, scan);
  bb_runtime_shape_changed(runtime, scan);
}

static bb_draft *take(bb_attachment *attachment, uint32_t place) {
  if (attachment->apart) return bb_runtime_probe_host.take(attachment, place);
  bb_station *station = attachment->owner;
  bb_station_scan *scan = &station->scans[place];
  if (scan->shape == NULL || scan->draft_taken) return NULL;
  bb_scan_buffer *buffer = &scan->buffers[scan->filling];
  scan->draft = (bb_draft){.time_ns = bb_clock_utc_ns(&station->runtime->clock),
                           .quality = buffer->quality,
                           .codes = buffer->codes,
                           .values = buffer->values,
                           .shape = scan->shape};
  memset(buffer->quality, BB_QUALITY_BAD | BB_CAUSE_NOT_READ, scan->shape->n_points);
  memset(buffer->codes, 0, scan->shape->n_points);
  scan->draft_taken = true;
  return &scan->draft;
}

static void on_batch(bb_attachment *attachment, uint32_t place, bb_draft *draft) {
  if (attachment->apart) {
    bb_runtime_probe_host.on_batch(attachment, place, draft);
    return;
  }
  bb_station *station = attachment->owner;
  bb_runtime *runtime = station->runtime;
  bb_station_scan *scan = &station->scans[place];
  scan->draft_taken = false;
  if (station->leaving) return;
  bb_batch batch = {.device = station->config->device,
                    .shape = draft->shape,
                    .time_ns = draft->time_ns,
                    .mono_ns = bb_clock_mono_ns(&runtime->clock),
                    .boot = runtime->boot,
                    .kind = BB_BATCH_SAMPLES,
                    .flags = draft->flags,
                    .quality = draft->quality,
                    .codes = draft->has_codes ? draft->codes : NULL,
                    .values = draft->values};
  bb_station_publish(scan, &batch);
}

static void on_poll_done(bb_attachment *attachment, uint32_t place, int status) {
  if (attachment->apart) {
    bb_runtime_probe_host.on_poll_done(attachment, place, status);
    return;
  }
  bb_station *station = attachment->owner;
  bb_station_scan *scan = &station->scans[place];
  scan->polling = false;
  if (status < 0) {
    scan->counters.failed++;
  } else {
    scan->counters.done++;
  }
  if (station->known && !station->up) bb_station_announce_stale(station);
}

static void on_write_done(bb_attachment *attachment, bb_command *command, bb_outcome outcome,
                          const bb_reason *reason) {
  bb_station *station = attachment->owner;
  bb_door_done(&station->runtime->door, command, outcome, reason);
}

/* One line for the connection and all behind it: "no connection to 10.0.0.21:502: connection refused;
 * 3 devices without values; next try in 2 s". */
static void log_link(const bb_link *link, bool up) {
  bb_log *log = link->runtime->log;
  const char *text = link->reason.text, *next = strstr(text, "; next try");
  unsigned n = link->n_stations;
  const char *plural = n == 1 ? "" : "s";
  int head = next != NULL ? (int)(next - text) : (int)strlen(text);
  if (up && n > 0) {
    bb_log_info(log, link->id, "connected; %u device%s", n, plural);
  } else if (up) {
    bb_log_info(log, link->id, "connected");
  } else if (n > 0) {
    bb_log_warn(log, link->id, "%.*s; %u device%s without values%s", head, text, n, plural,
                next != NULL ? next : "");
  } else {
    bb_log_warn(log, link->id, "%s", text);
  }
}

static void on_link(bb_conn *conn, bool up, const bb_reason *reason) {
  bb_link *link = conn->owner;
  link->since_ns = bb_clock_utc_ns(&link->runtime->clock);
  link->reason = reason != NULL && !up ? *reason : (bb_reason){0};
  log_link(link, up);
}

/* The end of a poll tells better why there is nothing, and announces it. */
static bool is_polling(const bb_station *station) {
  for (uint32_t i = 0; i < station->n_scans; i++) {
    if (station->scans[i].polling) return true;
  }
  return false;
}

/* A device that comes and goes with its connection is one of those that the connection's line counts. */
static void log_device(bb_station *station, bool up) {
  bb_log *log = station->runtime->log;
  bool was_alone = station->alone;
  station->alone = !up && station->attachment->conn->up;
  if (up) {
    bb_log_write(log, was_alone ? BB_LOG_INFO : BB_LOG_DEBUG, station->id, "answers");
  } else {
    bb_log_write(log, station->alone ? BB_LOG_WARN : BB_LOG_DEBUG, station->id, "%s",
                 station->reason.text);
  }
}

static uint8_t cause_of(const bb_reason *reason) {
  if (reason == NULL) return BB_CAUSE_NOT_CONNECTED;
  return reason->code == BB_ERR_TIMEOUT  ? BB_CAUSE_NO_ANSWER
         : reason->code == BB_ERR_FORMAT ? BB_CAUSE_FORMAT
                                         : BB_CAUSE_NOT_CONNECTED;
}

/* It was lost with its connection, which is back; the device is not. Sinks know that it is lost. */
static bool is_lost_once_more(const bb_station *station, bool up) {
  return station->known && !station->up && !up && !station->alone && station->attachment->conn->up;
}

static void on_device(bb_attachment *attachment, bool up, const bb_reason *reason) {
  if (attachment->apart) {
    bb_runtime_probe_host.on_device(attachment, up, reason);
    return;
  }
  bb_station *station = attachment->owner;
  bool once_more = is_lost_once_more(station, up);
  if (station->leaving || (station->known && station->up == up && !once_more)) return;
  bb_reason why = reason != NULL && !up ? *reason : (bb_reason){0};
  station->reason = why;
  log_device(station, up);
  if (once_more) return;
  if (!up && !is_polling(station)) {
    station->loss = cause_of(reason);
    bb_station_announce_stale(station);
  }
  bb_station_turn(station, up, &why);
}

static int on_event(bb_attachment *attachment, int64_t time_ns, uint8_t flags, const char *text,
                    uint16_t len) {
  if (attachment->apart) return BB_ERR_UNSUPPORTED;
  bb_batch event = {
      .kind = BB_BATCH_EVENT, .time_ns = time_ns, .flags = flags, .text = text, .text_len = len};
  return bb_event_add(attachment->owner, &event);
}

const bb_driver_host bb_station_host = {
    .on_link = on_link,
    .on_device = on_device,
    .on_shape = on_shape,
    .take = take,
    .on_batch = on_batch,
    .on_poll_done = on_poll_done,
    .on_write_done = on_write_done,
    .on_event = on_event,
    .on_detached = on_detached,
    .on_closed = on_closed,
};
