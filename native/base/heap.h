/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A min-heap of intrusive nodes ordered by a 64-bit key (a due time). The array is sized once;
 * inserting and removing allocate nothing. It holds the keys beside the nodes, so that comparing them
 * touches no node: with hundreds of nodes these are rarely in the cache.
 */
#ifndef BB_BASE_HEAP_H
#define BB_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct bb_heap_node {
  uint64_t key;   /* public; change it only while the node is out of the heap */
  uint32_t place; /* private: 1-based, 0 when out of the heap */
} bb_heap_node;

typedef struct bb_heap_entry {
  uint64_t key;
  bb_heap_node *node;
} bb_heap_entry;

typedef struct bb_heap {
  /* read-only */
  bb_heap_entry *entries;
  size_t n;
  size_t cap;
} bb_heap;

/* All zero is an empty heap. */
void bb_heap_close(bb_heap *heap);

/* Room for `cap` nodes in all. 0 or BB_ERR_NOMEM. Never shrinks. */
int bb_heap_reserve(bb_heap *heap, size_t cap);

/* The room must have been reserved. */
void bb_heap_insert(bb_heap *heap, bb_heap_node *node);

/* Harmless when the node is out of the heap. */
void bb_heap_remove(bb_heap *heap, bb_heap_node *node);

/* The node with the smallest key, or NULL. */
static inline bb_heap_node *bb_heap_first(const bb_heap *heap) {
  return heap->n > 0 ? heap->entries[0].node : NULL;
}

#endif
