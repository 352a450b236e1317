/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* Publishing to a real broker: ends, bursts, bounds, what the broker gets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/broker.h"
#include "support/expect.h"
#include "support/mqtt_watch.h"

static uv_loop_t loop;
static broker b;
static mqtt_watch *w;

static int set_up(void **state) {
  (void)state;
  w = calloc(1, sizeof(*w));
  mqtt_watch_setup(&loop);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  mqtt_watch_teardown(&loop);
  broker_stop(&b);
  free(w);
  return 0;
}

static void test_mqtt_publishes_with_each_qos_and_version(void **state) {
  (void)state;
  static const bb_mqtt_version versions[] = {BB_MQTT_3_1_1, BB_MQTT_5};
  subscriber s;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "t/#");
  for (size_t v = 0; v < 2; v++) {
    *w = (mqtt_watch){.user = NULL};
    mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port, .version = versions[v]});
    mqtt_watch_until_up(w, &loop);
    for (uint8_t qos = 0; qos < 3; qos++) {
      char payload[32], expected[64];
      int len = snprintf(payload, sizeof(payload), "v%zu qos %u", v, qos);
      bb_mqtt_message message = {.topic = "t/\xc3\xa4",
                                 .payload = payload,
                                 .len = (uint32_t)len,
                                 .qos = qos,
                                 .retain = false,
                                 .tag = qos};
      expect_int("publish", bb_mqtt_publish(&w->mqtt, &message, 1), 0);
      mqtt_watch_until(&loop, "ends", &w->n_ok, qos + 1u);
      snprintf(expected, sizeof(expected), "0 %u t/\xc3\xa4 %s", qos, payload);
      expect_text("what the broker passed on", subscriber_next(&s, 5000), expected);
    }
    mqtt_watch_expect_once(w, 0, 3);
    mqtt_watch_close(w, &loop);
  }
  subscriber_stop(&s);
}

static void test_mqtt_ends_each_message_of_many_bursts_once(void **state) {
  (void)state;
  broker_start(&b, NULL);
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port, .max_in_flight = 200});
  mqtt_watch_until_up(w, &loop);
  uint32_t first = 0;
  for (int round = 0; round < 60; round++) {
    uint32_t n = 1 + (uint32_t)round * 3;
    mqtt_watch_publish(w, first, n, (uint8_t)(round % 3));
    first += n;
    mqtt_watch_until(&loop, "ends", &w->n_ok, first);
  }
  mqtt_watch_expect_once(w, 0, first);
  expect_uint("in flight", w->mqtt.in_flight, 0);
  expect_true("fewer calls than messages", w->n_calls < first / 8);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_takes_no_more_than_it_has_room_for(void **state) {
  (void)state;
  broker_start(&b, NULL);
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port, .max_in_flight = 10});
  bb_mqtt_message messages[11];
  for (uint32_t i = 0; i < 11; i++) {
    messages[i] = (bb_mqtt_message){.topic = "t", .payload = "x", .len = 1, .qos = 1, .tag = i};
  }
  expect_int("before it is up", bb_mqtt_publish(&w->mqtt, messages, 1), BB_ERR_STATE);
  expect_uint("room before it is up", bb_mqtt_room(&w->mqtt), 0);
  mqtt_watch_until_up(w, &loop);
  expect_uint("room", bb_mqtt_room(&w->mqtt), 10);
  expect_int("eleven", bb_mqtt_publish(&w->mqtt, messages, 11), BB_ERR_AGAIN);
  expect_uint("room after none was taken", bb_mqtt_room(&w->mqtt), 10);
  expect_int("ten", bb_mqtt_publish(&w->mqtt, messages, 10), 0);
  expect_int("one more", bb_mqtt_publish(&w->mqtt, &messages[10], 1), BB_ERR_AGAIN);
  expect_true("no buffer", bb_mqtt_payload(&w->mqtt) == NULL);
  mqtt_watch_until(&loop, "ends", &w->n_ok, 10);
  expect_int("one more after an end", bb_mqtt_publish(&w->mqtt, &messages[10], 1), 0);
  mqtt_watch_until(&loop, "ends", &w->n_ok, 11);
  mqtt_watch_expect_once(w, 0, 11);
  mqtt_watch_close(w, &loop);
}

/* More bursts than there are buffers: the client says when it can go on. */
static void test_mqtt_tells_when_a_burst_is_free_again(void **state) {
  (void)state;
  broker_start(&b, NULL);
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port, .max_in_flight = 1000});
  mqtt_watch_until_up(w, &loop);
  uint32_t n = 0;
  while (n < 20000) {
    bb_buf *bytes = bb_mqtt_payload(&w->mqtt);
    if (bytes == NULL) {
      unsigned calls = w->n_calls;
      mqtt_watch_until(&loop, "calls of on_done", &w->n_calls, calls + 1);
      continue;
    }
    bb_buf_text(bytes, "value");
    expect_int("add", bb_mqtt_add(&w->mqtt, &(bb_mqtt_message){.topic = "t", .qos = 0, .tag = n++}),
               0);
    bb_mqtt_flush(&w->mqtt); /* a burst for each message */
  }
  mqtt_watch_until(&loop, "ends", &w->n_ok, n);
  mqtt_watch_expect_once(w, 0, n);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_drops_what_was_not_added(void **state) {
  (void)state;
  subscriber s;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "t");
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port});
  mqtt_watch_until_up(w, &loop);
  bb_buf_text(bb_mqtt_payload(&w->mqtt), "left behind");
  bb_buf_text(bb_mqtt_payload(&w->mqtt), "first");
  expect_int("add", bb_mqtt_add(&w->mqtt, &(bb_mqtt_message){.topic = "t", .qos = 1, .tag = 0}), 0);
  bb_buf_text(bb_mqtt_payload(&w->mqtt), "with a topic too long");
  char *topic = calloc(1, BB_MQTT_MAX_TOPIC + 2);
  memset(topic, 't', BB_MQTT_MAX_TOPIC + 1);
  expect_int("long topic",
             bb_mqtt_add(&w->mqtt, &(bb_mqtt_message){.topic = topic, .qos = 1, .tag = 1}),
             BB_ERR_LIMIT);
  free(topic);
  bb_buf_text(bb_mqtt_payload(&w->mqtt), "second");
  expect_int("add", bb_mqtt_add(&w->mqtt, &(bb_mqtt_message){.topic = "t", .qos = 1, .tag = 2}), 0);
  bb_mqtt_flush(&w->mqtt);
  expect_text("first", subscriber_next(&s, 5000), "0 1 t first");
  expect_text("second", subscriber_next(&s, 5000), "0 1 t second");
  mqtt_watch_until(&loop, "ends", &w->n_ok, 2);
  expect_uint("ends of the one not added", w->ends[1], 0);
  subscriber_stop(&s);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_tells_a_refusal_of_mqtt_5(void **state) {
  (void)state;
  broker_start(&b, "allow_anonymous true\nmessage_size_limit 100");
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port, .version = BB_MQTT_5});
  mqtt_watch_until_up(w, &loop);
  char large[200] = "";
  bb_mqtt_message messages[] = {
      {.topic = "t", .payload = "small", .len = 5, .qos = 1, .tag = 0},
      {.topic = "t", .payload = large, .len = sizeof(large), .qos = 1, .tag = 1}};
  expect_int("publish", bb_mqtt_publish(&w->mqtt, messages, 2), 0);
  mqtt_watch_until(&loop, "ends", &w->n_ended, 2);
  expect_uint("taken", w->n_ok, 1);
  expect_uint("refused", w->n_refused, 1);
  expect_uint("tag", w->last.tag, 1);
  expect_text("reason", bb_mqtt_reason_text(w->last.reason), "packet too large");
  expect_true("final", bb_mqtt_reason_final(w->last.reason));
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_obeys_what_the_broker_allows(void **state) {
  (void)state;
  broker_start(&b, "allow_anonymous true\nmax_inflight_messages 7\nmax_packet_size 300\n"
                   "max_qos 1\nretain_available false");
  mqtt_watch_open(w, &loop,
                  (bb_mqtt_config){.port = b.port, .version = BB_MQTT_5, .max_in_flight = 50});
  mqtt_watch_until_up(w, &loop);
  expect_uint("room", bb_mqtt_room(&w->mqtt), 7);
  expect_uint("max packet", w->mqtt.broker.max_packet_bytes, 300);
  char large[400] = "";
  bb_mqtt_message message = {
      .topic = "t", .payload = large, .len = sizeof(large), .qos = 2, .retain = true, .tag = 0};
  expect_int("a packet too large", bb_mqtt_publish(&w->mqtt, &message, 1), BB_ERR_LIMIT);
  message.len = 100;
  expect_int("QoS 2 and retain become what is allowed", bb_mqtt_publish(&w->mqtt, &message, 1), 0);
  mqtt_watch_until(&loop, "ends", &w->n_ok, 1);
  expect_uint("downs", w->downs, 0);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_leaves_the_will_to_the_broker(void **state) {
  (void)state;
  static const bb_mqtt_message will = {
      .topic = "will", .payload = "gone", .len = 4, .qos = 1, .retain = true};
  subscriber s;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "will");
  w->will = will;
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port});
  mqtt_watch_until_up(w, &loop);
  mqtt_watch_close(w, &loop);
  expect_text("no will after an orderly close", subscriber_next(&s, 300), NULL);
  subscriber_stop(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
      TEST(test_mqtt_publishes_with_each_qos_and_version),
      TEST(test_mqtt_ends_each_message_of_many_bursts_once),
      TEST(test_mqtt_takes_no_more_than_it_has_room_for),
      TEST(test_mqtt_tells_when_a_burst_is_free_again),
      TEST(test_mqtt_drops_what_was_not_added),
      TEST(test_mqtt_tells_a_refusal_of_mqtt_5),
      TEST(test_mqtt_obeys_what_the_broker_allows),
      TEST(test_mqtt_leaves_the_will_to_the_broker),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
