/* SPDX-License-Identifier: Apache-2.0 */
/* The schedule by a clock that the test moves; its timer is not waited for but in one test. */
#include "runtime/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/station.h"
#include "support/expect.h"

#define MAX_SCANS 512
#define MS BB_NS_PER_MS

typedef struct due {
  bb_station_scan *scan;
  uint64_t due_ns, now_ns;
} due;

typedef struct fixture {
  uv_loop_t loop;
  bb_clock clock;
  uint64_t now_ns;
  bb_schedule schedule;
  bb_station_scan scans[MAX_SCANS];
  due dues[8192];
  unsigned n_dues;
  void (*on_due)(struct fixture *f, bb_station_scan *scan);
} fixture;

static uint64_t mono(void *user) {
  return ((fixture *)user)->now_ns;
}

static int64_t utc(void *user) {
  (void)user;
  return 0;
}

static void on_due(bb_schedule *schedule, bb_station_scan *scan, uint64_t due_ns, uint64_t now_ns) {
  fixture *f = schedule->user;
  expect_true("room for them", f->n_dues < sizeof(f->dues) / sizeof(f->dues[0]));
  f->dues[f->n_dues++] = (due){scan, due_ns, now_ns};
  if (f->on_due != NULL) f->on_due(f, scan);
}

static fixture *open_fixture(void) {
  fixture *f = calloc(1, sizeof(*f));
  f->clock = (bb_clock){mono, utc, f};
  f->now_ns = 1000003 * MS + 12345; /* on no grid */
  expect_int("loop", uv_loop_init(&f->loop), 0);
  f->schedule.on_due = on_due;
  f->schedule.user = f;
  expect_int("init", bb_schedule_init(&f->schedule, &f->loop, &f->clock), 0);
  expect_int("reserve", bb_schedule_reserve(&f->schedule, MAX_SCANS), 0);
  return f;
}

static void close_fixture(fixture *f) {
  bb_schedule_close(&f->schedule, NULL);
  uv_run(&f->loop, UV_RUN_DEFAULT);
  expect_int("loop", uv_loop_close(&f->loop), 0);
  free(f);
}

static void add(fixture *f, unsigned i, uint64_t period_ms) {
  f->scans[i].period_ns = period_ms * MS;
  bb_schedule_add(&f->schedule, &f->scans[i]);
}

/* Time passes in steps, at each of which what is due is run. */
static void pass(fixture *f, uint64_t ms, uint64_t step_ms) {
  for (uint64_t at = 0; at < ms; at += step_ms) {
    f->now_ns += step_ms * MS;
    bb_schedule_run(&f->schedule);
  }
}

static void test_schedule_keeps_an_absolute_grid(void **state) {
  (void)state;
  fixture *f = open_fixture();
  add(f, 0, 1000);
  pass(f, 60 * 1000, 7); /* never just in time */
  expect_uint("once a period", f->n_dues, 60);
  for (unsigned i = 1; i < f->n_dues; i++) {
    expect_uint("no drift", f->dues[i].due_ns - f->dues[0].due_ns, i * 1000 * MS);
    expect_true("never early", f->dues[i].now_ns >= f->dues[i].due_ns);
  }
  expect_uint("on a tick", f->dues[0].due_ns % (BB_SCHEDULE_TICK_MS * MS), 0);
  expect_uint("nothing was skipped", f->scans[0].counters.skipped, 0);
  expect_uint("lateness of each", f->schedule.lateness.count, 60);
  close_fixture(f);
}

static void test_schedule_first_due_is_soon(void **state) {
  (void)state;
  static const uint64_t periods[] = {10, 15, 100, 1000, 1500, 10000, 60000, 604800000};
  fixture *f = open_fixture();
  unsigned n = 0;
  for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
    for (int k = 0; k < 20; k++) {
      add(f, n, periods[i]);
      uint64_t wait = f->scans[n].due.key - f->now_ns;
      expect_true("not in the past", f->scans[n].due.key > f->now_ns);
      expect_true("within its period", wait <= (periods[i] + BB_SCHEDULE_TICK_MS) * MS);
      expect_true("within a second", wait <= (1000 + BB_SCHEDULE_TICK_MS) * MS);
      n++;
    }
  }
  close_fixture(f);
}

/* Of 500 scans of one period, no tenth of it holds less than half or more than twice its share, in
 * the first period as well as in later ones. */
static void expect_spread(fixture *f, const char *row, uint64_t from_ns, uint64_t span_ms,
                          unsigned n) {
  unsigned tenths[10] = {0}, sum = 0;
  for (unsigned i = 0; i < f->n_dues; i++) {
    if (f->dues[i].due_ns <= from_ns || f->dues[i].due_ns > from_ns + span_ms * MS) continue;
    tenths[(f->dues[i].due_ns - from_ns - 1) * 10 / (span_ms * MS)]++;
    sum++;
  }
  expect_uint(row, sum, n);
  for (int i = 0; i < 10; i++) {
    if (tenths[i] < n / 20 || tenths[i] > n / 5) {
      fail_msg("%s: tenth %d of the period has %u of %u", row, i, tenths[i], n);
    }
  }
}

static void test_schedule_spreads_over_the_period(void **state) {
  (void)state;
  static const uint64_t periods[] = {1000, 10000, 60000};
  for (size_t p = 0; p < 3; p++) {
    fixture *f = open_fixture();
    uint64_t start = f->now_ns;
    for (unsigned i = 0; i < 500; i++) add(f, i, periods[p]);
    pass(f, 3 * periods[p], BB_SCHEDULE_TICK_MS);
    expect_spread(f, "a later period", start + periods[p] * MS, periods[p], 500);
    /* A slow scan is first read within a second, and none crowd there either. */
    unsigned early[11] = {0};
    for (unsigned i = 0; i < 500; i++) {
      uint64_t ms = (f->dues[i].due_ns - start) / MS;
      expect_true("the first 500 come in the first second", ms <= 1010);
      early[ms / 100]++;
    }
    for (int i = 0; i < 10; i++) expect_true("spread at first", early[i] <= 150);
    close_fixture(f);
  }
}

static void test_schedule_shares_ticks(void **state) {
  (void)state;
  fixture *f = open_fixture();
  for (unsigned i = 0; i < 500; i++) add(f, i, 1000);
  pass(f, 1000, 1);
  unsigned wakes = 0;
  for (unsigned i = 0; i < f->n_dues; i++) {
    wakes += i == 0 || f->dues[i].due_ns != f->dues[i - 1].due_ns;
  }
  expect_uint("all", f->n_dues, 500);
  expect_true("in at most a wake-up a tick", wakes <= 1000 / BB_SCHEDULE_TICK_MS + 1);
  close_fixture(f);
}

static void test_schedule_counts_skipped_periods(void **state) {
  (void)state;
  fixture *f = open_fixture();
  add(f, 0, 100);
  pass(f, 1000, 10);
  unsigned before = f->n_dues;
  uint64_t last = f->dues[before - 1].due_ns;
  f->now_ns = last + 750 * MS; /* the loop was held up over seven due times */
  bb_schedule_run(&f->schedule);
  expect_uint("one poll only", f->n_dues, before + 1);
  expect_uint("due at the first of them", f->dues[before].due_ns, last + 100 * MS);
  expect_uint("the others are skipped", f->scans[0].counters.skipped, 6);
  bb_schedule_run(&f->schedule);
  expect_uint("and not made up for", f->n_dues, before + 1);
  pass(f, 50, 10);
  expect_uint("the grid holds", f->dues[before + 1].due_ns, last + 800 * MS);
  close_fixture(f);
}

static void test_schedule_rests_while_paused(void **state) {
  (void)state;
  fixture *f = open_fixture();
  add(f, 0, 100);
  pass(f, 500, 10);
  unsigned before = f->n_dues;
  uint64_t last = f->dues[before - 1].due_ns, samples = f->schedule.lateness.count;
  bb_schedule_pause(&f->schedule, true);
  pass(f, 60000, 1000);
  expect_uint("nothing", f->n_dues, before);
  bb_schedule_pause(&f->schedule, false);
  bb_schedule_run(&f->schedule);
  expect_uint("nothing is made up for", f->n_dues, before);
  expect_uint("nothing was late", f->schedule.lateness.count, samples);
  expect_uint("nor skipped", f->scans[0].counters.skipped, 0);
  pass(f, 100, 10);
  expect_uint("then on", f->n_dues, before + 1);
  expect_uint("on the grid", (f->dues[before].due_ns - last) % (100 * MS), 0);
  close_fixture(f);
}

/* Once, within a second; then on its grid as before. */
static void test_schedule_soon_is_once(void **state) {
  (void)state;
  fixture *f = open_fixture();
  add(f, 0, 3600000);
  pass(f, 2000, 10);
  expect_uint("its first", f->n_dues, 1);
  uint64_t grid = f->scans[0].due.key;
  bb_schedule_soon(&f->schedule, &f->scans[0]);
  bb_schedule_soon(&f->schedule, &f->scans[0]);
  pass(f, 1100, 10);
  expect_uint("soon, once", f->n_dues, 2);
  expect_uint("and then as before", f->scans[0].due.key, grid);
  expect_uint("nothing is skipped", f->scans[0].counters.skipped, 0);
  bb_schedule_soon(&f->schedule, &f->scans[1]);
  pass(f, 1100, 10);
  expect_uint("one that is not in it", f->n_dues, 2);
  close_fixture(f);
}

static void remove_other(fixture *f, bb_station_scan *scan) {
  bb_schedule_remove(&f->schedule, scan == &f->scans[0] ? &f->scans[1] : &f->scans[0]);
  f->on_due = NULL;
}

static void test_schedule_remove_ends_it(void **state) {
  (void)state;
  fixture *f = open_fixture();
  add(f, 0, 100);
  add(f, 1, 100);
  f->on_due = remove_other; /* the first that is due removes the other, from within */
  pass(f, 1000, 250);
  for (unsigned i = 1; i < f->n_dues; i++) {
    expect_true("only one is left", f->dues[i].scan == f->dues[0].scan);
  }
  bb_schedule_remove(&f->schedule, f->dues[0].scan);
  bb_schedule_remove(&f->schedule, f->dues[0].scan); /* harmless */
  unsigned before = f->n_dues;
  pass(f, 1000, 100);
  expect_uint("none", f->n_dues, before);
  close_fixture(f);
}

static void end(fixture *f, bb_station_scan *scan) {
  if (f->n_dues >= 3) bb_schedule_remove(&f->schedule, scan);
}

static void test_schedule_wakes_by_its_own_timer(void **state) {
  (void)state;
  fixture *f = open_fixture();
  f->clock = bb_clock_system();
  f->on_due = end;
  add(f, 0, 10);
  uv_run(&f->loop, UV_RUN_DEFAULT); /* ends with the last scan */
  expect_uint("thrice", f->n_dues, 3);
  for (unsigned i = 0; i < 3; i++) {
    expect_true("never early", f->dues[i].now_ns >= f->dues[i].due_ns);
  }
  close_fixture(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_schedule_keeps_an_absolute_grid),
      cmocka_unit_test(test_schedule_first_due_is_soon),
      cmocka_unit_test(test_schedule_spreads_over_the_period),
      cmocka_unit_test(test_schedule_shares_ticks),
      cmocka_unit_test(test_schedule_counts_skipped_periods),
      cmocka_unit_test(test_schedule_rests_while_paused),
      cmocka_unit_test(test_schedule_soon_is_once),
      cmocka_unit_test(test_schedule_remove_ends_it),
      cmocka_unit_test(test_schedule_wakes_by_its_own_timer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
