/* SPDX-License-Identifier: Apache-2.0 */
/* What happens at devices reaches the sinks whose routes want it: from the fake driver and the door to
 * the fake sink. */
#include "runtime/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/runtime_rig.h"

#define PLANT(store, sinks)                                                                        \
  "busbar: 1\nruntime: { write_interval: 0s, store: { sync: 20ms, " store " } }\n"                 \
  "connections:\n  - { id: a, cyclic: { port: 1 } }\n"                                             \
  "devices:\n  - { id: m, connection: a, scan: { slow: off }, profile: " RIG_PROFILE " }\n"        \
  "sinks:\n" sinks
#define SINK(id, more) "  - { id: " id ", session: { } " more " }\n"
#define AWAY(more) "  - { id: bus, session: { manual: true } " more " }\n"
#define ANY "max_bytes: 64MiB"

typedef struct fixture {
  rig r;
  fake_device *device;
} fixture;

static void open_fixture(fixture *f, const char *text) {
  rig_open(&f->r);
  rig_apply(&f->r, text);
  f->device = rig_device(&f->r, "m");
}

static void restart(fixture *f, const char *text) {
  rig_end_runtime(&f->r);
  rig_reopen(&f->r);
  rig_apply(&f->r, text);
  f->device = rig_device(&f->r, "m");
}

static bb_outlet *outlet_of(fixture *f, const char *id) {
  return bb_runtime_outlet(&f->r.runtime, id);
}

typedef struct call {
  bb_command command; /* first */
  unsigned done;
} call;

static void on_done(bb_command *command, bb_outcome outcome, const bb_reason *reason) {
  (void)outcome;
  (void)reason;
  ((call *)command)->done++;
}

static void write_limit(fixture *f, const char *id, const char *principal, double value) {
  call c = {.command = {.device = "m", .origin = "socket", .on_done = on_done}};
  bb_value number = {.type = BB_TYPE_F64, .v.d = value};
  bb_reason reason;
  c.command.principal = principal;
  snprintf(c.command.id, sizeof(c.command.id), "%s", id);
  expect_int("point", bb_door_add(&f->r.runtime.door, &c.command, "limit", number, &reason), 0);
  bb_door_submit(&f->r.runtime.door, &c.command);
  rig_until(&f->r, c.done == 1);
}

static void test_event_tells_of_a_loss_and_a_return(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(ANY, SINK("bus", ", events: true")));
  fake_device_push(f.device, 0, 1);
  fake_device_state(f.device, false, "no answer for 3 s; next try in 4 s");
  fake_device_push(f.device, 0, 2);
  rig_until(&f.r, journal_count("bus live m event back") == 1);
  expect_order("bus live m event answers", "bus live m event lost: no answer for 3 s",
               "bus live m event back");
  expect_uint("and nothing else", journal_count("bus live m event*"), 3);
  rig_close(&f.r);
}

/* A driver tells of its connection once; each device behind it is told of with the connection's reason. */
static void test_event_tells_why_when_the_connection_is_lost(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(ANY, SINK("bus", ", events: true")));
  fake_conn *conn = (fake_conn *)f.device->base.conn;
  fake_conn_state(conn, true, "");
  fake_device_push(f.device, 0, 1);
  fake_conn_state(conn, false, "no connection to x: connection refused; next try in 2 s");
  f.device->quality = BB_QUALITY_BAD | BB_CAUSE_NOT_CONNECTED;
  fake_device_push(f.device, 0, 2);
  fake_device_push(f.device, 0, 3);
  f.device->quality = BB_QUALITY_GOOD;
  fake_conn_state(conn, true, "");
  fake_device_push(f.device, 0, 4);
  rig_until(&f.r, journal_count("bus live m event back") == 1);
  expect_order("bus live m event answers",
               "bus live m event lost: no connection to x: connection refused",
               "bus live m event back");
  expect_uint("once", journal_count("bus live m event*"), 3);
  rig_close(&f.r);
}

static void test_event_tells_what_became_of_each_write(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(ANY, SINK("bus", ", events: true")));
  f.device->outcome = BB_OUTCOME_CONFIRMED;
  write_limit(&f, "one", "operator", 50);
  f.device->outcome = BB_OUTCOME_UNKNOWN;
  f.device->outcome_text = "no answer";
  write_limit(&f, "", NULL, 60);
  write_limit(&f, "three", NULL, 101); /* a rail */
  rig_until(&f.r, journal_count("bus live m outcome*") == 3);
  expect_order("bus live m outcome confirmed: limit = 50 (from socket, by operator, id one)",
               "bus live m outcome unknown: limit = 60; no answer (from socket)",
               "bus live m outcome refused: limit = 101; *");
  rig_close(&f.r);
}

static void test_event_goes_only_where_a_route_wants_it(void **state) {
  (void)state;
  fixture f;
  open_fixture(
      &f,
      PLANT(ANY,
            SINK("all", "") SINK("changes", "") SINK("audit", "") SINK(
                "other",
                "")) "routes:\n  - { sink: changes, report: changes, every: 1h, events: true }\n"
                     "  - { sink: audit, devices: [m], scans: [], events: true }\n"
                     "  - { sink: other }\n  - { sink: other, devices: [], events: true }\n");
  for (int i = 0; i < 5; i++) fake_device_push(f.device, 0, i);
  fake_device_state(f.device, false, "gone");
  rig_until(&f.r, journal_count("audit live m event lost: gone") == 1);
  rig_until(&f.r, journal_count("all live m fast*") == 6);
  expect_uint("reporting does not touch it", journal_count("changes live m event*"), 2);
  expect_uint("one report in the hour, and the loss", journal_count("changes live m fast*"), 2);
  expect_uint("events alone", journal_count("audit live m fast*"), 0);
  expect_uint("not by default", journal_count("all live m event*"), 0);
  expect_uint("not of other devices", journal_count("other live m event*"), 0);
  expect_uint("and no shape", journal_count("audit shape*"), 0);
  rig_close(&f.r);
}

static void test_event_has_a_time_of_its_own(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(ANY, AWAY(", events: true")));
  for (int i = 0; i < 20; i++) write_limit(&f, "x", NULL, 101);
  fake_sink *sink = rig_sink(&f.r, "bus");
  fake_sink_connect(sink);
  rig_until(&f.r, sink->n_pending == 20);
  for (uint32_t i = 1; i < sink->n_pending; i++) {
    int64_t apart = sink->pending[i].batch->time_ns - sink->pending[i - 1].batch->time_ns;
    expect_true("in another millisecond", apart >= (int64_t)BB_NS_PER_MS);
  }
  while (sink->n_pending > 0) fake_sink_judge(sink, 0, 1, BB_VERDICT_ACKED);
  rig_close(&f.r);
}

/* An apply that changes who wants events changes nothing else. */
static void test_event_option_is_changed_in_place(void **state) {
  (void)state;
  fixture f;
  const char *off = PLANT(ANY, SINK("bus", "")) "routes:\n  - { sink: bus }\n";
  const char *on = PLANT(ANY, SINK("bus", "")) "routes:\n  - { sink: bus, events: true }\n";
  open_fixture(&f, off);
  fake_device_push(f.device, 0, 1);
  rig_until(&f.r, journal_count("bus live m fast 1") == 1);
  rig_apply(&f.r, on);
  fake_device_state(f.device, false, "first");
  rig_until(&f.r, journal_count("bus live m event lost: first") == 1);
  rig_apply(&f.r, off);
  fake_device_push(f.device, 0, 2);
  fake_device_state(f.device, false, "second");
  fake_device_push(f.device, 0, 3);
  rig_until(&f.r, journal_count("bus live m fast 3") == 1);
  expect_uint("only while it was on", journal_count("bus live m event*"), 1);
  expect_uint("one sink", journal_count("bus open"), 1);
  expect_uint("one device", journal_count("m attach*"), 1);
  rig_until(&f.r, f.r.runtime.streams[BB_STORE_EVENTS].n == 0); /* nobody reads it */
  rig_close(&f.r);
}

static void test_event_outlives_the_runtime_in_its_class(void **state) {
  (void)state;
  fixture f;
  const char *plant = PLANT(ANY, AWAY(", events: true"));
  open_fixture(&f, plant);
  fake_device_push(f.device, 0, 1);
  fake_device_state(f.device, false, "gone");
  write_limit(&f, "one", NULL, 101);
  rig_until(&f.r, f.r.runtime.save.saved == 5);
  restart(&f, plant);
  expect_uint("streams of events", f.r.runtime.streams[BB_STORE_EVENTS].n, 1);
  expect_uint("all wait", bb_outlet_depth(outlet_of(&f, "bus")), 5);
  fake_sink *sink = rig_sink(&f.r, "bus");
  fake_sink_connect(sink);
  rig_until(&f.r, sink->n_pending == 5);
  expect_order("bus history m event answers", "bus history m event lost: gone",
               "bus history m outcome refused: limit = 101;*", "bus history m fast 1");
  while (sink->n_pending > 0) fake_sink_judge(sink, 0, 1, BB_VERDICT_ACKED);
  rig_close(&f.r);
}

static void test_event_of_a_sink_that_is_gone_is_kept_for_it(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(ANY, AWAY(", events: true")));
  fake_device_push(f.device, 0, 1);
  rig_turn(&f.r);
  rig_apply(&f.r, PLANT(ANY, SINK("other", "")));
  rig_apply(&f.r, PLANT(ANY, AWAY("")));
  fake_sink *sink = rig_sink(&f.r, "bus");
  fake_sink_connect(sink);
  rig_until(&f.r, sink->n_pending == 2);
  unsigned live = journal_count("bus live m event answers");
  expect_uint("the event", live + journal_count("bus history m event answers"), 1);
  while (sink->n_pending > 0) fake_sink_judge(sink, 0, 1, BB_VERDICT_ACKED);
  rig_close(&f.r);
}

/* Of the store's bound and of the sink's: telemetry goes, and is counted; the events are older and stay. */
static void expect_telemetry_goes_first(const char *plant) {
  fixture f;
  open_fixture(&f, plant);
  for (int i = 0; i < 5; i++) write_limit(&f, "early", NULL, 101);
  rig_until(&f.r, f.r.runtime.save.saved == 5);
  uint64_t pushed = 0;
  while (outlet_of(&f, "bus")->counters.dropped == 0) {
    for (int i = 0; i < 100; i++) fake_device_push(f.device, 0, (double)++pushed);
    journal_clear();
    f.r.ahead_ns += BB_NS_PER_S;
    rig_until(&f.r, f.r.runtime.save.appended == 0 && f.r.runtime.save.job == NULL);
    expect_true("it comes to it", pushed < 1000000);
  }
  restart(&f, PLANT(ANY, "  - { id: bus, session: { manual: true, window: 40 }, events: true }\n"));
  fake_sink *sink = rig_sink(&f.r, "bus");
  fake_sink_connect(sink);
  rig_until(&f.r, sink->n_pending >= 6); /* "answers" is one of them */
  expect_uint("each event", journal_count("bus history m outcome refused*"), 5);
  rig_close(&f.r);
}

static void test_event_stays_when_the_store_is_full(void **state) {
  (void)state;
  expect_telemetry_goes_first(PLANT("max_bytes: 1MiB", AWAY(", events: true")));
}

static void test_event_stays_when_the_sinks_share_is_full(void **state) {
  (void)state;
  expect_telemetry_goes_first(PLANT(ANY, AWAY(", events: true, store: { max_bytes: 1MiB }")));
}

static void test_event_without_memory(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(ANY, SINK("bus", "")) "routes:\n  - { sink: bus }\n");
  bb_station *station = bb_runtime_station(&f.r.runtime, "m");
  bb_batch event = {.kind = BB_BATCH_EVENT, .text = "x", .text_len = 1};
  int err = BB_ERR_NOMEM, failed = 0;
  f.r.runtime.config->routes[0].events = true;
  for (int n = 1; err < 0; n++) {
    failmalloc_start((unsigned)n);
    err = bb_event_route(station);
    failmalloc_stop();
    if (err == 0) break;
    failed++;
    expect_int("no memory", err, BB_ERR_NOMEM);
    expect_int("nobody gets it", bb_event_add(station, &event), 0);
  }
  expect_true("stream, name and reader", failed >= 2);
  failmalloc_start(1);
  expect_int("no chunk", bb_event_add(station, &event), BB_ERR_NOMEM);
  failmalloc_stop();
  expect_uint("which is counted", outlet_of(&f, "bus")->counters.dropped, 1);
  expect_int("then it works", bb_event_add(station, &event), 0);
  rig_until(&f.r, journal_count("bus live m event x") == 1);
  rig_close(&f.r);
}

static void test_event_has_a_longest_text(void **state) {
  (void)state;
  fixture f;
  static char text[BB_MAX_EVENT_TEXT + 1];
  memset(text, 'x', sizeof(text));
  open_fixture(&f, PLANT(ANY, SINK("bus", ", events: true")));
  bb_station *station = bb_runtime_station(&f.r.runtime, "m");
  bb_batch event = {.kind = BB_BATCH_EVENT, .text = text, .text_len = (uint16_t)sizeof(text)};
  expect_int("too long", bb_event_add(station, &event), BB_ERR_LIMIT);
  event.text_len--;
  expect_int("the longest", bb_event_add(station, &event), 0);
  rig_until(&f.r, outlet_of(&f, "bus")->counters.delivered == 1);
  rig_close(&f.r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_event_tells_of_a_loss_and_a_return),
      cmocka_unit_test(test_event_tells_why_when_the_connection_is_lost),
      cmocka_unit_test(test_event_tells_what_became_of_each_write),
      cmocka_unit_test(test_event_goes_only_where_a_route_wants_it),
      cmocka_unit_test(test_event_has_a_time_of_its_own),
      cmocka_unit_test(test_event_option_is_changed_in_place),
      cmocka_unit_test(test_event_outlives_the_runtime_in_its_class),
      cmocka_unit_test(test_event_of_a_sink_that_is_gone_is_kept_for_it),
      cmocka_unit_test(test_event_stays_when_the_store_is_full),
      cmocka_unit_test(test_event_stays_when_the_sinks_share_is_full),
      cmocka_unit_test(test_event_without_memory),
      cmocka_unit_test(test_event_has_a_longest_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
