/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a text that could not be read, as a person sees them: where a line begins, what its
 * key is, what stands above it. Guesses for messages, and no parser. Private to doc_yaml*.c.
 */
#ifndef BB_BASE_DOC_ROW_H
#define BB_BASE_DOC_ROW_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bb_doc_row {
  size_t line;      /* 0-based */
  const char *text; /* not terminated; without comment, blanks and line end behind it */
  size_t len;
  size_t start; /* bytes of indentation before it */
  size_t key;   /* the same and "- ", as often as it stands there: where a key begins */
} bb_doc_row;

/* The row of that 0-based line; an empty one past the end. */
bb_doc_row bb_doc_row_at(const char *text, size_t len, size_t line);

/* The nearest row above that is neither blank nor a comment. False: there is none. */
bool bb_doc_row_above(const char *text, size_t len, size_t line, bb_doc_row *out);

/* Where the byte of that 0-based character lies; at most row->len. */
size_t bb_doc_row_place(const bb_doc_row *row, size_t column);

/* The colon that ends the key, or row->len: none stands there. */
size_t bb_doc_row_colon(const bb_doc_row *row);

/* A value stands behind the colon of the key. */
bool bb_doc_row_has_value(const bb_doc_row *row);

/* It is an item of a list: "- " or "-" alone. */
bool bb_doc_row_is_item(const bb_doc_row *row);

#endif
