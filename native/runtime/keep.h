/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few bytes under a name: what a sink must remember across a restart. They live in memory, and are
 * saved to the store (runtime/save.h) at once. Without a store they live as long as the process, and
 * the log says so once.
 */
#ifndef BB_RUNTIME_KEEP_H
#define BB_RUNTIME_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

#define BB_KEEP_MAX 4096

typedef struct bb_keep {
  /* read-only */
  uint64_t puts; /* so far: numbers the values */
  /* private */
  bb_map values;
} bb_keep;

/* A value as it is to be saved. Valid until the next call. */
typedef struct bb_kept {
  const char *name; /* "<owner>+<key>" */
  const void *bytes;
  size_t len;
} bb_kept;

void bb_keep_close(bb_keep *keep);

/* `owner` and `key` are ids. 0, BB_ERR_INVALID, BB_ERR_NOMEM, BB_ERR_LIMIT. */
int bb_keep_put(bb_keep *keep, const char *owner, const char *key, const void *bytes, size_t len);

/* Bytes copied, at most cap; BB_ERR_NOTFOUND. */
int bb_keep_get(const bb_keep *keep, const char *owner, const char *key, void *out, size_t cap);

/* From the store, by its name; what was put meanwhile is newer, and stays. 0 or as put; a name that no
 * put makes is BB_ERR_INVALID. */
int bb_keep_restore(bb_keep *keep, const char *name, const void *bytes, size_t len);

/* Walks over the values that are not saved: start with *at = 0; false at the end. */
bool bb_keep_unsaved(const bb_keep *keep, size_t *at, bb_kept *out);

/* What was put up to `puts` is in the store. */
void bb_keep_saved(bb_keep *keep, uint64_t puts);

/* The store has nothing of it any more. */
void bb_keep_lost(bb_keep *keep);

#endif
