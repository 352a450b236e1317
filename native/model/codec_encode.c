/* SPDX-License-Identifier: Apache-2.0 */
/* Value to raw; see codec.h. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "model/codec_wire.h"

/* Holds each value of int64 and uint64, and its negative. */
__extension__ typedef __int128 wide;

static bool is_allowed(const bb_codec *codec, double value) {
  return isfinite(value) && bb_wire_is_valid(codec, value);
}

/* (value - offset) / scale. */
static double unscale(const bb_codec *codec, double value, int32_t power) {
  int exponent = codec->scale.exponent + power;
  double factor = bb_decimal_double((bb_decimal){1, exponent < 0 ? -exponent : exponent});
  if (codec->offset.digits != 0) value -= bb_decimal_double(codec->offset);
  value = exponent < 0 ? value * factor : value / factor;
  return value / (double)codec->scale.digits;
}

static int encode_float(const bb_codec *codec, double value, int32_t power, uint64_t *bits) {
  if (!is_allowed(codec, value)) return BB_ERR_RANGE;
  if (codec->scaled) value = unscale(codec, value, power);
  if (codec->negate) value = 0 - value;
  if (codec->raw == BB_RAW_F32) {
    float single = (float)value;
    uint32_t single_bits;
    if (!isfinite(single)) return BB_ERR_RANGE;
    memcpy(&single_bits, &single, sizeof(single_bits));
    *bits = single_bits;
    return 0;
  }
  if (!isfinite(value)) return BB_ERR_RANGE;
  memcpy(bits, &value, sizeof(*bits));
  return 0;
}

/* The whole number that the device has to hold, before its own range is looked at. */
static int to_whole(const bb_codec *codec, bb_value value, int32_t power, wide *out) {
  bb_type type = bb_codec_type(codec);
  if (codec->scaled) {
    double number = bb_value_double(value);
    if (!is_allowed(codec, number)) return BB_ERR_RANGE;
    number = round(unscale(codec, number, power));
    if (!(fabs(number) < 0x1p65)) return BB_ERR_RANGE;
    *out = (wide)number;
  } else {
    int err = bb_value_convert(value, type, &value);
    if (err < 0) return err;
    if (!is_allowed(codec, bb_value_double(value))) return BB_ERR_RANGE;
    *out = bb_type_is_signed(type) ? (wide)value.v.i : (wide)value.v.u;
  }
  if (codec->negate) *out = -*out;
  return 0;
}

static uint64_t to_bcd(uint64_t value) {
  uint64_t bits = 0;
  for (unsigned shift = 0; value > 0; shift += 4) {
    bits |= value % 10 << shift;
    value /= 10;
  }
  return bits;
}

static int encode_integer(const bb_codec *codec, bb_value value, int32_t power, uint64_t *bits) {
  unsigned width = codec->bits > 0 ? codec->bits : bb_wire_bits[codec->raw];
  wide low = 0, high = ((wide)1 << width) - 1, whole;
  bool is_bcd = false;
  switch (codec->raw) {
  case BB_RAW_I8:
  case BB_RAW_I16:
  case BB_RAW_I32:
  case BB_RAW_I64:
    low = -((wide)1 << (width - 1));
    high = -low - 1;
    break;
  case BB_RAW_BCD16:
  case BB_RAW_BCD32:
  case BB_RAW_BCD64:
    is_bcd = true;
    for (high = 1; width > 0; width -= 4) high *= 10;
    high--;
    break;
  default:
    break;
  }
  int err = to_whole(codec, value, power, &whole);
  if (err < 0) return err;
  if (whole < low || whole > high) return BB_ERR_RANGE;
  *bits = is_bcd ? to_bcd((uint64_t)whole) : (uint64_t)whole;
  return 0;
}

static int encode_bit(bb_value value, uint64_t *bits) {
  int err = bb_value_convert(value, BB_TYPE_BOOL, &value);
  if (err == 0) *bits = value.v.b;
  return err;
}

static int encode_bits(const bb_codec *codec, bb_value value, int32_t power, uint64_t *bits) {
  if (value.type == BB_TYPE_TEXT) return BB_ERR_TYPE;
  switch (codec->raw) {
  case BB_RAW_BIT:
    return encode_bit(value, bits);
  case BB_RAW_F32:
  case BB_RAW_F64:
    return encode_float(codec, bb_value_double(value), power, bits);
  default:
    return encode_integer(codec, value, power, bits);
  }
}

int bb_codec_encode(const bb_codec *codec, bb_value value, int32_t power, uint8_t *raw) {
  uint64_t bits = 0;
  if (codec->raw == BB_RAW_TEXT) return bb_wire_put_text(codec, value, raw);
  if (!bb_wire_has_power(codec, power)) return BB_ERR_INVALID;
  int err = encode_bits(codec, value, power, &bits);
  if (err < 0) return err;
  bb_wire_part part = bb_wire_part_of(codec);
  bits &= part.mask;
  if (bb_wire_is_sentinel(codec, bits)) return BB_ERR_INVALID;
  uint64_t word = bb_wire_word(codec, raw);
  word = (word & ~(part.mask << part.shift)) | bits << part.shift;
  unsigned bytes = bb_wire_bytes(codec);
  if (bytes == 1) {
    raw[0] = (uint8_t)word;
  } else {
    bb_wire_put(raw, bytes, codec->order, word);
  }
  return 0;
}
