/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framing of the control socket, without the socket. A message is
 *
 *   0  u32  length of what follows, little-endian: 1 + the body's
 *   4  u8   type: 1 request, 2 answer, 3 event, 4 frames, 5 put
 *   5       body
 *
 * Requests go from a client to the runtime, answers and events the other way; each is one JSON object
 * (UTF-8). Frames go both ways: one or more frames of model/frame.h, one after the other. A put goes to
 * the runtime (put_frame.h). Example, the event {}:
 *
 *   03 00 00 00  03  7b 7d
 */
#ifndef BB_RUNTIME_SOCKET_FRAME_H
#define BB_RUNTIME_SOCKET_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#define BB_SOCKET_HEADER 5
#define BB_SOCKET_MAX_JSON BB_MAX_DOC_BYTES     /* body of types 1 to 3 */
#define BB_SOCKET_MAX_FRAMES BB_MAX_FRAME_BYTES /* body of types 4 and 5 */

typedef enum bb_socket_type {
  BB_SOCKET_REQUEST = 1,
  BB_SOCKET_ANSWER,
  BB_SOCKET_EVENT,
  BB_SOCKET_FRAMES,
  BB_SOCKET_PUT,
} bb_socket_type;

typedef struct bb_socket_frame {
  bb_socket_type type;
  const uint8_t *body; /* in the bytes that were given */
  size_t len;          /* of the body */
} bb_socket_frame;

/* The message at the start of `bytes`: its whole length; 0 when more bytes are needed; BB_ERR_FORMAT
 * (no such type, no body) or BB_ERR_LIMIT, after which step is lost. */
int bb_socket_frame_peek(const uint8_t *bytes, size_t len, bb_socket_frame *out);

/* Writes a header for a body of that length. */
void bb_socket_frame_put(uint8_t out[BB_SOCKET_HEADER], bb_socket_type type, size_t body_len);

#endif
