/* SPDX-License-Identifier: Apache-2.0 */
/* See lines.h. */
#include "addon/lines.h"

#include <stdlib.h>
#include <string.h>

#include "addon/document.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/schema.h"
#include "encode/line_plan.h"
#include "encode/line_text.h"
#include "encode/number.h"

typedef struct {
  bb_line_series *series;
  bb_line_layout layout;
} kept_series;

typedef struct {
  bb_line_plan *plan;
  uint32_t n_fields;
} kept_plan;

struct bb_lines {
  kept_plan plans[BB_LINES_MAX_PLANS];
  kept_series series[BB_LINES_MAX_SERIES];
  uint32_t n_plans, n_series;
};

typedef struct {
  const bb_doc *fields, *tags;
  const char *measurement;
  int layout, precision;
  bool all_float, unsigned_type, names_as_is;
} keys;

/* In the order of bb_line_layout and bb_line_precision. */
static const char *const layouts[] = {"wide", "per-phase", "per-point", NULL};
static const char *const precisions[] = {"ns", "us", "ms", "s", NULL};

#define AT(field) offsetof(keys, field)
static const bb_field plan_fields[] = {
    {"fields", BB_FIELD_LIST, AT(fields), .required = true, .help = "names and types"},
    {"layout", BB_FIELD_CHOICE, AT(layout), .choices = layouts, .help = "what lines there are"},
    {"precision", BB_FIELD_CHOICE, AT(precision), .choices = precisions, .help = "of the time"},
    {"allFloat", BB_FIELD_BOOL, AT(all_float), .help = "integers are written as floats"},
    {"unsignedType", BB_FIELD_BOOL, AT(unsigned_type), .help = "unsigned integers end in u"},
    {"namesAsIs", BB_FIELD_BOOL, AT(names_as_is), .help = "field keys keep / and -"},
};
static const bb_field series_fields[] = {
    {"measurement", BB_FIELD_TEXT, AT(measurement), .required = true,
     .help = "what the line is of"},
    {"tags", BB_FIELD_MAP, AT(tags), .help = "names and texts"},
    {"layout", BB_FIELD_CHOICE, AT(layout), .choices = layouts, .help = "what lines there are"},
};
#undef AT
static const bb_schema plan_schema = BB_SCHEMA("line", plan_fields);
static const bb_schema series_schema = BB_SCHEMA("line", series_fields);

typedef struct {
  const char *name;
  int type;
} field_keys;

static const char *const types[] = {"float", "integer", "unsigned", "boolean", "string", NULL};
static const bb_type value_types[] = {BB_TYPE_F64, BB_TYPE_I64, BB_TYPE_U64, BB_TYPE_BOOL,
                                      BB_TYPE_TEXT};

static const bb_field field_fields[] = {
    {"name", BB_FIELD_TEXT, offsetof(field_keys, name), .required = true, .help = "a text"},
    {"type", BB_FIELD_CHOICE, offsetof(field_keys, type), .choices = types, .required = true,
     .help = "such as float"},
};
static const bb_schema field_schema = BB_SCHEMA("field", field_fields);

bb_lines *bb_lines_new(void) {
  return calloc(1, sizeof(bb_lines));
}

void bb_lines_free(bb_lines *lines) {
  if (lines == NULL) return;
  for (uint32_t i = 0; i < lines->n_plans; i++) bb_line_plan_free(lines->plans[i].plan);
  for (uint32_t i = 0; i < lines->n_series; i++) bb_line_series_free(lines->series[i].series);
  free(lines);
}

static int read_field(const bb_doc *doc, bb_point *out, bb_report *report) {
  field_keys field;
  if (bb_schema_read(&field_schema, doc, &field, report) < 0) return BB_ERR_CONFIG;
  if (strlen(field.name) > BB_MAX_TEXT) {
    bb_report_add(report, doc, "the name is too long; allowed: %d bytes", BB_MAX_TEXT);
    return BB_ERR_CONFIG;
  }
  bb_type type = value_types[field.type];
  *out = (bb_point){.name = field.name, .unit = "", .description = "", .type = type, .size = 8};
  return 0;
}

/* A shape of the fields: what a plan is made of. NULL: reported, or no memory. */
static bb_shape *read_fields(const bb_doc *list, bb_arena *arena, bb_report *report) {
  if (list->n > BB_MAX_POINTS) {
    bb_report_add(report, list, "%u fields are too many; allowed: %d", list->n, BB_MAX_POINTS);
    return NULL;
  }
  bb_point *points = bb_arena_take(arena, (list->n + (size_t)1) * sizeof(*points));
  const bb_point **places = bb_arena_take(arena, (list->n + (size_t)1) * sizeof(*places));
  if (points == NULL || places == NULL) return NULL;
  for (const bb_doc *item = list->first; item != NULL; item = item->next) {
    places[item->index] = &points[item->index];
    read_field(item, &points[item->index], report);
  }
  return bb_report_ok(report) ? bb_shape_new("", places, (uint16_t)list->n) : NULL;
}

static int add_plan(bb_lines *lines, const bb_doc *doc, bb_report *report) {
  keys k;
  bb_arena arena;
  bb_line_plan *plan = NULL;
  if (bb_schema_read(&plan_schema, doc, &k, report) < 0) return BB_ERR_CONFIG;
  bb_line_options options = {.layout = (bb_line_layout)k.layout,
                             .precision = (bb_line_precision)k.precision,
                             .all_float = k.all_float,
                             .unsigned_type = k.unsigned_type,
                             .names_as_is = k.names_as_is};
  bb_arena_init(&arena, 16u * BB_DOCUMENT_MAX_BYTES);
  bb_shape *shape = read_fields(k.fields, &arena, report);
  if (shape != NULL) plan = bb_line_plan_new(shape, &options);
  bb_shape_unref(shape);
  bb_arena_close(&arena);
  if (plan == NULL) return bb_report_ok(report) ? BB_ERR_NOMEM : BB_ERR_CONFIG;
  lines->plans[lines->n_plans] = (kept_plan){plan, k.fields->n};
  return (int)lines->n_plans++;
}

static uint32_t read_tags(const bb_doc *doc, bb_tag *tags, bb_report *report) {
  uint32_t n = 0;
  for (const bb_doc *tag = doc->first; tag != NULL; tag = tag->next) {
    if (tag->kind != BB_DOC_SCALAR) {
      bb_report_add(report, tag, "is not a text");
    } else if (n == BB_LINES_MAX_TAGS) {
      bb_report_add(report, tag, "one tag too many; allowed: %d", BB_LINES_MAX_TAGS);
      return n;
    } else if (strlen(tag->text) > BB_LINES_MAX_TEXT || strlen(tag->key) > BB_LINES_MAX_TEXT) {
      bb_report_add(report, doc, "a tag is too long; allowed: %u bytes", BB_LINES_MAX_TEXT);
    } else {
      tags[n++] = (bb_tag){tag->key, tag->text};
    }
  }
  return n;
}

static int add_series(bb_lines *lines, const bb_doc *doc, bb_report *report) {
  keys k = {0};
  bb_tag tags[BB_LINES_MAX_TAGS];
  uint32_t n = 0;
  if (bb_schema_read(&series_schema, doc, &k, report) < 0) return BB_ERR_CONFIG;
  if (k.tags != NULL) n = read_tags(k.tags, tags, report);
  if (strlen(k.measurement) > BB_LINES_MAX_TEXT) {
    bb_report_add(report, doc, "the measurement is too long; allowed: %u bytes", BB_LINES_MAX_TEXT);
  }
  if (!bb_report_ok(report)) return BB_ERR_CONFIG;
  bb_line_options options = {.layout = (bb_line_layout)k.layout, .measurement = k.measurement};
  bb_device *device = bb_device_new("", "", "", tags, n); /* its own tags are all it has */
  bb_line_series *series = device != NULL ? bb_line_series_new(device, &options) : NULL;
  bb_device_unref(device);
  if (series == NULL) return BB_ERR_NOMEM;
  lines->series[lines->n_series] = (kept_series){series, options.layout};
  return (int)lines->n_series++;
}

int bb_lines_plan(bb_lines *lines, const char *text, size_t len, bb_report *report) {
  bb_doc_tree tree;
  if (lines->n_plans == BB_LINES_MAX_PLANS) return BB_ERR_LIMIT;
  int err = bb_document_open(&tree, "line", text, len, report);
  if (err < 0) return err == BB_ERR_NOMEM ? err : BB_ERR_CONFIG;
  err = add_plan(lines, tree.root, report);
  bb_doc_close(&tree);
  return err;
}

int bb_lines_series(bb_lines *lines, const char *text, size_t len, bb_report *report) {
  bb_doc_tree tree;
  if (lines->n_series == BB_LINES_MAX_SERIES) return BB_ERR_LIMIT;
  int err = bb_document_open(&tree, "line", text, len, report);
  if (err < 0) return err == BB_ERR_NOMEM ? err : BB_ERR_CONFIG;
  err = add_series(lines, tree.root, report);
  bb_doc_close(&tree);
  return err;
}

uint32_t bb_lines_fields(const bb_lines *lines, uint32_t plan) {
  return plan < lines->n_plans ? lines->plans[plan].n_fields : 0;
}

static double get_double(const uint8_t *slot) {
  uint64_t bits = bb_get_le64(slot);
  double value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static void put_text(bb_buf *out, const bb_lines_record *record, const uint8_t *slot) {
  double place = get_double(slot);
  if (!(place >= 0 && place < (double)record->n_texts) ||
      record->texts[(size_t)place].len > BB_LINES_MAX_TEXT) {
    if (out->failed == 0) out->failed = BB_ERR_RANGE;
    return;
  }
  const bb_lines_text *text = &record->texts[(size_t)place];
  if (bb_buf_reserve(out, BB_LINE_TEXT_STRING_MAX(text->len)) < 0) return;
  char *at = (char *)out->bytes + out->len;
  out->len += (size_t)(bb_line_text_string(at, text->bytes, text->len) - at);
}

/* Writes nothing when there is no such number in line protocol. */
static void put_value(bb_buf *out, const bb_line_field *field, const bb_lines_record *record) {
  const uint8_t *slot = record->values + (size_t)8 * field->point;
  if (field->form == BB_LINE_STRING) {
    put_text(out, record, slot);
    return;
  }
  if (bb_buf_reserve(out, BB_NUMBER_F64_MAX) < 0) return;
  char *start = (char *)out->bytes + out->len, *at = start;
  uint64_t bits = bb_get_le64(slot);
  bool is_set = get_double(slot) != 0;
  switch (field->form) {
  case BB_LINE_BOOL:
    memcpy(at, is_set ? "true" : "false", 5);
    at += is_set ? 4 : 5;
    break;
  case BB_LINE_BIT:
    *at++ = is_set ? '1' : '0';
    break;
  case BB_LINE_SIGNED:
    at += bb_number_i64(at, (int64_t)bits);
    break;
  case BB_LINE_UNSIGNED:
    if (field->suffix != 'i' || bits <= INT64_MAX) at += bb_number_u64(at, bits);
    break;
  default:
    at += bb_number_f64(at, get_double(slot));
  }
  if (at > start && field->suffix != 0) *at++ = field->suffix;
  out->len += (size_t)(at - start);
}

/* Each field begins with a comma, which for the first becomes the space behind the head. False:
 * there is none. */
static bool put_fields(bb_buf *out, const bb_line_field *field, uint32_t n,
                       const bb_lines_record *record) {
  size_t start = out->len;
  for (const bb_line_field *end = field + n; field < end; field++) {
    size_t before = out->len;
    bb_buf_append(out, field->key, field->key_len);
    size_t value = out->len;
    put_value(out, field, record);
    if (out->len == value) out->len = before;
  }
  if (out->len == start) return false;
  out->bytes[start] = ' ';
  return true;
}

static void put_time(bb_buf *out, int64_t time_ns, bb_line_precision precision) {
  static const int64_t units[] = {1, 1000, 1000000, 1000000000};
  int64_t unit = units[precision];
  if (bb_buf_reserve(out, BB_NUMBER_I64_MAX + 2) < 0) return;
  char *start = (char *)out->bytes + out->len, *at = start;
  *at++ = ' ';
  at += bb_number_i64(at, time_ns / unit - (time_ns % unit < 0));
  *at++ = '\n';
  out->len += (size_t)(at - start);
}

int bb_lines_encode(const bb_lines *lines, uint32_t plan, uint32_t series,
                    const bb_lines_record *record, bb_buf *out) {
  if (plan >= lines->n_plans || series >= lines->n_series) return BB_ERR_NOTFOUND;
  const bb_line_plan *p = lines->plans[plan].plan;
  const bb_line_series *s = lines->series[series].series;
  if (lines->series[series].layout != p->layout) return BB_ERR_INVALID;
  size_t start = out->len;
  int n = 0;
  for (uint32_t i = 0; i < p->n_groups; i++) {
    const bb_line_group *group = &p->groups[i];
    size_t before = out->len;
    bb_buf_append(out, s->text, s->cut);
    bb_buf_append(out, group->tag, group->tag_len);
    bb_buf_append(out, s->text + s->cut, s->len - s->cut);
    if (!put_fields(out, p->fields + group->first, group->n, record)) {
      out->len = before;
      continue;
    }
    put_time(out, record->time_ns, p->precision);
    n++;
  }
  if (out->failed == 0) return n;
  out->len = start;
  return out->failed;
}
