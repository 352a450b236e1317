/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from other processes and from disks that were cut off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "model/frame.h"
#include "support/expect.h"
#include "support/frame.h"
#include "support/model.h"
#include "support/vector.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void check_refused(const bb_doc *row) {
  const char *hex = bb_doc_get_text(row, "hex"), *kind = bb_doc_get_text(row, "kind");
  char name[256];
  snprintf(name, sizeof(name), "%s (%s)", bb_doc_get_text(row, "name"),
           bb_doc_get_text(row, "why"));
  size_t len = strlen(hex) / 2;
  uint8_t *frame = malloc(len);
  assert_non_null(frame);
  for (size_t i = 0; i < len; i++) {
    char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
    frame[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  bb_shape *shape = model_shape_of(bb_doc_get(row, "shape"));
  bb_frame_kind expected = *kind == 'd'   ? BB_FRAME_DEVICE
                           : *kind == 's' ? BB_FRAME_SHAPE
                                          : BB_FRAME_BATCH;
  expect_int(name, frame_read(frame, len, expected, shape), BB_ERR_FORMAT);
  bb_shape_unref(shape);
  free(frame);
}

static void test_frame_foreign_refuses(void **state) {
  (void)state;
  bb_doc_tree tree;
  vector_read_json("frame/refused.json", &tree);
  expect_true("there are rows", tree.root->n > 80);
  for (const bb_doc *row = tree.root->first; row != NULL; row = row->next) check_refused(row);
  bb_doc_close(&tree);
}

static void test_frame_foreign_peek(void **state) {
  static const struct {
    const char *row;
    uint8_t bytes[16];
    size_t len;
    int expected;
  } rows[] = {
      {"nothing", {0}, 0, 0},
      {"a part of the head", {255, 255, 255, 255, 9, 9, 9}, 7, 0},
      {"an unknown version", {8, 0, 0, 0, 2, 1, 0, 0}, 8, BB_ERR_VERSION},
      {"no version", {8, 0, 0, 0, 0, 1, 0, 0}, 8, BB_ERR_VERSION},
      {"no kind", {8, 0, 0, 0, 1, 0, 0, 0}, 8, BB_ERR_FORMAT},
      {"an unknown kind", {8, 0, 0, 0, 1, 4, 0, 0}, 8, BB_ERR_FORMAT},
      {"a reserved byte", {8, 0, 0, 0, 1, 1, 0, 1}, 8, BB_ERR_FORMAT},
      {"no length", {0, 0, 0, 0, 1, 1, 0, 0}, 8, BB_ERR_FORMAT},
      {"shorter than its head", {7, 0, 0, 0, 1, 1, 0, 0}, 8, BB_ERR_FORMAT},
      {"past the limit", {1, 0, 16, 0, 1, 1, 0, 0}, 8, BB_ERR_LIMIT},
      {"far past the limit", {255, 255, 255, 255, 1, 1, 0, 0}, 8, BB_ERR_LIMIT},
      {"the limit", {0, 0, 16, 0, 1, 1, 0, 0}, 8, 0},
      {"a byte is missing", {9, 0, 0, 0, 1, 1, 0, 0}, 8, 0},
      {"only a head", {8, 0, 0, 0, 1, 1, 0, 0}, 8, 8},
      {"more behind it", {9, 0, 0, 0, 1, 3, 0, 0, 5, 6, 7}, 11, 9},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_frame_kind kind = (bb_frame_kind)0;
    expect_int(rows[i].row, bb_frame_peek(rows[i].bytes, rows[i].len, &kind), rows[i].expected);
    expect_int(rows[i].row, (int)kind, rows[i].expected > 0 ? rows[i].bytes[5] : 0);
  }
}

/* Cut off anywhere: as it is, and with a length that says so. And with a byte behind it. */
static void check_truncations(const frame_vector *v) {
  for (size_t len = 0; len < v->len; len++) {
    bb_frame_kind kind;
    uint8_t *part = malloc(len > 0 ? len : 1);
    assert_non_null(part);
    memcpy(part, v->bytes, len);
    expect_int(v->name, bb_frame_peek(part, len, &kind), 0);
    expect_int(v->name, frame_read(part, len, v->kind, v->shape), BB_ERR_FORMAT);
    if (len >= 4) bb_put_le32(part, (uint32_t)len);
    expect_int(v->name, frame_read(part, len, v->kind, v->shape), BB_ERR_FORMAT);
    free(part);
  }
  uint8_t *more = calloc(1, v->len + 1);
  assert_non_null(more);
  memcpy(more, v->bytes, v->len);
  expect_int(v->name, frame_read(more, v->len + 1, v->kind, v->shape), BB_ERR_FORMAT);
  free(more);
}

static void test_frame_foreign_truncated_at_every_byte_is_refused(void **state) {
  (void)state;
  frame_each_vector(check_truncations);
}

/* What is read may well mean something else then; it is used to the end all the same. */
static void check_corruptions(const frame_vector *v) {
  static const uint8_t some[] = {0x01, 0x02, 0x10, 0x7f, 0x80, 0xff};
  uint8_t *copy = malloc(v->len);
  assert_non_null(copy);
  memcpy(copy, v->bytes, v->len);
  unsigned step = v->len > 400 ? 0 : 1;
  for (size_t at = 0; at < v->len; at++) {
    for (unsigned i = 1; i < (step > 0 ? 256 : COUNT(some)); i++) {
      copy[at] = v->bytes[at] ^ (step > 0 ? (uint8_t)i : some[i]);
      int err = frame_read(copy, v->len, v->kind, v->shape);
      expect_true(v->name, err == 0 || err == BB_ERR_FORMAT);
    }
    copy[at] = v->bytes[at];
  }
  free(copy);
}

static void test_frame_foreign_corrupted_at_any_byte_does_no_harm(void **state) {
  (void)state;
  frame_each_vector(check_corruptions);
}

/* Each reader is given each kind of frame. */
static void check_other_kinds(const frame_vector *v) {
  bb_frame_names names;
  for (int kind = BB_FRAME_DEVICE; kind <= BB_FRAME_BATCH; kind++) {
    if (kind == (int)v->kind) continue;
    expect_int(v->name, frame_read(v->bytes, v->len, (bb_frame_kind)kind, v->shape), BB_ERR_FORMAT);
  }
  int expected = v->kind == BB_FRAME_BATCH ? 0 : BB_ERR_FORMAT;
  expect_int(v->name, bb_frame_batch_names(v->bytes, v->len, &names), expected);
}

static void test_frame_foreign_of_another_kind_is_refused(void **state) {
  (void)state;
  frame_each_vector(check_other_kinds);
}

static void test_frame_foreign_of_one_point_too_many_is_refused(void **state) {
  (void)state;
  bb_buf out;
  bb_shape *shape = frame_wide_shape(BB_MAX_POINTS, 2, ""), *back;
  bb_buf_init(&out, BB_MAX_FRAME_BYTES);
  expect_int("shape", bb_frame_pack_shape(&out, shape), 0);
  uint8_t point[BB_FRAME_POINT_HEADER + 3 * 2 + 1] = {BB_TYPE_U8, 0, 1};
  point[BB_FRAME_POINT_HEADER] = 1;
  point[BB_FRAME_POINT_HEADER + 2] = 'q';
  expect_int("one more", bb_buf_append(&out, point, sizeof(point)), 0);
  bb_put_le32(out.bytes, (uint32_t)out.len);
  bb_put_le16(out.bytes + 16, BB_MAX_POINTS + 1);
  expect_int("shape", bb_frame_unpack_shape(out.bytes, out.len, &back), BB_ERR_FORMAT);
  bb_buf_close(&out);
  bb_shape_unref(shape);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_frame_foreign_refuses),
      cmocka_unit_test(test_frame_foreign_peek),
      cmocka_unit_test(test_frame_foreign_truncated_at_every_byte_is_refused),
      cmocka_unit_test(test_frame_foreign_corrupted_at_any_byte_does_no_harm),
      cmocka_unit_test(test_frame_foreign_of_another_kind_is_refused),
      cmocka_unit_test(test_frame_foreign_of_one_point_too_many_is_refused),
  };
  return cmocka_run_group_tests_name("frame_foreign", tests, NULL, NULL);
}
