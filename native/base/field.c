/* SPDX-License-Identifier: Apache-2.0 */
/* See field.h. */
#include "base/field.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

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

void bb_field_describe(const bb_field *field, char *out, size_t cap) {
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
    bb_text_show_bytes(low, sizeof(low), (uint64_t)field->min);
    bb_text_show_bytes(high, sizeof(high), (uint64_t)field->max);
    if (bounded(field)) {
      snprintf(out, cap, "a size such as 64KiB or 16MiB, from %s to %s", low, high);
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

int bb_field_parse(const bb_field *field, const char *text, void *place) {
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

size_t bb_field_size(bb_field_kind kind) {
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
