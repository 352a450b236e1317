/* SPDX-License-Identifier: Apache-2.0 */
/* The request store, as far as it reads all of it: a copy, and a look for damage. See request_store.h
 * and reading.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "runtime/reading.h"
#include "runtime/request_store.h"

#define MAX_SENTENCES 1000

typedef struct whole_call {
  bb_call call; /* first */
  bb_reading reading;
  bb_buf sentences; /* of a look; each with its terminator */
  uint32_t n;
  bool copied;
  char path[]; /* of a copy */
} whole_call;

static whole_call *call_of(bb_reading *reading) {
  return BB_LIST_ITEM(reading, whole_call, reading);
}

/* Starts the reading, or refuses the request. */
static void start(bb_request *request, const char *path,
                  int (*read)(bb_reading *reading, bb_store *still),
                  void (*done)(bb_reading *reading)) {
  size_t len = strlen(path) + 1;
  whole_call *asking = calloc(1, sizeof(*asking) + len);
  if (asking == NULL) {
    bb_store_refuse_memory(request);
    return;
  }
  memcpy(asking->path, path, len);
  bb_buf_init(&asking->sentences, MAX_SENTENCES * 1024u);
  asking->reading.read = read;
  asking->reading.done = done;
  if (bb_store_call_begin(request, &asking->call)) {
    int err = bb_reading_start(&asking->reading, &request->client->socket->runtime->save);
    if (err < 0) done(&asking->reading);
  } else {
    free(asking);
  }
}

static bool is_ok(const whole_call *asking) {
  return bb_store_call_ended(&asking->call, asking->reading.result, asking->reading.why);
}

static void end(whole_call *asking) {
  bb_request_finish(&asking->call);
  bb_buf_close(&asking->sentences);
  free(asking);
}

/* --- export --- */

static int copy(bb_reading *reading, bb_store *still) {
  whole_call *asking = call_of(reading);
  int err = bb_store_copy(still, asking->path);
  asking->copied = err >= 0;
  return err;
}

static void on_copied(bb_reading *reading) {
  whole_call *asking = call_of(reading);
  bb_call *call = &asking->call;
  if (asking->copied && reading->result < 0) unlink(asking->path); /* of a store that has failed */
  if (is_ok(asking)) {
    bb_json_writer json = bb_request_answer(call->client, call->id);
    bb_json_writer_text(&json, "path", asking->path);
    bb_request_end(call->client, &json);
  }
  end(asking);
}

void bb_request_export(bb_request *request, const bb_store_request *in) {
  if (!bb_store_request_has(request, in, "path", in->path)) return;
  if (in->path[0] == '/' && strlen(in->path) < BB_MAX_PATH) {
    start(request, in->path, copy, on_copied);
    return;
  }
  bb_request_refuse(request->client, request->id, BB_ERR_INVALID,
                    "%.80s is no absolute path: the runtime does not know the folder that you "
                    "are in",
                    in->path);
}

/* --- verify --- */

static void found(void *user, const char *sentence) {
  whole_call *asking = user;
  if (asking->n >= MAX_SENTENCES) return;
  if (bb_buf_append(&asking->sentences, sentence, strlen(sentence) + 1) == 0) asking->n++;
}

static int look(bb_reading *reading, bb_store *still) {
  return bb_store_verify(still, found, call_of(reading));
}

static void on_looked(bb_reading *reading) {
  whole_call *asking = call_of(reading);
  bb_call *call = &asking->call;
  if (is_ok(asking)) {
    const char *at = (const char *)asking->sentences.bytes;
    bb_json_writer json = bb_request_answer(call->client, call->id);
    bb_json_writer_int(&json, "n", reading->result);
    bb_json_writer_list(&json, "sentences");
    for (uint32_t i = 0; i < asking->n; i++, at += strlen(at) + 1) {
      bb_json_writer_text(&json, NULL, at);
    }
    bb_json_writer_end(&json);
    bb_request_end(call->client, &json);
  }
  end(asking);
}

void bb_request_verify(bb_request *request, const bb_store_request *in) {
  (void)in;
  start(request, "", look, on_looked);
}
