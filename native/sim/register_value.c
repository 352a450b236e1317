/* SPDX-License-Identifier: Apache-2.0 */
/* See register_value.h. */
#include "sim/register_value.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "model/quality.h"

static bool is_float(bb_raw raw) {
  return raw == BB_RAW_F32 || raw == BB_RAW_F64;
}

int bb_register_put(const bb_profile_point *point, double value, int32_t power, uint8_t *raw) {
  const bb_codec *codec = &point->codec;
  bool whole = !codec->scaled && !is_float(codec->raw);
  if (whole) value = round(value);
  return bb_codec_encode(codec, (bb_value){.type = BB_TYPE_F64, .v.d = value}, power, raw);
}

/* How many different raw values a counter runs through; 0: it never ends. */
static double modulus(const bb_codec *codec) {
  unsigned bits = codec->bits > 0 ? codec->bits : bb_raw_bits(codec->raw);
  switch (codec->raw) {
  case BB_RAW_F32:
  case BB_RAW_F64:
    return 0;
  case BB_RAW_BCD16:
  case BB_RAW_BCD32:
  case BB_RAW_BCD64:
    return pow(10, bits / 4);
  case BB_RAW_I8:
  case BB_RAW_I16:
  case BB_RAW_I32:
  case BB_RAW_I64:
    return ldexp(1, (int)bits - 1);
  default:
    return ldexp(1, (int)bits);
  }
}

int bb_register_put_counter(const bb_profile_point *point, double value, int32_t power,
                            uint8_t *raw) {
  const bb_codec *codec = &point->codec;
  double steps = modulus(codec), step = 1;
  if (codec->scaled) {
    step = bb_decimal_double((bb_decimal){codec->scale.digits, codec->scale.exponent + power});
  }
  if (steps == 0 || !(step > 0)) return bb_register_put(point, value, power, raw);
  return bb_register_put(point, fmod(floor(value / step), steps) * step, power, raw);
}

int bb_register_put_text(const bb_profile_point *point, const char *text, uint8_t *raw) {
  size_t len = strlen(text);
  if (len > point->codec.raw_bytes) len = point->codec.raw_bytes;
  if (len > BB_MAX_STRING_VALUE) len = BB_MAX_STRING_VALUE;
  bb_value value = {.type = BB_TYPE_TEXT, .v.text = {text, (uint8_t)len}};
  return bb_codec_encode(&point->codec, value, BB_POWER_NONE, raw);
}

static int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  int letter = tolower((unsigned char)c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* Exactly the point's bytes in hex, blanks aside. */
static int put_hex(const bb_profile_point *point, const char *text, uint8_t *raw) {
  uint8_t bytes[BB_MAX_STRING_VALUE + 1] = {0};
  size_t n = 0, most = 2u * point->codec.raw_bytes;
  for (; *text != 0; text++) {
    if (*text == ' ') continue;
    int digit = digit_of(*text);
    if (digit < 0 || n == most) return BB_ERR_FORMAT;
    bytes[n / 2] = (uint8_t)(bytes[n / 2] << 4 | digit);
    n++;
  }
  if (n != most) return BB_ERR_FORMAT;
  memcpy(raw, bytes, point->codec.raw_bytes);
  return 0;
}

int bb_register_put_written(const bb_profile_point *point, const char *text, int32_t power,
                            uint8_t *raw) {
  if (strncmp(text, "raw ", 4) == 0) return put_hex(point, text + 4, raw);
  if (point->codec.raw == BB_RAW_TEXT) return bb_register_put_text(point, text, raw);
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end != 0) return BB_ERR_FORMAT;
  return bb_register_put(point, value, power, raw);
}

bool bb_register_accepts(const bb_profile_point *point, int32_t power, const uint8_t *raw) {
  uint8_t slot[BB_MAX_STRING_VALUE + 1];
  const bb_point *p = &point->point;
  if (p->size > sizeof(slot)) return true;
  if (!bb_quality_has_value(bb_codec_decode(&point->codec, raw, power, slot, p->size)))
    return false;
  if (p->type == BB_TYPE_TEXT) return true;
  double value = bb_value_double(bb_value_load(p->type, slot));
  return !(p->has_min && value < p->min) && !(p->has_max && value > p->max);
}
