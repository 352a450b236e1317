/* SPDX-License-Identifier: Apache-2.0 */
/* From the fake driver through the runtime to the fake sink, and commands the other way. */
#include "runtime/runtime.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/runtime_rig.h"

#define FAST 0
#define SLOW 1

static void open_plant(rig *r, const char *text) {
  rig_open(r);
  rig_apply(r, text);
}

static void push(rig *r, double value) {
  expect_true("a draft was free", fake_device_push(rig_device(r, "meter-1"), FAST, value));
}

static void test_runtime_brings_pushed_batches_to_the_sink(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  push(&r, 10);
  push(&r, 11);
  rig_until(&r, journal_count("bus live meter-1 fast 11") > 0);
  expect_order("bus open", "a open", "meter-1 attach", "bus shape meter-1 fast 3 points",
               "bus up meter-1", "bus live meter-1 fast 10", "bus live meter-1 fast 11");
  expect_uint("no batch without its shape", rig_sink(&r, "bus")->strangers, 0);
  expect_uint("announced once", journal_count("bus shape meter-1 fast*"), 1);
  expect_uint("up once", journal_count("bus up meter-1"), 1);
  const bb_station *station = bb_runtime_station(&r.runtime, "meter-1");
  expect_int("pushed", station->scans[FAST].mode, BB_SCAN_PUSHED);
  expect_uint("not polled", station->scans[FAST].counters.polls, 0);
  expect_uint("good samples", station->scans[FAST].counters.samples[0], 6);
  rig_close(&r);
}

static void test_runtime_polls_and_delivers(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  rig_device(&r, "meter-1")->value = 7;
  rig_until(&r, journal_count("bus live meter-1 slow 7") >= 3);
  expect_order("bus shape meter-1 slow 1 points", "meter-1 poll slow", "bus live meter-1 slow 7",
               "meter-1 poll slow", "bus live meter-1 slow 7");
  const bb_scan_counters *counters =
      &bb_runtime_station(&r.runtime, "meter-1")->scans[SLOW].counters;
  expect_true("each poll ends once", counters->done + 1 >= counters->polls);
  expect_uint("none failed", counters->failed, 0);
  rig_device(&r, "meter-1")->poll_status = BB_ERR_TIMEOUT;
  rig_until(&r, counters->failed >= 2);
  rig_close(&r);
}

static void test_runtime_polls_a_scan_not_before_its_last_has_ended(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  fake_device *device = rig_device(&r, "meter-1");
  device->holds_polls = true;
  const bb_scan_counters *counters =
      &bb_runtime_station(&r.runtime, "meter-1")->scans[SLOW].counters;
  rig_until(&r, device->polling && counters->skipped >= 3);
  uint64_t polls = counters->polls;
  device->holds_polls = false;
  fake_device_end_poll(device);
  rig_until(&r, counters->polls > polls);
  rig_close(&r);
}

static void test_runtime_has_one_draft_a_scan(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  fake_device *device = rig_device(&r, "meter-1");
  const bb_driver_host *host = device->base.conn->host;
  bb_draft *draft = host->take(&device->base, FAST);
  expect_true("one", draft != NULL);
  for (uint16_t i = 0; i < draft->shape->n_points; i++) {
    expect_uint("not read", draft->quality[i], BB_QUALITY_BAD | BB_CAUSE_NOT_READ);
  }
  expect_true("no second", !fake_device_push(device, FAST, 5));
  expect_uint("counted", device->refused, 1);
  host->on_batch(&device->base, FAST, draft);
  expect_true("again", fake_device_push(device, FAST, 6));
  rig_until(&r, journal_count("bus live meter-1 fast 6") == 1);
  rig_close(&r);
}

static void test_runtime_announces_a_changed_layout(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  push(&r, 1);
  fake_device_layout(rig_device(&r, "meter-1"), FAST, 3);
  expect_uint("the same one is none", journal_count("bus shape meter-1 fast*"), 1);
  rig_until(&r, journal_count("bus live meter-1 fast 1") == 1);
  fake_device_layout(rig_device(&r, "meter-1"), FAST, 1);
  expect_true("no value in the new one yet",
              !bb_runtime_station(&r.runtime, "meter-1")->scans[FAST].has_latest);
  push(&r, 2);
  rig_until(&r, journal_count("bus live meter-1 fast 2") == 1);
  expect_order("bus live meter-1 fast 1", "bus shape meter-1 fast 1 points",
               "bus live meter-1 fast 2");
  expect_uint("strangers", rig_sink(&r, "bus")->strangers, 0);
  rig_close(&r);
}

static void test_runtime_announces_stale_once(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  fake_device *device = rig_device(&r, "meter-1");
  device->holds_polls = true;
  push(&r, 10);
  fake_device_state(device, false, "no answer");
  fake_device_state(device, false, "no answer"); /* no change */
  device->quality = BB_QUALITY_BAD | BB_CAUSE_NO_ANSWER;
  push(&r, 0); /* nothing but the loss */
  push(&r, 0);
  rig_until(&r, journal_count("bus live meter-1 fast 10 stale") == 1);
  const bb_station_scan *scan = &bb_runtime_station(&r.runtime, "meter-1")->scans[FAST];
  expect_true("stale", scan->stale);
  device->quality = BB_QUALITY_GOOD;
  fake_device_state(device, true, NULL);
  push(&r, 11);
  rig_until(&r, journal_count("bus live meter-1 fast 11") == 1);
  expect_true("cleared", !scan->stale);
  expect_order("bus up meter-1", "bus live meter-1 fast 10", "bus live meter-1 fast 10 stale",
               "bus live meter-1 fast 11");
  expect_order("bus up meter-1", "bus down meter-1", "bus up meter-1");
  expect_uint("once", journal_count("bus live meter-1 fast 10 stale"), 1);
  expect_uint("no bad one", journal_count("bus live meter-1 fast 0*"), 0);
  rig_close(&r);
}

static void test_runtime_tells_of_a_poll_that_brought_nothing(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  fake_device *device = rig_device(&r, "meter-1");
  push(&r, 10);
  device->quality = BB_QUALITY_BAD | BB_CAUSE_NO_ANSWER;
  push(&r, 11); /* the device is not given up yet */
  rig_until(&r, journal_count("bus live meter-1 fast 11 bad") == 1);
  const bb_station_scan *scan = &bb_runtime_station(&r.runtime, "meter-1")->scans[FAST];
  expect_true("not stale", !scan->stale);
  expect_double("the latest has values", fake_sink_value(&scan->latest), 10);
  rig_close(&r);
}

static void test_runtime_loses_the_devices_of_a_lost_link(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  fake_device *device = rig_device(&r, "meter-1");
  device->holds_polls = true;
  push(&r, 10);
  rig_turn(&r);
  fake_conn_state((fake_conn *)device->base.conn, false, "reset by peer");
  device->quality = BB_QUALITY_BAD | BB_CAUSE_NOT_CONNECTED;
  push(&r, 0);
  push(&r, 0);
  rig_until(&r, journal_count("bus live meter-1 fast 10 stale") == 1);
  expect_order("bus up meter-1", "bus live meter-1 fast 10", "bus down meter-1");
  expect_uint("once", journal_count("bus live meter-1 fast*"), 2);
  const bb_station *station = bb_runtime_station(&r.runtime, "meter-1");
  expect_text("for the link's reason", station->reason.text, "reset by peer");
  expect_uint("and cause", station->scans[FAST].latest.quality[0],
              BB_QUALITY_STALE | BB_CAUSE_NOT_CONNECTED);
  fake_conn_state((fake_conn *)device->base.conn, true, NULL);
  device->quality = BB_QUALITY_GOOD;
  push(&r, 12);
  rig_until(&r, journal_count("bus live meter-1 fast 12") == 1);
  expect_order("bus down meter-1", "bus up meter-1", "bus live meter-1 fast 12");
  rig_close(&r);
}

static void test_runtime_tells_once_of_a_device_that_never_answered(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  fake_device *device = rig_device(&r, "meter-1");
  device->quality = BB_QUALITY_BAD | BB_CAUSE_NO_ANSWER;
  for (int i = 0; i < 5; i++) push(&r, 3);
  device->quality = BB_QUALITY_GOOD;
  push(&r, 4);
  rig_until(&r, journal_count("bus live meter-1 fast 4") == 1);
  expect_uint("bad once", journal_count("bus live meter-1 fast 3 bad"), 1);
  expect_uint("and nothing else", journal_count("bus live meter-1 fast*"), 2);
  rig_close(&r);
}

static void test_runtime_gives_births_from_the_latest(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_CONNECTIONS RIG_DEVICES
             "sinks:\n  - { id: bus, session: { manual: true } }\n"
             "routes:\n  - { sink: bus, devices: [meter-1], scans: [fast], points: [count] }\n");
  fake_sink *sink = rig_sink(&r, "bus");
  fake_sink_connect(sink);
  expect_uint("nothing yet", journal_count("bus birth*"), 0);
  push(&r, 10);
  rig_until(&r, sink->n_pending == 1);
  fake_sink_lose(sink, "gone");
  push(&r, 20);
  fake_sink_connect(sink);
  /* The sink checks that a birth has the shape it was told of: here only `count`, 1 more than power. */
  expect_order("bus session 1", "bus live meter-1 fast 11", "bus session 2",
               "bus birth meter-1 fast 21", "bus live meter-1 fast 21",
               "bus history meter-1 fast 11");
  bb_batch out;
  const bb_station *one = bb_runtime_station(&r.runtime, "meter-1");
  const bb_station *other = bb_runtime_station(&r.runtime, "meter-2");
  expect_true(
      "what is not routed to it is not its own",
      !sink->base.host->latest(&sink->base, other->config->device, other->scans[0].shape, &out) &&
          !sink->base.host->latest(&sink->base, one->config->device, one->scans[0].shape, &out));
  rig_close(&r);
}

static void test_runtime_keeps_a_sinks_number_across_a_restart(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  rig_until(&r, journal_count("bus session 1") == 1);
  rig_until(&r, journal_count("bus durable") == 1);
  rig_end_runtime(&r);
  rig_reopen(&r);
  rig_apply(&r, RIG_PLANT);
  rig_until(&r, journal_count("bus session 2") == 1);
  rig_close(&r);
}

typedef struct call {
  bb_command command; /* first */
  unsigned done;
  bb_outcome outcome;
  bb_reason reason;
} call;

static void on_done(bb_command *command, bb_outcome outcome, const bb_reason *reason) {
  call *c = (call *)command;
  c->done++;
  c->outcome = outcome;
  c->reason = *reason;
}

static void command(rig *r, call *c, const char *id, const char *point, double value) {
  *c = (call){.command = {.device = "meter-1", .origin = "bus", .on_done = on_done}};
  bb_sink *sink = bb_runtime_outlet(&r->runtime, "bus")->sink;
  bb_reason reason;
  snprintf(c->command.id, sizeof(c->command.id), "%s", id);
  expect_int(point,
             bb_door_add(&r->runtime.door, &c->command, point,
                         (bb_value){.type = BB_TYPE_F64, .v.d = value}, &reason),
             0);
  expect_int("command", sink->host->command(sink, &c->command), 0);
}

static void test_runtime_brings_a_sinks_command_to_the_device(void **state) {
  (void)state;
  rig r;
  call c;
  open_plant(&r, RIG_PLANT);
  fake_device *device = rig_device(&r, "meter-1");
  device->outcome = BB_OUTCOME_CONFIRMED;
  command(&r, &c, "one", "limit", 50);
  rig_until(&r, c.done == 1);
  expect_int("confirmed", c.outcome, BB_OUTCOME_CONFIRMED);
  expect_uint("read back", c.command.has_measured, 1);
  expect_double("value", bb_value_double(c.command.measured[0]), 50);
  expect_uint("written once", journal_count("meter-1 write one"), 1);

  device->outcome = BB_OUTCOME_REFUSED;
  device->outcome_text = "in local mode";
  command(&r, &c, "two", "limit", 60);
  rig_until(&r, c.done == 1);
  expect_int("refused", c.outcome, BB_OUTCOME_REFUSED);
  expect_text("by the device", c.reason.text, "in local mode");
  expect_uint("its code", c.reason.raw, 5);

  device->outcome = BB_OUTCOME_UNKNOWN;
  command(&r, &c, "three", "limit", 70);
  rig_until(&r, c.done == 1);
  expect_int("unknown", c.outcome, BB_OUTCOME_UNKNOWN);

  command(&r, &c, "four", "limit", 101);
  expect_uint("a rail ends it at once", c.done, 1);
  expect_int("refused", c.outcome, BB_OUTCOME_REFUSED);
  expect_uint("before the device", journal_count("meter-1 write four"), 0);

  device->write_status = BB_ERR_AGAIN;
  command(&r, &c, "five", "limit", 1);
  expect_uint("not taken", c.done, 1);
  expect_int("refused", c.outcome, BB_OUTCOME_REFUSED);
  expect_uint("none is open", r.runtime.door.open, 0);
  rig_close(&r);
}

static void test_runtime_ends_a_command_when_it_stops(void **state) {
  (void)state;
  rig r;
  call c;
  open_plant(&r, RIG_PLANT);
  rig_device(&r, "meter-1")->holds_writes = true;
  command(&r, &c, "one", "limit", 50);
  rig_turn(&r);
  expect_uint("under way", c.done, 0);
  rig_close(&r);
  expect_uint("once", c.done, 1);
  expect_int("nobody knows", c.outcome, BB_OUTCOME_UNKNOWN);
}

static void test_runtime_rests_while_paused(void **state) {
  (void)state;
  rig r;
  call c;
  open_plant(&r, RIG_PLANT);
  rig_until(&r, journal_count("meter-1 poll slow") >= 1);
  bb_runtime_pause(&r.runtime, true);
  rig_turn(&r);
  unsigned polls = journal_count("meter-1 poll slow");
  uint64_t end = uv_hrtime() + 60 * BB_NS_PER_MS; /* three periods */
  rig_until(&r, uv_hrtime() > end);
  expect_uint("no poll", journal_count("meter-1 poll slow"), polls);
  command(&r, &c, "one", "limit", 50);
  expect_int("no write", c.outcome, BB_OUTCOME_REFUSED);
  bb_runtime_pause(&r.runtime, false);
  rig_until(&r, journal_count("meter-1 poll slow") > polls);
  rig_close(&r);
}

static void test_runtime_is_ready_when_all_are(void **state) {
  (void)state;
  rig r;
  rig_open(&r);
  expect_true("no config", !bb_runtime_is_ready(&r.runtime));
  rig_apply(&r, RIG_CONNECTIONS RIG_DEVICES "sinks:\n  - { id: bus, session: { manual: true } }\n");
  rig_until(&r, bb_runtime_station(&r.runtime, "meter-1")->known &&
                    bb_runtime_station(&r.runtime, "meter-2")->known);
  expect_true("the sink is not", !bb_runtime_is_ready(&r.runtime));
  fake_sink_connect(rig_sink(&r, "bus"));
  expect_true("now", bb_runtime_is_ready(&r.runtime));
  fake_sink_lose(rig_sink(&r, "bus"), "gone");
  expect_true("no more", !bb_runtime_is_ready(&r.runtime));
  rig_close(&r);
}

static void test_runtime_notes_the_state_of_a_link(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  const bb_link *link = bb_map_get(&r.runtime.links, "a");
  fake_conn_state((fake_conn *)link->conn, false, "refused; next try in 2 s");
  expect_text("why", link->reason.text, "refused; next try in 2 s");
  expect_true("since", link->since_ns > 0);
  fake_conn_state((fake_conn *)link->conn, true, NULL);
  expect_text("no more", link->reason.text, "");
  expect_part("told", folder_log(&r.folder),
              "warn  a: refused; 1 device without values; next try in 2 s\n");
  rig_close(&r);
}

static unsigned count_lines(const char *log, const char *part) {
  unsigned n = 0;
  for (const char *at = strstr(log, part); at != NULL; at = strstr(at + 1, part)) n++;
  return n;
}

/* A loss is told once: for the connection with all that is behind it, or for the device alone. */
static void test_runtime_tells_a_loss_once(void **state) {
  (void)state;
  rig r;
  open_plant(&r, RIG_PLANT);
  fake_device *device = rig_device(&r, "meter-1");
  fake_conn *conn = (fake_conn *)device->base.conn;
  push(&r, 10);
  fake_conn_state(conn, false, "refused");
  fake_device_state(device, false, "refused");
  fake_conn_state(conn, true, NULL);
  fake_device_state(device, false, "no answer for 3 s");
  fake_device_state(device, false, "no answer for 9 s"); /* no news */
  const bb_station *station = bb_runtime_station(&r.runtime, "meter-1");
  expect_text("its own reason now", station->reason.text, "no answer for 3 s");
  fake_device_state(device, true, NULL);
  fake_conn_state(conn, false, "refused");
  fake_device_state(device, false, "refused");
  fake_conn_state(conn, true, NULL);
  fake_device_state(device, true, NULL);
  const char *log = folder_log(&r.folder);
  expect_uint("the connection", count_lines(log, " a: refused; 1 device without values\n"), 2);
  expect_uint("back", count_lines(log, " a: connected; 1 device\n"), 3);
  expect_uint("the device alone", count_lines(log, " meter-1: no answer for 3 s\n"), 1);
  expect_uint("back", count_lines(log, " meter-1: answers\n"), 1);
  expect_uint("nothing else of it", count_lines(log, " meter-1: "), 2);
  expect_uint("sinks", journal_count("bus down meter-1"), 2);
  rig_close(&r);
}

static bool log_has(rig *r, const char *text) {
  return strstr(folder_log(&r->folder), text) != NULL;
}

static void test_runtime_tells_of_a_clock_that_is_not_set(void **state) {
  (void)state;
  rig r;
  rig_open(&r);
  expect_true("nothing of one that is set", !log_has(&r, "the clock is"));
  rig_end_runtime(&r);
  r.utc_ahead_ns = -bb_clock_utc_ns(&r.runtime.clock); /* as of a board without a battery: 1970 */
  rig_reopen(&r);
  expect_true("at the start", log_has(&r, "warn  the clock is not set"));
  r.utc_ahead_ns = 0;
  rig_until(&r, r.runtime.clock_set);
  expect_true("once it is", log_has(&r, "info  the clock is set"));
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runtime_brings_pushed_batches_to_the_sink),
      cmocka_unit_test(test_runtime_polls_and_delivers),
      cmocka_unit_test(test_runtime_polls_a_scan_not_before_its_last_has_ended),
      cmocka_unit_test(test_runtime_has_one_draft_a_scan),
      cmocka_unit_test(test_runtime_announces_a_changed_layout),
      cmocka_unit_test(test_runtime_announces_stale_once),
      cmocka_unit_test(test_runtime_tells_of_a_poll_that_brought_nothing),
      cmocka_unit_test(test_runtime_loses_the_devices_of_a_lost_link),
      cmocka_unit_test(test_runtime_tells_once_of_a_device_that_never_answered),
      cmocka_unit_test(test_runtime_gives_births_from_the_latest),
      cmocka_unit_test(test_runtime_keeps_a_sinks_number_across_a_restart),
      cmocka_unit_test(test_runtime_brings_a_sinks_command_to_the_device),
      cmocka_unit_test(test_runtime_ends_a_command_when_it_stops),
      cmocka_unit_test(test_runtime_rests_while_paused),
      cmocka_unit_test(test_runtime_is_ready_when_all_are),
      cmocka_unit_test(test_runtime_notes_the_state_of_a_link),
      cmocka_unit_test(test_runtime_tells_a_loss_once),
      cmocka_unit_test(test_runtime_tells_of_a_clock_that_is_not_set),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
