/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery to a sink that the test judges by hand. A batch is known by its first value. */
#include "runtime/outlet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/runtime_rig.h"

#define PLANT(options)                                                                             \
  RIG_CONNECTIONS "devices:\n" RIG_PUSHED("m", "a") "sinks:\n  - { id: bus, session: { " options   \
                                                    " } }\n"
#define SECONDS(n) ((n)*BB_NS_PER_S)

typedef struct fixture {
  rig r;
  fake_device *device;
  bb_outlet *outlet;
  fake_sink *sink;
} fixture;

/* Connected, if the sink is one that the test judges. */
static void open_fixture(fixture *f, const char *text) {
  rig_open(&f->r);
  rig_apply(&f->r, text);
  f->device = rig_device(&f->r, "m");
  f->outlet = bb_runtime_outlet(&f->r.runtime, "bus");
  f->sink = rig_sink(&f->r, "bus");
  if (f->sink->manual) fake_sink_connect(f->sink);
}

static void push(fixture *f, double from, double to) {
  for (; from <= to; from++) expect_true("push", fake_device_push(f->device, 0, from));
}

/* The batches that the sink has without a verdict, by their values: exactly these. */
#define expect_pending(f, ...)                                                                     \
  expect_pending_at((f), (const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / 8,       \
                    __FILE__, __LINE__)
static void expect_pending_at(fixture *f, const double *values, size_t n, const char *file,
                              int line) {
  rig_turn(&f->r);
  for (size_t i = 0; i < n && i < f->sink->n_pending; i++) {
    expect_double_at("value", fake_sink_value(f->sink->pending[i].batch), values[i], file, line);
  }
  expect_uint_at("pending", f->sink->n_pending, n, file, line);
}

static void ack_all(fixture *f) {
  while (f->sink->n_pending > 0) fake_sink_judge(f->sink, 0, 1, BB_VERDICT_ACKED);
}

static void deliver(fixture *f, double from, double to) {
  push(f, from, to);
  rig_turn(&f->r);
  ack_all(f);
}

static void test_outlet_fills_its_window_and_no_more(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, window: 4"));
  push(&f, 1, 10);
  expect_pending(&f, 1, 2, 3, 4);
  expect_uint("depth", bb_outlet_depth(f.outlet), 10);
  fake_sink_judge(f.sink, 3, 1, BB_VERDICT_ACKED);
  expect_pending(&f, 1, 2, 3); /* its place is free again once the older ones have verdicts */
  fake_sink_judge(f.sink, 0, 2, BB_VERDICT_ACKED);
  expect_pending(&f, 3, 5, 6);
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
  expect_pending(&f, 5, 6, 7, 8);
  ack_all(&f);
  expect_uint("all", f.outlet->counters.delivered, 10);
  expect_uint("nothing waits", bb_outlet_depth(f.outlet), 0);
  expect_uint("nothing is kept", f.r.runtime.queue.bytes, 0);
  rig_close(&f.r);
}

static void test_outlet_keeps_the_limits_of_a_run(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, window: 100, run: 3"));
  push(&f, 1, 10);
  rig_turn(&f.r);
  expect_uint("all", f.sink->n_pending, 10);
  expect_uint("at most three together", f.sink->largest_run, 3);
  expect_uint("runs", f.sink->runs, 4);
  rig_close(&f.r);

  open_fixture(&f, PLANT("manual: true, bytes: 1"));
  push(&f, 1, 3);
  expect_pending(&f, 1); /* one at least, whatever its size */
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
  expect_pending(&f, 2);
  rig_close(&f.r);
}

static void test_outlet_delivers_live_in_order(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("window: 7, run: 3")); /* the sink acknowledges newer ones first */
  push(&f, 1, 50);
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
  rig_close(&f.r);
}

static void test_outlet_retries_as_history_after_regrouping(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, window: 6"));
  push(&f, 1, 4);
  expect_pending(&f, 1, 2, 3, 4);
  fake_sink_judge(f.sink, 1, 1, BB_VERDICT_RETRY);
  push(&f, 5, 6);
  expect_pending(&f, 1, 3, 4); /* nothing new overtakes what comes back */
  ack_all(&f);
  expect_true("backs off", f.outlet->waiting);
  expect_uint("nothing meanwhile", f.sink->n_pending, 0);
  rig_until(&f.r, f.sink->n_pending > 0);
  expect_pending(&f, 5, 6, 2);
  expect_order("bus live m fast 5", "bus live m fast 6", "bus history m fast 2");
  ack_all(&f);
  expect_uint("retried", f.outlet->counters.retried, 1);
  expect_uint("delivered", f.outlet->counters.delivered, 6);
  expect_uint("nothing is kept", f.r.runtime.queue.bytes, 0);
  rig_close(&f.r);
}

static void test_outlet_sends_live_before_history(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, window: 8"));
  fake_sink_lose(f.sink, "gone");
  push(&f, 1, 3);
  f.r.ahead_ns += SECONDS(6);
  push(&f, 4, 5);
  fake_sink_connect(f.sink);
  expect_pending(&f, 4, 5, 1, 2);
  expect_order("bus live m fast 4", "bus live m fast 5", "bus history m fast 1");
  rig_close(&f.r);
}

static void test_outlet_history_leaves_half_of_the_window(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, window: 4"));
  fake_sink_lose(f.sink, "gone");
  push(&f, 1, 6);
  f.r.ahead_ns += SECONDS(60);
  fake_sink_connect(f.sink);
  expect_pending(&f, 1, 2);
  push(&f, 7, 8);
  expect_pending(&f, 1, 2, 7, 8);
  ack_all(&f);
  expect_uint("all", f.outlet->counters.delivered, 8);
  rig_close(&f.r);

  open_fixture(&f, PLANT("manual: true, window: 1"));
  fake_sink_lose(f.sink, "gone");
  push(&f, 1, 3);
  f.r.ahead_ns += SECONDS(60);
  fake_sink_connect(f.sink);
  ack_all(&f);
  expect_uint("a window of one is enough", f.outlet->counters.delivered, 3);
  rig_close(&f.r);
}

#define TWO_STREAMS(more)                                                                          \
  RIG_CONNECTIONS "devices:\n"                                                                     \
                  "  - { id: m, connection: a, scan: { slow: off }, profile: " RIG_PROFILE " }\n"  \
                  "  - { id: k, connection: b, scan: { slow: off }, profile: " RIG_PROFILE " }\n"  \
                  "sinks:\n"                                                                       \
                  "  - { id: bus, session: { manual: true }, store: { history_rate: 10 } }\n"      \
                  "  - { id: hist, session: {} }\n"                                                \
                  "routes:\n  - { sink: bus, devices: [m, k] }\n" more

/* How many of the device's batches came as history. */
static unsigned count_history(const char *device) {
  char line[64];
  snprintf(line, sizeof(line), "bus history %s fast*", device);
  return journal_count(line);
}

static void test_outlet_shares_the_rate_of_history_between_streams(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, TWO_STREAMS("  - { sink: hist, devices: [k] }\n"));
  fake_device *other = rig_device(&f.r, "k");
  fake_sink_lose(f.sink, "gone");
  push(&f, 1, 100);
  for (double i = 1; i <= 100; i++) expect_true("push", fake_device_push(other, 0, i));
  f.r.ahead_ns += SECONDS(60);
  fake_sink_connect(f.sink);
  for (int seconds = 1; seconds <= 5; seconds++) {
    bb_outlet_wake(f.outlet);
    rig_turn(&f.r);
    ack_all(&f);
    int one = (int)count_history("m"), both = one + (int)count_history("k");
    expect_true("at the rate", both >= 10 * seconds && both < 100);
    expect_true("as many of each", abs(both - 2 * one) <= 2);
    f.r.ahead_ns += SECONDS(1);
  }
  rig_close(&f.r);
}

/* A deploy gives the device's batches a stream of their own kind; the older ones are in the former. */
static void test_outlet_sends_what_a_route_left_before_what_came_later(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, TWO_STREAMS("  - { sink: hist, devices: [k] }\n"));
  fake_sink_lose(f.sink, "gone");
  push(&f, 1, 15);
  rig_apply(&f.r, TWO_STREAMS("  - { sink: hist, devices: [m, k] }\n"));
  push(&f, 16, 30);
  f.r.ahead_ns += SECONDS(60);
  fake_sink_connect(f.sink);
  double value = 1;
  for (int seconds = 1; seconds <= 5; seconds++) {
    bb_outlet_wake(f.outlet);
    rig_turn(&f.r);
    for (; f.sink->n_pending > 0; value++) {
      expect_double("in order", fake_sink_value(f.sink->pending[0].batch), value);
      fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
    }
    f.r.ahead_ns += SECONDS(1);
  }
  expect_double("all", value, 31);
  rig_close(&f.r);
}

static void test_outlet_takes_a_short_interruption_for_none(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true"));
  fake_sink_lose(f.sink, "gone");
  push(&f, 1, 2);
  f.r.ahead_ns += SECONDS(3);
  push(&f, 3, 3);
  fake_sink_connect(f.sink);
  expect_pending(&f, 1, 2, 3);
  expect_uint("all live", journal_count("bus live*"), 3);
  rig_close(&f.r);
}

static void test_outlet_sends_again_what_was_on_its_way_at_a_loss(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true"));
  push(&f, 1, 3);
  expect_pending(&f, 1, 2, 3);
  uint64_t ticket = f.sink->pending[0].ticket;
  fake_sink_judge(f.sink, 1, 1, BB_VERDICT_ACKED);
  fake_sink_lose(f.sink, "broken pipe");
  expect_text("why", f.outlet->reason.text, "broken pipe");
  expect_uint("two come back", f.outlet->counters.retried, 2);
  f.sink->base.host->on_verdict(&f.sink->base, ticket, 3, BB_VERDICT_ACKED, NULL);
  expect_uint("a verdict that comes too late is none", f.outlet->counters.delivered, 1);
  push(&f, 4, 4);
  fake_sink_connect(f.sink);
  expect_pending(&f, 4, 1, 3);
  expect_order("bus live m fast 4", "bus history m fast 1", "bus history m fast 3");
  rig_close(&f.r);
}

static void test_outlet_sets_refused_batches_aside(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("refuse: 3"));
  push(&f, 1, 6);
  rig_until(&f.r, bb_outlet_depth(f.outlet) == 0);
  expect_uint("delivered", f.outlet->counters.delivered, 5);
  expect_uint("refused", f.outlet->counters.refused, 1);
  expect_text("why", f.outlet->refused.text, "the peer does not like it");
  expect_uint("never again", journal_count("bus live m fast 3"), 1);
  expect_part("told", folder_log(&f.r.folder), "set aside: the peer does not like it");
  rig_close(&f.r);
}

static void test_outlet_waits_as_long_as_the_peer_asks(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true"));
  push(&f, 1, 1);
  expect_pending(&f, 1);
  uint64_t start = uv_hrtime();
  fake_sink_wait(f.sink, 50);
  expect_true("not ready", !f.outlet->ready);
  push(&f, 2, 2);
  rig_until(&f.r, journal_count("bus retry") == 1);
  expect_true("so long", uv_hrtime() - start >= 49 * BB_NS_PER_MS);
  expect_uint("nothing before it is ready", f.sink->n_pending, 0);
  fake_sink_connect(f.sink);
  expect_pending(&f, 2, 1);
  rig_close(&f.r);
}

static void test_outlet_waits_for_the_sink_otherwise(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true"));
  fake_sink_wait(f.sink, 0);
  rig_turn(&f.r);
  expect_true("no clock of its own", !f.outlet->waiting);
  fake_sink_wait(f.sink, 60000);
  fake_sink_connect(f.sink); /* earlier than it asked for */
  push(&f, 1, 1);
  expect_pending(&f, 1);
  expect_uint("no retry", journal_count("bus retry"), 0);
  rig_close(&f.r);
}

static void test_outlet_rewinds_what_was_acknowledged(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, keep: 10s"));
  deliver(&f, 1, 2);
  f.r.ahead_ns += SECONDS(8);
  deliver(&f, 3, 4);
  f.r.ahead_ns += SECONDS(4); /* 1 and 2 were 12 s ago, 3 and 4 were 4 s ago */
  fake_sink_lose(f.sink, "no answer");
  push(&f, 5, 5);
  fake_sink_connect(f.sink);
  expect_pending(&f, 5, 3, 4);
  expect_order("bus live m fast 5", "bus history m fast 3", "bus history m fast 4");
  expect_uint("further back than it may", journal_count("bus history m fast 1"), 0);
  ack_all(&f);
  f.r.ahead_ns += SECONDS(20);
  deliver(&f, 6, 6);
  fake_sink_lose(f.sink, "no answer");
  fake_sink_connect(f.sink);
  expect_pending(&f, 6);
  rig_close(&f.r);
}

/* What the peer has lost may be long taken: a backlog that it was given just now. */
static void test_outlet_rewinds_a_backlog_by_when_it_was_acknowledged(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, keep: 10s"));
  deliver(&f, 1, 2);
  fake_sink_lose(f.sink, "away");
  push(&f, 3, 5);
  f.r.ahead_ns += SECONDS(60);
  fake_sink_connect(f.sink);
  expect_pending(&f, 3, 4, 5);
  expect_uint("a backlog", journal_count("bus history m fast 3"), 1);
  ack_all(&f);
  fake_sink_lose(f.sink, "away again");
  fake_sink_connect(f.sink);
  expect_pending(&f, 3, 4, 5);
  expect_uint("once more", journal_count("bus history m fast 3"), 2);
  expect_uint("acknowledged long ago", journal_count("bus history m fast 1"), 0);
  ack_all(&f);
  f.r.ahead_ns += SECONDS(20);
  deliver(&f, 6, 6);
  fake_sink_lose(f.sink, "away");
  fake_sink_connect(f.sink);
  expect_pending(&f, 6);
  rig_close(&f.r);
}

static void test_outlet_rewinds_no_further_than_it_said(void **state) {
  (void)state;
  fixture f;
  /* The other sink has read nothing, so all is still there. */
  open_fixture(&f,
               PLANT("manual: true, keep: 10s") "  - { id: hist, session: { manual: true } }\n");
  deliver(&f, 1, 1);
  f.r.ahead_ns += SECONDS(60);
  deliver(&f, 2, 2);
  f.sink->base.host->rewind(&f.sink->base, UINT32_MAX);
  expect_pending(&f, 2);
  expect_uint("as history", journal_count("bus history m fast 2"), 1);
  rig_close(&f.r);
}

static void test_outlet_counts_what_was_dropped(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, window: 10"));
  f.r.runtime.queue.max_bytes = 3 * BB_CHUNK_BYTES;
  push(&f, 1, 5);
  expect_pending(&f, 1, 2, 3, 4, 5);
  push(&f, 6, 5000);
  expect_true("some went", f.outlet->counters.dropped > 1000);
  expect_double("what is on its way can be read", fake_sink_value(f.sink->pending[4].batch), 5);
  fake_sink_lose(f.sink, "gone"); /* and is lost if it comes back, as its chunk has gone */
  f.r.ahead_ns += SECONDS(60);
  fake_sink_connect(f.sink);
  while (f.sink->n_pending > 0) ack_all(&f);
  expect_uint("each is delivered or counted",
              f.outlet->counters.delivered + f.outlet->counters.dropped, 5000);
  expect_uint("depth", bb_outlet_depth(f.outlet), 0);
  expect_part("told once", folder_log(&f.r.folder), "the oldest batches are dropped");
  rig_close(&f.r);
}

/* More open ranges than a cursor of the store has. */
static void test_outlet_repeats_nothing_between_many_retries(void **state) {
  enum { RECORDS = 100 };
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, window: 200"));
  push(&f, 1, RECORDS);
  rig_turn(&f.r);
  for (int i = 0; i < RECORDS; i++) {
    fake_sink_judge(f.sink, 0, 1, i % 2 == 0 ? BB_VERDICT_RETRY : BB_VERDICT_ACKED);
  }
  expect_uint("half of them wait", bb_outlet_history(f.outlet), RECORDS / 2);
  rig_until(&f.r, f.sink->n_pending > 0);
  while (f.sink->n_pending > 0) {
    expect_double("not taken", fmod(fake_sink_value(f.sink->pending[0].batch), 2), 1);
    fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
    rig_turn(&f.r);
  }
  expect_uint("each once", f.outlet->counters.delivered, RECORDS);
  expect_uint("none dropped", f.outlet->counters.dropped, 0);
  rig_close(&f.r);
}

/* What was on its way when it was dropped is lost only if it comes back. */
static void test_outlet_counts_what_comes_back_after_it_was_dropped(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, window: 10"));
  f.r.runtime.queue.max_bytes = 3 * BB_CHUNK_BYTES;
  push(&f, 1, 4);
  expect_pending(&f, 1, 2, 3, 4);
  push(&f, 5, 5000);
  uint64_t before = f.outlet->counters.dropped;
  fake_sink_judge(f.sink, 0, 2, BB_VERDICT_ACKED);
  expect_uint("taken all the same", f.outlet->counters.dropped, before);
  fake_sink_judge(f.sink, 0, 2, BB_VERDICT_RETRY);
  expect_uint("two are lost", f.outlet->counters.dropped, before + 2);
  rig_close(&f.r);
}

static void test_outlet_goes_on_after_a_full_sink(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, run: 2, room: 3"));
  push(&f, 1, 6);
  expect_pending(&f, 1, 2);
  expect_uint("full", journal_count("bus full"), 1);
  push(&f, 7, 7);
  rig_turn(&f.r);
  expect_uint("not asked before the next verdict", journal_count("bus full"), 1);
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
  expect_pending(&f, 2, 3, 4);
  ack_all(&f);
  expect_uint("all", f.outlet->counters.delivered, 7);
  expect_uint("none twice", journal_count("bus live*"), 7);
  rig_close(&f.r);
}

static void test_outlet_tries_again_without_a_verdict_to_wait_for(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, room: 1"));
  push(&f, 1, 2); /* a run of two does not fit */
  rig_turn(&f.r);
  expect_uint("full", journal_count("bus full"), 1);
  f.sink->room = 2;
  rig_until(&f.r, f.sink->n_pending == 2);
  rig_close(&f.r);
}

static void test_outlet_lingers_for_a_larger_run(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, linger: 40ms"));
  for (int i = 1; i <= 3; i++) {
    push(&f, i, i);
    uv_run(&f.r.loop, UV_RUN_NOWAIT);
  }
  rig_until(&f.r, f.sink->n_pending == 3);
  expect_uint("one run", f.sink->runs, 1);
  rig_close(&f.r);
}

static void test_outlets_read_at_their_own_pace(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, window: 2") "  - { id: hist, session: {} }\n");
  bb_outlet *hist = bb_runtime_outlet(&f.r.runtime, "hist");
  rig_until(&f.r, hist->ready);
  push(&f, 1, 20);
  rig_until(&f.r, hist->counters.delivered == 20);
  expect_pending(&f, 1, 2);
  expect_uint("one waits", bb_outlet_depth(f.outlet), 20);
  expect_uint("the other does not", bb_outlet_depth(hist), 0);
  while (f.sink->n_pending > 0) ack_all(&f);
  expect_uint("in the end", f.outlet->counters.delivered, 20);
  expect_uint("nothing is kept", f.r.runtime.queue.bytes, 0);
  rig_close(&f.r);
}

static void test_outlet_drains_when_it_closes(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true, window: 2"));
  push(&f, 1, 9);
  expect_pending(&f, 1, 2);
  rig_apply_soon(&f.r, "busbar: 1\n");
  expect_uint("closing", journal_count("bus close"), 1);
  ack_all(&f); /* a window at a time */
  rig_until(&f.r, f.r.applied == 2);
  expect_order("bus close", "bus live m fast 9", "bus closed");
  expect_uint("all", journal_count("bus live m fast*"), 9);
  rig_close(&f.r);
}

static void test_outlet_does_not_drain_longer_than_it_may(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true"));
  push(&f, 1, 3);
  expect_pending(&f, 1, 2, 3);
  uint64_t start = uv_hrtime();
  rig_end_runtime(&f.r); /* the peer never answers */
  expect_true("no longer", uv_hrtime() - start < SECONDS(3));
  expect_order("bus close", "bus closed");
  folder_close(&f.r.folder);
}

static void test_outlet_ignores_verdicts_that_nobody_asked_for(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("manual: true"));
  push(&f, 1, 2);
  expect_pending(&f, 1, 2);
  const bb_sink_host *host = f.sink->base.host;
  host->on_verdict(&f.sink->base, f.sink->pending[1].ticket + 1, 100, BB_VERDICT_ACKED, NULL);
  host->on_verdict(&f.sink->base, f.sink->pending[0].ticket, 1, BB_VERDICT_ACKED, NULL);
  host->on_verdict(&f.sink->base, f.sink->pending[0].ticket, 1, BB_VERDICT_RETRY, NULL);
  expect_uint("one", f.outlet->counters.delivered, 1);
  expect_uint("none", f.outlet->counters.retried, 0);
  rig_close(&f.r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_outlet_fills_its_window_and_no_more),
      cmocka_unit_test(test_outlet_keeps_the_limits_of_a_run),
      cmocka_unit_test(test_outlet_delivers_live_in_order),
      cmocka_unit_test(test_outlet_retries_as_history_after_regrouping),
      cmocka_unit_test(test_outlet_sends_live_before_history),
      cmocka_unit_test(test_outlet_history_leaves_half_of_the_window),
      cmocka_unit_test(test_outlet_shares_the_rate_of_history_between_streams),
      cmocka_unit_test(test_outlet_sends_what_a_route_left_before_what_came_later),
      cmocka_unit_test(test_outlet_takes_a_short_interruption_for_none),
      cmocka_unit_test(test_outlet_sends_again_what_was_on_its_way_at_a_loss),
      cmocka_unit_test(test_outlet_sets_refused_batches_aside),
      cmocka_unit_test(test_outlet_waits_as_long_as_the_peer_asks),
      cmocka_unit_test(test_outlet_waits_for_the_sink_otherwise),
      cmocka_unit_test(test_outlet_rewinds_what_was_acknowledged),
      cmocka_unit_test(test_outlet_rewinds_a_backlog_by_when_it_was_acknowledged),
      cmocka_unit_test(test_outlet_rewinds_no_further_than_it_said),
      cmocka_unit_test(test_outlet_counts_what_was_dropped),
      cmocka_unit_test(test_outlet_repeats_nothing_between_many_retries),
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
