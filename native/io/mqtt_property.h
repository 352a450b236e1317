/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The properties of a PUBLISH (MQTT 5, 2.2.2 and 3.3.2.3) as they stand on the wire, without their
 * length in front, each a code and its value:
 *
 *   01  u8            the payload is text: 0 or 1
 *   02  u32           message expiry interval, in seconds
 *   03  u16, text     content type
 *   08  u16, text     response topic
 *   09  u16, bytes    correlation data
 *   26  u16, text, u16, text   a user property: key and value
 *
 * Numbers and lengths are big-endian. Each comes once at most, but for user properties. Topic alias and
 * subscription identifier belong to a connection, not to a message that may wait for another one.
 */
#ifndef BB_IO_MQTT_PROPERTY_H
#define BB_IO_MQTT_PROPERTY_H

#include <stddef.h>
#include <stdint.h>

#define BB_MQTT_PROPERTIES_MAX 8192 /* bytes of one message */

typedef enum bb_mqtt_property_code {
  BB_MQTT_PROPERTY_IS_TEXT = 1,
  BB_MQTT_PROPERTY_EXPIRY = 2,
  BB_MQTT_PROPERTY_CONTENT_TYPE = 3,
  BB_MQTT_PROPERTY_RESPONSE_TOPIC = 8,
  BB_MQTT_PROPERTY_CORRELATION = 9,
  BB_MQTT_PROPERTY_USER = 38,
} bb_mqtt_property_code;

/* A view into the bytes. */
typedef struct bb_mqtt_property {
  bb_mqtt_property_code code;
  uint32_t number;  /* of the first two */
  const char *data; /* of the others; of a user property the key */
  const char *value;
  uint16_t len, value_len;
} bb_mqtt_property;

/* The property that the bytes begin with: its length, 0 at the end, or BB_ERR_FORMAT. */
int bb_mqtt_property_next(const uint8_t *bytes, size_t len, bb_mqtt_property *out);

/* What a broker could object to in all of them together, as the end of a sentence; NULL: nothing. */
const char *bb_mqtt_property_fault(const uint8_t *bytes, size_t len);

/* Takes that many seconds off the expiry interval, if there is one. 0, or BB_ERR_TIMEOUT: it is over,
 * and nothing was changed. `interval_s` becomes what it was. The bytes are sound. */
int bb_mqtt_property_age(uint8_t *bytes, size_t len, uint64_t waited_s, uint32_t *interval_s);

#endif
