/* SPDX-License-Identifier: Apache-2.0 */
/* See arena.h. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 4096
#define BLOCK_BYTES_MAX (256 * 1024)

struct bb_arena_block {
  struct bb_arena_block *older;
  size_t cap;
  alignas(max_align_t) unsigned char bytes[];
};

void bb_arena_init(bb_arena *arena, size_t max) {
  *arena = (bb_arena){.max = max};
}

void bb_arena_close(bb_arena *arena) {
  struct bb_arena_block *block = arena->block;
  while (block != NULL) {
    struct bb_arena_block *older = block->older;
    free(block);
    block = older;
  }
  bb_arena_init(arena, arena->max);
}

/* Blocks double with what is already held, so that a small profile costs little and a large
 * document few allocations. */
static int add_block(bb_arena *arena, size_t len) {
  size_t cap = arena->total < BLOCK_BYTES ? BLOCK_BYTES : arena->total;
  if (cap > BLOCK_BYTES_MAX) cap = BLOCK_BYTES_MAX;
  if (cap < len) cap = len;
  size_t left = arena->max - arena->total;
  if (len > left) return -1;
  if (cap > left) cap = left;
  struct bb_arena_block *block = calloc(1, sizeof(*block) + cap);
  if (block == NULL) return -1;
  block->older = arena->block;
  block->cap = cap;
  arena->block = block;
  arena->used = 0;
  arena->total += cap;
  return 0;
}

void *bb_arena_take(bb_arena *arena, size_t len) {
  size_t align = alignof(max_align_t);
  size_t rounded = (len + align - 1) / align * align;
  if (rounded < len) return NULL;
  if (arena->block == NULL || rounded > arena->block->cap - arena->used) {
    if (add_block(arena, rounded) < 0) return NULL;
  }
  void *piece = arena->block->bytes + arena->used;
  arena->used += rounded;
  return piece;
}

char *bb_arena_copy(bb_arena *arena, const char *text, size_t len) {
  char *copy = bb_arena_take(arena, len + 1);
  if (copy != NULL) memcpy(copy, text, len);
  return copy;
}

char *bb_arena_string(bb_arena *arena, const char *text) {
  return bb_arena_copy(arena, text, strlen(text));
}
