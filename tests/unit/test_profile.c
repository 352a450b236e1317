/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile without mistakes becomes. */
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/profile.h"

static void test_profile_reads_its_top(void **state) {
  (void)state;
  bb_profile *p = profile_of("profile: 1\n"
                             "id: acme/meter-7.b\n"
                             "vendor: Acme\n"
                             "source: page 7\n"
                             "verified: true\n"
                             "modbus:\n"
                             "  word_order: CDAB\n"
                             "  max_registers: 80\n"
                             "  max_bits: 16\n"
                             "  max_gap: 0\n"
                             "  max_in_flight: 4\n"
                             "  min_interval: 200ms\n"
                             "  max_write_registers: 2\n"
                             "  unreadable: [input 0x0100-0x04ff, holding 4096]\n"
                             "scans: { slow: 5s, info: 1h }\n"
                             "points:\n"
                             "  - { name: a, type: uint16, holding: 0 }\n"
                             "  - { name: b, type: uint16, holding: 1, scan: info }\n");
  expect_text("id", p->id, "acme/meter-7.b");
  expect_text("name", p->name, "acme/meter-7.b");
  expect_text("vendor", p->vendor, "Acme");
  expect_text("source", p->source, "page 7");
  expect_true("verified", p->verified);
  expect_text("measurement", p->measurement, "meter_7_b");
  expect_int("order", p->modbus.order, BB_ORDER_CDAB);
  expect_uint("max_registers", p->modbus.max_registers, 80);
  expect_uint("max_bits", p->modbus.max_bits, 16);
  expect_uint("max_gap", p->modbus.max_gap, 0);
  expect_uint("max_in_flight", p->modbus.max_in_flight, 4);
  expect_uint("min_interval", p->modbus.min_interval_ms, 200);
  expect_uint("max_write_registers", p->modbus.max_write_registers, 2);
  expect_uint("unreadable", p->modbus.n_unreadable, 2);
  expect_int("range", p->modbus.unreadable[0].space, BB_SPACE_INPUT);
  expect_uint("range", p->modbus.unreadable[0].first, 0x100);
  expect_uint("range", p->modbus.unreadable[0].last, 0x4ff);
  expect_int("one register", p->modbus.unreadable[1].space, BB_SPACE_HOLDING);
  expect_uint("one register", p->modbus.unreadable[1].first, 4096);
  expect_uint("one register", p->modbus.unreadable[1].last, 4096);
  const struct {
    const char *name;
    uint32_t period_ms, n_points;
  } scans[] = {{"fast", 1000, 1}, {"slow", 5000, 0}, {"energy", 60000, 0}, {"info", 3600000, 1}};
  expect_uint("scans", p->n_scans, 4);
  for (uint32_t i = 0; i < p->n_scans; i++) {
    expect_text("scan", p->scans[i].name, scans[i].name);
    expect_uint(scans[i].name, p->scans[i].period_ms, scans[i].period_ms);
    expect_uint(scans[i].name, p->scans[i].n_points, scans[i].n_points);
  }
  expect_int("b", p->points[1].scan, 3);
  bb_profile_unref(p);
}

static void test_profile_has_defaults(void **state) {
  (void)state;
  bb_profile *p = profile_of("{\"profile\": 1, \"id\": \"x\", \"points\": [\n"
                             "  {\"name\": \"a\", \"type\": \"int16\", \"register\": 5}]}");
  expect_uint("max_registers", p->modbus.max_registers, 125);
  expect_uint("max_bits", p->modbus.max_bits, 2000);
  expect_uint("max_gap", p->modbus.max_gap, 8);
  expect_uint("max_in_flight", p->modbus.max_in_flight, 1);
  expect_uint("min_interval", p->modbus.min_interval_ms, 0);
  expect_uint("max_write_registers", p->modbus.max_write_registers, 123);
  expect_uint("scans", p->n_scans, 3);
  const bb_profile_point *a = profile_point(p, "a");
  expect_int("table", a->space, BB_SPACE_HOLDING);
  expect_uint("address", a->address, 5);
  expect_uint("length", a->length, 1);
  expect_int("order", a->codec.order, BB_ORDER_ABCD);
  expect_int("scale_from", a->scale_from, -1);
  expect_true("not writable", !a->point.writable);
  expect_text("unit", a->point.unit, "");
  expect_text("description", a->point.description, "");
  expect_int("no such point", bb_profile_find(p, "b"), -1);
  bb_profile_unref(p);
}

static void test_profile_places_each_kind_of_point(void **state) {
  (void)state;
  bb_profile *p =
      profile_of("profile: 1\n"
                 "id: x\n"
                 "modbus: { word_order: BADC, table: input }\n"
                 "points:\n"
                 "  - { name: coil, coil: 7 }\n"
                 "  - { name: discrete, type: bool, discrete: 65535 }\n"
                 "  - { name: bit, type: bit, holding: 1, bit: 15 }\n"
                 "  - { name: i8, type: int8, holding: 2, byte: high }\n"
                 "  - { name: u8, type: uint8, holding: 2 }\n"
                 "  - { name: field, type: uint32, holding: 3, bit: 12, bits: 20 }\n"
                 "  - { name: f32, type: float32, register: 0x10, order: CDAB }\n"
                 "  - { name: u64, type: uint64, input: 65532 }\n"
                 "  - { name: text, type: text, holding: 20, length: 4 }\n"
                 "  - { name: eip, type: float32, assembly: 101, offset: 4 }\n"
                 "  - { name: eip/bit, type: bit, assembly: 108, bit: 3 }\n"
                 "  - { name: eip/byte, type: uint8, assembly: 108, offset: 1 }\n"
                 "  - { name: eip/text, type: text, assembly: 108, offset: 2, length: 3 }\n");
  const struct {
    const char *name;
    bb_space space;
    uint32_t address, offset;
    uint16_t length, raw_bytes, slot;
    bb_type type;
    bb_order order;
  } rows[] = {
      {"coil", BB_SPACE_COIL, 7, 0, 1, 1, 1, BB_TYPE_BOOL, BB_ORDER_DCBA},
      {"discrete", BB_SPACE_DISCRETE, 65535, 0, 1, 1, 1, BB_TYPE_BOOL, BB_ORDER_DCBA},
      {"bit", BB_SPACE_HOLDING, 1, 0, 1, 2, 1, BB_TYPE_BOOL, BB_ORDER_BADC},
      {"i8", BB_SPACE_HOLDING, 2, 0, 1, 2, 1, BB_TYPE_I8, BB_ORDER_BADC},
      {"u8", BB_SPACE_HOLDING, 2, 0, 1, 2, 1, BB_TYPE_U8, BB_ORDER_BADC},
      {"field", BB_SPACE_HOLDING, 3, 0, 2, 4, 4, BB_TYPE_U32, BB_ORDER_BADC},
      {"f32", BB_SPACE_INPUT, 16, 0, 2, 4, 4, BB_TYPE_F32, BB_ORDER_CDAB},
      {"u64", BB_SPACE_INPUT, 65532, 0, 4, 8, 8, BB_TYPE_U64, BB_ORDER_BADC},
      {"text", BB_SPACE_HOLDING, 20, 0, 4, 8, 17, BB_TYPE_TEXT, BB_ORDER_BADC},
      {"eip", BB_SPACE_ASSEMBLY, 101, 4, 4, 4, 4, BB_TYPE_F32, BB_ORDER_DCBA},
      {"eip/bit", BB_SPACE_ASSEMBLY, 108, 0, 1, 1, 1, BB_TYPE_BOOL, BB_ORDER_DCBA},
      {"eip/byte", BB_SPACE_ASSEMBLY, 108, 1, 1, 1, 1, BB_TYPE_U8, BB_ORDER_DCBA},
      {"eip/text", BB_SPACE_ASSEMBLY, 108, 2, 3, 3, 7, BB_TYPE_TEXT, BB_ORDER_ABCD},
  };
  expect_uint("points", p->n_points, sizeof(rows) / sizeof(rows[0]));
  for (size_t i = 0; i < p->n_points; i++) {
    const bb_profile_point *point = profile_point(p, rows[i].name);
    expect_int(rows[i].name, point - p->points, (int)i);
    expect_int(rows[i].name, point->space, rows[i].space);
    expect_uint(rows[i].name, point->address, rows[i].address);
    expect_uint(rows[i].name, point->offset, rows[i].offset);
    expect_uint(rows[i].name, point->length, rows[i].length);
    expect_uint(rows[i].name, point->codec.raw_bytes, rows[i].raw_bytes);
    expect_uint(rows[i].name, point->point.size, rows[i].slot);
    expect_int(rows[i].name, point->point.type, rows[i].type);
    expect_int(rows[i].name, point->codec.order, rows[i].order);
  }
  expect_uint("bit", profile_point(p, "bit")->codec.bit, 15);
  expect_uint("i8", profile_point(p, "i8")->codec.high_byte, 1);
  expect_uint("u8", profile_point(p, "u8")->codec.high_byte, 0);
  expect_uint("field", profile_point(p, "field")->codec.bit, 12);
  expect_uint("field", profile_point(p, "field")->codec.bits, 20);
  bb_profile_unref(p);
}

static void test_profile_reads_how_values_are_made(void **state) {
  (void)state;
  bb_profile *p = profile_of(
      "profile: 1\n"
      "id: x\n"
      "points:\n"
      "  - { name: factor, type: int16, holding: 0 }\n"
      "  - { name: power, type: int16, holding: 1, scale_from: factor, sign: -1 }\n"
      "  - { name: t, type: int16, holding: 2, scale: 0.10, add: -273.15, valid: { max: 99.5 } }\n"
      "  - { name: s, type: int16, holding: 3, sentinels: [-32768, 0x7fff, 5] }\n"
      "  - { name: f, type: float32, holding: 4, sentinels: [0x7fc00000, -1] }\n"
      "  - { name: l, type: int64, holding: 6, sentinels: [-9223372036854775808] }\n"
      "  - { name: b, type: bcd16, holding: 10, sentinels: [9999] }\n"
      "  - { name: n, type: uint16, holding: 11, bits: 4, sentinels: [15] }\n");
  const bb_profile_point *power = profile_point(p, "power"), *t = profile_point(p, "t");
  const bb_codec *s = &profile_point(p, "s")->codec;
  expect_int("scale_from", power->scale_from, 0);
  expect_true("scaled by a point", power->codec.scaled && power->codec.negate);
  expect_int("scale", power->codec.scale.digits, 1);
  expect_int("a scaled integer", power->point.type, BB_TYPE_F64);
  expect_int("scale", t->codec.scale.digits, 1);
  expect_int("scale", t->codec.scale.exponent, -1);
  expect_int("add", t->codec.offset.digits, -27315);
  expect_int("add", t->codec.offset.exponent, -2);
  expect_uint("valid", t->codec.has_valid, 2);
  expect_double("valid", t->codec.valid_max, 99.5);
  expect_uint("sentinels", s->n_sentinels, 3);
  expect_uint("a number", s->sentinels[0], 0x8000);
  expect_uint("bits", s->sentinels[1], 0x7FFF);
  expect_uint("of float32, bits", profile_point(p, "f")->codec.sentinels[0], 0x7FC00000);
  expect_uint("of float32, a number", profile_point(p, "f")->codec.sentinels[1], 0xBF800000);
  expect_uint("of int64", profile_point(p, "l")->codec.sentinels[0], (uint64_t)1 << 63);
  expect_uint("of BCD", profile_point(p, "b")->codec.sentinels[0], 0x9999);
  expect_uint("of a bit field", profile_point(p, "n")->codec.sentinels[0], 15);
  bb_profile_unref(p);
}

static void test_profile_reads_names_and_writes(void **state) {
  (void)state;
  bb_profile *p = profile_of(
      "profile: 1\n"
      "id: x\n"
      "points:\n"
      "  - { name: mode, type: uint16, holding: 0, enum: { 0: off, 0x10: on }, write: true }\n"
      "  - { name: flags, type: uint32, holding: 1, flags: { 31: last, 0: first } }\n"
      "  - { name: a, type: int16, holding: 3, deadband: 0.5, description: d, unit: °C,\n"
      "      inferred: true, write: { min: -5, max: 5, step: 0.5, block: b, read_back: false } }\n"
      "  - { name: b, type: uint16, holding: 4, write: { block: b, function: 16 } }\n"
      "  - { name: c, coil: 0, write: { function: 15 } }\n"
      "  - { name: d, coil: 1, write: false }\n");
  const bb_point *mode = &profile_point(p, "mode")->point,
                 *flags = &profile_point(p, "flags")->point;
  const bb_profile_point *a = profile_point(p, "a");
  expect_int("enum", mode->labels_kind, BB_LABELS_ENUM);
  expect_uint("enum", mode->n_labels, 2);
  expect_text("enum", bb_point_label(mode, 16), "on");
  expect_true("plainly writable", mode->writable && !mode->has_min && !mode->has_max);
  expect_true("plainly writable", profile_point(p, "mode")->read_back);
  expect_int("flags", flags->labels_kind, BB_LABELS_BITS);
  expect_text("flags", bb_point_label(flags, 31), "last");
  expect_text("unit", a->point.unit, "\xC2\xB0\x43");
  expect_text("description", a->point.description, "d");
  expect_double("deadband", a->point.deadband, 0.5);
  expect_true("inferred", a->inferred);
  expect_true("limits", a->point.writable && a->point.has_min && a->point.has_max);
  expect_double("min", a->point.min, -5);
  expect_double("max", a->point.max, 5);
  expect_double("step", a->point.step, 0.5);
  expect_text("block", a->write_block, "b");
  expect_true("not read back", !a->read_back);
  expect_uint("function", a->write_function, 0);
  expect_uint("function", profile_point(p, "b")->write_function, 16);
  expect_uint("function", profile_point(p, "c")->write_function, 15);
  expect_true("not writable", !profile_point(p, "d")->point.writable);
  bb_profile_unref(p);
}

static void test_profile_allows_registers_to_be_shared(void **state) {
  (void)state;
  bb_profile *p = profile_of("profile: 1\n"
                             "id: x\n"
                             "points:\n"
                             "  - { name: a, type: bit, holding: 0, bit: 0 }\n"
                             "  - { name: b, type: bit, holding: 0, bit: 1 }\n"
                             "  - { name: c, type: uint16, holding: 0, bit: 2, bits: 6 }\n"
                             "  - { name: d, type: uint8, holding: 0, byte: high }\n"
                             "  - { name: whole, type: uint16, holding: 0, alias: true }\n"
                             "  - { name: e, type: uint32, holding: 1 }\n"
                             "  - { name: e/low, type: uint16, holding: 2, alias: true }\n"
                             "  - { name: same, type: uint16, input: 0 }\n"
                             "  - { name: next, type: uint16, assembly: 1, offset: 0 }\n"
                             "  - { name: other, type: uint16, assembly: 2, offset: 0 }\n");
  expect_uint("points", p->n_points, 10);
  bb_profile_unref(p);
}

static void test_profile_of_an_external_device_has_no_addresses(void **state) {
  (void)state;
  bb_profile *p = profile_of("profile: 1\n"
                             "id: x\n"
                             "external: true\n"
                             "points:\n"
                             "  - { name: a, type: float64, unit: V }\n"
                             "  - { name: b, type: text, length: 20 }\n"
                             "  - { name: c, type: bool }\n");
  for (uint32_t i = 0; i < p->n_points; i++) {
    expect_int(p->points[i].point.name, p->points[i].space, BB_SPACE_NONE);
  }
  expect_uint("text", p->points[1].point.size, 41);
  expect_text("none", bb_space_name(BB_SPACE_NONE), "none");
  bb_profile_unref(p);
}

static void test_profile_is_named_by_its_content(void **state) {
  (void)state;
  static const char *const texts[] = {
      "profile: 1\nid: x\npoints:\n  - { name: a, type: int16, holding: 0 }\n",
      "id: x\n# another order\npoints: [{ type: int16, holding: 0, name: a }]\nprofile: 1\n",
      "profile: 1\nid: y\npoints:\n  - { name: a, type: int16, holding: 0 }\n",
      "profile: 1\nid: x\npoints:\n  - { name: a, type: int16, holding: 1 }\n",
  };
  bb_profile *p[4];
  for (int i = 0; i < 4; i++) p[i] = profile_of(texts[i]);
  expect_uint("another order of keys", p[1]->hash, p[0]->hash);
  expect_true("another id", p[2]->hash != p[0]->hash);
  expect_true("another address", p[3]->hash != p[0]->hash);
  expect_true("one more reference", bb_profile_ref(p[0]) == p[0]);
  bb_profile_unref(p[0]);
  for (int i = 0; i < 4; i++) bb_profile_unref(p[i]);
  bb_profile_unref(NULL);
}

static const char *const everything =
    "profile: 1\n"
    "id: x\n"
    "vendor: v\n"
    "modbus: { unreadable: [input 7] }\n"
    "scans: { info: 1h }\n"
    "points:\n"
    "  - { name: a, type: int16, holding: 0, unit: V, description: d, scan: info }\n"
    "  - { name: b, type: uint16, holding: 1, flags: { 0: x, 1: y } }\n"
    "  - { name: c, type: uint16, holding: 2, write: { block: k } }\n"
    "  - { name: d, type: uint16, holding: 3, write: { block: k } }\n";

static int read_everything(void *user) {
  bb_profile *p;
  bb_report report;
  bb_report_init(&report);
  int err = bb_profile_read(&p, user, NULL, &report);
  bb_profile_unref(p);
  bb_report_close(&report);
  return err;
}

static void test_profile_survives_lack_of_memory(void **state) {
  (void)state;
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  expect_int("parse", bb_doc_parse(&tree, "p", everything, strlen(everything), &report), 0);
  failmalloc_each(read_everything, tree.root);
  bb_doc_close(&tree);
  bb_report_close(&report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_profile_reads_its_top),
      cmocka_unit_test(test_profile_has_defaults),
      cmocka_unit_test(test_profile_places_each_kind_of_point),
      cmocka_unit_test(test_profile_reads_how_values_are_made),
      cmocka_unit_test(test_profile_reads_names_and_writes),
      cmocka_unit_test(test_profile_allows_registers_to_be_shared),
      cmocka_unit_test(test_profile_of_an_external_device_has_no_addresses),
      cmocka_unit_test(test_profile_is_named_by_its_content),
      cmocka_unit_test(test_profile_survives_lack_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
