/* SPDX-License-Identifier: Apache-2.0 */
/* Batches into lines, by a plan. See line.h. */
#include "encode/line.h"

#include <string.h>

#include "base/bytes.h"
#include "encode/line_plan.h"
#include "encode/line_text.h"
#include "encode/number.h"

#define SLACK                                                                                      \
  (BB_LINE_STRIDE + BB_NUMBER_F64_MAX) /* what copying in steps may write past the end */
#define EVENTS "events"

/* " 1763688000123\n" */
typedef struct {
  char text[BB_NUMBER_I64_MAX + 2];
  size_t len;
} stamp;

static stamp make_stamp(int64_t time_ns, bb_line_precision precision) {
  static const int64_t units[] = {1, 1000, 1000000, 1000000000};
  int64_t unit = units[precision];
  stamp s = {.text = " "};
  s.len = 1 + bb_number_i64(s.text + 1, time_ns / unit - (time_ns % unit < 0));
  s.text[s.len++] = '\n';
  return s;
}

static inline char *put(char *at, const char *bytes, size_t len) {
  memcpy(at, bytes, len);
  return at + len;
}

/* Most keys take one step, whose length the compiler knows. */
static inline char *put_key(char *at, const bb_line_field *field) {
  memcpy(at, field->key, BB_LINE_STRIDE);
  if (field->key_len > BB_LINE_STRIDE) memcpy(at, field->key, field->key_len);
  return at + field->key_len;
}

static char *put_integer(char *at, const bb_line_field *field, bb_value value) {
  if (field->form == BB_LINE_SIGNED) {
    at += bb_number_i64(at, value.v.i);
  } else {
    if (field->suffix == 'i' && value.v.u > INT64_MAX) return at;
    at += bb_number_u64(at, value.v.u);
  }
  if (field->suffix != 0) *at++ = field->suffix;
  return at;
}

/* Everything but float32. Returns `at` when the value cannot be written. */
static char *put_other(char *at, const bb_line_field *field, const uint8_t *slot) {
  bb_value value = bb_value_load((bb_type)field->type, slot);
  switch (field->form) {
  case BB_LINE_F64:
    return at + bb_number_f64(at, value.v.d);
  case BB_LINE_BOOL:
    return value.v.b ? put(at, "true", 4) : put(at, "false", 5);
  case BB_LINE_BIT:
    *at = value.v.b ? '1' : '0';
    return at + 1;
  case BB_LINE_STRING:
    return bb_line_text_string(at, value.v.text.bytes, value.v.text.len);
  default:
    return put_integer(at, field, value);
  }
}

static inline char *put_value(char *at, const bb_line_field *field, const uint8_t *values) {
  const uint8_t *slot = values + field->offset;
  if (field->form != BB_LINE_F32) return put_other(at, field, slot);
  uint32_t bits = bb_get_le32(slot);
  float value;
  memcpy(&value, &bits, sizeof(value));
  return at + bb_number_f32(at, value);
}

static char *put_head(char *at, const bb_line_series *series, const bb_line_group *group) {
  at = put(at, series->text, series->cut);
  at = put(at, group->tag, group->tag_len);
  return put(at, series->text + series->cut, series->len - series->cut);
}

/* The fields that have a value; each begins with a comma, which for the first becomes the space
 * behind the head. */
static char *put_fields(char *at, const bb_line_field *field, uint32_t n, const bb_batch *batch,
                        uint32_t *left_out) {
  char *start = at;
  for (const bb_line_field *end = field + n; field < end; field++) {
    /* Bad, stale and absent have the top bit. */
    if (batch->quality[field->point] & 0x80) continue;
    char *value = put_key(at, field);
    char *next = put_value(value, field, batch->values);
    if (next == value) {
      ++*left_out;
    } else {
      at = next;
    }
  }
  *start = ' ';
  return at;
}

int bb_line_batch(bb_buf *out, const bb_line_series *series, const bb_line_plan *plan,
                  const bb_batch *batch, uint32_t *left_out) {
  int err = bb_buf_reserve(out, plan->max_bytes + plan->n_groups * series->len + SLACK);
  if (err < 0) return err;
  stamp s = make_stamp(batch->time_ns, plan->precision);
  char *start = (char *)out->bytes + out->len, *at = start;
  int lines = 0;
  *left_out += plan->dropped;
  for (uint32_t i = 0; i < plan->n_groups; i++) {
    const bb_line_group *group = &plan->groups[i];
    char *head = put_head(at, series, group);
    char *end = put_fields(head, plan->fields + group->first, group->n, batch, left_out);
    if (end == head) continue;
    at = put(end, s.text, s.len);
    lines++;
  }
  out->len += (size_t)(at - start);
  return lines;
}

int bb_line_event(bb_buf *out, const bb_batch *batch, const bb_line_options *options) {
  if (batch->text == NULL) return 0;
  size_t start = out->len, cut;
  const char *kind = batch->kind == BB_BATCH_OUTCOME ? ",kind=outcome" : ",kind=event";
  bb_line_series_put(out, EVENTS, batch->device, options, "kind", &cut);
  size_t tail = out->len - cut;
  bb_buf_text(out, kind);
  stamp s = make_stamp(batch->time_ns, options->precision);
  size_t room = strlen(" text=") + BB_LINE_TEXT_STRING_MAX((size_t)batch->text_len) + s.len;
  if (bb_buf_reserve(out, room) < 0) {
    out->len = start;
    return out->failed;
  }
  /* The tag goes to its place among the others. */
  memmove(out->bytes + cut + strlen(kind), out->bytes + cut, tail);
  memcpy(out->bytes + cut, kind, strlen(kind));
  char *at = put((char *)out->bytes + out->len, " text=", 6);
  at = put(bb_line_text_string(at, batch->text, batch->text_len), s.text, s.len);
  out->len = (size_t)(at - (char *)out->bytes);
  return 1;
}

static const char *type_of(const bb_line_field *field) {
  static const char *const words[] = {"float",   "float", "float", "float",
                                      "boolean", "float", "string"};
  if (field->suffix != 0) return field->suffix == 'i' ? "integer" : "unsigned";
  return words[field->form];
}

/* The measurement ends at the first comma that no backslash stands before, or at the end. */
static bool has_measurement(const bb_line_series *series, const char *measurement) {
  bb_buf text;
  bb_buf_init(&text, BB_LINE_TEXT_STRING_MAX(series->len));
  bb_line_text_measurement(&text, measurement);
  bool same = text.failed == 0 && text.len <= series->len &&
              memcmp(series->text, text.bytes, text.len) == 0 &&
              (text.len == series->len || series->text[text.len] == ',');
  bb_buf_close(&text);
  return same;
}

uint32_t bb_line_count(const bb_line_series *series, const bb_line_plan *plan,
                       const char *measurement, const char *field, const char *type) {
  bb_buf key;
  uint32_t n = 0;
  if (!has_measurement(series, measurement)) return 0;
  bb_buf_init(&key, BB_LINE_TEXT_STRING_MAX(strlen(field)));
  bb_buf_byte(&key, ',');
  bb_line_text_key(&key, field);
  bb_buf_byte(&key, '=');
  for (uint32_t i = 0; i < plan->n_fields && key.failed == 0; i++) {
    const bb_line_field *own = &plan->fields[i];
    n += own->key_len == key.len && memcmp(own->key, key.bytes, key.len) == 0 &&
         strcmp(type_of(own), type) == 0;
  }
  bb_buf_close(&key);
  return n;
}
