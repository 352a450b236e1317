/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document: the tree that a YAML or JSON text becomes, each node knowing its line.
 *
 * Scalars stay text, so that a decimal keeps its digits; base/schema.h turns them into numbers.
 * Anchors, aliases, tags and several documents in one text are refused. What begins with { or [ is
 * JSON (RFC 8259), unless its first key or item has no double quotes: then it may be YAML too.
 *
 * A tree is immutable once read. Nodes and their text live until bb_doc_close.
 */
#ifndef BB_BASE_DOC_H
#define BB_BASE_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct bb_report;

typedef enum bb_doc_kind { BB_DOC_SCALAR, BB_DOC_LIST, BB_DOC_MAP } bb_doc_kind;

typedef struct bb_doc {
  /* read-only */
  bb_doc_kind kind;
  bool quoted;      /* a scalar in quotes is a string even if it looks like a number */
  uint32_t line;    /* 1-based; in a map that of the key */
  uint32_t index;   /* place among its parent's children */
  uint32_t n;       /* children of a list or map */
  const char *key;  /* in a map; NULL elsewhere */
  const char *text; /* of a scalar, terminated, without NUL inside; NULL elsewhere */
  struct bb_doc *parent;
  struct bb_doc *first; /* child */
  struct bb_doc *next;  /* sibling */
} bb_doc;

typedef struct bb_doc_tree {
  /* read-only */
  const char *name; /* the file, for messages */
  bb_doc *root;
  /* private */
  bb_arena arena;
} bb_doc_tree;

/*
 * Reads `text`. Mistakes go to `report`. 0, BB_ERR_FORMAT (reported), BB_ERR_LIMIT (reported) or
 * BB_ERR_NOMEM; after a failure the tree is closed.
 */
int bb_doc_parse(bb_doc_tree *tree, const char *name, const char *text, size_t len,
                 struct bb_report *report);

/* The same from a file; a file that cannot be read is reported too (BB_ERR_IO). */
int bb_doc_load(bb_doc_tree *tree, const char *path, struct bb_report *report);

/* The same behind a head that is not the document's: `head` tells how many of the bytes it has. Lines
 * are counted from behind it, so it should leave its line end to the document. */
int bb_doc_load_behind(bb_doc_tree *tree, const char *path,
                       size_t (*head)(const char *bytes, size_t len), struct bb_report *report);

/* Harmless on an all-zero tree. */
void bb_doc_close(bb_doc_tree *tree);

/* The child of that key, or NULL; also when `doc` is NULL or no map. */
const bb_doc *bb_doc_get(const bb_doc *doc, const char *key);

/* The scalar text of that key, or NULL. */
const char *bb_doc_get_text(const bb_doc *doc, const char *key);

/* True for the plain scalars null, ~ and nothing. */
bool bb_doc_is_null(const bb_doc *doc);

/* Same content, whatever the lines, the quotes or the order of keys; null and "null" differ. NULL
 * equals NULL. */
bool bb_doc_equal(const bb_doc *a, const bb_doc *b);

/* "devices[3].scan.fast" into `out`; returns `out`. An item with an id is named by it:
 * "devices[meter-1].scan.fast". */
const char *bb_doc_path(const bb_doc *doc, char *out, size_t cap);

#endif
