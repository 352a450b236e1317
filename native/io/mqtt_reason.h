/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's codes in words: return codes of MQTT 3.1.1 (3.2.2.3), reason codes of 5 (2.4). */
#ifndef BB_IO_MQTT_REASON_H
#define BB_IO_MQTT_REASON_H

#include <stdbool.h>
#include <stdint.h>

/* Why a CONNECT was refused: 1 to 5 of MQTT 3.1.1, 128 and above of MQTT 5. Static storage. */
const char *bb_mqtt_connack_text(uint8_t code);

/* A refusal that lasts until someone mends the configuration, here or at the broker. */
bool bb_mqtt_connack_lasting(uint8_t code);

#endif
