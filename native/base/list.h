/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intrusive doubly linked list. The node lies inside what is listed; a list is a node that
 * stands for both ends. Nothing is allocated.
 */
#ifndef BB_BASE_LIST_H
#define BB_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bb_list {
  struct bb_list *next;
  struct bb_list *prev;
} bb_list;

#define BB_LIST_ITEM(node, type, field) ((type *)(void *)((char *)(node)-offsetof(type, field)))

static inline void bb_list_init(bb_list *list) {
  list->next = list;
  list->prev = list;
}

static inline bool bb_list_empty(const bb_list *list) {
  return list->next == list;
}

static inline void bb_list_append(bb_list *list, bb_list *node) {
  node->next = list;
  node->prev = list->prev;
  list->prev->next = node;
  list->prev = node;
}

static inline void bb_list_prepend(bb_list *list, bb_list *node) {
  bb_list_append(list->next, node);
}

/* Takes the node out of its list; it is then an empty list, so that removing twice is harmless. */
static inline void bb_list_remove(bb_list *node) {
  node->prev->next = node->next;
  node->next->prev = node->prev;
  bb_list_init(node);
}

/* The first node, or NULL. */
static inline bb_list *bb_list_first(const bb_list *list) {
  return bb_list_empty(list) ? NULL : list->next;
}

#endif
