/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as they should be. What must be refused: test_frame_foreign.c. */
#include "model/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/frame.h"
#include "support/model.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void check_pack(const frame_vector *v) {
  bb_buf out;
  bb_buf_init(&out, BB_MAX_FRAME_BYTES);
  bb_buf_text(&out, "before");
  if (v->kind == BB_FRAME_DEVICE) {
    bb_device *device = model_device(v->tree.root);
    uint32_t number = (uint32_t)strtoul(bb_doc_get_text(v->tree.root, "number"), NULL, 10);
    expect_int(v->name, bb_frame_pack_device(&out, number, device), 0);
    bb_device_unref(device);
  } else if (v->kind == BB_FRAME_SHAPE) {
    bb_shape *shape = model_shape(v->tree.root);
    expect_int(v->name, bb_frame_pack_shape(&out, shape), 0);
    bb_shape_unref(shape);
  } else {
    model_batch batch;
    model_batch_open(&batch, v->tree.root, v->shape);
    expect_int(v->name, bb_frame_pack_batch(&out, batch.device_number, &batch.batch), 0);
    expect_uint(v->name, bb_frame_batch_bytes(&batch.batch), v->len);
    uint8_t *place = malloc(v->len);
    assert_non_null(place);
    bb_frame_put_batch(place, batch.device_number, &batch.batch);
    expect_bytes(v->name, place, v->len, v->bytes, v->len);
    free(place);
    model_batch_close(&batch);
  }
  expect_bytes(v->name, out.bytes + 6, out.len - 6, v->bytes, v->len);
  bb_buf_close(&out);
}

static void test_frame_packs_as_the_vectors_say(void **state) {
  (void)state;
  frame_each_vector(check_pack);
}

static void check_unpack_device(const frame_vector *v) {
  uint32_t number;
  bb_device *device, *expected = model_device(v->tree.root);
  expect_int(v->name, bb_frame_unpack_device(v->bytes, v->len, &number, &device), 0);
  expect_uint(v->name, number, strtoul(bb_doc_get_text(v->tree.root, "number"), NULL, 10));
  expect_text(v->name, device->id, expected->id);
  expect_text(v->name, device->site, expected->site);
  expect_text(v->name, device->profile, expected->profile);
  expect_uint(v->name, device->n_tags, expected->n_tags);
  for (uint32_t i = 0; i < device->n_tags; i++) {
    expect_text(v->name, device->tags[i].key, expected->tags[i].key);
    expect_text(v->name, device->tags[i].value, expected->tags[i].value);
  }
  expect_uint(v->name, device->hash, expected->hash);
  bb_device_unref(device);
  bb_device_unref(expected);
}

static void check_unpack_shape(const frame_vector *v) {
  bb_shape *shape, *expected = model_shape(v->tree.root);
  expect_int(v->name, bb_frame_unpack_shape(v->bytes, v->len, &shape), 0);
  expect_uint(v->name, shape->hash, strtoull(bb_doc_get_text(v->tree.root, "hash"), NULL, 10));
  expect_text(v->name, shape->scan, expected->scan);
  expect_uint(v->name, shape->n_points, expected->n_points);
  expect_uint(v->name, shape->value_bytes, expected->value_bytes);
  for (uint16_t i = 0; i < shape->n_points; i++) {
    const bb_point *a = &shape->points[i], *b = &expected->points[i];
    expect_text(v->name, a->name, b->name);
    expect_text(v->name, a->unit, b->unit);
    expect_text(v->name, a->description, b->description);
    expect_int(v->name, (int)a->type, (int)b->type);
    expect_int(v->name, (int)a->labels_kind, (int)b->labels_kind);
    expect_uint(v->name, a->size, b->size);
    expect_true(v->name,
                a->writable == b->writable && a->has_min == b->has_min && a->has_max == b->has_max);
    expect_double(v->name, a->min, b->min);
    expect_double(v->name, a->max, b->max);
    expect_double(v->name, a->step, b->step);
    expect_double(v->name, a->deadband, b->deadband);
    expect_uint(v->name, a->n_labels, b->n_labels);
    for (uint16_t k = 0; k < a->n_labels; k++) {
      expect_uint(v->name, a->labels[k].value, b->labels[k].value);
      expect_text(v->name, a->labels[k].name, b->labels[k].name);
    }
  }
  bb_shape_unref(shape);
  bb_shape_unref(expected);
}

static void check_unpack_batch(const frame_vector *v) {
  model_batch expected;
  model_batch_open(&expected, v->tree.root, v->shape);
  bb_frame_names names;
  expect_int(v->name, bb_frame_batch_names(v->bytes, v->len, &names), 0);
  expect_uint(v->name, names.device_number, expected.device_number);
  expect_uint(v->name, names.shape_hash, v->shape != NULL ? v->shape->hash : 0);
  bb_device *device = bb_device_new("m", "", "", NULL, 0);
  bb_batch batch;
  expect_int(v->name, bb_frame_unpack_batch(v->bytes, v->len, device, v->shape, &batch), 0);
  expect_true(v->name, batch.device == device);
  model_expect_batch(v->name, &batch, &expected.batch);
  bb_device_unref(device);
  model_batch_close(&expected);
}

static void check_unpack(const frame_vector *v) {
  bb_frame_kind kind;
  expect_int(v->name, bb_frame_peek(v->bytes, v->len, &kind), (int64_t)v->len);
  expect_int(v->name, (int)kind, (int)v->kind);
  if (kind == BB_FRAME_DEVICE) check_unpack_device(v);
  if (kind == BB_FRAME_SHAPE) check_unpack_shape(v);
  if (kind == BB_FRAME_BATCH) check_unpack_batch(v);
}

static void test_frame_unpacks_as_the_vectors_say(void **state) {
  (void)state;
  frame_each_vector(check_unpack);
}

/* What the limits allow fits into a frame and comes back. */
static void test_frame_of_the_largest_size(void **state) {
  (void)state;
  bb_buf out;
  bb_shape *shape = frame_wide_shape(BB_MAX_POINTS, BB_MAX_STRING_VALUE + 1, "Description"), *back;
  bb_buf_init(&out, 4 * BB_MAX_FRAME_BYTES);
  expect_int("shape", bb_frame_pack_shape(&out, shape), 0);
  expect_int("shape", bb_frame_unpack_shape(out.bytes, out.len, &back), 0);
  expect_uint("shape", back->hash, shape->hash);

  static uint8_t quality[BB_MAX_POINTS], codes[BB_MAX_POINTS];
  uint8_t *values = calloc(1, shape->value_bytes);
  assert_non_null(values);
  memset(quality, 0x84, sizeof(quality));
  memset(codes, 2, sizeof(codes));
  bb_batch batch = {.shape = back, .quality = quality, .codes = codes, .values = values}, read;
  bb_buf_clear(&out);
  expect_int("batch", bb_frame_pack_batch(&out, 1, &batch), 0);
  expect_int("batch", bb_frame_unpack_batch(out.bytes, out.len, NULL, back, &read), 0);
  model_expect_batch("batch", &read, &batch);
  free(values);
  bb_buf_close(&out);
  bb_shape_unref(shape);
  bb_shape_unref(back);
}

static void test_frame_past_the_limit_is_not_packed(void **state) {
  static char text[BB_MAX_TEXT + 2];
  static char long_text[UINT16_MAX];
  (void)state;
  memset(text, 't', BB_MAX_TEXT + 1);
  bb_buf out;
  bb_buf_init(&out, 4 * BB_MAX_FRAME_BYTES);
  bb_buf_text(&out, "before");
  bb_tag tag = {"a", text};
  bb_device *device = bb_device_new("m", "", "", &tag, 1);
  assert_non_null(device);
  expect_int("a tag", bb_frame_pack_device(&out, 1, device), BB_ERR_LIMIT);
  bb_device_unref(device);
  bb_shape *shape = frame_wide_shape(1, 2, text);
  expect_int("a description", bb_frame_pack_shape(&out, shape), BB_ERR_LIMIT);
  bb_shape_unref(shape);
  text[BB_MAX_TEXT] = 0;
  shape = frame_wide_shape(1100, 2, text);
  expect_int("all descriptions", bb_frame_pack_shape(&out, shape), BB_ERR_LIMIT);
  bb_shape_unref(shape);

  shape = frame_wide_shape(BB_MAX_POINTS, BB_MAX_STRING_VALUE + 1, "");
  uint8_t *values = calloc(1, shape->value_bytes);
  static const uint8_t quality[BB_MAX_POINTS];
  assert_non_null(values);
  bb_batch batch = {.shape = shape,
                    .quality = quality,
                    .values = values,
                    .text = long_text,
                    .text_len = UINT16_MAX};
  expect_int("values and text", bb_frame_pack_batch(&out, 1, &batch), BB_ERR_LIMIT);
  free(values);
  bb_shape_unref(shape);
  expect_text("nothing was added", bb_buf_string(&out), "before");
  bb_buf_close(&out);
}

/* Codes that are all 0 say nothing, and are not written. */
static void test_frame_leaves_out_codes_that_are_none(void **state) {
  (void)state;
  bb_shape *shape = frame_wide_shape(3, 2, "");
  static const uint8_t quality[3], codes[3], values[6];
  bb_batch batch = {.shape = shape, .quality = quality, .codes = codes, .values = values};
  expect_uint("bytes", bb_frame_batch_bytes(&batch), BB_FRAME_BATCH_HEADER + 6);
  uint8_t frame[BB_FRAME_BATCH_HEADER + 6];
  bb_frame_put_batch(frame, 1, &batch);
  bb_batch read;
  expect_int("read", bb_frame_unpack_batch(frame, sizeof(frame), NULL, shape, &read), 0);
  expect_true("no codes", read.codes == NULL);
  bb_shape_unref(shape);
}

static int pack_and_unpack(void *user) {
  const frame_vector *v = user;
  bb_buf out;
  uint32_t number;
  bb_device *device = NULL;
  bb_shape *shape = NULL;
  bb_buf_init(&out, BB_MAX_FRAME_BYTES);
  int err = v->kind == BB_FRAME_DEVICE ? bb_frame_unpack_device(v->bytes, v->len, &number, &device)
                                       : bb_frame_unpack_shape(v->bytes, v->len, &shape);
  if (err == 0) {
    err = device != NULL ? bb_frame_pack_device(&out, number, device)
                         : bb_frame_pack_shape(&out, shape);
    expect_uint("all or nothing", out.len, err == 0 ? v->len : 0);
  } else {
    expect_true("nothing to unref", device == NULL && shape == NULL);
  }
  bb_device_unref(device);
  bb_shape_unref(shape);
  bb_buf_close(&out);
  return err;
}

static int put_batch(void *user) {
  const frame_vector *v = user;
  static uint8_t place[4096];
  bb_batch batch;
  int err = bb_frame_unpack_batch(v->bytes, v->len, NULL, v->shape, &batch);
  expect_uint("bytes", bb_frame_batch_bytes(&batch), v->len);
  bb_frame_put_batch(place, 7, &batch);
  expect_bytes("put", place, v->len, v->bytes, v->len);
  return err;
}

static void test_frame_without_memory(void **state) {
  static const char *const names[] = {"device", "device-most", "shape-types", "shape-labels"};
  (void)state;
  for (size_t i = 0; i < COUNT(names); i++) {
    frame_vector v;
    frame_open_vector(&v, names[i]);
    failmalloc_each(pack_and_unpack, &v);
    frame_close_vector(&v);
  }
}

static void test_frame_batch_allocates_nothing(void **state) {
  (void)state;
  frame_vector v;
  frame_open_vector(&v, "batch-codes");
  failmalloc_start(1);
  int err = put_batch(&v);
  size_t allocations = failmalloc_stop();
  expect_int("result", err, 0);
  expect_uint("allocations", allocations, 0);
  frame_close_vector(&v);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_frame_past_the_limit_is_not_packed),
      cmocka_unit_test(test_frame_packs_as_the_vectors_say),
      cmocka_unit_test(test_frame_unpacks_as_the_vectors_say),
      cmocka_unit_test(test_frame_of_the_largest_size),
      cmocka_unit_test(test_frame_leaves_out_codes_that_are_none),
      cmocka_unit_test(test_frame_without_memory),
      cmocka_unit_test(test_frame_batch_allocates_nothing),
  };
  return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
