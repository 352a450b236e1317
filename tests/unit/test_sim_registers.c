/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "sim/register_value.h"
#include "sim/registers.h"
#include "support/expect.h"
#include "support/failmalloc.h"

#define SECOND 1000000000ll
#define NOON (1795262400 * SECOND)

static const char meter[] =
    "profile: 1\n"
    "id: test/meter\n"
    "modbus: {word_order: CDAB, max_gap: 4, max_registers: 40, unreadable: [input 32-33]}\n"
    "points:\n"
    "  - {name: voltage/l1-n, type: float32, unit: V, input: 0}\n"
    "  - {name: voltage/l2-l3, type: uint16, unit: V, scale: 0.1, input: 2}\n"
    "  - {name: current/neutral, type: float32, unit: A, input: 4}\n"
    "  - {name: power/active/total, type: int32, unit: kW, scale: 0.001, input: 10}\n"
    "  - {name: frequency, type: uint16, unit: Hz, scale_from: frequency-sf, input: 12}\n"
    "  - {name: frequency-sf, type: int16, input: 13}\n"
    "  - {name: temperature, type: int16, unit: °C, scale: 0.1, input: 30}\n"
    "  - {name: kelvin, type: int16, unit: K, scale: 0.1, add: 273.15, input: 30, alias: true}\n"
    "  - {name: energy/active/import, type: uint64, unit: Wh, input: 34}\n"
    "  - {name: energy/active/import-small, type: uint16, unit: kWh, input: 38}\n"
    "  - {name: serial, type: text, length: 7, order: ABCD, input: 60}\n"
    "  - {name: mode, type: uint16, holding: 100, enum: {3: off, 5: on}, write: {min: 3, max: 5}}\n"
    "  - {name: ratio, type: float32, holding: 101, write: {min: 1, max: 9999}}\n"
    "  - {name: fixed, type: uint16, holding: 103}\n"
    "  - {name: alarm-1, type: bit, bit: 1, holding: 104}\n"
    "  - {name: relay, coil: 7, write: true}\n"
    "  - {name: door, discrete: 3}\n";

static bb_profile *read_profile(const char *text) {
  bb_doc_tree tree;
  bb_report report;
  bb_profile *profile = NULL;
  bb_report_init(&report);
  int err = bb_doc_parse(&tree, "test.yaml", text, strlen(text), &report);
  if (err == 0) {
    err = bb_profile_read(&profile, tree.root, NULL, &report);
    bb_doc_close(&tree);
  }
  if (err != 0) fail_msg("%d: %s", err, report.n > 0 ? report.mistakes[0].text : "");
  bb_report_close(&report);
  return profile;
}

typedef struct {
  bb_profile *profile;
  bb_register_map map;
  bb_registers registers;
} fixture;

static void open_fixture(fixture *f, bb_register_map_config config, uint64_t seed) {
  f->profile = read_profile(meter);
  expect_int("map", bb_register_map_init(&f->map, f->profile, config), 0);
  expect_int("registers", bb_registers_init(&f->registers, &f->map, seed), 0);
}

static void close_fixture(fixture *f) {
  bb_registers_close(&f->registers);
  bb_register_map_close(&f->map);
  bb_profile_unref(f->profile);
}

static int read_at(fixture *f, bb_space space, uint32_t first, uint32_t n, int64_t t,
                   uint8_t *out) {
  return bb_registers_read(&f->registers, space, first, n, t, out);
}

/* Low word first, high byte first: CDAB. */
static float cdab_float(const uint8_t *p) {
  uint32_t bits = (uint32_t)bb_get_be16(p + 2) << 16 | bb_get_be16(p);
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static uint64_t cdab_u64(const uint8_t *p) {
  uint64_t value = 0;
  for (int i = 3; i >= 0; i--) value = value << 16 | bb_get_be16(p + 2 * i);
  return value;
}

static void expect_near(const char *row, double actual, double expected, double tolerance) {
  if (!(fabs(actual - expected) <= tolerance)) {
    fail_msg("%s: %.17g is not within %g of %.17g", row, actual, tolerance, expected);
  }
}

static void test_sim_registers_show_the_plant(void **state) {
  (void)state;
  fixture f;
  bb_plant plant;
  bb_plant_reading r;
  uint8_t raw[80];
  open_fixture(&f, (bb_register_map_config){0}, 9);
  bb_plant_init(&plant, 9);
  bb_plant_read(&plant, NOON, &r);
  expect_int("0-13", read_at(&f, BB_SPACE_INPUT, 0, 14, NOON, raw), 0);
  expect_double("U1", cdab_float(raw), (float)r.now.line_neutral[0]);
  expect_near("U23", bb_get_be16(raw + 4), r.now.line_line[1] * 10, 0.5);
  expect_double("In", cdab_float(raw + 8), (float)r.now.current[3]);
  expect_near("P in W", (double)(bb_get_be16(raw + 22) << 16 | bb_get_be16(raw + 20)),
              r.now.active[3], 0.5);
  expect_int("scale factor", (int16_t)bb_get_be16(raw + 26), -2);
  expect_near("Hz", bb_get_be16(raw + 24), r.now.frequency * 100, 0.5);
  expect_int("energy", read_at(&f, BB_SPACE_INPUT, 34, 5, NOON, raw), 0);
  expect_near("Wh", (double)cdab_u64(raw), r.energy.active_import[3], 1);
  expect_near("kWh in 16 bits", bb_get_be16(raw + 8),
              fmod(floor(r.energy.active_import[3] / 1000), 65536), 0);
  expect_int("temperature", read_at(&f, BB_SPACE_INPUT, 30, 1, NOON, raw), 0);
  expect_near("its alias leaves it alone", (int16_t)bb_get_be16(raw), 400, 200);
  expect_int("serial", read_at(&f, BB_SPACE_INPUT, 60, 7, NOON, raw), 0);
  expect_bytes("serial", raw, 14, "SIM0000000009", 14);
  close_fixture(&f);
}

static void test_sim_registers_move_with_time(void **state) {
  (void)state;
  fixture f;
  uint8_t first[8], soon[8], later[8];
  open_fixture(&f, (bb_register_map_config){0}, 2);
  read_at(&f, BB_SPACE_INPUT, 34, 4, NOON, first);
  read_at(&f, BB_SPACE_INPUT, 34, 4, NOON + BB_REGISTERS_REFRESH_NS - 1, soon);
  read_at(&f, BB_SPACE_INPUT, 34, 4, NOON + 60 * SECOND, later);
  expect_uint("within one refresh", cdab_u64(soon), cdab_u64(first));
  expect_near("a minute", (double)(cdab_u64(later) - cdab_u64(first)),
              f.registers.plant.rated_watts * 0.75 / 60, f.registers.plant.rated_watts * 0.3 / 60);
  close_fixture(&f);
}

static void test_sim_registers_refuse_what_is_not_there(void **state) {
  (void)state;
  static const struct {
    const char *row;
    bb_space space;
    uint32_t first, n;
    int loose, strict;
  } rows[] = {
      {"a point", BB_SPACE_INPUT, 0, 2, 0, 0},
      {"half a point", BB_SPACE_INPUT, 1, 1, 0, 0},
      {"a small gap", BB_SPACE_INPUT, 4, 8, 0, 2},
      {"only the gap", BB_SPACE_INPUT, 6, 4, 0, 2},
      {"a large gap", BB_SPACE_INPUT, 13, 18, 2, 2},
      {"an unreadable range", BB_SPACE_INPUT, 30, 8, 2, 2},
      {"the other table", BB_SPACE_HOLDING, 0, 2, 2, 2},
      {"past the end", BB_SPACE_INPUT, 66, 2, 2, 2},
      {"the last address", BB_SPACE_INPUT, 65535, 40, 2, 2},
      {"too many", BB_SPACE_INPUT, 0, 41, 3, 3},
      {"a coil", BB_SPACE_COIL, 7, 1, 0, 0},
      {"no coil", BB_SPACE_COIL, 8, 1, 2, 2},
      {"a discrete input", BB_SPACE_DISCRETE, 3, 1, 0, 0},
  };
  fixture loose, strict;
  open_fixture(&loose, (bb_register_map_config){0}, 1);
  open_fixture(&strict, (bb_register_map_config){.strict_gaps = true}, 1);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint8_t raw[200];
    expect_int(rows[i].row, read_at(&loose, rows[i].space, rows[i].first, rows[i].n, NOON, raw),
               rows[i].loose);
    expect_int(rows[i].row, read_at(&strict, rows[i].space, rows[i].first, rows[i].n, NOON, raw),
               rows[i].strict);
  }
  close_fixture(&loose);
  close_fixture(&strict);
}

static void test_sim_registers_of_one_table_answer_both_functions(void **state) {
  (void)state;
  fixture f;
  uint8_t input[4], holding[4];
  open_fixture(&f, (bb_register_map_config){.same_tables = true}, 1);
  expect_int("input", read_at(&f, BB_SPACE_INPUT, 0, 2, NOON, input), 0);
  expect_int("holding", read_at(&f, BB_SPACE_HOLDING, 0, 2, NOON, holding), 0);
  expect_bytes("same", holding, 4, input, 4);
  expect_int("a setting by function 4", read_at(&f, BB_SPACE_INPUT, 100, 1, NOON, input), 0);
  expect_int("its first name", bb_get_be16(input), 3);
  expect_int("unreadable in both", read_at(&f, BB_SPACE_HOLDING, 30, 8, NOON, input), 2);
  close_fixture(&f);
}

static void test_sim_registers_keep_what_is_written(void **state) {
  (void)state;
  static const struct {
    const char *row;
    bb_space space;
    uint32_t first, n;
    const char *bytes;
    int result;
  } rows[] = {
      {"a setting", BB_SPACE_HOLDING, 100, 1, "\0\5", 0},
      {"above its range", BB_SPACE_HOLDING, 100, 1, "\0\6", 3},
      {"below its range", BB_SPACE_HOLDING, 100, 1, "\0\2", 3},
      {"two settings", BB_SPACE_HOLDING, 100, 3, "\0\4\0\0\x42\x48", 0},     /* 4, 50.0 */
      {"one of two wrong", BB_SPACE_HOLDING, 100, 3, "\0\3\0\0\x7f\xc0", 3}, /* NaN */
      {"not writable", BB_SPACE_HOLDING, 103, 1, "\0\1", 2},
      {"partly writable", BB_SPACE_HOLDING, 102, 2, "\x42\x48\0\1", 2},
      {"nowhere", BB_SPACE_HOLDING, 500, 1, "\0\1", 2},
      {"a coil", BB_SPACE_COIL, 7, 1, "\1", 0},
      {"no coil", BB_SPACE_COIL, 6, 1, "\1", 2},
  };
  fixture f;
  uint8_t raw[6];
  open_fixture(&f, (bb_register_map_config){0}, 1);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_int(rows[i].row,
               bb_registers_write(&f.registers, rows[i].space, rows[i].first, rows[i].n,
                                  (const uint8_t *)rows[i].bytes),
               rows[i].result);
  }
  read_at(&f, BB_SPACE_HOLDING, 100, 3, NOON, raw);
  expect_bytes("what was taken, and nothing of what was refused", raw, 6, "\0\4\0\0\x42\x48", 6);
  read_at(&f, BB_SPACE_HOLDING, 100, 3, NOON + 3600 * SECOND, raw);
  expect_bytes("later", raw, 6, "\0\4\0\0\x42\x48", 6);
  read_at(&f, BB_SPACE_COIL, 7, 1, NOON, raw);
  expect_int("relay", raw[0], 1);
  close_fixture(&f);
}

static void test_sim_registers_mask_one_register(void **state) {
  (void)state;
  fixture f;
  uint8_t raw[2];
  open_fixture(&f, (bb_register_map_config){0}, 1);
  /* 3 = 0b011: keep bit 0, set bit 2. */
  expect_int("mask", bb_registers_mask(&f.registers, 100, 0x0001, 0x0004), 0);
  read_at(&f, BB_SPACE_HOLDING, 100, 1, NOON, raw);
  expect_int("0b101", bb_get_be16(raw), 5);
  expect_int("out of range", bb_registers_mask(&f.registers, 100, 0xfffd, 0x0002), 3);
  expect_int("not writable", bb_registers_mask(&f.registers, 103, 0, 0), 2);
  expect_int("nowhere", bb_registers_mask(&f.registers, 9, 0, 0), 2);
  close_fixture(&f);
}

static void test_sim_registers_hold_what_is_set_by_hand(void **state) {
  (void)state;
  fixture f;
  uint8_t raw[28];
  open_fixture(&f, (bb_register_map_config){0}, 1);
  bb_registers *r = &f.registers;
  expect_int("set", bb_registers_set(r, "voltage/l1-n", "1234.5"), 0);
  expect_int("set with scale", bb_registers_set(r, "power/active/total", "-2.5"), 0);
  read_at(&f, BB_SPACE_INPUT, 0, 14, NOON, raw);
  expect_double("kept", cdab_float(raw), 1234.5);
  expect_int("scaled", (int32_t)((uint32_t)bb_get_be16(raw + 22) << 16 | bb_get_be16(raw + 20)),
             -2500);
  expect_int("the rest moves", bb_get_be16(raw + 4) > 3700, 1);
  expect_int("bytes", bb_registers_set(r, "voltage/l1-n", "raw 0000 7fC0"), 0);
  expect_int("scale factor", bb_registers_set(r, "frequency-sf", "-1"), 0);
  read_at(&f, BB_SPACE_INPUT, 0, 14, NOON + SECOND, raw);
  expect_bytes("NaN", raw, 4, "\0\0\x7f\xc0", 4);
  expect_int("Hz under another power", bb_get_be16(raw + 24), 500);
  expect_int("bit", bb_registers_set(r, "alarm-1", "1"), 0);
  read_at(&f, BB_SPACE_HOLDING, 104, 1, NOON, raw);
  expect_int("bit 1", bb_get_be16(raw), 2);
  expect_int("text", bb_registers_set(r, "serial", "X1"), 0);
  read_at(&f, BB_SPACE_INPUT, 60, 7, NOON, raw);
  expect_text("text", (const char *)raw, "X1");
  expect_int("auto", bb_registers_set(r, "voltage/l1-n", "auto"), 0);
  read_at(&f, BB_SPACE_INPUT, 0, 2, NOON, raw);
  expect_near("free again", cdab_float(raw), 230, 15);
  expect_int("unknown", bb_registers_set(r, "voltage", "1"), BB_ERR_NOTFOUND);
  expect_int("no number", bb_registers_set(r, "frequency", "fast"), BB_ERR_FORMAT);
  expect_int("too large", bb_registers_set(r, "frequency", "70000"), BB_ERR_RANGE);
  expect_int("too few bytes", bb_registers_set(r, "frequency", "raw 12"), BB_ERR_FORMAT);
  close_fixture(&f);
}

static void test_sim_counter_wraps_where_its_register_ends(void **state) {
  (void)state;
  static const struct {
    const char *row;
    bb_codec codec;
    double value;
    const char *bytes;
  } rows[] = {
      {"last of 16", {.raw = BB_RAW_U16, .raw_bytes = 2}, 65535.9, "\xff\xff"},
      {"past 16", {.raw = BB_RAW_U16, .raw_bytes = 2}, 65536, "\0\0"},
      {"scaled",
       {.raw = BB_RAW_U16, .raw_bytes = 2, .scaled = 1, .scale = {1, -1}},
       6553.7,
       "\0\1"},
      {"signed ends at half", {.raw = BB_RAW_I16, .raw_bytes = 2}, 32769, "\0\1"},
      {"past 32", {.raw = BB_RAW_U32, .raw_bytes = 4}, 4294967298.0, "\0\0\0\2"},
      {"four digits", {.raw = BB_RAW_BCD16, .raw_bytes = 2}, 20017, "\0\x17"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint8_t raw[8] = {0};
    bb_profile_point point = {.codec = rows[i].codec, .scale_from = -1};
    expect_int(rows[i].row, bb_register_put_counter(&point, rows[i].value, 0, raw), 0);
    expect_bytes(rows[i].row, raw, point.codec.raw_bytes, rows[i].bytes, point.codec.raw_bytes);
  }
}

static void test_sim_quantity_understands_names(void **state) {
  (void)state;
  static const struct {
    const char *name, *unit;
    size_t offset;
    double factor;
  } rows[] = {
#define AT(field) offsetof(bb_plant_reading, field)
      {"voltage/l1-n", "V", AT(now.line_neutral[0]), 1},
      {"voltage/l3-l1", "V", AT(now.line_line[2]), 1},
      {"voltage/l-n/system", "V", AT(now.line_neutral[3]), 1},
      {"voltage/l-l/system", "V", AT(now.line_line[3]), 1},
      {"voltage/ll/mean", "kV", AT(now.line_line[3]), 1e-3},
      {"max/voltage/l2-n", "V", AT(max.line_neutral[1]), 1},
      {"current/l2", "A", AT(now.current[1]), 1},
      {"current/neutral", "A", AT(now.current[3]), 1},
      {"current/average", "A", AT(now.mean_current), 1},
      {"demand/current/l3", "A", AT(demand.current[2]), 1},
      {"power/active/total", "kW", AT(now.active[3]), 1e-3},
      {"power/reactive/l1", "var", AT(now.reactive[0]), 1},
      {"power/apparent/system", "VA", AT(now.apparent[3]), 1},
      {"power-factor/l1", "", AT(now.factor[0]), 1},
      {"frequency", "Hz", AT(now.frequency), 1},
      {"energy/active/import", "Wh", AT(energy.active_import[3]), 1},
      {"energy/active/import/l2", "kWh", AT(energy.active_import[1]), 1e-3},
      {"energy/active/export", "Wh", AT(energy.active_export[3]), 1},
      {"energy/active/export/l1", "Wh", AT(energy.active_export[0]), 1},
      {"energy/reactive/total/l3", "varh", AT(energy.reactive_total[2]), 1},
      {"demand/power/active/max", "W", AT(demand_max.active[3]), 1},
      {"current/sum", "A", AT(now.sum_current), 1},
      {"phase-angle/l2", "deg", AT(now.angle[1]), 1},
      {"current/n", "A", AT(now.current[3]), 1},
      {"voltage/l-l", "V", AT(now.line_line[3]), 1},
      {"voltage/l-n", "V", AT(now.line_neutral[3]), 1},
      {"energy/reactive/import", "varh", AT(energy.reactive_import[3]), 1},
      {"operating-time", "h", AT(energy.hours), 1},
      {"thd/current/l2", "%", AT(now.thd_current[1]), 1},
#undef AT
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_quantity q;
    expect_int(rows[i].name, bb_quantity_find(&q, rows[i].name, rows[i].unit), 0);
    expect_uint(rows[i].name, q.offset, rows[i].offset);
    expect_double(rows[i].name, q.factor, rows[i].factor);
    expect_int(rows[i].name, q.counter, strchr(rows[i].unit, 'h') != NULL);
  }
  bb_quantity q;
  expect_int("temperature", bb_quantity_find(&q, "temperature", "°C"), BB_ERR_NOTFOUND);
  expect_int("minutes", bb_quantity_find(&q, "operating-time", ""), 0);
  expect_uint("minutes", q.offset, offsetof(bb_plant_reading, energy.hours_minutes));
  expect_int("a setting", bb_quantity_find(&q, "nominal/voltage", "V"), BB_ERR_NOTFOUND);
}

static int open_and_close(void *user) {
  bb_register_map map;
  bb_registers registers = {0};
  int err = bb_register_map_init(&map, user, (bb_register_map_config){0});
  if (err < 0) return err;
  err = bb_registers_init(&registers, &map, 1);
  if (err == 0) bb_registers_close(&registers);
  bb_register_map_close(&map);
  return err;
}

static void test_sim_registers_survive_a_lack_of_memory(void **state) {
  (void)state;
  bb_profile *profile = read_profile(meter);
  failmalloc_each(open_and_close, profile);
  bb_profile_unref(profile);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sim_registers_show_the_plant),
      cmocka_unit_test(test_sim_registers_move_with_time),
      cmocka_unit_test(test_sim_registers_refuse_what_is_not_there),
      cmocka_unit_test(test_sim_registers_of_one_table_answer_both_functions),
      cmocka_unit_test(test_sim_registers_keep_what_is_written),
      cmocka_unit_test(test_sim_registers_mask_one_register),
      cmocka_unit_test(test_sim_registers_hold_what_is_set_by_hand),
      cmocka_unit_test(test_sim_counter_wraps_where_its_register_ends),
      cmocka_unit_test(test_sim_quantity_understands_names),
      cmocka_unit_test(test_sim_registers_survive_a_lack_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
