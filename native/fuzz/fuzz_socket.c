/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as messages of the control socket. They are split twice, all at once and byte by byte,
 * which must give the same messages; frames and puts among them are looked at as the socket does. */
#include <stdlib.h>
#include <string.h>

#include "io/mqtt_property.h"
#include "model/frame.h"
#include "model/message.h"
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

/* As text of a batch it is the same again. */
static void check_text(const bb_message *message) {
  static char text[BB_PUT_MAX_MESSAGE + BB_MESSAGE_MAX_FRAME];
  bb_message again;
  uint32_t bytes = message->topic_len + message->properties_len + message->payload_len;
  if (bytes > BB_PUT_MAX_MESSAGE || memchr(message->topic, 0, message->topic_len) != NULL) return;
  bb_batch batch = {.kind = BB_BATCH_MESSAGE,
                    .flags = message->properties_len > 0 ? BB_BATCH_PROPERTIES : 0,
                    .text_len = (uint16_t)bb_message_pack(message, text),
                    .text = text};
  check(bb_batch_is_sound(&batch) && bb_message_unpack(&batch, &again) == 0);
  check(again.topic_len == message->topic_len && again.payload_len == message->payload_len);
  check(again.properties_len == message->properties_len);
  check(memcmp(again.payload, message->payload, message->payload_len) == 0);
}

/* Sound properties can be aged, and are sound then, too. */
static void check_properties(const bb_message *message) {
  static uint8_t copy[BB_MQTT_PROPERTIES_MAX];
  uint32_t interval_s = 0;
  if (bb_mqtt_property_fault(message->properties, message->properties_len) != NULL) return;
  memcpy(copy, message->properties, message->properties_len);
  int err = bb_mqtt_property_age(copy, message->properties_len, 1, &interval_s);
  check(err == 0 || interval_s == 0);
  check(bb_mqtt_property_fault(copy, message->properties_len) == NULL);
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
    check(put.content.payload + put.content.payload_len == (const char *)at + used);
    check_text(&put.content);
    check_properties(&put.content);
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
