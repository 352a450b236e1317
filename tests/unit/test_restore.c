/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* A store that cannot be opened at the start and holds what earlier runs left. A batch is known by its
 * first value. */
#include "runtime/restore.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "runtime/parking.h"
#include "runtime/wait.h"
#include "support/expect.h"
#include "support/save_rig.h"

#define PLANT SAVE_PLANT(SAVE_FAST, SAVE_MANUAL)
#define ELSEWHERE SAVE_HEAD(SAVE_FAST) "sinks:\n" SAVE_SINK("other", SAVE_MANUAL)
#define WORKS_AGAIN "works again; 3 batches that earlier runs left follow as history"

#define NOBODY 65534

static void rename_store(const save_rig *f, const char *from, const char *to) {
  char place[256];
  snprintf(place, sizeof(place), "%s", folder_path(&f->r.folder, from));
  expect_int(from, rename(place, folder_path(&f->r.folder, to)), 0);
}

/* A folder in its place: it cannot be opened. */
static void hide_store(const save_rig *f) {
  rename_store(f, BB_STORE_FILE, "hidden");
  expect_int("folder", mkdir(folder_path(&f->r.folder, BB_STORE_FILE), 0700), 0);
}

static void show_store(const save_rig *f) {
  expect_int("folder", rmdir(folder_path(&f->r.folder, BB_STORE_FILE)), 0);
  rename_store(f, "hidden", BB_STORE_FILE);
}

static unsigned count_log(save_rig *f, const char *text) {
  unsigned n = 0;
  for (const char *at = folder_log(&f->r.folder); (at = strstr(at, text)) != NULL; at++) n++;
  return n;
}

/* 1 to 3 lie in a store that the second life cannot open. */
static void open_fixture(save_rig *f, const char *text) {
  save_rig_open(f, PLANT);
  save_push(f, 1, 3);
  rig_end_runtime(&f->r);
  hide_store(f);
  rig_reopen(&f->r);
  save_rig_begin(f, text);
}

/* The sink has so many batches, which begin with these values, in this order. */
static void expect_pending(save_rig *f, const double *values, uint32_t n) {
  rig_until(&f->r, f->sink->n_pending >= n);
  for (uint32_t i = 0; i < n; i++) {
    expect_double_at("value", fake_sink_value(f->sink->pending[i].batch), values[i], __FILE__,
                     __LINE__);
  }
  expect_uint("no more", f->sink->n_pending, n);
}

static void test_restore_takes_a_backlog_when_the_disk_lets_it(void **state) {
  (void)state;
  save_rig f;
  open_fixture(&f, PLANT);
  expect_true("failing", save_of(&f)->spool.failing);
  save_push(&f, 4, 5);
  f.r.ahead_ns += 6 * BB_NS_PER_S; /* these are history, too */
  show_store(&f);
  rig_until(&f.r, save_of(&f)->restored);
  expect_true("the log says so", save_log_has(&f, WORKS_AGAIN));
  expect_uint("and once that it failed", count_log(&f, "goes on with what its memory holds"), 1);
  expect_true("works", !save_of(&f)->spool.failing);
  save_push(&f, 6, 6);
  rig_until(&f.r, save_of(&f)->saved == 3);
  f.r.ahead_ns += 6 * BB_NS_PER_S;
  fake_sink_connect(f.sink);
  save_expect_values(&f, 1, 6);
  save_ack_all(&f);
  rig_until(&f.r, save_of(&f)->stats.records == 0 && save_of(&f)->job == NULL);
  expect_uint("nothing was lost", save_bus(&f)->counters.dropped, 0);
  save_rig_close(&f);
}

static void test_restore_keeps_what_came_meanwhile_for_the_next_start(void **state) {
  (void)state;
  save_rig f;
  open_fixture(&f, PLANT);
  save_push(&f, 4, 5);
  show_store(&f);
  rig_until(&f.r, save_of(&f)->saved == 2);
  save_rig_restart(&f, PLANT);
  fake_sink_connect(f.sink);
  save_expect_values(&f, 1, 5);
  save_ack_all(&f);
  save_rig_close(&f);
}

static void give_store(const save_rig *f, uid_t owner) {
  expect_int("root", seteuid(0), 0);
  chmod(f->r.folder.path, 0777);
  expect_int("owner", chown(folder_path(&f->r.folder, BB_STORE_FILE), owner, owner), 0);
  if (chown(folder_path(&f->r.folder, BB_STORE_FILE "-wal"), owner, owner) < 0) {
    expect_int("no log", errno, ENOENT);
  }
  expect_int("user", seteuid(NOBODY), 0);
}

/* As another user, because root may write everywhere. */
static void test_restore_takes_a_backlog_when_it_gets_the_right(void **state) {
  (void)state;
  save_rig f;
  if (geteuid() != 0) skip();
  rig_open(&f.r);
  save_rig_begin(&f, PLANT);
  save_push(&f, 1, 3);
  rig_end_runtime(&f.r);
  give_store(&f, 0);
  rig_reopen(&f.r);
  save_rig_begin(&f, PLANT);
  save_push(&f, 4, 4);
  expect_true("told",
              save_log_has(&f, "it cannot be opened") || save_log_has(&f, "it may not be opened"));
  f.r.ahead_ns += 6 * BB_NS_PER_S;
  give_store(&f, NOBODY);
  rig_until(&f.r, save_of(&f)->saved == 1);
  expect_true("the log says so", save_log_has(&f, WORKS_AGAIN));
  fake_sink_connect(f.sink);
  save_expect_values(&f, 1, 4);
  save_ack_all(&f);
  rig_end_runtime(&f.r);
  expect_int("root", seteuid(0), 0);
  prctl(PR_SET_DUMPABLE, 1); /* which the change of user took away, and the leak check needs */
  folder_close(&f.r.folder);
}

/* What is on its way gets its verdict, or comes again, behind what is older. */
static void test_restore_does_not_mind_what_is_on_its_way(void **state) {
  (void)state;
  static const double all[] = {1, 2, 3, 5, 6};
  save_rig f;
  open_fixture(&f, PLANT);
  fake_sink_connect(f.sink);
  save_push(&f, 4, 6);
  rig_until(&f.r, f.sink->n_pending == 3);
  show_store(&f);
  rig_until(&f.r, save_of(&f)->restored);
  rig_until(&f.r, f.sink->n_pending == 6); /* 4 to 6, then 1 to 3 */
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
  fake_sink_judge(f.sink, 0, 5, BB_VERDICT_RETRY);
  expect_pending(&f, all, 5);
  save_ack_all(&f);
  rig_until(&f.r, save_of(&f)->stats.records == 0 && save_of(&f)->job == NULL);
  save_rig_close(&f);
}

typedef struct waiting {
  bb_wait wait; /* first */
  unsigned ended, lost;
} waiting;

static void on_waited(bb_wait *wait, bool lost) {
  waiting *one = (waiting *)(void *)wait;
  one->ended++;
  one->lost += lost;
}

static void test_restore_ends_the_waits_of_what_came_before_once_it_is_saved(void **state) {
  (void)state;
  save_rig f;
  waiting one = {.wait = {.on_end = on_waited}};
  open_fixture(&f, PLANT);
  save_push(&f, 4, 5);
  bb_wait_start(&f.r.runtime, &one.wait, bb_runtime_stream(&f.r.runtime, 1, BB_STORE_TELEMETRY), 1,
                2);
  for (int i = 0; i < 20; i++) rig_turn(&f.r);
  expect_uint("not yet", one.ended, 0);
  show_store(&f);
  rig_until(&f.r, one.ended == 1);
  expect_uint("saved", save_of(&f)->saved, 2);
  expect_uint("not lost", one.lost, 0);
  save_rig_close(&f);
}

static void test_restore_tells_of_a_sink_that_is_gone(void **state) {
  (void)state;
  const void *at = NULL;
  bb_orphan orphan;
  save_rig f;
  open_fixture(&f, ELSEWHERE);
  save_push(&f, 4, 4);
  show_store(&f);
  rig_until(&f.r, save_of(&f)->restored);
  expect_true("told", save_log_has(&f, "bus: there is no such sink any more; 3 batches"));
  expect_true("an orphan", bb_parking_next(&f.r.runtime, &at, &orphan));
  expect_uint("of three", orphan.batches, 3);
  save_rig_close(&f);
}

/* The number of a sink's session: what the sink gave meanwhile is newer than what the store has. */
static void test_restore_leaves_newer_values_alone(void **state) {
  (void)state;
  save_rig f;
  char value[8] = "";
  bb_keep *keep = &f.r.runtime.keep;
  rig_open(&f.r);
  save_rig_begin(&f, PLANT);
  expect_int("put", bb_keep_put(keep, "bus", "a", "old", 3), 0);
  expect_int("put", bb_keep_put(keep, "bus", "b", "old", 3), 0);
  bb_save_soon(save_of(&f));
  rig_end_runtime(&f.r);
  hide_store(&f);
  rig_reopen(&f.r);
  save_rig_begin(&f, PLANT);
  expect_int("put", bb_keep_put(keep, "bus", "a", "new", 3), 0);
  show_store(&f);
  rig_until(&f.r, save_of(&f)->restored);
  expect_int("newer", bb_keep_get(keep, "bus", "a", value, sizeof(value)), 3);
  expect_text("newer", value, "new");
  expect_int("older", bb_keep_get(keep, "bus", "b", value, sizeof(value)), 3);
  expect_text("older", value, "old");
  save_rig_close(&f);
}

static void test_restore_sets_a_damaged_store_aside_later_too(void **state) {
  (void)state;
  save_rig f;
  open_fixture(&f, PLANT);
  save_push(&f, 4, 5);
  FILE *file = fopen(folder_path(&f.r.folder, "hidden"), "w");
  for (int i = 0; i < 1000; i++) fprintf(file, "this is no store\n");
  fclose(file);
  show_store(&f);
  rig_until(&f.r, save_of(&f)->saved == 2);
  expect_true("the log says so", save_log_has(&f, "it was set aside as"));
  save_rig_close(&f);
}

/* The disk is back in the last moment. */
static void test_restore_saves_at_the_end_what_came_without_a_store(void **state) {
  (void)state;
  save_rig f;
  open_fixture(&f, PLANT);
  save_push(&f, 4, 5);
  rig_turn(&f.r);
  show_store(&f);
  expect_true("it did not notice", !save_of(&f)->restored);
  save_rig_restart(&f, PLANT);
  fake_sink_connect(f.sink);
  save_expect_values(&f, 1, 5);
  save_ack_all(&f);
  save_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_restore_takes_a_backlog_when_the_disk_lets_it),
      cmocka_unit_test(test_restore_keeps_what_came_meanwhile_for_the_next_start),
      cmocka_unit_test(test_restore_takes_a_backlog_when_it_gets_the_right),
      cmocka_unit_test(test_restore_does_not_mind_what_is_on_its_way),
      cmocka_unit_test(test_restore_ends_the_waits_of_what_came_before_once_it_is_saved),
      cmocka_unit_test(test_restore_tells_of_a_sink_that_is_gone),
      cmocka_unit_test(test_restore_leaves_newer_values_alone),
      cmocka_unit_test(test_restore_sets_a_damaged_store_aside_later_too),
      cmocka_unit_test(test_restore_saves_at_the_end_what_came_without_a_store),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
