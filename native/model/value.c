/* SPDX-License-Identifier: Apache-2.0 */
/* See value.h. */
#include "model/value.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

bb_value bb_value_load(bb_type type, const uint8_t *slot) {
  bb_value value = {.type = type};
  uint32_t word;
  uint64_t words;
  switch (type) {
  case BB_TYPE_BOOL:
    value.v.b = slot[0] != 0;
    break;
  case BB_TYPE_I8:
    value.v.i = (int8_t)slot[0];
    break;
  case BB_TYPE_U8:
    value.v.u = slot[0];
    break;
  case BB_TYPE_I16:
    value.v.i = (int16_t)bb_get_le16(slot);
    break;
  case BB_TYPE_U16:
    value.v.u = bb_get_le16(slot);
    break;
  case BB_TYPE_I32:
    value.v.i = (int32_t)bb_get_le32(slot);
    break;
  case BB_TYPE_U32:
    value.v.u = bb_get_le32(slot);
    break;
  case BB_TYPE_I64:
    value.v.i = (int64_t)bb_get_le64(slot);
    break;
  case BB_TYPE_U64:
    value.v.u = bb_get_le64(slot);
    break;
  case BB_TYPE_F32:
    word = bb_get_le32(slot);
    memcpy(&value.v.f, &word, 4);
    break;
  case BB_TYPE_F64:
    words = bb_get_le64(slot);
    memcpy(&value.v.d, &words, 8);
    break;
  case BB_TYPE_TEXT:
    value.v.text.len = slot[0];
    value.v.text.bytes = (const char *)slot + 1;
    break;
  }
  return value;
}

/* The length at which a text fits without a torn character; what is not UTF-8 is cut anywhere. */
static unsigned cut(const char *bytes, unsigned len, unsigned room) {
  if (len <= room) return len;
  for (unsigned back = 0; back < 4 && back <= room; back++) {
    if (((unsigned char)bytes[room - back] & 0xC0) != 0x80) return room - back;
  }
  return room;
}

void bb_value_store(bb_value value, uint8_t *slot, unsigned size) {
  uint32_t word;
  uint64_t words;
  switch (value.type) {
  case BB_TYPE_BOOL:
    slot[0] = value.v.b;
    break;
  case BB_TYPE_I8:
  case BB_TYPE_U8:
    slot[0] = (uint8_t)value.v.u;
    break;
  case BB_TYPE_I16:
  case BB_TYPE_U16:
    bb_put_le16(slot, (uint16_t)value.v.u);
    break;
  case BB_TYPE_I32:
  case BB_TYPE_U32:
    bb_put_le32(slot, (uint32_t)value.v.u);
    break;
  case BB_TYPE_I64:
  case BB_TYPE_U64:
    bb_put_le64(slot, value.v.u);
    break;
  case BB_TYPE_F32:
    memcpy(&word, &value.v.f, 4);
    bb_put_le32(slot, word);
    break;
  case BB_TYPE_F64:
    memcpy(&words, &value.v.d, 8);
    bb_put_le64(slot, words);
    break;
  case BB_TYPE_TEXT:
    slot[0] = (uint8_t)cut(value.v.text.bytes, value.v.text.len, size - 1);
    if (slot[0] > 0) memcpy(slot + 1, value.v.text.bytes, slot[0]);
    memset(slot + 1 + slot[0], 0, size - 1 - slot[0]);
    break;
  }
}

double bb_value_double(bb_value value) {
  if (value.type == BB_TYPE_TEXT) return (double)NAN;
  if (value.type == BB_TYPE_BOOL) return value.v.b;
  if (value.type == BB_TYPE_F32) return (double)value.v.f;
  if (value.type == BB_TYPE_F64) return value.v.d;
  return bb_type_is_signed(value.type) ? (double)value.v.i : (double)value.v.u;
}

int bb_value_compare(bb_value a, bb_value b) {
  if (bb_type_is_signed(a.type) && !bb_type_is_float(a.type)) {
    return (a.v.i > b.v.i) - (a.v.i < b.v.i);
  }
  if (!bb_type_is_float(a.type)) return (a.v.u > b.v.u) - (a.v.u < b.v.u);
  double x = bb_value_double(a), y = bb_value_double(b);
  if (isnan(x) || isnan(y)) return isnan(x) - isnan(y);
  return (x > y) - (x < y);
}

static int to_integer(bb_value value, bb_type type, bb_value *out) {
  unsigned bits = 8 * bb_type_size(type);
  bool is_signed = bb_type_is_signed(type);
  int64_t low = is_signed ? (int64_t)(INT64_MIN >> (64 - bits)) : 0;
  uint64_t high = UINT64_MAX >> (64 - bits + is_signed);
  *out = (bb_value){.type = type};
  if (bb_type_is_float(value.type)) {
    double d = bb_value_double(value);
    /* 2^63 and 2^64 themselves are out of range, hence the strict comparison there. */
    if (!(d >= (double)low) || !(d <= (double)high) || d != floor(d)) return BB_ERR_RANGE;
    if (high > (uint64_t)1 << 53 && d >= (double)high) return BB_ERR_RANGE;
    if (is_signed) {
      out->v.i = (int64_t)d;
    } else {
      out->v.u = (uint64_t)d;
    }
    return 0;
  }
  bool negative = bb_type_is_signed(value.type) && value.v.i < 0;
  uint64_t whole = value.type == BB_TYPE_BOOL ? value.v.b : value.v.u;
  if (negative ? value.v.i < low : whole > high) return BB_ERR_RANGE;
  out->v.u = whole;
  return 0;
}

int bb_value_convert(bb_value value, bb_type type, bb_value *out) {
  if (value.type == type) {
    *out = value;
    return 0;
  }
  if (value.type == BB_TYPE_TEXT || type == BB_TYPE_TEXT) return BB_ERR_TYPE;
  double d = bb_value_double(value);
  if (bb_type_is_integer(type)) return to_integer(value, type, out);
  *out = (bb_value){.type = type};
  if (type == BB_TYPE_F64) {
    out->v.d = d;
  } else if (type == BB_TYPE_F32) {
    out->v.f = (float)d;
    if (isinf(out->v.f) && !isinf(d)) return BB_ERR_RANGE;
  } else {
    if (d != 0 && d != 1) return BB_ERR_RANGE;
    out->v.b = d == 1;
  }
  return 0;
}
