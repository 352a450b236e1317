/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request read: polls the scans of one device now and answers with their points, once every poll
 * has ended. A poll that is under way already counts; scans that the device pushes are answered with
 * what came last. A scan that could not be read says so by "fresh": false.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/request.h"

typedef struct read_request {
  bb_request_head head;
  const char *device;
  const bb_doc *scans;
} read_request;

static const bb_field read_fields[] = {
    BB_REQUEST_HEAD,
    {"device", BB_FIELD_ID, offsetof(read_request, device), .required = true,
     .help = "Which device."},
    {"scans", BB_FIELD_LIST, offsetof(read_request, scans),
     .help = "Patterns of scan names; without it all."},
};
static const bb_schema read_schema = BB_SCHEMA("read", read_fields);

/* The device is looked up again each time: it may go, or be replaced, while its polls run. */
typedef struct read_call {
  bb_call call;
  bb_list link; /* of bb_socket.reads */
  char device[BB_MAX_ID + 1];
  uint32_t scans;              /* bits: asked for */
  uint64_t done[BB_MAX_SCANS]; /* polls that had ended well before */
} read_call;

static void free_reading(read_call *reading) {
  bb_request_finish(&reading->call);
  bb_list_remove(&reading->link);
  free(reading);
}

static void on_gone(bb_call *call) {
  free_reading((struct read_call *)call);
}

void bb_request_put_point(bb_json_writer *json, const bb_batch *batch, uint16_t i) {
  const bb_point *point = &batch->shape->points[i];
  uint8_t quality = batch->quality[i];
  bb_json_writer_text(json, "name", point->name);
  if (bb_quality_has_value(quality)) {
    bb_json_writer_value(json, "value", bb_batch_value(batch, i));
  }
  if (point->unit[0] != 0) bb_json_writer_text(json, "unit", point->unit);
  bb_json_writer_text(json, "quality", bb_quality_name(quality));
  bool has_cause = quality != BB_QUALITY_ABSENT && (quality & BB_CAUSE_MASK) != BB_CAUSE_NONE;
  if (has_cause) bb_json_writer_text(json, "cause", bb_quality_cause(quality));
  if (batch->codes != NULL && batch->codes[i] != 0) {
    bb_json_writer_uint(json, "code", batch->codes[i]);
  }
}

static void put_taken(bb_json_writer *json, const bb_batch *batch) {
  bb_client_put_time(json, "timestamp", batch->time_ns);
  if ((batch->flags & BB_BATCH_CLOCK_UNSET) != 0) bb_json_writer_text(json, "clock", "unset");
}

static void put_scan(bb_json_writer *json, const bb_station_scan *scan, uint64_t done_before) {
  bool fresh = scan->mode == BB_SCAN_PUSHED ? scan->has_latest && !scan->stale
                                            : scan->counters.done > done_before;
  bb_json_writer_map(json, NULL);
  bb_json_writer_text(json, "scan", scan->scan->name);
  bb_json_writer_bool(json, "fresh", fresh);
  if (scan->has_latest) put_taken(json, &scan->latest);
  bb_json_writer_list(json, "points");
  for (uint16_t i = 0; scan->has_latest && i < scan->latest.shape->n_points; i++) {
    bb_json_writer_map(json, NULL);
    bb_request_put_point(json, &scan->latest, i);
    bb_json_writer_end(json);
  }
  bb_json_writer_end(json);
  bb_json_writer_end(json);
}

static void answer(const read_call *reading, const bb_station *station) {
  bb_client *client = reading->call.client;
  bb_json_writer json = bb_request_answer(client, reading->call.id);
  bb_json_writer_text(&json, "device", station->id);
  if (station->known) bb_json_writer_bool(&json, "up", station->up);
  bb_client_put_reason(&json, &station->reason);
  bb_json_writer_list(&json, "scans");
  for (uint32_t i = 0; i < station->n_scans; i++) {
    if (reading->scans >> i & 1) put_scan(&json, &station->scans[i], reading->done[i]);
  }
  bb_json_writer_end(&json);
  bb_request_end(client, &json);
}

/* True once the request was answered. */
static bool check(const read_call *reading) {
  bb_client *client = reading->call.client;
  const bb_station *station = bb_runtime_station(client->socket->runtime, reading->device);
  if (station == NULL || station->leaving) {
    bb_request_refuse(client, reading->call.id, BB_ERR_NOTFOUND,
                      "%s was taken out of the config while it was read", reading->device);
    return true;
  }
  for (uint32_t i = 0; i < station->n_scans; i++) {
    if ((reading->scans >> i & 1) && station->scans[i].polling) return false;
  }
  answer(reading, station);
  return true;
}

void bb_request_check_reads(bb_socket *socket) {
  for (bb_list *node = socket->reads.next; node != &socket->reads;) {
    read_call *reading = BB_LIST_ITEM(node, struct read_call, link);
    node = node->next;
    if (check(reading)) free_reading(reading);
  }
}

static uint32_t choose(const bb_station *station, const bb_doc *patterns) {
  uint32_t scans = 0;
  for (uint32_t i = 0; i < station->n_scans; i++) {
    if (bb_config_matches(patterns, station->scans[i].scan->name)) scans |= 1u << i;
  }
  return scans;
}

static void start(read_call *reading, bb_station *station, uint64_t now_ns) {
  station->attachment->awaited = true;
  for (uint32_t i = 0; i < station->n_scans; i++) {
    bb_station_scan *scan = &station->scans[i];
    reading->done[i] = scan->counters.done;
    bool poll = (reading->scans >> i & 1) && scan->mode == BB_SCAN_POLLED && scan->shape != NULL;
    if (poll && !scan->polling) bb_station_poll(scan, now_ns);
  }
  station->attachment->awaited = false;
}

void bb_request_read_device(bb_request *request) {
  bb_client *client = request->client;
  bb_runtime *runtime = client->socket->runtime;
  read_request in;
  if (!bb_request_read(request, &read_schema, &in)) return;
  bb_station *station = bb_runtime_station(runtime, in.device);
  if (station == NULL || station->leaving || runtime->stopping) {
    bb_request_refuse(client, request->id, BB_ERR_NOTFOUND, "there is no device %s", in.device);
    return;
  }
  uint32_t scans = choose(station, in.scans);
  if (scans == 0) {
    bb_request_refuse(client, request->id, BB_ERR_NOTFOUND, "%s has no scan of that name",
                      in.device);
    return;
  }
  read_call *reading = calloc(1, sizeof(*reading));
  if (reading == NULL) {
    bb_request_refuse(client, request->id, BB_ERR_NOMEM, "out of memory");
    return;
  }
  bb_list_init(&reading->call.link);
  bb_list_init(&reading->link);
  reading->call.on_gone = on_gone;
  reading->scans = scans;
  strncpy(reading->device, in.device, BB_MAX_ID);
  if (!bb_request_start(request, &reading->call)) {
    free(reading);
    return;
  }
  start(reading, station, bb_clock_mono_ns(&runtime->clock));
  bb_list_append(&client->socket->reads, &reading->link);
}
