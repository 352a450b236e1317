/* SPDX-License-Identifier: Apache-2.0 */
/* See spool.h. */
#include "runtime/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"

/* What another try cannot mend, or what must not be tried. */
static bool is_final(int err) {
  return err == BB_ERR_VERSION || err == BB_ERR_BUSY;
}

/* Errors of the store itself, after which it is opened anew; others are the job's. */
static bool is_of_store(int err) {
  return err == BB_ERR_IO || err == BB_ERR_FORMAT || err == BB_ERR_DENIED || err == BB_ERR_LIMIT;
}

static void note_damage(bb_spool *spool, const char *why, const char *aside) {
  uv_mutex_lock(&spool->lock);
  snprintf(spool->damage, sizeof(spool->damage), "%s", why);
  free(spool->aside);
  spool->aside = strdup(aside);
  uv_mutex_unlock(&spool->lock);
}

static int set_aside(bb_spool *spool, const char *why) {
  char aside[BB_MAX_PATH + 64];
  bb_clock clock = bb_clock_system();
  int err = bb_store_set_aside(spool->path, bb_clock_utc_ns(&clock), aside, sizeof(aside));
  /* What can no longer be found is gone, too. */
  if (err == 0 || access(spool->path, F_OK) != 0) spool->store_epoch++;
  if (err < 0) return err;
  note_damage(spool, why, aside);
  return 0;
}

static int open_store(bb_spool *spool, char why[BB_STORE_WHY]) {
  bb_store_options options = {.path = spool->path};
  int err = bb_store_open(&options, &spool->store, why);
  if (err != BB_ERR_FORMAT) return err;
  char damage[BB_STORE_WHY];
  memcpy(damage, why, sizeof(damage));
  err = set_aside(spool, damage);
  if (err < 0) return err;
  return bb_store_open(&options, &spool->store, why);
}

static int reopen(bb_spool *spool, char why[BB_STORE_WHY], int before) {
  bb_clock clock = bb_clock_system();
  uint64_t now = bb_clock_mono_ns(&clock);
  if (spool->tried_ns != 0 && now < spool->tried_ns + BB_SPOOL_REOPEN_MS * BB_NS_PER_MS) {
    return before;
  }
  spool->tried_ns = now;
  return open_store(spool, why);
}

static bool may_open(bb_spool *spool, const bb_spool_job *job) {
  uv_mutex_lock(&spool->lock);
  bool may = spool->restored || job->restores;
  uv_mutex_unlock(&spool->lock);
  return may;
}

static void run_job(bb_spool *spool, bb_spool_job *job, char why[BB_STORE_WHY], int *state) {
  if (spool->store == NULL && may_open(spool, job)) *state = reopen(spool, why, *state);
  if (spool->store == NULL) {
    job->result = *state < 0 ? *state : BB_ERR_IO;
    memcpy(job->why, why, BB_STORE_WHY);
    job->epoch = spool->store_epoch;
    return;
  }
  if (job->epoch != spool->store_epoch) { /* made for the store that was before */
    job->result = BB_ERR_STATE;
    job->epoch = spool->store_epoch;
    return;
  }
  job->result = job->run(job, spool->store);
  job->why[0] = 0;
  if (job->result >= 0) return;
  snprintf(job->why, sizeof(job->why), "%s", bb_store_why(spool->store));
  if (!is_of_store(job->result)) return;
  memcpy(why, job->why, BB_STORE_WHY);
  *state = job->result;
  bb_store_close(spool->store);
  spool->store = NULL;
  if (job->result != BB_ERR_FORMAT) return;
  /* Damage that an opening does not see must not come back with the next job. */
  if (set_aside(spool, why) == 0) spool->tried_ns = 0;
  job->epoch = spool->store_epoch;
}

static void work(void *arg) {
  bb_spool *spool = arg;
  char why[BB_STORE_WHY];
  int state = 0;
  memcpy(why, spool->why, sizeof(why));
  for (;;) {
    uv_mutex_lock(&spool->lock);
    while (bb_list_empty(&spool->jobs) && !spool->stopping)
      uv_cond_wait(&spool->wake, &spool->lock);
    bb_list *node = bb_list_first(&spool->jobs);
    if (node != NULL) bb_list_remove(node);
    uv_mutex_unlock(&spool->lock);
    if (node == NULL) break;
    bb_spool_job *job = BB_LIST_ITEM(node, bb_spool_job, link);
    run_job(spool, job, why, &state);
    uv_mutex_lock(&spool->lock);
    bb_list_append(&spool->ended, &job->link);
    uv_mutex_unlock(&spool->lock);
    uv_async_send(&spool->async);
  }
  bb_store_close(spool->store);
  spool->store = NULL;
  uv_mutex_lock(&spool->lock);
  spool->finished = true;
  uv_mutex_unlock(&spool->lock);
  uv_async_send(&spool->async);
}

static void tell_damage(bb_spool *spool) {
  uv_mutex_lock(&spool->lock);
  char *aside = spool->aside;
  spool->aside = NULL;
  uv_mutex_unlock(&spool->lock);
  if (aside == NULL) return;
  bb_log_error(spool->log, "store",
               "damaged: %s; it was set aside as %s and a fresh one begun; what it held is not "
               "sent; to see what can still be read of it: busbar store list --file %s",
               spool->damage, aside, aside);
  free(aside);
}

static void tell_failure(bb_spool *spool, const char *why) {
  bb_log_error(spool->log, "store",
               "%s; the runtime goes on with what its memory holds and tries again", why);
}

static void note_state(bb_spool *spool, const bb_spool_job *job) {
  bool failing = job->result < 0 && job->result != BB_ERR_STATE &&
                 (job->must_work || is_of_store(job->result));
  if (failing && !spool->failing) {
    tell_failure(spool, job->why);
  } else if (!failing && spool->failing && job->result >= 0) {
    bb_log_info(spool->log, "store", "works again%s", job->then);
  }
  if (job->result >= 0 || failing) spool->failing = failing;
  if (failing) memcpy(spool->why, job->why, sizeof(spool->why));
}

static void end_jobs(bb_spool *spool) {
  tell_damage(spool);
  for (;;) {
    uv_mutex_lock(&spool->lock);
    bb_list *node = bb_list_first(&spool->ended);
    if (node != NULL) bb_list_remove(node);
    uv_mutex_unlock(&spool->lock);
    if (node == NULL) return;
    bb_spool_job *job = BB_LIST_ITEM(node, bb_spool_job, link);
    spool->waiting--;
    note_state(spool, job);
    if (job->epoch != spool->epoch) {
      spool->epoch = job->epoch;
      spool->on_fresh(spool);
    }
    job->done(job);
  }
}

static void on_handle_closed(uv_handle_t *handle) {
  bb_spool *spool = handle->data;
  uv_cond_destroy(&spool->wake);
  uv_mutex_destroy(&spool->lock);
  spool->on_closed(spool);
}

static void on_async(uv_async_t *async) {
  bb_spool *spool = async->data;
  uv_mutex_lock(&spool->lock);
  bool finished = spool->finished;
  uv_mutex_unlock(&spool->lock);
  end_jobs(spool);
  if (!finished) return;
  uv_thread_join(&spool->thread);
  uv_close((uv_handle_t *)&spool->async, on_handle_closed);
}

int bb_spool_open(bb_spool *spool, uv_loop_t *loop, const char *path, bb_log *log,
                  char why[BB_STORE_WHY]) {
  *spool = (bb_spool){.path = path, .log = log};
  bb_list_init(&spool->jobs);
  bb_list_init(&spool->ended);
  int err = uv_mutex_init(&spool->lock);
  if (err < 0) return err;
  err = uv_cond_init(&spool->wake);
  if (err < 0) {
    uv_mutex_destroy(&spool->lock);
    return err;
  }
  err = open_store(spool, why);
  tell_damage(spool);
  spool->epoch = spool->store_epoch;
  if (!is_final(err)) {
    if (err < 0) {
      tell_failure(spool, why);
      memcpy(spool->why, why, sizeof(spool->why));
      spool->failing = true;
    }
    err = uv_async_init(loop, &spool->async, on_async);
    spool->async.data = spool;
    if (err == 0) return 0;
  }
  bb_store_close(spool->store);
  uv_cond_destroy(&spool->wake);
  uv_mutex_destroy(&spool->lock);
  return err;
}

void bb_spool_restored(bb_spool *spool) {
  uv_mutex_lock(&spool->lock);
  spool->restored = true;
  uv_mutex_unlock(&spool->lock);
}

static void shut(bb_spool *spool) {
  bb_store_close(spool->store);
  spool->store = NULL;
}

void bb_spool_fail(bb_spool *spool, const char *why) {
  snprintf(spool->why, sizeof(spool->why), "%s", why);
  shut(spool);
  spool->failing = true;
  tell_failure(spool, spool->why);
}

void bb_spool_discard(bb_spool *spool, const char *why) {
  bb_store_options options = {.path = spool->path};
  shut(spool);
  if (set_aside(spool, why) < 0) return;
  tell_damage(spool);
  spool->epoch = spool->store_epoch;
  spool->restored = true;
  if (bb_store_open(&options, &spool->store, spool->why) < 0) spool->failing = true;
}

bb_store *bb_spool_store(bb_spool *spool) {
  return spool->store;
}

/* Not before: until then the store is the loop's, for what is to be read at the start. */
static int start(bb_spool *spool) {
  if (spool->started) return 0;
  int err = uv_thread_create(&spool->thread, work, spool);
  if (err == 0) spool->started = true;
  return err;
}

void bb_spool_push(bb_spool *spool, bb_spool_job *job) {
  int err = start(spool);
  spool->waiting++;
  job->epoch = spool->epoch;
  uv_mutex_lock(&spool->lock);
  if (err == 0) {
    bb_list_append(&spool->jobs, &job->link);
  } else {
    job->result = BB_ERR_NOMEM;
    snprintf(job->why, sizeof(job->why), "the store's thread cannot be started: %s",
             uv_strerror(err));
    bb_list_append(&spool->ended, &job->link);
  }
  uv_mutex_unlock(&spool->lock);
  if (err == 0) {
    uv_cond_signal(&spool->wake);
  } else {
    uv_async_send(&spool->async);
  }
}

void bb_spool_close(bb_spool *spool, void (*on_closed)(bb_spool *spool)) {
  spool->on_closed = on_closed;
  if (!spool->started) {
    bb_store_close(spool->store);
    uv_close((uv_handle_t *)&spool->async, on_handle_closed);
    return;
  }
  uv_mutex_lock(&spool->lock);
  spool->stopping = true;
  uv_mutex_unlock(&spool->lock);
  uv_cond_signal(&spool->wake);
}
