/* SPDX-License-Identifier: Apache-2.0 */
/* See utf8.h. */
#include "base/utf8.h"

#include <stdint.h>

/* RFC 3629, section 4: the second byte's range depends on the first, the others are 80..BF. */
static const struct {
  uint8_t first, last; /* of the first byte */
  uint8_t low, high;   /* of the second */
  uint8_t length;
} forms[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

unsigned bb_utf8_length(const char *text, size_t len) {
  const uint8_t *p = (const uint8_t *)text;
  if (len == 0) return 0;
  if (p[0] < 0x80) return 1;
  for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
    if (p[0] < forms[i].first || p[0] > forms[i].last) continue;
    if (len < forms[i].length || p[1] < forms[i].low || p[1] > forms[i].high) return 0;
    for (unsigned k = 2; k < forms[i].length; k++) {
      if ((p[k] & 0xC0) != 0x80) return 0;
    }
    return forms[i].length;
  }
  return 0;
}
