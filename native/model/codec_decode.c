/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw to value; see codec.h.
 *
 * A poll decodes some sixty values that need no arithmetic at all, so these take a way of their
 * own: the bits by word order, straight into the slot.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "model/codec_float.h"

#define BAD(cause) ((uint8_t)(BB_QUALITY_BAD | BB_CAUSE_##cause))
#define GOOD ((uint8_t)BB_QUALITY_GOOD)

#define F64_EXPONENT 0x7FF0000000000000u

static inline uint8_t plain16(const bb_codec *codec, const uint8_t *raw, uint8_t *slot) {
  bb_put_le16(slot, (uint16_t)bb_wire_get(raw, 2, codec->order));
  return GOOD;
}

static inline uint8_t plain32(const bb_codec *codec, const uint8_t *raw, uint8_t *slot) {
  bb_put_le32(slot, (uint32_t)bb_wire_get(raw, 4, codec->order));
  return GOOD;
}

static inline uint8_t plain64(const bb_codec *codec, const uint8_t *raw, uint8_t *slot) {
  uint64_t bits = bb_wire_get(raw, 8, codec->order);
  if (codec->raw == BB_RAW_F64 && (bits & F64_EXPONENT) == F64_EXPONENT) return BAD(NOT_A_NUMBER);
  bb_put_le64(slot, bits);
  return GOOD;
}

/* Four bits a digit. False if one is above 9. */
static bool from_bcd(uint64_t *bits) {
  uint64_t value = 0;
  for (int shift = 60; shift >= 0; shift -= 4) {
    unsigned digit = (unsigned)(*bits >> shift & 15);
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  *bits = value;
  return true;
}

/* digits × 10^exponent of a decimal as two factors that are exact as far as they can be. */
static double scale_float(double value, const bb_codec *codec, int32_t power) {
  int exponent = codec->scale.exponent + power;
  value *= (double)codec->scale.digits;
  double factor = bb_decimal_double((bb_decimal){1, exponent < 0 ? -exponent : exponent});
  value = exponent < 0 ? value / factor : value * factor;
  return codec->offset.digits == 0 ? value : value + bb_decimal_double(codec->offset);
}

static uint8_t decode_float(const bb_codec *codec, uint64_t bits, int32_t power, uint8_t *slot) {
  bool is_single = codec->raw == BB_RAW_F32;
  uint32_t single_bits = (uint32_t)bits;
  float single;
  double value;
  memcpy(&single, &single_bits, sizeof(single));
  memcpy(&value, &bits, sizeof(value));
  if (is_single) value = (double)single;
  if (!isfinite(value)) return BAD(NOT_A_NUMBER);
  /* Not -value: that would turn 0 into -0. */
  if (codec->negate) value = 0 - value;
  if (codec->scaled) value = scale_float(value, codec, power);
  if (is_single) value = (double)(float)value;
  if (!isfinite(value) || !bb_wire_is_valid(codec, value)) return BAD(OUT_OF_RANGE);
  bb_value out = {.type = is_single ? BB_TYPE_F32 : BB_TYPE_F64};
  if (is_single) {
    out.v.f = (float)value;
  } else {
    out.v.d = value;
  }
  bb_value_store(out, slot, bb_type_size(out.type));
  return GOOD;
}

static int64_t extend_sign(uint64_t bits, unsigned width) {
  uint64_t sign = (uint64_t)1 << (width - 1);
  return (int64_t)((bits ^ sign) - sign);
}

static uint8_t scale_integer(const bb_codec *codec, uint64_t bits, bool is_signed, int32_t power,
                             bb_value *out) {
  bb_decimal scale = codec->scale;
  if (codec->negate) scale.digits = -scale.digits;
  out->v.d = is_signed ? bb_decimal_apply((int64_t)bits, scale, power, codec->offset)
                       : bb_decimal_apply_unsigned(bits, scale, power, codec->offset);
  return isfinite(out->v.d) ? GOOD : BAD(OUT_OF_RANGE);
}

static uint8_t negate_integer(uint64_t bits, bool is_signed, bb_value *out) {
  uint64_t lowest = (uint64_t)1 << 63;
  if (is_signed ? bits == lowest : bits > lowest) return BAD(OUT_OF_RANGE);
  out->v.u = 0 - bits;
  return GOOD;
}

static uint8_t decode_integer(const bb_codec *codec, uint64_t bits, int32_t power, uint8_t *slot) {
  uint8_t quality = GOOD;
  if (codec->raw >= BB_RAW_BCD16 && codec->raw <= BB_RAW_BCD64 && !from_bcd(&bits)) {
    return BAD(FORMAT);
  }
  bool is_signed = codec->raw == BB_RAW_I8 || codec->raw == BB_RAW_I16 ||
                   codec->raw == BB_RAW_I32 || codec->raw == BB_RAW_I64;
  if (is_signed) bits = (uint64_t)extend_sign(bits, bb_wire_bits[codec->raw]);
  bb_value value = {.type = bb_codec_type(codec), .v = {.u = bits}};
  if (codec->scaled) {
    quality = scale_integer(codec, bits, is_signed, power, &value);
  } else if (codec->negate) {
    quality = negate_integer(bits, is_signed, &value);
  }
  if (quality != GOOD) return quality;
  if (codec->has_valid != 0 && !bb_wire_is_valid(codec, bb_value_double(value)))
    return BAD(OUT_OF_RANGE);
  bb_value_store(value, slot, bb_type_size(value.type));
  return GOOD;
}

static uint8_t decode_any(const bb_codec *codec, const uint8_t *raw, int32_t power, uint8_t *slot) {
  bb_wire_part part = bb_wire_part_of(codec);
  uint64_t bits = bb_wire_word(codec, raw) >> part.shift & part.mask;
  if (bb_wire_is_sentinel(codec, bits)) return BAD(NOT_AVAILABLE);
  if (!bb_wire_has_power(codec, power)) return BAD(NO_SCALE);
  switch (codec->raw) {
  case BB_RAW_BIT:
    slot[0] = (uint8_t)bits;
    return GOOD;
  case BB_RAW_F32:
  case BB_RAW_F64:
    return decode_float(codec, bits, power, slot);
  default:
    return decode_integer(codec, bits, power, slot);
  }
}

uint8_t bb_codec_decode(const bb_codec *codec, const uint8_t *raw, int32_t power, uint8_t *slot,
                        unsigned size) {
  if (codec->raw == BB_RAW_TEXT) return bb_wire_get_text(codec, raw, slot, size);
  if (!bb_codec_is_plain(codec)) return decode_any(codec, raw, power, slot);
  switch (codec->raw) {
  case BB_RAW_F32:
    return bb_codec_float(codec->order, raw, slot);
  case BB_RAW_I32:
  case BB_RAW_U32:
    return plain32(codec, raw, slot);
  case BB_RAW_I16:
  case BB_RAW_U16:
    return plain16(codec, raw, slot);
  case BB_RAW_F64:
  case BB_RAW_I64:
  case BB_RAW_U64:
    return plain64(codec, raw, slot);
  default:
    return decode_any(codec, raw, power, slot);
  }
}
