/* SPDX-License-Identifier: Apache-2.0 */
/* See heap.h. */
#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"

void bb_heap_close(bb_heap *heap) {
  free(heap->nodes);
  *heap = (bb_heap){0};
}

int bb_heap_reserve(bb_heap *heap, size_t cap) {
  if (cap <= heap->cap) return 0;
  bb_heap_node **nodes = realloc(heap->nodes, cap * sizeof(*nodes));
  if (nodes == NULL) return BB_ERR_NOMEM;
  heap->nodes = nodes;
  heap->cap = cap;
  return 0;
}

static void put(bb_heap *heap, size_t at, bb_heap_node *node) {
  heap->nodes[at] = node;
  node->place = (uint32_t)at + 1;
}

static void rise(bb_heap *heap, size_t at, bb_heap_node *node) {
  while (at > 0) {
    size_t parent = (at - 1) / 2;
    if (heap->nodes[parent]->key <= node->key) break;
    put(heap, at, heap->nodes[parent]);
    at = parent;
  }
  put(heap, at, node);
}

static void sink(bb_heap *heap, size_t at, bb_heap_node *node) {
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= heap->n) break;
    if (child + 1 < heap->n && heap->nodes[child + 1]->key < heap->nodes[child]->key) child++;
    if (node->key <= heap->nodes[child]->key) break;
    put(heap, at, heap->nodes[child]);
    at = child;
  }
  put(heap, at, node);
}

void bb_heap_insert(bb_heap *heap, bb_heap_node *node) {
  assert(heap->n < heap->cap && node->place == 0);
  rise(heap, heap->n++, node);
}

void bb_heap_remove(bb_heap *heap, bb_heap_node *node) {
  if (node->place == 0) return;
  size_t at = node->place - 1;
  node->place = 0;
  bb_heap_node *last = heap->nodes[--heap->n];
  if (last == node) return;
  if (at > 0 && heap->nodes[(at - 1) / 2]->key > last->key) {
    rise(heap, at, last);
  } else {
    sink(heap, at, last);
  }
}
