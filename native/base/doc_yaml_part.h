/* SPDX-License-Identifier: Apache-2.0 */
/* What doc_yaml_words.c and doc_yaml_pairs.c share. */
#ifndef BB_BASE_DOC_YAML_PART_H
#define BB_BASE_DOC_YAML_PART_H

#include "base/doc_row.h"
#include "base/doc_yaml_words.h"

/* Where libyaml stumbled. */
typedef struct bb_doc_yaml_source {
  const yaml_parser_t *yaml;
  const char *text;
  size_t len;
  const bb_doc_yaml_last *last;
  bb_doc_row row;
  size_t place; /* in the row */
  char c;       /* the character there; 0: the row ends before it */
} bb_doc_yaml_source;

/* True, so that it can be returned. */
bool bb_doc_yaml_say(bb_doc_yaml_words *out, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The end of the word that begins there: a comma or closing bracket within brackets, else the row's
 * end. */
size_t bb_doc_yaml_word_end(const bb_doc_yaml_source *s, size_t from);

/* What is wrong follows a closing quote or bracket. */
bool bb_doc_yaml_say_behind(const bb_doc_yaml_source *s, bb_doc_yaml_words *out);

bool bb_doc_yaml_on_open_quote(const bb_doc_yaml_source *s, bb_doc_yaml_words *out);
bool bb_doc_yaml_on_escape(const bb_doc_yaml_source *s, bb_doc_yaml_words *out);
bool bb_doc_yaml_on_brackets(const bb_doc_yaml_source *s, bb_doc_yaml_words *out);
bool bb_doc_yaml_on_no_value(const bb_doc_yaml_source *s, bb_doc_yaml_words *out);

#endif
