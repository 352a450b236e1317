/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_text.h. */
#include "io/mqtt_text.h"

#include <string.h>

#include "base/text.h"

static bool is_noncharacter(const unsigned char *c, unsigned len) {
  if (len == 3 && c[0] == 0xef) {
    return (c[1] == 0xb7 && c[2] >= 0x90 && c[2] <= 0xaf) || (c[1] == 0xbf && c[2] >= 0xbe);
  }
  return len == 4 && (c[1] & 0x0f) == 0x0f && c[2] == 0xbf && c[3] >= 0xbe;
}

bool bb_mqtt_text_allows(const char *character, unsigned len) {
  const unsigned char *c = (const unsigned char *)character;
  if (len == 0 || c[0] < 0x20 || c[0] == 0x7f) return false;
  if (len == 2 && c[0] == 0xc2 && c[1] < 0xa0) return false; /* U+0080 to U+009F */
  return !is_noncharacter(c, len);
}

bool bb_mqtt_text_is_sound(const char *text, size_t len) {
  while (len > 0) {
    unsigned bytes = bb_text_utf8(text, len);
    if (!bb_mqtt_text_allows(text, bytes)) return false;
    text += bytes;
    len -= bytes;
  }
  return true;
}

bool bb_mqtt_text_is_topic(const char *text, size_t len) {
  return len > 0 && memchr(text, '+', len) == NULL && memchr(text, '#', len) == NULL &&
         bb_mqtt_text_is_sound(text, len);
}
