/* SPDX-License-Identifier: Apache-2.0 */
/* See doc_build.h. YAML by way of libyaml's events. */
#include <string.h>
#include <yaml.h>

#include "base/doc_build.h"
#include "base/doc_row.h"
#include "base/doc_yaml_words.h"
#include "base/err.h"

#define NO_BREAK_SPACE "\xC2\xA0"
#define MAX_KEY 1024 /* libyaml's own limit of a key that is not marked with `?` */

typedef struct {
  bb_doc_builder *builder;
  const char *text;
  size_t len;
  size_t last_line;
  yaml_parser_t yaml;
  unsigned documents;
  bb_doc_yaml_last last; /* for the words of a mistake */
  bool repeated;         /* a key appeared twice; the rest is read for its mistakes only */
} reader;

static size_t count_lines(const char *text, size_t len) {
  size_t line = 1;
  for (size_t i = 0; i < len; i++) {
    line += text[i] == '\n' || (text[i] == '\r' && i + 1 < len && text[i + 1] != '\n');
  }
  return line;
}

/* libyaml sees the end of the text on a line that does not exist. */
static uint32_t line_of(const reader *r, const yaml_mark_t *mark) {
  return (uint32_t)(mark->line < r->last_line ? mark->line + 1 : r->last_line);
}

/* A byte that cannot be read comes with its offset instead of its line. */
static uint32_t problem_line(const reader *r) {
  if (r->yaml.error != YAML_READER_ERROR) return line_of(r, &r->yaml.problem_mark);
  size_t offset = r->yaml.problem_offset;
  return (uint32_t)count_lines(r->text, offset < r->len ? offset : r->len);
}

/* The length of the 1-based line. */
static size_t line_length(const reader *r, size_t line) {
  const char *p = r->text, *end = r->text + r->len;
  for (; line > 1 && p < end; p++) line -= *p == '\n';
  const char *stop = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
  return (size_t)((stop != NULL ? stop : end) - p);
}

/* A byte or character that YAML does not take. */
static void report_unreadable(const reader *r) {
  bool control = strcmp(r->yaml.problem, "control characters are not allowed") == 0;
  bb_report_add_line(r->builder->report, problem_line(r),
                     control ? "a control character stands here, which nobody sees; take it away"
                             : "a character here is not UTF-8; save the file as UTF-8");
}

static int read_error(const reader *r) {
  bb_doc_yaml_words words;
  if (r->yaml.error == YAML_MEMORY_ERROR) return BB_ERR_NOMEM;
  if (r->yaml.error == YAML_READER_ERROR) {
    report_unreadable(r);
    return BB_ERR_FORMAT;
  }
  uint32_t line = problem_line(r);
  bool long_key = line_length(r, line) > MAX_KEY;
  if (!long_key && bb_doc_yaml_explain(&r->yaml, r->text, r->len, &r->last, &words)) {
    const yaml_mark_t mark = {.line = words.line};
    bb_report_add_line(r->builder->report, line_of(r, &mark), "%s", words.text);
    return BB_ERR_FORMAT;
  }
  bb_report_add_line(r->builder->report, line, "cannot be read as YAML: %s%s",
                     r->yaml.problem != NULL ? r->yaml.problem : "nothing fits here",
                     long_key ? "; a key may have at most 1024 characters" : "");
  return BB_ERR_FORMAT;
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool waits_for_key(const bb_doc_builder *builder) {
  return builder->parent != NULL && builder->parent->kind == BB_DOC_MAP && builder->key == NULL;
}

/* What libyaml takes as a key, although something else was meant: no key begins with a dash or with a
 * blank that looks like a space, and none with a colon inside goes without a value. */
static int check_key(const reader *r, const char *key, uint32_t line) {
  if (strncmp(key, NO_BREAK_SPACE, strlen(NO_BREAK_SPACE)) == 0) {
    return bb_doc_build_complain(r->builder, line,
                                 "a no-break space stands in the indentation, as copied from a web "
                                 "page; type spaces in its place");
  }
  if (key[0] != '-' || !is_letter(key[1])) return 0;
  bb_report_add_line(r->builder->report, line,
                     "a space is missing behind the dash; write \"- %.60s: ...\"", key + 1);
  return BB_ERR_FORMAT;
}

/* The colon that ends a key stands behind what was read last. */
static bool is_colon_next(const reader *r) {
  bb_doc_row row = bb_doc_row_at(r->text, r->len, r->last.end.line);
  size_t at = bb_doc_row_place(&row, r->last.end.column);
  while (at < row.len && row.text[at] == ' ') at++;
  return at < row.len && row.text[at] == ':';
}

static int check_value(const reader *r, const yaml_event_t *event, uint32_t line) {
  const char *key = r->builder->key, *colon = key != NULL ? strchr(key, ':') : NULL;
  if (colon == NULL || event->data.scalar.length > 0 || r->last.quote != 0) return 0;
  if (is_colon_next(r)) return 0;
  bb_report_add_line(r->builder->report, line,
                     "a space is missing behind the colon; write \"%.*s %.60s\"",
                     (int)(colon + 1 - key), key, colon + 1);
  return BB_ERR_FORMAT;
}

static int on_scalar(reader *r, const yaml_event_t *event, uint32_t line) {
  const char *value = (const char *)event->data.scalar.value;
  size_t len = event->data.scalar.length;
  if (memchr(value, 0, len) != NULL) {
    return bb_doc_build_complain(r->builder, line, "a text holds a NUL character");
  }
  bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  int err = 0;
  if (!quoted)
    err = waits_for_key(r->builder) ? check_key(r, value, line) : check_value(r, event, line);
  if (err < 0) return err;
  const char *text = bb_arena_copy(&r->builder->tree->arena, value, len);
  return bb_doc_build_scalar(r->builder, text, quoted, line);
}

/* Keeps what a mistake that follows may have to do with. */
static void remember(reader *r, const yaml_event_t *event) {
  bool scalar = event->type == YAML_SCALAR_EVENT;
  bool end = event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT;
  /* The end of a list or map without brackets has no width. */
  bool bracket = end && event->end_mark.index > event->start_mark.index;
  if (!scalar && !bracket) return;
  r->last =
      (bb_doc_yaml_last){.bracket = bracket, .start = event->start_mark, .end = event->end_mark};
  if (!scalar) return;
  yaml_scalar_style_t style = event->data.scalar.style;
  if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE) r->last.quote = '"';
  if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE) r->last.quote = '\'';
}

/* A pattern such as *-old, which YAML takes for an alias. */
static int refuse_alias(const reader *r, const yaml_event_t *event, uint32_t line) {
  bb_report_add_line(r->builder->report, line,
                     "YAML takes *%.60s for an alias; put a text that begins with * in quotes: "
                     "\"*%.60s\"",
                     (const char *)event->data.alias.anchor,
                     (const char *)event->data.alias.anchor);
  return BB_ERR_FORMAT;
}

/* All repeats are told at once, and what else cannot be read. */
static int on_end(reader *r) {
  int err = bb_doc_build_close(r->builder);
  if (err != BB_ERR_FORMAT) return err;
  r->repeated = true;
  return 0;
}

static bool has_extras(const yaml_event_t *event) {
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
  case YAML_SEQUENCE_START_EVENT:
    return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
  case YAML_MAPPING_START_EVENT:
    return event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
  default:
    return false;
  }
}

static int on_event(reader *r, const yaml_event_t *event) {
  uint32_t line = line_of(r, &event->start_mark);
  if (has_extras(event)) {
    return bb_doc_build_complain(
        r->builder, line,
        "anchors (&) and tags (!) are not supported; write the value out, or put a text in quotes");
  }
  switch (event->type) {
  case YAML_ALIAS_EVENT:
    return refuse_alias(r, event, line);
  case YAML_DOCUMENT_START_EVENT:
    if (++r->documents == 1) return 0;
    return bb_doc_build_complain(r->builder, line, "a second document starts; keep one");
  case YAML_SCALAR_EVENT:
    return on_scalar(r, event, line);
  case YAML_SEQUENCE_START_EVENT:
    return bb_doc_build_open(r->builder, BB_DOC_LIST, line);
  case YAML_MAPPING_START_EVENT:
    return bb_doc_build_open(r->builder, BB_DOC_MAP, line);
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    return on_end(r);
  default:
    return 0;
  }
}

int bb_doc_read_yaml(bb_doc_builder *builder, const char *text, size_t len) {
  reader r = {.builder = builder, .text = text, .len = len};
  r.last_line = count_lines(text, len > 0 ? len - 1 : 0);
  if (!yaml_parser_initialize(&r.yaml)) return BB_ERR_NOMEM;
  yaml_parser_set_encoding(&r.yaml, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.yaml, (const unsigned char *)text, len);
  int err = 0;
  for (bool end = false; !end && err == 0;) {
    yaml_event_t event;
    if (!yaml_parser_parse(&r.yaml, &event)) {
      err = read_error(&r);
      break;
    }
    end = event.type == YAML_STREAM_END_EVENT;
    err = on_event(&r, &event);
    remember(&r, &event);
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&r.yaml);
  return err == 0 && r.repeated ? BB_ERR_FORMAT : err;
}
