/* SPDX-License-Identifier: Apache-2.0 */
/* Each mistake that a profile can have, told at its line in words that say what is allowed. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/profile.h"

typedef struct {
  const char *name;
  const char *text; /* of the whole document, or of the points from line 4 on */
  uint32_t line;
  const char *told;
} row;

#define HEAD "profile: 1\nid: t\npoints:\n"

/* Exactly this one mistake: one cause is not told twice. */
static void expect_mistake(const row *r, const char *head) {
  char text[2048], got[1024] = "";
  bb_profile *profile;
  bb_report report;
  bb_report_init(&report);
  snprintf(text, sizeof(text), "%s%s", head, r->text);
  int err = profile_read_text(text, &profile, &report);
  bb_report_sort(&report);
  for (uint32_t i = 0; i < report.n; i++) {
    size_t len = strlen(got);
    snprintf(got + len, sizeof(got) - len, "%s%u: %s", i > 0 ? " | " : "", report.mistakes[i].line,
             report.mistakes[i].text);
  }
  char expected[512];
  snprintf(expected, sizeof(expected), "%u: %s", r->line, r->told);
  expect_text(r->name, got, expected);
  expect_int(r->name, err, BB_ERR_CONFIG);
  expect_true(r->name, profile == NULL);
  bb_report_close(&report);
}

#define EACH(rows, head)                                                                           \
  for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++) expect_mistake(&(rows)[i], head)

static void test_profile_mistakes_of_the_top(void **state) {
  (void)state;
  static const row rows[] = {
      {"a list", "- 1\n", 1, "a profile is a map of keys and values"},
      {"no id", "profile: 1\npoints:\n  - { name: a, type: int16, holding: 0 }\n", 1,
       "\"id\" is missing: what a device names this profile by"},
      {"no points", "profile: 1\nid: t\n", 1, "\"points\" is missing: The list of points."},
      {"empty points", "profile: 1\nid: t\npoints: []\n", 3, "0 points; allowed: 1 to 4096"},
      {"another version", "profile: 2\nid: t\npoints:\n  - { name: a, type: int16, holding: 0 }\n",
       1, "\"2\" does not fit; allowed: 1"},
      {"misspelt key",
       "profile: 1\nid: t\nvendr: x\npoints:\n  - { name: a, type: int16, holding: 0 }\n", 3,
       "unknown key; did you mean \"vendor\"? allowed: profile, id, name, vendor, source, "
       "verified, "
       "measurement, external, modbus, scans, points"},
      {"limit too large",
       "profile: 1\nid: t\nmodbus:\n  max_registers: 126\npoints:\n"
       "  - { name: a, type: int16, holding: 0 }\n",
       4, "\"126\" does not fit; allowed: whole number from 1 to 125"},
      {"not a range",
       "profile: 1\nid: t\nmodbus:\n  unreadable: [reg 5]\npoints:\n"
       "  - { name: a, type: int16, holding: 0 }\n",
       4,
       "not a range; allowed: coil, discrete, input or holding, then an address or first-last, "
       "such "
       "as input 0x0100-0x04ff"},
      {"a range backwards",
       "profile: 1\nid: t\nmodbus:\n  unreadable: [input 5-4]\npoints:\n"
       "  - { name: a, type: int16, holding: 0 }\n",
       4,
       "not a range; allowed: coil, discrete, input or holding, then an address or first-last, "
       "such "
       "as input 0x0100-0x04ff"},
      {"not a period",
       "profile: 1\nid: t\nscans: { fast: 1ms }\npoints:\n  - { name: a, type: int16, holding: 0 "
       "}\n",
       3, "not a period; allowed: a duration such as 250ms, 5s, 1min, from 10 ms to 7 d"},
      {"not a scan's name",
       "profile: 1\nid: t\nscans: { a b: 1s }\npoints:\n  - { name: a, type: int16, holding: 0 }\n",
       3, "not the name of a scan; allowed: 1 to 128 of letters, digits, - _ . / : [ ]"},
  };
  EACH(rows, "");
}

static void test_profile_mistakes_of_a_place(void **state) {
  (void)state;
  static const row rows[] = {
      {"not a map", "  - a\n", 4, "a point is a map of keys and values"},
      {"no name", "  - { type: int16, holding: 0 }\n", 4,
       "\"name\" is missing: What everything else knows the point by, such as "
       "`power/active/total`."},
      {"no type", "  - { name: a, holding: 0 }\n", 4,
       "\"type\" is missing: what stands on the wire"},
      {"no address", "  - { name: a, type: int16 }\n", 4,
       "an address is missing; allowed: one of coil, discrete, input, holding, register, assembly"},
      {"two addresses", "  - name: a\n    type: int16\n    input: 0\n    holding: 0\n", 7,
       "a second address; allowed: one"},
      {"address too large", "  - { name: a, type: int16, holding: 65536 }\n", 4,
       "\"65536\" does not fit; allowed: whole number from 0 to 65535"},
      {"a value past the end", "  - { name: a, type: int32, holding: 65535 }\n", 4,
       "ends at 65536; allowed: up to 65535"},
      {"offset in a table", "  - { name: a, type: int16, holding: 0, offset: 5 }\n", 4,
       "is a place in an assembly, and this point lies in none; to add to the value: add"},
      {"a number in a coil", "  - { name: a, type: int16, coil: 0 }\n", 4,
       "does not fit a coil; allowed: bit"},
      {"a number in a discrete input", "  - { name: a, type: int16, discrete: 0 }\n", 4,
       "does not fit a discrete input; allowed: bit"},
      {"a bit of a coil", "  - { name: a, coil: 0, bit: 3 }\n", 4,
       "is a place in a register, and this point lies in none"},
      {"a byte of an assembly", "  - { name: a, type: int8, assembly: 1, byte: low }\n", 4,
       "is half of a register, and this point lies in none"},
      {"which bit", "  - { name: a, type: bit, holding: 0 }\n", 4,
       "\"bit\" is missing: which bit it is, 0 to 15"},
      {"which bit of a byte", "  - { name: a, type: bit, assembly: 1 }\n", 4,
       "\"bit\" is missing: which bit it is, 0 to 7"},
      {"bit past the register", "  - { name: a, type: bit, holding: 0, bit: 16 }\n", 4,
       "ends past the last bit; allowed: 0 to 15"},
      {"bit field past the value", "  - { name: a, type: uint16, holding: 0, bit: 12, bits: 5 }\n",
       4, "ends past the last bit; allowed: 0 to 15"},
      {"bit without a width", "  - { name: a, type: uint16, holding: 0, bit: 3 }\n", 4,
       "needs \"bits\", the width of the bit field, or type bit"},
      {"text without length", "  - { name: a, type: text, holding: 0 }\n", 4,
       "\"length\" is missing: how long the text is"},
      {"text too long for one read", "  - { name: a, type: text, holding: 0, length: 126 }\n", 4,
       "126 registers cannot be read at once; allowed: 125, as modbus.max_registers says"},
      {"unknown scan", "  - { name: a, type: int16, holding: 0, scan: fsat }\n", 4,
       "there is no scan \"fsat\"; did you mean \"fast\"? allowed: fast, slow, energy"},
      {"unknown scan, none near", "  - { name: a, type: int16, holding: 0, scan: hourly }\n", 4,
       "there is no scan \"hourly\"; allowed: fast, slow, energy"},
  };
  EACH(rows, HEAD);
}

static void test_profile_mistakes_of_a_value(void **state) {
  (void)state;
  static const row rows[] = {
      {"unknown type", "  - { name: a, type: real, holding: 0 }\n", 4,
       "\"real\" does not fit; allowed: bit, int8, uint8, int16, uint16, int32, uint32, int64, "
       "uint64, float32, float64, bcd16, bcd32, bcd64, text, bool"},
      {"bits of a float", "  - { name: a, type: float32, holding: 0, bits: 3 }\n", 4,
       "does not go with type float32; allowed with: unsigned integers"},
      {"byte of a word", "  - { name: a, type: int16, holding: 0, byte: low }\n", 4,
       "does not go with type int16; allowed with: int8 and uint8"},
      {"scale of a text", "  - { name: a, type: text, length: 1, holding: 0, scale: 2 }\n", 4,
       "does not go with type text; allowed with: numbers"},
      {"length of a number", "  - { name: a, type: int16, holding: 0, length: 1 }\n", 4,
       "does not go with type int16; allowed with: text"},
      {"flags of a signed one", "  - { name: a, type: int16, holding: 0, flags: { 0: x } }\n", 4,
       "does not go with type int16; allowed with: unsigned integers"},
      {"scale 0", "  - { name: a, type: int16, holding: 0, scale: 0 }\n", 4,
       "0 would make every value the same; allowed: any other number"},
      {"sentinel too large", "  - { name: a, type: int16, holding: 0, sentinels: [32768] }\n", 4,
       "\"32768\" does not fit; allowed: a number that int16 can hold, or its 16 raw bits as 0x "
       "hex"},
      {"sentinel of too many bits",
       "  - { name: a, type: int16, holding: 0, sentinels: [0x10000] }\n", 4,
       "\"0x10000\" does not fit; allowed: a number that int16 can hold, or its 16 raw bits as 0x "
       "hex"},
      {"sentinel of a bit field",
       "  - { name: a, type: uint16, holding: 0, bits: 3, sentinels: [8] }\n", 4,
       "\"8\" does not fit; allowed: a number that uint16 can hold, or its 3 raw bits as 0x hex"},
      {"five sentinels", "  - { name: a, type: int16, holding: 0, sentinels: [1, 2, 3, 4, 5] }\n",
       4, "one sentinel too many; allowed: 4"},
      {"valid of nothing", "  - { name: a, type: int16, holding: 0, valid: {} }\n", 4,
       "says nothing; allowed: min, max or both"},
      {"valid upside down", "  - { name: a, type: int16, holding: 0, valid: { min: 2, max: 1 } }\n",
       4, "min is above max"},
      {"negative deadband", "  - { name: a, type: int16, holding: 0, deadband: -1 }\n", 4,
       "is negative; allowed: 0 or more"},
      {"enum and flags",
       "  - { name: a, type: uint16, holding: 0, enum: { 0: x }, flags: { 0: x } }\n", 4,
       "stands beside enum; allowed: one of them"},
      {"enum of a scaled one",
       "  - { name: a, type: uint16, holding: 0, scale: 2, enum: { 0: x } }\n", 4,
       "names go with whole numbers; allowed: without scale, add and sign"},
      {"enum value twice", "  - { name: a, type: uint16, holding: 0, enum: { 16: x, 0x10: y } }\n",
       4, "16 has a name already; allowed: one"},
      {"enum value too large", "  - { name: a, type: uint8, holding: 0, enum: { 256: x } }\n", 4,
       "\"256\" is no value of this point; allowed: 0 to 255"},
      {"enum value past a signed one",
       "  - { name: a, type: int16, holding: 0, enum: { 32768: x } }\n", 4,
       "\"32768\" is no value of this point; allowed: 0 to 32767"},
      {"enum value no number", "  - { name: a, type: uint8, holding: 0, enum: { on: x } }\n", 4,
       "\"on\" is no value of this point; allowed: 0 to 255"},
      {"bit of flags past the width",
       "  - { name: a, type: uint16, holding: 0, flags: { 16: x } }\n", 4,
       "\"16\" is no bit of this point; allowed: 0 to 15"},
      {"no names", "  - { name: a, type: uint16, holding: 0, enum: {} }\n", 4,
       "0 names; allowed: 1 to 1024"},
  };
  EACH(rows, HEAD);
}

static void test_profile_mistakes_of_a_write(void **state) {
  (void)state;
  static const row rows[] = {
      {"not a map", "  - { name: a, type: int16, holding: 0, write: yes }\n", 4,
       "\"yes\" does not fit; allowed: true, false or a map"},
      {"an input register", "  - { name: a, type: int16, input: 0, write: true }\n", 4,
       "an input register cannot be written; allowed: coil, holding"},
      {"a discrete input", "  - { name: a, discrete: 0, write: true }\n", 4,
       "a discrete input cannot be written; allowed: coil, holding"},
      {"an assembly", "  - { name: a, type: int16, assembly: 1, write: true }\n", 4,
       "an assembly cannot be written; allowed: coil, holding"},
      {"upside down", "  - { name: a, type: int16, holding: 0, write: { min: 2, max: 1 } }\n", 4,
       "min is above max"},
      {"no step", "  - { name: a, type: int16, holding: 0, write: { step: 0 } }\n", 4,
       "a step is above 0"},
      {"limits of a coil", "  - { name: a, coil: 0, write: { max: 1 } }\n", 4,
       "does not go with type bit; allowed with: numbers"},
      {"past the raw type", "  - { name: a, type: int16, holding: 0, write: { max: 40000 } }\n", 4,
       "40000 cannot be written; allowed: what int16 can hold, within the valid range, no "
       "sentinel"},
      {"past the valid range",
       "  - { name: a, type: int16, holding: 0, valid: { min: 0 }, write: { min: -1 } }\n", 4,
       "-1 cannot be written; allowed: what int16 can hold, within the valid range, no sentinel"},
      {"misspelt", "  - { name: a, type: int16, holding: 0, write: { mn: 1 } }\n", 4,
       "unknown key; did you mean \"min\"? allowed: min, max, step, block, read_back, function"},
      {"function of a coil", "  - { name: a, type: int16, holding: 0, write: { function: 5 } }\n",
       4, "5 cannot write this; allowed: 6, 16, 22"},
      {"function of one register",
       "  - { name: a, type: int32, holding: 0, write: { function: 6 } }\n", 4,
       "6 cannot write this; allowed: 16"},
      {"function of a register", "  - { name: a, coil: 0, write: { function: 6 } }\n", 4,
       "6 cannot write this; allowed: 5, 15"},
      {"function of one in a block",
       "  - { name: a, type: int16, holding: 0, write: { block: b, function: 6 } }\n", 4,
       "6 cannot write this; allowed: 16, for a block"},
      {"a block with a gap",
       "  - { name: a, type: int16, holding: 0, write: { block: b } }\n"
       "  - { name: c, type: int16, holding: 2, write: { block: b } }\n",
       5, "block \"b\" has a gap before this point: 1 is not of it; allowed: none"},
      {"a block of two tables",
       "  - { name: a, coil: 0, write: { block: b } }\n"
       "  - { name: c, type: int16, holding: 0, write: { block: b } }\n",
       5, "block \"b\" has points in coil too; allowed: one table"},
  };
  EACH(rows, HEAD);
  static const row limited[] = {
      {"too long", "  - { name: a, type: int64, holding: 0, write: true }\n", 5,
       "4 registers cannot be written at once; allowed: 2"},
      {"a block too long",
       "  - { name: a, type: int16, holding: 0, write: { block: b } }\n"
       "  - { name: c, type: int32, holding: 1, write: { block: b } }\n",
       6, "block \"b\" takes 3 registers; allowed: 2"},
  };
  EACH(limited, "profile: 1\nid: t\nmodbus: { max_write_registers: 2 }\npoints:\n");
}

#define OVERLAP(what)                                                                              \
  "overlaps " what "; allowed: bits or bytes apart from each other, or alias: true if one lies "   \
  "within the other"

static void test_profile_mistakes_between_points(void **state) {
  (void)state;
  static const row rows[] = {
      {"the same name",
       "  - { name: a, type: int16, holding: 0 }\n  - { name: a, type: int16, holding: 1 }\n", 5,
       "\"a\" is the point of line 4 already"},
      {"the same register",
       "  - { name: a, type: int16, holding: 0 }\n  - { name: b, type: uint16, holding: 0 }\n", 5,
       OVERLAP("holding 0 of \"a\" in line 4")},
      {"half of it",
       "  - { name: a, type: int32, holding: 10 }\n  - { name: b, type: int32, holding: 9 }\n", 5,
       OVERLAP("holding 10 of \"a\" in line 4")},
      {"half of it, by alias",
       "  - { name: a, type: int32, input: 0 }\n"
       "  - { name: b, type: int32, input: 1, alias: true }\n",
       5, OVERLAP("input 0 of \"a\" in line 4")},
      {"the same bit",
       "  - { name: a, type: bit, bit: 3, holding: 0 }\n"
       "  - { name: b, type: uint16, bit: 0, bits: 4, holding: 0 }\n",
       5, OVERLAP("holding 0 of \"a\" in line 4")},
      {"the same coil", "  - { name: a, coil: 0 }\n  - { name: b, coil: 0 }\n", 5,
       OVERLAP("coil 0 of \"a\" in line 4")},
      {"in an assembly",
       "  - { name: a, type: float32, assembly: 101, offset: 0 }\n"
       "  - { name: b, type: float32, assembly: 101, offset: 2 }\n",
       5, OVERLAP("assembly 101 of \"a\" in line 4")},
      {"no such scale", "  - { name: a, type: int16, holding: 0, scale_from: b }\n", 4,
       "there is no point \"b\""},
      {"scale of itself", "  - { name: a, type: int16, holding: 0, scale_from: a }\n", 4,
       "\"a\" is the point itself; allowed: another one"},
      {"a scale with a fraction",
       "  - { name: a, type: int16, holding: 0, scale_from: f }\n"
       "  - { name: f, type: float32, holding: 1 }\n",
       4, "\"f\" is no whole number; allowed: a point of an integer type, without scale and add"},
      {"a scaled scale",
       "  - { name: a, type: int16, holding: 0, scale_from: f }\n"
       "  - { name: f, type: int16, holding: 1, scale: 2 }\n",
       4, "\"f\" is no whole number; allowed: a point of an integer type, without scale and add"},
      {"a scale of another scan",
       "  - { name: a, type: int16, holding: 0, scale_from: f }\n"
       "  - { name: f, type: int16, holding: 1, scan: slow }\n",
       4, "\"f\" is read in another scan; allowed: a point of the same scan"},
  };
  EACH(rows, HEAD);
  static const row unreadable[] = {
      {"in an unreadable range", "  - { name: a, type: int32, input: 15 }\n", 5,
       "lies in the unreadable range input 0x0010-0x001f"},
  };
  EACH(unreadable,
       "profile: 1\nid: t\nmodbus: { unreadable: [holding 15, input 16-31] }\npoints:\n");
}

static void test_profile_mistakes_are_told_all_at_once(void **state) {
  (void)state;
  bb_profile *profile;
  bb_report report;
  bb_buf out;
  bb_report_init(&report);
  bb_buf_init(&out, 65536);
  int err = profile_read_text("profile: 1\n"
                              "id: t\n"
                              "modbus:\n"
                              "  max_gap: 200\n"
                              "points:\n"
                              "  - { name: a, type: int16, holding: 0 }\n"
                              "  - { name: a, type: int16, holding: 0 }\n"
                              "  - { name: c, type: text, holding: 5, unti: V }\n",
                              &profile, &report);
  expect_int("five mistakes", err, BB_ERR_CONFIG);
  expect_uint("five mistakes", report.n, 5);
  bb_report_sort(&report);
  bb_report_print(&report, &out);
  expect_part(
      "file, line and path", bb_buf_string(&out),
      "p.yaml:4: modbus.max_gap: \"200\" does not fit; allowed: whole number from 0 to 124\n");
  expect_part("nearest key", bb_buf_string(&out), "did you mean \"unit\"?");
  bb_buf_close(&out);
  bb_report_close(&report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_profile_mistakes_of_the_top),
      cmocka_unit_test(test_profile_mistakes_of_a_place),
      cmocka_unit_test(test_profile_mistakes_of_a_value),
      cmocka_unit_test(test_profile_mistakes_of_a_write),
      cmocka_unit_test(test_profile_mistakes_between_points),
      cmocka_unit_test(test_profile_mistakes_are_told_all_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
