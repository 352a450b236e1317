/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few bytes under a name, kept in the data directory: what a sink must remember across a restart.
 * One file a key, replaced as a whole and synced, so that a cut leaves the old or the new. Without a
 * data directory, or with one that cannot be written, they live as long as the process, and the log
 * says so once.
 */
#ifndef BB_RUNTIME_KEEP_H
#define BB_RUNTIME_KEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "base/map.h"

#define BB_KEEP_MAX 4096

typedef struct bb_keep {
  /* private */
  const char *dir; /* NULL: memory only */
  bb_log *log;
  bb_map values;
  bool warned;
} bb_keep;

void bb_keep_init(bb_keep *keep, const char *dir, bb_log *log);
void bb_keep_close(bb_keep *keep);

/* `owner` and `key` are ids. 1: safe on disk; 0: kept in memory only; BB_ERR_NOMEM, BB_ERR_LIMIT. */
int bb_keep_put(bb_keep *keep, const char *owner, const char *key, const void *bytes, size_t len);

/* Bytes copied, at most cap; BB_ERR_NOTFOUND. */
int bb_keep_get(bb_keep *keep, const char *owner, const char *key, void *out, size_t cap);

#endif
