/* SPDX-License-Identifier: Apache-2.0 */
/* See reader.h. */
#include "addon/reader.h"

#include <stdlib.h>

#include "addon/lookup.h"
#include "base/err.h"
#include "encode/json.h"
#include "encode/line.h"
#include "model/frame.h"

#define NS_PER_MS 1000000

typedef struct {
  bb_shape *shape;
  bb_run *runs;
  uint32_t n_runs;
} kept_shape;

struct bb_reader {
  bb_device **devices;
  kept_shape *shapes;
  uint32_t n_devices, n_shapes;
  uint32_t cap_devices, cap_shapes;
  bb_lookup by_number, by_hash;
};

bb_reader *bb_reader_new(void) {
  return calloc(1, sizeof(bb_reader));
}

void bb_reader_free(bb_reader *reader) {
  if (reader == NULL) return;
  for (uint32_t i = 0; i < reader->n_devices; i++) bb_device_unref(reader->devices[i]);
  for (uint32_t i = 0; i < reader->n_shapes; i++) {
    bb_shape_unref(reader->shapes[i].shape);
    free(reader->shapes[i].runs);
  }
  bb_lookup_close(&reader->by_number);
  bb_lookup_close(&reader->by_hash);
  free(reader->devices);
  free(reader->shapes);
  free(reader);
}

/* The array of `size` bytes an item, with room for one more behind `n`; NULL without memory. */
static void *make_room(void *items, uint32_t n, uint32_t *cap, size_t size) {
  if (n < *cap) return items;
  uint32_t wider = *cap > 0 ? 2 * *cap : 8;
  void *moved = realloc(items, wider * size);
  if (moved != NULL) *cap = wider;
  return moved;
}

static int add_device(bb_reader *reader, uint32_t number) {
  uint32_t n = reader->n_devices;
  if (n >= BB_READER_MAX_DEVICES) return BB_ERR_LIMIT;
  bb_device **devices = make_room(reader->devices, n, &reader->cap_devices, sizeof(*devices));
  if (devices == NULL) return BB_ERR_NOMEM;
  reader->devices = devices;
  int err = bb_lookup_add(&reader->by_number, number, (int32_t)n);
  if (err < 0) return err;
  devices[n] = NULL;
  return (int)reader->n_devices++;
}

static int read_device(bb_reader *reader, const uint8_t *frame, size_t len, double *columns) {
  bb_device *device;
  uint32_t number;
  int err = bb_frame_unpack_device(frame, len, &number, &device);
  if (err < 0) return err;
  int place = bb_lookup_get(&reader->by_number, number);
  if (place < 0) place = add_device(reader, number);
  if (place < 0) {
    bb_device_unref(device);
    return place;
  }
  bb_device_unref(reader->devices[place]);
  reader->devices[place] = device;
  columns[BB_COLUMN_DEVICE] = place;
  return 0;
}

static int add_shape(bb_reader *reader, bb_shape *shape) {
  uint32_t n = reader->n_shapes;
  if (n >= BB_READER_MAX_SHAPES) return BB_ERR_LIMIT;
  kept_shape *shapes = make_room(reader->shapes, n, &reader->cap_shapes, sizeof(*shapes));
  if (shapes == NULL) return BB_ERR_NOMEM;
  reader->shapes = shapes;
  kept_shape kept = {.shape = shape};
  kept.runs = bb_runs_new(shape, &kept.n_runs);
  if (kept.runs == NULL) return BB_ERR_NOMEM;
  int err = bb_lookup_add(&reader->by_hash, shape->hash, (int32_t)n);
  if (err < 0) {
    free(kept.runs);
    return err;
  }
  shapes[n] = kept;
  return (int)reader->n_shapes++;
}

static int read_shape(bb_reader *reader, const uint8_t *frame, size_t len, double *columns) {
  bb_shape *shape;
  int err = bb_frame_unpack_shape(frame, len, &shape);
  if (err < 0) return err;
  int place = bb_lookup_get(&reader->by_hash, shape->hash);
  bool is_new = place < 0;
  if (is_new) place = add_shape(reader, shape);
  if (!is_new || place < 0) bb_shape_unref(shape);
  if (place >= 0) columns[BB_COLUMN_SHAPE] = place;
  return place < 0 ? place : 0;
}

/* The batch with its device and its shape, whose place in the reader is -1 if it has none. */
typedef struct {
  bb_batch batch;
  int32_t device, shape;
} named_batch;

static int unpack(const bb_reader *reader, const uint8_t *frame, size_t len, named_batch *out) {
  bb_frame_names names;
  int err = bb_frame_batch_names(frame, len, &names);
  if (err < 0) return err;
  out->device = bb_lookup_get(&reader->by_number, names.device_number);
  out->shape = names.shape_hash != 0 ? bb_lookup_get(&reader->by_hash, names.shape_hash) : -1;
  if (out->device < 0 || (names.shape_hash != 0 && out->shape < 0)) return BB_ERR_NOTFOUND;
  const bb_shape *shape = out->shape >= 0 ? reader->shapes[out->shape].shape : NULL;
  return bb_frame_unpack_batch(frame, len, reader->devices[out->device], shape, &out->batch);
}

static void put_head(double *columns, const named_batch *named) {
  const bb_batch *batch = &named->batch;
  int64_t ns = batch->time_ns % NS_PER_MS, ms = batch->time_ns / NS_PER_MS - (ns < 0);
  columns[BB_COLUMN_DEVICE] = named->device;
  columns[BB_COLUMN_SHAPE] = named->shape;
  columns[BB_COLUMN_MS] = (double)ms;
  columns[BB_COLUMN_NS] = (double)(ns < 0 ? ns + NS_PER_MS : ns);
  columns[BB_COLUMN_SEQ] = (double)batch->seq;
  columns[BB_COLUMN_BOOT] = batch->boot;
  columns[BB_COLUMN_KIND] = batch->kind;
  columns[BB_COLUMN_FLAGS] = batch->flags;
  columns[BB_COLUMN_TEXT_LEN] = batch->text_len;
}

static int read_batch(const bb_reader *reader, const uint8_t *bytes, size_t at, size_t len,
                      const bb_columns *columns) {
  named_batch named;
  double *doubles = columns->doubles;
  int err = unpack(reader, bytes + at, len, &named);
  if (err < 0) return err;
  const bb_batch *batch = &named.batch;
  if (columns->n < bb_columns_size(named.shape >= 0 ? batch->shape->n_points : 0)) {
    return BB_ERR_RANGE;
  }
  put_head(doubles, &named);
  size_t values_at = (size_t)(batch->values - bytes);
  doubles[BB_COLUMN_VALUES] = (double)values_at;
  doubles[BB_COLUMN_TEXT] = (double)(at + len - batch->text_len);
  doubles[BB_COLUMN_PLAIN] = 1;
  if (named.shape < 0) return 0;
  const kept_shape *kept = &reader->shapes[named.shape];
  bb_columns_fill(columns, kept->runs, kept->n_runs, batch->quality, batch->values, values_at);
  return 0;
}

/* The length of the whole frame at `at`. */
static int find_frame(const uint8_t *bytes, size_t len, size_t at, bb_frame_kind *kind) {
  if (at > len) return BB_ERR_SHORT;
  int whole = bb_frame_peek(bytes + at, len - at, kind);
  return whole != 0 ? whole : BB_ERR_SHORT;
}

int bb_reader_read(bb_reader *reader, const uint8_t *bytes, size_t len, size_t at,
                   const bb_columns *columns) {
  bb_frame_kind kind;
  int whole = find_frame(bytes, len, at, &kind), err;
  if (whole < 0) return whole;
  if (columns->n < BB_COLUMNS_HEAD) return BB_ERR_RANGE;
  if (kind == BB_FRAME_BATCH) {
    err = read_batch(reader, bytes, at, (size_t)whole, columns);
  } else if (kind == BB_FRAME_SHAPE) {
    err = read_shape(reader, bytes + at, (size_t)whole, columns->doubles);
  } else {
    err = read_device(reader, bytes + at, (size_t)whole, columns->doubles);
  }
  columns->doubles[BB_COLUMN_FRAME] = kind;
  return err < 0 ? err : whole;
}

static int find_batch(const bb_reader *reader, const uint8_t *bytes, size_t len, size_t at,
                      named_batch *out) {
  bb_frame_kind kind;
  int whole = find_frame(bytes, len, at, &kind);
  if (whole < 0) return whole;
  return kind == BB_FRAME_BATCH ? unpack(reader, bytes + at, (size_t)whole, out) : BB_ERR_TYPE;
}

int bb_reader_json(const bb_reader *reader, const uint8_t *bytes, size_t len, size_t at, bool tags,
                   bool historical, bb_buf *out) {
  named_batch named;
  bb_json_options options = {.tags = tags, .historical = historical};
  int err = find_batch(reader, bytes, len, at, &named);
  if (err == 0) err = bb_json_batch(out, &named.batch, &options);
  return err < 0 ? err : 0;
}

int bb_reader_line(const bb_reader *reader, const uint8_t *bytes, size_t len, size_t at,
                   bb_buf *out) {
  named_batch named;
  bb_line_options options = {0};
  uint32_t left_out = 0;
  int err = find_batch(reader, bytes, len, at, &named);
  if (err < 0) return err;
  const bb_batch *batch = &named.batch;
  if (batch->shape == NULL) {
    err = bb_line_event(out, batch, &options);
    return err < 0 ? err : 0;
  }
  bb_line_series *series = bb_line_series_new(batch->device, &options);
  bb_line_plan *plan = bb_line_plan_new(batch->shape, &options);
  err = BB_ERR_NOMEM;
  if (series != NULL && plan != NULL) err = bb_line_batch(out, series, plan, batch, &left_out);
  bb_line_series_free(series);
  bb_line_plan_free(plan);
  return err < 0 ? err : 0;
}
