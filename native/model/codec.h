/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the bytes of one point become its value and the reverse. Pure.
 *
 * Order of work when reading: bytes by word order, bit field, sentinels, sign, scale and offset
 * (exact in decimal), valid range. An integer with a scale or an offset becomes a float64; a
 * float32 with one stays a float32. A negated integer without a scale becomes the next larger
 * signed integer, in which all its values have their counterparts (64 bits stay 64).
 */
#ifndef BB_MODEL_CODEC_H
#define BB_MODEL_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"
#include "model/type.h"
#include "model/value.h"

/* What stands on the wire. */
typedef enum bb_raw {
  BB_RAW_BIT, /* a coil, a discrete input, or one bit of a register */
  BB_RAW_I8,
  BB_RAW_U8,
  BB_RAW_I16,
  BB_RAW_U16,
  BB_RAW_I32,
  BB_RAW_U32,
  BB_RAW_I64,
  BB_RAW_U64,
  BB_RAW_F32,
  BB_RAW_F64,
  BB_RAW_BCD16, /* four decimal digits */
  BB_RAW_BCD32,
  BB_RAW_BCD64,
  BB_RAW_TEXT, /* two characters a register, high byte first unless the order swaps bytes */
} bb_raw;

#define BB_RAW_COUNT 15

/* The word order of values of more than one register, named by where the bytes A (most significant)
 * to D stand. With 64 bits: ABCDEFGH, GHEFCDAB, BADCFEHG, HGFEDCBA. With 16: AB, AB, BA, BA. */
typedef enum bb_order { BB_ORDER_ABCD, BB_ORDER_CDAB, BB_ORDER_BADC, BB_ORDER_DCBA } bb_order;

#define BB_ORDER_COUNT 4

#define BB_CODEC_SENTINELS 4

/* All zero but raw and raw_bytes: the value as it stands, in order ABCD. */
typedef struct bb_codec {
  bb_raw raw;
  bb_order order;
  uint8_t high_byte; /* an 8-bit value lies in the register's high byte, not its low one */
  uint8_t bit;       /* first bit of a bit or bit field; of a coil 0..7 of the byte passed in */
  uint8_t bits;      /* width of a bit field of an unsigned integer; 0: the whole */
  uint8_t scaled;    /* scale, offset or scale_from are to be applied */
  uint8_t negate;    /* the device counts the other way */
  uint8_t n_sentinels;
  uint8_t has_valid;  /* bit 0: valid_min, bit 1: valid_max */
  uint16_t raw_bytes; /* on the wire: 2 a register; 1 for a coil or a byte of an assembly */
  bb_decimal scale;   /* not 0; 1 without one. Read only if `scaled` is set */
  bb_decimal offset;  /* read only if `scaled` is set */
  uint64_t sentinels[BB_CODEC_SENTINELS]; /* bits in order ABCD, after the bit field is taken out,
                                             that mean "not available" */
  double valid_min, valid_max;            /* of the value, after scaling */
} bb_codec;

/* The type of the value that this codec gives. */
bb_type bb_codec_type(const bb_codec *codec);

/* Bytes of a slot for that value: of a text, room for what its raw bytes can become. */
uint16_t bb_codec_slot(const bb_codec *codec);

/* Bits of a value of that raw type; 0 for text. */
unsigned bb_raw_bits(bb_raw raw);

/* Power for a codec without scale_from, and for one whose scale factor is not available. */
#define BB_POWER_NONE 0
#define BB_POWER_MISSING INT32_MIN
#define BB_POWER_MAX 300 /* a larger one, either way, counts as not available */

/*
 * Reads `raw` (codec->raw_bytes of it) into the slot of `size` bytes. Returns the sample's quality;
 * the slot is written only when that has a value. `power` is added to the scale's exponent.
 *
 * BAD, with the cause in brackets: a sentinel, a text of NUL or 0xFF alone [not available]; NaN,
 * infinity [not a number]; no power, or an absurd one [no scale]; a BCD digit above 9 [format];
 * outside the valid range or of what the type holds [out of range].
 *
 * A text loses what follows its first NUL, then trailing spaces. It leaves as UTF-8: bytes from
 * 0x80 on that are none are taken for Latin-1. Too long for its slot, it is cut at a character.
 */
uint8_t bb_codec_decode(const bb_codec *codec, const uint8_t *raw, int32_t power, uint8_t *slot,
                        unsigned size);

/*
 * The reverse, for writes: value to raw. `raw` holds what the device has now where the codec covers
 * only a part of it (bit fields, one byte of a register). A scaled value is rounded to the nearest
 * raw one. A text is filled up with NUL, an empty one with spaces. 0, BB_ERR_TYPE, BB_ERR_RANGE
 * (the raw type cannot hold it, outside the valid range, NaN, infinity), BB_ERR_INVALID (it would
 * be read as "not available"; the scale factor is not available). After an error `raw` is as before.
 */
int bb_codec_encode(const bb_codec *codec, bb_value value, int32_t power, uint8_t *raw);

const char *bb_raw_name(bb_raw raw);       /* as written in a profile: "bit", "int16", "bcd32" */
const char *bb_order_name(bb_order order); /* "ABCD" */

#endif
