/* SPDX-License-Identifier: Apache-2.0 */
/* See map.h. Open addressing with linear probing, at most three quarters full. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"

void bb_map_close(bb_map *map) {
  free(map->entries);
  *map = (bb_map){0};
}

static size_t home(const bb_map *map, const char *key) {
  uint64_t hash = bb_hash_string(BB_HASH_START, key);
  return (size_t)(hash ^ hash >> 32) & (map->cap - 1);
}

/* The place of the key, or the free place where it would stand. */
static bb_map_entry *place(const bb_map *map, const char *key) {
  size_t at = home(map, key);
  while (map->entries[at].key != NULL && strcmp(map->entries[at].key, key) != 0) {
    at = (at + 1) & (map->cap - 1);
  }
  return &map->entries[at];
}

static int grow(bb_map *map) {
  bb_map wider = {.cap = map->cap > 0 ? map->cap * 2 : 16, .n = map->n};
  wider.entries = calloc(wider.cap, sizeof(*wider.entries));
  if (wider.entries == NULL) return BB_ERR_NOMEM;
  for (size_t i = 0; i < map->cap; i++) {
    if (map->entries[i].key != NULL) *place(&wider, map->entries[i].key) = map->entries[i];
  }
  free(map->entries);
  *map = wider;
  return 0;
}

void *bb_map_get(const bb_map *map, const char *key) {
  return map->n > 0 ? place(map, key)->value : NULL;
}

int bb_map_add(bb_map *map, const char *key, void *value) {
  if (map->n >= map->cap / 4 * 3) {
    int err = grow(map);
    if (err < 0) return err;
  }
  bb_map_entry *entry = place(map, key);
  if (entry->key != NULL) return BB_ERR_EXISTS;
  *entry = (bb_map_entry){key, value};
  map->n++;
  return 0;
}

void *bb_map_remove(bb_map *map, const char *key) {
  if (map->n == 0) return NULL;
  bb_map_entry *entry = place(map, key);
  if (entry->key == NULL) return NULL;
  void *value = entry->value;
  *entry = (bb_map_entry){0};
  map->n--;
  /* Entries that had to step past the freed place move back, so that no look-up stops early. */
  size_t at = (size_t)(entry - map->entries);
  for (;;) {
    at = (at + 1) & (map->cap - 1);
    bb_map_entry moved = map->entries[at];
    if (moved.key == NULL) return value;
    map->entries[at] = (bb_map_entry){0};
    *place(map, moved.key) = moved;
  }
}
