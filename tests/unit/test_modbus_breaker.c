/* SPDX-License-Identifier: Apache-2.0 */
/* The circuit breaker of a unit and the budget of its line: when a probe is let through. */
#include <stdio.h>

#include "support/expect.h"

#include "base/clock.h"
#include "drivers/modbus/breaker.h"

#define MS BB_NS_PER_MS
#define S BB_NS_PER_S
#define START (1000 * S)

typedef struct {
  bb_modbus_breaker breaker;
  bb_modbus_budget budget;
  uint64_t now;
} fixture;

static void init(fixture *f) {
  bb_modbus_breaker_init(&f->breaker, 1);
  f->budget = (bb_modbus_budget){0};
  f->now = START;
}

static bb_modbus_pass ask(fixture *f, bool shared) {
  return bb_modbus_breaker_ask(&f->breaker, &f->budget, f->now, S, shared);
}

static bool fail_after(fixture *f, uint64_t took) {
  f->now += took;
  return bb_modbus_breaker_failed(&f->breaker, &f->budget, f->now, took, 0);
}

/* Time from now on until a probe is let through, in steps of 10 ms. */
static uint64_t wait_for_probe(fixture *f, bool shared) {
  uint64_t from = f->now;
  while (ask(f, shared) == BB_MODBUS_PASS_STOP) f->now += 10 * MS;
  return f->now - from;
}

static void test_breaker_opens_after_two_in_a_row(void **state) {
  (void)state;
  fixture f;
  init(&f);
  expect_int("fresh", ask(&f, true), BB_MODBUS_PASS_GO);
  expect_true("one", !fail_after(&f, S));
  expect_int("after one", ask(&f, true), BB_MODBUS_PASS_GO);
  expect_true("answer", !bb_modbus_breaker_answered(&f.breaker, &f.budget, MS));
  expect_true("one again", !fail_after(&f, S));
  expect_true("two in a row", fail_after(&f, S));
  expect_int("open", ask(&f, true), BB_MODBUS_PASS_STOP);
}

static void test_breaker_closes_on_one_answer(void **state) {
  (void)state;
  fixture f;
  init(&f);
  fail_after(&f, S);
  fail_after(&f, S);
  wait_for_probe(&f, true);
  expect_int("one probe at a time", ask(&f, true), BB_MODBUS_PASS_STOP);
  expect_true("closed", bb_modbus_breaker_answered(&f.breaker, &f.budget, 5 * MS));
  expect_int("go", ask(&f, true), BB_MODBUS_PASS_GO);
  expect_true("one failure does not open it again", !fail_after(&f, S));
}

/* With nobody else on the line only the back-off counts: 1, 2, 4 ... 60 s, ±20 %. */
static void test_breaker_backs_off_up_to_a_minute(void **state) {
  (void)state;
  fixture f;
  init(&f);
  fail_after(&f, S);
  fail_after(&f, S);
  double expected = 1;
  for (int i = 0; i < 12; i++) {
    double waited = (double)wait_for_probe(&f, false) / 1e9;
    char row[64];
    snprintf(row, sizeof(row), "probe %d after %.2f s, expected about %.0f", i, waited, expected);
    expect_true(row, waited >= expected * 0.79 && waited <= expected * 1.21 && waited <= 60.01);
    fail_after(&f, S);
    expected = expected * 2 > 60 ? 60 : expected * 2;
  }
}

static void test_breaker_jitter_differs_between_units(void **state) {
  (void)state;
  uint64_t first = 0;
  bool differs = false;
  for (uint64_t seed = 0; seed < 8; seed++) {
    fixture f;
    init(&f);
    bb_modbus_breaker_init(&f.breaker, seed);
    fail_after(&f, S);
    fail_after(&f, S);
    if (seed == 0) first = f.breaker.due_ns;
    differs = differs || f.breaker.due_ns != first;
  }
  expect_true("some back-off differs", differs);
}

/* A line whose units are polled each 100 ms; the dead ones take 1 s of it whenever they are asked.
 * Returns the part of an hour that they took. */
static double part_lost(unsigned n_dead, uint64_t *most_apart) {
  bb_modbus_breaker dead[8];
  uint64_t last[8];
  bb_modbus_budget budget = {0};
  uint64_t now = START, lost = 0, end = START + 3600 * S;
  *most_apart = 0;
  for (unsigned i = 0; i < n_dead; i++) {
    bb_modbus_breaker_init(&dead[i], i);
    last[i] = now;
  }
  while (now < end) {
    unsigned n_open = 0;
    for (unsigned i = 0; i < n_dead; i++) n_open += dead[i].open;
    for (unsigned i = 0; i < n_dead; i++) {
      if (bb_modbus_breaker_ask(&dead[i], &budget, now, S, true) == BB_MODBUS_PASS_STOP) continue;
      if (now - last[i] > *most_apart) *most_apart = now - last[i];
      now += S;
      lost += S;
      last[i] = now;
      bb_modbus_breaker_failed(&dead[i], &budget, now, S, n_open + !dead[i].open);
    }
    now += 100 * MS;
  }
  return (double)lost / (double)(end - START);
}

static void test_breaker_probes_stay_inside_the_budget(void **state) {
  (void)state;
  static const unsigned rows[] = {1, 2, 4, 8};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint64_t most_apart;
    double lost = part_lost(rows[i], &most_apart);
    char row[96];
    snprintf(row, sizeof(row), "%u dead units took %.2f %% of an hour", rows[i], lost * 100);
    expect_true(row, lost <= 0.05 && lost > 0.005);
    /* Each gets its turn, at worst in the second round, and what opened them is paid first. */
    snprintf(row, sizeof(row), "%u dead units: %.0f s without a probe", rows[i],
             (double)most_apart / 1e9);
    expect_true(row, most_apart <= (rows[i] * 50 + 75) * S);
  }
}

static void test_breaker_hurry_lets_a_probe_through(void **state) {
  (void)state;
  fixture f;
  init(&f);
  fail_after(&f, S);
  fail_after(&f, S);
  bb_modbus_breaker_hurry(&f.breaker, f.now);
  expect_int("alone", ask(&f, false), BB_MODBUS_PASS_PROBE);
  bb_modbus_breaker_cancelled(&f.breaker);
  expect_int("not while others pay for it", ask(&f, true), BB_MODBUS_PASS_STOP);
  expect_int("a cancelled probe can be repeated", ask(&f, false), BB_MODBUS_PASS_PROBE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_breaker_opens_after_two_in_a_row),
      cmocka_unit_test(test_breaker_closes_on_one_answer),
      cmocka_unit_test(test_breaker_backs_off_up_to_a_minute),
      cmocka_unit_test(test_breaker_jitter_differs_between_units),
      cmocka_unit_test(test_breaker_probes_stay_inside_the_budget),
      cmocka_unit_test(test_breaker_hurry_lets_a_probe_through),
  };
  return cmocka_run_group_tests_name("modbus breaker", tests, NULL, NULL);
}
