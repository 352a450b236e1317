/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the two readers, doc_json.c and doc_yaml.c, grow the tree of doc.h. What both must hold to is
 * checked here: depth, number of nodes, keys that are texts and differ. Private to doc*.c.
 */
#ifndef BB_BASE_DOC_BUILD_H
#define BB_BASE_DOC_BUILD_H

#include "base/doc.h"
#include "base/report.h"

typedef struct bb_doc_builder {
  bb_doc_tree *tree;
  bb_report *report;
  bb_doc *parent;  /* the open list or map */
  const char *key; /* of the map's next child, once read */
  uint32_t key_line;
  uint32_t depth, nodes;
} bb_doc_builder;

/* Adds a scalar, or the next key where a map waits for one. `text` lies in the tree's arena; NULL
 * (the arena had no memory) gives BB_ERR_NOMEM. Like the rest 0, BB_ERR_FORMAT or BB_ERR_LIMIT
 * (both reported), or BB_ERR_NOMEM. */
int bb_doc_build_scalar(bb_doc_builder *builder, const char *text, bool quoted, uint32_t line);

/* Opens a list or map; what is added until the close lies in it. */
int bb_doc_build_open(bb_doc_builder *builder, bb_doc_kind kind, uint32_t line);
int bb_doc_build_close(bb_doc_builder *builder);

/* Reports, and returns BB_ERR_FORMAT. */
int bb_doc_build_complain(bb_doc_builder *builder, uint32_t line, const char *what);

/* 0, 1 when the text may be YAML in flow style instead (nothing was reported; the tree is to be
 * thrown away), or an error as above. */
int bb_doc_read_json(bb_doc_builder *builder, const char *text, size_t len);

/* 0 or an error as above. */
int bb_doc_read_yaml(bb_doc_builder *builder, const char *text, size_t len);

#endif
