/* SPDX-License-Identifier: Apache-2.0 */
/* See message.h. */
#include "model/message.h"

#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

int bb_message_unpack(const bb_batch *batch, bb_message *out) {
  if (batch->text_len == 0) return BB_ERR_FORMAT;
  const char *end = batch->text + batch->text_len;
  const char *at = memchr(batch->text, 0, batch->text_len);
  if (at == NULL) return BB_ERR_FORMAT;
  *out = (bb_message){.topic = batch->text, .topic_len = (uint16_t)(at - batch->text)};
  at++;
  if (batch->flags & BB_BATCH_PROPERTIES) {
    if (end - at < 2) return BB_ERR_FORMAT;
    out->properties_len = bb_get_le16((const uint8_t *)at);
    at += 2;
    if (out->properties_len > end - at) return BB_ERR_FORMAT;
    out->properties = (const uint8_t *)at;
    at += out->properties_len;
  }
  out->payload = at;
  out->payload_len = (uint32_t)(end - at);
  return 0;
}

static char *put(char *at, const void *bytes, size_t len) {
  if (len > 0) memcpy(at, bytes, len);
  return at + len;
}

size_t bb_message_pack(const bb_message *message, char *out) {
  char *at = put(out, message->topic, message->topic_len);
  *at++ = 0;
  if (message->properties_len > 0) {
    bb_put_le16((uint8_t *)at, message->properties_len);
    at = put(at + 2, message->properties, message->properties_len);
  }
  at = put(at, message->payload, message->payload_len);
  return (size_t)(at - out);
}
