/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* What the sink `mqtt` publishes on a real broker; what it does without one is in
 * test_mqtt_sink_link.c. */
#include "sinks/mqtt/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/mqtt_sink_rig.h"
#include "support/mqtt_watch.h"

#define FAST_VALUES                                                                                \
  "\"values\":{\"power/total\":12.5,\"voltage/l1\":230.1},"                                        \
  "\"quality\":{\"voltage/l2\":\"bad, no answer\"}}"
#define FAST_HEAD                                                                                  \
  "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":118,\"device\":\"meter-1\",\"scan\":\"fast\","

static void test_mqtt_sink_publishes_a_message_a_batch(void **state) {
  mqtt_sink_rig *f = *state;
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "plant-7/#");
  mqtt_sink_rig_open(f, "");
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  bb_batch batches[] = {f->fast.batch, f->fast.batch};
  expect_int("live", mqtt_sink_rig_deliver(f, 7, batches, 2, false), 0);
  mqtt_sink_rig_expect_next(f, "first", "0 1 plant-7/meter-1/fast " FAST_HEAD FAST_VALUES);
  mqtt_sink_rig_expect_next(f, "second", "0 1 plant-7/meter-1/fast " FAST_HEAD FAST_VALUES);
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 2);
  mqtt_sink_rig_expect(f, "first", 7, BB_VERDICT_ACKED);
  mqtt_sink_rig_expect(f, "second", 8, BB_VERDICT_ACKED);
  expect_uint("told together", f->calls, 1);
  expect_uint("bytes sent", f->host.sink->bytes_sent, 2 * strlen(FAST_HEAD FAST_VALUES));
  sink_host_close(&f->host, 0);
}

static void test_mqtt_sink_publishes_a_message_a_point(void **state) {
  mqtt_sink_rig *f = *state;
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "m/#");
  mqtt_sink_rig_open(f, "payload: point\ntopic: 'm/{tag:line}/{point}'\nqos: 0\n");
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  expect_int("live", mqtt_sink_rig_deliver(f, 0, &f->fast.batch, 1, false), 0);
  mqtt_sink_rig_expect_next(
      f, "level",
      "0 0 m/l1/power/total "
      "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":118,\"value\":12.5,\"unit\":\"kW\"}");
  mqtt_sink_rig_expect_next(
      f, "good",
      "0 0 m/l1/voltage/l1 "
      "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":118,\"value\":230.1,\"unit\":\"V\"}");
  mqtt_sink_rig_expect_next(f, "bad",
                            "0 0 m/l1/voltage/l2 "
                            "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":118,\"unit\":\"V\","
                            "\"quality\":\"bad, no answer\"}");
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 1);
  mqtt_sink_rig_expect(f, "verdict", 0, BB_VERDICT_ACKED);
  uint8_t absent[4] = {BB_QUALITY_ABSENT, BB_QUALITY_ABSENT, BB_QUALITY_ABSENT, BB_QUALITY_ABSENT};
  bb_batch nothing = f->fast.batch;
  nothing.quality = absent;
  expect_int("nothing to say", mqtt_sink_rig_deliver(f, 1, &nothing, 1, false), 0);
  expect_uint("no verdict inside deliver", f->host.verdicts, 1);
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 2);
  mqtt_sink_rig_expect(f, "verdict", 1, BB_VERDICT_ACKED);
  sink_host_close(&f->host, 0);
}

static void test_mqtt_sink_marks_history_and_never_retains_it(void **state) {
  mqtt_sink_rig *f = *state;
  broker_start(&f->broker, NULL);
  mqtt_sink_rig_open(f, "retain: true\ntags: true\n");
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  bb_batch old = f->fast.batch;
  old.time_ns -= 1000000000;
  expect_int("live", mqtt_sink_rig_deliver(f, 0, &f->fast.batch, 1, false), 0);
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 1);
  expect_int("history", mqtt_sink_rig_deliver(f, 1, &old, 1, true), 0);
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 2);
  subscriber_start(&f->subscriber, &f->broker, "plant-7/#");
  const char *kept = subscriber_next(&f->subscriber, 5000);
  expect_part("retained", kept, "1 1 plant-7/meter-1/fast {\"timestamp\":1763688000123,");
  expect_part("tags", kept, "\"site\":\"plant-7\",\"tags\":{\"line\":\"l1\"}");
  expect_true("live", strstr(kept, "historical") == NULL);
  expect_int("history", mqtt_sink_rig_deliver(f, 2, &old, 1, true), 0);
  expect_part("history", subscriber_next(&f->subscriber, 5000), "\"historical\":true");
  expect_text("nothing else", subscriber_next(&f->subscriber, 200), NULL);
  sink_host_close(&f->host, 0);
}

static void test_mqtt_sink_publishes_events(void **state) {
  mqtt_sink_rig *f = *state;
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "plant-7/#");
  mqtt_sink_rig_open(f, "retain: true\n");
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  static const char words[] = "no answer for 3 s";
  bb_batch event = {.device = f->device,
                    .time_ns = 1763688000123000000,
                    .boot = 3,
                    .seq = 119,
                    .kind = BB_BATCH_EVENT,
                    .text = words,
                    .text_len = sizeof(words) - 1};
  expect_int("event", mqtt_sink_rig_deliver(f, 0, &event, 1, false), 0);
  mqtt_sink_rig_expect_next(
      f, "event",
      "0 1 plant-7/meter-1/event "
      "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":119,\"device\":\"meter-1\","
      "\"event\":\"no answer for 3 s\"}");
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 1);
  sink_host_close(&f->host, 0);
}

static void test_mqtt_sink_tells_its_state(void **state) {
  mqtt_sink_rig *f = *state;
  char command[128];
  broker_start(&f->broker, NULL);
  mqtt_sink_rig_open(f, "");
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  subscriber_start(&f->subscriber, &f->broker, "busbar/#");
  expect_part("birth", subscriber_next(&f->subscriber, 5000),
              "1 1 busbar/box/state {\"online\":true,\"timestamp\":1");
  /* Another client with its id pushes it out: the broker publishes the will. */
  snprintf(command, sizeof(command), "mosquitto_pub -p %u -i box -t x -m x", f->broker.port);
  expect_int(command, system(command), 0);
  mqtt_sink_rig_expect_next(f, "will", "0 1 busbar/box/state {\"online\":false}");
  mqtt_watch_until(&f->loop, "ready again", &f->host.ready, 2);
  expect_part("birth again", subscriber_next(&f->subscriber, 5000),
              "{\"online\":true,\"timestamp\":1");
  sink_host_close(&f->host, 1000);
  expect_part("death", subscriber_next(&f->subscriber, 5000),
              "0 1 busbar/box/state {\"online\":false,\"timestamp\":1");
  expect_text("and no will", subscriber_next(&f->subscriber, 300), NULL);
}

static void test_mqtt_sink_can_keep_its_state_to_itself(void **state) {
  mqtt_sink_rig *f = *state;
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "#");
  mqtt_sink_rig_open(f, "state_topic: off\n");
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  sink_host_close(&f->host, 0);
  expect_text("nothing", subscriber_next(&f->subscriber, 300), NULL);
}

static void test_mqtt_sink_drains_before_it_closes(void **state) {
  mqtt_sink_rig *f = *state;
  bb_batch batches[80];
  for (int i = 0; i < 80; i++) batches[i] = f->fast.batch;
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "busbar/#");
  mqtt_sink_rig_open(f, "max_in_flight: 10\n");
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  expect_part("birth", subscriber_next(&f->subscriber, 5000), "true");
  expect_int("more than the window", mqtt_sink_rig_deliver(f, 0, batches, 65, false), BB_ERR_AGAIN);
  expect_int("the window", mqtt_sink_rig_deliver(f, 0, batches, 64, false), 0);
  expect_int("no more", mqtt_sink_rig_deliver(f, 64, batches, 1, false), BB_ERR_AGAIN);
  sink_host_close(&f->host, 10000);
  expect_uint("verdicts", f->host.verdicts, 64);
  for (unsigned i = 0; i < 64; i++) {
    mqtt_sink_rig_expect(f, "verdict", i, BB_VERDICT_ACKED);
  }
  expect_part("death", subscriber_next(&f->subscriber, 5000), "{\"online\":false,\"timestamp\":1");
}

static void test_mqtt_sink_sets_aside_what_the_broker_refuses(void **state) {
  mqtt_sink_rig *f = *state;
  bb_batch batches[] = {f->fast.batch, f->big.batch, f->fast.batch};
  broker_start(&f->broker, "allow_anonymous true\nmessage_size_limit 200");
  subscriber_start(&f->subscriber, &f->broker, "none");
  mqtt_sink_rig_open(f, "version: 5\n");
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  expect_int("deliver", mqtt_sink_rig_deliver(f, 0, batches, 3, false), 0);
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 3);
  mqtt_sink_rig_expect(f, "first", 0, BB_VERDICT_ACKED);
  mqtt_sink_rig_expect(f, "large", 1, BB_VERDICT_REFUSED);
  mqtt_sink_rig_expect(f, "third", 2, BB_VERDICT_ACKED);
  expect_text("why", f->host.refused.text, "refused by the broker: packet too large");
  expect_uint("code", f->host.refused.raw, 149);
  sink_host_close(&f->host, 0);
}

static void test_mqtt_sink_needs_what_its_options_say(void **state) {
  (void)state;
  bb_sink_needs needs;
  bb_report report;
  bb_doc_tree tree;
  static const char text[] = "url: mqtt://broker\nmax_in_flight: 200\nlinger: 10ms\n";
  bb_report_init(&report);
  expect_int("parse", bb_doc_parse(&tree, "options", text, strlen(text), &report), 0);
  bb_sink_mqtt.needs(tree.root, &needs);
  expect_uint("window", needs.window_records, 400);
  expect_uint("run", needs.run_records, 200);
  expect_uint("linger", needs.linger_ms, 10);
  bb_report_close(&report);
  bb_doc_close(&tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name)                                                                                 \
  cmocka_unit_test_setup_teardown(name, mqtt_sink_rig_set_up, mqtt_sink_rig_tear_down)
      TEST(test_mqtt_sink_publishes_a_message_a_batch),
      TEST(test_mqtt_sink_publishes_a_message_a_point),
      TEST(test_mqtt_sink_marks_history_and_never_retains_it),
      TEST(test_mqtt_sink_publishes_events),
      TEST(test_mqtt_sink_tells_its_state),
      TEST(test_mqtt_sink_can_keep_its_state_to_itself),
      TEST(test_mqtt_sink_drains_before_it_closes),
      TEST(test_mqtt_sink_sets_aside_what_the_broker_refuses),
      cmocka_unit_test(test_mqtt_sink_needs_what_its_options_say),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
