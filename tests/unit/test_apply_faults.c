/* SPDX-License-Identifier: Apache-2.0 */
/* An apply that meets something: another one, the end of the runtime, a poll, what cannot be opened. */
#include "base/err.h"
#include "runtime/apply.h"
#include "support/apply_rig.h"
#include "support/expect.h"
#include "support/failmalloc.h"

/* A sink on its way out, which takes all the time it may, does not hold up the stop. */
static void test_apply_that_waits_does_not_delay_a_stop(void **state) {
  (void)state;
  rig r;
  apply_open(&r,
             RIG_CONNECTIONS RIG_DEVICES RIG_SINK "  - { id: hist, session: { manual: true } }\n");
  bb_runtime_pause(&r.runtime, true);
  fake_sink_connect(rig_sink(&r, "hist"));
  apply_push_until_live(&r, "meter-1", "hist live meter-1 fast 10");
  bb_config *config = rig_config(RIG_PLANT);
  expect_int("apply", bb_runtime_apply(&r.runtime, config), 0);
  uint64_t started = uv_hrtime();
  rig_end_runtime(&r);
  expect_order("hist close", "bus close", "bus closed", "hist closed");
  expect_true("in time", uv_hrtime() - started < 4 * BB_NS_PER_S);
  rig_reopen(&r);
  rig_close(&r);
}

static void test_apply_during_an_apply_takes_the_last(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  apply_before two = apply_note(&r, "meter-2");
  /* The first wants a new connection, so it must wait until the old one has closed. */
  rig_apply_soon(
      &r, "busbar: 1\nconnections:\n"
          "  - { id: a, cyclic: { port: 9 } }\n  - { id: b, cyclic: { port: 2 } }\n" RIG_DEVICES
              RIG_SINK);
  expect_uint("under way", r.applied, 1);
  rig_apply_soon(
      &r, "busbar: 1\nconnections:\n"
          "  - { id: a, cyclic: { port: 1 } }\n  - { id: b, cyclic: { port: 2 } }\n" RIG_DEVICES
              RIG_TWO_SINKS);
  rig_until(&r, r.applied == 2);
  rig_turn(&r);
  expect_uint("one at the end", r.runtime.applied, 2);
  expect_uint("opened once", journal_count("a open"), 1);
  expect_order("a close", "hist open", "a open", "meter-1 attach");
  apply_expect_untouched(&r, "meter-2", two);
  rig_close(&r);
}

static void test_apply_refused_while_stopping(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  rig_apply_soon(&r, "busbar: 1\n"); /* closes everything */
  bb_config *config = rig_config(RIG_PLANT);
  rig_end_runtime(&r); /* stop during an apply */
  expect_uint("all detached", journal_count("meter-1 detach") + journal_count("meter-2 detach"), 2);
  expect_uint("all closed", journal_count("a close") + journal_count("b close"), 2);
  expect_uint("the sink too", journal_count("bus closed"), 1);
  expect_int("refused", bb_runtime_apply(&r.runtime, config), BB_ERR_STATE);
  bb_config_unref(config); /* not taken over then */
  folder_close(&r.folder);
}

static void test_apply_stopped_before_it_opens(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  rig_apply_soon(&r, "busbar: 1\nconnections:\n  - { id: a, cyclic: { port: 9 } }\n"
                     "devices:\n" RIG_DEVICE("meter-1", "a") RIG_TWO_SINKS);
  rig_end_runtime(&r);
  expect_uint("never opened", journal_count("a open") + journal_count("hist open"), 0);
  expect_uint("not applied", r.applied, 1);
  folder_close(&r.folder);
}

static void test_apply_detaches_during_a_poll(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  rig_device(&r, "meter-1")->holds_polls = true;
  rig_until(&r, rig_device(&r, "meter-1")->polling);
  rig_apply(&r, RIG_CONNECTIONS "devices:\n" RIG_DEVICE("meter-2", "b") RIG_SINK);
  expect_true("gone", bb_runtime_station(&r.runtime, "meter-1") == NULL);
  expect_order("meter-1 poll slow", "meter-1 detach", "a close");
  expect_uint("its last poll brings nothing", journal_count("bus live meter-1 slow*"), 0);
  rig_close(&r);
}

static void test_apply_goes_on_without_what_cannot_be_opened(void **state) {
  (void)state;
  rig r;
  rig_open(&r);
  rig_apply(
      &r, "busbar: 1\nconnections:\n"
          "  - { id: a, cyclic: { port: 1, fails: true } }\n  - { id: b, cyclic: { port: 2 } }\n"
          "devices:\n" RIG_DEVICE("meter-1", "a") RIG_DEVICE(
              "meter-2", "b") "  - { id: meter-3, connection: b, fails: true, profile: " RIG_PROFILE
                              " }\n"
                              "sinks:\n  - { id: hist, session: { fails: true } }\n  - { id: bus, "
                              "session: {} }\n");
  expect_true("no connection", bb_runtime_station(&r.runtime, "meter-1") == NULL);
  expect_true("no device", bb_runtime_station(&r.runtime, "meter-3") == NULL);
  expect_true("no sink", bb_runtime_outlet(&r.runtime, "hist") == NULL);
  apply_push_until_live(&r, "meter-2", "bus live meter-2 fast 10");
  expect_part("told", folder_log(&r.folder),
              "a: the connection cannot be opened: permission denied");
  expect_part("told", folder_log(&r.folder),
              "meter-3: the device cannot be attached: out of memory");
  expect_part("told", folder_log(&r.folder), "hist: the sink cannot be opened: permission denied");
  /* The next apply tries again. */
  rig_apply(&r, RIG_CONNECTIONS "devices:\n" RIG_DEVICE("meter-1", "a") RIG_DEVICE("meter-2", "b")
                    RIG_TWO_SINKS);
  expect_order("a open", "meter-1 attach");
  expect_true("the sink", bb_runtime_outlet(&r.runtime, "hist") != NULL);
  rig_close(&r);
}

typedef struct restless {
  bb_watch watch; /* first */
  rig *rig;
  unsigned left;
} restless;

static void apply_again(bb_watch *watch) {
  restless *own = (restless *)watch;
  if (own->left-- > 0)
    rig_apply_soon(own->rig, own->left % 2 == 0 ? RIG_PLANT : RIG_CONNECTIONS RIG_SINK);
}

static void test_apply_from_within_on_applied(void **state) {
  (void)state;
  rig r;
  rig_open(&r);
  restless again = {.watch = {.on_applied = apply_again}, .rig = &r, .left = 5};
  bb_runtime_watch(&r.runtime, &again.watch);
  rig_apply_soon(&r, RIG_PLANT);
  rig_until(&r, r.applied == 6);
  expect_uint("the last", r.runtime.stations.n, 2);
  bb_runtime_unwatch(&again.watch);
  rig_close(&r);
}

/* Whichever allocation fails: no crash, no leak, and the next apply makes it whole. */
static void test_apply_without_memory(void **state) {
  (void)state;
  size_t allocations = 0;
  for (size_t nth = 0; nth <= allocations; nth++) {
    rig r;
    rig_open(&r);
    bb_config *config = rig_config(RIG_CONNECTIONS RIG_DEVICES RIG_TWO_SINKS);
    bb_config *again = rig_config(RIG_CONNECTIONS RIG_DEVICES RIG_TWO_SINKS "# again\n");
    failmalloc_start(nth);
    expect_int("apply", bb_runtime_apply(&r.runtime, config), 0);
    rig_turn(&r);
    size_t n = failmalloc_stop();
    if (nth == 0) allocations = n;
    expect_int("apply", bb_runtime_apply(&r.runtime, again), 0);
    rig_until(&r, r.runtime.outlets.n == 2 && r.runtime.stations.n == 2);
    rig_close(&r);
  }
  expect_true("several", allocations > 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_apply_that_waits_does_not_delay_a_stop),
      cmocka_unit_test(test_apply_during_an_apply_takes_the_last),
      cmocka_unit_test(test_apply_refused_while_stopping),
      cmocka_unit_test(test_apply_stopped_before_it_opens),
      cmocka_unit_test(test_apply_detaches_during_a_poll),
      cmocka_unit_test(test_apply_goes_on_without_what_cannot_be_opened),
      cmocka_unit_test(test_apply_from_within_on_applied),
      cmocka_unit_test(test_apply_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
