/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_watch.h. */
#include "support/mqtt_watch.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"

#define PATIENCE_MS 15000
#define MAX_OPEN 16

/* Those of a test that has failed are closed by its teardown. */
static mqtt_watch *opened[MAX_OPEN];
static unsigned n_opened;

static int on_login(bb_mqtt *mqtt, bb_mqtt_login *login, char *why, size_t why_cap) {
  mqtt_watch *w = mqtt->user;
  if (w->refuse_login != NULL) {
    snprintf(why, why_cap, "%s", w->refuse_login);
    return -1;
  }
  login->user = w->user;
  login->will = w->will;
  if (w->password != NULL) {
    login->password_len = (uint32_t)strlen(w->password);
    memcpy(login->password, w->password, login->password_len);
  }
  if (w->key_password != NULL) {
    snprintf(login->key_password, sizeof(login->key_password), "%s", w->key_password);
  }
  return 0;
}

static void on_up(bb_mqtt *mqtt) {
  mqtt_watch *w = mqtt->user;
  w->ups++;
}

static void on_down(bb_mqtt *mqtt, const bb_mqtt_fault *fault) {
  mqtt_watch *w = mqtt->user;
  w->fault = *fault;
  w->downs++;
}

static void on_done(bb_mqtt *mqtt, const bb_mqtt_done *done, uint32_t n) {
  mqtt_watch *w = mqtt->user;
  w->n_calls++;
  for (uint32_t i = 0; i < n; i++) {
    w->last = done[i];
    if (done[i].tag < MQTT_WATCH_TAGS) w->ends[done[i].tag]++;
    w->n_ended++;
    w->n_ok += done[i].status == 0;
    w->n_closed += done[i].status == BB_ERR_CLOSED;
    w->n_refused += done[i].status == BB_ERR_REFUSED;
  }
  w->last_ns = uv_hrtime();
}

static void on_closed(bb_mqtt *mqtt) {
  mqtt_watch *w = mqtt->user;
  w->closed = true;
  for (unsigned i = 0; i < n_opened; i++) {
    if (opened[i] == w) opened[i] = opened[--n_opened];
  }
}

void mqtt_watch_setup(uv_loop_t *loop) {
  n_opened = 0;
  expect_int("loop", uv_loop_init(loop), 0);
}

void mqtt_watch_teardown(uv_loop_t *loop) {
  for (unsigned i = 0; i < n_opened; i++) {
    if (opened[i]->mqtt.core != NULL) bb_mqtt_close(&opened[i]->mqtt);
  }
  uv_run(loop, UV_RUN_DEFAULT);
  expect_int("left on the loop", uv_loop_close(loop), 0);
}

void mqtt_watch_open(mqtt_watch *w, uv_loop_t *loop, bb_mqtt_config config) {
  w->mqtt = (bb_mqtt){.on_login = on_login,
                      .on_up = on_up,
                      .on_down = on_down,
                      .on_done = on_done,
                      .on_closed = on_closed,
                      .user = w};
  if (config.host == NULL) config.host = "127.0.0.1";
  if (config.client_id == NULL) config.client_id = "watch";
  if (config.first_retry_ms == 0) config.first_retry_ms = 50;
  if (config.longest_retry_ms == 0) config.longest_retry_ms = 200;
  expect_int("open", bb_mqtt_open(&w->mqtt, loop, &config), 0);
  expect_true("room for it", n_opened < MAX_OPEN);
  opened[n_opened++] = w;
}

static void on_tick(uv_timer_t *timer) {
  (void)timer;
}

void mqtt_watch_run(uv_loop_t *loop, uint64_t ms) {
  uv_timer_t tick;
  uint64_t until_ns = uv_hrtime() + ms * 1000000;
  uv_timer_init(loop, &tick);
  uv_timer_start(&tick, on_tick, ms, 5);
  while (uv_hrtime() < until_ns) uv_run(loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&tick, NULL);
  uv_run(loop, UV_RUN_NOWAIT);
}

void mqtt_watch_until(uv_loop_t *loop, const char *what, const unsigned *number,
                      unsigned at_least) {
  uv_timer_t tick;
  uint64_t until_ns = uv_hrtime() + PATIENCE_MS * 1000000ull;
  uv_timer_init(loop, &tick);
  uv_timer_start(&tick, on_tick, 5, 5);
  while (*number < at_least && uv_hrtime() < until_ns) uv_run(loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&tick, NULL);
  uv_run(loop, UV_RUN_NOWAIT);
  if (*number < at_least) {
    fail_msg("%s: %u after %d s, expected at least %u", what, *number, PATIENCE_MS / 1000,
             at_least);
  }
}

void mqtt_watch_until_up(mqtt_watch *w, uv_loop_t *loop) {
  unsigned ups = w->ups;
  if (w->mqtt.up) return;
  mqtt_watch_until(loop, "connections", &w->ups, ups + 1);
}

void mqtt_watch_close(mqtt_watch *w, uv_loop_t *loop) {
  bb_mqtt_close(&w->mqtt);
  uint64_t until_ns = uv_hrtime() + PATIENCE_MS * 1000000ull;
  while (!w->closed && uv_hrtime() < until_ns) uv_run(loop, UV_RUN_ONCE);
  expect_true("closed", w->closed);
}

void mqtt_watch_publish(mqtt_watch *w, uint32_t first, uint32_t n, uint8_t qos) {
  bb_mqtt_message messages[BB_MQTT_MAX_BURST];
  while (n > 0) {
    uint32_t some = n < BB_MQTT_MAX_BURST ? n : BB_MQTT_MAX_BURST;
    for (uint32_t i = 0; i < some; i++) {
      messages[i] = (bb_mqtt_message){
          .topic = "watch/data", .payload = "value", .len = 5, .qos = qos, .tag = first + i};
    }
    expect_int("publish", bb_mqtt_publish(&w->mqtt, messages, some), 0);
    first += some;
    n -= some;
  }
}

void mqtt_watch_expect_once(const mqtt_watch *w, uint32_t first, uint32_t n) {
  for (uint32_t tag = first; tag < first + n; tag++) {
    if (w->ends[tag] != 1) fail_msg("message %u has ended %u times", tag, w->ends[tag]);
  }
}
