/* SPDX-License-Identifier: Apache-2.0 */
/* The URL of a broker: mqtt://broker, mqtts://10.0.0.5:8883, mqtt://[fd00::5]:1883. */
#ifndef BB_SINKS_MQTT_URL_H
#define BB_SINKS_MQTT_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BB_MQTT_MAX_HOST 253 /* RFC 1035, 2.3.4, as text */

typedef struct bb_mqtt_url {
  bool tls;
  uint16_t port;                   /* 1883, or 8883 with TLS, where none is given */
  char host[BB_MQTT_MAX_HOST + 1]; /* without brackets */
} bb_mqtt_url;

/* 0, or BB_ERR_FORMAT with a sentence in `why`: what is wrong; what is allowed. */
int bb_mqtt_url_parse(bb_mqtt_url *url, const char *text, char *why, size_t why_cap);

#endif
