/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what comes from the control socket into the addon: frames one behind the other. A batch
 * is also read under the hash of the shape before it and for the device before it, so that its values
 * are reached. The columns are as large as they have to be, and no larger, so that a step beyond is
 * seen.
 */
#include <stdlib.h>
#include <string.h>

#include "addon/reader.h"
#include "base/bytes.h"
#include "base/err.h"
#include "model/frame.h"
#include "model/quality.h"

#define MOST_TEXT (1u << 20) /* of a batch as JSON or lines */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
  bb_reader *reader;
  uint8_t *bytes; /* as large as they are */
  size_t size;
  uint32_t n_devices, n_shapes;
  uint32_t device; /* number and hash of the newest */
  uint64_t shape;
  uint16_t n_points;
} stream;

static void check(int truth) {
  if (!truth) abort();
}

static void note(stream *s, size_t at, size_t len, bb_frame_kind kind) {
  bb_device *device;
  bb_shape *shape;
  if (kind == BB_FRAME_DEVICE &&
      bb_frame_unpack_device(s->bytes + at, len, &s->device, &device) >= 0) {
    bb_device_unref(device);
  }
  if (kind == BB_FRAME_SHAPE && bb_frame_unpack_shape(s->bytes + at, len, &shape) >= 0) {
    s->shape = shape->hash;
    s->n_points = shape->n_points;
    bb_shape_unref(shape);
  }
}

/* Places that JavaScript follows lie within what was read. */
static void check_batch(const stream *s, const double *columns) {
  const uint8_t *quality = (const uint8_t *)columns + BB_COLUMNS_QUALITY;
  bool has_shape = columns[BB_COLUMN_SHAPE] >= 0;
  check(columns[BB_COLUMN_DEVICE] >= 0 && columns[BB_COLUMN_DEVICE] < s->n_devices);
  check(columns[BB_COLUMN_SHAPE] < s->n_shapes);
  check(columns[BB_COLUMN_NS] >= 0 && columns[BB_COLUMN_NS] < 1000000);
  check(columns[BB_COLUMN_TEXT] + columns[BB_COLUMN_TEXT_LEN] <= (double)s->size);
  if (has_shape) check(columns[BB_COLUMN_VALUES] <= (double)s->size);
  for (uint16_t i = 0; has_shape && i < s->n_points; i++) {
    if (columns[BB_COLUMN_PLAIN] == 1) check(quality[i] == BB_QUALITY_GOOD);
  }
}

static void write_batch(const stream *s, size_t at) {
  bb_buf out;
  bb_buf_init(&out, MOST_TEXT);
  for (int i = 0; i < 2; i++) {
    int err = bb_reader_json(s->reader, s->bytes, s->size, at, i == 0, i == 1, &out);
    check(err == 0 ? out.len > 0 : err < 0);
    bb_buf_clear(&out);
  }
  bb_reader_line(s->reader, s->bytes, s->size, at, &out);
  bb_buf_close(&out);
}

static int read_into(const stream *s, size_t at, size_t n_points) {
  size_t n = bb_columns_size(n_points);
  double *doubles = calloc(n, sizeof(*doubles));
  if (doubles == NULL) return BB_ERR_NOMEM;
  const bb_columns columns = {.doubles = doubles, .n = n};
  int len = bb_reader_read(s->reader, s->bytes, s->size, at, &columns);
  if (len > 0 && doubles[BB_COLUMN_FRAME] == BB_FRAME_BATCH) check_batch(s, doubles);
  free(doubles);
  return len;
}

static void read_frame(stream *s, size_t at, size_t len, bb_frame_kind kind) {
  bool known = kind != BB_FRAME_BATCH;
  int read = read_into(s, at, known ? 0 : s->n_points);
  if (read == BB_ERR_RANGE) read = read_into(s, at, BB_MAX_POINTS);
  check(read < 0 || (size_t)read == len);
  if (read < 0) return;
  /* A number or hash that was there before has the place that it had: at most so many. */
  if (kind == BB_FRAME_DEVICE) s->n_devices++;
  if (kind == BB_FRAME_SHAPE) s->n_shapes++;
  note(s, at, len, kind);
  if (kind == BB_FRAME_BATCH) write_batch(s, at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  stream s = {.reader = bb_reader_new(), .bytes = malloc(size + 1), .size = size};
  size_t at = 0;
  if (s.reader != NULL && s.bytes != NULL) {
    memcpy(s.bytes, data, size);
    while (at < size) {
      bb_frame_kind kind;
      int len = bb_frame_peek(s.bytes + at, size - at, &kind);
      if (len <= 0) break;
      check((size_t)len <= size - at);
      read_frame(&s, at, (size_t)len, kind);
      if (kind == BB_FRAME_BATCH && len >= BB_FRAME_BATCH_HEADER) {
        bb_put_le32(s.bytes + at + 8, s.device);
        bb_put_le64(s.bytes + at + 16, s.shape);
        read_frame(&s, at, (size_t)len, kind);
      }
      at += (size_t)len;
    }
    if (at < size) check(read_into(&s, at, 0) < 0 || at < size);
  }
  bb_reader_free(s.reader);
  free(s.bytes);
  return 0;
}
