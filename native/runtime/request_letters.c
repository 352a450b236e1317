/* SPDX-License-Identifier: Apache-2.0 */
/* The request store, as far as it is about dead letters: a page of them, sending them again, and
 * taking them away. See request_store.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/known_sinks.h"
#include "runtime/letters.h"
#include "runtime/request_store.h"
#include "runtime/revive.h"

typedef struct letters_call {
  bb_store_call base; /* first */
  bb_letters page;
  bool dropping;          /* what is read is to be taken away */
  uint64_t done, strays;  /* requeue: letters sent again; of sinks that are not there */
  bb_store_stats stats;   /* after dropping */
  bb_known_sinks known;   /* where there was nothing to drop */
  char by[BB_MAX_ID + 1]; /* the client, which may be gone at the end */
} letters_call;

static letters_call *call_of(bb_spool_job *job) {
  return (letters_call *)BB_STORE_CALL(job);
}

static void free_call(letters_call *asking) {
  bb_request_finish(&asking->base.call);
  bb_letters_close(&asking->page);
  bb_known_sinks_close(&asking->known);
  free(asking);
}

static int run_read(bb_spool_job *job, bb_store *store) {
  return bb_letters_read(&call_of(job)->page, store);
}

/* Starts to read a page, or refuses the request. */
static void start(bb_request *request, const bb_store_request *in,
                  int (*run)(bb_spool_job *job, bb_store *store), void (*done)(bb_spool_job *job)) {
  letters_call *asking = calloc(1, sizeof(*asking));
  if (asking == NULL) {
    bb_request_refuse(request->client, request->id, BB_ERR_NOMEM, "out of memory");
    return;
  }
  bb_letters *page = &asking->page;
  if (in->sink != NULL) snprintf(page->sink, sizeof(page->sink), "%s", in->sink);
  page->after = (int64_t)in->after;
  page->only = (int64_t)in->letter;
  page->limit = in->limit;
  snprintf(asking->by, sizeof(asking->by), "%s", request->client->name);
  if (!bb_store_call_start(request, &asking->base, run, done)) free(asking);
}

/* --- dead --- */

static void on_read(bb_spool_job *job) {
  letters_call *asking = call_of(job);
  bb_call *call = &asking->base.call;
  const bb_save *save = &asking->base.runtime->save;
  if (bb_store_call_ok(&asking->base)) {
    bb_json_writer json = bb_request_answer(call->client, call->id);
    bb_json_writer_list(&json, "letters");
    for (uint32_t i = 0; i < asking->page.n; i++) {
      if (bb_save_is_revived(save, asking->page.items[i].id)) continue;
      bb_letters_put(&asking->page, i, &save->names, &json);
    }
    bb_json_writer_end(&json);
    bb_json_writer_bool(&json, "more", asking->page.more);
    bb_request_end(call->client, &json);
  }
  free_call(asking);
}

void bb_request_letters(bb_request *request, const bb_store_request *in) {
  start(request, in, run_read, on_read);
}

/* --- requeue --- */

static void answer_requeued(const letters_call *asking, const char *reason) {
  const bb_call *call = &asking->base.call;
  if (call->client == NULL) return;
  if (asking->page.only != 0 && asking->done == 0 && asking->strays == 0) {
    bb_request_refuse(call->client, call->id, BB_ERR_NOTFOUND, "there is no dead letter %lld",
                      (long long)asking->page.only);
    return;
  }
  bb_json_writer json = bb_request_answer(call->client, call->id);
  bb_json_writer_uint(&json, "requeued", asking->done);
  bb_json_writer_uint(&json, "left", asking->strays);
  if (reason != NULL) bb_json_writer_text(&json, "reason", reason);
  bb_request_end(call->client, &json);
}

/* The letters of the page, until one finds no room: then false. */
static bool revive(letters_call *asking) {
  bb_letters *page = &asking->page;
  for (uint32_t i = 0; i < page->n; i++) {
    int err = bb_revive(asking->base.runtime, page, i);
    if (err == BB_ERR_AGAIN || err == BB_ERR_NOMEM) return false;
    asking->done += err == 0;
    asking->strays += err < 0 && err != BB_ERR_EXISTS;
    page->after = page->items[i].id;
  }
  return true;
}

static void on_requeue(bb_spool_job *job) {
  letters_call *asking = call_of(job);
  bb_runtime *runtime = asking->base.runtime;
  bool reached = job->result >= 0 && !runtime->stopping;
  bool room = reached && revive(asking);
  /* What was requeued is saved before the next page is read. */
  bb_save_look(&runtime->save);
  if (room && asking->page.more) {
    bb_letters_close(&asking->page);
    bb_spool_push(&runtime->save.spool, &asking->base.job);
    return;
  }
  if (job->result < 0) {
    bb_store_call_ok(&asking->base);
  } else {
    const char *full = "there is no room in memory for more of them; ask again once those are on "
                       "the disk";
    answer_requeued(asking, room ? NULL : runtime->stopping ? "the runtime is ending" : full);
  }
  free_call(asking);
}

void bb_request_requeue(bb_request *request, const bb_store_request *in) {
  const bb_runtime *runtime = request->client->socket->runtime;
  const bb_outlet *outlet = in->sink != NULL ? bb_runtime_outlet(runtime, in->sink) : NULL;
  if (in->sink != NULL && (outlet == NULL || outlet->closing)) {
    bb_request_refuse(request->client, request->id, BB_ERR_NOTFOUND,
                      "there is no sink %s in the config that runs; its dead letters stay",
                      in->sink);
    return;
  }
  start(request, in, run_read, on_requeue);
}

/* --- drop_dead --- */

static int run_drop(bb_spool_job *job, bb_store *store) {
  letters_call *asking = call_of(job);
  int err = bb_letters_drop(&asking->page, store, &asking->done);
  if (err >= 0) err = bb_store_read_stats(store, &asking->stats);
  if (err >= 0 && asking->done == 0) err = bb_known_sinks_read(&asking->known, store);
  return err;
}

static void log_dropped(const letters_call *asking) {
  const char *sink = asking->page.sink;
  if (asking->done == 0) return;
  bb_log_warn(asking->base.runtime->log, sink[0] != 0 ? sink : "store",
              "%llu dead letter%s dropped by client %s", (unsigned long long)asking->done,
              asking->done == 1 ? " was" : "s were", asking->by);
}

/* Of a sink that neither the store nor the config knows. */
static bool is_unknown(const letters_call *asking) {
  const char *sink = asking->page.sink;
  return asking->done == 0 && sink[0] != 0 && !bb_known_sinks_has(&asking->known, sink) &&
         !bb_store_request_is_configured(asking->base.runtime, sink);
}

static void refuse_unknown(letters_call *asking) {
  char ask[BB_TEXT_ASK];
  const bb_config *config = asking->base.runtime->config;
  /* One that there is no memory for is not proposed. */
  for (uint32_t i = 0; config != NULL && i < config->n_sinks; i++) {
    (void)bb_known_sinks_add(&asking->known, config->sinks[i].id);
  }
  bb_request_refuse(asking->base.call.client, asking->base.call.id, BB_ERR_NOTFOUND,
                    "there is no dead letter of a sink %s%s", asking->page.sink,
                    bb_text_ask(ask, bb_known_sinks_near(&asking->known, asking->page.sink), ""));
}

static void answer_dropped(letters_call *asking) {
  const bb_call *call = &asking->base.call;
  if (asking->page.only != 0 && asking->done == 0) {
    bb_request_refuse(call->client, call->id, BB_ERR_NOTFOUND, "there is no dead letter %lld",
                      (long long)asking->page.only);
  } else if (is_unknown(asking)) {
    refuse_unknown(asking);
  } else {
    bb_json_writer json = bb_request_answer(call->client, call->id);
    bb_json_writer_uint(&json, "dropped", asking->done);
    bb_request_end(call->client, &json);
  }
}

static void on_dropped(bb_spool_job *job) {
  letters_call *asking = call_of(job);
  if (job->result >= 0) bb_save_take_stats(&asking->base.runtime->save, &asking->stats);
  log_dropped(asking);
  if (bb_store_call_ok(&asking->base)) answer_dropped(asking);
  free_call(asking);
}

void bb_request_drop_letters(bb_request *request, const bb_store_request *in) {
  start(request, in, run_drop, on_dropped);
}
