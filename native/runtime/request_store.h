/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the request store share: request_store (what it holds), request_backlog (what waits
 * for sinks), request_letters (dead letters) and request_whole (copies, a look at everything). */
#ifndef BB_RUNTIME_REQUEST_STORE_H
#define BB_RUNTIME_REQUEST_STORE_H

#include "runtime/request.h"

typedef struct bb_store_request {
  bb_request_head head;
  int what; /* place among the orders of request_store.c */
  const char *sink, *to, *path;
  bool live;
  double after, letter; /* ids of dead letters; 0: none is given */
  uint32_t limit;
} bb_store_request;

/* True if the field is there; else the request was refused. */
bool bb_store_request_has(bb_request *request, const bb_store_request *in, const char *field,
                          const char *value);

/* A request that is done on the store's thread. It lies in what it needs, and is its maker's. */
typedef struct bb_store_call {
  bb_call call;
  bb_spool_job job;
  bb_runtime *runtime;
} bb_store_call;

#define BB_STORE_CALL(spool_job) BB_LIST_ITEM(spool_job, bb_store_call, job)

/* Takes over `call`, which lies first in what is freed by the maker, and sends `run` to the store's
 * thread: then `done` follows, which ends with bb_request_finish. False after the request was refused;
 * the call is then still the maker's. */
bool bb_store_call_start(bb_request *request, bb_store_call *call,
                         int (*run)(bb_spool_job *job, bb_store *store),
                         void (*done)(bb_spool_job *job));

/* In done: false after the request was refused for a failure; also when the client has gone. */
bool bb_store_call_ok(const bb_store_call *call);

/* The same by parts: whether a call that needs the store may begin; whether it came to a good end, and
 * somebody waits for its answer. */
bool bb_store_call_begin(bb_request *request, bb_call *call);
bool bb_store_call_ended(const bb_call *call, int result, const char *why);

/* Whether the sink is one that runs, or that is being changed and will soon. */
bool bb_store_request_is_configured(const bb_runtime *runtime, const char *sink);

void bb_store_refuse_memory(bb_request *request);

void bb_request_drop(bb_request *request, const bb_store_request *in);
void bb_request_reassign(bb_request *request, const bb_store_request *in);
void bb_request_letters(bb_request *request, const bb_store_request *in);
void bb_request_requeue(bb_request *request, const bb_store_request *in);
void bb_request_drop_letters(bb_request *request, const bb_store_request *in);
void bb_request_export(bb_request *request, const bb_store_request *in);
void bb_request_verify(bb_request *request, const bb_store_request *in);

#endif
