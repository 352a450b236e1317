/* SPDX-License-Identifier: Apache-2.0 */
/* See frame.h. */
#include "support/frame.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "support/expect.h"
#include "support/model.h"
#include "support/vector.h"

void frame_close_vector(frame_vector *v) {
  free(v->bytes);
  bb_doc_close(&v->tree);
  bb_shape_unref(v->shape);
}

void frame_open_vector(frame_vector *v, const char *name) {
  char path[300];
  *v = (frame_vector){.name = name};
  snprintf(path, sizeof(path), "frame/%s.hex", name);
  v->bytes = vector_read_hex(path, &v->len);
  snprintf(path, sizeof(path), "frame/%s.json", name);
  vector_read_json(path, &v->tree);
  const char *kind = bb_doc_get_text(v->tree.root, "kind");
  assert_non_null(kind);
  v->kind = *kind == 'd' ? BB_FRAME_DEVICE : *kind == 's' ? BB_FRAME_SHAPE : BB_FRAME_BATCH;
  if (v->kind == BB_FRAME_BATCH) v->shape = model_shape_of(bb_doc_get(v->tree.root, "shape"));
}

void frame_each_vector(void (*check)(const frame_vector *v)) {
  char *names[VECTOR_MAX_FILES];
  size_t n = vector_names("frame", ".hex", names);
  for (size_t i = 0; i < n; i++) {
    frame_vector v;
    frame_open_vector(&v, names[i]);
    check(&v);
    frame_close_vector(&v);
  }
  vector_free_names(names, n);
}

static void touch_batch(const bb_batch *batch) {
  bb_buf again;
  bb_buf_init(&again, BB_MAX_FRAME_BYTES);
  expect_int("a batch that was read can be written", bb_frame_pack_batch(&again, 1, batch), 0);
  bb_buf_close(&again);
  uint16_t n = batch->shape != NULL ? batch->shape->n_points : 0;
  for (uint16_t i = 0; i < n; i++) {
    bb_value value = bb_batch_value(batch, i);
    if (value.type != BB_TYPE_TEXT) continue;
    expect_true("a text stays in its slot", value.v.text.len < batch->shape->points[i].size);
  }
}

int frame_read(const uint8_t *frame, size_t len, bb_frame_kind kind, const bb_shape *shape) {
  uint32_t number;
  bb_device *device = NULL;
  bb_shape *own = NULL;
  bb_batch batch;
  bb_buf again;
  int err;
  bb_buf_init(&again, BB_MAX_FRAME_BYTES);
  switch (kind) {
  case BB_FRAME_DEVICE:
    err = bb_frame_unpack_device(frame, len, &number, &device);
    if (err == 0) expect_int("again", bb_frame_pack_device(&again, number, device), 0);
    break;
  case BB_FRAME_SHAPE:
    err = bb_frame_unpack_shape(frame, len, &own);
    if (err == 0) expect_int("again", bb_frame_pack_shape(&again, own), 0);
    break;
  default:
    err = bb_frame_unpack_batch(frame, len, NULL, shape, &batch);
    if (err == 0) touch_batch(&batch);
  }
  bb_device_unref(device);
  bb_shape_unref(own);
  bb_buf_close(&again);
  return err;
}

bb_shape *frame_wide_shape(uint16_t n, uint16_t size, const char *description) {
  static bb_point points[BB_MAX_POINTS];
  static const bb_point *list[BB_MAX_POINTS];
  static char names[BB_MAX_POINTS][16];
  for (uint16_t i = 0; i < n; i++) {
    snprintf(names[i], sizeof(names[i]), "p%u", i);
    points[i] = (bb_point){.name = names[i],
                           .unit = "",
                           .description = description,
                           .type = BB_TYPE_TEXT,
                           .size = size};
    list[i] = &points[i];
  }
  bb_shape *shape = bb_shape_new("all", list, n);
  assert_non_null(shape);
  return shape;
}
