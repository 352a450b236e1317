/* SPDX-License-Identifier: Apache-2.0 */
/* Text in MQTT (5, 1.5.4; 3.1.1, 1.5.3): UTF-8 without NUL. Brokers may close the connection at control
 * characters and at what are no characters (U+FDD0 to U+FDEF, the last two of each plane), and
 * mosquitto does: all else that waits would wait for ever behind such a message. */
#ifndef BB_IO_MQTT_TEXT_H
#define BB_IO_MQTT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the UTF-8 character of that many bytes may be sent; 0 bytes: it is none. */
bool bb_mqtt_text_allows(const char *character, unsigned len);

/* All of it may be sent. Nothing at all may. */
bool bb_mqtt_text_is_sound(const char *text, size_t len);

/* A text that can be published to (4.7): sound, not empty, without wildcards. */
bool bb_mqtt_text_is_topic(const char *text, size_t len);

#endif
