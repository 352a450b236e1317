/* SPDX-License-Identifier: Apache-2.0 */
/* See lookup.h. Open addressing, at most half full. */
#include "addon/lookup.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"

#define FIRST_CAPACITY 16

typedef struct bb_lookup_entry {
  uint64_t key;
  int32_t place;
  bool taken;
} entry;

void bb_lookup_close(bb_lookup *lookup) {
  free(lookup->entries);
  *lookup = (bb_lookup){0};
}

/* Where the key is, or could be; the table has a free place. */
static entry *find(const bb_lookup *lookup, uint64_t key) {
  size_t at = (size_t)((key * 0x9e3779b97f4a7c15ull) >> 20);
  for (;; at++) {
    entry *e = &lookup->entries[at & (lookup->cap - 1)];
    if (!e->taken || e->key == key) return e;
  }
}

int32_t bb_lookup_get(const bb_lookup *lookup, uint64_t key) {
  if (lookup->n == 0) return -1;
  const entry *e = find(lookup, key);
  return e->taken ? e->place : -1;
}

static int grow(bb_lookup *lookup) {
  bb_lookup wider = {.cap = lookup->cap > 0 ? 2 * lookup->cap : FIRST_CAPACITY, .n = lookup->n};
  wider.entries = calloc(wider.cap, sizeof(entry));
  if (wider.entries == NULL) return BB_ERR_NOMEM;
  for (size_t i = 0; i < lookup->cap; i++) {
    if (lookup->entries[i].taken) *find(&wider, lookup->entries[i].key) = lookup->entries[i];
  }
  free(lookup->entries);
  *lookup = wider;
  return 0;
}

int bb_lookup_add(bb_lookup *lookup, uint64_t key, int32_t place) {
  if (2 * (lookup->n + 1) > lookup->cap) {
    int err = grow(lookup);
    if (err < 0) return err;
  }
  *find(lookup, key) = (entry){key, place, true};
  lookup->n++;
  return 0;
}
