/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store has from earlier runs: at the start of this one or, where it could not be opened then,
 * when it can. Streams, how far each sink has read them, devices, shapes and values; no records.
 *
 * Read on whichever thread has the store, taken on the loop. What came since the start is newer than
 * all that is taken: its records are numbered anew, behind those of the store, and a value that was put
 * since stays.
 */
#ifndef BB_RUNTIME_RESTORE_H
#define BB_RUNTIME_RESTORE_H

#include "base/arena.h"
#include "base/list.h"
#include "base/text.h"
#include "runtime/save.h"

/* What was read and is not yet taken. */
typedef struct bb_leftover {
  /* read-only */
  bb_store_stats stats;
  /* private */
  bb_arena arena;
  bb_list names, streams, cursors, values;
  uint64_t age_ns; /* of the oldest packs, at least */
} bb_leftover;

/* 0 or what the store said; close in any case. */
int bb_leftover_read(bb_leftover *left, bb_store *store);
void bb_leftover_close(bb_leftover *left);

/* "3 batches that earlier runs left follow as history" */
const char *bb_leftover_tell(const bb_leftover *left, char out[BB_TEXT_COUNT]);

/*
 * Finds or makes the streams and, for each sink that has not delivered all of one, its intake: that of
 * its outlet, or one that is parked under the sink's id (runtime/parking.h). 0; or BB_ERR_NOMEM, and
 * nothing was taken but names and values.
 */
int bb_leftover_take(bb_leftover *left, bb_save *save);

#endif
