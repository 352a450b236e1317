/* SPDX-License-Identifier: Apache-2.0 */
/* Dead letters. */

#include "base/err.h"
#include "support/expect.h"
#include "support/store.h"

static void expect_totals(store_rig *rig, uint64_t dead, uint64_t bytes) {
  bb_store_stats stats;
  expect_int("stats", bb_store_read_stats(rig->store, &stats), 0);
  expect_uint("dead", stats.dead, dead);
  expect_uint("bytes", stats.dead_bytes, bytes);
  expect_uint("streams do not count them", stats.packs + stats.records + stats.bytes, 0);
}

static void test_dead_letters_are_kept(void **state) {
  store_rig *rig = *state;
  store_begin(rig);
  store_put_dead(rig, "influx", 10, 100);
  store_put_dead(rig, "mqtt", 11, 70000);
  store_put_dead(rig, "influx", 12, 1);
  store_commit(rig);
  store_reopen(rig);
  expect_text("all", store_show_dead(rig, NULL, 0), "1 influx/no 2 mqtt/no 3 influx/no ");
  expect_text("of one", store_show_dead(rig, "influx", 0), "1 influx/no 3 influx/no ");
  expect_text("after", store_show_dead(rig, "influx", 1), "3 influx/no ");
  expect_text("none", store_show_dead(rig, "other", 0), "");
  expect_totals(rig, 3, 70101);
}

static int stop(void *user, const bb_store_dead *dead) {
  (void)user;
  return dead->id == 2 ? 77 : 0;
}

static void test_dead_letters_can_be_left_in_the_middle(void **state) {
  store_rig *rig = *state;
  store_begin(rig);
  for (uint64_t i = 0; i < 3; i++) store_put_dead(rig, "influx", i, 10);
  store_commit(rig);
  expect_int("each", bb_store_dead_each(rig->store, NULL, 0, stop, NULL), 77);
}

static void test_dead_letters_go_one_by_one_and_ids_do_not_come_back(void **state) {
  store_rig *rig = *state;
  store_begin(rig);
  store_put_dead(rig, "influx", 10, 100);
  store_put_dead(rig, "influx", 11, 200);
  expect_int("drop", bb_store_dead_drop(rig->store, 2), 0);
  expect_int("again", bb_store_dead_drop(rig->store, 2), BB_ERR_NOTFOUND);
  expect_part("why", bb_store_why(rig->store), "no dead letter 2");
  store_commit(rig);
  expect_totals(rig, 1, 100);
  store_reopen(rig);
  store_begin(rig);
  store_put_dead(rig, "influx", 12, 300);
  store_commit(rig);
  expect_text("ids", store_show_dead(rig, NULL, 0), "1 influx/no 3 influx/no ");
}

static void test_dead_letters_are_bounded_by_bytes_and_age(void **state) {
  store_rig *rig = *state;
  static const uint64_t ages[] = {50, 20, 60, 10, 70};
  store_begin(rig);
  for (size_t i = 0; i < 5; i++) store_put_dead(rig, "influx", ages[i], 1000);
  expect_int("all fit", bb_store_dead_bound(rig->store, 5000, 10), 0);
  expect_int("one too much", bb_store_dead_bound(rig->store, 4999, 0), 1);
  expect_text("left", store_show_dead(rig, NULL, 0),
              "2 influx/no 3 influx/no 4 influx/no 5 influx/no ");
  expect_int("too old", bb_store_dead_bound(rig->store, UINT64_MAX, 60), 2);
  expect_text("left", store_show_dead(rig, NULL, 0), "3 influx/no 5 influx/no ");
  expect_totals(rig, 2, 2000);
  expect_int("any age", bb_store_dead_bound(rig->store, UINT64_MAX, UINT64_MAX), 2);
  expect_totals(rig, 0, 0);
  expect_int("of nothing", bb_store_dead_bound(rig->store, 0, 0), 0);
  store_commit(rig);
}

static void test_dead_letters_that_are_none_are_refused(void **state) {
  store_rig *rig = *state;
  bb_store *store = rig->store;
  bb_store_dead dead = {.sink = "a", .reason = "", .body = (uint8_t *)"x", .len = 1};
  expect_int("outside", bb_store_dead_put(store, &dead), BB_ERR_STATE);
  expect_int("outside", bb_store_dead_drop(store, 1), BB_ERR_STATE);
  expect_int("outside", bb_store_dead_bound(store, 0, 0), BB_ERR_STATE);
  store_begin(rig);
  expect_int("least", bb_store_dead_put(store, &dead), 0);
  dead.len = 0;
  expect_int("no body", bb_store_dead_put(store, &dead), BB_ERR_INVALID);
  dead.len = 3u << 20;
  expect_int("long body", bb_store_dead_put(store, &dead), BB_ERR_INVALID);
  dead.len = 1;
  dead.sink = "";
  expect_int("no sink", bb_store_dead_put(store, &dead), BB_ERR_INVALID);
  store_commit(rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      store_test(test_dead_letters_are_kept),
      store_test(test_dead_letters_can_be_left_in_the_middle),
      store_test(test_dead_letters_go_one_by_one_and_ids_do_not_come_back),
      store_test(test_dead_letters_are_bounded_by_bytes_and_age),
      store_test(test_dead_letters_that_are_none_are_refused),
  };
  return cmocka_run_group_tests_name("store_dead", tests, NULL, NULL);
}
