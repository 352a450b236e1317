/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table from 64-bit numbers to places in an array: devices by number, shapes by hash. */
#ifndef BB_ADDON_LOOKUP_H
#define BB_ADDON_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

typedef struct bb_lookup {
  /* private */
  struct bb_lookup_entry *entries;
  size_t n;
  size_t cap; /* a power of two, or 0 */
} bb_lookup;

/* All zero is an empty table. */
void bb_lookup_close(bb_lookup *lookup);

/* The place, or -1. */
int32_t bb_lookup_get(const bb_lookup *lookup, uint64_t key);

/* `key` is not in the table yet, `place` not negative. 0 or BB_ERR_NOMEM. */
int bb_lookup_add(bb_lookup *lookup, uint64_t key, int32_t place);

#endif
