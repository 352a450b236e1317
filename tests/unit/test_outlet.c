/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery to a sink that the test judges by hand: window, runs, order, refusal, loss, and its end. */
#include "runtime/outlet.h"

#include <stdio.h>

#include "support/expect.h"
#include "support/outlet_rig.h"

static void test_outlet_fills_its_window_and_no_more(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 4"));
  outlet_rig_push(&f, 1, 10);
  outlet_rig_expect(&f, 1, 2, 3, 4);
  expect_uint("depth", bb_outlet_depth(f.outlet), 10);
  fake_sink_judge(f.sink, 3, 1, BB_VERDICT_ACKED);
  outlet_rig_expect(&f, 1, 2, 3); /* its place is free again once the older ones have verdicts */
  fake_sink_judge(f.sink, 0, 2, BB_VERDICT_ACKED);
  outlet_rig_expect(&f, 3, 5, 6);
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
  outlet_rig_expect(&f, 5, 6, 7, 8);
  outlet_rig_ack(&f);
  expect_uint("all", f.outlet->counters.delivered, 10);
  expect_uint("nothing waits", bb_outlet_depth(f.outlet), 0);
  expect_uint("nothing is kept", f.r.runtime.queue.bytes, 0);
  outlet_rig_close(&f);
}

static void test_outlet_keeps_the_limits_of_a_run(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 100, run: 3"));
  outlet_rig_push(&f, 1, 10);
  rig_turn(&f.r);
  expect_uint("all", f.sink->n_pending, 10);
  expect_uint("at most three together", f.sink->largest_run, 3);
  expect_uint("runs", f.sink->runs, 4);
  outlet_rig_close(&f);

  outlet_rig_open(&f, OUTLET_RIG("manual: true, bytes: 1"));
  outlet_rig_push(&f, 1, 3);
  outlet_rig_expect(&f, 1); /* one at least, whatever its size */
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
  outlet_rig_expect(&f, 2);
  outlet_rig_close(&f);
}

static void test_outlet_delivers_live_in_order(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("window: 7, run: 3")); /* the sink acknowledges newer ones first */
  outlet_rig_push(&f, 1, 50);
  rig_until(&f.r, f.outlet->counters.delivered == 50);
  int at = -1;
  for (int i = 1; i <= 50; i++) {
    char line[64];
    snprintf(line, sizeof(line), "bus live m fast %d", i);
    expect_uint(line, journal_count(line), 1);
    expect_true(line, journal_find(line, 0) > at);
    at = journal_find(line, 0);
  }
  expect_uint("none retried", f.outlet->counters.retried, 0);
  outlet_rig_close(&f);
}

static void test_outlet_sets_refused_batches_aside(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("refuse: 3"));
  outlet_rig_push(&f, 1, 6);
  rig_until(&f.r, bb_outlet_depth(f.outlet) == 0);
  expect_uint("delivered", f.outlet->counters.delivered, 5);
  expect_uint("refused", f.outlet->counters.refused, 1);
  expect_text("why", f.outlet->refused.text, "the peer does not like it");
  expect_uint("never again", journal_count("bus live m fast 3"), 1);
  expect_part("told", folder_log(&f.r.folder), "set aside: the peer does not like it");
  outlet_rig_close(&f);
}

static void test_outlet_in_memory_says_that_what_is_refused_is_lost(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("refuse: 3 }, store: { mode: memory"));
  outlet_rig_push(&f, 1, 6);
  rig_until(&f.r, bb_outlet_depth(f.outlet) == 0);
  expect_part("told", folder_log(&f.r.folder), "is lost: the peer does not like it (1 so far)");
  outlet_rig_close(&f);
}

static void test_outlet_waits_as_long_as_the_peer_asks(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true"));
  outlet_rig_push(&f, 1, 1);
  outlet_rig_expect(&f, 1);
  uint64_t start = uv_hrtime();
  fake_sink_wait(f.sink, 50);
  expect_true("not ready", !f.outlet->ready);
  outlet_rig_push(&f, 2, 2);
  rig_until(&f.r, journal_count("bus retry") == 1);
  expect_true("so long", uv_hrtime() - start >= 49 * BB_NS_PER_MS);
  expect_uint("nothing before it is ready", f.sink->n_pending, 0);
  fake_sink_connect(f.sink);
  outlet_rig_expect(&f, 2, 1);
  outlet_rig_close(&f);
}

static void test_outlet_waits_for_the_sink_otherwise(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true"));
  fake_sink_wait(f.sink, 0);
  rig_turn(&f.r);
  expect_true("no clock of its own", !f.outlet->waiting);
  fake_sink_wait(f.sink, 60000);
  fake_sink_connect(f.sink); /* earlier than it asked for */
  outlet_rig_push(&f, 1, 1);
  outlet_rig_expect(&f, 1);
  expect_uint("no retry", journal_count("bus retry"), 0);
  outlet_rig_close(&f);
}

static void test_outlet_counts_what_was_dropped(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 10"));
  f.r.runtime.queue.max_bytes = 3 * BB_CHUNK_BYTES;
  outlet_rig_push(&f, 1, 5);
  outlet_rig_expect(&f, 1, 2, 3, 4, 5);
  outlet_rig_push(&f, 6, 5000);
  expect_true("some went", f.outlet->counters.dropped > 1000);
  expect_double("what is on its way can be read", fake_sink_value(f.sink->pending[4].batch), 5);
  fake_sink_lose(f.sink, "gone"); /* and is lost if it comes back, as its chunk has gone */
  f.r.ahead_ns += OUTLET_RIG_SECONDS(60);
  fake_sink_connect(f.sink);
  while (f.sink->n_pending > 0) outlet_rig_ack(&f);
  expect_uint("each is delivered or counted",
              f.outlet->counters.delivered + f.outlet->counters.dropped, 5000);
  expect_uint("depth", bb_outlet_depth(f.outlet), 0);
  expect_part("told once", folder_log(&f.r.folder), "the oldest batches are dropped");
  outlet_rig_close(&f);
}

/* What was on its way when it was dropped is lost only if it comes back. */
static void test_outlet_counts_what_comes_back_after_it_was_dropped(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 10"));
  f.r.runtime.queue.max_bytes = 3 * BB_CHUNK_BYTES;
  outlet_rig_push(&f, 1, 4);
  outlet_rig_expect(&f, 1, 2, 3, 4);
  outlet_rig_push(&f, 5, 5000);
  uint64_t before = f.outlet->counters.dropped;
  fake_sink_judge(f.sink, 0, 2, BB_VERDICT_ACKED);
  expect_uint("taken all the same", f.outlet->counters.dropped, before);
  fake_sink_judge(f.sink, 0, 2, BB_VERDICT_RETRY);
  expect_uint("two are lost", f.outlet->counters.dropped, before + 2);
  outlet_rig_close(&f);
}

static void test_outlet_goes_on_after_a_full_sink(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, run: 2, room: 3"));
  outlet_rig_push(&f, 1, 6);
  outlet_rig_expect(&f, 1, 2);
  expect_uint("full", journal_count("bus full"), 1);
  outlet_rig_push(&f, 7, 7);
  rig_turn(&f.r);
  expect_uint("not asked before the next verdict", journal_count("bus full"), 1);
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
  outlet_rig_expect(&f, 2, 3, 4);
  outlet_rig_ack(&f);
  expect_uint("all", f.outlet->counters.delivered, 7);
  expect_uint("none twice", journal_count("bus live*"), 7);
  outlet_rig_close(&f);
}

static void test_outlet_tries_again_without_a_verdict_to_wait_for(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, room: 1"));
  outlet_rig_push(&f, 1, 2); /* a run of two does not fit */
  rig_turn(&f.r);
  expect_uint("full", journal_count("bus full"), 1);
  f.sink->room = 2;
  rig_until(&f.r, f.sink->n_pending == 2);
  outlet_rig_close(&f);
}

static void test_outlet_lingers_for_a_larger_run(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, linger: 40ms"));
  for (int i = 1; i <= 3; i++) {
    outlet_rig_push(&f, i, i);
    uv_run(&f.r.loop, UV_RUN_NOWAIT);
  }
  rig_until(&f.r, f.sink->n_pending == 3);
  expect_uint("one run", f.sink->runs, 1);
  outlet_rig_close(&f);
}

static void test_outlets_read_at_their_own_pace(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 2") "  - { id: hist, session: {} }\n");
  bb_outlet *hist = bb_runtime_outlet(&f.r.runtime, "hist");
  rig_until(&f.r, hist->ready);
  outlet_rig_push(&f, 1, 20);
  rig_until(&f.r, hist->counters.delivered == 20);
  outlet_rig_expect(&f, 1, 2);
  expect_uint("one waits", bb_outlet_depth(f.outlet), 20);
  expect_uint("the other does not", bb_outlet_depth(hist), 0);
  while (f.sink->n_pending > 0) outlet_rig_ack(&f);
  expect_uint("in the end", f.outlet->counters.delivered, 20);
  expect_uint("nothing is kept", f.r.runtime.queue.bytes, 0);
  outlet_rig_close(&f);
}

static void test_outlet_drains_when_it_closes(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 2"));
  outlet_rig_push(&f, 1, 9);
  outlet_rig_expect(&f, 1, 2);
  rig_apply_soon(&f.r, "busbar: 1\n");
  expect_uint("closing", journal_count("bus close"), 1);
  outlet_rig_ack(&f); /* a window at a time */
  rig_until(&f.r, f.r.applied == 2);
  expect_order("bus close", "bus live m fast 9", "bus closed");
  expect_uint("all", journal_count("bus live m fast*"), 9);
  outlet_rig_close(&f);
}

static void test_outlet_does_not_drain_longer_than_it_may(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true"));
  outlet_rig_push(&f, 1, 3);
  outlet_rig_expect(&f, 1, 2, 3);
  uint64_t start = uv_hrtime();
  rig_end_runtime(&f.r); /* the peer never answers */
  expect_true("no longer", uv_hrtime() - start < OUTLET_RIG_SECONDS(3));
  expect_order("bus close", "bus closed");
  folder_close(&f.r.folder);
}

static void test_outlet_ignores_verdicts_that_nobody_asked_for(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true"));
  outlet_rig_push(&f, 1, 2);
  outlet_rig_expect(&f, 1, 2);
  const bb_sink_host *host = f.sink->base.host;
  host->on_verdict(&f.sink->base, f.sink->pending[1].ticket + 1, 100, BB_VERDICT_ACKED, NULL);
  host->on_verdict(&f.sink->base, f.sink->pending[0].ticket, 1, BB_VERDICT_ACKED, NULL);
  host->on_verdict(&f.sink->base, f.sink->pending[0].ticket, 1, BB_VERDICT_RETRY, NULL);
  expect_uint("one", f.outlet->counters.delivered, 1);
  expect_uint("none", f.outlet->counters.retried, 0);
  outlet_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_outlet_fills_its_window_and_no_more),
      cmocka_unit_test(test_outlet_keeps_the_limits_of_a_run),
      cmocka_unit_test(test_outlet_delivers_live_in_order),
      cmocka_unit_test(test_outlet_sets_refused_batches_aside),
      cmocka_unit_test(test_outlet_in_memory_says_that_what_is_refused_is_lost),
      cmocka_unit_test(test_outlet_waits_as_long_as_the_peer_asks),
      cmocka_unit_test(test_outlet_waits_for_the_sink_otherwise),
      cmocka_unit_test(test_outlet_counts_what_was_dropped),
      cmocka_unit_test(test_outlet_counts_what_comes_back_after_it_was_dropped),
      cmocka_unit_test(test_outlet_goes_on_after_a_full_sink),
      cmocka_unit_test(test_outlet_tries_again_without_a_verdict_to_wait_for),
      cmocka_unit_test(test_outlet_lingers_for_a_larger_run),
      cmocka_unit_test(test_outlets_read_at_their_own_pace),
      cmocka_unit_test(test_outlet_drains_when_it_closes),
      cmocka_unit_test(test_outlet_does_not_drain_longer_than_it_may),
      cmocka_unit_test(test_outlet_ignores_verdicts_that_nobody_asked_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
