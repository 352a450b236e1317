/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "sim/fault.h"
#include "support/expect.h"

static bb_fault parse(const char *text) {
  bb_fault fault;
  char why[200] = "";
  int err = bb_fault_parse(&fault, text, why, sizeof(why));
  if (err != 0) fail_msg("%s: %s", text, why);
  return fault;
}

static void add(bb_fault_list *list, const char *text) {
  bb_fault fault = parse(text);
  expect_int(text, bb_fault_list_add(list, &fault), 0);
}

static bb_fault_plan plan(bb_fault_list *list, int unit, uint32_t first, uint32_t n) {
  bb_fault_request request = {
      .unit = unit, .port = 502, .space = BB_SPACE_HOLDING, .first = first, .n = n};
  bb_fault_plan out;
  bb_fault_list_plan(list, &request, &out);
  return out;
}

static void test_fault_text_is_read(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bb_fault fault;
  } rows[] = {
      {"delay 500ms", {.kind = BB_FAULT_DELAY, .low = 500, .high = 500}},
      {"late 1s-1.5s times 2", {.kind = BB_FAULT_LATE, .low = 1000, .high = 1500, .times = 2}},
      {"silence unit 3", {.kind = BB_FAULT_SILENCE, .target = {3 + 1, 0}}},
      {"exception 2 holding 100-110",
       {.kind = BB_FAULT_EXCEPTION,
        .code = 2,
        .space = BB_SPACE_HOLDING + 1,
        .first = 100,
        .last = 110}},
      {"exception 0x04 input 0x10 port 1502 unit 0",
       {.kind = BB_FAULT_EXCEPTION,
        .code = 4,
        .space = BB_SPACE_INPUT + 1,
        .first = 16,
        .last = 16,
        .target = {1, 1503}}},
      {"exception 6", {.kind = BB_FAULT_EXCEPTION, .code = 6, .last = 65535}},
      {"cut", {.kind = BB_FAULT_CUT}},
      {"cut 9", {.kind = BB_FAULT_CUT, .low = 9, .high = 9}},
      {"split", {.kind = BB_FAULT_SPLIT, .low = 1, .high = 1}},
      {"  garbage \t 7\n", {.kind = BB_FAULT_GARBAGE, .low = 7, .high = 7}},
      {"merge", {.kind = BB_FAULT_MERGE, .low = 50, .high = 50}},
      {"merge 80ms", {.kind = BB_FAULT_MERGE, .low = 80, .high = 80}},
      {"close-on-request", {.kind = BB_FAULT_CLOSE_ON_REQUEST}},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    /* In the table, targets and spaces are one more, so that 0 stands for any. */
    bb_fault fault = parse(rows[i].text), expected = rows[i].fault;
    expect_int(rows[i].text, fault.kind, expected.kind);
    expect_int(rows[i].text, fault.target.unit, expected.target.unit - 1);
    expect_int(rows[i].text, fault.target.port, expected.target.port - 1);
    expect_uint(rows[i].text, fault.times, expected.times);
    expect_uint(rows[i].text, fault.low, expected.low);
    expect_uint(rows[i].text, fault.high, expected.high);
    expect_uint(rows[i].text, fault.code, expected.code);
    expect_int(rows[i].text, fault.space, expected.space - 1);
    expect_uint(rows[i].text, fault.first, expected.first);
    expect_uint(rows[i].text, fault.last, expected.last);
  }
}

static void test_fault_text_with_a_mistake_is_explained(void **state) {
  (void)state;
  static const struct {
    const char *text, *why;
  } rows[] = {
      {"", "which fault is missing"},
      {"silense", "there is no fault silense; did you mean silence?"},
      {"delay", "nothing is not a time; allowed: such as 500ms"},
      {"delay fast", "fast is not a time"},
      {"delay 5s-1s", "5s-1s is not a time"},
      {"delay 2h", "2h is not a time; allowed: such as 500ms or 2ms-30ms, up to 1h"},
      {"exception", "nothing is not an exception code; allowed: 1 to 127"},
      {"exception 128", "128 is not an exception code"},
      {"exception 2 holding 9-3", "9-3 is not an address or a range"},
      {"exception 2 holding 65536", "65536 is not an address"},
      {"exception 2 registers 5",
       "registers is not understood here; allowed: unit U, port P, times N"},
      {"silence unit", "unit needs a number; allowed: 0 to 255"},
      {"silence unit 256", "unit needs a number"},
      {"silence unit 3-4", "unit needs a number"},
      {"split 0", "0 is not a number of bytes; allowed: 1 to 65536"},
      {"silence 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "too many words"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_fault fault;
    char why[200] = "";
    expect_int(rows[i].text, bb_fault_parse(&fault, rows[i].text, why, sizeof(why)), BB_ERR_FORMAT);
    expect_part(rows[i].text, why, rows[i].why);
  }
}

static void test_fault_list_spoils_what_is_meant(void **state) {
  (void)state;
  bb_fault_list list;
  bb_fault_list_init(&list, 1);
  expect_true("nothing", !plan(&list, 1, 0, 10).silent);
  add(&list, "silence unit 3");
  add(&list, "close-on-request port 503");
  add(&list, "exception 2 holding 100-110");
  add(&list, "exception 4 input 0-9");
  expect_true("unit 3", plan(&list, 3, 0, 1).silent);
  expect_true("unit 1", !plan(&list, 1, 0, 1).silent);
  expect_true("another port", !plan(&list, 1, 0, 1).close);
  expect_uint("before the range", plan(&list, 1, 90, 10).exception, 0);
  expect_uint("into the range", plan(&list, 1, 90, 11).exception, 2);
  expect_uint("its last", plan(&list, 1, 110, 5).exception, 2);
  expect_uint("behind it", plan(&list, 1, 111, 5).exception, 0);
  bb_fault_list_clear(&list, (bb_fault_target){3, BB_FAULT_ANY});
  expect_true("unit 3 cleared", !plan(&list, 3, 0, 1).silent);
  expect_uint("the others stay", list.n, 3);
  bb_fault_list_clear(&list, (bb_fault_target){BB_FAULT_ANY, BB_FAULT_ANY});
  expect_uint("all cleared", list.n, 0);
}

static void test_fault_list_counts_down(void **state) {
  (void)state;
  bb_fault_list list;
  bb_fault_list_init(&list, 1);
  add(&list, "silence times 2");
  add(&list, "wrong-transaction times 1");
  add(&list, "drop times 1");
  bb_fault_plan first = plan(&list, 1, 0, 1), second = plan(&list, 1, 0, 1);
  expect_true("first", first.silent && first.wrong_transaction);
  expect_true("second", second.silent && !second.wrong_transaction);
  expect_true("third", !plan(&list, 1, 0, 1).silent);
  expect_true("a request does not use up what concerns connections", bb_fault_list_drops(&list, 1));
  expect_true("dropped once", !bb_fault_list_drops(&list, 1));
  expect_uint("none left", list.n, 0);
}

static void test_fault_list_replaces_and_ends(void **state) {
  (void)state;
  bb_fault_list list;
  bb_fault_list_init(&list, 1);
  add(&list, "delay 500ms");
  add(&list, "delay 20ms");
  expect_uint("the newer delay", plan(&list, 1, 0, 1).delay_ms, 20);
  add(&list, "delay 5ms unit 1");
  expect_uint("both targets", plan(&list, 1, 0, 1).delay_ms, 25);
  add(&list, "late 100ms");
  bb_fault_plan late = plan(&list, 2, 0, 1);
  expect_true("late", late.overtaken && late.delay_ms == 120);
  for (uint32_t i = list.n; i < BB_FAULT_MAX; i++) {
    char text[40];
    snprintf(text, sizeof(text), "exception 2 holding %u", i);
    add(&list, text);
  }
  bb_fault more = parse("exception 2 holding 9999");
  expect_int("full", bb_fault_list_add(&list, &more), BB_ERR_LIMIT);
}

static void test_fault_random_keeps_its_range(void **state) {
  (void)state;
  bb_fault_list a, b;
  bb_fault_list_init(&a, 5);
  bb_fault_list_init(&b, 5);
  bool low = false, high = false;
  for (int i = 0; i < 10000; i++) {
    uint32_t value = bb_fault_random(&a, 2, 30);
    expect_uint("same seed", bb_fault_random(&b, 2, 30), value);
    if (value < 2 || value > 30) fail_msg("%u is not within 2 to 30", value);
    low = low || value == 2;
    high = high || value == 30;
  }
  expect_true("both ends", low && high);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fault_text_is_read),
      cmocka_unit_test(test_fault_text_with_a_mistake_is_explained),
      cmocka_unit_test(test_fault_list_spoils_what_is_meant),
      cmocka_unit_test(test_fault_list_counts_down),
      cmocka_unit_test(test_fault_list_replaces_and_ends),
      cmocka_unit_test(test_fault_random_keeps_its_range),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
