/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_sink_rig.h. */
#include "support/mqtt_sink_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/mqtt/mqtt.h"
#include "support/expect.h"

int mqtt_sink_rig_set_up(void **state) {
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
  mqtt_sink_rig *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  f->device = bb_device_new("meter-1", "plant-7", "generic", tags, 1);
  sample_open(&f->fast, f->device, "fast", points, 4, 1763688000123000000);
  sample_open(&f->big, f->device, "fast", text, 1, 1763688000123000000);
  expect_int("loop", uv_loop_init(&f->loop), 0);
  *state = f;
  return 0;
}

int mqtt_sink_rig_tear_down(void **state) {
  mqtt_sink_rig *f = *state;
  if (f->host.sink != NULL) sink_host_close(&f->host, 0); /* of a test that has failed */
  uv_run(&f->loop, UV_RUN_DEFAULT);
  expect_int("left on the loop", uv_loop_close(&f->loop), 0);
  subscriber_stop(&f->subscriber);
  broker_stop(&f->broker);
  sample_close(&f->fast);
  sample_close(&f->big);
  bb_device_unref(f->device);
  free(f);
  return 0;
}

static void on_verdict(sink_host *host, uint64_t ticket, uint32_t n, bb_verdict verdict) {
  mqtt_sink_rig *f = host->data;
  (void)ticket, (void)n, (void)verdict;
  f->calls++;
}

void mqtt_sink_rig_open(mqtt_sink_rig *f, const char *more) {
  char text[1024];
  snprintf(text, sizeof(text), "url: mqtt://127.0.0.1:%u\nclient_id: box\n%s", f->broker.port,
           more);
  f->host.on_verdict = on_verdict;
  f->host.data = f;
  expect_int(more, sink_host_open(&f->host, &bb_sink_mqtt, &f->loop, text), 0);
  expect_int(more, bb_sink_mqtt.shape(f->host.sink, f->device, f->fast.batch.shape), 0);
}

int mqtt_sink_rig_deliver(mqtt_sink_rig *f, uint64_t ticket, const bb_batch *batches, uint32_t n,
                          bool history) {
  bb_run run = {.ticket = ticket, .n = n, .history = history, .batches = batches};
  return bb_sink_mqtt.deliver(f->host.sink, &run);
}

void mqtt_sink_rig_expect_next(mqtt_sink_rig *f, const char *row, const char *expected) {
  expect_text(row, subscriber_next(&f->subscriber, 5000), expected);
}

void mqtt_sink_rig_expect(const mqtt_sink_rig *f, const char *row, unsigned ticket,
                          bb_verdict verdict) {
  expect_uint(row, f->host.judged[ticket], 1);
  expect_int(row, f->host.verdict[ticket], verdict);
}
