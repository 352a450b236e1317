/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the text of a message (BB_BATCH_MESSAGE) holds:
 *
 *   topic, ended by NUL; nothing but the NUL for a sink without topics
 *   with BB_BATCH_PROPERTIES: u16 length, little-endian, and so many bytes of properties
 *   payload
 *
 * What properties mean is the sink's: for MQTT they are those of a PUBLISH as on the wire
 * (io/mqtt_property.h). Example, "1" to the topic t with the content type x:
 *
 *   74 00  04 00  03 00 01 78  31
 */
#ifndef BB_MODEL_MESSAGE_H
#define BB_MODEL_MESSAGE_H

#include "model/batch.h"

#define BB_MESSAGE_MAX_FRAME                                                                       \
  3 /* bytes of the text that are neither topic, properties nor payload */

typedef struct bb_message {
  const char *topic; /* terminated only where it was unpacked */
  const uint8_t *properties;
  const char *payload;
  uint32_t payload_len;
  uint16_t topic_len;
  uint16_t properties_len; /* 0: none */
} bb_message;

/* As views into the batch's text. 0, or BB_ERR_FORMAT: it is not as above. */
int bb_message_unpack(const bb_batch *batch, bb_message *out);

/* Writes the text into `out`, which has room for all three and BB_MESSAGE_MAX_FRAME; its length. The
 * batch needs the flag if there are properties. */
size_t bb_message_pack(const bb_message *message, char *out);

#endif
