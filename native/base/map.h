/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table from strings to pointers. Keys are not copied: they must live as long as their
 * entry, which is natural for an id that lies inside the value.
 */
#ifndef BB_BASE_MAP_H
#define BB_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct bb_map_entry {
  const char *key; /* NULL: free place */
  void *value;
} bb_map_entry;

typedef struct bb_map {
  /* read-only */
  bb_map_entry *entries; /* for a walk: 0..cap, skip those without a key */
  size_t n;
  size_t cap; /* a power of two, or 0 */
} bb_map;

/* All zero is an empty map. */
void bb_map_close(bb_map *map);

/* The value, or NULL. */
void *bb_map_get(const bb_map *map, const char *key);

/* 0, BB_ERR_EXISTS or BB_ERR_NOMEM. */
int bb_map_add(bb_map *map, const char *key, void *value);

/* The value that was there, or NULL. */
void *bb_map_remove(bb_map *map, const char *key);

#endif
