/* SPDX-License-Identifier: Apache-2.0 */
/* See reading.h. */
#include "runtime/reading.h"

#include <stdio.h>

#include "base/err.h"
#include "io/error.h"
#include "runtime/runtime.h"

#define ENDING "the runtime is ending"

static bb_reading *reading_of(bb_spool_job *job) {
  return BB_LIST_ITEM(job, bb_reading, job);
}

static void fail(bb_reading *reading, int err, const char *why) {
  reading->result = err;
  snprintf(reading->why, sizeof(reading->why), "%s", why);
}

static void push(bb_reading *reading, int (*run)(bb_spool_job *job, bb_store *store),
                 void (*done)(bb_spool_job *job)) {
  reading->job = (bb_spool_job){.run = run, .done = done};
  bb_spool_push(&reading->save->spool, &reading->job);
}

static void begin(bb_reading *reading);

static void finish(bb_reading *reading) {
  bb_save *save = reading->save;
  bb_list_remove(&reading->link);
  bb_list *next = bb_list_first(&save->readings);
  if (next != NULL) begin(BB_LIST_ITEM(next, bb_reading, link));
  reading->done(reading);
  if (next == NULL) bb_save_read(save);
}

/* --- the end of it --- */

static int run_release(bb_spool_job *job, bb_store *store) {
  bb_reading *reading = reading_of(job);
  bb_store_close(reading->still);
  reading->still = NULL;
  int err = bb_store_release(store, &reading->hold);
  if (err < 0) fail(reading, err, bb_store_why(store));
  return 0;
}

/* A store that failed was closed, and what was read of it may have changed meanwhile. */
static void on_released(bb_spool_job *job) {
  bb_reading *reading = reading_of(job);
  if (job->result < 0) {
    bb_store_close(reading->still);
    fail(reading, BB_ERR_STATE, "the store has failed while it was looked at; ask again");
  }
  finish(reading);
}

/* --- reading --- */

static void on_work(uv_work_t *work) {
  bb_reading *reading = work->data;
  reading->result = reading->read(reading, reading->still);
  if (reading->result < 0) fail(reading, reading->result, bb_store_why(reading->still));
}

static void on_read(uv_work_t *work, int status) {
  bb_reading *reading = work->data;
  reading->working = false;
  if (status == UV_ECANCELED) {
    fail(reading, BB_ERR_CLOSED, ENDING);
  } else if (status < 0) {
    fail(reading, status, bb_error_text(status));
  }
  push(reading, run_release, on_released);
}

/* --- the beginning --- */

static int run_hold(bb_spool_job *job, bb_store *store) {
  bb_reading *reading = reading_of(job);
  bb_store_options options = {.path = reading->save->spool.path, .still = true};
  int err = bb_store_hold_still(store, &reading->hold);
  if (err < 0) return err;
  reading->result = bb_store_open(&options, &reading->still, reading->why);
  if (reading->result < 0) bb_store_release(store, &reading->hold);
  return 0;
}

static void on_held(bb_spool_job *job) {
  bb_reading *reading = reading_of(job);
  bb_save *save = reading->save;
  if (job->result < 0) fail(reading, job->result, job->why);
  if (reading->still == NULL) {
    finish(reading);
    return;
  }
  reading->work.data = reading;
  int err = save->ending ? BB_ERR_CLOSED
                         : uv_queue_work(save->runtime->loop, &reading->work, on_work, on_read);
  reading->working = err == 0;
  if (err == 0) return;
  fail(reading, err, save->ending ? ENDING : bb_error_text(err));
  push(reading, run_release, on_released);
}

static void begin(bb_reading *reading) {
  push(reading, run_hold, on_held);
}

int bb_reading_start(bb_reading *reading, bb_save *save) {
  bool first = bb_list_empty(&save->readings);
  if (save->ending) {
    fail(reading, BB_ERR_CLOSED, ENDING);
    return BB_ERR_CLOSED;
  }
  reading->save = save;
  bb_list_append(&save->readings, &reading->link);
  if (first) begin(reading);
  return 0;
}

void bb_readings_end(bb_save *save) {
  for (bb_list *node = save->readings.next; node != &save->readings; node = node->next) {
    bb_reading *reading = BB_LIST_ITEM(node, bb_reading, link);
    if (!reading->working) continue;
    /* It may still wait for a thread, behind lookups that hang. */
    if (uv_cancel((uv_req_t *)&reading->work) < 0) bb_store_interrupt(reading->still);
  }
}
