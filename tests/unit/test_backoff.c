/* SPDX-License-Identifier: Apache-2.0 */
/* Delays before the next try: how they grow, where they end, how they are spread. */
#include "io/backoff.h"

#include "support/expect.h"

#define FIRST 1000
#define LONGEST 60000
#define ROUNDS 200

static void test_backoff_doubles_to_the_longest(void **state) {
  /* Doubled, each within a fifth; the longest is never exceeded. */
  static const uint32_t middles[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
  (void)state;
  for (uint64_t seed = 0; seed < ROUNDS; seed++) {
    bb_backoff backoff;
    bb_backoff_init(&backoff, FIRST, LONGEST, seed);
    for (size_t i = 0; i < sizeof(middles) / sizeof(middles[0]); i++) {
      uint32_t delay = bb_backoff_next_ms(&backoff), middle = middles[i];
      uint32_t most = middle + middle / 5 < LONGEST ? middle + middle / 5 : LONGEST;
      expect_true("not sooner", delay >= middle - middle / 5);
      expect_true("not later", delay <= most);
    }
  }
}

static void test_backoff_uses_its_whole_range(void **state) {
  uint32_t least = UINT32_MAX, most = 0;
  (void)state;
  for (uint64_t seed = 0; seed < ROUNDS; seed++) {
    bb_backoff backoff;
    bb_backoff_init(&backoff, FIRST, LONGEST, seed);
    uint32_t delay = bb_backoff_next_ms(&backoff);
    if (delay < least) least = delay;
    if (delay > most) most = delay;
  }
  /* Of 200 even draws from 800 to 1,200 hardly all miss the outer tenth of it. */
  expect_true("some come early", least < 840);
  expect_true("some come late", most > 1160);
}

static void test_backoff_differs_by_seed(void **state) {
  (void)state;
  unsigned same = 0;
  for (uint64_t seed = 0; seed < ROUNDS; seed++) {
    bb_backoff one, next;
    bb_backoff_init(&one, FIRST, LONGEST, seed);
    bb_backoff_init(&next, FIRST, LONGEST, seed + 1);
    unsigned alike = 0;
    for (int i = 0; i < 5; i++) alike += bb_backoff_next_ms(&one) == bb_backoff_next_ms(&next);
    same += alike == 5;
  }
  expect_uint("neighbours that keep step", same, 0);
}

static void test_backoff_begins_anew_after_a_success(void **state) {
  (void)state;
  bb_backoff backoff;
  bb_backoff_init(&backoff, FIRST, LONGEST, 7);
  for (int i = 0; i < 30; i++) bb_backoff_next_ms(&backoff);
  expect_true("long", bb_backoff_next_ms(&backoff) >= 48000);
  bb_backoff_reset(&backoff);
  expect_true("short", bb_backoff_next_ms(&backoff) <= 1200);
}

static void test_backoff_at_its_ends(void **state) {
  static const struct {
    const char *name;
    uint32_t first_ms, longest_ms, least, most;
  } rows[] = {
      {"no delay", 0, 0, 0, 0},
      {"too short to spread", 1, 1, 1, 1},
      {"the first is the longest", 5000, 5000, 4000, 5000},
      {"the first is longer", 9000, 5000, 4000, 5000},
      {"the longest that there is", UINT32_MAX, UINT32_MAX, 3435973836, UINT32_MAX},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_backoff backoff;
    bb_backoff_init(&backoff, rows[i].first_ms, rows[i].longest_ms, UINT64_MAX);
    for (int n = 0; n < 100; n++) {
      uint32_t delay = bb_backoff_next_ms(&backoff);
      expect_true(rows[i].name, delay >= rows[i].least && delay <= rows[i].most);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_backoff_doubles_to_the_longest),
      cmocka_unit_test(test_backoff_uses_its_whole_range),
      cmocka_unit_test(test_backoff_differs_by_seed),
      cmocka_unit_test(test_backoff_begins_anew_after_a_success),
      cmocka_unit_test(test_backoff_at_its_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
