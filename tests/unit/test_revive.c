/* SPDX-License-Identifier: Apache-2.0 */
/* Dead letters become records again, and are neither lost nor there twice. */
#include "runtime/revive.h"

#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/runtime_rig.h"

#define HEAD                                                                                       \
  "busbar: 1\nruntime: { store: { sync: 40ms } }\n"                                                \
  "connections:\n  - { id: a, cyclic: { port: 1 } }\n"                                             \
  "devices:\n"                                                                                     \
  "  - { id: m, connection: a, scan: { slow: off }, profile: " RIG_PROFILE " }\n"
#define WITH(options) HEAD "sinks:\n  - { id: bus, session: { " options " } }\n"
#define REFUSING WITH("refuse: 2")
#define MANUAL WITH("manual: true")

typedef struct fixture {
  rig r;
  bb_spool_job job;
  bb_letters page;
  bool done;
} fixture;

static bb_save *save_of(fixture *f) {
  return &f->r.runtime.save;
}

static int run(bb_spool_job *job, bb_store *store) {
  return bb_letters_read(&((fixture *)job->user)->page, store);
}

static void on_done(bb_spool_job *job) {
  ((fixture *)job->user)->done = true;
}

static void read_page(fixture *f) {
  bb_letters_close(&f->page);
  f->done = false;
  f->job = (bb_spool_job){.run = run, .done = on_done, .user = f};
  bb_spool_push(&save_of(f)->spool, &f->job);
  rig_until(&f->r, f->done);
  expect_int("read", f->job.result, 0);
}

/* One letter, of the batch that begins with 2; then another config. */
static void open_fixture(fixture *f, const char *text) {
  memset(f, 0, sizeof(*f));
  rig_open(&f->r);
  rig_apply(&f->r, REFUSING);
  for (double value = 1; value <= 3; value++) {
    expect_true("push", fake_device_push(rig_device(&f->r, "m"), 0, value));
  }
  rig_until(&f->r, save_of(f)->stats.dead == 1 && save_of(f)->job == NULL);
  rig_apply(&f->r, text);
  read_page(f);
  expect_uint("letters", f->page.n, 1);
}

static void close_fixture(fixture *f) {
  bb_letters_close(&f->page);
  rig_close(&f->r);
}

static void test_revive_sends_it_as_history(void **state) {
  (void)state;
  fixture f;
  bb_batch before;
  open_fixture(&f, MANUAL);
  expect_int("batch", bb_letters_batch(&f.page, 0, &save_of(&f)->names, &before), 0);
  fake_sink *sink = rig_sink(&f.r, "bus");
  fake_sink_connect(sink);
  expect_int("revived", bb_revive(&f.r.runtime, &f.page, 0), 0);
  expect_int("once", bb_revive(&f.r.runtime, &f.page, 0), BB_ERR_EXISTS);
  rig_until(&f.r, sink->n_pending == 1);
  expect_true("as history", journal_count("bus history m fast 2") == 1);
  expect_uint("boot", sink->pending[0].batch->boot, before.boot);
  expect_uint("seq", sink->pending[0].batch->seq, before.seq);
  expect_int("time", sink->pending[0].batch->time_ns == before.time_ns, 1);
  rig_until(&f.r, save_of(&f)->stats.dead == 0 && save_of(&f)->job == NULL);
  expect_uint("saved in its place", save_of(&f)->stats.records, 1);
  fake_sink_judge(sink, 0, 1, BB_VERDICT_ACKED);
  read_page(&f);
  expect_uint("no letter", f.page.n, 0);
  close_fixture(&f);
}

static void test_revive_outlives_the_process(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, MANUAL);
  expect_int("revived", bb_revive(&f.r.runtime, &f.page, 0), 0);
  rig_end_runtime(&f.r);
  rig_reopen(&f.r);
  rig_apply(&f.r, MANUAL);
  expect_uint("dead", save_of(&f)->stats.dead, 0);
  expect_uint("waiting", bb_outlet_depth(bb_runtime_outlet(&f.r.runtime, "bus")), 1);
  close_fixture(&f);
}

static void test_revive_keeps_the_letter_of_a_sink_that_is_gone(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, HEAD "sinks: []\n");
  expect_int("revived", bb_revive(&f.r.runtime, &f.page, 0), BB_ERR_NOTFOUND);
  read_page(&f);
  expect_uint("letters", f.page.n, 1);
  close_fixture(&f);
}

static void test_revive_keeps_a_damaged_letter(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, MANUAL);
  f.page.bodies.bytes[f.page.items[0].at + 20] ^= 1;
  expect_int("revived", bb_revive(&f.r.runtime, &f.page, 0), BB_ERR_FORMAT);
  expect_true("not marked", !bb_save_is_revived(save_of(&f), f.page.items[0].id));
  close_fixture(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_revive_sends_it_as_history),
      cmocka_unit_test(test_revive_outlives_the_process),
      cmocka_unit_test(test_revive_keeps_the_letter_of_a_sink_that_is_gone),
      cmocka_unit_test(test_revive_keeps_a_damaged_letter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
