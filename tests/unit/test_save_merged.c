/* SPDX-License-Identifier: Apache-2.0 */
/* What a sink has not got lies in more places than the store remembers, and the oldest are one for it:
 * what was delivered between them is neither waiting nor lost, after a restart either. */
#include "runtime/save.h"

#include "base/err.h"
#include "support/expect.h"
#include "support/save_rig.h"

#define PLANT                                                                                      \
  SAVE_HEAD("sync: 60s, max_age: 1h")                                                              \
  "sinks:\n" SAVE_SINK("bus", SAVE_MANUAL)
#define PLACES 20 /* more than BB_STORE_RANGES */
#define IN_PLACE 10

static void save_now(save_rig *f) {
  bb_save_now(save_of(f));
  rig_until(&f->r, save_of(f)->job == NULL);
}

/* Of ten batches each the first is left, alone in its pack. */
static void leave_places(save_rig *f) {
  save_rig_open(f, PLANT);
  fake_sink_connect(f->sink);
  rig_until(&f->r, f->sink->ready);
  for (uint32_t i = 0; i < PLACES; i++) {
    save_push(f, i * IN_PLACE, (i + 1) * IN_PLACE - 1);
    rig_until(&f->r, f->sink->n_pending == i + IN_PLACE);
    for (int k = 1; k < IN_PLACE; k++) fake_sink_judge(f->sink, i + 1, 1, BB_VERDICT_ACKED);
    save_now(f);
  }
  expect_uint("packs", save_of(f)->stats.packs, PLACES);
  save_rig_restart(f, PLANT);
}

static void test_save_merged_ranges_do_not_wait(void **state) {
  (void)state;
  save_rig f;
  leave_places(&f);
  expect_uint("those that were left", bb_outlet_depth(save_bus(&f)), PLACES);
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == PLACES);
  for (uint32_t i = 0; i < PLACES; i++) {
    double value = fake_sink_value(f.sink->pending[i].batch);
    expect_double("value", value, i * IN_PLACE);
  }
  save_ack_all(&f);
  expect_uint("none is lost", save_bus(&f)->counters.dropped, 0);
  save_rig_close(&f);
}

static void test_save_merged_ranges_are_not_dropped(void **state) {
  (void)state;
  save_rig f;
  leave_places(&f);
  f.r.ahead_ns += 7200 * BB_NS_PER_S;
  save_now(&f);
  save_push(&f, 1, 1); /* so that there is something to be written */
  save_now(&f);
  expect_uint("those that were left", save_bus(&f)->counters.dropped, PLACES);
  expect_uint("the new one waits", bb_outlet_depth(save_bus(&f)), 1);
  save_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_save_merged_ranges_do_not_wait),
      cmocka_unit_test(test_save_merged_ranges_are_not_dropped),
  };
  return cmocka_run_group_tests_name("save_merged", tests, NULL, NULL);
}
