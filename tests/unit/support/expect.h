/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions for tables: each names the row (any text that tells it from the others) and prints both
 * values. expect_true is for what has no two values.
 */
#ifndef BB_TEST_EXPECT_H
#define BB_TEST_EXPECT_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define expect_int(row, actual, expected)                                                          \
  expect_int_at((row), (actual), (expected), __FILE__, __LINE__)
#define expect_uint(row, actual, expected)                                                         \
  expect_uint_at((row), (actual), (expected), __FILE__, __LINE__)
#define expect_double(row, actual, expected)                                                       \
  expect_double_at((row), (actual), (expected), __FILE__, __LINE__)
#define expect_text(row, actual, expected)                                                         \
  expect_text_at((row), (actual), (expected), __FILE__, __LINE__)
#define expect_part(row, actual, part) expect_part_at((row), (actual), (part), __FILE__, __LINE__)
#define expect_bytes(row, actual, actual_len, expected, expected_len)                              \
  expect_bytes_at((row), (actual), (actual_len), (expected), (expected_len), __FILE__, __LINE__)
#define expect_true(row, condition)                                                                \
  expect_true_at((row), (condition), #condition, __FILE__, __LINE__)

void expect_int_at(const char *row, int64_t actual, int64_t expected, const char *file, int line);
void expect_uint_at(const char *row, uint64_t actual, uint64_t expected, const char *file,
                    int line);

/* The same bits, except that every NaN equals every other. */
void expect_double_at(const char *row, double actual, double expected, const char *file, int line);

/* NULL equals NULL only. */
void expect_text_at(const char *row, const char *actual, const char *expected, const char *file,
                    int line);

/* `part` stands somewhere in `actual`. */
void expect_part_at(const char *row, const char *actual, const char *part, const char *file,
                    int line);

void expect_bytes_at(const char *row, const void *actual, size_t actual_len, const void *expected,
                     size_t expected_len, const char *file, int line);
void expect_true_at(const char *row, bool condition, const char *text, const char *file, int line);

#endif
