/* SPDX-License-Identifier: Apache-2.0 */
/* See doc_yaml_words.h. Brackets and quotes: doc_yaml_pairs.c. */
#include "base/doc_yaml_words.h"

#include <string.h>

#include "base/doc_yaml_part.h"

#define MAX_SHOWN 60 /* bytes of the document in a sentence */

static int shown(size_t len) {
  return (int)(len < MAX_SHOWN ? len : MAX_SHOWN);
}

static bool on_tab(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  if (s->place < s->row.start) {
    return bb_doc_yaml_say(out, s->row.line,
                           "a tab stands in the indentation, where YAML takes only spaces; put two "
                           "spaces in place of each tab");
  }
  return bb_doc_yaml_say(
      out, s->row.line,
      "a tab stands here, where YAML takes only spaces; put a space in its place");
}

/* @, `, % and the like, and what may have been meant by * and &. */
static bool on_strange_start(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  if (s->c == '\t') return on_tab(s, out);
  size_t end = bb_doc_yaml_word_end(s, s->place);
  return bb_doc_yaml_say(out, s->row.line,
                         "no text begins with %c in YAML unless it stands in quotes; write "
                         "\"%.*s\"",
                         s->c, shown(end - s->place), s->row.text + s->place);
}

static bool on_star(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  bb_doc_yaml_source at = *s;
  at.place = bb_doc_row_place(&s->row, s->yaml->context_mark.column);
  at.c = at.place < at.row.len ? at.row.text[at.place] : '*';
  return on_strange_start(&at, out);
}

/* A line that has a word or two, and no colon that ends a key. */
static bool say_no_colon(const bb_doc_row *row, bb_doc_yaml_words *out) {
  const char *text = row->text + row->key;
  size_t len = row->len - row->key;
  const char *colon = memchr(text, ':', len);
  if (colon != NULL && (size_t)(colon - text) + 1 < len && colon[1] != '/') {
    size_t before = (size_t)(colon - text) + 1;
    return bb_doc_yaml_say(out, row->line,
                           "a space is missing behind the colon; write \"%.*s %.*s\"",
                           shown(before), text, shown(len - before), text + before);
  }
  const char *blank = memchr(text, ' ', len);
  size_t word = blank != NULL ? (size_t)(blank - text) : len;
  return bb_doc_yaml_say(out, row->line, "a colon is missing behind the key; write \"%.*s:%.*s\"",
                         shown(word), text, shown(len - word), text + word);
}

static bool on_no_colon(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  bb_doc_row row = bb_doc_row_at(s->text, s->len, s->yaml->context_mark.line);
  if (row.key >= row.len || bb_doc_row_colon(&row) < row.len) return false;
  return say_no_colon(&row, out);
}

static bool say_second_colon(const bb_doc_row *row, size_t colon, bb_doc_yaml_words *out) {
  size_t value = colon + 1;
  while (value < row->len && row->text[value] == ' ') value++;
  size_t len = row->len - value;
  char quote = memchr(row->text + value, '"', len) != NULL ? '\'' : '"';
  return bb_doc_yaml_say(out, row->line,
                         "a second colon stands in this line; if it belongs to the value, put that "
                         "in quotes: %.*s %c%.*s%c",
                         shown(colon + 1 - row->key), row->text + row->key, quote, shown(len),
                         row->text + value, quote);
}

/* libyaml stumbles over a colon; what is wrong stands mostly before it, in this line or above. */
static bool on_stray_colon(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  bb_doc_row above;
  size_t colon = bb_doc_row_colon(&s->row);
  if (colon < s->place) return say_second_colon(&s->row, colon, out);
  if (!bb_doc_row_above(s->text, s->len, s->row.line, &above) || above.key >= above.len) {
    return false;
  }
  if (bb_doc_row_colon(&above) == above.len) return say_no_colon(&above, out);
  if (s->row.key <= above.key || !bb_doc_row_has_value(&above)) return false;
  return bb_doc_yaml_say(out, s->row.line,
                         "this line is indented deeper than line %zu, whose key has a value "
                         "already; begin both in column %zu",
                         above.line + 1, above.key + 1);
}

static bool on_dash_behind_key(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  return bb_doc_yaml_say(out, s->row.line,
                         "a list does not begin on the line of its key; write each \"- ...\" on a "
                         "line of its own below, indented by two more spaces");
}

static bool say_indentation(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  bb_doc_row above;
  if (!bb_doc_row_above(s->text, s->len, s->row.line, &above)) return false;
  return bb_doc_yaml_say(out, s->row.line,
                         "this line begins in column %zu, line %zu above it in column %zu; what "
                         "belongs together begins in the same column",
                         s->row.start + 1, above.line + 1, above.key + 1);
}

/* An item of a list where none can stand: it is not below its neighbours, or below no key. */
static bool say_stray_item(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  bb_doc_row above = s->row;
  while (bb_doc_row_above(s->text, s->len, above.line, &above)) {
    if (bb_doc_row_is_item(&above) && above.start != s->row.start) {
      return bb_doc_yaml_say(out, s->row.line,
                             "this - stands in column %zu, that of line %zu in column %zu; items "
                             "of one list begin in the same column",
                             s->row.start + 1, above.line + 1, above.start + 1);
    }
    if (above.start < s->row.start) break;
  }
  return bb_doc_yaml_say(out, s->row.line,
                         "a list item (-) stands where a key is due; indent it below the key that "
                         "it belongs to, or take the dash away");
}

static bool on_map(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  if (bb_doc_yaml_say_behind(s, out)) return true;
  if (s->place != s->row.start) return false;
  return bb_doc_row_is_item(&s->row) ? say_stray_item(s, out) : say_indentation(s, out);
}

static bool on_list(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  const bb_doc_row *row = &s->row;
  const char *text = row->text + row->start;
  if (bb_doc_yaml_say_behind(s, out)) return true;
  if (s->place != row->start || row->start == row->len) return false;
  if (bb_doc_row_is_item(row)) return say_stray_item(s, out);
  if (*text == '-') {
    return bb_doc_yaml_say(out, row->line, "a space is missing behind the dash; write \"- %.*s\"",
                           shown(row->len - row->start - 1), text + 1);
  }
  if (s->yaml->problem_mark.column != s->yaml->context_mark.column) return say_indentation(s, out);
  return bb_doc_yaml_say(out, row->line,
                         "a key stands where the next item of the list is due; write \"- %.*s\", "
                         "or indent it by two more spaces",
                         shown(row->len - row->start), text);
}

static bool on_block_text(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  return bb_doc_yaml_say(out, s->row.line,
                         "| and > begin a text of several lines; put a text that begins so in "
                         "quotes");
}

static bool on_second_document(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  bb_doc_row first = {0}, row = s->row;
  while (bb_doc_row_above(s->text, s->len, row.line, &row)) first = row;
  if (bb_doc_yaml_say_behind(s, out)) return true;
  if (first.start > s->row.start) {
    return bb_doc_yaml_say(out, first.line,
                           "this line is indented, line %zu is not; begin both in the first column",
                           s->row.line + 1);
  }
  return bb_doc_yaml_say(out, s->row.line,
                         "this does not belong to what stands above; a document is one map, whose "
                         "keys begin in the same column");
}

typedef bool (*explain)(const bb_doc_yaml_source *s, bb_doc_yaml_words *out);

/* The first row that fits; NULL fits all. */
static const struct {
  const char *context, *problem;
  explain explain;
} table[] = {
    {NULL, "found character that cannot start any token", on_strange_start},
    {NULL, "found a tab character that violates indentation", on_tab},
    {NULL, "found a tab character where an indentation space is expected", on_tab},
    {NULL, "could not find expected ':'", on_no_colon},
    {NULL, "mapping values are not allowed in this context", on_stray_colon},
    {NULL, "block sequence entries are not allowed in this context", on_dash_behind_key},
    {NULL, "did not find expected <document start>", on_second_document},
    {"while scanning an alias", NULL, on_star},
    {"while scanning an anchor", NULL, on_star},
    {"while scanning a quoted scalar", NULL, bb_doc_yaml_on_open_quote},
    {"while parsing a quoted scalar", NULL, bb_doc_yaml_on_escape},
    {"while scanning a block scalar", NULL, on_block_text},
    {"while parsing a flow mapping", NULL, bb_doc_yaml_on_brackets},
    {"while parsing a flow sequence", NULL, bb_doc_yaml_on_brackets},
    {"while parsing a flow node", NULL, bb_doc_yaml_on_no_value},
    {"while parsing a block node", NULL, bb_doc_yaml_on_no_value},
    {"while parsing a block mapping", "did not find expected key", on_map},
    {"while parsing a block collection", "did not find expected '-' indicator", on_list},
};

static bool fits(const char *wanted, const char *found) {
  return wanted == NULL || (found != NULL && strcmp(wanted, found) == 0);
}

bool bb_doc_yaml_explain(const yaml_parser_t *yaml, const char *text, size_t len,
                         const bb_doc_yaml_last *last, bb_doc_yaml_words *out) {
  bb_doc_yaml_source s = {.yaml = yaml, .text = text, .len = len, .last = last};
  s.row = bb_doc_row_at(text, len, yaml->problem_mark.line);
  s.place = bb_doc_row_place(&s.row, yaml->problem_mark.column);
  s.c = s.place < s.row.len ? s.row.text[s.place] : 0;
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    if (!fits(table[i].context, yaml->context) || !fits(table[i].problem, yaml->problem)) continue;
    return table[i].explain(&s, out);
  }
  return false;
}
