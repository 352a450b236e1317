/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rails.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/profile.h"
#include "support/sample.h"

static const char profile_text[] =
    "profile: 1\n"
    "id: acme/drive\n"
    "points:\n"
    "  - { name: power/limit, type: uint16, unit: '%', holding: 0, "
    "write: { min: 0, max: 100, step: 1 } }\n"
    "  - { name: power/total, type: float32, holding: 1 }\n"
    "  - { name: voltage, type: int16, unit: V, scale: 0.1, holding: 3, write: true }\n"
    "  - { name: ramp, type: float32, unit: kW/s, holding: 4, "
    "write: { min: 0.1, max: 2, step: 0.1 } }\n"
    "  - { name: mode, type: uint16, holding: 6, write: true, enum: { 0: off, 1: on, 4: auto } }\n"
    "  - { name: relay, type: bit, coil: 0, write: true }\n"
    "  - { name: label, type: text, length: 4, holding: 7, write: true }\n"
    "  - { name: gain, type: float32, holding: 12, write: true }\n"
    "  - { name: counter, type: int64, holding: 14, write: { min: 0, step: 2 } }\n"
    "  - { name: offset, type: int32, unit: A, holding: 18, write: { max: 10 } }\n"
    "  - { name: setpoint, type: uint16, holding: 20, sentinels: [0xffff], write: true }\n"
    "  - { name: narrow, type: uint16, holding: 21, valid: { min: 5, max: 50 }, write: true }\n"
    "  - { name: exact, type: float64, holding: 22, write: { min: -1, max: 1 } }\n"
    "  - { name: back, type: int16, holding: 26, sign: -1, write: true }\n";

typedef struct row {
  const char *point;
  bb_value given;
  int err;
  const char *why;
} row;

static int open_profile(void **state) {
  *state = profile_of(profile_text);
  return 0;
}

static int close_profile(void **state) {
  bb_profile_unref(*state);
  return 0;
}

/* clang-format off */
static const row refused[] = {
    {"power/limit", SAMPLE_F64(120), BB_ERR_RANGE,
     "power/limit: 120 is above 100; allowed: 0 to 100 % in steps of 1"},
    {"power/limit", SAMPLE_INT(I32, -1), BB_ERR_RANGE,
     "power/limit: -1 is below 0; allowed: 0 to 100 % in steps of 1"},
    {"power/limit", SAMPLE_F64(1.5), BB_ERR_RANGE,
     "power/limit: 1.5 is not a whole number; allowed: 0 to 100 % in steps of 1"},
    {"power/limit", SAMPLE_F64((double)NAN), BB_ERR_RANGE,
     "power/limit: NaN is no number; allowed: 0 to 100 % in steps of 1"},
    {"power/limit", SAMPLE_F64((double)-INFINITY), BB_ERR_RANGE,
     "power/limit: -infinity cannot be written; allowed: 0 to 100 % in steps of 1"},
    {"power/limit", SAMPLE_TEXT("50"), BB_ERR_TYPE,
     "power/limit: \"50\" is not a number; allowed: 0 to 100 % in steps of 1"},
    {"power/total", SAMPLE_F64(1), BB_ERR_DENIED,
     "power/total: cannot be written; its profile makes it read-only"},
    {"voltage", SAMPLE_F64(3276.8), BB_ERR_RANGE,
     "voltage: 3276.8 is above 3276.7; allowed: -3276.8 to 3276.7 V"},
    {"ramp", SAMPLE_F64(0.25), BB_ERR_RANGE,
     "ramp: 0.25 lies between two steps; allowed: 0.1 to 2 kW/s in steps of 0.1"},
    {"ramp", SAMPLE_F32(2.1f), BB_ERR_RANGE,
     "ramp: 2.1 is above 2; allowed: 0.1 to 2 kW/s in steps of 0.1"},
    {"mode", SAMPLE_F64(2), BB_ERR_RANGE,
     "mode: 2 is none of its values; allowed: 0 off, 1 on, 4 auto"},
    {"mode", SAMPLE_TEXT("of"), BB_ERR_TYPE,
     "mode: \"of\" is none of its values; allowed: 0 off, 1 on, 4 auto"},
    {"mode", SAMPLE_F64((double)NAN), BB_ERR_RANGE,
     "mode: NaN is no number; allowed: 0 off, 1 on, 4 auto"},
    {"relay", SAMPLE_F64(2), BB_ERR_RANGE,
     "relay: 2 is neither true nor false; allowed: true or false"},
    {"relay", SAMPLE_TEXT("yes"), BB_ERR_TYPE,
     "relay: \"yes\" is none of its values; allowed: true or false"},
    {"label", SAMPLE_TEXT("123456789"), BB_ERR_RANGE,
     "label: \"123456789\" is too long; allowed: a text of up to 8 bytes"},
    {"label", SAMPLE_TEXT("a\0b"), BB_ERR_RANGE, "has a character that cannot be written"},
    {"label", SAMPLE_F64(7), BB_ERR_TYPE,
     "label: 7 is not a text; allowed: a text of up to 8 bytes"},
    {"gain", SAMPLE_F64((double)INFINITY), BB_ERR_RANGE,
     "gain: infinity cannot be written; allowed: a number"},
    {"gain", SAMPLE_F64(1e39), BB_ERR_RANGE,
     "gain: 1e+39 is more than float32 can hold; allowed: a number"},
    {"counter", SAMPLE_INT(I64, INT64_C(9007199254740993)), BB_ERR_RANGE,
     "counter: 9007199254740993 lies between two steps; allowed: from 0 up in steps of 2"},
    {"counter", SAMPLE_UINT(U64, UINT64_MAX - 1), BB_ERR_RANGE,
     "counter: 18446744073709551614 is more than int64 can hold; allowed: from 0 up in steps of 2"},
    {"offset", SAMPLE_F64(11), BB_ERR_RANGE, "offset: 11 is above 10; allowed: -2147483648 to 10 A"},
    {"setpoint", SAMPLE_F64(65535), BB_ERR_INVALID,
     "setpoint: 65535 would be read as \"not available\"; allowed: 0 to 65535"},
    {"setpoint", SAMPLE_F64(65536), BB_ERR_RANGE,
     "setpoint: 65536 is above 65535; allowed: 0 to 65535"},
    {"narrow", SAMPLE_F64(4), BB_ERR_RANGE, "narrow: 4 is below 5; allowed: 5 to 50"},
    {"exact", SAMPLE_F64(1.0000000000000002), BB_ERR_RANGE,
     "exact: 1.0000000000000002 is above 1; allowed: -1 to 1"},
    {"back", SAMPLE_F64(-32768), BB_ERR_RANGE,
     "back: -32768 is below -32767; allowed: -32767 to 32768"},
};

static const row passing[] = {
    {"power/limit", SAMPLE_F64(0), 0, "0"},
    {"power/limit", SAMPLE_UINT(U64, 100), 0, "100"},
    {"power/limit", SAMPLE_BOOL(true), 0, "1"},
    {"voltage", SAMPLE_F64(230.1), 0, "230.1"},
    {"voltage", SAMPLE_INT(I8, -4), 0, "-4"},
    /* As a double this is 0.30000000000000004, and 0.1 + 2 × 0.1 as well, but not each is so kind. */
    {"ramp", SAMPLE_F64(0.1 + 0.2), 0, "0.3"},
    {"ramp", SAMPLE_F64(1.7), 0, "1.7"},
    {"ramp", SAMPLE_F32(0.1f), 0, "0.1"}, /* as a double above its min by 1.5e-9 */
    {"ramp", SAMPLE_F64(2), 0, "2"},
    {"mode", SAMPLE_F64(4), 0, "4"},
    {"mode", SAMPLE_TEXT("auto"), 0, "4"},
    {"relay", SAMPLE_F64(1), 0, "1"},
    {"relay", SAMPLE_TEXT("true"), 0, "1"},
    {"relay", SAMPLE_TEXT("false"), 0, "0"},
    {"gain", SAMPLE_F64(-1e38), 0, "-1e+38"},
    {"counter", SAMPLE_INT(I64, INT64_C(9007199254740994)), 0, "9007199254740994"},
    {"offset", SAMPLE_F64(-2147483648.0), 0, "-2147483648"},
    {"back", SAMPLE_F64(32768), 0, "32768"},
};
/* clang-format on */

static void test_rails_say_what_was_given_and_what_is_allowed(void **state) {
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    const row *r = &refused[i];
    char why[BB_RAILS_TEXT] = "";
    bb_value out;
    int err = bb_rails_check(profile_point(*state, r->point), r->given, &out, why, sizeof(why));
    expect_int(r->why, err, r->err);
    expect_part(r->point, why, r->why);
  }
}

static void test_rails_give_the_value_as_the_type_of_the_point(void **state) {
  for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
    const row *r = &passing[i];
    const bb_profile_point *point = profile_point(*state, r->point);
    char why[BB_RAILS_TEXT] = "";
    bb_value out;
    expect_int(r->point, bb_rails_check(point, r->given, &out, why, sizeof(why)), 0);
    expect_text(r->point, why, "");
    expect_int(r->point, out.type, point->point.type);
    double expected = strtod(r->why, NULL);
    if (out.type == BB_TYPE_F32) expected = (double)(float)expected;
    expect_true(r->point, fabs(bb_value_double(out) - expected) < 1e-12);
  }
}

static void test_rails_leave_a_text_where_it_is(void **state) {
  char text[] = "pump", why[BB_RAILS_TEXT];
  bb_value given = {.type = BB_TYPE_TEXT, .v = {.text = {text, 4}}}, out;
  expect_int("err", bb_rails_check(profile_point(*state, "label"), given, &out, why, sizeof(why)),
             0);
  expect_true("not copied", out.v.text.bytes == text);
  expect_uint("length", out.v.text.len, 4);
}

static void test_rails_limits_are_the_narrowest(void **state) {
  bb_rail rail;
  bb_rails_limits(profile_point(*state, "power/limit"), &rail);
  expect_double("min", rail.min, 0);
  expect_double("max", rail.max, 100);
  expect_double("step", rail.step, 1);
  bb_rails_limits(profile_point(*state, "voltage"), &rail);
  expect_double("scaled min", rail.min, -3276.8);
  expect_double("scaled max", rail.max, 3276.7);
  bb_rails_limits(profile_point(*state, "gain"), &rail);
  expect_true("none", !rail.has_min && !rail.has_max && rail.step == 0);
}

/* Sentences keep to their room, however small it is and however long the names are. */
static void test_rails_cut_their_sentences(void **state) {
  (void)state;
  char text[8192], why[BB_RAILS_TEXT + 8];
  int len = snprintf(text, sizeof(text),
                     "profile: 1\nid: a/b\npoints:\n  - name: m\n    type: uint16\n"
                     "    holding: 0\n    write: true\n    enum:\n");
  for (int i = 0; i < 40; i++) {
    len += snprintf(text + len, sizeof(text) - (size_t)len, "      %d: %s%d\n", i,
                    "a/long/word/that/goes/on/and/on/", i);
  }
  bb_profile *profile = profile_of(text);
  bb_value out, given = {.type = BB_TYPE_TEXT, .v = {.text = {text, 250}}};
  for (size_t cap = 1; cap <= BB_RAILS_TEXT; cap++) {
    memset(why, 'x', sizeof(why));
    expect_int("err", bb_rails_check(&profile->points[0], given, &out, why, cap), BB_ERR_TYPE);
    expect_true("ends in its room", memchr(why, 0, cap) != NULL);
    expect_int("nothing behind it", why[cap], 'x');
    bb_rails_allowed(&profile->points[0], why, cap);
    expect_true("so does the list", strlen(why) < cap);
  }
  expect_part("the list ends so", why, ", ...");
  bb_profile_unref(profile);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rails_say_what_was_given_and_what_is_allowed),
      cmocka_unit_test(test_rails_give_the_value_as_the_type_of_the_point),
      cmocka_unit_test(test_rails_leave_a_text_where_it_is),
      cmocka_unit_test(test_rails_limits_are_the_narrowest),
      cmocka_unit_test(test_rails_cut_their_sentences),
  };
  return cmocka_run_group_tests_name("rails", tests, open_profile, close_profile);
}
