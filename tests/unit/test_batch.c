/* SPDX-License-Identifier: Apache-2.0 */
#include "model/batch.h"

#include "support/expect.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
  uint8_t quality;
  const char *name, *cause, *text;
  bool good, value;
} qualities[] = {
    {BB_QUALITY_GOOD, "good", "none", "", true, true},
    {BB_QUALITY_UNCERTAIN | BB_CAUSE_OUT_OF_RANGE, "uncertain", "out-of-range",
     "outside the point's valid range", false, true},
    {BB_QUALITY_BAD | BB_CAUSE_NO_ANSWER, "bad", "no-answer", "no answer", false, false},
    {BB_QUALITY_STALE | BB_CAUSE_NOT_CONNECTED, "stale", "not-connected", "not connected", false,
     true},
    {BB_QUALITY_BAD | 62, "bad", "unknown", "unknown cause", false, false},
    {BB_QUALITY_ABSENT, "absent", "unknown", "unknown cause", false, false},
};

#define POINTS COUNT(qualities)

static void test_batch_quality_in_words(void **state) {
  (void)state;
  for (size_t i = 0; i < POINTS; i++) {
    const char *row = qualities[i].name;
    uint8_t quality = qualities[i].quality;
    expect_text(row, bb_quality_name(quality), qualities[i].name);
    expect_text(row, bb_quality_cause(quality), qualities[i].cause);
    expect_text(row, bb_quality_text(quality), qualities[i].text);
    expect_int(row, bb_quality_has_value(quality), qualities[i].value);
    expect_int(row, bb_quality_class(quality) == BB_QUALITY_GOOD, qualities[i].good);
  }
}

static void test_batch_counts_good_points_and_finds_values(void **state) {
  const bb_point point = {
      .name = "a", .unit = "", .description = "", .type = BB_TYPE_U16, .size = 2};
  const bb_point *list[POINTS];
  uint8_t quality[POINTS], values[2 * POINTS];
  (void)state;
  for (size_t i = 0; i < POINTS; i++) {
    list[i] = &point;
    quality[i] = qualities[i].quality;
    values[2 * i] = (uint8_t)i;
    values[2 * i + 1] = 1;
  }
  bb_shape *shape = bb_shape_new("fast", list, POINTS);
  assert_non_null(shape);
  bb_batch batch = {.shape = shape, .quality = quality, .values = values};
  expect_uint("good", bb_batch_good(&batch), 1);
  expect_uint("value", bb_batch_value(&batch, 3).v.u, 0x103);
  batch.shape = NULL;
  expect_uint("good of an event", bb_batch_good(&batch), 0);
  expect_uint("samples of an event", bb_batch_samples(&batch), 0);
  bb_shape_unref(shape);
}

/* All lengths around a word, each place holding each quality once. */
static void test_batch_counts_good_points_of_any_number(void **state) {
  enum { MOST = 27 };
  bb_shape shape = {.n_points = 0};
  uint8_t quality[MOST];
  bb_batch batch = {.shape = &shape, .quality = quality};
  (void)state;
  for (; shape.n_points <= MOST; shape.n_points++) {
    for (unsigned first = 0; first < 256; first++) {
      unsigned good = 0, samples = 0;
      for (unsigned i = 0; i < shape.n_points; i++) {
        quality[i] = (uint8_t)(first + 37 * i);
        good += quality[i] < BB_QUALITY_UNCERTAIN;
        samples += quality[i] != BB_QUALITY_ABSENT;
      }
      expect_uint("good", bb_batch_good(&batch), good);
      expect_uint("samples", bb_batch_samples(&batch), samples);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_batch_quality_in_words),
      cmocka_unit_test(test_batch_counts_good_points_and_finds_values),
      cmocka_unit_test(test_batch_counts_good_points_of_any_number),
  };
  return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
