/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec against tests/vectors/codec/values.json (made by make.py beside it, checked
 * by tests/scripts/codec.test.js). Its rules have their test in test_codec_rules.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/codec.h"
#include "model/quality.h"
#include "support/expect.h"
#include "support/vector.h"

typedef struct {
  char name[200];
  bb_codec codec;
  uint8_t raw[8];
  int32_t power;
  const char *value;
} row;

static int choice(const char *text, int n, const char *(*name)(int)) {
  for (int i = 0; i < n; i++) {
    if (strcmp(name(i), text) == 0) return i;
  }
  fail_msg("%s: unknown word", text);
  return 0;
}

static const char *raw_name(int i) {
  return bb_raw_name((bb_raw)i);
}

static const char *order_name(int i) {
  return bb_order_name((bb_order)i);
}

static long number(const bb_doc *doc, const char *key) {
  const char *text = bb_doc_get_text(doc, key);
  return text != NULL ? strtol(text, NULL, 10) : 0;
}

static bb_decimal decimal(const bb_doc *doc, const char *key, int64_t fallback) {
  bb_decimal out = {fallback, 0};
  const char *text = bb_doc_get_text(doc, key);
  if (text != NULL) expect_int(text, bb_decimal_parse(&out, text), 0);
  return out;
}

static row read_row(const bb_doc *doc) {
  row out = {.value = bb_doc_get_text(doc, "value")};
  const char *type = bb_doc_get_text(doc, "type"), *order = bb_doc_get_text(doc, "order");
  const char *raw = bb_doc_get_text(doc, "raw"), *byte = bb_doc_get_text(doc, "byte");
  snprintf(out.name, sizeof(out.name), "line %u: %s %s %s", doc->line, type, order, raw);
  out.codec = (bb_codec){
      .raw = (bb_raw)choice(type, BB_RAW_COUNT, raw_name),
      .order = (bb_order)choice(order, BB_ORDER_COUNT, order_name),
      .high_byte = byte != NULL && strcmp(byte, "high") == 0,
      .bit = (uint8_t)number(doc, "bit"),
      .bits = (uint8_t)number(doc, "bits"),
      .negate = number(doc, "sign") == -1,
      .raw_bytes = (uint16_t)(strlen(raw) / 2),
      .scale = decimal(doc, "scale", 1),
      .offset = decimal(doc, "add", 0),
  };
  out.power = (int32_t)number(doc, "power");
  out.codec.scaled = bb_doc_get_text(doc, "scale") != NULL || bb_doc_get_text(doc, "add") != NULL ||
                     out.power != 0;
  for (size_t i = 0; i < strlen(raw) / 2; i++) {
    char byte_text[3] = {raw[2 * i], raw[2 * i + 1], 0};
    out.raw[i] = (uint8_t)strtoul(byte_text, NULL, 16);
  }
  return out;
}

static void expect_reads(const char *name, bb_value value, const char *expected) {
  if (value.type == BB_TYPE_BOOL) {
    expect_text(name, value.v.b ? "true" : "false", expected);
  } else if (value.type == BB_TYPE_F32) {
    expect_double(name, (double)value.v.f, (double)strtof(expected, NULL));
  } else if (value.type == BB_TYPE_F64) {
    expect_double(name, value.v.d, strtod(expected, NULL));
  } else if (bb_type_is_signed(value.type)) {
    expect_int(name, value.v.i, strtoll(expected, NULL, 10));
  } else {
    expect_uint(name, value.v.u, strtoull(expected, NULL, 10));
  }
}

static void test_codec_decodes_the_vectors(void **state) {
  (void)state;
  bb_doc_tree tree;
  vector_read_json("codec/values.json", &tree);
  for (const bb_doc *doc = tree.root->first; doc != NULL; doc = doc->next) {
    row r = read_row(doc);
    uint8_t slot[9];
    memset(slot, 0xEE, sizeof(slot));
    bb_type type = bb_codec_type(&r.codec);
    unsigned size = bb_codec_slot(&r.codec);
    expect_uint(r.name, size, bb_type_size(type));
    expect_int(r.name, bb_codec_decode(&r.codec, r.raw, r.power, slot, size), BB_QUALITY_GOOD);
    expect_reads(r.name, bb_value_load(type, slot), r.value);
    expect_uint(r.name, slot[size], 0xEE);
  }
  bb_doc_close(&tree);
}

/* 53 bits cannot hold each scaled 64-bit value, and a scaled float is rounded twice. */
static bool is_reversible(const bb_codec *codec) {
  unsigned bits = bb_raw_bits(codec->raw);
  return !codec->scaled || (bits < 64 && codec->raw != BB_RAW_F32);
}

static void test_codec_encodes_the_vectors_back(void **state) {
  (void)state;
  bb_doc_tree tree;
  vector_read_json("codec/values.json", &tree);
  for (const bb_doc *doc = tree.root->first; doc != NULL; doc = doc->next) {
    row r = read_row(doc);
    if (!is_reversible(&r.codec)) continue;
    uint8_t slot[8], raw[8];
    bb_type type = bb_codec_type(&r.codec);
    bb_codec_decode(&r.codec, r.raw, r.power, slot, sizeof(slot));
    /* What a part does not cover stays as it is; all else is written. */
    bool is_part = r.codec.bits > 0 || bb_raw_bits(r.codec.raw) < 16;
    memcpy(raw, r.raw, sizeof(raw));
    if (!is_part) memset(raw, 0x5A, sizeof(raw));
    expect_int(r.name, bb_codec_encode(&r.codec, bb_value_load(type, slot), r.power, raw), 0);
    expect_bytes(r.name, raw, r.codec.raw_bytes, r.raw, r.codec.raw_bytes);
  }
  bb_doc_close(&tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_codec_decodes_the_vectors),
      cmocka_unit_test(test_codec_encodes_the_vectors_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
