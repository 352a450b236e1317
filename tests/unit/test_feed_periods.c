/* SPDX-License-Identifier: Apache-2.0 */
/* Routes with a period: one batch of each, or a mean, a minimum, a maximum. */
#include <string.h>

#include "runtime/feed.h"
#include "support/expect.h"
#include "support/feed_rig.h"

static void test_feed_every_passes_one_a_period(void **state) {
  (void)state;
  feed_rig f;
  unsigned n = 0;
  feed_rig_open(&f, (bb_config_route){.every_ms = 10000}, NULL);
  for (uint64_t s = 1003; s < 1063; s++) { /* the grid's periods begin at 1010, 1020, ... */
    feed_set(&f, (double)s, 0, "");
    if (!feed_report(&f, s * BB_NS_PER_S)) continue;
    expect_double("first of its period", feed_number(&f, 0), n == 0 ? 1003 : 1000 + n * 10.0);
    n++;
  }
  expect_uint("periods", n, 7);
  feed_rig_close(&f);
}

static void test_feed_every_with_changes(void **state) {
  (void)state;
  feed_rig f;
  feed_rig_open(&f, (bb_config_route){.every_ms = 10000, .report = BB_REPORT_CHANGES}, NULL);
  feed_set(&f, 1, 1, "a");
  expect_true("first", feed_report(&f, 100 * BB_NS_PER_S));
  feed_set(&f, 1, 2, "a");
  expect_true("too early", !feed_report(&f, 105 * BB_NS_PER_S));
  expect_true("not forgotten", feed_report(&f, 110 * BB_NS_PER_S));
  expect_text("the change", feed_qualities(&f), "-g-");
  feed_rig_close(&f);
}

static void test_feed_aggregates(void **state) {
  (void)state;
  static const struct {
    const char *row;
    bb_aggregate aggregate;
    double power, count;
    bb_type count_type;
  } rows[] = {
      {"mean", BB_AGGREGATE_MEAN, 20, 2.5, BB_TYPE_F64},
      {"min", BB_AGGREGATE_MIN, -10, 1, BB_TYPE_U32},
      {"max", BB_AGGREGATE_MAX, 60, 4, BB_TYPE_U32},
      {"last", BB_AGGREGATE_LAST, 60, 4, BB_TYPE_U32},
  };
  static const double powers[] = {10, -10, 20, 60};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    feed_rig f;
    bb_config_route route = {.every_ms = 60000, .aggregate = (int)rows[i].aggregate};
    feed_rig_open(&f, route, NULL);
    expect_int(rows[i].row, f.feed->shape->points[1].type, rows[i].count_type);
    expect_int("floats stay", f.feed->shape->points[0].type, BB_TYPE_F64);
    for (unsigned round = 0; round < 2; round++) { /* nothing of one period gets into the next */
      uint64_t start = (10 + round) * FEED_MINUTE;
      for (uint32_t k = 0; k < 4; k++) {
        feed_set(&f, powers[k], k + 1, "x");
        f.codes[0] = 0;
        bool reported = feed_report(&f, start + (k + 1) * BB_NS_PER_S);
        expect_true("nothing within the period", !reported || (round == 1 && k == 0));
      }
    }
    feed_set(&f, 99, 9, "end");
    expect_true(rows[i].row, feed_report(&f, 12 * FEED_MINUTE));
    expect_text(rows[i].row, feed_qualities(&f), "ggg");
    expect_double(rows[i].row, feed_number(&f, 0), rows[i].power);
    expect_double(rows[i].row, feed_number(&f, 1), rows[i].count);
    bb_value text = bb_batch_value(&f.out, 2);
    expect_bytes("a text has its last", text.v.text.bytes, text.v.text.len, "x", 1);
    feed_rig_close(&f);
  }
}

/* 2^60 and its neighbours are one number as a double. */
static void test_feed_extremes_of_large_integers_are_exact(void **state) {
  (void)state;
  static const struct {
    bb_aggregate aggregate;
    uint64_t wanted;
  } rows[] = {{BB_AGGREGATE_MIN, (1ull << 60) - 1}, {BB_AGGREGATE_MAX, (1ull << 60) + 1}};
  static const bb_point energy = {"energy", "Wh", "", BB_TYPE_U64, 8, .deadband = 0};
  static const bb_point *const points[] = {&energy};
  for (size_t i = 0; i < 2; i++) {
    feed_rig f;
    bool none;
    uint8_t slot[8], quality = FEED_GOOD;
    bb_config_route route = {.every_ms = 60000, .aggregate = (int)rows[i].aggregate};
    feed_rig_open(&f, route, NULL);
    bb_shape *shape = bb_shape_new("energy", points, 1);
    bb_feed *feed = bb_feed_new(&f.config, &f.route, shape, &none);
    bb_batch batch = {.device = f.device, .shape = shape, .quality = &quality, .values = slot}, out;
    for (uint64_t k = 0; k < 4; k++) {
      bb_value value = {.type = BB_TYPE_U64, .v.u = (1ull << 60) - 1 + (k * 2) % 3};
      bb_value_store(value, slot, 8);
      batch.mono_ns = FEED_MINUTE * (k == 3 ? 2 : 1) + k;
      bool reported = bb_feed_report(feed, &batch, &out);
      expect_int("at the end", reported, k == 3);
    }
    expect_uint("exact", bb_batch_value(&out, 0).v.u, rows[i].wanted);
    bb_feed_free(feed);
    bb_shape_unref(shape);
    feed_rig_close(&f);
  }
}

static void test_feed_mean_leaves_out_what_is_not_good(void **state) {
  (void)state;
  feed_rig f;
  feed_rig_open(&f, (bb_config_route){.every_ms = 60000, .aggregate = BB_AGGREGATE_MEAN}, NULL);
  f.batch.codes = f.codes;
  feed_set(&f, 10, 1, "");
  feed_report(&f, FEED_MINUTE + 1);
  feed_set(&f, 5000, 1, "");
  f.quality[0] = FEED_BAD;
  f.quality[1] = FEED_BAD;
  f.codes[0] = f.codes[1] = 2;
  feed_report(&f, FEED_MINUTE + 2);
  feed_set(&f, 20, 1, "");
  f.quality[0] = FEED_GOOD;
  feed_report(&f, FEED_MINUTE + 3);
  f.quality[0] = FEED_BAD; /* the one that ends the period belongs to the next */
  expect_true("reported", feed_report(&f, 2 * FEED_MINUTE));
  expect_text("power has a mean", feed_qualities(&f), "ggg");
  expect_double("of two", feed_number(&f, 0), 15);
  expect_uint("and no refusal", f.out.codes[0], 0);
  expect_true("next", feed_report(&f, 3 * FEED_MINUTE));
  expect_text("no good one, no mean", feed_qualities(&f), "bbg");
  expect_uint("and the refusal", f.out.codes[0], 2);
  feed_rig_close(&f);
}

static void test_feed_forgets_a_period_that_ended_during_a_loss(void **state) {
  (void)state;
  feed_rig f;
  feed_rig_open(&f, (bb_config_route){.every_ms = 60000, .aggregate = BB_AGGREGATE_MEAN}, NULL);
  feed_set(&f, 100, 1, "a");
  feed_report(&f, FEED_MINUTE + 1);
  memset(f.quality, FEED_STALE, sizeof(f.quality));
  f.batch.flags = BB_BATCH_REPEAT;
  feed_report(&f, FEED_MINUTE + 2);
  memset(f.quality, FEED_GOOD, sizeof(f.quality));
  f.batch.flags = 0;
  feed_set(&f, 5000, 1, "a");
  expect_true("nothing of before", !feed_report(&f, 61 * FEED_MINUTE + 1));
  expect_true("reported", feed_report(&f, 62 * FEED_MINUTE));
  expect_double("of now", feed_number(&f, 0), 5000);
  feed_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_feed_every_passes_one_a_period),
      cmocka_unit_test(test_feed_every_with_changes),
      cmocka_unit_test(test_feed_aggregates),
      cmocka_unit_test(test_feed_extremes_of_large_integers_are_exact),
      cmocka_unit_test(test_feed_mean_leaves_out_what_is_not_good),
      cmocka_unit_test(test_feed_forgets_a_period_that_ended_during_a_loss),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
