/* SPDX-License-Identifier: Apache-2.0 */
/* The request store, what waits for sinks: dropped, or given from one that is gone to another. */
#include <stdio.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/parking.h"
#include "runtime/request_store.h"

static void answer_batches(bb_request *request, uint64_t batches) {
  bb_json_writer json = bb_request_answer(request->client, request->id);
  bb_json_writer_uint(&json, "batches", batches);
  bb_request_end(request->client, &json);
}

static const bb_config *wanted_config(const bb_runtime *runtime) {
  return runtime->next != NULL ? runtime->next : runtime->config;
}

bool bb_store_request_is_configured(const bb_runtime *runtime, const char *sink) {
  const bb_config *config = wanted_config(runtime);
  const bb_config_sink *found = config != NULL ? bb_map_get(&config->sinks_by_id, sink) : NULL;
  return bb_runtime_outlet(runtime, sink) != NULL || (found != NULL && found->enabled);
}

static const char *nearest_orphan(const bb_runtime *runtime, const char *sink,
                                  char out[BB_TEXT_ASK]) {
  const char *names[BB_MAX_SINKS];
  const void *at = NULL;
  bb_orphan orphan;
  size_t n = 0;
  while (n < BB_MAX_SINKS && bb_parking_next(runtime, &at, &orphan)) names[n++] = orphan.sink;
  return bb_text_ask(out, bb_text_nearest(sink, names, n), "");
}

static void refuse_unknown(bb_request *request, const char *sink) {
  char near[BB_TEXT_ASK];
  bb_request_refuse(request->client, request->id, BB_ERR_NOTFOUND,
                    "nothing waits for a sink %s that is gone%s", sink,
                    nearest_orphan(request->client->socket->runtime, sink, near));
}

static void drop_live(bb_request *request, const char *sink) {
  bb_runtime *runtime = request->client->socket->runtime;
  bb_outlet *outlet = bb_runtime_outlet(runtime, sink);
  if (outlet == NULL || outlet->closing) {
    bb_request_refuse(request->client, request->id, BB_ERR_BUSY,
                      "%s is just being changed; ask again", sink);
    return;
  }
  char count[BB_TEXT_COUNT];
  uint64_t dropped = bb_outlet_drop_all(outlet);
  bb_log_warn(runtime->log, sink, "%s dropped by client %s",
              bb_text_count(count, dropped, "batch that waited was", "batches that waited were"),
              request->client->name);
  answer_batches(request, dropped);
}

void bb_request_drop(bb_request *request, const bb_store_request *in) {
  bb_runtime *runtime = request->client->socket->runtime;
  if (!bb_store_request_has(request, in, "sink", in->sink)) return;
  bool configured = bb_store_request_is_configured(runtime, in->sink);
  if (configured && !in->live) {
    bb_request_refuse(request->client, request->id, BB_ERR_STATE,
                      "%s is a sink of the config that runs, and what waits for it will be sent; "
                      "to drop it all the same, add --live to busbar store, or \"live\":true to "
                      "the request",
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

void bb_request_reassign(bb_request *request, const bb_store_request *in) {
  bb_client *client = request->client;
  bb_runtime *runtime = client->socket->runtime;
  if (!bb_store_request_has(request, in, "sink", in->sink) ||
      !bb_store_request_has(request, in, "to", in->to))
    return;
  bb_outlet *to = bb_runtime_outlet(runtime, in->to);
  if (bb_store_request_is_configured(runtime, in->sink)) {
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
