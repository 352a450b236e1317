/* SPDX-License-Identifier: Apache-2.0 */
/* See put_frame.h. */
#include "runtime/put_frame.h"

#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"

#define LENGTH_BYTES 4
#define HEADER_BYTES 7 /* behind the length */
#define ALL_FLAGS 7

int bb_put_open(const uint8_t *body, size_t len, char sink[BB_MAX_ID + 1]) {
  if (len < 1 || body[0] > BB_MAX_ID || body[0] > len - 1) return BB_ERR_FORMAT;
  memcpy(sink, body + 1, body[0]);
  sink[body[0]] = 0;
  return bb_text_is_id(sink) && strlen(sink) == body[0] ? 1 + body[0] : BB_ERR_FORMAT;
}

int bb_put_next(const uint8_t *bytes, size_t len, bb_put_message *out) {
  if (len == 0) return 0;
  if (len < LENGTH_BYTES + HEADER_BYTES) return BB_ERR_FORMAT;
  uint32_t follows = bb_get_le32(bytes);
  uint16_t topic_len = bb_get_le16(bytes + 9);
  if (follows < HEADER_BYTES || follows > len - LENGTH_BYTES) return BB_ERR_FORMAT;
  if (topic_len > follows - HEADER_BYTES || bytes[8] > ALL_FLAGS) return BB_ERR_FORMAT;
  const char *text = (const char *)bytes + LENGTH_BYTES + HEADER_BYTES;
  *out = (bb_put_message){.number = bb_get_le32(bytes + 4),
                          .flags = bytes[8],
                          .topic = text,
                          .topic_len = topic_len,
                          .payload = text + topic_len,
                          .payload_len = follows - HEADER_BYTES - topic_len};
  return (int)(LENGTH_BYTES + follows);
}
