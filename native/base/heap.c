/* SPDX-License-Identifier: Apache-2.0 */
/* See heap.h. */
#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"

/* Half as many levels as with two, and so half as many nodes to be told their place. */
#define CHILDREN 4

void bb_heap_close(bb_heap *heap) {
  free(heap->entries);
  *heap = (bb_heap){0};
}

int bb_heap_reserve(bb_heap *heap, size_t cap) {
  if (cap <= heap->cap) return 0;
  bb_heap_entry *entries = realloc(heap->entries, cap * sizeof(*entries));
  if (entries == NULL) return BB_ERR_NOMEM;
  heap->entries = entries;
  heap->cap = cap;
  return 0;
}

static void put(bb_heap *heap, size_t at, bb_heap_entry entry) {
  heap->entries[at] = entry;
  entry.node->place = (uint32_t)at + 1;
}

static void rise(bb_heap *heap, size_t at, bb_heap_entry entry) {
  while (at > 0) {
    size_t parent = (at - 1) / CHILDREN;
    if (heap->entries[parent].key <= entry.key) break;
    put(heap, at, heap->entries[parent]);
    at = parent;
  }
  put(heap, at, entry);
}

static void sink(bb_heap *heap, size_t at, bb_heap_entry entry) {
  const bb_heap_entry *entries = heap->entries;
  for (;;) {
    size_t child = CHILDREN * at + 1, end = child + CHILDREN;
    if (child >= heap->n) break;
    if (end > heap->n) end = heap->n;
    for (size_t other = child + 1; other < end; other++) {
      if (entries[other].key < entries[child].key) child = other;
    }
    if (entry.key <= entries[child].key) break;
    put(heap, at, entries[child]);
    at = child;
  }
  put(heap, at, entry);
}

void bb_heap_insert(bb_heap *heap, bb_heap_node *node) {
  assert(heap->n < heap->cap && node->place == 0);
  rise(heap, heap->n++, (bb_heap_entry){node->key, node});
}

void bb_heap_remove(bb_heap *heap, bb_heap_node *node) {
  if (node->place == 0) return;
  size_t at = node->place - 1;
  node->place = 0;
  bb_heap_entry last = heap->entries[--heap->n];
  if (last.node == node) return;
  if (at > 0 && heap->entries[(at - 1) / CHILDREN].key > last.key) {
    rise(heap, at, last);
  } else {
    sink(heap, at, last);
  }
}
