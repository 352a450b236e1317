/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request probe: reads a device once by a document that need not be applied, and answers with what
 * it says and the bytes that it said it with; see probe.h for what that does to what runs.
 *
 *   {"id":9,"op":"probe","document":"...","device":"meter-1","scans":["fast"]}
 *   {"id":9,"ok":true,"device":"meter-1","connected":true,"through":"gateway","took_ms":38,"scans":[
 *     {"scan":"fast","fresh":true,"timestamp":1767225600000,"points":[
 *       {"name":"voltage/l1","value":230.4,"unit":"V","quality":"good",
 *        "raw":"4366 6666","table":"holding","address":40,"type":"float32","order":"ABCD"}]}]}
 *
 * A device that does not answer is an answer too: "connected": false, with "reason" and "code".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/error.h"
#include "runtime/probe.h"
#include "runtime/request.h"

typedef struct probe_request {
  bb_request_head head;
  const char *document, *name, *device;
  const bb_doc *scans;
  bool learn;
} probe_request;

static const bb_field probe_fields[] = {
    BB_REQUEST_HEAD,
    {"document", BB_FIELD_TEXT, offsetof(probe_request, document), .required = true,
     .help = "A document as text, YAML or JSON, in which the device and its connection stand."},
    {"name", BB_FIELD_TEXT, offsetof(probe_request, name), .fallback = "document",
     .help = "What mistakes call it; profiles are looked up beside it."},
    {"device", BB_FIELD_ID, offsetof(probe_request, device), .required = true,
     .help = "Which device."},
    {"scans", BB_FIELD_LIST, offsetof(probe_request, scans),
     .help = "Patterns of scan names; without it all."},
    {"learn", BB_FIELD_BOOL, offsetof(probe_request, learn), .fallback = "false",
     .help = "Where the device refuses addresses, read on until it is known which."},
};
static const bb_schema probe_schema = BB_SCHEMA("probe", probe_fields);

typedef struct probe_call {
  bb_call call;
  bb_runtime_probe *probe;
} probe_call;

/* --- the answer --- */

/* "4366 6666": a group a register. */
static void put_raw(bb_json_writer *json, const uint8_t *raw, uint16_t len) {
  char text[BB_DRAFT_RAW * 3 + 1];
  size_t at = 0;
  for (uint16_t i = 0; i < len; i++) {
    at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%02x", i > 0 && i % 2 == 0 ? " " : "",
                           raw[i]);
  }
  bb_json_writer_text(json, "raw", text);
}

static void put_origin(bb_json_writer *json, const bb_profile_point *point, uint8_t quality,
                       const uint8_t *raw) {
  const bb_codec *codec = &point->codec;
  uint16_t len = codec->raw_bytes;
  /* A part of a text would pass for the whole of it. */
  if (len <= BB_DRAFT_RAW && bb_draft_has_raw(quality, codec)) put_raw(json, raw, len);
  if (point->space != BB_SPACE_NONE) {
    bb_json_writer_text(json, "table", bb_space_name(point->space));
    bb_json_writer_uint(json, "address", point->address);
  }
  bb_json_writer_text(json, "type", bb_raw_name(codec->raw));
  if (len > 2 && codec->raw != BB_RAW_TEXT) {
    bb_json_writer_text(json, "order", bb_order_name(codec->order));
  }
}

static void put_scan(bb_json_writer *json, const bb_runtime_probe *probe, uint32_t place) {
  const bb_runtime_probe_scan *scan = &probe->scans[place];
  const bb_scan *list = &probe->list[place];
  const bb_profile_point *points = probe->wish.device->profile->points;
  bb_json_writer_map(json, NULL);
  bb_json_writer_text(json, "scan", list->name);
  bb_json_writer_bool(json, "fresh", scan->fresh);
  if (scan->has_batch) bb_client_put_time(json, "timestamp", scan->batch.time_ns);
  bb_json_writer_list(json, "points");
  for (uint16_t i = 0; scan->has_batch && i < scan->batch.shape->n_points; i++) {
    bb_json_writer_map(json, NULL);
    bb_request_put_point(json, &scan->batch, i);
    if (i < list->n_points) {
      put_origin(json, &points[list->points[i]], scan->batch.quality[i],
                 scan->raw + (size_t)i * BB_DRAFT_RAW);
    }
    bb_json_writer_end(json);
  }
  bb_json_writer_end(json);
  bb_json_writer_end(json);
}

static void answer(bb_client *client, uint32_t id, const bb_runtime_probe *probe) {
  bb_json_writer json = bb_request_answer(client, id);
  bb_json_writer_text(&json, "device", probe->wish.device->id);
  bb_json_writer_bool(&json, "connected", probe->answered);
  bb_client_put_reason(&json, &probe->reason);
  if (probe->through[0] != 0) bb_json_writer_text(&json, "through", probe->through);
  if (probe->other_options) bb_json_writer_bool(&json, "other_options", true);
  bb_json_writer_uint(&json, "took_ms", probe->took_ns / BB_NS_PER_MS);
  bb_json_writer_list(&json, "scans");
  for (uint32_t i = 0; i < probe->n_scans; i++) put_scan(&json, probe, i);
  bb_json_writer_end(&json);
  bb_request_end(client, &json);
}

static void on_done(bb_runtime_probe *probe) {
  probe_call *probing = probe->wish.user;
  bb_client *client = probing->call.client;
  uint32_t id = probing->call.id;
  if (client == NULL) {
    /* It has gone. */
  } else if (probe->status < 0) {
    bb_request_refuse(client, id, probe->status, "%s was not read: %s", probe->wish.device->id,
                      probe->reason.text);
  } else {
    answer(client, id, probe);
  }
  bb_request_finish(&probing->call);
  free(probing);
}

/* on_done frees the call. */
static void on_gone(bb_call *call) {
  bb_runtime_probe_cancel(((struct probe_call *)call)->probe);
}

/* --- the request --- */

/* False after the request was answered with what is wrong. */
static bool parse(bb_request *request, const probe_request *in, bb_config **out) {
  bb_report report;
  bb_report_init(&report);
  int err = bb_config_parse(out, in->name, in->document, strlen(in->document),
                            request->client->socket->runtime->kinds, &report);
  if (err == BB_ERR_CONFIG || !bb_report_ok(&report)) {
    bb_request_refuse_mistakes(request->client, request->id,
                               "the document has mistakes; nothing was read", &report);
  } else if (err < 0) {
    bb_request_refuse(request->client, request->id, err, "the document cannot be read: %s",
                      bb_error_text(err));
  }
  bool ok = err == 0 && bb_report_ok(&report);
  if (err == 0 && !ok) bb_config_unref(*out);
  bb_report_close(&report);
  return ok;
}

/* Finds the device and its scans; false after the request was refused. */
static bool choose(bb_request *request, const probe_request *in, bb_runtime_probe_wish *wish) {
  const bb_config_device *device = bb_map_get(&wish->config->devices_by_id, in->device);
  if (device == NULL) {
    bb_request_refuse(request->client, request->id, BB_ERR_NOTFOUND,
                      "there is no device %s in the document", in->device);
    return false;
  }
  wish->device = device;
  for (uint32_t i = 0; i < device->n_scans; i++) {
    if (bb_config_matches(in->scans, device->scans[i].name)) wish->scans |= 1u << i;
  }
  if (wish->scans == 0) {
    bb_request_refuse(request->client, request->id, BB_ERR_NOTFOUND, "%s has no scan of that name",
                      in->device);
  }
  return wish->scans != 0;
}

/* Takes over the wish's config. */
static void start(bb_request *request, probe_call *probing, const bb_runtime_probe_wish *wish) {
  bb_runtime *runtime = request->client->socket->runtime;
  bb_reason reason = {0};
  if (!bb_request_start(request, &probing->call)) {
    bb_config_unref(wish->config);
    free(probing);
    return;
  }
  int err = bb_runtime_probe_start(runtime, wish, &probing->probe, &reason);
  if (err == 0) return;
  bb_request_refuse(request->client, request->id, err, "%s", reason.text);
  bb_request_finish(&probing->call);
  free(probing);
}

void bb_request_probe(bb_request *request) {
  probe_request in;
  bb_runtime_probe_wish wish = {.on_done = on_done};
  if (!bb_request_read(request, &probe_schema, &in)) return;
  if (!parse(request, &in, &wish.config)) return;
  if (!choose(request, &in, &wish)) {
    bb_config_unref(wish.config);
    return;
  }
  probe_call *probing = calloc(1, sizeof(*probing));
  if (probing == NULL) {
    bb_config_unref(wish.config);
    bb_request_refuse(request->client, request->id, BB_ERR_NOMEM, "out of memory");
    return;
  }
  bb_list_init(&probing->call.link);
  probing->call.on_gone = on_gone;
  wish.user = probing;
  wish.learn = in.learn;
  start(request, probing, &wish);
}
