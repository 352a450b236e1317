/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a "put", by which a client hands over messages for a sink that it made itself:
 *
 *   0  u8   length of the sink's id
 *   1       the id
 *      then messages, each
 *   0  u32  length of what follows, little-endian
 *   4  u32  number of the message, rising within a sink
 *   8  u8   flags: bits 0 and 1 the QoS + 1, 0 for the sink's own; bit 2 retain; bit 3: it has
 *           properties
 *   9  u16  length of the topic (0 for a sink without topics)
 *           with properties: u16 their length
 *   ..      topic, properties and payload
 *
 * Example, "1" to the topic t of the sink a, retained:
 *
 *   01 61  09 00 00 00  01 00 00 00  04  01 00  74 31
 *
 * The same with the content type x as a property of MQTT 5:
 *
 *   01 61  0f 00 00 00  01 00 00 00  0c  01 00  04 00  74  03 00 01 78  31
 *
 * A topic is UTF-8 without NUL. Properties are what the sink takes (model/message.h); protocol 1 of the
 * socket has none.
 */
#ifndef BB_RUNTIME_PUT_FRAME_H
#define BB_RUNTIME_PUT_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "model/message.h"

#define BB_PUT_MAX_MESSAGE 60000 /* bytes of topic, properties and payload together */

typedef struct bb_put_message {
  uint32_t number;
  uint8_t flags; /* as in the body */
  bb_message content;
} bb_put_message;

/* Reads the sink's id into `sink`, terminated. Where the messages begin, or BB_ERR_FORMAT. */
int bb_put_open(const uint8_t *body, size_t len, char sink[BB_MAX_ID + 1]);

/* The message at the start of `bytes`, as a view into them: its whole length; BB_ERR_FORMAT (no step
 * after it), or 0 at the end. */
int bb_put_next(const uint8_t *bytes, size_t len, bb_put_message *out);

#endif
