/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request store: what it may ask for, and the store as a file: what it holds, a copy, a look at
 * everything.
 *
 *   {"id":3,"op":"store","do":"reassign","sink":"old-bus","to":"bus"}
 *   {"id":3,"ok":true,"batches":4711}
 *
 * What is not at once is done on the store's thread; the loop goes on meanwhile. What waits for
 * sinks is in request_backlog.c, dead letters are in request_letters.c, what reads all of it is in
 * request_whole.c.
 */
#include "runtime/request_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/error.h"
#include "runtime/holdings.h"
#include "runtime/letters.h"
#include "runtime/store_state.h"

#define MAX_LETTER 9007199254740991.0 /* 2^53 - 1 */

static const char *const orders[] = {"list",      "drop",   "reassign", "dead", "requeue",
                                     "drop_dead", "export", "verify",   NULL};

static const bb_field store_fields[] = {
    BB_REQUEST_HEAD,
    {"do", BB_FIELD_CHOICE, offsetof(bb_store_request, what), .required = true, .choices = orders,
     .help = "What is to be done."},
    {"sink", BB_FIELD_ID, offsetof(bb_store_request, sink), .help = "Of which sink."},
    {"to", BB_FIELD_ID, offsetof(bb_store_request, to),
     .help = "reassign: the sink that is to have it."},
    {"live", BB_FIELD_BOOL, offsetof(bb_store_request, live), .fallback = "false",
     .help = "drop: also of a sink of the config that runs."},
    {"path", BB_FIELD_TEXT, offsetof(bb_store_request, path),
     .help = "export: an absolute path; there must be no such file yet."},
    {"letter", BB_FIELD_NUMBER, offsetof(bb_store_request, letter), .min = 1, .max = MAX_LETTER,
     .help = "requeue, drop_dead: only the dead letter of that id."},
    {"after", BB_FIELD_NUMBER, offsetof(bb_store_request, after), .max = MAX_LETTER,
     .help = "dead: those with a higher id."},
    {"limit", BB_FIELD_U32, offsetof(bb_store_request, limit), .min = 1, .max = BB_LETTERS_MAX,
     .help = "dead: at most so many."},
};
static const bb_schema store_schema = BB_SCHEMA("store", store_fields);

bool bb_store_request_has(bb_request *request, const bb_store_request *in, const char *field,
                          const char *value) {
  if (value != NULL) return true;
  bb_request_refuse(request->client, request->id, BB_ERR_INVALID, "%s needs the field %s",
                    orders[in->what], field);
  return false;
}

/* --- on the store's thread --- */

/* What goes on without its client. */
static void on_gone(bb_call *call) {
  (void)call;
}

bool bb_store_call_begin(bb_request *request, bb_call *call) {
  bb_runtime *runtime = request->client->socket->runtime;
  if (!runtime->save.open) {
    bb_request_refuse(request->client, request->id, BB_ERR_STATE,
                      "this runtime has no store: it cannot write in its data directory");
    return false;
  }
  bb_list_init(&call->link);
  call->on_gone = on_gone;
  return bb_request_start(request, call);
}

bool bb_store_call_start(bb_request *request, bb_store_call *call,
                         int (*run)(bb_spool_job *job, bb_store *store),
                         void (*done)(bb_spool_job *job)) {
  bb_runtime *runtime = request->client->socket->runtime;
  call->runtime = runtime;
  call->job.run = run;
  call->job.done = done;
  if (!bb_store_call_begin(request, &call->call)) return false;
  bb_spool_push(&runtime->save.spool, &call->job);
  return true;
}

bool bb_store_call_ended(const bb_call *call, int result, const char *why) {
  if (result < 0 && call->client != NULL) {
    bb_request_refuse(call->client, call->id, result, "%s",
                      why[0] != 0 ? why : bb_error_text(result));
  }
  return result >= 0 && call->client != NULL;
}

bool bb_store_call_ok(const bb_store_call *call) {
  const char *why = call->job.why;
  if (call->job.result == BB_ERR_STATE) {
    why = "the store was damaged, and a fresh one was begun meanwhile; ask again";
  }
  return bb_store_call_ended(&call->call, call->job.result, why);
}

/* --- list --- */

typedef struct list_call {
  bb_store_call base; /* first */
  bb_holdings list;
} list_call;

static int run_list(bb_spool_job *job, bb_store *store) {
  list_call *listing = (list_call *)BB_STORE_CALL(job);
  return bb_holdings_read(&listing->list, store);
}

static void on_listed(bb_spool_job *job) {
  list_call *listing = (list_call *)BB_STORE_CALL(job);
  bb_call *call = &listing->base.call;
  if (bb_store_call_ok(&listing->base)) {
    bb_json_writer json = bb_request_answer(call->client, call->id);
    bb_holdings_put(&listing->list, &json);
    bb_request_end(call->client, &json);
  }
  bb_request_finish(call);
  bb_holdings_close(&listing->list);
  free(listing);
}

void bb_store_refuse_memory(bb_request *request) {
  bb_request_refuse(request->client, request->id, BB_ERR_NOMEM, "out of memory");
}

static void list(bb_request *request, const bb_store_request *in) {
  (void)in;
  list_call *listing = calloc(1, sizeof(*listing));
  if (listing == NULL) {
    bb_store_refuse_memory(request);
  } else if (!bb_store_call_start(request, &listing->base, run_list, on_listed)) {
    free(listing);
  }
}

/* As in `orders`. */
static void (*const serve[])(bb_request *request, const bb_store_request *in) = {
    list,
    bb_request_drop,
    bb_request_reassign,
    bb_request_letters,
    bb_request_requeue,
    bb_request_drop_letters,
    bb_request_export,
    bb_request_verify,
};

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
