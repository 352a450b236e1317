/* SPDX-License-Identifier: Apache-2.0 */
#include "model/value.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static bb_value boolean(bool b) {
  return (bb_value){.type = BB_TYPE_BOOL, .v.b = b};
}

static bb_value integer(bb_type type, int64_t i) {
  return (bb_value){.type = type, .v.i = i};
}

static bb_value whole(bb_type type, uint64_t u) {
  return (bb_value){.type = type, .v.u = u};
}

static bb_value real32(float f) {
  return (bb_value){.type = BB_TYPE_F32, .v.f = f};
}

static bb_value real64(double d) {
  return (bb_value){.type = BB_TYPE_F64, .v.d = d};
}

static bb_value text_of(const char *bytes, uint8_t len) {
  return (bb_value){.type = BB_TYPE_TEXT, .v.text = {bytes, len}};
}

static void expect_same(const char *row, bb_value a, bb_value b) {
  expect_text(row, bb_type_name(a.type), bb_type_name(b.type));
  if (a.type == BB_TYPE_TEXT) {
    expect_bytes(row, a.v.text.bytes, a.v.text.len, b.v.text.bytes, b.v.text.len);
  } else if (bb_type_is_float(a.type) || a.type == BB_TYPE_BOOL) {
    expect_double(row, bb_value_double(a), bb_value_double(b));
  } else {
    expect_uint(row, a.v.u, b.v.u);
  }
}

/* Slots are little-endian; the floats' bytes are those of IEEE 754. */
static void test_value_slots(void **state) {
  const struct {
    bb_value value;
    uint8_t slot[8];
  } rows[] = {
      {boolean(false), {0}},
      {boolean(true), {1}},
      {integer(BB_TYPE_I8, -128), {0x80}},
      {whole(BB_TYPE_U8, 255), {0xff}},
      {integer(BB_TYPE_I16, -2), {0xfe, 0xff}},
      {whole(BB_TYPE_U16, 0x1234), {0x34, 0x12}},
      {integer(BB_TYPE_I32, INT32_MIN), {0, 0, 0, 0x80}},
      {whole(BB_TYPE_U32, 0x12345678), {0x78, 0x56, 0x34, 0x12}},
      {integer(BB_TYPE_I64, INT64_MIN), {0, 0, 0, 0, 0, 0, 0, 0x80}},
      {whole(BB_TYPE_U64, UINT64_MAX), {255, 255, 255, 255, 255, 255, 255, 255}},
      {real32(1.5f), {0, 0, 0xc0, 0x3f}},
      {real64(-2.0), {0, 0, 0, 0, 0, 0, 0, 0xc0}},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_type type = rows[i].value.type;
    const char *row = bb_type_name(type);
    unsigned size = bb_type_size(type);
    uint8_t slot[9] = {[8] = 0};
    memset(slot, 0xAA, sizeof(slot));
    bb_value_store(rows[i].value, slot, size);
    expect_bytes(row, slot, size, rows[i].slot, size);
    expect_uint(row, slot[size], 0xAA);
    expect_same(row, bb_value_load(type, slot), rows[i].value);
  }
}

static void test_value_store_cuts_a_text_at_a_character(void **state) {
  static const struct {
    const char *text;
    unsigned size;
    const char *expected;
  } rows[] = {
      {"", 4, ""},
      {"abc", 4, "abc"},
      {"abcd", 4, "abc"},
      {"a\xc3\xa9", 4, "a\xc3\xa9"},
      {"ab\xc3\xa9", 4, "ab"},
      {"a\xe2\x82\xac", 4, "a"},
      {"\xf0\x9f\x98\x80", 4, ""},
      {"a\xf0\x9f\x98\x80", 6, "a\xf0\x9f\x98\x80"},
      {"ab\xf0\x9f\x98\x80", 6, "ab"},
      {"\x80\x80\x80\x80\x80\x80\x80", 6, "\x80\x80\x80\x80\x80"},
      {"\xb0\xb1\xb2\xb3", 3, "\xb0\xb1"},
      {"a", 1, ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    uint8_t slot[16];
    memset(slot, 0xAA, sizeof(slot));
    bb_value_store(text_of(rows[i].text, (uint8_t)strlen(rows[i].text)), slot, rows[i].size);
    bb_value back = bb_value_load(BB_TYPE_TEXT, slot);
    size_t len = strlen(rows[i].expected);
    expect_bytes(rows[i].text, back.v.text.bytes, back.v.text.len, rows[i].expected, len);
    for (size_t k = len + 1; k < rows[i].size; k++) expect_uint("rest is zero", slot[k], 0);
    expect_uint("nothing behind the slot", slot[rows[i].size], 0xAA);
  }
  uint8_t slot[4];
  bb_value_store(text_of(NULL, 0), slot, sizeof(slot));
  expect_uint("no text at all", slot[0], 0);
}

static void test_value_load_takes_any_bool(void **state) {
  (void)state;
  uint8_t slot = 2;
  expect_true("2", bb_value_load(BB_TYPE_BOOL, &slot).v.b);
}

static void test_value_convert_refuses(void **state) {
  const struct {
    const char *row;
    bb_value value;
    bb_type type;
    int expected;
  } rows[] = {
      {"text to number", text_of("1", 1), BB_TYPE_I32, BB_ERR_TYPE},
      {"text to bool", text_of("1", 1), BB_TYPE_BOOL, BB_ERR_TYPE},
      {"number to text", real64(1), BB_TYPE_TEXT, BB_ERR_TYPE},
      {"bool to text", boolean(true), BB_TYPE_TEXT, BB_ERR_TYPE},
      {"NaN to integer", real64((double)NAN), BB_TYPE_I64, BB_ERR_RANGE},
      {"NaN to unsigned", real32(NAN), BB_TYPE_U8, BB_ERR_RANGE},
      {"NaN to bool", real64((double)NAN), BB_TYPE_BOOL, BB_ERR_RANGE},
      {"infinity to integer", real64((double)INFINITY), BB_TYPE_I64, BB_ERR_RANGE},
      {"-infinity to integer", real64(-(double)INFINITY), BB_TYPE_I8, BB_ERR_RANGE},
      {"fraction to integer", real64(0.5), BB_TYPE_I32, BB_ERR_RANGE},
      {"small fraction to integer", real64(-1e-300), BB_TYPE_I32, BB_ERR_RANGE},
      {"128 to int8", integer(BB_TYPE_I64, 128), BB_TYPE_I8, BB_ERR_RANGE},
      {"-129 to int8", integer(BB_TYPE_I64, -129), BB_TYPE_I8, BB_ERR_RANGE},
      {"256 to uint8", whole(BB_TYPE_U16, 256), BB_TYPE_U8, BB_ERR_RANGE},
      {"-1 to uint8", integer(BB_TYPE_I8, -1), BB_TYPE_U8, BB_ERR_RANGE},
      {"-1 to uint64", integer(BB_TYPE_I64, -1), BB_TYPE_U64, BB_ERR_RANGE},
      {"-1.0 to uint64", real64(-1), BB_TYPE_U64, BB_ERR_RANGE},
      {"2^63 to int64", whole(BB_TYPE_U64, (uint64_t)1 << 63), BB_TYPE_I64, BB_ERR_RANGE},
      {"2^63 as float64 to int64", real64(0x1p63), BB_TYPE_I64, BB_ERR_RANGE},
      {"below -2^63 to int64", real64(-0x1.0000000000001p63), BB_TYPE_I64, BB_ERR_RANGE},
      {"2^64 to uint64", real64(0x1p64), BB_TYPE_U64, BB_ERR_RANGE},
      {"2^32 to uint32", real64(4294967296.0), BB_TYPE_U32, BB_ERR_RANGE},
      {"32768 to int16", real32(32768), BB_TYPE_I16, BB_ERR_RANGE},
      {"2 to bool", integer(BB_TYPE_I32, 2), BB_TYPE_BOOL, BB_ERR_RANGE},
      {"-1 to bool", integer(BB_TYPE_I32, -1), BB_TYPE_BOOL, BB_ERR_RANGE},
      {"0.5 to bool", real64(0.5), BB_TYPE_BOOL, BB_ERR_RANGE},
      {"2^64-1 to bool", whole(BB_TYPE_U64, UINT64_MAX), BB_TYPE_BOOL, BB_ERR_RANGE},
      {"1e39 to float32", real64(1e39), BB_TYPE_F32, BB_ERR_RANGE},
      {"-1e300 to float32", real64(-1e300), BB_TYPE_F32, BB_ERR_RANGE},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_value out;
    expect_int(rows[i].row, bb_value_convert(rows[i].value, rows[i].type, &out), rows[i].expected);
  }
}

static void test_value_convert(void **state) {
  const struct {
    const char *row;
    bb_value value, expected;
  } rows[] = {
      {"-128 to int8", integer(BB_TYPE_I64, -128), integer(BB_TYPE_I8, -128)},
      {"127 to int8", whole(BB_TYPE_U64, 127), integer(BB_TYPE_I8, 127)},
      {"255 to uint8", integer(BB_TYPE_I32, 255), whole(BB_TYPE_U8, 255)},
      {"-5 as float to int16", real32(-5), integer(BB_TYPE_I16, -5)},
      {"65535.0 to uint16", real64(65535), whole(BB_TYPE_U16, 65535)},
      {"-2^31 to int32", real64(-2147483648.0), integer(BB_TYPE_I32, INT32_MIN)},
      {"2^32-1 to uint32", real64(4294967295.0), whole(BB_TYPE_U32, UINT32_MAX)},
      {"-2^63 to int64", real64(-0x1p63), integer(BB_TYPE_I64, INT64_MIN)},
      {"below 2^63 to int64", real64(0x1.fffffffffffffp62),
       integer(BB_TYPE_I64, 9223372036854774784)},
      {"below 2^64 to uint64", real64(0x1.fffffffffffffp63),
       whole(BB_TYPE_U64, 18446744073709549568u)},
      {"odd 2^53+1 stays exact", integer(BB_TYPE_I64, 9007199254740993),
       whole(BB_TYPE_U64, 9007199254740993)},
      {"-0.0 to integer", real64(-0.0), integer(BB_TYPE_I32, 0)},
      {"true to int32", boolean(true), integer(BB_TYPE_I32, 1)},
      {"false to float64", boolean(false), real64(0)},
      {"1 to bool", whole(BB_TYPE_U64, 1), boolean(true)},
      {"0.0 to bool", real64(0), boolean(false)},
      {"int8 to float64", integer(BB_TYPE_I8, -1), real64(-1)},
      {"uint64 to float64", whole(BB_TYPE_U64, UINT64_MAX), real64(0x1p64)},
      {"float32 to float64", real32(0.1f), real64((double)0.1f)},
      {"float64 to float32", real64(0.1), real32(0.1f)},
      {"the largest float32", real64((double)FLT_MAX), real32(FLT_MAX)},
      {"infinity to float32", real64(-(double)INFINITY), real32(-INFINITY)},
      {"NaN to float32", real64((double)NAN), real32(NAN)},
      {"the same type", text_of("x", 1), text_of("x", 1)},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_value out;
    expect_int(rows[i].row, bb_value_convert(rows[i].value, rows[i].expected.type, &out), 0);
    expect_same(rows[i].row, out, rows[i].expected);
  }
}

static void test_value_double(void **state) {
  (void)state;
  expect_double("text", bb_value_double(text_of("1", 1)), (double)NAN);
  expect_double("bool", bb_value_double(boolean(true)), 1);
  expect_double("int8", bb_value_double(integer(BB_TYPE_I8, -3)), -3);
  expect_double("int64", bb_value_double(integer(BB_TYPE_I64, INT64_MIN)), -0x1p63);
  expect_double("uint64", bb_value_double(whole(BB_TYPE_U64, UINT64_MAX)), 0x1p64);
  expect_double("float32", bb_value_double(real32(0.1f)), 0x1.99999ap-4);
}

static void test_value_type_names_and_sizes(void **state) {
  static const struct {
    const char *name;
    unsigned size;
  } rows[BB_TYPE_COUNT] = {
      {"bool", 1},   {"int8", 1},  {"uint8", 1},  {"int16", 2},   {"uint16", 2},  {"int32", 4},
      {"uint32", 4}, {"int64", 8}, {"uint64", 8}, {"float32", 4}, {"float64", 8}, {"text", 0},
  };
  (void)state;
  for (int i = 0; i < BB_TYPE_COUNT; i++) {
    expect_text("name", bb_type_name((bb_type)i), rows[i].name);
    expect_uint(rows[i].name, bb_type_size((bb_type)i), rows[i].size);
    expect_int(rows[i].name, bb_type_is_float((bb_type)i), strncmp(rows[i].name, "float", 5) == 0);
    expect_int(rows[i].name, bb_type_is_signed((bb_type)i), strncmp(rows[i].name, "int", 3) == 0);
    expect_int(rows[i].name, bb_type_is_integer((bb_type)i), strstr(rows[i].name, "int") != NULL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_value_slots),
      cmocka_unit_test(test_value_store_cuts_a_text_at_a_character),
      cmocka_unit_test(test_value_load_takes_any_bool),
      cmocka_unit_test(test_value_convert_refuses),
      cmocka_unit_test(test_value_convert),
      cmocka_unit_test(test_value_double),
      cmocka_unit_test(test_value_type_names_and_sizes),
  };
  return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
