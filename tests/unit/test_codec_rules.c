/* SPDX-License-Identifier: Apache-2.0 */
/* The codec's rules on qualities, ranges, types and parts of registers. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "model/codec.h"
#include "model/quality.h"
#include "support/expect.h"

#define BAD(cause) (BB_QUALITY_BAD | BB_CAUSE_##cause)

static void test_codec_tells_what_is_wrong(void **state) {
  (void)state;
  const bb_decimal one = {1, 0}, tenth = {1, -1};
  const struct {
    const char *name;
    bb_codec codec;
    uint8_t raw[8];
    int32_t power;
    int quality;
  } rows[] = {
      {"NaN", {.raw = BB_RAW_F32, .raw_bytes = 4}, {0x7F, 0xC0}, 0, BAD(NOT_A_NUMBER)},
      {"infinity", {.raw = BB_RAW_F32, .raw_bytes = 4}, {0x7F, 0x80}, 0, BAD(NOT_A_NUMBER)},
      {"-infinity", {.raw = BB_RAW_F64, .raw_bytes = 8}, {0xFF, 0xF0}, 0, BAD(NOT_A_NUMBER)},
      {"NaN, CDAB",
       {.raw = BB_RAW_F32, .order = BB_ORDER_CDAB, .raw_bytes = 4},
       {0, 0, 0xFF, 0xC0},
       0,
       BAD(NOT_A_NUMBER)},
      {"NaN, scaled",
       {.raw = BB_RAW_F64, .raw_bytes = 8, .scaled = 1, .scale = tenth},
       {0x7F, 0xF8},
       0,
       BAD(NOT_A_NUMBER)},
      /* SunSpec's marks for what is not implemented */
      {"SunSpec int16",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .n_sentinels = 1, .sentinels = {0x8000}},
       {0x80},
       0,
       BAD(NOT_AVAILABLE)},
      {"SunSpec uint32, second of two, CDAB",
       {.raw = BB_RAW_U32,
        .order = BB_ORDER_CDAB,
        .raw_bytes = 4,
        .n_sentinels = 2,
        .sentinels = {0, 0x80000000}},
       {0, 0, 0x80, 0},
       0,
       BAD(NOT_AVAILABLE)},
      {"sentinel before scaling and before NaN",
       {.raw = BB_RAW_F32,
        .raw_bytes = 4,
        .scaled = 1,
        .scale = tenth,
        .n_sentinels = 1,
        .sentinels = {0x7FC00000}},
       {0x7F, 0xC0},
       0,
       BAD(NOT_AVAILABLE)},
      {"sentinel before a missing scale",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .scaled = 1, .n_sentinels = 1, .sentinels = {0x8000}},
       {0x80},
       BB_POWER_MISSING,
       BAD(NOT_AVAILABLE)},
      {"sentinel of a bit field",
       {.raw = BB_RAW_U16,
        .raw_bytes = 2,
        .bit = 4,
        .bits = 4,
        .n_sentinels = 1,
        .sentinels = {15}},
       {0x12, 0xF3},
       0,
       BAD(NOT_AVAILABLE)},
      {"no scale factor",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .scaled = 1, .scale = one},
       {0, 1},
       BB_POWER_MISSING,
       BAD(NO_SCALE)},
      {"an absurd scale factor",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .scaled = 1, .scale = one},
       {0, 1},
       32767,
       BAD(NO_SCALE)},
      {"BCD digit above 9", {.raw = BB_RAW_BCD16, .raw_bytes = 2}, {0x12, 0x3A}, 0, BAD(FORMAT)},
      {"first BCD digit above 9",
       {.raw = BB_RAW_BCD64, .raw_bytes = 8},
       {0xA0, 0, 0, 0, 0, 0, 0, 1},
       0,
       BAD(FORMAT)},
      {"below the valid range",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .has_valid = 1, .valid_min = 0},
       {0xFF, 0xFF},
       0,
       BAD(OUT_OF_RANGE)},
      {"above it, after scaling",
       {.raw = BB_RAW_U16,
        .raw_bytes = 2,
        .scaled = 1,
        .scale = tenth,
        .has_valid = 2,
        .valid_max = 65},
       {0x02, 0x8B},
       0,
       BAD(OUT_OF_RANGE)},
      {"its limit",
       {.raw = BB_RAW_U16,
        .raw_bytes = 2,
        .scaled = 1,
        .scale = tenth,
        .has_valid = 3,
        .valid_min = 65,
        .valid_max = 65},
       {0x02, 0x8A},
       0,
       BB_QUALITY_GOOD},
      {"negated past int64",
       {.raw = BB_RAW_I64, .raw_bytes = 8, .negate = 1},
       {0x80},
       0,
       BAD(OUT_OF_RANGE)},
      {"scaled past float32",
       {.raw = BB_RAW_F32, .raw_bytes = 4, .scaled = 1, .scale = {1, 10}},
       {0x7F, 0x00},
       0,
       BAD(OUT_OF_RANGE)},
      {"a scale is not asked for its power when there is none",
       {.raw = BB_RAW_I16, .raw_bytes = 2},
       {0, 1},
       BB_POWER_MISSING,
       BB_QUALITY_GOOD},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint8_t slot[8], before[8];
    memset(slot, 0xEE, sizeof(slot));
    memcpy(before, slot, sizeof(slot));
    int quality = bb_codec_decode(&rows[i].codec, rows[i].raw, rows[i].power, slot, sizeof(slot));
    expect_int(rows[i].name, quality, rows[i].quality);
    if (quality != BB_QUALITY_GOOD) expect_bytes(rows[i].name, slot, 8, before, 8);
  }
}

static bb_value of_double(double d) {
  return (bb_value){.type = BB_TYPE_F64, .v = {.d = d}};
}

static void test_codec_refuses_what_the_device_cannot_hold(void **state) {
  (void)state;
  const bb_decimal one = {1, 0}, tenth = {1, -1};
  const struct {
    const char *name;
    bb_codec codec;
    double value;
    int32_t power;
    int err;
  } rows[] = {
      {"int16 low", {.raw = BB_RAW_I16, .raw_bytes = 2}, -32768, 0, 0},
      {"int16 too low", {.raw = BB_RAW_I16, .raw_bytes = 2}, -32769, 0, BB_ERR_RANGE},
      {"uint16 negative", {.raw = BB_RAW_U16, .raw_bytes = 2}, -1, 0, BB_ERR_RANGE},
      {"a fraction", {.raw = BB_RAW_U16, .raw_bytes = 2}, 1.5, 0, BB_ERR_RANGE},
      {"NaN", {.raw = BB_RAW_F32, .raw_bytes = 4}, (double)NAN, 0, BB_ERR_RANGE},
      {"infinity", {.raw = BB_RAW_F64, .raw_bytes = 8}, (double)INFINITY, 0, BB_ERR_RANGE},
      {"NaN, scaled",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .scaled = 1, .scale = tenth},
       (double)NAN,
       0,
       BB_ERR_RANGE},
      {"past float32", {.raw = BB_RAW_F32, .raw_bytes = 4}, 1e39, 0, BB_ERR_RANGE},
      {"uint64 2^64", {.raw = BB_RAW_U64, .raw_bytes = 8}, 0x1p64, 0, BB_ERR_RANGE},
      {"scaled high",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .scaled = 1, .scale = tenth},
       3276.7,
       0,
       0},
      {"scaled too high",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .scaled = 1, .scale = tenth},
       3276.8,
       0,
       BB_ERR_RANGE},
      {"by power",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .scaled = 1, .scale = one},
       327680,
       1,
       BB_ERR_RANGE},
      {"no power",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .scaled = 1, .scale = one},
       1,
       BB_POWER_MISSING,
       BB_ERR_INVALID},
      {"a sentinel",
       {.raw = BB_RAW_U16, .raw_bytes = 2, .n_sentinels = 1, .sentinels = {0xFFFF}},
       65535,
       0,
       BB_ERR_INVALID},
      {"five BCD digits", {.raw = BB_RAW_BCD16, .raw_bytes = 2}, 10000, 0, BB_ERR_RANGE},
      {"bit field", {.raw = BB_RAW_U16, .raw_bytes = 2, .bit = 4, .bits = 3}, 7, 0, 0},
      {"too much for it",
       {.raw = BB_RAW_U16, .raw_bytes = 2, .bit = 4, .bits = 3},
       8,
       0,
       BB_ERR_RANGE},
      {"a bit", {.raw = BB_RAW_BIT, .raw_bytes = 1}, 2, 0, BB_ERR_RANGE},
      {"outside the valid range",
       {.raw = BB_RAW_F32, .raw_bytes = 4, .has_valid = 2, .valid_max = 1},
       1.5,
       0,
       BB_ERR_RANGE},
      {"negated", {.raw = BB_RAW_U16, .raw_bytes = 2, .negate = 1}, 5, 0, BB_ERR_RANGE},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint8_t raw[8] = {0}, before[8] = {0};
    int err = bb_codec_encode(&rows[i].codec, of_double(rows[i].value), rows[i].power, raw);
    expect_int(rows[i].name, err, rows[i].err);
    if (err < 0) expect_bytes(rows[i].name, raw, 8, before, 8);
  }
}

static void test_codec_writes_a_part_only(void **state) {
  (void)state;
  const struct {
    const char *name;
    bb_codec codec;
    double value;
    uint8_t before[4], after[4];
  } rows[] = {
      {"high byte",
       {.raw = BB_RAW_U8, .raw_bytes = 2, .high_byte = 1},
       0x12,
       {0xAA, 0xBB},
       {0x12, 0xBB}},
      {"high byte where bytes are swapped",
       {.raw = BB_RAW_U8, .raw_bytes = 2, .high_byte = 1, .order = BB_ORDER_BADC},
       0x12,
       {0xAA, 0xBB},
       {0xAA, 0x12}},
      {"low byte, signed", {.raw = BB_RAW_I8, .raw_bytes = 2}, -1, {0xAA, 0xBB}, {0xAA, 0xFF}},
      {"bit 15 on", {.raw = BB_RAW_BIT, .raw_bytes = 2, .bit = 15}, 1, {0, 1}, {0x80, 1}},
      {"bit 0 off", {.raw = BB_RAW_BIT, .raw_bytes = 2}, 0, {0xFF, 0xFF}, {0xFF, 0xFE}},
      {"coil 3", {.raw = BB_RAW_BIT, .raw_bytes = 1, .bit = 3}, 1, {0x01}, {0x09}},
      {"bit field",
       {.raw = BB_RAW_U16, .raw_bytes = 2, .bit = 4, .bits = 3},
       5,
       {0xFF, 0xFF},
       {0xFF, 0xDF}},
      {"a byte of an assembly", {.raw = BB_RAW_U8, .raw_bytes = 1}, 7, {1, 2}, {7, 2}},
      {"rounded to the nearest",
       {.raw = BB_RAW_I16, .raw_bytes = 2, .scaled = 1, .scale = {1, -1}},
       230.14,
       {0},
       {0x08, 0xFD}},
      {"not to -0", {.raw = BB_RAW_F32, .raw_bytes = 4, .negate = 1}, 0, {1}, {0}},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint8_t raw[4];
    memcpy(raw, rows[i].before, sizeof(raw));
    expect_int(rows[i].name, bb_codec_encode(&rows[i].codec, of_double(rows[i].value), 0, raw), 0);
    expect_bytes(rows[i].name, raw, 4, rows[i].after, 4);
  }
}

static void test_codec_knows_types_apart(void **state) {
  (void)state;
  bb_codec number = {.raw = BB_RAW_U16, .raw_bytes = 2},
           text = {.raw = BB_RAW_TEXT, .raw_bytes = 4};
  bb_value word = {.type = BB_TYPE_TEXT, .v = {.text = {"ab", 2}}};
  uint8_t raw[4] = {0};
  expect_int("text into a number", bb_codec_encode(&number, word, 0, raw), BB_ERR_TYPE);
  expect_int("number into a text", bb_codec_encode(&text, of_double(1), 0, raw), BB_ERR_TYPE);
  for (int i = 0; i < BB_RAW_COUNT; i++) {
    bb_codec codec = {.raw = (bb_raw)i, .raw_bytes = 8};
    bb_type plain = bb_codec_type(&codec);
    codec.scaled = 1;
    bb_type scaled = bb_codec_type(&codec);
    expect_int(bb_raw_name(codec.raw), scaled, bb_type_is_integer(plain) ? BB_TYPE_F64 : plain);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_codec_tells_what_is_wrong),
      cmocka_unit_test(test_codec_refuses_what_the_device_cannot_hold),
      cmocka_unit_test(test_codec_writes_a_part_only),
      cmocka_unit_test(test_codec_knows_types_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
