/* SPDX-License-Identifier: Apache-2.0 */
/* See doc_build.h. YAML by way of libyaml's events. */
#include <string.h>
#include <yaml.h>

#include "base/doc_build.h"
#include "base/err.h"

#define MAX_KEY 1024 /* libyaml's own limit of a key that is not marked with `?` */

typedef struct {
  bb_doc_builder *builder;
  const char *text;
  size_t len;
  size_t last_line;
  yaml_parser_t yaml;
  unsigned documents;
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

static int read_error(const reader *r) {
  if (r->yaml.error == YAML_MEMORY_ERROR) return BB_ERR_NOMEM;
  uint32_t line = problem_line(r);
  const char *problem = r->yaml.problem != NULL ? r->yaml.problem : "cannot be read";
  const char *hint = line_length(r, line) > MAX_KEY && r->yaml.error != YAML_READER_ERROR
                         ? "; a key may have at most 1024 characters"
                         : "";
  bb_report_add_line(r->builder->report, line, "not valid YAML or JSON: %s%s", problem, hint);
  return BB_ERR_FORMAT;
}

static int on_scalar(reader *r, const yaml_event_t *event, uint32_t line) {
  const char *value = (const char *)event->data.scalar.value;
  size_t len = event->data.scalar.length;
  if (memchr(value, 0, len) != NULL) {
    return bb_doc_build_complain(r->builder, line, "a text holds a NUL character");
  }
  bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  const char *text = bb_arena_copy(&r->builder->tree->arena, value, len);
  return bb_doc_build_scalar(r->builder, text, quoted, line);
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
    return event->type == YAML_ALIAS_EVENT;
  }
}

static int on_event(reader *r, const yaml_event_t *event) {
  uint32_t line = line_of(r, &event->start_mark);
  if (has_extras(event)) {
    return bb_doc_build_complain(
        r->builder, line, "anchors, aliases and tags are not supported; write the value out");
  }
  switch (event->type) {
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
    return bb_doc_build_close(r->builder);
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
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&r.yaml);
  return err;
}
