/* SPDX-License-Identifier: Apache-2.0 */
/* See json.h. */
#include "encode/json.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_text.h"
#include "encode/number.h"

#define TIMESTAMP "{\"timestamp\":"
#define BOOT ",\"boot\":"
#define SEQ ",\"seq\":"
#define VALUES ",\"values\":"

/* The classes without their top bit, which bad and stale have, are those with a value of now. */
static inline bool is_current(uint8_t quality) {
  return (quality & 0x80) == 0;
}

static int64_t milliseconds(int64_t ns) {
  int64_t unit = (int64_t)BB_NS_PER_MS;
  return ns / unit - (ns % unit < 0);
}

static inline char *end_of(const bb_buf *out) {
  return (char *)out->bytes + out->len;
}

static inline void set_end(bb_buf *out, const char *end) {
  out->len = (size_t)(end - (char *)out->bytes);
}

static inline char *put(char *at, const char *bytes, size_t len) {
  memcpy(at, bytes, len);
  return at + len;
}

static void put_text(bb_buf *out, const char *text) {
  bb_json_string(out, text, strlen(text));
}

/* When it was taken, and what tells it from all others. */
static void put_head(bb_buf *out, const bb_batch *batch) {
  if (bb_buf_reserve(out, strlen(TIMESTAMP BOOT SEQ) + 3 * BB_JSON_NUMBER_MAX) < 0) return;
  char *at = put(end_of(out), TIMESTAMP, strlen(TIMESTAMP));
  at += bb_number_i64(at, milliseconds(batch->time_ns));
  at = put(at, BOOT, strlen(BOOT));
  at += bb_number_u64(at, batch->boot);
  at = put(at, SEQ, strlen(SEQ));
  set_end(out, bb_json_number(at, (bb_value){.type = BB_TYPE_U64, .v.u = batch->seq}));
}

static void put_options(bb_buf *out, const bb_batch *batch, const bb_json_options *options) {
  if (options->tags) {
    const bb_device *device = batch->device;
    if (*device->site != 0) {
      bb_buf_text(out, ",\"site\":");
      put_text(out, device->site);
    }
    bb_buf_text(out, ",\"tags\":{");
    for (uint32_t i = 0; i < device->n_tags; i++) {
      if (i > 0) bb_buf_byte(out, ',');
      bb_json_key(out, device->tags[i].key);
      put_text(out, device->tags[i].value);
    }
    bb_buf_byte(out, '}');
  }
  if (options->historical) bb_buf_text(out, ",\"historical\":true");
  if ((batch->flags & BB_BATCH_CLOCK_UNSET) != 0) bb_buf_text(out, ",\"clock\":\"unset\"");
}

/* "bad, no answer"; a good one that is listed has a value that is no number. */
static void put_quality(bb_buf *out, uint8_t quality) {
  if (bb_quality_class(quality) == BB_QUALITY_GOOD) {
    quality = BB_QUALITY_BAD | BB_CAUSE_NOT_A_NUMBER;
  }
  const char *cause = bb_quality_text(quality);
  bb_buf_byte(out, '"');
  bb_buf_text(out, bb_quality_name(quality));
  if (*cause != 0) bb_buf_text(out, ", ");
  bb_buf_text(out, cause);
  bb_buf_byte(out, '"');
}

/* Most names take one step, whose length the compiler knows. */
static inline char *put_name(char *at, const char *json, const bb_shape_member *member) {
  const char *name = json + member->at;
  memcpy(at, name, BB_SHAPE_STRIDE);
  if (member->len > BB_SHAPE_STRIDE) memcpy(at, name, member->len);
  return at + member->len;
}

/* Everything but float32; apart, so that the loop keeps its registers. */
__attribute__((noinline)) static char *put_other(char *at, const bb_shape_member *member,
                                                 const uint8_t *slot) {
  bb_value value = bb_value_load((bb_type)member->type, slot);
  if (value.type != BB_TYPE_TEXT) return bb_json_number(at, value);
  return bb_json_text_put(at, value.v.text.bytes, value.v.text.len);
}

/* Returns `at` when the value has no JSON. */
static inline char *put_value(char *at, const bb_shape_member *member, const uint8_t *values) {
  const uint8_t *slot = values + member->offset;
  if (member->type != BB_TYPE_F32) return put_other(at, member, slot);
  uint32_t bits = bb_get_le32(slot);
  float value;
  memcpy(&value, &bits, sizeof(value));
  return at + bb_number_f32(at, value);
}

/* Room for all values, so that nothing looks at the buffer in between. */
static char *reserve_values(bb_buf *out, const bb_shape *shape) {
  size_t bytes = strlen(VALUES "{}") + shape->json_bytes + BB_SHAPE_STRIDE +
                 shape->n_points * (size_t)BB_JSON_NUMBER_MAX +
                 shape->text_bytes * (size_t)BB_JSON_TEXT_MAX;
  return bb_buf_reserve(out, bytes) < 0 ? NULL : end_of(out);
}

/* Returns how many values were left out. *seen: all bits of all qualities. */
static int put_values(bb_buf *out, const bb_batch *batch, uint8_t *seen) {
  const bb_shape *shape = batch->shape;
  const bb_shape_member *member = shape->members, *end = member + shape->n_points;
  const uint8_t *quality = batch->quality, *values = batch->values;
  const char *json = shape->json;
  uint8_t all = 0;
  int left_out = 0;
  char *at = reserve_values(out, shape);
  if (at == NULL) return 0;
  at = put(at, VALUES, strlen(VALUES));
  char *start = at;
  for (; member < end; member++, quality++) {
    all |= *quality;
    if (!is_current(*quality)) continue;
    char *value = put_name(at, json, member);
    char *next = put_value(value, member, values);
    if (next == value) {
      left_out++;
    } else {
      at = next;
    }
  }
  /* Each name begins with a comma, which for the first becomes the bracket. */
  *start = '{';
  if (at == start) at++;
  *at++ = '}';
  set_end(out, at);
  *seen = all;
  return left_out;
}

static bool is_listed(const bb_batch *batch, uint16_t point, int left_out) {
  uint8_t quality = batch->quality[point];
  if (bb_quality_class(quality) != BB_QUALITY_GOOD) return quality != BB_QUALITY_ABSENT;
  if (left_out == 0 || !bb_type_is_float(batch->shape->points[point].type)) return false;
  double value = bb_value_double(bb_batch_value(batch, point));
  return value - value != 0; /* NaN or an infinity */
}

static void put_qualities(bb_buf *out, const bb_batch *batch, int left_out) {
  const bb_shape *shape = batch->shape;
  bool first = true;
  for (uint16_t i = 0; i < shape->n_points; i++) {
    const bb_shape_member *member = &shape->members[i];
    if (!is_listed(batch, i, left_out)) continue;
    if (first) bb_buf_text(out, ",\"quality\":{");
    bb_buf_append(out, shape->json + member->at + first, member->len - first);
    put_quality(out, batch->quality[i]);
    first = false;
  }
  if (!first) bb_buf_byte(out, '}');
}

/* The end of both: all or nothing. */
static int finish(bb_buf *out, size_t start, int left_out) {
  bb_buf_byte(out, '}');
  if (out->failed == 0) return left_out;
  out->len = start;
  return out->failed;
}

int bb_json_batch(bb_buf *out, const bb_batch *batch, const bb_json_options *options) {
  size_t start = out->len;
  int left_out = 0;
  put_head(out, batch);
  bb_buf_text(out, ",\"device\":");
  put_text(out, batch->device->id);
  if (batch->shape != NULL) {
    bb_buf_text(out, ",\"scan\":");
    put_text(out, batch->shape->scan);
  }
  put_options(out, batch, options);
  if (batch->shape != NULL) {
    uint8_t seen = 0;
    left_out = put_values(out, batch, &seen);
    if (bb_quality_class(seen) != BB_QUALITY_GOOD || left_out > 0) {
      put_qualities(out, batch, left_out);
    }
  }
  if (batch->kind != BB_BATCH_SAMPLES) {
    bool has_text = batch->text != NULL;
    bb_buf_text(out, batch->kind == BB_BATCH_OUTCOME ? ",\"outcome\":" : ",\"event\":");
    bb_json_string(out, has_text ? batch->text : "", has_text ? batch->text_len : 0);
  }
  return finish(out, start, left_out);
}

int bb_json_point(bb_buf *out, const bb_batch *batch, uint16_t point,
                  const bb_json_options *options) {
  size_t start = out->len;
  int left_out = 0;
  uint8_t quality = batch->quality[point];
  const char *unit = batch->shape->points[point].unit;
  put_head(out, batch);
  if (is_current(quality)) {
    size_t before = out->len;
    bb_buf_text(out, ",\"value\":");
    left_out = bb_json_value(out, bb_batch_value(batch, point)) == BB_ERR_RANGE;
    if (left_out > 0) out->len = before;
  }
  if (*unit != 0) {
    bb_buf_text(out, ",\"unit\":");
    put_text(out, unit);
  }
  if (bb_quality_class(quality) != BB_QUALITY_GOOD || left_out > 0) {
    bb_buf_text(out, ",\"quality\":");
    put_quality(out, quality);
  }
  put_options(out, batch, options);
  return finish(out, start, left_out);
}
