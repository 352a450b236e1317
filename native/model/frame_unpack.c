/* SPDX-License-Identifier: Apache-2.0 */
/* See frame.h. Nothing is trusted: each length is held against what is left before it is used, and
 * nothing is allocated for a number of things that cannot stand in the bytes that are there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "model/frame.h"

/* A frame of the largest size with the shortest labels takes a good half of it. */
#define ARENA_MAX (16u * BB_MAX_FRAME_BYTES)
#define POINT_MIN (BB_FRAME_POINT_HEADER + 3 * 2)
#define LABEL_MIN (4 + 2)

/* The first error sticks; after it every get gives zero or "", so that one check at the end of a run
 * is enough. */
typedef struct {
  const uint8_t *p;
  const uint8_t *end;
  bb_arena arena; /* terminated texts, until they are copied into what is made of the frame */
  int err;
} reader;

static void refuse(reader *r, int err) {
  if (r->err == 0) r->err = err;
}

static const uint8_t *take(reader *r, size_t n) {
  if (n > (size_t)(r->end - r->p)) refuse(r, BB_ERR_FORMAT);
  if (r->err < 0) return NULL;
  const uint8_t *bytes = r->p;
  r->p += n;
  return bytes;
}

static uint16_t get_u16(reader *r) {
  const uint8_t *p = take(r, 2);
  return p != NULL ? bb_get_le16(p) : 0;
}

static uint32_t get_u32(reader *r) {
  const uint8_t *p = take(r, 4);
  return p != NULL ? bb_get_le32(p) : 0;
}

static uint64_t get_u64(reader *r) {
  const uint8_t *p = take(r, 8);
  return p != NULL ? bb_get_le64(p) : 0;
}

static double get_double(reader *r) {
  uint64_t bits = get_u64(r);
  double value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

/* A text of at most `max` bytes, terminated. */
static const char *get_text(reader *r, size_t max) {
  size_t len = get_u16(r);
  const char *bytes = (const char *)take(r, len);
  if (bytes == NULL) return "";
  if (len > max || memchr(bytes, 0, len) != NULL || !bb_text_is_utf8(bytes, len)) {
    refuse(r, BB_ERR_FORMAT);
    return "";
  }
  const char *copy = bb_arena_copy(&r->arena, bytes, len);
  if (copy == NULL) refuse(r, BB_ERR_NOMEM);
  return copy != NULL ? copy : "";
}

static const char *get_name(reader *r) {
  const char *name = get_text(r, BB_MAX_NAME);
  if (!bb_text_is_name(name)) refuse(r, BB_ERR_FORMAT);
  return name;
}

/* Room for `n` things of `size` bytes that take at least `least` bytes each of what is left. */
static void *room_for(reader *r, size_t n, size_t size, size_t least) {
  if (n * least > (size_t)(r->end - r->p)) refuse(r, BB_ERR_FORMAT);
  if (r->err < 0) return NULL;
  void *room = bb_arena_take(&r->arena, n * size);
  if (room == NULL) refuse(r, BB_ERR_NOMEM);
  return room;
}

int bb_frame_peek(const uint8_t *bytes, size_t len, bb_frame_kind *kind) {
  if (len < BB_FRAME_HEADER) return 0;
  uint32_t whole = bb_get_le32(bytes);
  if (bytes[4] != BB_FRAME_VERSION) return BB_ERR_VERSION;
  if (bytes[5] < BB_FRAME_DEVICE || bytes[5] > BB_FRAME_BATCH) return BB_ERR_FORMAT;
  if (bb_get_le16(bytes + 6) != 0 || whole < BB_FRAME_HEADER) return BB_ERR_FORMAT;
  if (whole > BB_MAX_FRAME_BYTES) return BB_ERR_LIMIT;
  if (whole > len) return 0;
  *kind = (bb_frame_kind)bytes[5];
  return (int)whole;
}

/* `frame` is one whole frame of that kind. */
static bool is_frame(const uint8_t *frame, size_t len, bb_frame_kind expected) {
  bb_frame_kind kind;
  int whole = bb_frame_peek(frame, len, &kind);
  return whole > 0 && (size_t)whole == len && kind == expected;
}

static int open_frame(reader *r, const uint8_t *frame, size_t len, bb_frame_kind kind) {
  if (!is_frame(frame, len, kind)) return BB_ERR_FORMAT;
  *r = (reader){.p = frame + BB_FRAME_HEADER, .end = frame + len};
  bb_arena_init(&r->arena, ARENA_MAX);
  return 0;
}

static bb_device *read_device(reader *r, uint32_t *number) {
  bb_tag tags[BB_MAX_TAGS];
  *number = get_u32(r);
  uint16_t n_tags = get_u16(r);
  const char *id = get_text(r, BB_MAX_ID);
  const char *site = get_text(r, BB_MAX_ID);
  const char *profile = get_text(r, BB_MAX_TEXT);
  if (!bb_text_is_id(id) || (*site != 0 && !bb_text_is_id(site))) refuse(r, BB_ERR_FORMAT);
  if (n_tags > BB_MAX_TAGS) refuse(r, BB_ERR_FORMAT);
  for (uint16_t i = 0; i < n_tags && r->err == 0; i++) {
    tags[i].key = get_name(r);
    tags[i].value = get_text(r, BB_MAX_TEXT);
  }
  if (r->p != r->end) refuse(r, BB_ERR_FORMAT);
  if (r->err < 0) return NULL;
  bb_device *device = bb_device_new(id, site, profile, tags, n_tags);
  if (device == NULL) {
    refuse(r, BB_ERR_NOMEM);
  } else if (device->n_tags != n_tags) {
    refuse(r, BB_ERR_FORMAT);
  }
  return device;
}

int bb_frame_unpack_device(const uint8_t *frame, size_t len, uint32_t *number, bb_device **out) {
  reader r;
  int err = open_frame(&r, frame, len, BB_FRAME_DEVICE);
  if (err < 0) return err;
  bb_device *device = read_device(&r, number);
  bb_arena_close(&r.arena);
  if (r.err < 0) {
    bb_device_unref(device);
    return r.err;
  }
  *out = device;
  return 0;
}

static bool is_amount(double value) {
  return isfinite(value) && value >= 0;
}

static bool is_sound(const bb_point *point) {
  bool text = point->type == BB_TYPE_TEXT;
  if (text ? point->size < 2 || point->size > BB_MAX_STRING_VALUE + 1
           : point->size != bb_type_size(point->type)) {
    return false;
  }
  if (!is_amount(point->deadband) || !is_amount(point->step)) return false;
  if (!isfinite(point->min) || !isfinite(point->max)) return false;
  if (point->has_min && point->has_max && point->min > point->max) return false;
  if (point->labels_kind == BB_LABELS_NONE) return point->n_labels == 0;
  return point->type == BB_TYPE_BOOL || bb_type_is_integer(point->type);
}

static void read_labels(reader *r, bb_point *point) {
  unsigned bits = point->type == BB_TYPE_BOOL ? 1 : 8u * point->size;
  bb_label *labels = room_for(r, point->n_labels, sizeof(*labels), LABEL_MIN);
  for (uint16_t i = 0; i < point->n_labels && r->err == 0; i++) {
    labels[i].value = get_u32(r);
    labels[i].name = get_text(r, BB_MAX_TEXT);
    bool is_bit = point->labels_kind == BB_LABELS_BITS;
    if (is_bit && labels[i].value >= bits) refuse(r, BB_ERR_FORMAT);
  }
  point->labels = labels;
}

static void read_point(reader *r, bb_point *point) {
  const uint8_t *p = take(r, 8);
  if (p == NULL) return;
  if (p[0] >= BB_TYPE_COUNT || p[1] > BB_LABELS_BITS || p[6] > 7 || p[7] != 0) {
    refuse(r, BB_ERR_FORMAT);
    return;
  }
  point->type = (bb_type)p[0];
  point->labels_kind = (bb_labels)p[1];
  point->size = bb_get_le16(p + 2);
  point->n_labels = bb_get_le16(p + 4);
  point->writable = (p[6] & BB_FRAME_POINT_WRITABLE) != 0;
  point->has_min = (p[6] & BB_FRAME_POINT_MIN) != 0;
  point->has_max = (p[6] & BB_FRAME_POINT_MAX) != 0;
  point->deadband = get_double(r);
  double min = get_double(r), max = get_double(r);
  point->min = point->has_min ? min : 0;
  point->max = point->has_max ? max : 0;
  point->step = get_double(r);
  point->name = get_name(r);
  point->unit = get_text(r, BB_MAX_TEXT);
  point->description = get_text(r, BB_MAX_TEXT);
  if (!is_sound(point)) refuse(r, BB_ERR_FORMAT);
  if (point->n_labels > 0) read_labels(r, point);
}

static int by_name(const void *a, const void *b) {
  return strcmp((*(const bb_point *const *)a)->name, (*(const bb_point *const *)b)->name);
}

/* By sorting: a hash table can be made slow by whoever chooses the names. */
static bool names_differ(reader *r, const bb_point *points, uint16_t n) {
  if (n < 2 || r->err < 0) return true;
  const bb_point **sorted = room_for(r, n, sizeof(*sorted), 0);
  if (sorted == NULL) return true;
  for (uint16_t i = 0; i < n; i++) sorted[i] = &points[i];
  qsort(sorted, n, sizeof(*sorted), by_name);
  for (uint16_t i = 1; i < n; i++) {
    if (by_name(&sorted[i - 1], &sorted[i]) == 0) return false;
  }
  return true;
}

static bb_shape *read_shape(reader *r) {
  uint64_t hash = get_u64(r);
  uint16_t n = get_u16(r);
  const char *scan = get_name(r);
  if (n > BB_MAX_POINTS || hash == 0) refuse(r, BB_ERR_FORMAT);
  bb_point *points = room_for(r, n, sizeof(*points), POINT_MIN);
  const bb_point **list = room_for(r, n, sizeof(*list), POINT_MIN);
  for (uint16_t i = 0; i < n && r->err == 0; i++) {
    read_point(r, &points[i]);
    list[i] = &points[i];
  }
  if (r->p != r->end || !names_differ(r, points, n)) refuse(r, BB_ERR_FORMAT);
  if (r->err < 0) return NULL;
  bb_shape *shape = bb_shape_new(scan, list, n);
  if (shape == NULL) {
    refuse(r, BB_ERR_NOMEM);
  } else if (shape->hash != hash) {
    refuse(r, BB_ERR_FORMAT);
  }
  return shape;
}

int bb_frame_unpack_shape(const uint8_t *frame, size_t len, bb_shape **out) {
  reader r;
  int err = open_frame(&r, frame, len, BB_FRAME_SHAPE);
  if (err < 0) return err;
  bb_shape *shape = read_shape(&r);
  bb_arena_close(&r.arena);
  if (r.err < 0) {
    bb_shape_unref(shape);
    return r.err;
  }
  *out = shape;
  return 0;
}

static bool is_batch(const uint8_t *frame, size_t len) {
  return len >= BB_FRAME_BATCH_HEADER && is_frame(frame, len, BB_FRAME_BATCH);
}

int bb_frame_batch_names(const uint8_t *frame, size_t len, bb_frame_names *out) {
  if (!is_batch(frame, len)) return BB_ERR_FORMAT;
  *out = (bb_frame_names){bb_get_le32(frame + 8), bb_get_le64(frame + 16)};
  return 0;
}

int bb_frame_unpack_batch(const uint8_t *frame, size_t len, const bb_device *device,
                          const bb_shape *shape, bb_batch *out) {
  if (!is_batch(frame, len)) return BB_ERR_FORMAT;
  uint16_t n = shape != NULL ? shape->n_points : 0;
  uint8_t content = frame[50];
  uint16_t text_len = bb_get_le16(frame + 54);
  if (bb_get_le64(frame + 16) != (shape != NULL ? shape->hash : 0)) return BB_ERR_FORMAT;
  if (bb_get_le16(frame + 52) != n || content > (BB_FRAME_QUALITY | BB_FRAME_CODES) ||
      frame[51] != 0) {
    return BB_ERR_FORMAT;
  }
  size_t quality = content & BB_FRAME_QUALITY ? n : 0, codes = content & BB_FRAME_CODES ? n : 0;
  size_t values = shape != NULL ? shape->value_bytes : 0;
  if (len != BB_FRAME_BATCH_HEADER + quality + codes + values + text_len) return BB_ERR_FORMAT;
  const uint8_t *p = frame + BB_FRAME_BATCH_HEADER;
  *out = (bb_batch){
      .device = device,
      .shape = shape,
      .time_ns = (int64_t)bb_get_le64(frame + 24),
      .mono_ns = bb_get_le64(frame + 32),
      .boot = bb_get_le32(frame + 12),
      .seq = bb_get_le64(frame + 40),
      .kind = frame[48],
      .flags = frame[49],
      .text_len = text_len,
      .quality = quality > 0 ? p : bb_batch_all_good,
      .codes = codes > 0 ? p + quality : NULL,
      .values = p + quality + codes,
      .text = text_len > 0 ? (const char *)p + quality + codes + values : NULL,
  };
  return bb_batch_is_sound(out) ? 0 : BB_ERR_FORMAT;
}
