/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in registers. UTF-8 samples from the Unicode Standard 15, table 3-7 and section 3.9. */
#include <string.h>

#include "base/err.h"
#include "model/codec.h"
#include "model/quality.h"
#include "support/expect.h"

static void test_codec_text_leaves_as_utf8(void **state) {
  (void)state;
  const struct {
    const char *name;
    bb_order order;
    uint16_t len;
    const char *raw;
    const char *text; /* NULL: not available */
  } rows[] = {
      {"plain", BB_ORDER_ABCD, 4, "WM30", "WM30"},
      {"words swapped: nothing to a text", BB_ORDER_CDAB, 4, "WM30", "WM30"},
      {"bytes swapped", BB_ORDER_BADC, 4, "MW03", "WM30"},
      {"bytes swapped, odd length", BB_ORDER_DCBA, 5, "MW03!", "WM30!"},
      {"trailing spaces", BB_ORDER_ABCD, 6, "WM30  ", "WM30"},
      {"trailing NULs", BB_ORDER_ABCD, 6, "WM30\0\0", "WM30"},
      {"spaces before NULs", BB_ORDER_ABCD, 6, "WM3 \0\0", "WM3"},
      {"spaces within", BB_ORDER_ABCD, 4, " W M", " W M"},
      {"rubbish behind a NUL", BB_ORDER_ABCD, 6, "AB\0xyz", "AB"},
      {"spaces alone", BB_ORDER_ABCD, 4, "    ", ""},
      {"NULs alone", BB_ORDER_ABCD, 4, "\0\0\0\0", NULL},
      {"erased memory", BB_ORDER_ABCD, 4, "\xFF\xFF\xFF\xFF", NULL},
      {"UTF-8 of two bytes", BB_ORDER_ABCD, 4, "Z\xC3\xA4h", "Z\xC3\xA4h"},
      {"UTF-8 of three", BB_ORDER_ABCD, 4, "\xE2\x82\xAC!", "\xE2\x82\xAC!"},
      {"UTF-8 of four", BB_ORDER_ABCD, 4, "\xF0\x9F\x94\x8C", "\xF0\x9F\x94\x8C"},
      {"Latin-1", BB_ORDER_ABCD, 4, "Z\xE4hl", "Z\xC3\xA4hl"},
      {"degree sign of Latin-1", BB_ORDER_ABCD, 2, "\xB0\x43", "\xC2\xB0\x43"},
      {"UTF-8 cut by the device", BB_ORDER_ABCD, 2, "A\xC3", "A\xC3\x83"},
      {"overlong", BB_ORDER_ABCD, 2, "\xC0\x80", "\xC3\x80\xC2\x80"},
      {"surrogate", BB_ORDER_ABCD, 4, "\xED\xA0\x80.", "\xC3\xAD\xC2\xA0\xC2\x80."},
      {"past U+10FFFF", BB_ORDER_ABCD, 4, "\xF4\x90\x80\x80", "\xC3\xB4\xC2\x90\xC2\x80\xC2\x80"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_codec codec = {.raw = BB_RAW_TEXT, .order = rows[i].order, .raw_bytes = rows[i].len};
    uint8_t slot[64];
    unsigned size = bb_codec_slot(&codec);
    int quality = bb_codec_decode(&codec, (const uint8_t *)rows[i].raw, BB_POWER_NONE, slot, size);
    if (rows[i].text == NULL) {
      expect_int(rows[i].name, quality, BB_QUALITY_BAD | BB_CAUSE_NOT_AVAILABLE);
      continue;
    }
    bb_value value = bb_value_load(BB_TYPE_TEXT, slot);
    expect_int(rows[i].name, quality, BB_QUALITY_GOOD);
    expect_bytes(rows[i].name, value.v.text.bytes, value.v.text.len, rows[i].text,
                 strlen(rows[i].text));
  }
}

static void test_codec_text_is_cut_at_a_character(void **state) {
  (void)state;
  bb_codec codec = {.raw = BB_RAW_TEXT, .raw_bytes = 4};
  uint8_t slot[4] = {0};
  bb_codec_decode(&codec, (const uint8_t *)"ab\xE4z", BB_POWER_NONE, slot, sizeof(slot));
  expect_bytes("slot of three", slot, sizeof(slot), "\2ab", 4);

  uint8_t long_raw[250], long_slot[256];
  codec.raw_bytes = sizeof(long_raw);
  memset(long_raw, 0xE4, sizeof(long_raw));
  expect_uint("slot of the longest", bb_codec_slot(&codec), 251);
  bb_codec_decode(&codec, long_raw, BB_POWER_NONE, long_slot, bb_codec_slot(&codec));
  expect_uint("250 Latin-1 letters", long_slot[0], 250);
}

static void test_codec_text_is_written_whole_or_not(void **state) {
  (void)state;
  const struct {
    const char *name;
    bb_order order;
    const char *text;
    uint8_t len;
    int err;
    const char *raw;
  } rows[] = {
      {"filled up", BB_ORDER_ABCD, "abc", 3, 0, "abc\0\0\0"},
      {"bytes swapped", BB_ORDER_BADC, "abc", 3, 0, "ba\0c\0\0"},
      {"full", BB_ORDER_CDAB, "abcdef", 6, 0, "abcdef"},
      {"empty", BB_ORDER_ABCD, "", 0, 0, "      "},
      {"too long", BB_ORDER_ABCD, "abcdefg", 7, BB_ERR_RANGE, NULL},
      {"a NUL within", BB_ORDER_ABCD, "a\0b", 3, BB_ERR_RANGE, NULL},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_codec codec = {.raw = BB_RAW_TEXT, .order = rows[i].order, .raw_bytes = 6};
    bb_value value = {.type = BB_TYPE_TEXT, .v = {.text = {rows[i].text, rows[i].len}}};
    uint8_t raw[6] = "before";
    expect_int(rows[i].name, bb_codec_encode(&codec, value, BB_POWER_NONE, raw), rows[i].err);
    expect_bytes(rows[i].name, raw, 6, rows[i].raw != NULL ? rows[i].raw : "before", 6);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_codec_text_leaves_as_utf8),
      cmocka_unit_test(test_codec_text_is_cut_at_a_character),
      cmocka_unit_test(test_codec_text_is_written_whole_or_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
