/* SPDX-License-Identifier: Apache-2.0 */
/* See put_frame.h. */
#include "runtime/put_frame.h"

#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"

#define LENGTH_BYTES 4
#define HEADER_BYTES 7 /* behind the length */
#define HAS_PROPERTIES 8
#define ALL_FLAGS 15

int bb_put_open(const uint8_t *body, size_t len, char sink[BB_MAX_ID + 1]) {
  if (len < 1 || body[0] > BB_MAX_ID || body[0] > len - 1) return BB_ERR_FORMAT;
  memcpy(sink, body + 1, body[0]);
  sink[body[0]] = 0;
  return bb_text_is_id(sink) && strlen(sink) == body[0] ? 1 + body[0] : BB_ERR_FORMAT;
}

int bb_put_next(const uint8_t *bytes, size_t len, bb_put_message *out) {
  if (len == 0) return 0;
  if (len < LENGTH_BYTES + HEADER_BYTES) return BB_ERR_FORMAT;
  size_t follows = bb_get_le32(bytes), head = HEADER_BYTES;
  uint8_t flags = bytes[8];
  if (follows > len - LENGTH_BYTES || flags > ALL_FLAGS) return BB_ERR_FORMAT;
  if (flags & HAS_PROPERTIES) head += 2;
  if (follows < head) return BB_ERR_FORMAT;
  uint16_t topic_len = bb_get_le16(bytes + 9);
  uint16_t properties_len = flags & HAS_PROPERTIES ? bb_get_le16(bytes + 11) : 0;
  if ((size_t)topic_len + properties_len > follows - head) return BB_ERR_FORMAT;
  const uint8_t *topic = bytes + LENGTH_BYTES + head, *properties = topic + topic_len;
  *out = (bb_put_message){
      .number = bb_get_le32(bytes + 4),
      .flags = flags,
      .content = {.topic = (const char *)topic,
                  .topic_len = topic_len,
                  .properties = properties,
                  .properties_len = properties_len,
                  .payload = (const char *)properties + properties_len,
                  .payload_len = (uint32_t)(follows - head - topic_len - properties_len)}};
  return (int)(LENGTH_BYTES + follows);
}
