/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* What waits for a sink goes to the disk and comes back from it. Faults and bounds:
 * test_save_faults.c. */
#include "runtime/save.h"

#include <stdlib.h>

#include "base/err.h"
#include "runtime/parking.h"
#include "support/expect.h"
#include "support/save_rig.h"

static void test_save_writes_nothing_that_is_acknowledged_in_time(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT("sync: 400ms", ""));
  for (int i = 0; i < 50; i++) {
    save_push(&f, i, i);
    rig_turn(&f.r);
  }
  rig_until(&f.r, save_bus(&f)->counters.delivered == 50);
  f.r.ahead_ns += BB_NS_PER_S;
  for (int i = 0; i < 100; i++) rig_turn(&f.r);
  expect_uint("no record was written", save_of(&f)->saved, 0);
  save_rig_close(&f);
}

static void test_save_brings_back_what_a_sink_had_not_taken(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 5);
  rig_until(&f.r, save_of(&f)->saved == 5);
  save_push(&f, 6, 7); /* the end saves these */
  rig_turn(&f.r);
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  expect_uint("they wait", bb_outlet_depth(save_bus(&f)), 7);
  expect_true("what will be delivered is looked at, though nothing comes",
              uv_is_active((const uv_handle_t *)&save_of(&f)->timer));
  fake_sink_connect(f.sink);
  save_expect_values(&f, 1, 7);
  expect_uint("as history", journal_count("bus history m fast 7"), 1);
  save_ack_all(&f);
  rig_until(&f.r, save_of(&f)->stats.records == 0 && save_of(&f)->job == NULL);
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  expect_uint("nothing is left", bb_outlet_depth(save_bus(&f)), 0);
  save_rig_close(&f);
}

static void test_save_sends_live_before_what_was_left(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 3);
  rig_turn(&f.r);
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 4, 5);
  rig_turn(&f.r);
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 5);
  expect_order("bus live m fast 4", "bus live m fast 5", "bus history m fast 1");
  save_ack_all(&f);
  save_rig_close(&f);
}

static void test_save_does_not_repeat_what_went_live_during_a_drain(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, "manual: true, window: 4"));
  save_push(&f, 1, 6);
  rig_turn(&f.r);
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, "manual: true, window: 4"));
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 2); /* half of the window */
  save_push(&f, 7, 8);
  rig_until(&f.r, f.sink->n_pending == 4);
  fake_sink_judge(f.sink, 2, 2, BB_VERDICT_ACKED); /* 7 and 8, which are live */
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED); /* 1 */
  fake_sink_lose(f.sink, "gone");
  rig_turn(&f.r);
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  expect_uint("2 to 6", bb_outlet_depth(save_bus(&f)), 5);
  fake_sink_connect(f.sink);
  save_expect_values(&f, 2, 6);
  save_ack_all(&f);
  save_rig_close(&f);
}

static void test_save_evicts_and_fetches(void **state) {
  (void)state;
  enum { N = 20000 };
  save_rig f;
  save_rig_open(&f, SAVE_RUNTIME("queue_bytes: 1MiB, store: { sync: 20ms }") "sinks:\n" SAVE_SINK(
                        "bus", "manual: true, window: 100"));
  for (int i = 0; i < N; i++) {
    save_push(&f, i, i);
    journal_clear();
    if (i % 200 == 0) rig_until(&f.r, save_of(&f)->appended < (256u << 10));
  }
  rig_until(&f.r, save_of(&f)->saved == N);
  expect_true("memory is bounded", f.r.runtime.queue.bytes <= 1u << 20);
  expect_uint("nothing is lost", save_bus(&f)->counters.dropped, 0);
  fake_sink_connect(f.sink);
  double next = 0;
  bb_outlet *outlet = save_bus(&f);
  /* The newest went live; what comes as history must have no gap. */
  bool *seen = calloc(N, sizeof(*seen));
  while (outlet->counters.delivered < N) {
    journal_clear();
    rig_until(&f.r, f.sink->n_pending > 0);
    uint32_t n = (uint32_t)f.sink->n_pending;
    for (uint32_t i = 0; i < n; i++) {
      int value = (int)fake_sink_value(f.sink->pending[i].batch);
      expect_true("in range", value >= 0 && value < N);
      expect_true("once", !seen[value]);
      seen[value] = true;
      next++;
    }
    fake_sink_judge(f.sink, 0, n, BB_VERDICT_ACKED);
  }
  expect_double_at("all", next, N, __FILE__, __LINE__);
  free(seen);
  expect_uint("none twice", outlet->counters.delivered, N);
  rig_until(&f.r, save_of(&f)->stats.records == 0 && save_of(&f)->job == NULL);
  save_rig_close(&f);
}

/* Both sinks are away, and one of them has only the memory: what goes from there goes for it alone. */
static void test_save_loses_nothing_of_the_disk_for_a_sink_of_the_memory(void **state) {
  (void)state;
  enum { N = 20000 };
  save_rig f;
  save_rig_open(&f, SAVE_RUNTIME("queue_bytes: 1MiB, store: { sync: 20ms }") "sinks:\n" SAVE_SINK(
                        "bus", SAVE_MANUAL) "  - { id: hist, session: { manual: true }, store: { "
                                            "mode: memory } }\n");
  bb_outlet *hist = bb_runtime_outlet(&f.r.runtime, "hist");
  for (int i = 0; i < N; i++) {
    save_push_quietly(&f, i);
    if (i % 200 == 0) rig_until(&f.r, save_of(&f)->appended < (256u << 10));
  }
  rig_until(&f.r, save_of(&f)->saved == N);
  expect_true("the memory is full", hist->counters.dropped > 0);
  expect_uint("and no more is counted", bb_outlet_depth(hist) + hist->counters.dropped, N);
  expect_uint("nothing is lost", save_bus(&f)->counters.dropped, 0);
  expect_uint("all waits", bb_outlet_depth(save_bus(&f)), N);
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, "manual: true, window: 100"));
  expect_uint("and is there", bb_outlet_depth(save_bus(&f)), N);
  save_rig_close(&f);
}

static void test_save_keeps_the_backlog_of_a_sink_that_is_gone(void **state) {
  (void)state;
  save_rig f;
  const void *at = NULL;
  bb_orphan orphan;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 4);
  rig_turn(&f.r);
  save_rig_restart(&f, SAVE_HEAD(SAVE_FAST) "sinks:\n" SAVE_SINK("other", SAVE_MANUAL));
  expect_true("an orphan", bb_parking_next(&f.r.runtime, &at, &orphan));
  expect_text("of", orphan.sink, "bus");
  expect_uint("batches", orphan.batches, 4);
  expect_true("the only one", !bb_parking_next(&f.r.runtime, &at, &orphan));
  expect_true("the log says so", save_log_has(&f, "there is no such sink any more"));
  save_rig_restart(
      &f, SAVE_HEAD(SAVE_FAST) "sinks:\n" SAVE_SINK("other", SAVE_MANUAL)); /* still there */
  bb_outlet *other = bb_runtime_outlet(&f.r.runtime, "other");
  expect_int("given", (int)bb_parking_reassign(&f.r.runtime, "bus", other), 4);
  expect_uint("it has them", bb_outlet_depth(other), 4);
  save_rig_restart(&f, SAVE_HEAD(SAVE_FAST) "sinks:\n" SAVE_SINK("other", SAVE_MANUAL));
  expect_uint("for good", bb_outlet_depth(bb_runtime_outlet(&f.r.runtime, "other")), 4);
  rig_apply(&f.r, SAVE_HEAD(SAVE_FAST) "sinks: []\n");
  expect_int("dropped", (int)bb_parking_drop(&f.r.runtime, "other"), 4);
  expect_int("once", (int)bb_parking_drop(&f.r.runtime, "other"), BB_ERR_NOTFOUND);
  rig_until(&f.r, save_of(&f)->stats.records == 0 && save_of(&f)->job == NULL);
  save_rig_close(&f);
}

/* The note of how long runs took is written once a minute: what this run saves must be younger than
 * all that earlier runs left, which none of them may have noted. */
static void test_save_drops_what_earlier_runs_left_first(void **state) {
  (void)state;
  save_rig f;
  const void *at = NULL;
  bb_orphan orphan;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 3);
  rig_until(&f.r, save_of(&f)->saved == 3);
  f.r.ahead_ns += 50 * BB_NS_PER_S;
  save_push(&f, 4, 6);
  rig_until(&f.r, save_of(&f)->saved == 6);
  save_rig_restart(&f, SAVE_HEAD(SAVE_FAST) "sinks:\n" SAVE_SINK("other", SAVE_MANUAL));
  uint64_t left = save_of(&f)->stats.bytes;
  save_push(&f, 7, 9);
  rig_until(&f.r, save_of(&f)->saved == 3 && save_of(&f)->job == NULL);
  uint64_t own = save_of(&f)->stats.bytes - left;
  save_of(&f)->limits.max_bytes = 2 * own;
  save_push(&f, 10, 10);
  rig_until(&f.r, save_of(&f)->saved == 4 && save_of(&f)->job == NULL);
  bb_outlet *other = bb_runtime_outlet(&f.r.runtime, "other");
  expect_uint("none of this run", other->counters.dropped, 0);
  expect_uint("all of it waits", bb_outlet_depth(other), 4);
  expect_true("nothing of before", !bb_parking_next(&f.r.runtime, &at, &orphan));
  expect_true("the log says so", save_log_has(&f, "the store has no more room: the oldest"));
  save_rig_close(&f);
}

static void test_save_tells_what_an_orphan_loses_to_its_age(void **state) {
  (void)state;
  save_rig f;
  const void *at = NULL;
  bb_orphan orphan;
  save_rig_open(&f, SAVE_HEAD(SAVE_FAST) "sinks:\n"
                                         "  - { id: bus, session: { manual: true }, "
                                         "store: { max_age: 1h } }\n");
  save_push(&f, 1, 3);
  rig_until(&f.r, save_of(&f)->saved == 3);
  f.r.ahead_ns += 1800 * BB_NS_PER_S;
  save_push(&f, 4, 6);
  rig_until(&f.r, save_of(&f)->saved == 6 && save_of(&f)->job == NULL);
  rig_apply(&f.r, SAVE_HEAD(SAVE_FAST) "sinks:\n" SAVE_SINK("other", SAVE_MANUAL));
  f.r.ahead_ns += 2400 * BB_NS_PER_S;
  save_push(&f, 7, 7);
  rig_until(&f.r, save_log_has(&f, "it has reached its age limit: the oldest"));
  expect_true("an orphan", bb_parking_next(&f.r.runtime, &at, &orphan));
  expect_uint("the rest waits", orphan.batches, 3);
  expect_uint("dropped", orphan.dropped, 3);
  save_rig_close(&f);
}

static void test_save_lets_a_sink_that_is_back_have_what_another_took(void **state) {
  (void)state;
  save_rig f;
  const char *text =
      SAVE_HEAD(SAVE_FAST) "sinks:\n" SAVE_SINK("bus", SAVE_MANUAL) SAVE_SINK("ready", "");
  save_rig_open(&f, text);
  save_push(&f, 1, 4);
  rig_until(&f.r, save_of(&f)->saved == 4);
  save_rig_restart(&f, text);
  expect_uint("one has all", bb_outlet_depth(bb_runtime_outlet(&f.r.runtime, "ready")), 0);
  expect_uint("the other none", bb_outlet_depth(save_bus(&f)), 4);
  save_rig_close(&f);
}

static void test_save_leaves_memory_sinks_alone(void **state) {
  (void)state;
  save_rig f;
  const char *text =
      SAVE_HEAD(SAVE_FAST) "sinks:\n"
                           "  - { id: bus, session: { manual: true }, store: { mode: memory } }\n";
  save_rig_open(&f, text);
  save_push(&f, 1, 4);
  for (int i = 0; i < 20; i++) rig_turn(&f.r);
  save_rig_restart(&f, text);
  expect_uint("nothing was kept", bb_outlet_depth(save_bus(&f)), 0);
  expect_true("the log says so", save_log_has(&f, "4 batches could not be delivered"));
  save_rig_close(&f);
}

static void test_save_tells_of_a_shape_before_its_batches(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 2);
  rig_turn(&f.r);
  /* Without the device the sink would never hear of its shape. */
  journal_clear();
  save_rig_restart(&f, "busbar: 1\nsinks:\n" SAVE_SINK("bus", SAVE_MANUAL));
  expect_uint("not yet", journal_count("bus shape m*"), 0);
  journal_clear();
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 2);
  expect_order("bus shape m fast 3 points", "bus history m fast 1", "bus history m fast 2");
  expect_uint("once", journal_count("bus shape m fast*"), 1);
  expect_uint("still there", journal_count("bus gone m fast"), 0);
  save_ack_all(&f);
  rig_turn(&f.r);
  expect_uint("gone with the last", journal_count("bus gone m fast"), 1);
  save_rig_close(&f);
}

static void test_save_tells_again_of_a_shape_whose_device_went(void **state) {
  (void)state;
  save_rig f;
  const char *without = "busbar: 1\nsinks:\n" SAVE_SINK("bus", "manual: true, window: 2");
  const char *with = SAVE_PLANT(SAVE_FAST, "manual: true, window: 2");
  save_rig_open(&f, with);
  save_push(&f, 1, 6);
  rig_turn(&f.r);
  save_rig_restart(&f, without);
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending > 0); /* the sink knows the shape from the past */
  rig_apply(&f.r, with);                  /* a feed brings it now */
  rig_apply(&f.r, without);               /* and no more */
  while (f.sink->n_pending > 0) {
    fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
    rig_turn(&f.r);
  }
  rig_until(&f.r, save_bus(&f)->counters.delivered == 6);
  expect_uint("each batch in a shape that it knew", f.sink->strangers, 0);
  expect_uint("gone with the last", journal_count("bus gone m fast"),
              journal_count("bus shape m fast*"));
  save_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_save_writes_nothing_that_is_acknowledged_in_time),
      cmocka_unit_test(test_save_brings_back_what_a_sink_had_not_taken),
      cmocka_unit_test(test_save_sends_live_before_what_was_left),
      cmocka_unit_test(test_save_does_not_repeat_what_went_live_during_a_drain),
      cmocka_unit_test(test_save_evicts_and_fetches),
      cmocka_unit_test(test_save_loses_nothing_of_the_disk_for_a_sink_of_the_memory),
      cmocka_unit_test(test_save_keeps_the_backlog_of_a_sink_that_is_gone),
      cmocka_unit_test(test_save_drops_what_earlier_runs_left_first),
      cmocka_unit_test(test_save_tells_what_an_orphan_loses_to_its_age),
      cmocka_unit_test(test_save_lets_a_sink_that_is_back_have_what_another_took),
      cmocka_unit_test(test_save_leaves_memory_sinks_alone),
      cmocka_unit_test(test_save_tells_of_a_shape_before_its_batches),
      cmocka_unit_test(test_save_tells_again_of_a_shape_whose_device_went),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
