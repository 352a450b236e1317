/* SPDX-License-Identifier: Apache-2.0 */
/* See codec.h. What follows from the raw type alone; reading and writing stand in files of their
 * own. */
#include "model/codec.h"

#include "base/limits.h"
#include "model/codec_wire.h"

static const struct {
  const char *name;
  uint8_t type;
  uint8_t negated; /* the type when it is negated and not scaled */
} raws[BB_RAW_COUNT] = {
    [BB_RAW_BIT] = {"bit", BB_TYPE_BOOL, BB_TYPE_BOOL},
    [BB_RAW_I8] = {"int8", BB_TYPE_I8, BB_TYPE_I16},
    [BB_RAW_U8] = {"uint8", BB_TYPE_U8, BB_TYPE_I16},
    [BB_RAW_I16] = {"int16", BB_TYPE_I16, BB_TYPE_I32},
    [BB_RAW_U16] = {"uint16", BB_TYPE_U16, BB_TYPE_I32},
    [BB_RAW_I32] = {"int32", BB_TYPE_I32, BB_TYPE_I64},
    [BB_RAW_U32] = {"uint32", BB_TYPE_U32, BB_TYPE_I64},
    [BB_RAW_I64] = {"int64", BB_TYPE_I64, BB_TYPE_I64},
    [BB_RAW_U64] = {"uint64", BB_TYPE_U64, BB_TYPE_I64},
    [BB_RAW_F32] = {"float32", BB_TYPE_F32, BB_TYPE_F32},
    [BB_RAW_F64] = {"float64", BB_TYPE_F64, BB_TYPE_F64},
    [BB_RAW_BCD16] = {"bcd16", BB_TYPE_U16, BB_TYPE_I32},
    [BB_RAW_BCD32] = {"bcd32", BB_TYPE_U32, BB_TYPE_I64},
    [BB_RAW_BCD64] = {"bcd64", BB_TYPE_U64, BB_TYPE_I64},
    [BB_RAW_TEXT] = {"text", BB_TYPE_TEXT, BB_TYPE_TEXT},
};

static const char *const orders[BB_ORDER_COUNT] = {"ABCD", "CDAB", "BADC", "DCBA"};

const char *bb_raw_name(bb_raw raw) {
  return raws[raw].name;
}

const char *bb_order_name(bb_order order) {
  return orders[order];
}

unsigned bb_raw_bits(bb_raw raw) {
  return bb_wire_bits[raw];
}

bb_type bb_codec_type(const bb_codec *codec) {
  bb_type plain = (bb_type)raws[codec->raw].type;
  if (codec->scaled && bb_type_is_integer(plain)) return BB_TYPE_F64;
  return codec->negate ? (bb_type)raws[codec->raw].negated : plain;
}

uint16_t bb_codec_slot(const bb_codec *codec) {
  if (codec->raw != BB_RAW_TEXT) return (uint16_t)bb_type_size(bb_codec_type(codec));
  /* Each Latin-1 character from 0x80 on becomes two bytes. */
  unsigned room = 2u * codec->raw_bytes;
  return (uint16_t)(1 + (room < BB_MAX_STRING_VALUE ? room : BB_MAX_STRING_VALUE));
}
