/* SPDX-License-Identifier: Apache-2.0 */
/* See doc_build.h. */
#include "base/doc_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"

#define FEW_KEYS 16 /* up to here comparing each with each is the quickest */

int bb_doc_build_complain(bb_doc_builder *builder, uint32_t line, const char *what) {
  bb_report_add_line(builder->report, line, "%s", what);
  return BB_ERR_FORMAT;
}

static bool wants_key(const bb_doc_builder *builder) {
  return builder->parent != NULL && builder->parent->kind == BB_DOC_MAP && builder->key == NULL;
}

static int add_node(bb_doc_builder *builder, bb_doc_kind kind, uint32_t line, bb_doc **out) {
  bb_doc *parent = builder->parent;
  if (++builder->nodes > BB_MAX_DOC_NODES) {
    bb_report_add_line(builder->report, line, "the document has too many values; at most %u",
                       BB_MAX_DOC_NODES);
    return BB_ERR_LIMIT;
  }
  bb_doc *node = bb_arena_take(&builder->tree->arena, sizeof(*node));
  if (node == NULL) return BB_ERR_NOMEM;
  *out = node;
  node->kind = kind;
  node->key = builder->key;
  node->line = builder->key != NULL ? builder->key_line : line;
  node->parent = parent;
  builder->key = NULL;
  if (parent == NULL) {
    builder->tree->root = node;
    return 0;
  }
  node->index = parent->n++;
  /* While a node is open its last child is kept in `next`, so that appending is not a walk. */
  if (parent->next == NULL) {
    parent->first = node;
  } else {
    parent->next->next = node;
  }
  parent->next = node;
  return 0;
}

int bb_doc_build_scalar(bb_doc_builder *builder, const char *text, bool quoted, uint32_t line) {
  if (text == NULL) return BB_ERR_NOMEM;
  if (wants_key(builder)) {
    builder->key = text;
    builder->key_line = line;
    return 0;
  }
  bb_doc *node;
  int err = add_node(builder, BB_DOC_SCALAR, line, &node);
  if (err < 0) return err;
  node->text = text;
  node->quoted = quoted;
  return 0;
}

int bb_doc_build_open(bb_doc_builder *builder, bb_doc_kind kind, uint32_t line) {
  if (wants_key(builder)) return bb_doc_build_complain(builder, line, "a key must be a plain text");
  if (++builder->depth > BB_MAX_DOC_DEPTH) {
    bb_report_add_line(builder->report, line, "nested too deeply; at most %d levels",
                       BB_MAX_DOC_DEPTH);
    return BB_ERR_FORMAT;
  }
  bb_doc *node;
  int err = add_node(builder, kind, line, &node);
  if (err == 0) builder->parent = node;
  return err;
}

static int complain_twice(bb_doc_builder *builder, const bb_doc *second) {
  bb_report_add_line(builder->report, second->line, "the key \"%.80s\" appears twice; keep one",
                     second->key);
  return BB_ERR_FORMAT;
}

static int check_few_keys(bb_doc_builder *builder, const bb_doc *map) {
  int result = 0;
  for (const bb_doc *child = map->first; child != NULL; child = child->next) {
    const bb_doc *other = map->first;
    while (other != child && strcmp(other->key, child->key) != 0) other = other->next;
    if (other != child) result = complain_twice(builder, child);
  }
  return result;
}

static int by_key(const void *a, const void *b) {
  const bb_doc *x = *(const bb_doc *const *)a, *y = *(const bb_doc *const *)b;
  int order = strcmp(x->key, y->key);
  return order != 0 ? order : x->index < y->index ? -1 : 1;
}

static int check_many_keys(bb_doc_builder *builder, const bb_doc *map) {
  const bb_doc **sorted = malloc(map->n * sizeof(*sorted));
  if (sorted == NULL) return BB_ERR_NOMEM;
  int result = 0;
  for (const bb_doc *child = map->first; child != NULL; child = child->next) {
    sorted[child->index] = child;
  }
  qsort(sorted, map->n, sizeof(*sorted), by_key);
  for (uint32_t i = 1; i < map->n; i++) {
    if (strcmp(sorted[i - 1]->key, sorted[i]->key) != 0) continue;
    result = complain_twice(builder, sorted[i]);
  }
  free(sorted);
  return result;
}

int bb_doc_build_close(bb_doc_builder *builder) {
  bb_doc *done = builder->parent;
  builder->parent = done->parent;
  builder->depth--;
  done->next = NULL;
  if (done->kind != BB_DOC_MAP) return 0;
  return done->n <= FEW_KEYS ? check_few_keys(builder, done) : check_many_keys(builder, done);
}
