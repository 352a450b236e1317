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

/* For cmocka_run_group_tests: goes through all of it once on a disk of disk.h that works. *state is
 * how many changes of the disk that makes, as an unsigned. */
int story_open_group(void **state);
int story_close_group(void **state);

/* What is in the store after so many steps. */
const char *story_expected(int steps);

/* Opens the store on that disk. */
int story_open(bb_store **out);

/* All that is in the store, bodies by their hashes. Empty when it cannot be read. */
void story_show(bb_store *store, bb_buf *out);

/* The same, valid until the next one. */
const char *story_shown(bb_store *store);

/* bb_store_verify says what it says of a store after so many steps whose disk did not fail: of bodies
 * that are no packs, as those of the story, and of nothing else. */
void story_expect_sound(const char *row, bb_store *store, int steps);

#endif
