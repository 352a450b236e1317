/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads all of the store while saving goes on: a look for damage, a copy. The main file is held still
 * (store.h) and read through a connection of its own, on libuv's thread pool; what is saved meanwhile
 * stays in the log. One after the other; the end of the runtime ends them.
 */
#ifndef BB_RUNTIME_READING_H
#define BB_RUNTIME_READING_H

#include "runtime/save.h"

typedef struct bb_reading bb_reading;

struct bb_reading {
  /* public; `read` on another thread, `done` on the loop */
  int (*read)(bb_reading *reading, bb_store *still);
  void (*done)(bb_reading *reading);
  /* read-only in done */
  int result;             /* of read, or why it could not be done */
  char why[BB_STORE_WHY]; /* the sentence to a failure */
  /* private */
  bb_save *save;
  bb_spool_job job;
  bb_store_hold hold;
  bb_store *still;
  uv_work_t work;
  bool working;
  bb_list link;
};

/* The reading is the caller's and must last until done. There must be a store (save->open). 0; BB_ERR_CLOSED
 * once that is to be closed, also in `result` and with a sentence in `why`: done is not called. */
int bb_reading_start(bb_reading *reading, bb_save *save);

/* Ends those under way soon; each is done all the same. */
void bb_readings_end(bb_save *save);

#endif
