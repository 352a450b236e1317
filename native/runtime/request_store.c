/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request store: what waits for sinks that are gone or for too long, and the store as a file.
 *
 *   {"id":3,"op":"store","do":"reassign","sink":"old-bus","to":"bus"}
 *   {"id":3,"ok":true,"batches":4711}
 */
#include <stdio.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/parking.h"
#include "runtime/request.h"
#include "runtime/store_state.h"

typedef struct bb_store_request {
  bb_request_head head;
  int what; /* place in `orders` */
  const char *sink, *to;
  bool live;
} bb_store_request;

static const char *const orders[] = {"drop", "reassign", NULL};

static const bb_field store_fields[] = {
    BB_REQUEST_HEAD,
    {"do", BB_FIELD_CHOICE, offsetof(bb_store_request, what), .required = true, .choices = orders,
     .help = "What is to be done."},
    {"sink", BB_FIELD_ID, offsetof(bb_store_request, sink), .help = "Of which sink."},
    {"to", BB_FIELD_ID, offsetof(bb_store_request, to),
     .help = "reassign: the sink that is to have it."},
    {"live", BB_FIELD_BOOL, offsetof(bb_store_request, live), .fallback = "false",
     .help = "drop: also of a sink of the config that runs."},
};
static const bb_schema store_schema = BB_SCHEMA("store", store_fields);

static void answer_batches(bb_request *request, uint64_t batches) {
  bb_json_writer json = bb_request_answer(request->client, request->id);
  bb_json_writer_uint(&json, "batches", batches);
  bb_request_end(request->client, &json);
}

static const bb_config *wanted_config(const bb_runtime *runtime) {
  return runtime->next != NULL ? runtime->next : runtime->config;
}

/* Whether the sink is one that runs, or that is being changed and will soon. */
static bool is_configured(const bb_runtime *runtime, const char *sink) {
  const bb_config *config = wanted_config(runtime);
  const bb_config_sink *found = config != NULL ? bb_map_get(&config->sinks_by_id, sink) : NULL;
  return bb_runtime_outlet(runtime, sink) != NULL || (found != NULL && found->enabled);
}

/* "; did you mean old-bus" or "". */
static const char *nearest_orphan(const bb_runtime *runtime, const char *sink, char *out,
                                  size_t cap) {
  const char *names[BB_MAX_SINKS];
  const void *at = NULL;
  bb_orphan orphan;
  size_t n = 0;
  while (n < BB_MAX_SINKS && bb_parking_next(runtime, &at, &orphan)) names[n++] = orphan.sink;
  const char *near = bb_text_nearest(sink, names, n);
  snprintf(out, cap, "%s%s", near != NULL ? "; did you mean " : "", near != NULL ? near : "");
  return out;
}

static void refuse_unknown(bb_request *request, const char *sink) {
  char near[BB_MAX_ID + 32];
  bb_request_refuse(request->client, request->id, BB_ERR_NOTFOUND,
                    "nothing waits for a sink %s that is gone%s", sink,
                    nearest_orphan(request->client->socket->runtime, sink, near, sizeof(near)));
}

/* True if the field is there; else the request was refused. */
static bool has(bb_request *request, const bb_store_request *in, const char *field,
                const char *value) {
  if (value != NULL) return true;
  bb_request_refuse(request->client, request->id, BB_ERR_INVALID, "%s needs the field %s",
                    orders[in->what], field);
  return false;
}

static void drop_live(bb_request *request, const char *sink) {
  bb_runtime *runtime = request->client->socket->runtime;
  bb_outlet *outlet = bb_runtime_outlet(runtime, sink);
  if (outlet == NULL || outlet->closing) {
    bb_request_refuse(request->client, request->id, BB_ERR_BUSY,
                      "%s is just being changed; ask again", sink);
    return;
  }
  uint64_t dropped = bb_outlet_drop_all(outlet);
  bb_log_warn(runtime->log, sink, "%llu batches that waited were dropped by client %s",
              (unsigned long long)dropped, request->client->name);
  answer_batches(request, dropped);
}

static void drop(bb_request *request, const bb_store_request *in) {
  bb_runtime *runtime = request->client->socket->runtime;
  if (!has(request, in, "sink", in->sink)) return;
  bool configured = is_configured(runtime, in->sink);
  if (configured && !in->live) {
    bb_request_refuse(request->client, request->id, BB_ERR_STATE,
                      "%s is a sink of the config that runs, and what waits for it will be sent; "
                      "live drops it all the same",
                      in->sink);
    return;
  }
  if (configured) {
    drop_live(request, in->sink);
    return;
  }
  int64_t dropped = bb_parking_drop(runtime, in->sink);
  if (dropped < 0) {
    refuse_unknown(request, in->sink);
    return;
  }
  bb_log_warn(runtime->log, in->sink,
              "%lld batches that it had not been sent were dropped by client %s",
              (long long)dropped, request->client->name);
  answer_batches(request, (uint64_t)dropped);
}

static void reassign(bb_request *request, const bb_store_request *in) {
  bb_client *client = request->client;
  bb_runtime *runtime = client->socket->runtime;
  if (!has(request, in, "sink", in->sink) || !has(request, in, "to", in->to)) return;
  bb_outlet *to = bb_runtime_outlet(runtime, in->to);
  if (is_configured(runtime, in->sink)) {
    bb_request_refuse(client, request->id, BB_ERR_STATE,
                      "%s is a sink of the config that runs; only what waits for one that is gone "
                      "can be given to another",
                      in->sink);
  } else if (to == NULL || to->closing) {
    bb_request_refuse(client, request->id, BB_ERR_NOTFOUND,
                      "there is no sink %s in the config that runs", in->to);
  } else {
    int64_t given = bb_parking_reassign(runtime, in->sink, to);
    if (given < 0) {
      refuse_unknown(request, in->sink);
      return;
    }
    bb_log_info(runtime->log, in->sink,
                "%lld batches that it had not been sent were given to %s by client %s",
                (long long)given, in->to, client->name);
    answer_batches(request, (uint64_t)given);
  }
}

/* As in `orders`. */
static void (*const serve[])(bb_request *request, const bb_store_request *in) = {drop, reassign};

void bb_request_store(bb_request *request) {
  bb_runtime *runtime = request->client->socket->runtime;
  bb_store_request in;
  if (!bb_request_read(request, &store_schema, &in)) return;
  if (runtime->stopping) {
    bb_request_refuse(request->client, request->id, BB_ERR_CLOSED, "the runtime is ending");
    return;
  }
  serve[in.what](request, &in);
  bb_store_state_look(runtime);
}
