/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for records to be safe hears that they are lost once nobody who wanted them has them. */
#include "runtime/wait.h"

#include "runtime/save.h"
#include "support/expect.h"
#include "support/save_rig.h"

#define PLANT(bound)                                                                               \
  SAVE_HEAD("sync: 60s")                                                                           \
  "sinks:\n  - { id: bus, session: { manual: true }, store: { " bound                              \
  " } }\n" SAVE_SINK("slow", SAVE_MANUAL)

typedef struct fixture {
  save_rig f; /* the records of bus and slow */
  bb_wait wait;
  unsigned ended, lost;
} fixture;

static void on_end(bb_wait *wait, bool lost) {
  fixture *f = wait->user;
  f->ended++;
  f->lost += lost;
}

/* Waits for three that are in memory. */
static void open_fixture(fixture *f, const char *text) {
  save_rig_open(&f->f, text);
  f->ended = f->lost = 0;
  f->wait = (bb_wait){.on_end = on_end, .user = f};
  save_push(&f->f, 1, 3);
  bb_wait_start(&f->f.r.runtime, &f->wait,
                bb_runtime_stream(&f->f.r.runtime, 3, BB_STORE_TELEMETRY), 0, 3);
  rig_turn(&f->f.r);
  expect_uint("waits", f->ended, 0);
}

static bb_outlet *slow_of(const fixture *f) {
  return bb_runtime_outlet(&f->f.r.runtime, "slow");
}

static void test_wait_is_not_lost_by_one_sinks_own_age(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("max_age: 10s"));
  f.f.r.ahead_ns += 15 * BB_NS_PER_S;
  rig_until(&f.f.r, save_bus(&f.f)->counters.dropped == 3);
  expect_uint("slow has it", f.ended, 0);
  bb_save_now(save_of(&f.f));
  rig_until(&f.f.r, f.ended == 1);
  expect_uint("safe", f.lost, 0);
  save_rig_close(&f.f);
}

static void test_wait_is_lost_with_the_last_who_has_it(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("max_age: 10s"));
  expect_uint("slow's", bb_outlet_drop_all(slow_of(&f)), 3);
  expect_uint("bus has it", f.ended, 0);
  f.f.r.ahead_ns += 15 * BB_NS_PER_S;
  rig_until(&f.f.r, f.ended == 1);
  expect_uint("lost", f.lost, 1);
  save_rig_close(&f.f);
}

/* One of them is lost for all, the others are not. */
static void test_wait_is_lost_with_a_part_of_it(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("max_age: 10s"));
  fake_sink *slow = rig_sink(&f.f.r, "slow");
  fake_sink_connect(slow);
  rig_until(&f.f.r, slow->n_pending == 3);
  fake_sink_judge(slow, 0, 1, BB_VERDICT_ACKED);
  f.f.r.ahead_ns += 15 * BB_NS_PER_S;
  rig_until(&f.f.r, f.ended == 1);
  expect_uint("lost", f.lost, 1);
  fake_sink_judge(slow, 0, 2, BB_VERDICT_ACKED);
  save_rig_close(&f.f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_wait_is_not_lost_by_one_sinks_own_age),
      cmocka_unit_test(test_wait_is_lost_with_the_last_who_has_it),
      cmocka_unit_test(test_wait_is_lost_with_a_part_of_it),
  };
  return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
