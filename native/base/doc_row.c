/* SPDX-License-Identifier: Apache-2.0 */
/* See doc_row.h. */
#include "base/doc_row.h"

#include <string.h>

#include "base/text.h"

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* The end of the line that begins there: '\n', '\r' or the text's. */
static size_t end_of(const char *text, size_t len, size_t at) {
  while (at < len && text[at] != '\n' && text[at] != '\r') at++;
  return at;
}

static size_t next_line(const char *text, size_t len, size_t at) {
  at = end_of(text, len, at);
  if (at + 1 < len && text[at] == '\r' && text[at + 1] == '\n') at++;
  return at < len ? at + 1 : len;
}

/* Without the comment and the blanks before it. A # in quotes or in a word is none. */
static size_t without_comment(const char *text, size_t len) {
  char quote = 0;
  for (size_t i = 0; i < len; i++) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
      continue;
    }
    bool begins = i == 0 || is_blank(text[i - 1]);
    if (begins && (text[i] == '"' || text[i] == '\'')) quote = text[i];
    if (begins && text[i] == '#') len = i;
  }
  while (len > 0 && is_blank(text[len - 1])) len--;
  return len;
}

static bool is_dash(const char *text, size_t len, size_t at) {
  return at < len && text[at] == '-' && (at + 1 == len || text[at + 1] == ' ');
}

static bb_doc_row make_row(const char *text, size_t len, size_t line) {
  bb_doc_row row = {.line = line, .text = text, .len = without_comment(text, len)};
  while (row.start < row.len && is_blank(text[row.start])) row.start++;
  row.key = row.start;
  while (is_dash(text, row.len, row.key)) {
    row.key++;
    while (row.key < row.len && text[row.key] == ' ') row.key++;
  }
  return row;
}

bb_doc_row bb_doc_row_at(const char *text, size_t len, size_t line) {
  size_t at = 0;
  for (size_t i = 0; i < line && at < len; i++) at = next_line(text, len, at);
  return make_row(text + at, end_of(text, len, at) - at, line);
}

bool bb_doc_row_above(const char *text, size_t len, size_t line, bb_doc_row *out) {
  bool found = false;
  size_t at = 0;
  for (size_t i = 0; i < line && at < len; i++, at = next_line(text, len, at)) {
    bb_doc_row row = make_row(text + at, end_of(text, len, at) - at, i);
    if (row.start == row.len) continue;
    *out = row;
    found = true;
  }
  return found;
}

size_t bb_doc_row_place(const bb_doc_row *row, size_t column) {
  size_t at = 0;
  for (; column > 0 && at < row->len; column--) {
    unsigned n = bb_text_utf8(row->text + at, row->len - at);
    at += n > 0 ? n : 1;
  }
  return at;
}

size_t bb_doc_row_colon(const bb_doc_row *row) {
  size_t at = row->key;
  char first = at < row->len ? row->text[at] : 0;
  if (first == '"' || first == '\'') {
    const char *end = memchr(row->text + at + 1, first, row->len - at - 1);
    at = end != NULL ? (size_t)(end - row->text) + 1 : row->len;
  }
  for (; at < row->len; at++) {
    if (row->text[at] == ':' && (at + 1 == row->len || is_blank(row->text[at + 1]))) return at;
  }
  return row->len;
}

bool bb_doc_row_has_value(const bb_doc_row *row) {
  return bb_doc_row_colon(row) + 1 < row->len;
}

bool bb_doc_row_is_item(const bb_doc_row *row) {
  return row->key > row->start || is_dash(row->text, row->len, row->start);
}
