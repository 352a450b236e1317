/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that a client puts into a sink's queue, out of the body that brings them. */
#include "runtime/put_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"

/* The example of the header. */
static const uint8_t example[] = {1, 'a', 9, 0, 0, 0, 1, 0, 0, 0, 4, 1, 0, 't', '1'};

static void test_put_reads_the_example(void **state) {
  char sink[BB_MAX_ID + 1];
  bb_put_message message;
  (void)state;
  expect_int("open", bb_put_open(example, sizeof(example), sink), 2);
  expect_text("sink", sink, "a");
  expect_int("next", bb_put_next(example + 2, sizeof(example) - 2, &message), 13);
  expect_uint("number", message.number, 1);
  expect_uint("flags", message.flags, 4);
  expect_bytes("topic", message.content.topic, message.content.topic_len, "t", 1);
  expect_bytes("payload", message.content.payload, message.content.payload_len, "1", 1);
  expect_int("the end", bb_put_next(example + 15, 0, &message), 0);
}

/* The second example of the header. */
static const uint8_t with_properties[] = {15, 0, 0, 0,   1, 0, 0, 0,   12, 1,
                                          0,  4, 0, 't', 3, 0, 1, 'x', '1'};

static void test_put_reads_properties(void **state) {
  bb_put_message message;
  (void)state;
  expect_int("next", bb_put_next(with_properties, sizeof(with_properties), &message), 19);
  expect_uint("flags", message.flags, 12);
  expect_bytes("topic", message.content.topic, message.content.topic_len, "t", 1);
  expect_bytes("properties", message.content.properties, message.content.properties_len, "\3\0\1x",
               4);
  expect_bytes("payload", message.content.payload, message.content.payload_len, "1", 1);
}

static void expect_cuts_refused(const uint8_t *whole, size_t whole_len) {
  bb_put_message message;
  for (size_t len = 1; len < whole_len; len++) {
    uint8_t *bytes = malloc(len);
    memcpy(bytes, whole, len);
    expect_int("cut", bb_put_next(bytes, len, &message), BB_ERR_FORMAT);
    free(bytes);
  }
}

/* Cut anywhere, in memory of exactly that size, it is refused and not read past. */
static void test_put_refuses_what_is_cut(void **state) {
  (void)state;
  expect_cuts_refused(example + 2, sizeof(example) - 2);
  expect_cuts_refused(with_properties, sizeof(with_properties));
}

static void test_put_refuses_what_does_not_fit(void **state) {
  static const struct {
    const char *row;
    size_t at;
    uint8_t value;
  } rows[] = {{"shorter than its head", 2, 6},
              {"longer than there is", 2, 10},
              {"flags", 10, 16},
              {"topic", 11, 3},
              {"properties where there is no room for their length", 10, 8}};
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint8_t bytes[sizeof(example)];
    bb_put_message message;
    memcpy(bytes, example, sizeof(example));
    bytes[rows[i].at] = rows[i].value;
    expect_int(rows[i].row, bb_put_next(bytes + 2, sizeof(bytes) - 2, &message), BB_ERR_FORMAT);
  }
}

static void test_put_refuses_a_name_that_is_none(void **state) {
  static const struct {
    const char *row;
    uint8_t bytes[4];
    size_t len;
  } rows[] = {{"nothing", {0}, 0},
              {"empty", {0}, 1},
              {"cut", {3, 'a', 'b'}, 3},
              {"no id", {2, 'a', '/'}, 3},
              {"NUL", {2, 'a', 0}, 3}};
  char sink[BB_MAX_ID + 1];
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_int(rows[i].row, bb_put_open(rows[i].bytes, rows[i].len, sink), BB_ERR_FORMAT);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_put_reads_the_example),
      cmocka_unit_test(test_put_reads_properties),
      cmocka_unit_test(test_put_refuses_what_is_cut),
      cmocka_unit_test(test_put_refuses_what_does_not_fit),
      cmocka_unit_test(test_put_refuses_a_name_that_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
