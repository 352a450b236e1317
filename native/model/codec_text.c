/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in registers; see codec.h. */
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "model/codec_wire.h"
#include "model/quality.h"

/* Each register's two bytes exchanged; an odd last byte stays. */
static void swap_bytes(uint8_t *bytes, size_t len) {
  for (size_t i = 0; i + 1 < len; i += 2) {
    uint8_t first = bytes[i];
    bytes[i] = bytes[i + 1];
    bytes[i + 1] = first;
  }
}

/* True for what a device without a text sends: nothing, or its erased memory. */
static bool is_blank(const uint8_t *bytes, size_t len) {
  if (bytes[0] != 0 && bytes[0] != 0xFF) return false;
  for (size_t i = 1; i < len; i++) {
    if (bytes[i] != bytes[0]) return false;
  }
  return true;
}

/*
 * Bytes of the character at `p` if it is well-formed UTF-8, else 0 (Unicode 15, table 3-7: neither
 * surrogates, nor more than U+10FFFF, nor longer than needed).
 */
static unsigned utf8_len(const uint8_t *p, size_t len) {
  static const struct {
    uint8_t first, last, low, high; /* range of the first byte, and of the second one */
    uint8_t bytes;
  } rows[] = {
      {0x00, 0x7F, 0x00, 0xFF, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
      {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
      {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (p[0] < rows[i].first || p[0] > rows[i].last) continue;
    if (rows[i].bytes == 1) return 1;
    if (rows[i].bytes > len || p[1] < rows[i].low || p[1] > rows[i].high) return 0;
    for (unsigned k = 2; k < rows[i].bytes; k++) {
      if ((p[k] & 0xC0) != 0x80) return 0;
    }
    return rows[i].bytes;
  }
  return 0;
}

/* Returns the bytes written, at most `room`, whole characters only. */
static unsigned to_utf8(const uint8_t *in, size_t len, uint8_t *out, unsigned room) {
  unsigned n = 0;
  for (size_t i = 0; i < len;) {
    unsigned bytes = utf8_len(in + i, len - i);
    unsigned need = bytes > 0 ? bytes : 2;
    if (n + need > room) break;
    if (bytes > 0) {
      memcpy(out + n, in + i, bytes);
    } else {
      out[n] = (uint8_t)(0xC0 | in[i] >> 6);
      out[n + 1] = (uint8_t)(0x80 | (in[i] & 0x3F));
    }
    n += need;
    i += bytes > 0 ? bytes : 1;
  }
  return n;
}

uint8_t bb_wire_get_text(const bb_codec *codec, const uint8_t *raw, uint8_t *slot, unsigned size) {
  uint8_t bytes[BB_MAX_STRING_VALUE];
  size_t len = codec->raw_bytes < sizeof(bytes) ? codec->raw_bytes : sizeof(bytes);
  memcpy(bytes, raw, len);
  if (bb_wire_swaps_bytes(codec)) swap_bytes(bytes, len);
  if (len == 0 || is_blank(bytes, len)) return BB_QUALITY_BAD | BB_CAUSE_NOT_AVAILABLE;
  const uint8_t *end = memchr(bytes, 0, len);
  if (end != NULL) len = (size_t)(end - bytes);
  while (len > 0 && bytes[len - 1] == ' ') len--;
  unsigned room = size - 1 < UINT8_MAX ? size - 1 : UINT8_MAX;
  slot[0] = (uint8_t)to_utf8(bytes, len, slot + 1, room);
  memset(slot + 1 + slot[0], 0, size - 1 - slot[0]);
  return BB_QUALITY_GOOD;
}

int bb_wire_put_text(const bb_codec *codec, bb_value value, uint8_t *raw) {
  const char *text = value.v.text.bytes;
  size_t len = value.v.text.len;
  if (value.type != BB_TYPE_TEXT) return BB_ERR_TYPE;
  if (len > codec->raw_bytes) return BB_ERR_RANGE;
  if (len > 0 && memchr(text, 0, len) != NULL) return BB_ERR_RANGE;
  if (len > 0) memcpy(raw, text, len);
  memset(raw + len, len > 0 ? 0 : ' ', codec->raw_bytes - len);
  if (bb_wire_swaps_bytes(codec)) swap_bytes(raw, codec->raw_bytes);
  return 0;
}
