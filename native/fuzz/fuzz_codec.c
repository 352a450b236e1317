/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any codec that a profile can describe, on any raw bytes: what is good is a value of the codec's
 * type and range, texts are UTF-8, a refused value leaves the slot alone, and an unscaled value
 * written back gives the same raw bytes. The input is the codec's fields, the power, then raw bytes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "model/codec.h"
#include "model/quality.h"

#define HEAD 24

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void require(bool condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

static bool is_unsigned(bb_raw raw) {
  return raw == BB_RAW_U8 || raw == BB_RAW_U16 || raw == BB_RAW_U32 || raw == BB_RAW_U64;
}

static uint16_t raw_bytes(bb_raw raw, uint8_t choice) {
  unsigned width = bb_raw_bits(raw);
  if (raw == BB_RAW_TEXT) return (uint16_t)(choice % BB_MAX_STRING_VALUE + 1);
  if (width >= 16) return (uint16_t)(width / 8);
  return choice % 2 == 0 ? 2 : 1;
}

static bb_codec make_codec(const uint8_t *in) {
  bb_codec codec = {.raw = (bb_raw)(in[0] % BB_RAW_COUNT), .order = (bb_order)(in[1] % 4)};
  bool is_number = codec.raw != BB_RAW_BIT && codec.raw != BB_RAW_TEXT;
  unsigned width = bb_raw_bits(codec.raw);
  codec.raw_bytes = raw_bytes(codec.raw, in[2]);
  codec.high_byte = in[3] & 1;
  codec.scale = (bb_decimal){1 + in[4], (int8_t)in[5] % 30};
  codec.offset = (bb_decimal){(int8_t)in[6], in[6] != 0 ? (int8_t)in[7] % 30 : 0};
  if (codec.raw == BB_RAW_BIT) codec.bit = (uint8_t)(in[8] % (8u * codec.raw_bytes));
  if (is_unsigned(codec.raw) && (in[3] & 2) != 0) {
    codec.bit = (uint8_t)(in[8] % width);
    codec.bits = (uint8_t)(1 + in[9] % (width - codec.bit));
  }
  if (!is_number) return codec;
  codec.scaled = in[3] >> 2 & 1;
  codec.negate = in[3] >> 3 & 1;
  codec.has_valid = in[3] >> 4 & 3;
  codec.valid_min = (double)(int8_t)in[10];
  codec.valid_max = (double)bb_get_le32(in + 11);
  codec.n_sentinels = in[15] % (BB_CODEC_SENTINELS + 1);
  for (int i = 0; i < BB_CODEC_SENTINELS; i++) codec.sentinels[i] = in[16 + i];
  return codec;
}

static void check_text(bb_value value, unsigned size) {
  require(value.v.text.len < size, "the text fits the slot");
  for (size_t at = 0; at < value.v.text.len;) {
    unsigned n = bb_utf8_length(value.v.text.bytes + at, value.v.text.len - at);
    require(n > 0, "the text is UTF-8");
    at += n;
  }
}

static void check_good(const bb_codec *codec, bb_value value, unsigned size) {
  if (value.type == BB_TYPE_TEXT) {
    check_text(value, size);
    return;
  }
  double d = bb_value_double(value);
  require(isfinite(d), "the value is finite");
  require((codec->has_valid & 1) == 0 || d >= codec->valid_min, "not below the valid range");
  require((codec->has_valid & 2) == 0 || d <= codec->valid_max, "not above the valid range");
}

static void check_back(const bb_codec *codec, bb_value value, int32_t power, const uint8_t *raw) {
  uint8_t written[BB_MAX_STRING_VALUE];
  memcpy(written, raw, codec->raw_bytes);
  int err = bb_codec_encode(codec, value, power, written);
  if (codec->scaled || codec->raw == BB_RAW_TEXT) return;
  /* A negated 0 has lost its sign. */
  if (codec->negate && bb_value_double(value) == 0) return;
  require(err == 0, "what was read can be written");
  require(memcmp(written, raw, codec->raw_bytes) == 0, "and gives the same raw bytes");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < HEAD) return 0;
  bb_codec codec = make_codec(bytes);
  int32_t power = (int32_t)bb_get_le32(bytes + 20);
  /* In memory of their own, so that each byte too far is seen. */
  unsigned size = bb_codec_slot(&codec);
  uint8_t *raw = calloc(1, codec.raw_bytes), *slot = malloc(size), *before = malloc(size);
  if (raw == NULL || slot == NULL || before == NULL) abort();
  len -= HEAD;
  memcpy(raw, bytes + HEAD, len < codec.raw_bytes ? len : codec.raw_bytes);
  memset(slot, 0xEE, size);
  memset(before, 0xEE, size);
  uint8_t quality = bb_codec_decode(&codec, raw, power, slot, size);
  if (quality == BB_QUALITY_GOOD) {
    bb_value value = bb_value_load(bb_codec_type(&codec), slot);
    check_good(&codec, value, size);
    check_back(&codec, value, power, raw);
  } else {
    require(bb_quality_class(quality) == BB_QUALITY_BAD, "good or bad");
    require(memcmp(slot, before, size) == 0, "a bad value leaves the slot alone");
  }
  free(raw);
  free(slot);
  free(before);
  return 0;
}
