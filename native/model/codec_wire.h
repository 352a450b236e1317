/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bits of one value among the bytes of its registers. Private to the codec.
 *
 * One function a word order and direction, by shifts, so that alignment and the host's own order
 * do not matter. `bytes` is 2, 4 or 8.
 */
#ifndef BB_MODEL_CODEC_WIRE_H
#define BB_MODEL_CODEC_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/codec.h"

/* Bits of a value of that raw type; 0 for text. */
static const uint8_t bb_wire_bits[BB_RAW_COUNT] = {
    [BB_RAW_BIT] = 1,    [BB_RAW_I8] = 8,     [BB_RAW_U8] = 8,   [BB_RAW_I16] = 16,
    [BB_RAW_U16] = 16,   [BB_RAW_I32] = 32,   [BB_RAW_U32] = 32, [BB_RAW_I64] = 64,
    [BB_RAW_U64] = 64,   [BB_RAW_F32] = 32,   [BB_RAW_F64] = 64, [BB_RAW_BCD16] = 16,
    [BB_RAW_BCD32] = 32, [BB_RAW_BCD64] = 64,
};

static inline uint64_t bb_wire_get_abcd(const uint8_t *p, unsigned bytes) {
  return bytes == 2 ? bb_get_be16(p) : bytes == 4 ? bb_get_be32(p) : bb_get_be64(p);
}

static inline uint64_t bb_wire_get_cdab(const uint8_t *p, unsigned bytes) {
  if (bytes == 2) return bb_get_be16(p);
  uint32_t low = (uint32_t)bb_get_be16(p + 2) << 16 | bb_get_be16(p);
  if (bytes == 4) return low;
  uint32_t high = (uint32_t)bb_get_be16(p + 6) << 16 | bb_get_be16(p + 4);
  return (uint64_t)high << 32 | low;
}

static inline uint64_t bb_wire_get_badc(const uint8_t *p, unsigned bytes) {
  if (bytes == 2) return bb_get_le16(p);
  uint32_t first = (uint32_t)bb_get_le16(p) << 16 | bb_get_le16(p + 2);
  if (bytes == 4) return first;
  uint32_t second = (uint32_t)bb_get_le16(p + 4) << 16 | bb_get_le16(p + 6);
  return (uint64_t)first << 32 | second;
}

static inline uint64_t bb_wire_get_dcba(const uint8_t *p, unsigned bytes) {
  return bytes == 2 ? bb_get_le16(p) : bytes == 4 ? bb_get_le32(p) : bb_get_le64(p);
}

static inline uint64_t bb_wire_get(const uint8_t *p, unsigned bytes, bb_order order) {
  switch (order) {
  case BB_ORDER_CDAB:
    return bb_wire_get_cdab(p, bytes);
  case BB_ORDER_BADC:
    return bb_wire_get_badc(p, bytes);
  case BB_ORDER_DCBA:
    return bb_wire_get_dcba(p, bytes);
  default:
    return bb_wire_get_abcd(p, bytes);
  }
}

static inline void bb_wire_put_abcd(uint8_t *p, unsigned bytes, uint64_t bits) {
  for (unsigned i = 0; i < bytes; i += 2)
    bb_put_be16(p + i, (uint16_t)(bits >> 8 * (bytes - 2 - i)));
}

static inline void bb_wire_put_cdab(uint8_t *p, unsigned bytes, uint64_t bits) {
  for (unsigned i = 0; i < bytes; i += 2) bb_put_be16(p + i, (uint16_t)(bits >> 8 * i));
}

static inline void bb_wire_put_badc(uint8_t *p, unsigned bytes, uint64_t bits) {
  for (unsigned i = 0; i < bytes; i += 2)
    bb_put_le16(p + i, (uint16_t)(bits >> 8 * (bytes - 2 - i)));
}

static inline void bb_wire_put_dcba(uint8_t *p, unsigned bytes, uint64_t bits) {
  for (unsigned i = 0; i < bytes; i += 2) bb_put_le16(p + i, (uint16_t)(bits >> 8 * i));
}

static inline void bb_wire_put(uint8_t *p, unsigned bytes, bb_order order, uint64_t bits) {
  switch (order) {
  case BB_ORDER_CDAB:
    bb_wire_put_cdab(p, bytes, bits);
    return;
  case BB_ORDER_BADC:
    bb_wire_put_badc(p, bytes, bits);
    return;
  case BB_ORDER_DCBA:
    bb_wire_put_dcba(p, bytes, bits);
    return;
  default:
    bb_wire_put_abcd(p, bytes, bits);
  }
}

/* The bytes that bb_wire_get takes for this codec: of a part, those of the register it lies in. */
static inline unsigned bb_wire_bytes(const bb_codec *codec) {
  unsigned bytes = bb_wire_bits[codec->raw] / 8u;
  return codec->raw_bytes == 1 ? 1 : bytes < 2 ? 2 : bytes;
}

/* Where the value's bits lie in that word. */
typedef struct bb_wire_part {
  unsigned shift;
  uint64_t mask; /* before shifting */
} bb_wire_part;

static inline bb_wire_part bb_wire_part_of(const bb_codec *codec) {
  unsigned width = bb_wire_bits[codec->raw];
  bb_wire_part part = {0, UINT64_MAX};
  if (width == 8 && codec->high_byte && codec->raw_bytes > 1) part.shift = 8;
  if (codec->bits > 0 || width == 1) part.shift += codec->bit;
  if (codec->bits > 0) width = codec->bits;
  if (width < 64) part.mask = ((uint64_t)1 << width) - 1;
  return part;
}

static inline uint64_t bb_wire_word(const bb_codec *codec, const uint8_t *raw) {
  unsigned bytes = bb_wire_bytes(codec);
  return bytes == 1 ? raw[0] : bb_wire_get(raw, bytes, codec->order);
}

/* True if the two bytes of each register stand swapped: all that the order means to a text. */
static inline bool bb_wire_swaps_bytes(const bb_codec *codec) {
  return codec->order == BB_ORDER_BADC || codec->order == BB_ORDER_DCBA;
}

static inline bool bb_wire_is_sentinel(const bb_codec *codec, uint64_t bits) {
  for (unsigned i = 0; i < codec->n_sentinels; i++) {
    if (codec->sentinels[i] == bits) return true;
  }
  return false;
}

/* `value` is finite. */
static inline bool bb_wire_is_valid(const bb_codec *codec, double value) {
  if ((codec->has_valid & 1) != 0 && value < codec->valid_min) return false;
  return (codec->has_valid & 2) == 0 || value <= codec->valid_max;
}

static inline bool bb_wire_has_power(const bb_codec *codec, int32_t power) {
  return !codec->scaled || (power <= BB_POWER_MAX && power >= -BB_POWER_MAX);
}

/* Texts, in codec_text.c; contracts as bb_codec_decode and bb_codec_encode. */
uint8_t bb_wire_get_text(const bb_codec *codec, const uint8_t *raw, uint8_t *slot, unsigned size);
int bb_wire_put_text(const bb_codec *codec, bb_value value, uint8_t *raw);

#endif
