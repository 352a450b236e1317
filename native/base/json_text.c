/* SPDX-License-Identifier: Apache-2.0 */
/* See json_text.h. */
#include "base/json_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#define ONES 0x0101010101010101ull
#define TOPS 0x8080808080808080ull

/* Not 0 if one of eight bytes is a control character, a quote, a backslash or no ASCII. A borrow may
 * mark a byte above such a one too, which does no harm. */
static inline uint64_t find_special(uint64_t bytes) {
  uint64_t quote = bytes ^ ONES * '"', backslash = bytes ^ ONES * '\\';
  return (bytes | (bytes - ONES * 0x20) | (quote - ONES) | (backslash - ONES)) & TOPS;
}

static inline bool is_plain(char c) {
  return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* How many bytes at the start stand for themselves. */
static size_t count_plain(const char *text, size_t len) {
  size_t n = 0;
  for (uint64_t bytes; len - n >= sizeof(bytes); n += sizeof(bytes)) {
    memcpy(&bytes, text + n, sizeof(bytes));
    if (find_special(bytes) != 0) break;
  }
  while (n < len && is_plain(text[n])) n++;
  return n;
}

/* The first character, which is not plain: `used` bytes of the text become `len` bytes. */
typedef struct {
  char bytes[BB_JSON_TEXT_MAX];
  unsigned len, used;
} escape;

static escape escape_one(const char *text, size_t len) {
  static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt",
                    digits[] = "0123456789abcdef";
  unsigned char c = (unsigned char)text[0];
  const char *name = c != 0 ? strchr(names, c) : NULL;
  if (name != NULL) return (escape){{'\\', letters[name - names]}, 2, 1};
  if (c < 0x20) return (escape){{'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6, 1};
  escape one = {BB_UTF8_REPLACEMENT, BB_UTF8_REPLACEMENT_BYTES, 1};
  unsigned used = bb_utf8_length(text, len);
  if (used == 0) return one;
  memcpy(one.bytes, text, used);
  one.len = one.used = used;
  return one;
}

size_t bb_json_text_bytes(const char *text, size_t len) {
  size_t bytes = 2, at = 0;
  for (;;) {
    size_t plain = count_plain(text + at, len - at);
    bytes += plain;
    at += plain;
    if (at == len) return bytes;
    escape one = escape_one(text + at, len - at);
    bytes += one.len;
    at += one.used;
  }
}

char *bb_json_text_put(char *out, const char *text, size_t len) {
  size_t at = 0;
  *out++ = '"';
  for (;;) {
    size_t plain = count_plain(text + at, len - at);
    if (plain > 0) memcpy(out, text + at, plain);
    out += plain;
    at += plain;
    if (at == len) break;
    escape one = escape_one(text + at, len - at);
    memcpy(out, one.bytes, one.len);
    out += one.len;
    at += one.used;
  }
  *out++ = '"';
  return out;
}
