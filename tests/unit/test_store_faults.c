/* SPDX-License-Identifier: Apache-2.0 */
/* A store on a disk that fails: at each of its changes, in each way. What was not committed is not
 * there, and the same store goes on when the disk does. */
#include <stdio.h>

#include <sqlite3.h>

#include "base/err.h"
#include "support/disk.h"
#include "support/expect.h"
#include "support/store_story.h"

#define PATH "/store.db"

static int err_of(int rc) {
  return rc == SQLITE_FULL ? BB_ERR_LIMIT : BB_ERR_IO;
}

/* The step, and where it fails once more when the disk works again. */
static void commit_in_the_end(const char *row, bb_store *store, int step, int rc) {
  int err = story_commit(store, step);
  if (err < 0) {
    expect_true(row, disk_has_failed());
    expect_true(row, err == err_of(rc) || err == BB_ERR_IO);
    expect_part(row, bb_store_why(store), PATH ": ");
    disk_fail(0, 0, false);
    expect_text(row, story_shown(store), story_expected(step));
    expect_int(row, story_commit(store, step), 0);
    expect_text(row, story_shown(store), story_expected(step + 1));
  }
}

static void run(unsigned nth, int rc, bool lasting) {
  char row[64];
  bb_store *store;
  snprintf(row, sizeof(row), "change %u, %s %d", nth, lasting ? "from then on" : "once", rc);
  disk_open();
  disk_fail(nth, rc, lasting);
  int err = story_open(&store);
  if (err < 0) {
    expect_true(row, err == err_of(rc) || err == BB_ERR_IO);
    disk_fail(0, 0, false);
    err = story_open(&store);
  }
  expect_int(row, err, 0);
  for (int step = 0; step < STORY_STEPS; step++) commit_in_the_end(row, store, step, rc);
  bb_store_close(store);
  disk_fail(0, 0, false);
  expect_int(row, story_open(&store), 0);
  expect_text(row, story_shown(store), story_expected(STORY_STEPS));
  story_expect_sound(row, store, STORY_STEPS);
  bb_store_close(store);
  disk_close();
}

static void each(void **state, int rc) {
  unsigned changes = **(unsigned **)state;
  for (unsigned nth = 1; nth <= changes; nth++) {
    run(nth, rc, false);
    run(nth, rc, true);
  }
}

static void test_store_survives_a_full_disk(void **state) {
  each(state, SQLITE_FULL);
}

static void test_store_survives_failing_writes(void **state) {
  each(state, SQLITE_IOERR_WRITE);
}

static void test_store_says_what_is_wrong_with_the_disk(void **state) {
  (void)state;
  bb_store *store;
  disk_open();
  expect_int("open", story_open(&store), 0);
  disk_fail(1, SQLITE_FULL, true);
  expect_int("full", story_commit(store, 0), BB_ERR_LIMIT);
  expect_text("full", bb_store_why(store),
              "/store.db: the disk is full (SQLITE_FULL 13); free space there");
  disk_fail(1, SQLITE_IOERR_WRITE, true);
  expect_int("failed", story_commit(store, 0), BB_ERR_IO);
  expect_text(
      "failed", bb_store_why(store),
      "/store.db: the disk failed (SQLITE_IOERR 778); look at the disk and at the system's log");
  bb_store_close(store);
  disk_close();
}

/* SQLite undoes a transaction by itself when the disk fails in the middle of it; what comes then must
 * not count as one of its own. */
static void test_store_takes_nothing_into_a_transaction_that_failed(void **state) {
  static uint8_t body[100000];
  bb_store *store;
  (void)state;
  disk_open();
  expect_int("open", story_open(&store), 0);
  expect_int("a step", story_commit(store, 0), 0);
  expect_int("begin", bb_store_begin(store), 0);
  disk_fail(1, SQLITE_FULL, true);
  bb_store_pack pack = {.stream = 1, .first = 1000, .n = 1, .body = body, .len = sizeof(body)};
  int err = 0;
  for (; err == 0 && pack.first < 1100; pack.first++) err = bb_store_append(store, &pack);
  expect_int("more than memory holds", err, BB_ERR_LIMIT);
  disk_fail(0, 0, false);
  expect_int("append", bb_store_append(store, &pack), BB_ERR_STATE);
  expect_int("value", bb_store_value_put(store, "a", "b", 1), BB_ERR_STATE);
  expect_part("why", bb_store_why(store), "the transaction failed before; roll it back");
  expect_int("commit", bb_store_commit(store), BB_ERR_STATE);
  expect_text("content", story_shown(store), story_expected(1));
  expect_int("and on", story_commit(store, 1), 0);
  expect_text("content", story_shown(store), story_expected(2));
  bb_store_close(store);
  disk_close();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_store_says_what_is_wrong_with_the_disk),
      cmocka_unit_test(test_store_takes_nothing_into_a_transaction_that_failed),
      cmocka_unit_test(test_store_survives_a_full_disk),
      cmocka_unit_test(test_store_survives_failing_writes),
  };
  return cmocka_run_group_tests_name("store_faults", tests, story_open_group, story_close_group);
}
