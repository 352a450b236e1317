/* SPDX-License-Identifier: Apache-2.0 */
/* What a route makes of a row of batches. Periods and what is made of them: test_feed_periods.c. */
#include "runtime/feed.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/feed_rig.h"

static void test_feed_all_passes_the_batch_as_it_is(void **state) {
  (void)state;
  feed_rig f;
  feed_rig_open(&f, (bb_config_route){0}, NULL);
  feed_set(&f, 1, 2, "a");
  for (uint64_t i = 1; i < 4; i++) {
    expect_true("each", feed_report(&f, i));
    expect_true("no copy", f.out.values == f.values && f.out.quality == f.quality);
    expect_true("the same shape", f.out.shape == f.shape);
    expect_uint("the same one", f.out.seq, i);
  }
  feed_rig_close(&f);
}

static void test_feed_changes_reports_what_changed(void **state) {
  (void)state;
  static const struct {
    const char *row;
    double power;
    uint32_t count;
    const char *name;
    uint8_t quality; /* of power */
    const char *out; /* NULL: nothing is reported */
  } rows[] = {
      {"the first is whole", 10, 1, "a", FEED_GOOD, "ggg"},
      {"nothing new", 10, 1, "a", FEED_GOOD, NULL},
      {"within the deadband", 11, 1, "a", FEED_GOOD, NULL},
      {"beyond it", 11.1, 1, "a", FEED_GOOD, "g--"},
      {"measured from what was reported", 12, 1, "a", FEED_GOOD, NULL},
      {"so that it does not creep", 12.2, 1, "a", FEED_GOOD, "g--"},
      {"a point without deadband", 12.2, 2, "a", FEED_GOOD, "-g-"},
      {"a text", 12.2, 2, "ab", FEED_GOOD, "--g"},
      {"a shorter text", 12.2, 2, "a", FEED_GOOD, "--g"},
      {"several", 20, 3, "b", FEED_GOOD, "ggg"},
      {"refused", 20, 3, "b", FEED_BAD, "b--"},
      {"still refused", 99, 3, "b", FEED_BAD, NULL},
      {"another point meanwhile", 99, 4, "b", FEED_BAD, "-g-"},
      {"good again", 20, 4, "b", FEED_GOOD, "g--"},
      {"no sample", 50, 5, "b", FEED_ABSENT, "-g-"},
      {"not a number", NAN, 5, "b", FEED_GOOD, "g--"},
      {"still none", NAN, 5, "b", FEED_GOOD, NULL},
      {"a number", 50, 5, "b", FEED_GOOD, "g--"},
  };
  feed_rig f;
  feed_rig_open(&f, (bb_config_route){.report = BB_REPORT_CHANGES}, NULL);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    feed_set(&f, rows[i].power, rows[i].count, rows[i].name);
    f.quality[0] = rows[i].quality;
    bool reported = feed_report(&f, (i + 1) * BB_NS_PER_S);
    expect_text(rows[i].row, reported ? feed_qualities(&f) : NULL, rows[i].out);
    if (reported && f.out.quality[1] == FEED_GOOD)
      expect_double("count", feed_number(&f, 1), rows[i].count);
    if (reported) expect_uint("no repeat", f.out.flags, 0);
  }
  feed_rig_close(&f);
}

static void test_feed_heartbeat_repeats_everything(void **state) {
  (void)state;
  feed_rig f;
  bb_config_route route = {.report = BB_REPORT_CHANGES, .heartbeat_ms = 60000};
  feed_rig_open(&f, route, NULL);
  feed_set(&f, 1, 1, "a");
  expect_true("first", feed_report(&f, BB_NS_PER_S));
  expect_true("nothing", !feed_report(&f, FEED_MINUTE));
  expect_true("a minute after", feed_report(&f, FEED_MINUTE + BB_NS_PER_S));
  expect_text("whole", feed_qualities(&f), "ggg");
  expect_uint("a repeat", f.out.flags, BB_BATCH_REPEAT);
  feed_set(&f, 1, 2, "a");
  expect_true("a change", feed_report(&f, 2 * FEED_MINUTE));
  expect_uint("is no repeat", f.out.flags, 0);
  expect_true("which counts as a sign of life", !feed_report(&f, 3 * FEED_MINUTE - 1));
  expect_true("again", feed_report(&f, 3 * FEED_MINUTE));
  feed_rig_close(&f);
}

static void test_feed_chooses_points(void **state) {
  (void)state;
  feed_rig f;
  bool none;
  feed_rig_open(&f, (bb_config_route){0}, "[na*, power]");
  expect_uint("two", f.feed->shape->n_points, 2);
  expect_text("in the profile's order", f.feed->shape->points[0].name, "power");
  expect_text("and", f.feed->shape->points[1].name, "name");
  expect_true("its own shape", f.feed->shape->hash != f.shape->hash);
  f.batch.codes = f.codes;
  f.quality[2] = FEED_BAD;
  f.codes[2] = 4;
  feed_set(&f, 7, 8, "x");
  expect_true("reported", feed_report(&f, 1));
  expect_true("in that shape", f.out.shape == f.feed->shape);
  expect_text("their qualities", feed_qualities(&f), "gb");
  expect_double("their values", feed_number(&f, 0), 7);
  expect_uint("their codes", f.out.codes[1], 4);
  feed_rig_close(&f);

  feed_rig_open(&f, (bb_config_route){0}, "[\"*\"]");
  expect_true("all is no choice", f.feed->shape == f.shape);
  feed_rig_close(&f);

  feed_rig_open(&f, (bb_config_route){0}, "[power]");
  bb_doc_tree tree;
  bb_config_route route = {0};
  feed_parse(&tree, "[nothing]");
  route.points = tree.root;
  expect_true("none fits", bb_feed_new(&f.config, &route, f.shape, &none) == NULL && none);
  bb_doc_close(&tree);
  feed_rig_close(&f);
}

static void test_feed_tells_of_a_loss_at_once(void **state) {
  (void)state;
  static const bb_config_route routes[] = {
      {0},
      {.every_ms = 60000},
      {.every_ms = 60000, .aggregate = BB_AGGREGATE_MEAN},
      {.report = BB_REPORT_CHANGES, .heartbeat_ms = 60000},
  };
  for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
    char row[32];
    feed_rig f;
    snprintf(row, sizeof(row), "route %zu", i);
    feed_rig_open(&f, routes[i], NULL);
    feed_set(&f, 10, 1, "a");
    feed_report(&f, FEED_MINUTE + 1);
    memset(f.quality, FEED_STALE, sizeof(f.quality));
    f.batch.flags = BB_BATCH_REPEAT;
    expect_true(row, feed_report(&f, FEED_MINUTE + 2));
    expect_text(row, feed_qualities(&f), "sss");
    expect_double(row, feed_number(&f, 0), 10);
    expect_double(row, feed_number(&f, 1), 1);
    /* Back again: the mean is one of good values only. */
    memset(f.quality, FEED_GOOD, sizeof(f.quality));
    f.batch.flags = 0;
    feed_set(&f, 30, 3, "a");
    feed_report(&f, FEED_MINUTE + 3);
    bool reported = feed_report(&f, 2 * FEED_MINUTE);
    if (routes[i].aggregate == BB_AGGREGATE_MEAN) {
      expect_true(row, reported);
      expect_double(row, feed_number(&f, 0), 20);
    }
    feed_rig_close(&f);
  }
}

static void test_feed_reports_the_first_value_of_a_point_that_came_later(void **state) {
  (void)state;
  feed_rig f;
  feed_rig_open(&f, (bb_config_route){.report = BB_REPORT_CHANGES}, NULL);
  feed_set(&f, 0, 0, "");
  f.quality[0] = BB_QUALITY_ABSENT;
  expect_true("the others", feed_report(&f, 1));
  f.quality[0] = FEED_GOOD;
  expect_true("its first value, a zero", feed_report(&f, 2));
  expect_text("alone", feed_qualities(&f), "g--");
  feed_rig_close(&f);
}

static void test_feed_view_shows_the_batch_in_its_shape(void **state) {
  (void)state;
  feed_rig f;
  bb_config_route route = {.report = BB_REPORT_CHANGES};
  feed_rig_open(&f, route, "[count, name]");
  feed_set(&f, 1, 5, "a");
  feed_report(&f, 1);
  expect_true("nothing new", !feed_report(&f, 2));
  bb_feed_view(f.feed, &f.batch, &f.out);
  expect_text("whole nevertheless", feed_qualities(&f), "gg");
  expect_double("value", feed_number(&f, 0), 5);
  expect_true("reports as before", !feed_report(&f, 3));
  feed_rig_close(&f);
}

static void test_feed_same_compares_the_reporting(void **state) {
  (void)state;
  bb_doc_tree a, b, c;
  feed_parse(&a, "[power/*]");
  feed_parse(&b, "[ power/* ]");
  feed_parse(&c, "[power]");
  const bb_config_route base = {.points = a.root, .every_ms = 1, .heartbeat_ms = 2};
  const struct {
    const char *row;
    bb_config_route route;
    bool same;
  } rows[] = {
      {"itself", base, true},
      {"other lines", {.points = b.root, .every_ms = 1, .heartbeat_ms = 2}, true},
      {"other devices",
       {.points = a.root, .every_ms = 1, .heartbeat_ms = 2, .devices = c.root},
       true},
      {"other points", {.points = c.root, .every_ms = 1, .heartbeat_ms = 2}, false},
      {"all points", {.every_ms = 1, .heartbeat_ms = 2}, false},
      {"every", {.points = a.root, .every_ms = 3, .heartbeat_ms = 2}, false},
      {"heartbeat", {.points = a.root, .every_ms = 1}, false},
      {"aggregate", {.points = a.root, .every_ms = 1, .heartbeat_ms = 2, .aggregate = 2}, false},
      {"report", {.points = a.root, .every_ms = 1, .heartbeat_ms = 2, .report = 1}, false},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_int(rows[i].row, bb_feed_same(&base, &rows[i].route), rows[i].same);
  }
  bb_doc_close(&a);
  bb_doc_close(&b);
  bb_doc_close(&c);
}

static int make_feed(void *user) {
  feed_rig *f = user;
  bool none;
  bb_feed *feed = bb_feed_new(&f->config, &f->route, f->shape, &none);
  if (feed == NULL) return none ? BB_ERR_NOTFOUND : BB_ERR_NOMEM;
  bb_feed_free(feed);
  return 0;
}

static void test_feed_without_memory(void **state) {
  (void)state;
  static const bb_config_route routes[] = {
      {0}, {.every_ms = 60000, .aggregate = BB_AGGREGATE_MEAN}, {.report = BB_REPORT_CHANGES}};
  for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
    feed_rig f;
    feed_rig_open(&f, routes[i], i == 2 ? "[power]" : NULL);
    failmalloc_each(make_feed, &f);
    feed_rig_close(&f);
  }
}

static void test_feed_report_allocates_nothing(void **state) {
  (void)state;
  feed_rig f;
  feed_rig_open(&f, (bb_config_route){.every_ms = 10, .aggregate = BB_AGGREGATE_MEAN}, "[p*]");
  failmalloc_start(0);
  for (uint64_t i = 1; i < 100; i++) {
    feed_set(&f, (double)i, 1, "a");
    feed_report(&f, i * BB_NS_PER_MS);
  }
  expect_uint("allocations", failmalloc_stop(), 0);
  feed_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_feed_all_passes_the_batch_as_it_is),
      cmocka_unit_test(test_feed_changes_reports_what_changed),
      cmocka_unit_test(test_feed_heartbeat_repeats_everything),
      cmocka_unit_test(test_feed_chooses_points),
      cmocka_unit_test(test_feed_tells_of_a_loss_at_once),
      cmocka_unit_test(test_feed_reports_the_first_value_of_a_point_that_came_later),
      cmocka_unit_test(test_feed_view_shows_the_batch_in_its_shape),
      cmocka_unit_test(test_feed_same_compares_the_reporting),
      cmocka_unit_test(test_feed_without_memory),
      cmocka_unit_test(test_feed_report_allocates_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
