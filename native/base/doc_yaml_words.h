/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a text is no YAML, as a sentence for who has written it: libyaml tells what its grammar wanted,
 * this what was probably meant, on the line that is to be changed. Private to doc_yaml.c.
 */
#ifndef BB_BASE_DOC_YAML_WORDS_H
#define BB_BASE_DOC_YAML_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

/* What libyaml read last before it stumbled: a scalar, or the end of a list or map in brackets. */
typedef struct bb_doc_yaml_last {
  char quote;   /* ' or " of a scalar in quotes; 0: none */
  bool bracket; /* a bracket closed */
  yaml_mark_t start, end;
} bb_doc_yaml_last;

typedef struct bb_doc_yaml_words {
  size_t line; /* 0-based, of the text or of its end */
  char text[512];
} bb_doc_yaml_words;

/* False: nothing better is known than libyaml's own words. */
bool bb_doc_yaml_explain(const yaml_parser_t *yaml, const char *text, size_t len,
                         const bb_doc_yaml_last *last, bb_doc_yaml_words *out);

#endif
