/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store may go through, as transactions one after the other, and its whole content as text: to
 * compare a store whose disk failed with one whose disk did not.
 */
#ifndef BB_TEST_STORE_STORY_H
#define BB_TEST_STORE_STORY_H

#include "base/buf.h"
#include "store/store.h"

#define STORY_STEPS 10
#define STORY_LOG_PAGES 20 /* so that the log is moved several times */

/* The transaction of that number (from 0), without begin and commit. 0 or the first error. */
int story_step(bb_store *store, int step);

/* Begin, the step, commit, or else a rollback. */
int story_commit(bb_store *store, int step);

/* What each step leaves on a disk of disk.h that works, `texts[n]` after n of them, to be freed by
 * story_forget. Returns how many changes of the disk all of it makes. */
unsigned story_learn(char *texts[STORY_STEPS + 1]);
void story_forget(char *texts[STORY_STEPS + 1]);

/* Opens the store on that disk. */
int story_open(bb_store **out);

/* All that is in the store, bodies by their hashes. Empty when it cannot be read. */
void story_show(bb_store *store, bb_buf *out);

#endif
