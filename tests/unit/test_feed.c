/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a route makes of a row of batches. A batch has three points: power (float64, deadband 1),
 * count (uint32) and name (text).
 */
#include "runtime/feed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"

#define TEXT_SIZE 9
#define GOOD BB_QUALITY_GOOD
#define BAD (BB_QUALITY_BAD | BB_CAUSE_REFUSED)
#define STALE (BB_QUALITY_STALE | BB_CAUSE_NO_ANSWER)
#define ABSENT BB_QUALITY_ABSENT
#define MINUTE (60 * BB_NS_PER_S)

typedef struct fixture {
  bb_config config; /* only its count is used */
  bb_config_route route;
  bb_doc_tree tree;
  bb_device *device;
  bb_shape *shape;
  bb_feed *feed;
  /* of the next batch */
  bb_batch batch;
  uint8_t quality[3], codes[3], values[8 + 4 + TEXT_SIZE];
  bb_batch out;
} fixture;

static bb_shape *make_shape(void) {
  static const bb_point power = {"power", "W", "", BB_TYPE_F64, 8, .deadband = 1};
  static const bb_point count = {"count", "", "", BB_TYPE_U32, 4, .deadband = 0};
  static const bb_point name = {"name", "", "", BB_TYPE_TEXT, TEXT_SIZE, .deadband = 0};
  static const bb_point *const points[] = {&power, &count, &name};
  return bb_shape_new("fast", points, 3);
}

static void parse(bb_doc_tree *tree, const char *text) {
  bb_report report;
  bb_report_init(&report);
  expect_int(text, bb_doc_parse(tree, "points", text, strlen(text), &report), 0);
  bb_report_close(&report);
}

/* `points`: a YAML list of patterns, or NULL. */
static void open_fixture(fixture *f, bb_config_route route, const char *points) {
  bool none;
  memset(f, 0, sizeof(*f));
  f->config.refs = 1;
  f->route = route;
  if (points != NULL) {
    parse(&f->tree, points);
    f->route.points = f->tree.root;
  }
  f->device = bb_device_new("meter-1", "", "", NULL, 0);
  f->shape = make_shape();
  f->feed = bb_feed_new(&f->config, &f->route, f->shape, &none);
  expect_true("a feed", f->feed != NULL && !none);
  f->batch = (bb_batch){
      .device = f->device, .shape = f->shape, .quality = f->quality, .values = f->values};
}

static void close_fixture(fixture *f) {
  bb_feed_free(f->feed);
  expect_uint("nobody keeps the config", f->config.refs, 1);
  expect_uint("nobody keeps the shape", f->shape->refs, 1);
  bb_shape_unref(f->shape);
  bb_device_unref(f->device);
  bb_doc_close(&f->tree);
}

static void set(fixture *f, double power, uint32_t count, const char *name) {
  bb_value text = {.type = BB_TYPE_TEXT, .v.text = {.bytes = name, .len = (uint8_t)strlen(name)}};
  bb_value_store((bb_value){.type = BB_TYPE_F64, .v.d = power}, f->values + f->shape->offsets[0],
                 8);
  bb_value_store((bb_value){.type = BB_TYPE_U32, .v.u = count}, f->values + f->shape->offsets[1],
                 4);
  bb_value_store(text, f->values + f->shape->offsets[2], TEXT_SIZE);
}

static bool report_at(fixture *f, uint64_t mono_ns) {
  f->batch.mono_ns = mono_ns;
  f->batch.seq++;
  return bb_feed_report(f->feed, &f->batch, &f->out);
}

/* The three points of what came out: "p c n", each good (g), bad (b), stale (s) or absent (-). */
static const char *qualities(const fixture *f) {
  static char text[8];
  for (uint16_t i = 0; i < f->out.shape->n_points; i++) {
    uint8_t quality = f->out.quality[i];
    text[i] = quality == ABSENT                             ? '-'
              : bb_quality_class(quality) == BB_QUALITY_BAD ? 'b'
              : bb_quality_class(quality) == GOOD           ? 'g'
                                                            : 's';
  }
  text[f->out.shape->n_points] = 0;
  return text;
}

static double number(const fixture *f, uint16_t point) {
  return bb_value_double(bb_batch_value(&f->out, point));
}

static void test_feed_all_passes_the_batch_as_it_is(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, (bb_config_route){0}, NULL);
  set(&f, 1, 2, "a");
  for (uint64_t i = 1; i < 4; i++) {
    expect_true("each", report_at(&f, i));
    expect_true("no copy", f.out.values == f.values && f.out.quality == f.quality);
    expect_true("the same shape", f.out.shape == f.shape);
    expect_uint("the same one", f.out.seq, i);
  }
  close_fixture(&f);
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
      {"the first is whole", 10, 1, "a", GOOD, "ggg"},
      {"nothing new", 10, 1, "a", GOOD, NULL},
      {"within the deadband", 11, 1, "a", GOOD, NULL},
      {"beyond it", 11.1, 1, "a", GOOD, "g--"},
      {"measured from what was reported", 12, 1, "a", GOOD, NULL},
      {"so that it does not creep", 12.2, 1, "a", GOOD, "g--"},
      {"a point without deadband", 12.2, 2, "a", GOOD, "-g-"},
      {"a text", 12.2, 2, "ab", GOOD, "--g"},
      {"a shorter text", 12.2, 2, "a", GOOD, "--g"},
      {"several", 20, 3, "b", GOOD, "ggg"},
      {"refused", 20, 3, "b", BAD, "b--"},
      {"still refused", 99, 3, "b", BAD, NULL},
      {"another point meanwhile", 99, 4, "b", BAD, "-g-"},
      {"good again", 20, 4, "b", GOOD, "g--"},
      {"no sample", 50, 5, "b", ABSENT, "-g-"},
      {"not a number", NAN, 5, "b", GOOD, "g--"},
      {"still none", NAN, 5, "b", GOOD, NULL},
      {"a number", 50, 5, "b", GOOD, "g--"},
  };
  fixture f;
  open_fixture(&f, (bb_config_route){.report = BB_REPORT_CHANGES}, NULL);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    set(&f, rows[i].power, rows[i].count, rows[i].name);
    f.quality[0] = rows[i].quality;
    bool reported = report_at(&f, (i + 1) * BB_NS_PER_S);
    expect_text(rows[i].row, reported ? qualities(&f) : NULL, rows[i].out);
    if (reported && f.out.quality[1] == GOOD) expect_double("count", number(&f, 1), rows[i].count);
    if (reported) expect_uint("no repeat", f.out.flags, 0);
  }
  close_fixture(&f);
}

static void test_feed_heartbeat_repeats_everything(void **state) {
  (void)state;
  fixture f;
  bb_config_route route = {.report = BB_REPORT_CHANGES, .heartbeat_ms = 60000};
  open_fixture(&f, route, NULL);
  set(&f, 1, 1, "a");
  expect_true("first", report_at(&f, BB_NS_PER_S));
  expect_true("nothing", !report_at(&f, MINUTE));
  expect_true("a minute after", report_at(&f, MINUTE + BB_NS_PER_S));
  expect_text("whole", qualities(&f), "ggg");
  expect_uint("a repeat", f.out.flags, BB_BATCH_REPEAT);
  set(&f, 1, 2, "a");
  expect_true("a change", report_at(&f, 2 * MINUTE));
  expect_uint("is no repeat", f.out.flags, 0);
  expect_true("which counts as a sign of life", !report_at(&f, 3 * MINUTE - 1));
  expect_true("again", report_at(&f, 3 * MINUTE));
  close_fixture(&f);
}

static void test_feed_every_passes_one_a_period(void **state) {
  (void)state;
  fixture f;
  unsigned n = 0;
  open_fixture(&f, (bb_config_route){.every_ms = 10000}, NULL);
  for (uint64_t s = 1003; s < 1063; s++) { /* the grid's periods begin at 1010, 1020, ... */
    set(&f, (double)s, 0, "");
    if (!report_at(&f, s * BB_NS_PER_S)) continue;
    expect_double("first of its period", number(&f, 0), n == 0 ? 1003 : 1000 + n * 10.0);
    n++;
  }
  expect_uint("periods", n, 7);
  close_fixture(&f);
}

static void test_feed_every_with_changes(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, (bb_config_route){.every_ms = 10000, .report = BB_REPORT_CHANGES}, NULL);
  set(&f, 1, 1, "a");
  expect_true("first", report_at(&f, 100 * BB_NS_PER_S));
  set(&f, 1, 2, "a");
  expect_true("too early", !report_at(&f, 105 * BB_NS_PER_S));
  expect_true("not forgotten", report_at(&f, 110 * BB_NS_PER_S));
  expect_text("the change", qualities(&f), "-g-");
  close_fixture(&f);
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
    fixture f;
    bb_config_route route = {.every_ms = 60000, .aggregate = (int)rows[i].aggregate};
    open_fixture(&f, route, NULL);
    expect_int(rows[i].row, f.feed->shape->points[1].type, rows[i].count_type);
    expect_int("floats stay", f.feed->shape->points[0].type, BB_TYPE_F64);
    for (unsigned round = 0; round < 2; round++) { /* nothing of one period gets into the next */
      uint64_t start = (10 + round) * MINUTE;
      for (uint32_t k = 0; k < 4; k++) {
        set(&f, powers[k], k + 1, "x");
        f.codes[0] = 0;
        bool reported = report_at(&f, start + (k + 1) * BB_NS_PER_S);
        expect_true("nothing within the period", !reported || (round == 1 && k == 0));
      }
    }
    set(&f, 99, 9, "end");
    expect_true(rows[i].row, report_at(&f, 12 * MINUTE));
    expect_text(rows[i].row, qualities(&f), "ggg");
    expect_double(rows[i].row, number(&f, 0), rows[i].power);
    expect_double(rows[i].row, number(&f, 1), rows[i].count);
    bb_value text = bb_batch_value(&f.out, 2);
    expect_bytes("a text has its last", text.v.text.bytes, text.v.text.len, "x", 1);
    close_fixture(&f);
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
    fixture f;
    bool none;
    uint8_t slot[8], quality = GOOD;
    bb_config_route route = {.every_ms = 60000, .aggregate = (int)rows[i].aggregate};
    open_fixture(&f, route, NULL);
    bb_shape *shape = bb_shape_new("energy", points, 1);
    bb_feed *feed = bb_feed_new(&f.config, &f.route, shape, &none);
    bb_batch batch = {.device = f.device, .shape = shape, .quality = &quality, .values = slot}, out;
    for (uint64_t k = 0; k < 4; k++) {
      bb_value value = {.type = BB_TYPE_U64, .v.u = (1ull << 60) - 1 + (k * 2) % 3};
      bb_value_store(value, slot, 8);
      batch.mono_ns = MINUTE * (k == 3 ? 2 : 1) + k;
      bool reported = bb_feed_report(feed, &batch, &out);
      expect_int("at the end", reported, k == 3);
    }
    expect_uint("exact", bb_batch_value(&out, 0).v.u, rows[i].wanted);
    bb_feed_free(feed);
    bb_shape_unref(shape);
    close_fixture(&f);
  }
}

static void test_feed_mean_leaves_out_what_is_not_good(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, (bb_config_route){.every_ms = 60000, .aggregate = BB_AGGREGATE_MEAN}, NULL);
  f.batch.codes = f.codes;
  set(&f, 10, 1, "");
  report_at(&f, MINUTE + 1);
  set(&f, 5000, 1, "");
  f.quality[0] = BAD;
  f.quality[1] = BAD;
  f.codes[0] = f.codes[1] = 2;
  report_at(&f, MINUTE + 2);
  set(&f, 20, 1, "");
  f.quality[0] = GOOD;
  report_at(&f, MINUTE + 3);
  f.quality[0] = BAD; /* the one that ends the period belongs to the next */
  expect_true("reported", report_at(&f, 2 * MINUTE));
  expect_text("power has a mean", qualities(&f), "ggg");
  expect_double("of two", number(&f, 0), 15);
  expect_uint("and no refusal", f.out.codes[0], 0);
  expect_true("next", report_at(&f, 3 * MINUTE));
  expect_text("no good one, no mean", qualities(&f), "bbg");
  expect_uint("and the refusal", f.out.codes[0], 2);
  close_fixture(&f);
}

static void test_feed_chooses_points(void **state) {
  (void)state;
  fixture f;
  bool none;
  open_fixture(&f, (bb_config_route){0}, "[na*, power]");
  expect_uint("two", f.feed->shape->n_points, 2);
  expect_text("in the profile's order", f.feed->shape->points[0].name, "power");
  expect_text("and", f.feed->shape->points[1].name, "name");
  expect_true("its own shape", f.feed->shape->hash != f.shape->hash);
  f.batch.codes = f.codes;
  f.quality[2] = BAD;
  f.codes[2] = 4;
  set(&f, 7, 8, "x");
  expect_true("reported", report_at(&f, 1));
  expect_true("in that shape", f.out.shape == f.feed->shape);
  expect_text("their qualities", qualities(&f), "gb");
  expect_double("their values", number(&f, 0), 7);
  expect_uint("their codes", f.out.codes[1], 4);
  close_fixture(&f);

  open_fixture(&f, (bb_config_route){0}, "[\"*\"]");
  expect_true("all is no choice", f.feed->shape == f.shape);
  close_fixture(&f);

  open_fixture(&f, (bb_config_route){0}, "[power]");
  bb_doc_tree tree;
  bb_config_route route = {0};
  parse(&tree, "[nothing]");
  route.points = tree.root;
  expect_true("none fits", bb_feed_new(&f.config, &route, f.shape, &none) == NULL && none);
  bb_doc_close(&tree);
  close_fixture(&f);
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
    fixture f;
    snprintf(row, sizeof(row), "route %zu", i);
    open_fixture(&f, routes[i], NULL);
    set(&f, 10, 1, "a");
    report_at(&f, MINUTE + 1);
    memset(f.quality, STALE, sizeof(f.quality));
    f.batch.flags = BB_BATCH_REPEAT;
    expect_true(row, report_at(&f, MINUTE + 2));
    expect_text(row, qualities(&f), "sss");
    expect_double(row, number(&f, 0), 10);
    expect_double(row, number(&f, 1), 1);
    /* Back again: the mean is one of good values only. */
    memset(f.quality, GOOD, sizeof(f.quality));
    f.batch.flags = 0;
    set(&f, 30, 3, "a");
    report_at(&f, MINUTE + 3);
    bool reported = report_at(&f, 2 * MINUTE);
    if (routes[i].aggregate == BB_AGGREGATE_MEAN) {
      expect_true(row, reported);
      expect_double(row, number(&f, 0), 20);
    }
    close_fixture(&f);
  }
}

static void test_feed_forgets_a_period_that_ended_during_a_loss(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, (bb_config_route){.every_ms = 60000, .aggregate = BB_AGGREGATE_MEAN}, NULL);
  set(&f, 100, 1, "a");
  report_at(&f, MINUTE + 1);
  memset(f.quality, STALE, sizeof(f.quality));
  f.batch.flags = BB_BATCH_REPEAT;
  report_at(&f, MINUTE + 2);
  memset(f.quality, GOOD, sizeof(f.quality));
  f.batch.flags = 0;
  set(&f, 5000, 1, "a");
  expect_true("nothing of before", !report_at(&f, 61 * MINUTE + 1));
  expect_true("reported", report_at(&f, 62 * MINUTE));
  expect_double("of now", number(&f, 0), 5000);
  close_fixture(&f);
}

static void test_feed_reports_the_first_value_of_a_point_that_came_later(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, (bb_config_route){.report = BB_REPORT_CHANGES}, NULL);
  set(&f, 0, 0, "");
  f.quality[0] = BB_QUALITY_ABSENT;
  expect_true("the others", report_at(&f, 1));
  f.quality[0] = GOOD;
  expect_true("its first value, a zero", report_at(&f, 2));
  expect_text("alone", qualities(&f), "g--");
  close_fixture(&f);
}

static void test_feed_view_shows_the_batch_in_its_shape(void **state) {
  (void)state;
  fixture f;
  bb_config_route route = {.report = BB_REPORT_CHANGES};
  open_fixture(&f, route, "[count, name]");
  set(&f, 1, 5, "a");
  report_at(&f, 1);
  expect_true("nothing new", !report_at(&f, 2));
  bb_feed_view(f.feed, &f.batch, &f.out);
  expect_text("whole nevertheless", qualities(&f), "gg");
  expect_double("value", number(&f, 0), 5);
  expect_true("reports as before", !report_at(&f, 3));
  close_fixture(&f);
}

static void test_feed_same_compares_the_reporting(void **state) {
  (void)state;
  bb_doc_tree a, b, c;
  parse(&a, "[power/*]");
  parse(&b, "[ power/* ]");
  parse(&c, "[power]");
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
  fixture *f = user;
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
    fixture f;
    open_fixture(&f, routes[i], i == 2 ? "[power]" : NULL);
    failmalloc_each(make_feed, &f);
    close_fixture(&f);
  }
}

static void test_feed_report_allocates_nothing(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, (bb_config_route){.every_ms = 10, .aggregate = BB_AGGREGATE_MEAN}, "[p*]");
  failmalloc_start(0);
  for (uint64_t i = 1; i < 100; i++) {
    set(&f, (double)i, 1, "a");
    report_at(&f, i * BB_NS_PER_MS);
  }
  expect_uint("allocations", failmalloc_stop(), 0);
  close_fixture(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_feed_all_passes_the_batch_as_it_is),
      cmocka_unit_test(test_feed_changes_reports_what_changed),
      cmocka_unit_test(test_feed_heartbeat_repeats_everything),
      cmocka_unit_test(test_feed_every_passes_one_a_period),
      cmocka_unit_test(test_feed_every_with_changes),
      cmocka_unit_test(test_feed_aggregates),
      cmocka_unit_test(test_feed_extremes_of_large_integers_are_exact),
      cmocka_unit_test(test_feed_mean_leaves_out_what_is_not_good),
      cmocka_unit_test(test_feed_chooses_points),
      cmocka_unit_test(test_feed_tells_of_a_loss_at_once),
      cmocka_unit_test(test_feed_forgets_a_period_that_ended_during_a_loss),
      cmocka_unit_test(test_feed_reports_the_first_value_of_a_point_that_came_later),
      cmocka_unit_test(test_feed_view_shows_the_batch_in_its_shape),
      cmocka_unit_test(test_feed_same_compares_the_reporting),
      cmocka_unit_test(test_feed_without_memory),
      cmocka_unit_test(test_feed_report_allocates_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
