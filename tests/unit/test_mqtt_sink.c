/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* The sink `mqtt` between a host that writes everything down and a real broker. */
#include "sinks/mqtt/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/err.h"
#include "support/broker.h"
#include "support/expect.h"
#include "support/sample.h"

#define MAX_TICKETS 4096
#define PATIENCE_NS 15000000000ull

enum { NONE = 100 };

static uv_loop_t loop;
static broker b;
static subscriber s;
static bb_log quiet;
static bb_clock system_clock;
static bb_doc_tree tree;
static bb_device *device;
static sample fast, big;

/* The host. */
static struct {
  bb_sink *sink;
  unsigned ready, waits, closed, n_verdicts, calls;
  bb_reason reason;  /* of the last wait */
  bb_reason refusal; /* of the last verdict that had one */
  int verdicts[MAX_TICKETS];
  unsigned times[MAX_TICKETS];
} host;

static void on_ready(bb_sink *sink) {
  (void)sink;
  host.ready++;
}

static void on_wait(bb_sink *sink, const bb_reason *reason, uint32_t retry_ms) {
  (void)sink, (void)retry_ms;
  host.waits++;
  host.reason = *reason;
}

static void on_verdict(bb_sink *sink, uint64_t ticket, uint32_t n, bb_verdict verdict,
                       const bb_reason *reason) {
  (void)sink;
  host.calls++;
  for (uint64_t i = ticket; i < ticket + n; i++) {
    host.verdicts[i] = (int)verdict;
    host.times[i]++;
    host.n_verdicts++;
  }
  if (reason != NULL) host.refusal = *reason;
}

static void on_closed(bb_sink *sink) {
  (void)sink;
  host.closed++;
}

static const bb_sink_host callbacks = {
    .on_ready = on_ready, .on_wait = on_wait, .on_verdict = on_verdict, .on_closed = on_closed};

static void on_tick(uv_timer_t *timer) {
  (void)timer;
}

static void until(const char *what, const unsigned *number, unsigned at_least) {
  static uv_timer_t tick;
  uint64_t end_ns = uv_hrtime() + PATIENCE_NS;
  uv_timer_init(&loop, &tick);
  uv_timer_start(&tick, on_tick, 5, 5);
  while (*number < at_least && uv_hrtime() < end_ns) uv_run(&loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&tick, NULL);
  uv_run(&loop, UV_RUN_NOWAIT);
  if (*number < at_least) fail_msg("%s: %u, expected at least %u", what, *number, at_least);
}

/* `more`: lines of the sink's options, each with a newline behind. */
static void open_sink(const char *more) {
  char text[1024];
  bb_report report;
  bb_report_init(&report);
  snprintf(text, sizeof(text), "url: mqtt://127.0.0.1:%u\nclient_id: box\n%s", b.port, more);
  expect_int(more, bb_doc_parse(&tree, "options", text, strlen(text), &report), 0);
  expect_int(more, bb_sink_mqtt.check(tree.root, &report), 0);
  bb_report_close(&report);
  memset(&host, 0, sizeof(host));
  for (int i = 0; i < MAX_TICKETS; i++) host.verdicts[i] = NONE;
  host.sink = calloc(1, bb_sink_mqtt.bytes);
  host.sink->id = "bus";
  host.sink->kind = &bb_sink_mqtt;
  host.sink->host = &callbacks;
  host.sink->loop = &loop;
  host.sink->log = &quiet;
  host.sink->clock = &system_clock;
  host.sink->site = "plant-7";
  host.sink->seed = 1;
  expect_int(more, bb_sink_mqtt.open(host.sink, tree.root), 0);
  expect_int(more, bb_sink_mqtt.shape(host.sink, device, fast.shape), 0);
}

static void close_sink(uint32_t drain_ms) {
  bb_sink_mqtt.close(host.sink, drain_ms);
  until("closed", &host.closed, 1);
  free(host.sink);
  host.sink = NULL;
  bb_doc_close(&tree);
}

static int deliver(uint64_t ticket, const bb_batch *batches, uint32_t n, bool history) {
  bb_run run = {.ticket = ticket, .n = n, .history = history, .batches = batches};
  return bb_sink_mqtt.deliver(host.sink, &run);
}

static void expect_next(const char *row, const char *expected) {
  expect_text(row, subscriber_next(&s, 5000), expected);
}

static int set_up(void **state) {
  (void)state;
  static const sample_point points[] = {
      {"power/total", SAMPLE_F32(12.5f), BB_QUALITY_GOOD, "kW"},
      {"voltage/l1", SAMPLE_F32(230.1f), BB_QUALITY_GOOD, "V"},
      {"voltage/l2", SAMPLE_F32(0), BB_QUALITY_BAD | BB_CAUSE_NO_ANSWER, "V"},
      {"energy", SAMPLE_F32(0), BB_QUALITY_ABSENT, "kWh"},
  };
  static const char long_text[240] = "long";
  static sample_point text[] = {
      {"text", {.type = BB_TYPE_TEXT, .v = {.text = {long_text, 239}}}, BB_QUALITY_GOOD, NULL}};
  bb_tag tags[] = {{"line", "l1"}};
  device = bb_device_new("meter-1", "plant-7", "generic", tags, 1);
  sample_open(&fast, device, "fast", points, 4, 1763688000123000000);
  sample_open(&big, device, "fast", text, 1, 1763688000123000000);
  system_clock = bb_clock_system();
  bb_log_init(&quiet, 2);
  quiet.level = BB_LOG_ERROR;
  expect_int("loop", uv_loop_init(&loop), 0);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  if (host.sink != NULL) close_sink(0); /* of a test that has failed */
  uv_run(&loop, UV_RUN_DEFAULT);
  expect_int("left on the loop", uv_loop_close(&loop), 0);
  subscriber_stop(&s);
  broker_stop(&b);
  sample_close(&fast);
  sample_close(&big);
  bb_device_unref(device);
  return 0;
}

#define FAST_VALUES                                                                                \
  "\"values\":{\"power/total\":12.5,\"voltage/l1\":230.1},"                                        \
  "\"quality\":{\"voltage/l2\":\"bad, no answer\"}}"
#define FAST_HEAD                                                                                  \
  "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":118,\"device\":\"meter-1\",\"scan\":\"fast\","

static void test_mqtt_sink_publishes_a_message_a_batch(void **state) {
  (void)state;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "plant-7/#");
  open_sink("");
  until("ready", &host.ready, 1);
  bb_batch batches[] = {fast.batch, fast.batch};
  expect_int("live", deliver(7, batches, 2, false), 0);
  expect_next("first", "0 1 plant-7/meter-1/fast " FAST_HEAD FAST_VALUES);
  expect_next("second", "0 1 plant-7/meter-1/fast " FAST_HEAD FAST_VALUES);
  until("verdicts", &host.n_verdicts, 2);
  expect_int("first", host.verdicts[7], BB_VERDICT_ACKED);
  expect_int("second", host.verdicts[8], BB_VERDICT_ACKED);
  expect_uint("told together", host.calls, 1);
  expect_uint("bytes sent", host.sink->bytes_sent, 2 * strlen(FAST_HEAD FAST_VALUES));
  close_sink(0);
}

static void test_mqtt_sink_publishes_a_message_a_point(void **state) {
  (void)state;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "m/#");
  open_sink("payload: point\ntopic: 'm/{tag:line}/{point}'\nqos: 0\n");
  until("ready", &host.ready, 1);
  expect_int("live", deliver(0, &fast.batch, 1, false), 0);
  expect_next(
      "level",
      "0 0 m/l1/power/total "
      "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":118,\"value\":12.5,\"unit\":\"kW\"}");
  expect_next(
      "good",
      "0 0 m/l1/voltage/l1 "
      "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":118,\"value\":230.1,\"unit\":\"V\"}");
  expect_next("bad", "0 0 m/l1/voltage/l2 "
                     "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":118,\"unit\":\"V\","
                     "\"quality\":\"bad, no answer\"}");
  until("verdicts", &host.n_verdicts, 1);
  expect_int("verdict", host.verdicts[0], BB_VERDICT_ACKED);
  uint8_t absent[4] = {BB_QUALITY_ABSENT, BB_QUALITY_ABSENT, BB_QUALITY_ABSENT, BB_QUALITY_ABSENT};
  bb_batch nothing = fast.batch;
  nothing.quality = absent;
  expect_int("nothing to say", deliver(1, &nothing, 1, false), 0);
  expect_uint("no verdict inside deliver", host.n_verdicts, 1);
  until("verdicts", &host.n_verdicts, 2);
  expect_int("verdict", host.verdicts[1], BB_VERDICT_ACKED);
  close_sink(0);
}

static void test_mqtt_sink_marks_history_and_never_retains_it(void **state) {
  (void)state;
  broker_start(&b, NULL);
  open_sink("retain: true\ntags: true\n");
  until("ready", &host.ready, 1);
  bb_batch old = fast.batch;
  old.time_ns -= 1000000000;
  expect_int("live", deliver(0, &fast.batch, 1, false), 0);
  until("verdicts", &host.n_verdicts, 1);
  expect_int("history", deliver(1, &old, 1, true), 0);
  until("verdicts", &host.n_verdicts, 2);
  subscriber_start(&s, &b, "plant-7/#");
  const char *kept = subscriber_next(&s, 5000);
  expect_part("retained", kept, "1 1 plant-7/meter-1/fast {\"timestamp\":1763688000123,");
  expect_part("tags", kept, "\"site\":\"plant-7\",\"tags\":{\"line\":\"l1\"}");
  expect_true("live", strstr(kept, "historical") == NULL);
  expect_int("history", deliver(2, &old, 1, true), 0);
  expect_part("history", subscriber_next(&s, 5000), "\"historical\":true");
  expect_text("nothing else", subscriber_next(&s, 200), NULL);
  close_sink(0);
}

static void test_mqtt_sink_publishes_events(void **state) {
  (void)state;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "plant-7/#");
  open_sink("retain: true\n");
  until("ready", &host.ready, 1);
  static const char words[] = "no answer for 3 s";
  bb_batch event = {.device = device,
                    .time_ns = 1763688000123000000,
                    .boot = 3,
                    .seq = 119,
                    .kind = BB_BATCH_EVENT,
                    .text = words,
                    .text_len = sizeof(words) - 1};
  expect_int("event", deliver(0, &event, 1, false), 0);
  expect_next("event", "0 1 plant-7/meter-1/event "
                       "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":119,\"device\":\"meter-1\","
                       "\"event\":\"no answer for 3 s\"}");
  until("verdicts", &host.n_verdicts, 1);
  close_sink(0);
}

static void test_mqtt_sink_tells_its_state(void **state) {
  (void)state;
  char command[128];
  broker_start(&b, NULL);
  open_sink("");
  until("ready", &host.ready, 1);
  subscriber_start(&s, &b, "busbar/#");
  expect_part("birth", subscriber_next(&s, 5000),
              "1 1 busbar/box/state {\"online\":true,\"timestamp\":1");
  /* Another client with its id pushes it out: the broker publishes the will. */
  snprintf(command, sizeof(command), "mosquitto_pub -p %u -i box -t x -m x", b.port);
  expect_int(command, system(command), 0);
  expect_next("will", "0 1 busbar/box/state {\"online\":false}");
  until("ready again", &host.ready, 2);
  expect_part("birth again", subscriber_next(&s, 5000), "{\"online\":true,\"timestamp\":1");
  close_sink(1000);
  expect_part("death", subscriber_next(&s, 5000),
              "0 1 busbar/box/state {\"online\":false,\"timestamp\":1");
  expect_text("and no will", subscriber_next(&s, 300), NULL);
}

static void test_mqtt_sink_can_keep_its_state_to_itself(void **state) {
  (void)state;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "#");
  open_sink("state_topic: off\n");
  until("ready", &host.ready, 1);
  close_sink(0);
  expect_text("nothing", subscriber_next(&s, 300), NULL);
}

static void test_mqtt_sink_drains_before_it_closes(void **state) {
  (void)state;
  bb_batch batches[80];
  for (int i = 0; i < 80; i++) batches[i] = fast.batch;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "busbar/#");
  open_sink("max_in_flight: 10\n");
  until("ready", &host.ready, 1);
  expect_part("birth", subscriber_next(&s, 5000), "true");
  expect_int("more than the window", deliver(0, batches, 65, false), BB_ERR_AGAIN);
  expect_int("the window", deliver(0, batches, 64, false), 0);
  expect_int("no more", deliver(64, batches, 1, false), BB_ERR_AGAIN);
  close_sink(10000);
  expect_uint("verdicts", host.n_verdicts, 64);
  for (int i = 0; i < 64; i++) {
    expect_int("verdict", host.verdicts[i], BB_VERDICT_ACKED);
    expect_uint("times", host.times[i], 1);
  }
  expect_part("death", subscriber_next(&s, 5000), "{\"online\":false,\"timestamp\":1");
}

static void test_mqtt_sink_gives_back_what_a_stalled_broker_did_not_take(void **state) {
  (void)state;
  bb_batch batches[30];
  for (int i = 0; i < 30; i++) batches[i] = fast.batch;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "none");
  open_sink("max_in_flight: 10\n");
  until("ready", &host.ready, 1);
  broker_pause(&b, true);
  expect_int("deliver", deliver(0, batches, 30, false), 0);
  uint64_t begun_ns = uv_hrtime();
  close_sink(200);
  uint64_t took_ms = (uv_hrtime() - begun_ns) / 1000000;
  broker_pause(&b, false);
  expect_true("in time", took_ms >= 190 && took_ms < 2500);
  expect_uint("verdicts", host.n_verdicts, 30);
  for (int i = 0; i < 30; i++) {
    expect_int("verdict", host.verdicts[i], BB_VERDICT_RETRY);
    expect_uint("times", host.times[i], 1);
  }
}

static void test_mqtt_sink_waits_and_comes_back(void **state) {
  (void)state;
  char text[64];
  bb_batch batches[20];
  for (int i = 0; i < 20; i++) batches[i] = fast.batch;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "none");
  open_sink("");
  until("ready", &host.ready, 1);
  broker_pause(&b, true);
  expect_int("deliver", deliver(0, batches, 20, false), 0);
  broker_kill(&b);
  until("waits", &host.waits, 1);
  snprintf(text, sizeof(text), "the connection to 127.0.0.1:%u broke; next try in ", b.port);
  expect_part("why", host.reason.text, text);
  expect_uint("verdicts: on_wait stands for all", host.n_verdicts, 0);
  expect_int("not ready", deliver(20, batches, 1, false), BB_ERR_AGAIN);
  until("waits", &host.waits, 2);
  snprintf(text, sizeof(text), "no connection to 127.0.0.1:%u: connection refused; next", b.port);
  expect_part("why", host.reason.text, text);
  broker_restart(&b);
  until("ready again", &host.ready, 2);
  expect_int("once more", deliver(0, batches, 20, false), 0);
  until("verdicts", &host.n_verdicts, 20);
  close_sink(0);
}

static void test_mqtt_sink_sets_aside_what_the_broker_refuses(void **state) {
  (void)state;
  bb_batch batches[] = {fast.batch, big.batch, fast.batch};
  broker_start(&b, "allow_anonymous true\nmessage_size_limit 200");
  subscriber_start(&s, &b, "none");
  open_sink("version: 5\n");
  until("ready", &host.ready, 1);
  expect_int("deliver", deliver(0, batches, 3, false), 0);
  until("verdicts", &host.n_verdicts, 3);
  expect_int("first", host.verdicts[0], BB_VERDICT_ACKED);
  expect_int("large", host.verdicts[1], BB_VERDICT_REFUSED);
  expect_int("third", host.verdicts[2], BB_VERDICT_ACKED);
  expect_text("why", host.refusal.text, "refused by the broker: packet too large");
  expect_uint("code", host.refusal.raw, 149);
  close_sink(0);
}

static void test_mqtt_sink_says_that_a_password_is_missing(void **state) {
  (void)state;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "none");
  unsetenv("BB_TEST_MQTT_PASSWORD");
  open_sink("user: alice\npassword_env: BB_TEST_MQTT_PASSWORD\n");
  until("waits", &host.waits, 1);
  expect_part("why", host.reason.text,
              "the environment variable BB_TEST_MQTT_PASSWORD is not set; set it and start busbar "
              "again");
  close_sink(1000);
}

static void write_password(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  expect_true(path, file != NULL);
  fputs(text, file);
  fclose(file);
}

/* What is under way is waited for; the state says what is. */
static void test_mqtt_sink_connects_anew_with_a_password_that_changed(void **state) {
  (void)state;
  char path[96], options[160];
  bb_batch batches[30];
  for (int i = 0; i < 30; i++) batches[i] = fast.batch;
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "busbar/#");
  snprintf(path, sizeof(path), "%s/word", b.folder);
  snprintf(options, sizeof(options), "max_in_flight: 10\nuser: alice\npassword_file: %s\n", path);
  write_password(path, "one");
  open_sink(options);
  until("ready", &host.ready, 1);
  expect_part("birth", subscriber_next(&s, 5000), "true");
  bb_sink_mqtt.refresh(host.sink);
  expect_int("deliver", deliver(0, batches, 30, false), 0);
  until("nothing has changed", &host.n_verdicts, 30);
  expect_uint("waits", host.waits, 0);

  write_password(path, "two");
  expect_int("deliver", deliver(30, batches, 30, false), 0);
  bb_sink_mqtt.refresh(host.sink);
  bb_sink_mqtt.refresh(host.sink);
  expect_int("no more", deliver(60, batches, 1, false), BB_ERR_AGAIN);
  until("waits", &host.waits, 1);
  expect_text("why", host.reason.text,
              "its password or a certificate has changed; trying again at once");
  expect_uint("all have a verdict", host.n_verdicts, 60);
  for (int i = 0; i < 60; i++) expect_int("verdict", host.verdicts[i], BB_VERDICT_ACKED);
  expect_part("death", subscriber_next(&s, 5000), "{\"online\":false,\"timestamp\":1");
  until("ready again", &host.ready, 2);
  expect_part("birth", subscriber_next(&s, 5000), "true");
  expect_int("goes on", deliver(60, batches, 1, false), 0);
  until("verdicts", &host.n_verdicts, 61);

  expect_int("remove", remove(path), 0);
  bb_sink_mqtt.refresh(host.sink);
  expect_int("without a new one the old one will do", deliver(61, batches, 1, false), 0);
  until("verdicts", &host.n_verdicts, 62);
  expect_uint("waits", host.waits, 1);
  close_sink(1000);
}

static void test_mqtt_sink_with_a_new_password_does_not_wait_for_a_stalled_broker(void **state) {
  (void)state;
  char path[96], options[160];
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "none");
  snprintf(path, sizeof(path), "%s/word", b.folder);
  snprintf(options, sizeof(options), "user: alice\npassword_file: %s\n", path);
  write_password(path, "one");
  open_sink(options);
  until("ready", &host.ready, 1);
  broker_pause(&b, true);
  expect_int("deliver", deliver(0, &fast.batch, 1, false), 0);
  write_password(path, "two");
  bb_sink_mqtt.refresh(host.sink);
  until("waits", &host.waits, 1);
  broker_pause(&b, false);
  until("ready again", &host.ready, 2);
  expect_uint("on_wait stands for it", host.n_verdicts, 0);
  expect_int("once more", deliver(0, &fast.batch, 1, false), 0);
  until("verdicts", &host.n_verdicts, 1);
  write_password(path, "three");
  bb_sink_mqtt.refresh(host.sink);
  close_sink(1000);
}

static void test_mqtt_sink_needs_what_its_options_say(void **state) {
  (void)state;
  bb_sink_needs needs;
  bb_report report;
  static const char text[] = "url: mqtt://broker\nmax_in_flight: 200\nlinger: 10ms\n";
  broker_start(&b, NULL);
  subscriber_start(&s, &b, "none");
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
      TEST(test_mqtt_sink_publishes_a_message_a_batch),
      TEST(test_mqtt_sink_publishes_a_message_a_point),
      TEST(test_mqtt_sink_marks_history_and_never_retains_it),
      TEST(test_mqtt_sink_publishes_events),
      TEST(test_mqtt_sink_tells_its_state),
      TEST(test_mqtt_sink_can_keep_its_state_to_itself),
      TEST(test_mqtt_sink_drains_before_it_closes),
      TEST(test_mqtt_sink_gives_back_what_a_stalled_broker_did_not_take),
      TEST(test_mqtt_sink_waits_and_comes_back),
      TEST(test_mqtt_sink_sets_aside_what_the_broker_refuses),
      TEST(test_mqtt_sink_says_that_a_password_is_missing),
      TEST(test_mqtt_sink_connects_anew_with_a_password_that_changed),
      TEST(test_mqtt_sink_with_a_new_password_does_not_wait_for_a_stalled_broker),
      TEST(test_mqtt_sink_needs_what_its_options_say),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
