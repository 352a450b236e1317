/* SPDX-License-Identifier: Apache-2.0 */
/* See keep.h. No id has a + in it. */
#include "runtime/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

#define NAME_BYTES (2 * BB_MAX_ID + 2)

typedef struct kept {
  char name[NAME_BYTES];
  uint64_t put; /* its number */
  bool saved;
  size_t len;
  unsigned char bytes[];
} kept;

void bb_keep_close(bb_keep *keep) {
  for (size_t i = 0; i < keep->values.cap; i++) {
    if (keep->values.entries[i].key != NULL) free(keep->values.entries[i].value);
  }
  bb_map_close(&keep->values);
}

static int make_name(char name[NAME_BYTES], const char *owner, const char *key) {
  if (!bb_text_is_id(owner) || !bb_text_is_id(key)) return BB_ERR_INVALID;
  snprintf(name, NAME_BYTES, "%s+%s", owner, key);
  return 0;
}

static int remember(bb_keep *keep, const char *name, const void *bytes, size_t len, bool saved) {
  if (len > BB_KEEP_MAX) return BB_ERR_LIMIT;
  kept *value = malloc(sizeof(*value) + len);
  if (value == NULL) return BB_ERR_NOMEM;
  snprintf(value->name, sizeof(value->name), "%s", name);
  value->put = ++keep->puts;
  value->saved = saved;
  value->len = len;
  if (len > 0) memcpy(value->bytes, bytes, len);
  kept *old = bb_map_remove(&keep->values, name);
  int err = bb_map_add(&keep->values, value->name, value);
  if (err < 0) free(value); /* there was no old one: else there would be room */
  free(old);
  return err;
}

int bb_keep_put(bb_keep *keep, const char *owner, const char *key, const void *bytes, size_t len) {
  char name[NAME_BYTES];
  int err = make_name(name, owner, key);
  return err < 0 ? err : remember(keep, name, bytes, len, false);
}

int bb_keep_get(const bb_keep *keep, const char *owner, const char *key, void *out, size_t cap) {
  char name[NAME_BYTES];
  int err = make_name(name, owner, key);
  if (err < 0) return err;
  const kept *value = bb_map_get(&keep->values, name);
  if (value == NULL) return BB_ERR_NOTFOUND;
  size_t len = value->len < cap ? value->len : cap;
  if (len > 0) memcpy(out, value->bytes, len);
  return (int)len;
}

int bb_keep_restore(bb_keep *keep, const char *name, const void *bytes, size_t len) {
  char owner[BB_MAX_ID + 1];
  const char *plus = strchr(name, '+');
  size_t owner_len = plus != NULL ? (size_t)(plus - name) : 0;
  if (owner_len == 0 || owner_len > BB_MAX_ID) return BB_ERR_INVALID;
  memcpy(owner, name, owner_len);
  owner[owner_len] = 0;
  if (!bb_text_is_id(owner) || !bb_text_is_id(plus + 1)) return BB_ERR_INVALID;
  if (bb_map_get(&keep->values, name) != NULL) return 0;
  return remember(keep, name, bytes, len, true);
}

bool bb_keep_unsaved(const bb_keep *keep, size_t *at, bb_kept *out) {
  while (*at < keep->values.cap) {
    const bb_map_entry *entry = &keep->values.entries[(*at)++];
    const kept *value = entry->value;
    if (entry->key == NULL || value->saved) continue;
    *out = (bb_kept){.name = value->name, .bytes = value->bytes, .len = value->len};
    return true;
  }
  return false;
}

static void mark(bb_keep *keep, uint64_t puts, bool saved) {
  for (size_t i = 0; i < keep->values.cap; i++) {
    kept *value = keep->values.entries[i].value;
    if (keep->values.entries[i].key != NULL && value->put <= puts) value->saved = saved;
  }
}

void bb_keep_saved(bb_keep *keep, uint64_t puts) {
  mark(keep, puts, true);
}

void bb_keep_lost(bb_keep *keep) {
  mark(keep, keep->puts, false);
}
