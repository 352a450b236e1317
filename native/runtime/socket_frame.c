/* SPDX-License-Identifier: Apache-2.0 */
/* See socket_frame.h. */
#include "runtime/socket_frame.h"

#include <assert.h>

#include "base/bytes.h"
#include "base/err.h"

static size_t limit(bb_socket_type type) {
  return type >= BB_SOCKET_FRAMES ? BB_SOCKET_MAX_FRAMES : BB_SOCKET_MAX_JSON;
}

int bb_socket_frame_peek(const uint8_t *bytes, size_t len, bb_socket_frame *out) {
  if (len < BB_SOCKET_HEADER) return 0;
  uint32_t follows = bb_get_le32(bytes);
  uint8_t type = bytes[4];
  if (type < BB_SOCKET_REQUEST || type > BB_SOCKET_PUT || follows < 2) return BB_ERR_FORMAT;
  size_t body = follows - 1u;
  if (body > limit((bb_socket_type)type)) return BB_ERR_LIMIT;
  if (len < BB_SOCKET_HEADER + body) return 0;
  *out = (bb_socket_frame){(bb_socket_type)type, bytes + BB_SOCKET_HEADER, body};
  return (int)(BB_SOCKET_HEADER + body);
}

void bb_socket_frame_put(uint8_t out[BB_SOCKET_HEADER], bb_socket_type type, size_t body_len) {
  assert(body_len > 0 && body_len <= limit(type));
  bb_put_le32(out, (uint32_t)(body_len + 1));
  out[4] = (uint8_t)type;
}
