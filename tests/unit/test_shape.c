/* SPDX-License-Identifier: Apache-2.0 */
#include "model/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "support/expect.h"
#include "support/failmalloc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const bb_label states[] = {{0, "off"}, {1, "on"}, {7, "fault"}};

static bb_point point_of(const char *name, bb_type type) {
  uint16_t size = type == BB_TYPE_TEXT ? 17 : (uint16_t)bb_type_size(type);
  return (bb_point){.name = name, .unit = "W", .description = "d", .type = type, .size = size};
}

static void test_shape_without_points(void **state) {
  (void)state;
  bb_shape *shape = bb_shape_new("fast", NULL, 0);
  assert_non_null(shape);
  expect_text("scan", shape->scan, "fast");
  expect_uint("points", shape->n_points, 0);
  expect_uint("bytes", shape->value_bytes, 0);
  expect_int("find", bb_shape_find(shape, "a"), -1);
  bb_shape_unref(shape);
  bb_shape_unref(NULL);
}

static void test_shape_places_values_one_behind_the_other(void **state) {
  static const uint32_t offsets[BB_TYPE_COUNT] = {0, 1, 2, 3, 5, 7, 11, 15, 23, 31, 35, 43};
  (void)state;
  bb_point points[BB_TYPE_COUNT];
  const bb_point *list[BB_TYPE_COUNT];
  for (int i = 0; i < BB_TYPE_COUNT; i++) {
    points[i] = point_of(bb_type_name((bb_type)i), (bb_type)i);
    list[i] = &points[i];
  }
  bb_shape *shape = bb_shape_new("fast", list, BB_TYPE_COUNT);
  assert_non_null(shape);
  for (int i = 0; i < BB_TYPE_COUNT; i++) {
    expect_uint(points[i].name, shape->offsets[i], offsets[i]);
    expect_int(points[i].name, bb_shape_find(shape, points[i].name), i);
  }
  expect_uint("bytes", shape->value_bytes, 43 + 17);
  expect_int("unknown", bb_shape_find(shape, "int"), -1);
  bb_shape_unref(shape);
}

static void test_shape_owns_copies_of_its_points(void **state) {
  (void)state;
  char scan[] = "fast", name[] = "state", unit[] = "V", description[] = "d", label[] = "on";
  bb_label own[] = {{1, label}, {2, "off"}};
  bb_point point = {.name = name,
                    .unit = unit,
                    .description = description,
                    .type = BB_TYPE_U16,
                    .size = 2,
                    .labels_kind = BB_LABELS_ENUM,
                    .n_labels = 2,
                    .labels = own,
                    .writable = true,
                    .has_min = true,
                    .min = -1,
                    .step = 0.5,
                    .deadband = 2};
  const bb_point *list[] = {&point};
  bb_shape *shape = bb_shape_new(scan, list, 1);
  assert_non_null(shape);
  memset(scan, '-', strlen(scan));
  memset(name, '-', strlen(name));
  memset(unit, '-', strlen(unit));
  memset(description, '-', strlen(description));
  memset(label, '-', strlen(label));
  memset(own, 0, sizeof(own));
  memset(&point, 0, sizeof(point));
  const bb_point *kept = &shape->points[0];
  expect_text("scan", shape->scan, "fast");
  expect_text("name", kept->name, "state");
  expect_text("unit", kept->unit, "V");
  expect_text("description", kept->description, "d");
  expect_text("label", bb_point_label(kept, 1), "on");
  expect_text("label", bb_point_label(kept, 2), "off");
  expect_text("no label", bb_point_label(kept, 3), NULL);
  expect_text("no label past 32 bits", bb_point_label(kept, 0x100000001), NULL);
  expect_true("limits", kept->writable && kept->has_min && !kept->has_max);
  expect_double("min", kept->min, -1);
  expect_double("step", kept->step, 0.5);
  expect_double("deadband", kept->deadband, 2);
  bb_shape_unref(shape);
}

/* Everything that a reader of batches goes by changes the hash. */
static void test_shape_hash_is_of_all_its_content(void **state) {
  static const bb_label other_value[] = {{0, "off"}, {2, "on"}, {7, "fault"}};
  static const bb_label other_name[] = {{0, "off"}, {1, "On"}, {7, "fault"}};
  const bb_point base = {.name = "a",
                         .unit = "W",
                         .description = "d",
                         .type = BB_TYPE_U16,
                         .size = 2,
                         .labels_kind = BB_LABELS_ENUM,
                         .n_labels = 3,
                         .labels = states};
  bb_point rows[20];
  size_t n = 0;
  (void)state;
#define ROW(change)                                                                                \
  rows[n] = base;                                                                                  \
  rows[n++].change
  ROW(name = "b");
  ROW(name = "aW");
  ROW(unit = "kW");
  ROW(unit = "");
  ROW(description = "e");
  ROW(type = BB_TYPE_I16);
  ROW(size = 4);
  ROW(labels_kind = BB_LABELS_BITS);
  ROW(n_labels = 2);
  ROW(labels = other_value);
  ROW(labels = other_name);
  ROW(deadband = 1);
  ROW(writable = true);
  ROW(has_min = true);
  ROW(has_max = true);
  ROW(step = 1);
#undef ROW
  const bb_point *list[] = {&base, &base};
  bb_shape *first = bb_shape_new("fast", list, 1);
  bb_shape *again = bb_shape_new("fast", list, 1);
  bb_shape *twice = bb_shape_new("fast", list, 2);
  bb_shape *slow = bb_shape_new("slow", list, 1);
  assert_true(first != NULL && again != NULL && twice != NULL && slow != NULL);
  expect_uint("the same", again->hash, first->hash);
  expect_true("one more point", twice->hash != first->hash);
  expect_true("another scan", slow->hash != first->hash);
  for (size_t i = 0; i < n; i++) {
    char row[16];
    snprintf(row, sizeof(row), "row %zu", i);
    list[0] = &rows[i];
    bb_shape *other = bb_shape_new("fast", list, 1);
    assert_non_null(other);
    expect_true(row, other->hash != first->hash);
    bb_shape_unref(other);
  }
  bb_shape_unref(first);
  bb_shape_unref(again);
  bb_shape_unref(twice);
  bb_shape_unref(slow);
}

/* What is set but not in force (a minimum without has_min) means nothing. */
static void test_shape_hash_leaves_out_limits_not_in_force(void **state) {
  (void)state;
  bb_point a = point_of("a", BB_TYPE_I32), b = point_of("a", BB_TYPE_I32);
  b.min = 5;
  b.max = 6;
  const bb_point *list[] = {&a, &b};
  bb_shape *x = bb_shape_new("fast", &list[0], 1), *y = bb_shape_new("fast", &list[1], 1);
  assert_true(x != NULL && y != NULL);
  expect_uint("hash", y->hash, x->hash);
  bb_shape_unref(x);
  bb_shape_unref(y);
}

static void test_shape_of_the_largest_size(void **state) {
  static bb_point points[BB_MAX_POINTS];
  static const bb_point *list[BB_MAX_POINTS];
  static char names[BB_MAX_POINTS][16];
  (void)state;
  for (uint16_t i = 0; i < BB_MAX_POINTS; i++) {
    snprintf(names[i], sizeof(names[i]), "p%u", i);
    points[i] = (bb_point){.name = names[i],
                           .unit = "",
                           .description = "",
                           .type = BB_TYPE_TEXT,
                           .size = BB_MAX_STRING_VALUE + 1,
                           .labels = states,
                           .n_labels = 3,
                           .labels_kind = BB_LABELS_NONE};
    list[i] = &points[i];
  }
  bb_shape *shape = bb_shape_new("all", list, BB_MAX_POINTS);
  assert_non_null(shape);
  expect_uint("bytes", shape->value_bytes, BB_MAX_POINTS * (BB_MAX_STRING_VALUE + 1));
  expect_int("last", bb_shape_find(shape, "p4095"), 4095);
  expect_text("label", shape->points[4095].labels[2].name, "fault");
  bb_shape_unref(shape);
}

static void test_shape_lives_until_its_last_reference_goes(void **state) {
  (void)state;
  bb_shape *shape = bb_shape_new("fast", NULL, 0);
  assert_non_null(shape);
  expect_true("the same", bb_shape_ref(shape) == shape);
  bb_shape_unref(shape);
  expect_text("still there", shape->scan, "fast");
  bb_shape_unref(shape);
}

static int make(void *user) {
  bb_point point = point_of("a", BB_TYPE_I32);
  const bb_point *list[] = {&point};
  (void)user;
  bb_shape *shape = bb_shape_new("fast", list, 1);
  if (shape == NULL) return BB_ERR_NOMEM;
  bb_shape_unref(shape);
  return 0;
}

static void test_shape_without_memory(void **state) {
  (void)state;
  expect_uint("one allocation", failmalloc_each(make, NULL), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shape_without_points),
      cmocka_unit_test(test_shape_places_values_one_behind_the_other),
      cmocka_unit_test(test_shape_owns_copies_of_its_points),
      cmocka_unit_test(test_shape_hash_is_of_all_its_content),
      cmocka_unit_test(test_shape_hash_leaves_out_limits_not_in_force),
      cmocka_unit_test(test_shape_of_the_largest_size),
      cmocka_unit_test(test_shape_lives_until_its_last_reference_goes),
      cmocka_unit_test(test_shape_without_memory),
  };
  return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
