/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's thread, and the jobs that it does one after the other. A job runs with the open store
 * and comes back to the loop with its result.
 *
 * A disk that fails does not end anything: the store is closed after a failed job and opened again
 * for a later one, at most once in BB_SPOOL_REOPEN_MS. A damaged store is set aside under a new name
 * and a fresh one is opened; what the former held is gone, and jobs that were made for it end with
 * BB_ERR_STATE.
 *
 * What earlier runs left must not be mixed with what this one has numbered on its own. So until it was
 * taken (bb_spool_restored), only a job that takes it opens the store.
 */
#ifndef BB_RUNTIME_SPOOL_H
#define BB_RUNTIME_SPOOL_H

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"
#include "base/log.h"
#include "store/store.h"

#define BB_SPOOL_REOPEN_MS 1000

typedef struct bb_spool bb_spool;
typedef struct bb_spool_job bb_spool_job;

struct bb_spool_job {
  /* public; `run` on the store's thread, its result in `result`; `done` on the loop */
  int (*run)(bb_spool_job *job, bb_store *store);
  void (*done)(bb_spool_job *job);
  void *user;
  bool must_work; /* any failure is the store's, and is told */
  bool restores;  /* takes what earlier runs left */
  /* read-only in done */
  int result;             /* run's, or why the store could not be opened */
  char why[BB_STORE_WHY]; /* the sentence to a failure */
  char then[96];          /* set by run: goes behind "works again" */
  /* private */
  uint32_t epoch; /* of the store that it was made for; then of the one that there is */
  bb_list link;
};

struct bb_spool {
  /* public: set after open */
  void (*on_fresh)(bb_spool *spool); /* a fresh store has taken the place of a damaged one */
  /* read-only on the loop */
  const char *path;
  bool failing; /* the newest job failed for the store's sake */
  char why[BB_STORE_WHY];
  uint32_t waiting; /* jobs that have not come back */
  /* private */
  bb_log *log;
  bb_store *store;      /* the thread's */
  uint32_t epoch;       /* the loop's */
  uint32_t store_epoch; /* the thread's */
  uint64_t tried_ns;
  bb_list jobs, ended; /* below the lock */
  bool started, stopping, finished;
  bool restored; /* below the lock, too */
  uv_mutex_t lock;
  uv_cond_t wake;
  uv_thread_t thread;
  uv_async_t async;
  void (*on_closed)(bb_spool *spool);
  char *aside; /* below the lock: what the damaged store is called now */
  char damage[BB_STORE_WHY];
};

/*
 * Opens the store at `path`, on the caller's thread, so that its first jobs find it; then starts the
 * thread. A damaged store is set aside. 0; BB_ERR_VERSION or BB_ERR_BUSY with a sentence in `why`
 * when this program must not touch it. Another failure is told with `failing` and is tried again.
 */
int bb_spool_open(bb_spool *spool, uv_loop_t *loop, const char *path, bb_log *log,
                  char why[BB_STORE_WHY]);

/* The store itself, before the first job was pushed. NULL while it cannot be opened. */
bb_store *bb_spool_store(bb_spool *spool);

/* What the store held was taken, so that it may be written. */
void bb_spool_restored(bb_spool *spool);

/* Before the first job: sets the store aside as damaged and opens a fresh one. */
void bb_spool_discard(bb_spool *spool, const char *why);

/* Before the first job: it cannot be read. Closes it; a later job opens it again. */
void bb_spool_fail(bb_spool *spool, const char *why);

/* The job's memory is the caller's and must last until done. */
void bb_spool_push(bb_spool *spool, bb_spool_job *job);

/* Does all jobs that were pushed, calls their done, closes the store and ends the thread; then
 * on_closed. */
void bb_spool_close(bb_spool *spool, void (*on_closed)(bb_spool *spool));

#endif
