/* SPDX-License-Identifier: Apache-2.0 */
/* The framing of the control socket: messages out of bytes that come in pieces. */
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"

#include "base/bytes.h"
#include "base/err.h"
#include "runtime/socket_frame.h"

static const struct {
  const char *name;
  uint8_t bytes[8];
  size_t len;
  int expected; /* what peek gives */
} rows[] = {
    {"nothing", {0}, 0, 0},
    {"half a header", {3, 0, 0, 0}, 4, 0},
    {"half a body", {3, 0, 0, 0, 1, '{'}, 6, 0},
    {"an event", {3, 0, 0, 0, 3, '{', '}'}, 7, 7},
    {"and more behind it", {3, 0, 0, 0, 3, '{', '}', 9}, 8, 7},
    {"frames", {2, 0, 0, 0, 4, 0xFF}, 6, 6},
    {"length 0", {0, 0, 0, 0, 1}, 5, BB_ERR_FORMAT},
    {"no body", {1, 0, 0, 0, 1}, 5, BB_ERR_FORMAT},
    {"type 0", {3, 0, 0, 0, 0}, 5, BB_ERR_FORMAT},
    {"type 6", {3, 0, 0, 0, 6}, 5, BB_ERR_FORMAT},
    {"the longest request", {1, 0, 0, 4, 1}, 5, 0},
    {"one byte longer", {2, 0, 0, 4, 1}, 5, BB_ERR_LIMIT},
    {"the longest frames", {1, 0, 0x10, 0, 4}, 5, 0},
    {"one byte longer", {2, 0, 0x10, 0, 4}, 5, BB_ERR_LIMIT},
    {"as long as can be", {0xFF, 0xFF, 0xFF, 0xFF, 1}, 5, BB_ERR_LIMIT},
};

static void test_socket_frame_peek_finds_whole_messages(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_socket_frame frame = {0};
    int used = bb_socket_frame_peek(rows[i].bytes, rows[i].len, &frame);
    expect_int(rows[i].name, used, rows[i].expected);
    if (used <= 0) continue;
    expect_int(rows[i].name, frame.type, rows[i].bytes[4]);
    expect_bytes(rows[i].name, frame.body, frame.len, rows[i].bytes + 5, (size_t)used - 5);
  }
}

static void test_socket_frame_put_writes_the_header_of_the_example(void **state) {
  static const uint8_t expected[] = {3, 0, 0, 0, 3};
  uint8_t header[BB_SOCKET_HEADER];
  (void)state;
  bb_socket_frame_put(header, BB_SOCKET_EVENT, 2);
  expect_bytes("header", header, sizeof(header), expected, sizeof(expected));
}

/* A message is found when its last byte is there, and not before; exactly as much memory is given as
 * bytes are there, so that a sanitizer sees a look behind them. */
static void test_socket_frame_peek_waits_for_the_last_byte(void **state) {
  enum { BODY = 300, WHOLE = BB_SOCKET_HEADER + BODY };
  (void)state;
  for (size_t len = 0; len <= WHOLE; len++) {
    bb_socket_frame frame;
    uint8_t whole[WHOLE] = {0};
    uint8_t *part = malloc(len + 1);
    expect_true("memory", part != NULL);
    bb_socket_frame_put(whole, BB_SOCKET_FRAMES, BODY);
    memcpy(part + 1, whole, len);
    int used = bb_socket_frame_peek(part + 1, len, &frame);
    expect_int("used", used, len == WHOLE ? WHOLE : 0);
    free(part);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_socket_frame_peek_finds_whole_messages),
      cmocka_unit_test(test_socket_frame_put_writes_the_header_of_the_example),
      cmocka_unit_test(test_socket_frame_peek_waits_for_the_last_byte),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
