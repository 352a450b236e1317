/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_reason.h and mqtt.h. */
#include "io/mqtt_reason.h"

#include <stddef.h>

#include "io/mqtt.h"

enum { LASTING = 1, FINAL = 2 };

static const struct {
  uint8_t code;
  uint8_t flags;
  const char *text;
} reasons[] = {
    {16, 0, "no subscriber"},
    {128, 0, "unspecified error"},
    {129, 0, "malformed packet"},
    {130, 0, "protocol error"},
    {131, 0, "an error of the broker's own"},
    {132, LASTING, "this version of MQTT is not supported"},
    {133, LASTING, "the client id is not allowed"},
    {134, LASTING, "bad user name or password"},
    {135, LASTING, "not authorized"},
    {136, 0, "the server is unavailable"},
    {137, 0, "the server is busy"},
    {138, LASTING, "banned"},
    {139, 0, "the server is shutting down"},
    {140, LASTING, "bad authentication method"},
    {141, 0, "keep alive ran out"},
    {142, 0, "another client came with the same client id"},
    {144, LASTING | FINAL, "topic name invalid"},
    {145, 0, "packet identifier in use"},
    {146, 0, "packet identifier not found"},
    {147, 0, "more in flight than allowed"},
    {148, 0, "topic alias invalid"},
    {149, LASTING | FINAL, "packet too large"},
    {150, 0, "message rate too high"},
    {151, 0, "quota exceeded"},
    {152, 0, "ended by an administrator"},
    {153, LASTING | FINAL, "payload format invalid"},
    {154, LASTING, "retained messages are not supported"},
    {155, LASTING, "this QoS is not supported"},
    {156, LASTING, "another server is to be used"},
    {157, LASTING, "the server has moved"},
    {159, 0, "too many connections in a short time"},
    {160, 0, "longest time of a connection reached"},
};

/* As reason codes of MQTT 5, which say the same. */
static uint8_t translate(uint8_t return_code) {
  static const uint8_t codes[] = {0, 132, 133, 136, 134, 135};
  return return_code < sizeof(codes) ? codes[return_code] : return_code;
}

static const char *find(uint8_t code, uint8_t *flags) {
  for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
    if (reasons[i].code != code) continue;
    *flags = reasons[i].flags;
    return reasons[i].text;
  }
  *flags = 0;
  return "a reason that MQTT does not define";
}

const char *bb_mqtt_reason_text(uint8_t reason) {
  uint8_t flags;
  return find(reason, &flags);
}

bool bb_mqtt_reason_final(uint8_t reason) {
  uint8_t flags;
  find(reason, &flags);
  return (flags & FINAL) != 0;
}

const char *bb_mqtt_connack_text(uint8_t code) {
  uint8_t flags;
  return find(translate(code), &flags);
}

bool bb_mqtt_connack_lasting(uint8_t code) {
  uint8_t flags;
  find(translate(code), &flags);
  return (flags & LASTING) != 0;
}
