/* SPDX-License-Identifier: Apache-2.0 */
/* See restore_job.h. */
#include "runtime/restore_job.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/parking.h"
#include "runtime/restore.h"
#include "runtime/runtime.h"

typedef struct restore_job {
  bb_spool_job job; /* first */
  bb_save *save;
  bb_leftover left;
  void (*on_done)(bb_save *save, int err);
} restore_job;

/* On the store's thread. */
static int run(bb_spool_job *job, bb_store *store) {
  char count[BB_TEXT_COUNT];
  bb_leftover *left = &((restore_job *)job)->left;
  int err = bb_leftover_read(left, store);
  if (err >= 0 && left->stats.records > 0) {
    snprintf(job->then, sizeof(job->then), "; %s", bb_leftover_tell(left, count));
  }
  return err < 0 ? err : 0;
}

static void on_done(bb_spool_job *job) {
  restore_job *one = (restore_job *)job;
  bb_save *save = one->save;
  bb_runtime *runtime = save->runtime;
  void (*done)(bb_save *, int) = one->on_done;
  int err = job->result;
  if (err >= 0) err = bb_leftover_take(&one->left, save);
  bb_leftover_close(&one->left);
  free(one);
  /* While a config is exchanged, that does it at its end. */
  bool settled = runtime->config != NULL && runtime->next == NULL && !runtime->stopping;
  if (settled) bb_parking_settle(runtime);
  runtime->untidy = true;
  runtime->wake_set = UINT64_MAX;
  done(save, err);
}

int bb_restore_job_start(bb_save *save, void (*done)(bb_save *save, int err)) {
  restore_job *one = calloc(1, sizeof(*one));
  if (one == NULL) return BB_ERR_NOMEM;
  one->save = save;
  one->on_done = done;
  one->job.run = run;
  one->job.done = on_done;
  one->job.must_work = one->job.restores = true;
  bb_spool_push(&save->spool, &one->job);
  return 0;
}
