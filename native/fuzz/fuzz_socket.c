/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as messages of the control socket. They are split twice, all at once and byte by byte,
 * which must give the same messages; frames and puts among them are looked at as the socket does. */
#include <stdlib.h>

#include "model/frame.h"
#include "runtime/put_frame.h"
#include "runtime/socket_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth) {
  if (!truth) abort();
}

static void look_at_frames(const bb_socket_frame *message) {
  const uint8_t *at = message->body;
  size_t left = message->len;
  while (left > 0) {
    bb_frame_kind kind;
    int used = bb_frame_peek(at, left, &kind);
    check(used <= (int)left);
    if (used <= 0) return;
    at += used;
    left -= (size_t)used;
  }
}

static void look_at_puts(const bb_socket_frame *message) {
  char sink[BB_MAX_ID + 1];
  bb_put_message put;
  const uint8_t *at = message->body, *end = at + message->len;
  int used = bb_put_open(at, message->len, sink);
  while (used > 0) {
    at += used;
    check(at <= end);
    used = bb_put_next(at, (size_t)(end - at), &put);
    if (used <= 0) break;
    check(put.payload + put.payload_len == (const char *)at + used);
  }
  check(used < 0 || at == end);
}

/* What peek says of the bytes, when they come one by one. */
static int peek_slowly(const uint8_t *bytes, size_t len, bb_socket_frame *out) {
  for (size_t i = 0; i <= len; i++) {
    int used = bb_socket_frame_peek(bytes, i, out);
    if (used != 0) return used;
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t at = 0;
  for (;;) {
    bb_socket_frame message, slow;
    int used = bb_socket_frame_peek(data + at, size - at, &message);
    check(peek_slowly(data + at, size - at, &slow) == used);
    if (used <= 0) return 0;
    check((size_t)used == BB_SOCKET_HEADER + message.len && message.body == slow.body);
    check(message.body + message.len <= data + size);
    if (message.type == BB_SOCKET_FRAMES) look_at_frames(&message);
    if (message.type == BB_SOCKET_PUT) look_at_puts(&message);
    at += (size_t)used;
  }
}
