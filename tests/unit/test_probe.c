/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that are read once beside what runs: through a running connection, and by one of their own.
 * How it ends: test_probe_ends.c. */
#include "runtime/probe.h"

#include "base/err.h"
#include "support/expect.h"
#include "support/probe_rig.h"

static unsigned n_told;

static void on_station(bb_watch *watch, const bb_station *station, bool gone) {
  (void)watch;
  (void)station;
  (void)gone;
  n_told++;
}

static void on_batch(bb_watch *watch, const bb_station_scan *scan, const bb_batch *batch) {
  (void)watch;
  (void)scan;
  (void)batch;
  n_told++;
}

static void on_shape(bb_watch *watch, const bb_station_scan *scan) {
  (void)watch;
  (void)scan;
  n_told++;
}

static void test_probe_goes_through_the_running_connection(void **state) {
  (void)state;
  rig r;
  probe_asked a;
  probe_rig_open(&r);
  bb_watch watch = {.on_batch = on_batch, .on_shape = on_shape, .on_station = on_station};
  bb_runtime_watch(&r.runtime, &watch);
  n_told = 0;
  const bb_conn *conn = probe_link(&r, "a")->conn;
  uint64_t seq = r.runtime.seq;
  probe_ask_well(&r, &a, PROBE_GUEST("port: 1"), PROBE_SLOW);
  expect_true("on the connection that runs", a.device->base.conn == conn);
  expect_uint("its guest", probe_link(&r, "a")->n_stations, 2);
  probe_wait(&r, &a);
  expect_int("status", a.status, 0);
  expect_true("answered", a.answered && a.fresh[0]);
  expect_double("value", a.value[0], 42);
  expect_uint("raw", a.raw[0], 1);
  expect_text("through", a.through, "a");
  expect_true("same options", !a.other_options);
  expect_text("no reason", a.reason.text, "");
  expect_order("meter-9 attach", "meter-9 poll slow", "meter-9 detach");
  expect_uint("no connection", journal_count("x open") + journal_count("a close"), 0);
  expect_uint("no sink knows", journal_count("bus *"), 0);
  expect_uint("no watch knows", n_told, 0);
  expect_uint("no batch of the runtime", r.runtime.seq, seq);
  expect_uint("no guest any more", probe_link(&r, "a")->n_stations, 1);
  expect_true("no device", bb_runtime_station(&r.runtime, "meter-9") == NULL);
  expect_true("no trace", bb_list_empty(&r.runtime.probes));
  bb_runtime_unwatch(&watch);
  rig_close(&r);
}

static void test_probe_says_that_other_options_hold(void **state) {
  (void)state;
  rig r;
  probe_asked a;
  probe_rig_open(&r);
  probe_ask_well(&r, &a, PROBE_GUEST("port: 1, fails: true"), PROBE_SLOW);
  probe_wait(&r, &a);
  expect_true("answered", a.answered);
  expect_true("other options", a.other_options);
  rig_close(&r);
}

static void test_probe_opens_and_closes_its_own_connection(void **state) {
  (void)state;
  rig r;
  probe_asked a;
  probe_rig_open(&r);
  probe_ask_well(&r, &a, PROBE_GUEST("port: 5"), PROBE_SLOW);
  probe_wait(&r, &a);
  expect_true("answered", a.status == 0 && a.answered);
  expect_text("through none", a.through, "");
  expect_order("x open", "meter-9 attach", "meter-9 poll slow", "meter-9 detach", "x close");
  expect_true("no connection", bb_map_get(&r.runtime.links, "x") == NULL);
  rig_close(&r);
  rig_open(&r); /* before anything was applied */
  probe_ask_well(&r, &a, PROBE_GUEST("port: 5"), PROBE_SLOW);
  probe_wait(&r, &a);
  expect_double("value", a.value[0], 42);
  rig_close(&r);
}

static void test_probe_waits_for_what_the_device_pushes(void **state) {
  (void)state;
  rig r;
  probe_asked a;
  probe_rig_open(&r);
  probe_ask_well(&r, &a, PROBE_GUEST("port: 1"), PROBE_FAST | PROBE_SLOW);
  rig_turn(&r);
  expect_uint("in order", journal_count("meter-9 poll slow"), 0);
  expect_true("pushed", fake_device_push(a.device, 0, 7));
  probe_wait(&r, &a);
  expect_true("both", a.fresh[0] && a.fresh[1]);
  expect_double("pushed", a.value[0], 7);
  expect_double("polled", a.value[1], 7);
  rig_close(&r);
}

static void test_probe_follows_a_layout_that_changes(void **state) {
  (void)state;
  rig r;
  probe_asked a;
  probe_rig_open(&r);
  probe_ask_well(&r, &a, PROBE_GUEST("port: 1"), PROBE_FAST);
  rig_turn(&r);
  fake_device_layout(a.device, 0, 2);
  expect_true("pushed", fake_device_push(a.device, 0, 8));
  probe_wait(&r, &a);
  expect_double("value", a.value[0], 8);
  rig_close(&r);
}

static void test_probe_tells_why_nothing_came(void **state) {
  (void)state;
  rig r;
  probe_asked a;
  probe_rig_open(&r);
  probe_ask_well(&r, &a, PROBE_GUEST("port: 1"), PROBE_SLOW);
  a.device->poll_status = BB_ERR_TIMEOUT;
  probe_wait(&r, &a);
  expect_true("an answer all the same", a.status == 0 && !a.answered && !a.fresh[0]);
  expect_int("code", a.reason.code, BB_ERR_TIMEOUT);
  expect_text("words", a.reason.text, "no answer in time");

  probe_ask_well(&r, &a, PROBE_GUEST("port: 1"), PROBE_SLOW);
  a.device->poll_status = BB_ERR_TIMEOUT;
  fake_device_state(a.device, false, "no answer from 10.0.0.21 (unit 3)");
  probe_wait(&r, &a);
  expect_text("the driver's", a.reason.text, "no answer from 10.0.0.21 (unit 3)");

  probe_ask_well(&r, &a, PROBE_GUEST("port: 1"), PROBE_SLOW);
  fake_device_state(a.device, false, "half of it is not reached");
  probe_wait(&r, &a);
  expect_true("answered", a.answered && a.fresh[0]);
  expect_text("what it told last", a.reason.text, "half of it is not reached");

  probe_ask_well(&r, &a, PROBE_GUEST("port: 1"), PROBE_SLOW);
  fake_device_state(a.device, false, "no answer");
  fake_device_state(a.device, true, NULL);
  probe_wait(&r, &a);
  expect_text("it is back", a.reason.text, "");

  fake_conn_state((fake_conn *)probe_link(&r, "a")->conn, false, "a is down; next try in 4 s");
  probe_ask_well(&r, &a, PROBE_GUEST("port: 1"), PROBE_SLOW);
  a.device->poll_status = BB_ERR_CLOSED;
  probe_wait(&r, &a);
  expect_text("the connection's", a.reason.text, "a is down; next try in 4 s");

  probe_ask_well(&r, &a, PROBE_GUEST("port: 5"), PROBE_SLOW);
  a.device->holds_polls = true;
  rig_turn(&r);
  fake_conn_state((fake_conn *)a.device->base.conn, false, "no connection; next try in 4 s");
  a.device->poll_status = BB_ERR_CLOSED;
  fake_device_end_poll(a.device);
  probe_wait(&r, &a);
  expect_text("its own is not tried again", a.reason.text, "no connection");
  rig_close(&r);
}

static void refuse_all(fake_device *device) {
  device->quality = BB_QUALITY_BAD | BB_CAUSE_REFUSED;
  device->code = 2;
}

static void test_probe_learns_as_long_as_something_is_new(void **state) {
  (void)state;
  rig r;
  probe_asked a;
  probe_rig_open(&r);
  probe_ask_well(&r, &a, PROBE_GUEST("port: 1"), PROBE_SLOW);
  refuse_all(a.device);
  probe_wait(&r, &a);
  expect_uint("unasked", journal_count("meter-9 poll slow"), 1);
  expect_true("a refusal is an answer", a.answered && a.fresh[0]);

  journal_clear();
  bb_runtime_probe_wish wish = probe_wish(rig_config(PROBE_GUEST("port: 1")), PROBE_SLOW);
  wish.learn = true;
  expect_int("start", probe_ask_for(&r, &a, wish), 0);
  refuse_all(a.device);
  probe_wait(&r, &a);
  expect_uint("polls", journal_count("meter-9 poll slow"), 1 + BB_RUNTIME_PROBE_STILL);
  expect_true("read", a.fresh[0] && a.has_batch[0]);

  journal_clear();
  wish = probe_wish(rig_config(PROBE_GUEST("port: 1")), PROBE_SLOW);
  wish.learn = true;
  wish.limit_ms = 40;
  expect_int("start", probe_ask_for(&r, &a, wish), 0);
  refuse_all(a.device);
  a.device->holds_polls = true;
  rig_until(&r, a.device->polling);
  fake_device_end_poll(a.device);
  rig_until(&r, a.device->polling);
  expect_true("a draft is out", bb_runtime_probe_host.take(&a.device->base, 0) != NULL);
  probe_wait(&r, &a);
  expect_true("no half of a batch", !a.fresh[0] && !a.has_batch[0]);
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_probe_goes_through_the_running_connection),
      cmocka_unit_test(test_probe_says_that_other_options_hold),
      cmocka_unit_test(test_probe_opens_and_closes_its_own_connection),
      cmocka_unit_test(test_probe_waits_for_what_the_device_pushes),
      cmocka_unit_test(test_probe_follows_a_layout_that_changes),
      cmocka_unit_test(test_probe_tells_why_nothing_came),
      cmocka_unit_test(test_probe_learns_as_long_as_something_is_new),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
