/* SPDX-License-Identifier: Apache-2.0 */
/* See schema.h. */
#include "base/schema.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

#define MAX_KEYS 128

static const char *const kind_names[] = {
    [BB_FIELD_TEXT] = "text",        [BB_FIELD_ID] = "id",
    [BB_FIELD_NAME] = "name",        [BB_FIELD_BOOL] = "true or false",
    [BB_FIELD_U32] = "whole number", [BB_FIELD_NUMBER] = "number",
    [BB_FIELD_DECIMAL] = "decimal",  [BB_FIELD_DURATION] = "duration",
    [BB_FIELD_BYTES] = "size",       [BB_FIELD_CHOICE] = "choice",
    [BB_FIELD_DOC] = "any",          [BB_FIELD_LIST] = "list",
    [BB_FIELD_MAP] = "map",
};

static void list_choices(const bb_field *field, char *out, size_t cap) {
  size_t len = 0;
  out[0] = 0;
  for (size_t i = 0; field->choices[i] != NULL && len < cap; i++) {
    len += (size_t)snprintf(out + len, cap - len, "%s%s", i > 0 ? ", " : "", field->choices[i]);
  }
}

static bool bounded(const bb_field *field) {
  return field->max > field->min;
}

static bool outside(const bb_field *field, double value) {
  return bounded(field) && (value < field->min || value > field->max);
}

/* What the field takes, as a phrase. */
static void describe(const bb_field *field, char *out, size_t cap) {
  char low[32], high[32];
  switch (field->kind) {
  case BB_FIELD_CHOICE:
    list_choices(field, out, cap);
    return;
  case BB_FIELD_ID:
    snprintf(out, cap, "1 to 64 of letters, digits, - _ . and not starting with . or -");
    return;
  case BB_FIELD_NAME:
    snprintf(out, cap, "1 to 128 of letters, digits, - _ . / : [ ] and not starting with . or -");
    return;
  case BB_FIELD_DURATION:
    bb_text_show_ms(low, sizeof(low), (uint64_t)field->min);
    bb_text_show_ms(high, sizeof(high), (uint64_t)field->max);
    if (bounded(field)) {
      snprintf(out, cap, "a duration such as 250ms, 5s, 1min, from %s to %s", low, high);
    } else {
      snprintf(out, cap, "a duration such as 250ms, 5s, 1min");
    }
    return;
  case BB_FIELD_BYTES:
    if (bounded(field)) {
      snprintf(out, cap, "a size such as 64KiB or 16MiB, from %.0f to %.0f bytes", field->min,
               field->max);
    } else {
      snprintf(out, cap, "a size such as 64KiB or 16MiB");
    }
    return;
  case BB_FIELD_U32:
  case BB_FIELD_NUMBER:
    if (bounded(field)) {
      snprintf(out, cap, "%s from %.15g to %.15g", kind_names[field->kind], field->min, field->max);
      return;
    }
    break;
  default:
    break;
  }
  snprintf(out, cap, "%s", kind_names[field->kind]);
}

static int wrong(const bb_field *field, const bb_doc *doc, bb_report *report) {
  char allowed[512];
  describe(field, allowed, sizeof(allowed));
  if (doc->kind == BB_DOC_SCALAR) {
    bb_report_add(report, doc, "\"%.80s\" does not fit; allowed: %s", doc->text, allowed);
  } else {
    bb_report_add(report, doc, "a %s stands here; allowed: %s",
                  doc->kind == BB_DOC_LIST ? "list" : "map", allowed);
  }
  return BB_ERR_CONFIG;
}

static int parse_u32(const char *text, uint32_t *out) {
  if (*text < '0' || *text > '9') return BB_ERR_FORMAT;
  char *end;
  errno = 0;
  bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  unsigned long long value = strtoull(text, &end, hex ? 16 : 10);
  if (*end != 0 || errno != 0 || value > UINT32_MAX) return BB_ERR_FORMAT;
  *out = (uint32_t)value;
  return 0;
}

static int parse_number(const char *text, double *out) {
  bb_decimal decimal;
  int err = bb_decimal_parse(&decimal, text);
  if (err < 0) return err;
  *out = bb_decimal_double(decimal);
  return isfinite(*out) ? 0 : BB_ERR_RANGE;
}

static int parse_bool(const char *text, bool *out) {
  if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) return BB_ERR_FORMAT;
  *out = text[0] == 't';
  return 0;
}

static int parse_choice(const bb_field *field, const char *text, int *out) {
  for (int i = 0; field->choices[i] != NULL; i++) {
    if (strcmp(field->choices[i], text) == 0) {
      *out = i;
      return 0;
    }
  }
  return BB_ERR_FORMAT;
}

static int parse_text(const bb_field *field, const char *text, const char **out) {
  bool fits = field->kind == BB_FIELD_ID     ? bb_text_is_id(text)
              : field->kind == BB_FIELD_NAME ? bb_text_is_name(text)
                                             : *text != 0;
  if (!fits) return BB_ERR_FORMAT;
  *out = text;
  return 0;
}

static int parse_sized(const bb_field *field, const char *text, void *place) {
  uint64_t value;
  int err = field->kind == BB_FIELD_BYTES ? bb_text_bytes(text, &value)
                                          : bb_text_duration_ms(text, &value);
  if (err < 0) return err;
  if (outside(field, (double)value)) return BB_ERR_RANGE;
  if (field->kind == BB_FIELD_BYTES) {
    *(uint64_t *)place = value;
  } else if (value > UINT32_MAX) {
    return BB_ERR_RANGE;
  } else {
    *(uint32_t *)place = (uint32_t)value;
  }
  return 0;
}

static int parse_scalar(const bb_field *field, const char *text, void *place) {
  double number;
  uint32_t whole;
  int err;
  switch (field->kind) {
  case BB_FIELD_BOOL:
    return parse_bool(text, place);
  case BB_FIELD_U32:
    err = parse_u32(text, &whole);
    if (err == 0 && outside(field, whole)) err = BB_ERR_RANGE;
    if (err == 0) *(uint32_t *)place = whole;
    return err;
  case BB_FIELD_NUMBER:
    err = parse_number(text, &number);
    if (err == 0 && outside(field, number)) err = BB_ERR_RANGE;
    if (err == 0) *(double *)place = number;
    return err;
  case BB_FIELD_DECIMAL:
    return bb_decimal_parse(place, text);
  case BB_FIELD_DURATION:
  case BB_FIELD_BYTES:
    return parse_sized(field, text, place);
  case BB_FIELD_CHOICE:
    return parse_choice(field, text, place);
  default:
    return parse_text(field, text, place);
  }
}

static int read_field(const bb_field *field, const bb_doc *doc, void *place, bb_report *report) {
  switch (field->kind) {
  case BB_FIELD_DOC:
    *(const bb_doc **)place = doc;
    return 0;
  case BB_FIELD_LIST:
  case BB_FIELD_MAP:
    if (doc->kind != (field->kind == BB_FIELD_LIST ? BB_DOC_LIST : BB_DOC_MAP)) {
      return wrong(field, doc, report);
    }
    *(const bb_doc **)place = doc;
    return 0;
  default:
    if (doc->kind != BB_DOC_SCALAR || parse_scalar(field, doc->text, place) < 0) {
      return wrong(field, doc, report);
    }
    return 0;
  }
}

static const bb_field *find(const bb_schema *schema, const char *key) {
  for (size_t i = 0; i < schema->n; i++) {
    if (strcmp(schema->fields[i].key, key) == 0) return &schema->fields[i];
  }
  return NULL;
}

/* Reports doc's key as unknown, with the nearest of the known keys and all that are allowed. */
static void unknown(const bb_schema *const *schemas, size_t n, const bb_doc *doc,
                    bb_report *report) {
  const char *keys[MAX_KEYS];
  char all[1024] = "";
  size_t n_keys = 0, len = 0;
  for (size_t s = 0; s < n; s++) {
    for (size_t i = 0; i < schemas[s]->n && n_keys < MAX_KEYS; i++) {
      const char *key = keys[n_keys++] = schemas[s]->fields[i].key;
      int put = snprintf(all + len, sizeof(all) - len, "%s%s", len > 0 ? ", " : "", key);
      if (put > 0 && (size_t)put < sizeof(all) - len) len += (size_t)put;
      all[len] = 0; /* a key that does not fit is left out whole */
    }
  }
  const char *nearest = bb_text_nearest(doc->key, keys, n_keys);
  if (nearest != NULL) {
    bb_report_add(report, doc, "unknown key; did you mean \"%s\"? allowed: %s", nearest, all);
  } else {
    bb_report_add(report, doc, "unknown key; allowed: %s", all);
  }
}

int bb_schema_check_keys(const bb_schema *const *schemas, size_t n, const bb_doc *doc,
                         bb_report *report) {
  int result = 0;
  if (doc->kind != BB_DOC_MAP) return 0;
  for (const bb_doc *child = doc->first; child != NULL; child = child->next) {
    bool known = false;
    for (size_t s = 0; s < n && !known; s++) known = find(schemas[s], child->key) != NULL;
    if (known) continue;
    unknown(schemas, n, child, report);
    result = BB_ERR_CONFIG;
  }
  return result;
}

/* Bytes of the field in the struct. */
static size_t size_of(bb_field_kind kind) {
  switch (kind) {
  case BB_FIELD_BOOL:
    return sizeof(bool);
  case BB_FIELD_U32:
  case BB_FIELD_DURATION:
    return sizeof(uint32_t);
  case BB_FIELD_BYTES:
    return sizeof(uint64_t);
  case BB_FIELD_NUMBER:
    return sizeof(double);
  case BB_FIELD_DECIMAL:
    return sizeof(bb_decimal);
  case BB_FIELD_CHOICE:
    return sizeof(int);
  default:
    return sizeof(void *);
  }
}

static void set_defaults(const bb_schema *schema, void *out) {
  for (size_t i = 0; i < schema->n; i++) {
    const bb_field *field = &schema->fields[i];
    void *place = (char *)out + field->offset;
    memset(place, 0, size_of(field->kind));
    int err = field->fallback != NULL ? parse_scalar(field, field->fallback, place) : 0;
    assert(err == 0);
    (void)err;
  }
}

static int check_required(const bb_schema *schema, const bb_doc *doc, bb_report *report) {
  int result = 0;
  for (size_t i = 0; i < schema->n; i++) {
    const bb_field *field = &schema->fields[i];
    const bb_doc *child = bb_doc_get(doc, field->key);
    if (!field->required || (child != NULL && !bb_doc_is_null(child))) continue;
    bb_report_add(report, doc, "\"%s\" is missing: %s", field->key, field->help);
    result = BB_ERR_CONFIG;
  }
  return result;
}

int bb_schema_read_part(const bb_schema *schema, const bb_doc *doc, void *out, bb_report *report) {
  set_defaults(schema, out);
  if (doc == NULL) return 0;
  if (doc->kind != BB_DOC_MAP) {
    bb_report_add(report, doc, "a %s is a map of keys and values", schema->name);
    return BB_ERR_CONFIG;
  }
  int result = check_required(schema, doc, report);
  for (const bb_doc *child = doc->first; child != NULL; child = child->next) {
    const bb_field *field = find(schema, child->key);
    if (field == NULL || bb_doc_is_null(child)) continue;
    int err = read_field(field, child, (char *)out + field->offset, report);
    if (err < 0) result = err;
  }
  return result;
}

int bb_schema_read(const bb_schema *schema, const bb_doc *doc, void *out, bb_report *report) {
  int keys = doc != NULL ? bb_schema_check_keys(&schema, 1, doc, report) : 0;
  int values = bb_schema_read_part(schema, doc, out, report);
  return keys < 0 ? keys : values;
}

void bb_schema_print(const bb_schema *schema, bb_buf *out) {
  bb_buf_text(out, "| key | takes | default | meaning |\n|---|---|---|---|\n");
  for (size_t i = 0; i < schema->n; i++) {
    const bb_field *field = &schema->fields[i];
    char allowed[512];
    describe(field, allowed, sizeof(allowed));
    const char *fallback = field->required           ? "required"
                           : field->fallback != NULL ? field->fallback
                                                     : "";
    bb_buf_printf(out, "| `%s` | %s | %s | %s |\n", field->key, allowed, fallback, field->help);
  }
}
