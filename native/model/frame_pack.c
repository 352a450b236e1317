/* SPDX-License-Identifier: Apache-2.0 */
/* See frame.h. Devices, shapes and batches of our own become bytes here; frame_unpack.c is the
 * reverse. Lengths are counted first, so that a frame is written into room that it has for certain,
 * and a failure leaves nothing behind. */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "model/frame.h"

typedef struct {
  size_t len;
  bool too_long; /* something passes a limit that the reader would refuse */
} counter;

static void count_text(counter *c, const char *text, size_t max) {
  size_t len = strlen(text);
  c->too_long |= len > max;
  c->len += 2 + len;
}

/* Room for the whole frame behind `out`. */
static int extend(bb_buf *out, const counter *c, uint8_t **place) {
  if (c->too_long || c->len > BB_MAX_FRAME_BYTES) return BB_ERR_LIMIT;
  int err = bb_buf_reserve(out, c->len);
  if (err == 0) *place = bb_buf_extend(out, c->len);
  return err;
}

static uint8_t *put_header(uint8_t *p, size_t len, bb_frame_kind kind) {
  bb_put_le32(p, (uint32_t)len);
  p[4] = BB_FRAME_VERSION;
  p[5] = (uint8_t)kind;
  bb_put_le16(p + 6, 0);
  return p + BB_FRAME_HEADER;
}

static uint8_t *put_text(uint8_t *p, const char *text) {
  size_t len = strlen(text);
  bb_put_le16(p, (uint16_t)len);
  memcpy(p + 2, text, len);
  return p + 2 + len;
}

static uint8_t *put_double(uint8_t *p, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  bb_put_le64(p, bits);
  return p + 8;
}

int bb_frame_pack_device(bb_buf *out, uint32_t number, const bb_device *device) {
  counter c = {.len = BB_FRAME_HEADER + 6, .too_long = device->n_tags > BB_MAX_TAGS};
  count_text(&c, device->id, BB_MAX_ID);
  count_text(&c, device->site, BB_MAX_ID);
  count_text(&c, device->profile, BB_MAX_TEXT);
  for (uint32_t i = 0; i < device->n_tags; i++) {
    count_text(&c, device->tags[i].key, BB_MAX_NAME);
    count_text(&c, device->tags[i].value, BB_MAX_TEXT);
  }
  uint8_t *p = NULL;
  int err = extend(out, &c, &p);
  if (err < 0) return err;
  p = put_header(p, c.len, BB_FRAME_DEVICE);
  bb_put_le32(p, number);
  bb_put_le16(p + 4, (uint16_t)device->n_tags);
  p = put_text(p + 6, device->id);
  p = put_text(p, device->site);
  p = put_text(p, device->profile);
  for (uint32_t i = 0; i < device->n_tags; i++) {
    p = put_text(p, device->tags[i].key);
    p = put_text(p, device->tags[i].value);
  }
  assert(p == out->bytes + out->len);
  return 0;
}

static void count_point(counter *c, const bb_point *point) {
  c->len += BB_FRAME_POINT_HEADER;
  count_text(c, point->name, BB_MAX_NAME);
  count_text(c, point->unit, BB_MAX_TEXT);
  count_text(c, point->description, BB_MAX_TEXT);
  for (uint16_t i = 0; i < point->n_labels; i++) {
    c->len += 4;
    count_text(c, point->labels[i].name, BB_MAX_TEXT);
  }
}

static uint8_t *put_point(uint8_t *p, const bb_point *point) {
  p[0] = (uint8_t)point->type;
  p[1] = (uint8_t)point->labels_kind;
  bb_put_le16(p + 2, point->size);
  bb_put_le16(p + 4, point->n_labels);
  p[6] = (uint8_t)((point->writable ? BB_FRAME_POINT_WRITABLE : 0) |
                   (point->has_min ? BB_FRAME_POINT_MIN : 0) |
                   (point->has_max ? BB_FRAME_POINT_MAX : 0));
  p[7] = 0;
  p = put_double(p + 8, point->deadband);
  p = put_double(p, point->has_min ? point->min : 0);
  p = put_double(p, point->has_max ? point->max : 0);
  p = put_double(p, point->step);
  p = put_text(p, point->name);
  p = put_text(p, point->unit);
  p = put_text(p, point->description);
  for (uint16_t i = 0; i < point->n_labels; i++) {
    bb_put_le32(p, point->labels[i].value);
    p = put_text(p + 4, point->labels[i].name);
  }
  return p;
}

int bb_frame_pack_shape(bb_buf *out, const bb_shape *shape) {
  counter c = {.len = BB_FRAME_HEADER + 10, .too_long = shape->n_points > BB_MAX_POINTS};
  count_text(&c, shape->scan, BB_MAX_NAME);
  for (uint16_t i = 0; i < shape->n_points; i++) count_point(&c, &shape->points[i]);
  uint8_t *p = NULL;
  int err = extend(out, &c, &p);
  if (err < 0) return err;
  p = put_header(p, c.len, BB_FRAME_SHAPE);
  bb_put_le64(p, shape->hash);
  bb_put_le16(p + 8, shape->n_points);
  p = put_text(p + 10, shape->scan);
  for (uint16_t i = 0; i < shape->n_points; i++) p = put_point(p, &shape->points[i]);
  assert(p == out->bytes + out->len);
  return 0;
}

/* Each byte equals the one before it and the first is 0. */
static bool all_zero(const uint8_t *bytes, size_t n) {
  return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

static size_t points_of(const bb_batch *batch) {
  return batch->shape != NULL ? batch->shape->n_points : 0;
}

unsigned bb_frame_content(const bb_batch *batch) {
  size_t n = points_of(batch);
  unsigned content = all_zero(batch->quality, n) ? 0 : BB_FRAME_QUALITY;
  if (batch->codes != NULL && !all_zero(batch->codes, n)) content |= BB_FRAME_CODES;
  return content;
}

static size_t batch_bytes(const bb_batch *batch, size_t n, unsigned content) {
  size_t len = BB_FRAME_BATCH_HEADER + (size_t)batch->text_len;
  if (content & BB_FRAME_QUALITY) len += n;
  if (content & BB_FRAME_CODES) len += n;
  if (batch->shape != NULL) len += batch->shape->value_bytes;
  return len;
}

size_t bb_frame_batch_bytes(const bb_batch *batch) {
  return batch_bytes(batch, points_of(batch), bb_frame_content(batch));
}

static uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t len) {
  if (len > 0) memcpy(p, bytes, len);
  return p + len;
}

void bb_frame_put_batch(uint8_t *out, uint32_t device_number, const bb_batch *batch) {
  const bb_shape *shape = batch->shape;
  size_t n = points_of(batch);
  unsigned content = bb_frame_content(batch);
  uint8_t *p = out;
  put_header(p, batch_bytes(batch, n, content), BB_FRAME_BATCH);
  bb_put_le32(p + 8, device_number);
  bb_put_le32(p + 12, batch->boot);
  bb_put_le64(p + 16, shape != NULL ? shape->hash : 0);
  bb_put_le64(p + 24, (uint64_t)batch->time_ns);
  bb_put_le64(p + 32, batch->mono_ns);
  bb_put_le64(p + 40, batch->seq);
  p[48] = batch->kind;
  p[49] = batch->flags;
  p[50] = (uint8_t)content;
  p[51] = 0;
  bb_put_le16(p + 52, (uint16_t)n);
  bb_put_le16(p + 54, batch->text_len);
  p += BB_FRAME_BATCH_HEADER;
  if (content & BB_FRAME_QUALITY) p = put_bytes(p, batch->quality, n);
  if (content & BB_FRAME_CODES) p = put_bytes(p, batch->codes, n);
  if (shape != NULL) p = put_bytes(p, batch->values, shape->value_bytes);
  put_bytes(p, batch->text, batch->text_len);
}

int bb_frame_pack_batch(bb_buf *out, uint32_t device_number, const bb_batch *batch) {
  counter c = {.len = bb_frame_batch_bytes(batch)};
  uint8_t *p = NULL;
  int err = extend(out, &c, &p);
  if (err < 0) return err;
  bb_frame_put_batch(p, device_number, batch);
  return 0;
}
