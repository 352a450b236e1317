/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/pace.h"

#include "base/clock.h"
#include "support/expect.h"

#define MS BB_NS_PER_MS
#define MOST 2000

/* A sink that takes so many records a second, `far_ms` away: sends all that may go, again and again,
 * for that long. Returns how many may be on their way at the end. */
static uint32_t run(bb_pace *pace, uint64_t *now, uint32_t rate, uint32_t far_ms, uint32_t for_ms) {
  uint64_t end = *now + for_ms * MS;
  uint32_t share = 0;
  for (uint64_t ticket = 1; *now < end; ticket++) {
    share = bb_pace_share(pace, MOST, *now);
    bb_pace_sent(pace, ticket, share, *now);
    *now += far_ms * MS + share * BB_NS_PER_S / rate;
    if (bb_pace_is_timed(pace, ticket)) bb_pace_done(pace, true, MOST, *now);
  }
  return share;
}

static void test_pace_begins_with_a_few(void **state) {
  (void)state;
  bb_pace pace = {0};
  expect_uint("first", bb_pace_share(&pace, MOST, 5 * MS), BB_PACE_LEAST);
  expect_uint("of a small window", bb_pace_share(&pace, 10, 5 * MS), 10);
}

static void test_pace_opens_for_a_fast_sink(void **state) {
  (void)state;
  bb_pace pace = {0};
  uint64_t now = MS;
  expect_uint("share", run(&pace, &now, 1000000, 1, 2000), MOST);
}

static void test_pace_opens_for_one_that_is_far_away(void **state) {
  (void)state;
  bb_pace pace = {0};
  uint64_t now = MS;
  expect_uint("share", run(&pace, &now, 1000000, 300, 8000), MOST);
}

/* 6,000 a second: 64 take 11 ms, so what takes 61 ms may be on its way. */
static void test_pace_keeps_the_way_of_a_slow_sink_short(void **state) {
  (void)state;
  bb_pace pace = {0};
  uint64_t now = MS;
  uint32_t share = run(&pace, &now, 6000, 1, 5000);
  expect_true("not more than 75 ms", share <= 450);
  expect_true("not less than 45 ms", share >= 270);
}

static void test_pace_follows_a_sink_that_becomes_slower(void **state) {
  (void)state;
  bb_pace pace = {0};
  uint64_t now = MS;
  run(&pace, &now, 1000000, 1, 2000);
  uint32_t share = run(&pace, &now, 6000, 1, 4000);
  expect_true("not more than 75 ms", share <= 450);
}

/* One of eight takes half a second, for reasons of its own. */
static void test_pace_outlives_stalls(void **state) {
  (void)state;
  bb_pace pace = {0};
  uint64_t now = MS;
  uint32_t share = run(&pace, &now, 6000, 1, 2000);
  for (uint64_t i = 0; i < 64; i++) {
    bb_pace_sent(&pace, 1000000 + i, share, now);
    now += i % 8 == 0 ? 500 * MS : MS + share * BB_NS_PER_S / 6000;
    bb_pace_done(&pace, true, MOST, now);
    share = bb_pace_share(&pace, MOST, now);
    expect_true("not much less than before", share >= 270);
  }
}

static void test_pace_measures_anew(void **state) {
  (void)state;
  bb_pace pace = {0};
  uint64_t now = MS;
  run(&pace, &now, 1000000, 1, 2000);
  bb_pace_sent(&pace, 7, 1, now);
  now += BB_PACE_ANEW_MS * MS;
  expect_uint("a few again", bb_pace_share(&pace, MOST, now), BB_PACE_LEAST);
  expect_uint("the one behind many", bb_pace_is_timed(&pace, 7), 0);
}

static void test_pace_learns_nothing_from_a_refusal(void **state) {
  (void)state;
  bb_pace pace = {0};
  uint32_t share = bb_pace_share(&pace, MOST, MS);
  bb_pace_sent(&pace, 1, 1, MS);
  bb_pace_sent(&pace, 2, 2, MS);
  expect_uint("one at a time", bb_pace_is_timed(&pace, 2), 0);
  bb_pace_done(&pace, false, MOST, 900 * MS);
  expect_uint("share", bb_pace_share(&pace, MOST, 900 * MS), share);
  expect_uint("ended", bb_pace_is_timed(&pace, 1), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pace_begins_with_a_few),
      cmocka_unit_test(test_pace_opens_for_a_fast_sink),
      cmocka_unit_test(test_pace_opens_for_one_that_is_far_away),
      cmocka_unit_test(test_pace_keeps_the_way_of_a_slow_sink_short),
      cmocka_unit_test(test_pace_follows_a_sink_that_becomes_slower),
      cmocka_unit_test(test_pace_outlives_stalls),
      cmocka_unit_test(test_pace_measures_anew),
      cmocka_unit_test(test_pace_learns_nothing_from_a_refusal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
