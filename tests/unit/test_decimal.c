/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/vector.h"

static void test_decimal_parse_refuses(void **state) {
  static const struct {
    const char *text;
    int expected;
  } rows[] = {
      {"", BB_ERR_FORMAT},
      {"-", BB_ERR_FORMAT},
      {"+", BB_ERR_FORMAT},
      {".", BB_ERR_FORMAT},
      {"-.", BB_ERR_FORMAT},
      {"e5", BB_ERR_FORMAT},
      {"1e", BB_ERR_FORMAT},
      {"1e+", BB_ERR_FORMAT},
      {"1e5.0", BB_ERR_FORMAT},
      {"1e5e5", BB_ERR_FORMAT},
      {"1..5", BB_ERR_FORMAT},
      {"1.2.3", BB_ERR_FORMAT},
      {"--1", BB_ERR_FORMAT},
      {"1-", BB_ERR_FORMAT},
      {" 1", BB_ERR_FORMAT},
      {"1 ", BB_ERR_FORMAT},
      {"1,5", BB_ERR_FORMAT},
      {"0x10", BB_ERR_FORMAT},
      {"nan", BB_ERR_FORMAT},
      {"inf", BB_ERR_FORMAT},
      {"-Infinity", BB_ERR_FORMAT},
      {"1234567890123456789", BB_ERR_RANGE},
      {"1.000000000000000001", BB_ERR_RANGE},
      {"1e301", BB_ERR_RANGE},
      {"1e-301", BB_ERR_RANGE},
      {"0.1e-300", BB_ERR_RANGE},
      {"10e300", BB_ERR_RANGE},
      {"1e99999999999999999999", BB_ERR_RANGE},
      {"1e-99999999999999999999", BB_ERR_RANGE},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_decimal value = {77, 7};
    expect_int(rows[i].text, bb_decimal_parse(&value, rows[i].text), rows[i].expected);
    expect_int(rows[i].text, value.digits, 77);
    expect_int(rows[i].text, value.exponent, 7);
  }
}

static void test_decimal_parse_keeps_the_digits(void **state) {
  static const struct {
    const char *text;
    int64_t digits;
    int exponent;
  } rows[] = {
      {"0", 0, 0},
      {"-0", 0, 0},
      {"0.000", 0, 0},
      {"0e7", 0, 0},
      {"12", 12, 0},
      {"+12", 12, 0},
      {"-12", -12, 0},
      {"0012", 12, 0},
      {"120", 12, 1},
      {"1000000000000000000000", 1, 21},
      {"0.1", 1, -1},
      {"-0.1", -1, -1},
      {".5", 5, -1},
      {"5.", 5, 0},
      {"1.500", 15, -1},
      {"10.0", 1, 1},
      {"10.01", 1001, -2},
      {"0.00100", 1, -3},
      {"1e-3", 1, -3},
      {"1E3", 1, 3},
      {"1e+3", 1, 3},
      {"1.5e1", 15, 0},
      {"100e-2", 1, 0},
      {"123456789012345678", 123456789012345678, 0},
      {"-999999999999999999", -999999999999999999, 0},
      {"0.000000000000000000000123456789012345678", 123456789012345678, -39},
      {"1e300", 1, 300},
      {"0.1e301", 1, 300},
      {"1e-300", 1, -300},
      {"10e-301", 1, -300},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_decimal value;
    expect_int(rows[i].text, bb_decimal_parse(&value, rows[i].text), 0);
    expect_int(rows[i].text, value.digits, rows[i].digits);
    expect_int(rows[i].text, value.exponent, rows[i].exponent);
  }
}

/* strtod of the C library rounds correctly and knows nothing of bb_decimal. */
static void test_decimal_double_is_the_nearest(void **state) {
  static const char *const rows[] = {
      "0",
      "0.1",
      "-0.1",
      "0.3",
      "1e22",
      "1e23",
      "-1e23",
      "9007199254740993",
      "1e-22",
      "1e-23",
      "123456789012345678",
      "0.123456789012345678",
      "123456789012345678e-30",
      "1e300",
      "999999999999999999e290",
      "1e-300",
      "123456789012345678e-300",
      "4.35",
      "2.675",
      "8.5e-5",
      "3.141592653589793",
      "72057594037927945",
      "1.7976931348623157",
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_decimal value;
    expect_int(rows[i], bb_decimal_parse(&value, rows[i]), 0);
    expect_double(rows[i], bb_decimal_double(value), strtod(rows[i], NULL));
  }
}

static bb_decimal parsed(const char *text) {
  bb_decimal value;
  expect_int(text, bb_decimal_parse(&value, text), 0);
  return value;
}

/* Expected values by Python's fractions: tests/vectors/decimal/make.py. */
static void test_decimal_apply_rounds_once(void **state) {
  (void)state;
  bb_doc_tree tree;
  vector_read_json("decimal/apply.json", &tree);
  expect_true("there are rows", tree.root->n > 600);
  for (const bb_doc *row = tree.root->first; row != NULL; row = row->next) {
    const char *raw = bb_doc_get_text(row, "raw");
    bb_decimal scale = parsed(bb_doc_get_text(row, "scale"));
    bb_decimal offset = parsed(bb_doc_get_text(row, "offset"));
    int power = (int)strtol(bb_doc_get_text(row, "power"), NULL, 10);
    double expected = strtod(bb_doc_get_text(row, "expected"), NULL);
    char name[32];
    snprintf(name, sizeof(name), "line %u", row->line);
    bool positive = *raw != '-';
    uint64_t whole = positive ? strtoull(raw, NULL, 10) : 0;
    if (!positive || whole <= INT64_MAX) {
      int64_t number = strtoll(raw, NULL, 10);
      expect_double(name, bb_decimal_apply(number, scale, power, offset), expected);
    }
    if (positive) {
      expect_double(name, bb_decimal_apply_unsigned(whole, scale, power, offset), expected);
    }
  }
  bb_doc_close(&tree);
}

/* A device may send any number as its scale factor. */
static void test_decimal_apply_with_an_absurd_power(void **state) {
  static const struct {
    int power;
    int64_t raw;
    const char *offset;
    double expected;
  } rows[] = {
      {INT_MAX, 1, "0", HUGE_VAL}, {INT_MAX, -1, "0", -HUGE_VAL}, {INT_MAX, 0, "2.5", 2.5},
      {INT_MIN, 1, "0", 0},        {INT_MIN, 1, "2.5", 2.5},      {INT_MIN, 0, "0", 0},
      {INT_MAX, 1, "5", HUGE_VAL},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    double got =
        bb_decimal_apply(rows[i].raw, (bb_decimal){1, 300}, rows[i].power, parsed(rows[i].offset));
    expect_double(rows[i].offset, got, rows[i].expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_decimal_parse_refuses),
      cmocka_unit_test(test_decimal_parse_keeps_the_digits),
      cmocka_unit_test(test_decimal_double_is_the_nearest),
      cmocka_unit_test(test_decimal_apply_rounds_once),
      cmocka_unit_test(test_decimal_apply_with_an_absurd_power),
  };
  return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
