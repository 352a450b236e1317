/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is taken in small pieces and given back all at once: documents, profiles, config.
 * Pieces are aligned for any type and zeroed.
 */
#ifndef BB_BASE_ARENA_H
#define BB_BASE_ARENA_H

#include <stddef.h>

typedef struct bb_arena {
  /* private */
  struct bb_arena_block *block;
  size_t used;  /* of the newest block */
  size_t total; /* of all blocks, in bytes */
  size_t max;
} bb_arena;

/* Allocates nothing. `max` in bytes over all blocks. */
void bb_arena_init(bb_arena *arena, size_t max);

/* Frees every piece; the arena is as after init. */
void bb_arena_close(bb_arena *arena);

/* NULL when memory or `max` is used up. */
void *bb_arena_take(bb_arena *arena, size_t len);

/* A terminated copy; NULL as above. */
char *bb_arena_copy(bb_arena *arena, const char *text, size_t len);
char *bb_arena_string(bb_arena *arena, const char *text);

#endif
