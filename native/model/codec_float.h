/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A float32 that needs nothing but its word order: most values of most polls. Whoever notes that of a
 * point beforehand decodes it here without a look at its codec.
 */
#ifndef BB_MODEL_CODEC_FLOAT_H
#define BB_MODEL_CODEC_FLOAT_H

#include "model/codec_wire.h"
#include "model/quality.h"

#define BB_F32_EXPONENT 0x7F800000u /* all set: infinity or NaN (IEEE 754-2008, 3.4) */

/* True if the bits go into the slot as they are, but for their order. */
static inline bool bb_codec_is_plain(const bb_codec *codec) {
  return (codec->bits | codec->scaled | codec->negate | codec->n_sentinels | codec->has_valid) == 0;
}

/* As bb_codec_decode of a plain float32. */
static inline uint8_t bb_codec_float(bb_order order, const uint8_t *raw, uint8_t *slot) {
  uint32_t bits = (uint32_t)bb_wire_get(raw, 4, order);
  if ((bits & BB_F32_EXPONENT) == BB_F32_EXPONENT) return BB_QUALITY_BAD | BB_CAUSE_NOT_A_NUMBER;
  bb_put_le32(slot, bits);
  return BB_QUALITY_GOOD;
}

#endif
