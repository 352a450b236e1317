/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"

static void test_buf_append_past_max_changes_nothing(void **state) {
  static const struct {
    const char *row;
    size_t max, first, second;
    int expected;
  } rows[] = {
      {"one byte too many", 10, 10, 1, BB_ERR_LIMIT},
      {"everything at once", 10, 0, 11, BB_ERR_LIMIT},
      {"a size that wraps around", 10, 5, SIZE_MAX, BB_ERR_LIMIT},
      {"a size that wraps around to the maximum", 10, 5, SIZE_MAX - 4, BB_ERR_LIMIT},
      {"exactly the maximum", 10, 5, 5, 0},
      {"nothing into a full one", 10, 10, 0, 0},
      {"the maximum of one byte", 1, 0, 1, 0},
      {"past the first capacity", 1000, 250, 750, 0},
      {"past the first capacity by one too many", 1000, 250, 751, BB_ERR_LIMIT},
  };
  (void)state;
  static uint8_t bytes[1024];
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_buf buf;
    bb_buf_init(&buf, rows[i].max);
    expect_int(rows[i].row, bb_buf_append(&buf, bytes, rows[i].first), 0);
    expect_int(rows[i].row, bb_buf_append(&buf, bytes, rows[i].second), rows[i].expected);
    bool fits = rows[i].expected == 0;
    expect_uint(rows[i].row, buf.len, fits ? rows[i].first + rows[i].second : rows[i].first);
    expect_int(rows[i].row, buf.failed, rows[i].expected);
    expect_true(rows[i].row, buf.cap <= rows[i].max);
    bb_buf_close(&buf);
  }
}

static void test_buf_remembers_its_first_failure_until_cleared(void **state) {
  (void)state;
  bb_buf buf;
  bb_buf_init(&buf, 4);
  bb_buf_text(&buf, "abc");
  expect_int("too long", bb_buf_text(&buf, "de"), BB_ERR_LIMIT);
  expect_int("what fits is still taken", bb_buf_byte(&buf, 'f'), 0);
  expect_int("failed", buf.failed, BB_ERR_LIMIT);
  expect_text("content", bb_buf_string(&buf), "abcf");
  const uint8_t *memory = buf.bytes;
  bb_buf_clear(&buf);
  expect_int("cleared", buf.failed, 0);
  expect_uint("cleared", buf.len, 0);
  expect_true("memory is kept", buf.bytes == memory);
  bb_buf_close(&buf);
  expect_uint("the maximum outlives the close", buf.max, 4);
  expect_true("closed", buf.bytes == NULL);
}

static void test_buf_terminator_takes_no_room(void **state) {
  (void)state;
  bb_buf buf;
  bb_buf_init(&buf, 5);
  expect_text("empty", bb_buf_string(&buf), "");
  expect_int("printf up to the maximum", bb_buf_printf(&buf, "%s%d", "abc", 12), 0);
  expect_text("full", bb_buf_string(&buf), "abc12");
  expect_int("printf past it", bb_buf_printf(&buf, "%d", 3), BB_ERR_LIMIT);
  expect_text("unchanged", bb_buf_string(&buf), "abc12");
  expect_uint("length", buf.len, 5);
  bb_buf_close(&buf);
}

static void test_buf_printf_of_nothing(void **state) {
  (void)state;
  bb_buf buf;
  bb_buf_init(&buf, 8);
  expect_int("into an empty buffer", bb_buf_printf(&buf, "%s", ""), 0);
  expect_uint("length", buf.len, 0);
  expect_true("extend by nothing has a place", bb_buf_extend(&buf, 0) != NULL);
  bb_buf_close(&buf);
  expect_true("also without memory before", bb_buf_extend(&buf, 0) != NULL);
  bb_buf_close(&buf);
}

static void test_buf_drop(void **state) {
  static const struct {
    const char *row;
    size_t len;
    const char *left;
  } rows[] = {
      {"nothing", 0, "abcdef"}, {"some", 2, "cdef"},        {"all", 6, ""},
      {"more than all", 7, ""}, {"far more", SIZE_MAX, ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_buf buf;
    bb_buf_init(&buf, 100);
    bb_buf_drop(&buf, 1);
    bb_buf_text(&buf, "abcdef");
    bb_buf_drop(&buf, rows[i].len);
    expect_text(rows[i].row, bb_buf_string(&buf), rows[i].left);
    bb_buf_close(&buf);
  }
}

static void test_buf_grows_and_keeps_its_content(void **state) {
  (void)state;
  bb_buf buf;
  bb_buf_init(&buf, 100000);
  for (unsigned i = 0; i < 25000; i++) {
    uint8_t *place = bb_buf_extend(&buf, 4);
    assert_non_null(place);
    memcpy(place, &i, 4);
  }
  expect_uint("length", buf.len, 100000);
  for (unsigned i = 0; i < 25000; i++) {
    unsigned found;
    memcpy(&found, buf.bytes + 4 * (size_t)i, 4);
    expect_uint("content", found, i);
  }
  expect_int("full", bb_buf_byte(&buf, 0), BB_ERR_LIMIT);
  bb_buf_close(&buf);
}

static int fill(void *user) {
  bb_buf buf;
  (void)user;
  bb_buf_init(&buf, 4000);
  for (int i = 0; i < 100; i++) {
    bb_buf_printf(&buf, "%036d", i);
    if (buf.failed < 0) break;
  }
  int err = buf.failed;
  expect_uint("what is there is whole", buf.len % 36, 0);
  bb_buf_close(&buf);
  return err;
}

static void test_buf_without_memory(void **state) {
  (void)state;
  failmalloc_each(fill, NULL);
  bb_buf buf;
  bb_buf_init(&buf, 10);
  failmalloc_start(1);
  const char *text = bb_buf_string(&buf);
  failmalloc_stop();
  expect_text("string", text, "");
  expect_int("remembered", buf.failed, BB_ERR_NOMEM);
  bb_buf_close(&buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_buf_append_past_max_changes_nothing),
      cmocka_unit_test(test_buf_remembers_its_first_failure_until_cleared),
      cmocka_unit_test(test_buf_terminator_takes_no_room),
      cmocka_unit_test(test_buf_printf_of_nothing),
      cmocka_unit_test(test_buf_drop),
      cmocka_unit_test(test_buf_grows_and_keeps_its_content),
      cmocka_unit_test(test_buf_without_memory),
  };
  return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
