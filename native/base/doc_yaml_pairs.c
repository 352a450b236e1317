/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with quotes and brackets; see doc_yaml_words.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/doc_yaml_part.h"

bool bb_doc_yaml_say(bb_doc_yaml_words *out, size_t line, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(out->text, sizeof(out->text), format, args);
  va_end(args);
  out->line = line;
  return true;
}

size_t bb_doc_yaml_word_end(const bb_doc_yaml_source *s, size_t from) {
  const bb_doc_row *row = &s->row;
  bool within = memchr(row->text, '[', from) != NULL || memchr(row->text, '{', from) != NULL;
  size_t at = from;
  while (at < row->len && !(within && strchr(",]}", row->text[at]) != NULL)) at++;
  while (at > from && row->text[at - 1] == ' ') at--;
  return at;
}

/* Only blanks stand between what was read last and the problem. */
static bool is_behind(const bb_doc_yaml_source *s, const yaml_mark_t *end) {
  if (end->line != s->row.line || end->column > s->yaml->problem_mark.column) return false;
  for (size_t at = bb_doc_row_place(&s->row, end->column); at < s->place; at++) {
    if (s->row.text[at] != ' ') return false;
  }
  return true;
}

static bool say_behind_quote(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  const bb_doc_yaml_last *last = s->last;
  if (last->start.line < last->end.line) {
    return bb_doc_yaml_say(out, last->start.line,
                           "the quote %c that opens here is not closed; put one at the "
                           "end of its text",
                           last->quote);
  }
  return bb_doc_yaml_say(out, s->row.line,
                         "text stands behind the closing quote; take the quotes away, or write %s "
                         "for a quote inside",
                         last->quote == '"' ? "\\\"" : "''");
}

/* A text such as {site}/{device}, which YAML takes for a map with something behind it. */
static bool say_behind_bracket(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  const bb_doc_row *row = &s->row;
  size_t from = s->place;
  if (s->c == ']' || s->c == '}') {
    return bb_doc_yaml_say(out, row->line, "%c closes nothing here; take it away", s->c);
  }
  while (from > 0 && row->text[from] != '{' && row->text[from] != '[') from--;
  size_t end = from;
  int depth = 0;
  for (; end < row->len && strchr(" ,", row->text[end]) == NULL; end++) {
    char c = row->text[end];
    depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    if (depth < 0) break;
  }
  return bb_doc_yaml_say(out, row->line,
                         "a text that begins with a bracket stands in quotes; write \"%.*s\"",
                         (int)(end - from), row->text + from);
}

bool bb_doc_yaml_say_behind(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  if (!is_behind(s, &s->last->end)) return false;
  if (s->last->quote != 0) return say_behind_quote(s, out);
  return s->last->bracket && s->c != 0 && say_behind_bracket(s, out);
}

bool bb_doc_yaml_on_open_quote(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  const yaml_mark_t *mark = &s->yaml->context_mark;
  bb_doc_row row = bb_doc_row_at(s->text, s->len, mark->line);
  size_t place = bb_doc_row_place(&row, mark->column);
  return bb_doc_yaml_say(
      out, mark->line, "the quote %c that opens here is not closed; put one at the end of its text",
      place < row.len && row.text[place] == '\'' ? '\'' : '"');
}

bool bb_doc_yaml_on_escape(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  const bb_doc_row *row = &s->row;
  size_t at = s->place < row->len ? s->place : row->len;
  while (at > 0 && (at == row->len || row->text[at] != '\\')) at--;
  return bb_doc_yaml_say(out, row->line,
                         "\\%c means nothing in double quotes; write \\\\ for a backslash, or put "
                         "the text in single quotes",
                         at + 1 < row->len ? row->text[at + 1] : ' ');
}

/* The last word before the problem. */
static const char *word_before(const bb_doc_yaml_source *s, size_t *len) {
  size_t end = s->place, from;
  while (end > 0 && s->row.text[end - 1] == ' ') end--;
  for (from = end; from > 0 && strchr(" ,[{", s->row.text[from - 1]) == NULL;) from--;
  *len = end - from;
  return s->row.text + from;
}

bool bb_doc_yaml_on_brackets(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  const yaml_mark_t *mark = &s->yaml->context_mark;
  bool map = strcmp(s->yaml->context, "while parsing a flow mapping") == 0;
  char opens = map ? '{' : '[', closes = map ? '}' : ']';
  bb_doc_row first = bb_doc_row_at(s->text, s->len, mark->line);
  bool below = s->row.line > mark->line && s->row.start <= first.key;
  if (s->c == 0 || below) {
    return bb_doc_yaml_say(
        out, mark->line, "the %c that opens here is not closed; put %c at its end", opens, closes);
  }
  if (s->c == ']' || s->c == '}') {
    return bb_doc_yaml_say(out, s->row.line,
                           "%c stands where %c is due, which closes the %c of "
                           "line %zu; write %c",
                           s->c, closes, opens, mark->line + 1, closes);
  }
  if (bb_doc_yaml_say_behind(s, out)) return true;
  size_t len = 0;
  const char *word = s->c == ':' ? word_before(s, &len) : "";
  if (len > 0) {
    return bb_doc_yaml_say(out, s->row.line, "a comma is missing before \"%.*s\"; put one there",
                           (int)len, word);
  }
  return bb_doc_yaml_say(
      out, s->row.line, "a comma or %c is missing before this %c; the %c of line %zu is still open",
      closes, s->c, opens, mark->line + 1);
}

bool bb_doc_yaml_on_no_value(const bb_doc_yaml_source *s, bb_doc_yaml_words *out) {
  bool flow = strcmp(s->yaml->context, "while parsing a flow node") == 0;
  if (s->c == 0 || strchr(",]}", s->c) == NULL) return false;
  if (flow) {
    return bb_doc_yaml_say(out, s->row.line,
                           "a value is missing before this %c; write one, or take the comma before "
                           "it away",
                           s->c);
  }
  return bb_doc_yaml_say(out, s->row.line, "no text begins with %c in YAML; put the text in quotes",
                         s->c);
}
