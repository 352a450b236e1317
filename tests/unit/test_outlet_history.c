/* SPDX-License-Identifier: Apache-2.0 */
/* What a sink gets later than at once: after a retry, an outage or a rewind, beside what is live. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/outlet.h"
#include "support/expect.h"
#include "support/outlet_rig.h"

static void test_outlet_retries_as_history_after_regrouping(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 6"));
  outlet_rig_push(&f, 1, 4);
  outlet_rig_expect(&f, 1, 2, 3, 4);
  fake_sink_judge(f.sink, 1, 1, BB_VERDICT_RETRY);
  outlet_rig_push(&f, 5, 6);
  outlet_rig_expect(&f, 1, 3, 4); /* nothing new overtakes what comes back */
  outlet_rig_ack(&f);
  expect_true("backs off", f.outlet->waiting);
  expect_uint("nothing meanwhile", f.sink->n_pending, 0);
  rig_until(&f.r, f.sink->n_pending > 0);
  outlet_rig_expect(&f, 5, 6, 2);
  expect_order("bus live m fast 5", "bus live m fast 6", "bus history m fast 2");
  outlet_rig_ack(&f);
  expect_uint("retried", f.outlet->counters.retried, 1);
  expect_uint("delivered", f.outlet->counters.delivered, 6);
  expect_uint("nothing is kept", f.r.runtime.queue.bytes, 0);
  outlet_rig_close(&f);
}

static void test_outlet_sends_live_before_history(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 8"));
  fake_sink_lose(f.sink, "gone");
  outlet_rig_push(&f, 1, 3);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(6);
  outlet_rig_push(&f, 4, 5);
  fake_sink_connect(f.sink);
  outlet_rig_expect(&f, 4, 5, 1, 2);
  expect_order("bus live m fast 4", "bus live m fast 5", "bus history m fast 1");
  outlet_rig_close(&f);
}

static void test_outlet_history_leaves_half_of_the_window(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 4"));
  fake_sink_lose(f.sink, "gone");
  outlet_rig_push(&f, 1, 6);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(60);
  fake_sink_connect(f.sink);
  outlet_rig_expect(&f, 1, 2);
  outlet_rig_push(&f, 7, 8);
  outlet_rig_expect(&f, 1, 2, 7, 8);
  outlet_rig_ack(&f);
  expect_uint("all", f.outlet->counters.delivered, 8);
  outlet_rig_close(&f);

  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 1"));
  fake_sink_lose(f.sink, "gone");
  outlet_rig_push(&f, 1, 3);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(60);
  fake_sink_connect(f.sink);
  outlet_rig_ack(&f);
  expect_uint("a window of one is enough", f.outlet->counters.delivered, 3);
  outlet_rig_close(&f);
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
  outlet_rig f;
  outlet_rig_open(&f, TWO_STREAMS("  - { sink: hist, devices: [k] }\n"));
  fake_device *other = rig_device(&f.r, "k");
  fake_sink_lose(f.sink, "gone");
  outlet_rig_push(&f, 1, 100);
  for (double i = 1; i <= 100; i++) expect_true("push", fake_device_push(other, 0, i));
  f.r.ahead_ns += OUTLET_RIG_SECONDS(60);
  fake_sink_connect(f.sink);
  for (int seconds = 1; seconds <= 5; seconds++) {
    bb_outlet_wake(f.outlet);
    rig_turn(&f.r);
    outlet_rig_ack(&f);
    int one = (int)count_history("m"), both = one + (int)count_history("k");
    expect_true("at the rate", both >= 10 * seconds && both < 100);
    expect_true("as many of each", abs(both - 2 * one) <= 2);
    f.r.ahead_ns += OUTLET_RIG_SECONDS(1);
  }
  outlet_rig_close(&f);
}

/* A deploy gives the device's batches a stream of their own kind; the older ones are in the former. */
static void test_outlet_sends_what_a_route_left_before_what_came_later(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, TWO_STREAMS("  - { sink: hist, devices: [k] }\n"));
  fake_sink_lose(f.sink, "gone");
  outlet_rig_push(&f, 1, 15);
  rig_apply(&f.r, TWO_STREAMS("  - { sink: hist, devices: [m, k] }\n"));
  outlet_rig_push(&f, 16, 30);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(60);
  fake_sink_connect(f.sink);
  double value = 1;
  for (int seconds = 1; seconds <= 5; seconds++) {
    bb_outlet_wake(f.outlet);
    rig_turn(&f.r);
    for (; f.sink->n_pending > 0; value++) {
      expect_double("in order", fake_sink_value(f.sink->pending[0].batch), value);
      fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
    }
    f.r.ahead_ns += OUTLET_RIG_SECONDS(1);
  }
  expect_double("all", value, 31);
  outlet_rig_close(&f);
}

static void test_outlet_takes_a_short_interruption_for_none(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true"));
  fake_sink_lose(f.sink, "gone");
  outlet_rig_push(&f, 1, 2);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(3);
  outlet_rig_push(&f, 3, 3);
  fake_sink_connect(f.sink);
  outlet_rig_expect(&f, 1, 2, 3);
  expect_uint("all live", journal_count("bus live*"), 3);
  outlet_rig_close(&f);
}

static void test_outlet_sends_again_what_was_on_its_way_at_a_loss(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true"));
  outlet_rig_push(&f, 1, 3);
  outlet_rig_expect(&f, 1, 2, 3);
  uint64_t ticket = f.sink->pending[0].ticket;
  fake_sink_judge(f.sink, 1, 1, BB_VERDICT_ACKED);
  fake_sink_lose(f.sink, "broken pipe");
  expect_text("why", f.outlet->reason.text, "broken pipe");
  expect_uint("two come back", f.outlet->counters.retried, 2);
  f.sink->base.host->on_verdict(&f.sink->base, ticket, 3, BB_VERDICT_ACKED, NULL);
  expect_uint("a verdict that comes too late is none", f.outlet->counters.delivered, 1);
  outlet_rig_push(&f, 4, 4);
  fake_sink_connect(f.sink);
  outlet_rig_expect(&f, 4, 1, 3);
  expect_order("bus live m fast 4", "bus history m fast 1", "bus history m fast 3");
  outlet_rig_close(&f);
}

static void test_outlet_rewinds_what_was_acknowledged(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, keep: 10s"));
  outlet_rig_deliver(&f, 1, 2);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(8);
  outlet_rig_deliver(&f, 3, 4);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(4); /* 1 and 2 were 12 s ago, 3 and 4 were 4 s ago */
  fake_sink_lose(f.sink, "no answer");
  outlet_rig_push(&f, 5, 5);
  fake_sink_connect(f.sink);
  outlet_rig_expect(&f, 5, 3, 4);
  expect_order("bus live m fast 5", "bus history m fast 3", "bus history m fast 4");
  expect_uint("further back than it may", journal_count("bus history m fast 1"), 0);
  outlet_rig_ack(&f);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(20);
  outlet_rig_deliver(&f, 6, 6);
  fake_sink_lose(f.sink, "no answer");
  fake_sink_connect(f.sink);
  outlet_rig_expect(&f, 6);
  outlet_rig_close(&f);
}

/* What the peer has lost may be long taken: a backlog that it was given just now. */
static void test_outlet_rewinds_a_backlog_by_when_it_was_acknowledged(void **state) {
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, keep: 10s"));
  outlet_rig_deliver(&f, 1, 2);
  fake_sink_lose(f.sink, "away");
  outlet_rig_push(&f, 3, 5);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(60);
  fake_sink_connect(f.sink);
  outlet_rig_expect(&f, 3, 4, 5);
  expect_uint("a backlog", journal_count("bus history m fast 3"), 1);
  outlet_rig_ack(&f);
  fake_sink_lose(f.sink, "away again");
  fake_sink_connect(f.sink);
  outlet_rig_expect(&f, 3, 4, 5);
  expect_uint("once more", journal_count("bus history m fast 3"), 2);
  expect_uint("acknowledged long ago", journal_count("bus history m fast 1"), 0);
  outlet_rig_ack(&f);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(20);
  outlet_rig_deliver(&f, 6, 6);
  fake_sink_lose(f.sink, "away");
  fake_sink_connect(f.sink);
  outlet_rig_expect(&f, 6);
  outlet_rig_close(&f);
}

static void test_outlet_rewinds_no_further_than_it_said(void **state) {
  (void)state;
  outlet_rig f;
  /* The other sink has read nothing, so all is still there. */
  outlet_rig_open(
      &f, OUTLET_RIG("manual: true, keep: 10s") "  - { id: hist, session: { manual: true } }\n");
  outlet_rig_deliver(&f, 1, 1);
  f.r.ahead_ns += OUTLET_RIG_SECONDS(60);
  outlet_rig_deliver(&f, 2, 2);
  f.sink->base.host->rewind(&f.sink->base, UINT32_MAX);
  outlet_rig_expect(&f, 2);
  expect_uint("as history", journal_count("bus history m fast 2"), 1);
  outlet_rig_close(&f);
}

/* More open ranges than a cursor of the store has. */
static void test_outlet_repeats_nothing_between_many_retries(void **state) {
  enum { RECORDS = 100 };
  (void)state;
  outlet_rig f;
  outlet_rig_open(&f, OUTLET_RIG("manual: true, window: 200"));
  outlet_rig_push(&f, 1, RECORDS);
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
  outlet_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_outlet_retries_as_history_after_regrouping),
      cmocka_unit_test(test_outlet_sends_live_before_history),
      cmocka_unit_test(test_outlet_history_leaves_half_of_the_window),
      cmocka_unit_test(test_outlet_shares_the_rate_of_history_between_streams),
      cmocka_unit_test(test_outlet_sends_what_a_route_left_before_what_came_later),
      cmocka_unit_test(test_outlet_takes_a_short_interruption_for_none),
      cmocka_unit_test(test_outlet_sends_again_what_was_on_its_way_at_a_loss),
      cmocka_unit_test(test_outlet_rewinds_what_was_acknowledged),
      cmocka_unit_test(test_outlet_rewinds_a_backlog_by_when_it_was_acknowledged),
      cmocka_unit_test(test_outlet_rewinds_no_further_than_it_said),
      cmocka_unit_test(test_outlet_repeats_nothing_between_many_retries),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
