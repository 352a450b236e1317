/* SPDX-License-Identifier: Apache-2.0 */
/* See json.h. */
#include "encode/json.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "encode/number.h"

/* The classes without their top bit, which bad and stale have, are those with a value of now. */
static inline bool is_current(uint8_t quality) {
  return (quality & 0x80) == 0;
}

static int64_t milliseconds(int64_t ns) {
  int64_t unit = (int64_t)BB_NS_PER_MS;
  return ns / unit - (ns % unit < 0);
}

static void put_text(bb_buf *out, const char *text) {
  bb_json_string(out, text, strlen(text));
}

static void put_timestamp(bb_buf *out, const bb_batch *batch) {
  char digits[BB_NUMBER_I64_MAX];
  bb_buf_text(out, "{\"timestamp\":");
  bb_buf_append(out, digits, bb_number_i64(digits, milliseconds(batch->time_ns)));
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

/* Returns how many values were left out, which `put_qualities` has to be told. */
static int put_values(bb_buf *out, const bb_batch *batch) {
  int left_out = 0;
  bb_buf_text(out, ",\"values\":{");
  size_t start = out->len;
  for (uint16_t i = 0; i < batch->shape->n_points; i++) {
    if (!is_current(batch->quality[i])) continue;
    size_t before = out->len;
    if (before > start) bb_buf_byte(out, ',');
    bb_json_key(out, batch->shape->points[i].name);
    if (bb_json_value(out, bb_batch_value(batch, i)) != BB_ERR_RANGE) continue;
    out->len = before;
    left_out++;
  }
  bb_buf_byte(out, '}');
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
  bool first = true;
  for (uint16_t i = 0; i < batch->shape->n_points; i++) {
    if (!is_listed(batch, i, left_out)) continue;
    bb_buf_text(out, first ? ",\"quality\":{" : ",");
    bb_json_key(out, batch->shape->points[i].name);
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
  put_timestamp(out, batch);
  bb_buf_text(out, ",\"device\":");
  put_text(out, batch->device->id);
  if (batch->shape != NULL) {
    bb_buf_text(out, ",\"scan\":");
    put_text(out, batch->shape->scan);
  }
  put_options(out, batch, options);
  if (batch->shape != NULL) {
    left_out = put_values(out, batch);
    put_qualities(out, batch, left_out);
  }
  if (batch->kind != BB_BATCH_SAMPLES) {
    bb_buf_text(out, ",\"event\":");
    bb_json_string(out, batch->text, batch->text != NULL ? batch->text_len : 0);
  }
  return finish(out, start, left_out);
}

int bb_json_point(bb_buf *out, const bb_batch *batch, uint16_t point,
                  const bb_json_options *options) {
  size_t start = out->len;
  int left_out = 0;
  uint8_t quality = batch->quality[point];
  const char *unit = batch->shape->points[point].unit;
  put_timestamp(out, batch);
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
