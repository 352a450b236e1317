/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* The sink `mqtt` when the broker stalls or goes away, or lets it in with a new password only. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "io/mqtt_core.h"
#include "sinks/mqtt/mqtt.h"
#include "sinks/mqtt/sink.h"
#include "support/expect.h"
#include "support/mqtt_sink_rig.h"
#include "support/mqtt_watch.h"

static void test_mqtt_sink_gives_back_what_a_stalled_broker_did_not_take(void **state) {
  mqtt_sink_rig *f = *state;
  bb_batch batches[30];
  for (int i = 0; i < 30; i++) batches[i] = f->fast.batch;
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "none");
  mqtt_sink_rig_open(f, "max_in_flight: 10\n");
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  broker_pause(&f->broker, true);
  expect_int("deliver", mqtt_sink_rig_deliver(f, 0, batches, 30, false), 0);
  uint64_t begun_ns = uv_hrtime();
  sink_host_close(&f->host, 200);
  uint64_t took_ms = (uv_hrtime() - begun_ns) / 1000000;
  broker_pause(&f->broker, false);
  expect_true("in time", took_ms >= 190 && took_ms < 2500);
  expect_uint("verdicts", f->host.verdicts, 30);
  for (unsigned i = 0; i < 30; i++) {
    mqtt_sink_rig_expect(f, "verdict", i, BB_VERDICT_RETRY);
  }
}

/* Whether the connection works once a batch is delivered. That its state was taken says nothing of it. */
static void expect_works(mqtt_sink_rig *f, const char *options, bool works) {
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "none");
  mqtt_sink_rig_open(f, options);
  const bb_mqtt_core *core = ((bb_mqtt_sink *)(void *)f->host.sink)->mqtt.core;
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  expect_true("not yet", !core->works);
  expect_int("deliver", mqtt_sink_rig_deliver(f, 0, &f->fast.batch, 1, false), 0);
  mqtt_watch_until(&f->loop, "verdict", &f->host.verdicts, 1);
  expect_int(options, core->works, works);
  sink_host_close(&f->host, 0);
}

static void test_mqtt_sink_works_once_a_batch_is_confirmed(void **state) {
  expect_works(*state, "qos: 1\n", true);
}

static void test_mqtt_sink_does_not_know_at_qos_0_whether_it_works(void **state) {
  expect_works(*state, "qos: 0\n", false);
}

static void test_mqtt_sink_waits_and_comes_back(void **state) {
  mqtt_sink_rig *f = *state;
  char text[64];
  bb_batch batches[20];
  for (int i = 0; i < 20; i++) batches[i] = f->fast.batch;
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "none");
  mqtt_sink_rig_open(f, "");
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  broker_pause(&f->broker, true);
  expect_int("deliver", mqtt_sink_rig_deliver(f, 0, batches, 20, false), 0);
  broker_kill(&f->broker);
  mqtt_watch_until(&f->loop, "waits", &f->host.waits, 1);
  snprintf(text, sizeof(text), "the connection to 127.0.0.1:%u broke; next try in ",
           f->broker.port);
  expect_part("why", f->host.wait.text, text);
  expect_uint("verdicts: on_wait stands for all", f->host.verdicts, 0);
  expect_int("not ready", mqtt_sink_rig_deliver(f, 20, batches, 1, false), BB_ERR_AGAIN);
  mqtt_watch_until(&f->loop, "waits", &f->host.waits, 2);
  snprintf(text, sizeof(text), "no connection to 127.0.0.1:%u: connection refused; next",
           f->broker.port);
  expect_part("why", f->host.wait.text, text);
  broker_restart(&f->broker);
  mqtt_watch_until(&f->loop, "ready again", &f->host.ready, 2);
  expect_int("once more", mqtt_sink_rig_deliver(f, 0, batches, 20, false), 0);
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 20);
  sink_host_close(&f->host, 0);
}

static void test_mqtt_sink_says_that_a_password_is_missing(void **state) {
  mqtt_sink_rig *f = *state;
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "none");
  unsetenv("BB_TEST_MQTT_PASSWORD");
  mqtt_sink_rig_open(f, "user: alice\npassword_env: BB_TEST_MQTT_PASSWORD\n");
  mqtt_watch_until(&f->loop, "waits", &f->host.waits, 1);
  expect_part("why", f->host.wait.text,
              "the environment variable BB_TEST_MQTT_PASSWORD is not set; set it and start busbar "
              "again");
  sink_host_close(&f->host, 1000);
}

static void write_password(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  expect_true(path, file != NULL);
  fputs(text, file);
  fclose(file);
}

/* What is under way is waited for; the state says what is. */
static void test_mqtt_sink_connects_anew_with_a_password_that_changed(void **state) {
  mqtt_sink_rig *f = *state;
  char path[96], options[160];
  bb_batch batches[30];
  for (int i = 0; i < 30; i++) batches[i] = f->fast.batch;
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "busbar/#");
  snprintf(path, sizeof(path), "%s/word", f->broker.folder);
  snprintf(options, sizeof(options), "max_in_flight: 10\nuser: alice\npassword_file: %s\n", path);
  write_password(path, "one");
  mqtt_sink_rig_open(f, options);
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  expect_part("birth", subscriber_next(&f->subscriber, 5000), "true");
  bb_sink_mqtt.refresh(f->host.sink);
  expect_int("deliver", mqtt_sink_rig_deliver(f, 0, batches, 30, false), 0);
  mqtt_watch_until(&f->loop, "nothing has changed", &f->host.verdicts, 30);
  expect_uint("waits", f->host.waits, 0);

  write_password(path, "two");
  expect_int("deliver", mqtt_sink_rig_deliver(f, 30, batches, 30, false), 0);
  bb_sink_mqtt.refresh(f->host.sink);
  bb_sink_mqtt.refresh(f->host.sink);
  expect_int("no more", mqtt_sink_rig_deliver(f, 60, batches, 1, false), BB_ERR_AGAIN);
  mqtt_watch_until(&f->loop, "waits", &f->host.waits, 1);
  expect_text("why", f->host.wait.text,
              "its password or a certificate has changed; trying again at once");
  expect_uint("all have a verdict", f->host.verdicts, 60);
  for (unsigned i = 0; i < 60; i++) mqtt_sink_rig_expect(f, "verdict", i, BB_VERDICT_ACKED);
  expect_part("death", subscriber_next(&f->subscriber, 5000), "{\"online\":false,\"timestamp\":1");
  mqtt_watch_until(&f->loop, "ready again", &f->host.ready, 2);
  expect_part("birth", subscriber_next(&f->subscriber, 5000), "true");
  expect_int("goes on", mqtt_sink_rig_deliver(f, 60, batches, 1, false), 0);
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 61);

  expect_int("remove", remove(path), 0);
  bb_sink_mqtt.refresh(f->host.sink);
  expect_int("without a new one the old one will do",
             mqtt_sink_rig_deliver(f, 61, batches, 1, false), 0);
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 62);
  expect_uint("waits", f->host.waits, 1);
  sink_host_close(&f->host, 1000);
}

static void test_mqtt_sink_with_a_new_password_does_not_wait_for_a_stalled_broker(void **state) {
  mqtt_sink_rig *f = *state;
  char path[96], options[160];
  broker_start(&f->broker, NULL);
  subscriber_start(&f->subscriber, &f->broker, "none");
  snprintf(path, sizeof(path), "%s/word", f->broker.folder);
  snprintf(options, sizeof(options), "user: alice\npassword_file: %s\n", path);
  write_password(path, "one");
  mqtt_sink_rig_open(f, options);
  mqtt_watch_until(&f->loop, "ready", &f->host.ready, 1);
  broker_pause(&f->broker, true);
  expect_int("deliver", mqtt_sink_rig_deliver(f, 0, &f->fast.batch, 1, false), 0);
  write_password(path, "two");
  bb_sink_mqtt.refresh(f->host.sink);
  mqtt_watch_until(&f->loop, "waits", &f->host.waits, 1);
  broker_pause(&f->broker, false);
  mqtt_watch_until(&f->loop, "ready again", &f->host.ready, 2);
  expect_uint("on_wait stands for it", f->host.verdicts, 0);
  expect_int("once more", mqtt_sink_rig_deliver(f, 0, &f->fast.batch, 1, false), 0);
  mqtt_watch_until(&f->loop, "verdicts", &f->host.verdicts, 1);
  write_password(path, "three");
  bb_sink_mqtt.refresh(f->host.sink);
  sink_host_close(&f->host, 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name)                                                                                 \
  cmocka_unit_test_setup_teardown(name, mqtt_sink_rig_set_up, mqtt_sink_rig_tear_down)
      TEST(test_mqtt_sink_gives_back_what_a_stalled_broker_did_not_take),
      TEST(test_mqtt_sink_works_once_a_batch_is_confirmed),
      TEST(test_mqtt_sink_does_not_know_at_qos_0_whether_it_works),
      TEST(test_mqtt_sink_waits_and_comes_back),
      TEST(test_mqtt_sink_says_that_a_password_is_missing),
      TEST(test_mqtt_sink_connects_anew_with_a_password_that_changed),
      TEST(test_mqtt_sink_with_a_new_password_does_not_wait_for_a_stalled_broker),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
