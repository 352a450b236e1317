/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "sim/plant.h"
#include "support/expect.h"

#define SECOND 1000000000ll
#define NOON (1795262400 * SECOND) /* 2026-11-21 12:00 UTC */
#define DAY (86400 * SECOND)

static void expect_near(const char *row, double actual, double expected, double tolerance) {
  if (!(fabs(actual - expected) <= tolerance)) {
    fail_msg("%s: %.17g is not within %g of %.17g", row, actual, tolerance, expected);
  }
}

static void expect_range(const char *row, double actual, double low, double high) {
  if (!(actual >= low && actual <= high)) {
    fail_msg("%s: %.17g is not within %g to %g", row, actual, low, high);
  }
}

static void test_plant_same_seed_and_time_give_the_same(void **state) {
  (void)state;
  bb_plant a, b, other;
  bb_plant_reading x, y, z;
  bb_plant_init(&a, 7);
  bb_plant_init(&b, 7);
  bb_plant_init(&other, 8);
  /* Also if one of them was read in between. */
  for (int i = 1; i < 100; i++) bb_plant_read(&a, NOON - i * DAY, &x);
  bb_plant_read(&a, NOON, &x);
  bb_plant_read(&b, NOON, &y);
  bb_plant_read(&other, NOON, &z);
  expect_double("active", x.now.active[3], y.now.active[3]);
  expect_double("energy", x.energy.active_import[3], y.energy.active_import[3]);
  expect_true("another seed, another feeder", x.now.active[3] != z.now.active[3]);
  expect_double("but the same grid", x.now.frequency, z.now.frequency);
}

static void test_plant_values_are_consistent(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 50; seed++) {
    bb_plant plant;
    bb_plant_reading r;
    bb_plant_init(&plant, seed);
    bb_plant_read(&plant, NOON + (int64_t)seed * 3607 * SECOND, &r);
    const bb_plant_set *s = &r.now;
    double p = 0, q = 0;
    for (int i = 0; i < 3; i++) {
      expect_near("P = U I PF", s->line_neutral[i] * s->current[i] * s->factor[i], s->active[i],
                  1e-6);
      expect_near("S = U I", s->line_neutral[i] * s->current[i], s->apparent[i], 1e-6);
      expect_near("S2 = P2 + Q2", hypot(s->active[i], s->reactive[i]), s->apparent[i], 1e-6);
      p += s->active[i];
      q += s->reactive[i];
    }
    expect_near("sum of P", s->active[3], p, 1e-6);
    expect_near("sum of Q", s->reactive[3], q, 1e-6);
    expect_near("system S", s->apparent[3], hypot(p, q), 1e-6);
    expect_near("system PF", s->factor[3] * s->apparent[3], p, 1e-6);
    expect_near("U12", s->line_line[0], sqrt(3) * s->line_neutral[3], 4);
  }
}

static void test_plant_values_stay_plausible(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 8; seed++) {
    bb_plant plant;
    bb_plant_reading r;
    double low = INFINITY, high = 0;
    bb_plant_init(&plant, seed);
    for (int64_t minute = 0; minute < 1440; minute++) {
      bb_plant_read(&plant, NOON + minute * 60 * SECOND, &r);
      for (int i = 0; i < 3; i++) {
        expect_range("U", r.now.line_neutral[i], 215, 240);
        expect_range("I", r.now.current[i], 1, 200);
        expect_range("PF", r.now.factor[i], 0.8, 1);
        expect_range("THD of U", r.now.thd_voltage[i], 0.5, 5);
      }
      expect_range("N", r.now.current[3], 0, r.now.mean_current);
      expect_range("Hz", r.now.frequency, 49.9, 50.1);
      low = fmin(low, r.now.active[3]);
      high = fmax(high, r.now.active[3]);
    }
    expect_range("least P", low / plant.rated_watts, 0.05, 0.3);
    expect_range("most P", high / plant.rated_watts, 0.6, 1);
    expect_double("the maximum is kept", r.max.active[3], high);
  }
}

/* The counter must be the integral of the power that was shown, summed here in small steps. */
static void test_plant_energy_integrates_power(void **state) {
  (void)state;
  bb_plant plant;
  bb_plant_reading r;
  bb_plant_init(&plant, 3);
  bb_plant_read(&plant, NOON, &r);
  double first_wh = r.energy.active_import[3], first_varh = r.energy.reactive_import[3];
  double wh = 0, varh = 0, step_s = 0.05;
  for (int i = 0; i < 72000; i++) {
    bb_plant_read(&plant, NOON + (int64_t)((i + 0.5) * step_s * 1e9), &r);
    wh += r.now.active[3] * step_s / 3600;
    varh += r.now.reactive[3] * step_s / 3600;
  }
  bb_plant_read(&plant, NOON + 3600 * SECOND, &r);
  expect_near("Wh of an hour", r.energy.active_import[3] - first_wh, wh, wh * 1e-4);
  expect_near("varh of an hour", r.energy.reactive_import[3] - first_varh, varh, varh * 1e-4);
  double phases = r.energy.active_import[0] + r.energy.active_import[1] + r.energy.active_import[2];
  expect_near("sum of the phases", r.energy.active_import[3], phases, 1e-3);
}

static void test_plant_counters_never_run_backwards(void **state) {
  (void)state;
  bb_plant plant;
  bb_plant_reading r;
  double wh = 0, varh = 0, hours = 0;
  bb_plant_init(&plant, 11);
  for (int64_t i = -5; i < 20000; i++) {
    /* From before it was installed on, in uneven steps. */
    bb_plant_read(&plant, plant.installed_ns + i * 3601 * SECOND + i % 7 * 13, &r);
    expect_range("Wh", r.energy.active_import[3], i > 1 ? nextafter(wh, INFINITY) : 0, 1e12);
    expect_range("varh", r.energy.reactive_import[3], varh, 1e12);
    expect_range("hours", r.energy.hours, hours, 1e6);
    wh = r.energy.active_import[3];
    varh = r.energy.reactive_import[3];
    hours = r.energy.hours;
  }
}

static void test_plant_demand_is_the_mean_of_its_window(void **state) {
  (void)state;
  bb_plant plant;
  bb_plant_reading r;
  double sum = 0;
  bb_plant_init(&plant, 5);
  for (int i = 0; i < 9000; i++) {
    int64_t back = (int64_t)((i + 0.5) * 0.1e9);
    bb_plant_read(&plant, NOON - back, &r);
    sum += r.now.active[3];
  }
  bb_plant_read(&plant, NOON, &r);
  expect_near("active", r.demand.active[3], sum / 9000, sum / 9000 * 1e-3);
  expect_near("S2 = P2 + Q2", hypot(r.demand.active[3], r.demand.reactive[3]), r.demand.apparent[3],
              1e-6);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_plant_same_seed_and_time_give_the_same),
      cmocka_unit_test(test_plant_values_are_consistent),
      cmocka_unit_test(test_plant_values_stay_plausible),
      cmocka_unit_test(test_plant_energy_integrates_power),
      cmocka_unit_test(test_plant_counters_never_run_backwards),
      cmocka_unit_test(test_plant_demand_is_the_mean_of_its_window),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
