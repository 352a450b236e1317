/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629) in text that comes from elsewhere and may not be what it says it is. */
#ifndef BB_BASE_UTF8_H
#define BB_BASE_UTF8_H

#include <stddef.h>

/* What is written for a byte that belongs to no character: U+FFFD. */
#define BB_UTF8_REPLACEMENT "\xEF\xBF\xBD"
#define BB_UTF8_REPLACEMENT_BYTES 3

/* Bytes of the character that `text` begins with, 1 to 4; 0 when no character begins there (also
 * overlong forms, surrogates, past U+10FFFF, cut off) or len is 0. */
unsigned bb_utf8_length(const char *text, size_t len);

#endif
