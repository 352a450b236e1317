/* SPDX-License-Identifier: Apache-2.0 */
/* See keep.h. A key's file is "keep.<owner>+<key>": no id has a + in it. What was put is remembered
 * too, so that a disk that failed does not bring an older value back. */
#include "runtime/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "io/error.h"
#include "runtime/file.h"

#define PREFIX "keep."
#define NAME_BYTES (sizeof(PREFIX) + 2 * BB_MAX_ID + 1)

typedef struct kept {
  char name[NAME_BYTES];
  size_t len;
  unsigned char bytes[];
} kept;

void bb_keep_init(bb_keep *keep, const char *dir, bb_log *log) {
  *keep = (bb_keep){.dir = dir, .log = log};
}

void bb_keep_close(bb_keep *keep) {
  for (size_t i = 0; i < keep->values.cap; i++) {
    if (keep->values.entries[i].key != NULL) free(keep->values.entries[i].value);
  }
  bb_map_close(&keep->values);
}

/* The ids are checked: what is to become a file name comes from elsewhere. */
static int make_name(char name[NAME_BYTES], const char *owner, const char *key) {
  if (!bb_text_is_id(owner) || !bb_text_is_id(key)) return BB_ERR_INVALID;
  snprintf(name, NAME_BYTES, PREFIX "%s+%s", owner, key);
  return 0;
}

static int remember(bb_keep *keep, const char *name, const void *bytes, size_t len) {
  kept *value = malloc(sizeof(*value) + len);
  if (value == NULL) return BB_ERR_NOMEM;
  memcpy(value->name, name, strlen(name) + 1);
  value->len = len;
  if (len > 0) memcpy(value->bytes, bytes, len);
  kept *old = bb_map_remove(&keep->values, name);
  int err = bb_map_add(&keep->values, value->name, value);
  if (err < 0) free(value); /* there was no old one: else there would be room */
  free(old);
  return err;
}

static void warn(bb_keep *keep, const char *owner, int err) {
  if (keep->warned) return;
  keep->warned = true;
  if (keep->dir == NULL) {
    bb_log_warn(keep->log, owner,
                "what it must remember is lost on a restart: there is no data "
                "directory that can be written");
  } else {
    bb_log_warn(keep->log, owner,
                "what it must remember is lost on a restart: %s cannot be written (%s); free space "
                "or permissions there may help",
                keep->dir, bb_error_text(err));
  }
}

int bb_keep_put(bb_keep *keep, const char *owner, const char *key, const void *bytes, size_t len) {
  char name[NAME_BYTES];
  if (len > BB_KEEP_MAX) return BB_ERR_LIMIT;
  int err = make_name(name, owner, key);
  if (err == 0) err = remember(keep, name, bytes, len);
  if (err < 0) return err;
  if (keep->dir != NULL) err = bb_file_replace(keep->dir, name, bytes, len);
  if (keep->dir == NULL || err < 0) {
    warn(keep, owner, err);
    return 0;
  }
  keep->warned = false;
  return 1;
}

int bb_keep_get(bb_keep *keep, const char *owner, const char *key, void *out, size_t cap) {
  char name[NAME_BYTES];
  int err = make_name(name, owner, key);
  if (err < 0) return err;
  const kept *value = bb_map_get(&keep->values, name);
  if (value != NULL) {
    size_t len = value->len < cap ? value->len : cap;
    if (len > 0) memcpy(out, value->bytes, len);
    return (int)len;
  }
  if (keep->dir == NULL) return BB_ERR_NOTFOUND;
  int n = bb_file_peek(keep->dir, name, out, cap);
  return n == UV_ENOENT ? BB_ERR_NOTFOUND : n;
}
