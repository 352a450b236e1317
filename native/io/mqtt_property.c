/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_property.h. */
#include "io/mqtt_property.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "io/mqtt_text.h"

/* A length and so many bytes at `at`: where they end, 0 where they do not. */
static size_t take_data(const uint8_t *bytes, size_t len, size_t at, const char **data,
                        uint16_t *data_len) {
  if (len < at + 2) return 0;
  *data_len = bb_get_be16(bytes + at);
  *data = (const char *)bytes + at + 2;
  return *data_len <= len - at - 2 ? at + 2 + *data_len : 0;
}

int bb_mqtt_property_next(const uint8_t *bytes, size_t len, bb_mqtt_property *out) {
  size_t end = 0;
  if (len == 0) return 0;
  *out = (bb_mqtt_property){.code = (bb_mqtt_property_code)bytes[0]};
  switch (bytes[0]) {
  case BB_MQTT_PROPERTY_IS_TEXT:
    if (len < 2) break;
    out->number = bytes[1];
    end = 2;
    break;
  case BB_MQTT_PROPERTY_EXPIRY:
    if (len < 5) break;
    out->number = bb_get_be32(bytes + 1);
    end = 5;
    break;
  case BB_MQTT_PROPERTY_CONTENT_TYPE:
  case BB_MQTT_PROPERTY_RESPONSE_TOPIC:
  case BB_MQTT_PROPERTY_CORRELATION:
    end = take_data(bytes, len, 1, &out->data, &out->len);
    break;
  case BB_MQTT_PROPERTY_USER:
    end = take_data(bytes, len, 1, &out->data, &out->len);
    if (end > 0) end = take_data(bytes, len, end, &out->value, &out->value_len);
    break;
  default:
    break;
  }
  return end > 0 ? (int)end : BB_ERR_FORMAT;
}

static const char *fault_of(const bb_mqtt_property *property) {
  switch (property->code) {
  case BB_MQTT_PROPERTY_IS_TEXT:
    return property->number > 1 ? "its payload is said to be neither text nor bytes" : NULL;
  case BB_MQTT_PROPERTY_CONTENT_TYPE:
    return bb_mqtt_text_is_sound(property->data, property->len)
               ? NULL
               : "its content type is no text without control characters";
  case BB_MQTT_PROPERTY_RESPONSE_TOPIC:
    return bb_mqtt_text_is_topic(property->data, property->len)
               ? NULL
               : "its response topic cannot be published to";
  case BB_MQTT_PROPERTY_USER:
    return bb_mqtt_text_is_sound(property->data, property->len) &&
                   bb_mqtt_text_is_sound(property->value, property->value_len)
               ? NULL
               : "a user property is no text without control characters";
  default:
    return NULL;
  }
}

const char *bb_mqtt_property_fault(const uint8_t *bytes, size_t len) {
  bb_mqtt_property property;
  uint64_t seen = 0;
  int used;
  if (len > BB_MQTT_PROPERTIES_MAX) return "they are too long; at most 8192 bytes";
  for (; (used = bb_mqtt_property_next(bytes, len, &property)) > 0; bytes += used) {
    uint64_t bit = 1ull << property.code;
    if (property.code != BB_MQTT_PROPERTY_USER && (seen & bit) != 0) return "one is there twice";
    seen |= bit;
    const char *fault = fault_of(&property);
    if (fault != NULL) return fault;
    len -= (size_t)used;
  }
  return used == 0 ? NULL : "they are malformed";
}

int bb_mqtt_property_age(uint8_t *bytes, size_t len, uint64_t waited_s, uint32_t *interval_s) {
  bb_mqtt_property property;
  for (int used; (used = bb_mqtt_property_next(bytes, len, &property)) > 0; bytes += used) {
    len -= (size_t)used;
    if (property.code != BB_MQTT_PROPERTY_EXPIRY) continue;
    *interval_s = property.number;
    if (waited_s > property.number) return BB_ERR_TIMEOUT;
    bb_put_be32(bytes + 1, property.number - (uint32_t)waited_s);
  }
  return 0;
}
