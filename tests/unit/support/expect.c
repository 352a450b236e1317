/* SPDX-License-Identifier: Apache-2.0 */
/* See expect.h. */
#include "support/expect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static _Noreturn void differ(const char *row, const char *actual, const char *expected,
                             const char *file, int line) {
  print_error("%s: got %s, expected %s\n", row, actual, expected);
  _fail(file, line);
  /* cmocka does not tell the compiler that it never returns. */
  for (;;) {
  }
}

void expect_int_at(const char *row, int64_t actual, int64_t expected, const char *file, int line) {
  char a[32], b[32];
  if (actual == expected) return;
  snprintf(a, sizeof(a), "%" PRId64, actual);
  snprintf(b, sizeof(b), "%" PRId64, expected);
  differ(row, a, b, file, line);
}

void expect_uint_at(const char *row, uint64_t actual, uint64_t expected, const char *file,
                    int line) {
  char a[64], b[64];
  if (actual == expected) return;
  snprintf(a, sizeof(a), "%" PRIu64 " (0x%" PRIx64 ")", actual, actual);
  snprintf(b, sizeof(b), "%" PRIu64 " (0x%" PRIx64 ")", expected, expected);
  differ(row, a, b, file, line);
}

void expect_double_at(const char *row, double actual, double expected, const char *file, int line) {
  char a[64], b[64];
  if (memcmp(&actual, &expected, sizeof(actual)) == 0) return;
  if (isnan(actual) && isnan(expected)) return;
  snprintf(a, sizeof(a), "%.17g (%a)", actual, actual);
  snprintf(b, sizeof(b), "%.17g (%a)", expected, expected);
  differ(row, a, b, file, line);
}

static const char *shown(const char *text) {
  return text != NULL ? text : "NULL";
}

void expect_text_at(const char *row, const char *actual, const char *expected, const char *file,
                    int line) {
  bool same =
      actual == NULL || expected == NULL ? actual == expected : strcmp(actual, expected) == 0;
  if (!same) differ(row, shown(actual), shown(expected), file, line);
}

void expect_part_at(const char *row, const char *actual, const char *part, const char *file,
                    int line) {
  if (actual == NULL || strstr(actual, part) == NULL) differ(row, shown(actual), part, file, line);
}

/* In hex, from a little before the first difference. */
static void show_bytes(char *out, size_t cap, const uint8_t *bytes, size_t len, size_t from) {
  size_t at = (size_t)snprintf(out, cap, "%zu bytes, from %zu on:", len, from);
  for (size_t i = from; i < len && i < from + 24 && at + 4 < cap; i++) {
    at += (size_t)snprintf(out + at, cap - at, " %02x", bytes[i]);
  }
}

void expect_bytes_at(const char *row, const void *actual, size_t actual_len, const void *expected,
                     size_t expected_len, const char *file, int line) {
  const uint8_t *x = actual, *y = expected;
  char a[160], b[160];
  size_t same = 0;
  while (same < actual_len && same < expected_len && x[same] == y[same]) same++;
  if (same == actual_len && same == expected_len) return;
  size_t from = same > 4 ? same - 4 : 0;
  show_bytes(a, sizeof(a), x, actual_len, from);
  show_bytes(b, sizeof(b), y, expected_len, from);
  differ(row, a, b, file, line);
}

void expect_true_at(const char *row, bool condition, const char *text, const char *file, int line) {
  if (!condition) differ(row, "false", text, file, line);
}
