/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* What is saved when the disk, the clock or a bound is in the way, and what is taken away again. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/err.h"
#include "runtime/parking.h"
#include "runtime/save.h"
#include "runtime/wait.h"
#include "support/expect.h"
#include "support/save_rig.h"

static void test_save_survives_a_store_that_is_no_store(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  rig_end_runtime(&f.r);
  FILE *file = fopen(folder_path(&f.r.folder, BB_STORE_FILE), "w");
  for (int i = 0; i < 1000; i++) fprintf(file, "this is no store\n");
  fclose(file);
  rig_reopen(&f.r);
  save_rig_begin(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  expect_true("the log says so", save_log_has(&f, "it was set aside as"));
  expect_true("and what to type", save_log_has(&f, "busbar store list --file "));
  save_push(&f, 1, 2);
  rig_until(&f.r, save_of(&f)->saved == 2);
  save_rig_close(&f);
}

/* No file of this process may grow: as if the disk were full. */
static void fill_disk(bool full) {
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = full ? 8192 : limit.rlim_max; /* more than the log has */
  expect_int("limit", setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A stream is taken out of the store while the disk is full, and one of the same name comes. */
static void test_save_takes_away_later_what_it_could_not_now(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 4);
  rig_until(&f.r, save_of(&f)->saved == 4);
  rig_apply(&f.r, SAVE_HEAD(SAVE_FAST) "sinks: []\n");
  rig_until(&f.r, save_of(&f)->job == NULL);
  fill_disk(true);
  expect_int("dropped", (int)bb_parking_drop(&f.r.runtime, "bus"), 4);
  rig_until(&f.r, save_of(&f)->failed > 0);
  fill_disk(false);
  save_rig_begin(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 5, 6);
  rig_until(&f.r, save_of(&f)->saved == 6);
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  expect_uint("the new ones only", bb_outlet_depth(save_bus(&f)), 2);
  fake_sink_connect(f.sink);
  save_expect_values(&f, 5, 6);
  save_ack_all(&f);
  save_rig_close(&f);
}

static void test_save_goes_on_when_the_disk_is_full(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 2);
  rig_until(&f.r, save_of(&f)->saved == 2);
  fill_disk(true);
  save_push(&f, 3, 4);
  rig_until(&f.r, save_of(&f)->failed >= 2);
  fill_disk(false);
  expect_true("the log says so",
              save_log_has(&f, "the runtime goes on with what its memory holds"));
  rig_until(&f.r, save_of(&f)->saved == 4);
  rig_until(&f.r, save_log_has(&f, "works again"));
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  fake_sink_connect(f.sink);
  save_expect_values(&f, 1, 4);
  save_ack_all(&f);
  save_rig_close(&f);
}

#define YEAR_NS (365ll * 24 * 3600 * (int64_t)BB_NS_PER_S)

static bool is_marked(save_rig *f, size_t i) {
  return (f->sink->pending[i].batch->flags & BB_BATCH_CLOCK_UNSET) != 0;
}

static void test_save_does_not_mind_a_clock_that_jumps(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 2);
  f.r.utc_ahead_ns = YEAR_NS;
  save_push(&f, 3, 4);
  rig_until(&f.r, save_of(&f)->saved == 4);
  f.r.utc_ahead_ns = -bb_clock_utc_ns(&f.r.runtime.clock); /* 1970 and some */
  rig_until(&f.r, !f.r.runtime.clock_set);
  save_push(&f, 5, 6);
  rig_until(&f.r, save_of(&f)->saved == 6);
  f.r.utc_ahead_ns = YEAR_NS;
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  f.r.utc_ahead_ns = -YEAR_NS;
  for (int i = 0; i < 20; i++) rig_turn(&f.r);
  expect_uint("none is too old", save_bus(&f)->counters.dropped, 0);
  fake_sink_connect(f.sink);
  save_expect_values(&f, 1, 6);
  for (size_t i = 0; i < 6; i++) {
    expect_true("marked, where the clock was not set", is_marked(&f, i) == (i >= 4));
  }
  save_ack_all(&f);
  save_rig_close(&f);
}

static void test_save_keeps_a_sinks_own_age_and_size(void **state) {
  (void)state;
  save_rig f;
  const char *text =
      SAVE_HEAD(SAVE_FAST) "sinks:\n"
                           "  - { id: bus, session: { manual: true }, store: { max_age: 10s } }\n"
                           "  - { id: slow, session: { manual: true } }\n";
  save_rig_open(&f, text);
  save_push(&f, 1, 3);
  rig_until(&f.r, save_of(&f)->saved == 3);
  save_rig_restart(&f, text); /* now they lie in the store alone */
  f.r.ahead_ns += 9 * BB_NS_PER_S;
  save_push(&f, 4, 4);
  rig_until(&f.r, save_of(&f)->saved == 1);
  expect_uint("young enough", bb_outlet_depth(save_bus(&f)), 4);
  f.r.ahead_ns += 5 * BB_NS_PER_S;
  save_push(&f, 5, 5);
  rig_until(&f.r, save_bus(&f)->counters.dropped == 3);
  expect_uint("the young ones wait", bb_outlet_depth(save_bus(&f)), 2);
  expect_uint("the other has them all", bb_outlet_depth(bb_runtime_outlet(&f.r.runtime, "slow")),
              5);
  expect_true("the log says so",
              save_log_has(&f, "more waits than store.max_age of the sink allows"));
  save_rig_close(&f);
}

typedef struct waiting {
  bb_wait wait; /* first */
  unsigned ended;
} waiting;

static void on_waited(bb_wait *wait, bool lost) {
  (void)lost;
  ((waiting *)(void *)wait)->ended++;
}

static void test_save_ends_the_waits_of_a_backlog_that_is_dropped(void **state) {
  (void)state;
  save_rig f;
  waiting one = {.wait = {.on_end = on_waited}};
  save_rig_open(&f, SAVE_PLANT("sync: 60s", SAVE_MANUAL));
  save_push(&f, 1, 1);
  bb_wait_start(&f.r.runtime, &one.wait, bb_runtime_stream(&f.r.runtime, 1, BB_STORE_TELEMETRY), 0,
                1);
  rig_turn(&f.r);
  expect_uint("not yet", one.ended, 0);
  rig_apply(&f.r, SAVE_HEAD("sync: 60s") "sinks: []\n");
  expect_int("dropped", (int)bb_parking_drop(&f.r.runtime, "bus"), 1);
  rig_turn(&f.r);
  expect_uint("over", one.ended, 1);
  save_rig_close(&f);
}

/* Without a store that works, the memory loses only what lies in it. */
static void test_save_leaves_a_saved_backlog_alone_when_the_memory_is_full(void **state) {
  (void)state;
  save_rig f;
  const char *text = SAVE_RUNTIME("queue_bytes: 1MiB, store: { sync: 20ms }") "sinks:\n" SAVE_SINK(
      "bus", "manual: true, window: 100");
  save_rig_open(&f, text);
  for (int i = 0; i < 1000; i++) save_push_quietly(&f, i);
  rig_until(&f.r, save_of(&f)->saved == 1000);
  save_rig_restart(&f, text);
  f.r.runtime.save.retry_ns = UINT64_MAX; /* as while the disk is full */
  uint64_t pushed = 0;
  for (; save_bus(&f)->counters.dropped == 0; pushed++) save_push_quietly(&f, (double)pushed);
  uint64_t dropped = save_bus(&f)->counters.dropped;
  expect_uint("all others wait", bb_outlet_depth(save_bus(&f)), 1000 + pushed - dropped);
  expect_true("a chunk went, not the backlog", dropped < 1000);
  save_rig_close(&f);
}

static void test_save_takes_away_packs_that_were_needed_in_part(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 10);
  rig_until(&f.r, save_of(&f)->saved == 10);
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 10);
  uint64_t jobs = save_of(&f)->jobs;
  fake_sink_judge(f.sink, 0, 5, BB_VERDICT_ACKED);
  rig_until(&f.r, save_of(&f)->jobs > jobs && save_of(&f)->job == NULL);
  save_ack_all(&f);
  rig_until(&f.r, save_of(&f)->stats.packs == 0);
  save_rig_close(&f);
}

static void test_save_ages_the_pack_that_a_sink_is_in_as_a_whole(void **state) {
  (void)state;
  save_rig f;
  const char *text = SAVE_HEAD(
      SAVE_FAST) "sinks:\n"
                 "  - { id: bus, session: { manual: true, window: 4 }, store: { max_age: 1h } }\n";
  save_rig_open(&f, text);
  f.r.ahead_ns += 7200 * BB_NS_PER_S; /* the clock of ages is past the limit */
  save_push(&f, 1, 100);
  rig_until(&f.r, save_of(&f)->saved == 100);
  f.r.ahead_ns = 0;
  save_rig_restart(&f, text);
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 2);
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
  save_push(&f, 101, 101);
  f.r.ahead_ns += 2 * BB_NS_PER_S;
  uint64_t jobs = save_of(&f)->jobs;
  rig_until(&f.r, save_of(&f)->jobs >= jobs + 2 && save_of(&f)->job == NULL);
  expect_uint("none is too old", save_bus(&f)->counters.dropped, 0);
  expect_uint("all but the first wait", bb_outlet_depth(save_bus(&f)), 100);
  save_rig_close(&f);
}

static void test_save_forgets_a_stream_that_its_last_reader_left(void **state) {
  (void)state;
  save_rig f;
  const char *two =
      SAVE_HEAD(SAVE_FAST) "sinks:\n" SAVE_SINK("bus", SAVE_MANUAL) SAVE_SINK("other", "");
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 50);
  rig_until(&f.r, save_of(&f)->saved == 50);
  rig_apply(&f.r, two); /* what comes now goes by another stream */
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 50);
  save_ack_all(&f);
  rig_until(&f.r, save_of(&f)->stats.records == 0 && save_of(&f)->job == NULL);
  save_rig_restart(&f, two);
  expect_uint("nothing comes again", bb_outlet_depth(save_bus(&f)), 0);
  save_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_save_survives_a_store_that_is_no_store),
      cmocka_unit_test(test_save_takes_away_later_what_it_could_not_now),
      cmocka_unit_test(test_save_goes_on_when_the_disk_is_full),
      cmocka_unit_test(test_save_does_not_mind_a_clock_that_jumps),
      cmocka_unit_test(test_save_keeps_a_sinks_own_age_and_size),
      cmocka_unit_test(test_save_ends_the_waits_of_a_backlog_that_is_dropped),
      cmocka_unit_test(test_save_leaves_a_saved_backlog_alone_when_the_memory_is_full),
      cmocka_unit_test(test_save_takes_away_packs_that_were_needed_in_part),
      cmocka_unit_test(test_save_ages_the_pack_that_a_sink_is_in_as_a_whole),
      cmocka_unit_test(test_save_forgets_a_stream_that_its_last_reader_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
