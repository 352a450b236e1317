/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* Dead letters become records again, and are neither lost nor there twice. */
#include "runtime/revive.h"

#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/save_rig.h"

#define REFUSING SAVE_PLANT(SAVE_FAST, "refuse: 2")
#define MANUAL SAVE_PLANT(SAVE_FAST, SAVE_MANUAL)

typedef struct fixture {
  save_rig s;
  bb_spool_job job;
  bb_letters page;
  bool done;
} fixture;

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
  bb_spool_push(&save_of(&f->s)->spool, &f->job);
  rig_until(&f->s.r, f->done);
  expect_int("read", f->job.result, 0);
}

/* One letter, of the batch that begins with 2; then another config. */
static void open_fixture(fixture *f, const char *text) {
  memset(f, 0, sizeof(*f));
  save_rig_open(&f->s, REFUSING);
  save_push(&f->s, 1, 3);
  rig_until(&f->s.r, save_of(&f->s)->stats.dead == 1 && save_of(&f->s)->job == NULL);
  save_rig_begin(&f->s, text);
  read_page(f);
  expect_uint("letters", f->page.n, 1);
}

static void close_fixture(fixture *f) {
  bb_letters_close(&f->page);
  save_rig_close(&f->s);
}

static void test_revive_sends_it_as_history(void **state) {
  (void)state;
  fixture f;
  bb_batch before;
  open_fixture(&f, MANUAL);
  expect_int("batch", bb_letters_batch(&f.page, 0, &save_of(&f.s)->names, &before), 0);
  fake_sink *sink = f.s.sink;
  fake_sink_connect(sink);
  expect_int("revived", bb_revive(&f.s.r.runtime, &f.page, 0), 0);
  expect_int("once", bb_revive(&f.s.r.runtime, &f.page, 0), BB_ERR_EXISTS);
  rig_until(&f.s.r, sink->n_pending == 1);
  expect_true("as history", journal_count("bus history m fast 2") == 1);
  expect_uint("boot", sink->pending[0].batch->boot, before.boot);
  expect_uint("seq", sink->pending[0].batch->seq, before.seq);
  expect_int("time", sink->pending[0].batch->time_ns == before.time_ns, 1);
  rig_until(&f.s.r, save_of(&f.s)->stats.dead == 0 && save_of(&f.s)->job == NULL);
  expect_uint("saved in its place", save_of(&f.s)->stats.records, 1);
  fake_sink_judge(sink, 0, 1, BB_VERDICT_ACKED);
  read_page(&f);
  expect_uint("no letter", f.page.n, 0);
  close_fixture(&f);
}

static void test_revive_outlives_the_process(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, MANUAL);
  expect_int("revived", bb_revive(&f.s.r.runtime, &f.page, 0), 0);
  save_rig_restart(&f.s, MANUAL);
  expect_uint("dead", save_of(&f.s)->stats.dead, 0);
  expect_uint("waiting", bb_outlet_depth(save_bus(&f.s)), 1);
  close_fixture(&f);
}

static void test_revive_keeps_the_letter_of_a_sink_that_is_gone(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, SAVE_HEAD(SAVE_FAST) "sinks: []\n");
  expect_int("revived", bb_revive(&f.s.r.runtime, &f.page, 0), BB_ERR_NOTFOUND);
  read_page(&f);
  expect_uint("letters", f.page.n, 1);
  close_fixture(&f);
}

static void test_revive_keeps_a_damaged_letter(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, MANUAL);
  f.page.bodies.bytes[f.page.items[0].at + 20] ^= 1;
  expect_int("revived", bb_revive(&f.s.r.runtime, &f.page, 0), BB_ERR_FORMAT);
  expect_true("not marked", !bb_save_is_revived(save_of(&f.s), f.page.items[0].id));
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
