/* SPDX-License-Identifier: Apache-2.0 */
/* See influxdb_rig.h. */
#include "support/influxdb_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/influxdb/influxdb.h"
#include "support/expect.h"

#define WAIT_NS 10000000000

static void on_request(http_peer *peer, const http_peer_request *request,
                       http_peer_answer *answer) {
  influxdb_rig *f = peer->data;
  if (strncmp(request->head, "GET /ping ", 10) == 0) {
    f->pings++;
    *answer = f->ping;
    if (answer->text == NULL && !answer->close) answer->text = INFLUXDB_RIG_WRITTEN;
    return;
  }
  f->write[f->writes++] = request;
  *answer = f->answer;
  if (f->on_write != NULL) f->on_write(peer, request, answer);
  if (f->on_write == NULL && f->answer.text == NULL && !f->answer.close &&
      f->answer.delay_ms == 0) {
    answer->text = INFLUXDB_RIG_WRITTEN;
  }
}

void influxdb_rig_serve(influxdb_rig *f) {
  memset(f, 0, sizeof(*f));
  setenv("TEST_TOKEN", "s3cret", 1);
  uv_loop_init(&f->loop);
  f->peer.on_request = on_request;
  f->peer.data = f;
  http_peer_open(&f->peer, &f->loop);
  f->device = bb_device_new("meter-1", "plant-7", "rockwell/powermonitor-500", NULL, 0);
  for (int i = 0; i < INFLUXDB_RIG_BATCHES; i++) {
    sample_point point = {"v", SAMPLE_F32((float)i), 0, NULL};
    sample_open(&f->samples[i], f->device, "fast", &point, 1, INFLUXDB_RIG_TIME + i * 1000000000ll);
    f->batches[i] = f->samples[i].batch;
  }
}

void influxdb_rig_sink(influxdb_rig *f, const char *options) {
  char all[1024];
  snprintf(all, sizeof(all), "url: %s/\n%s", f->peer.url, options);
  assert_int_equal(sink_host_open(&f->host, &bb_sink_influxdb, &f->loop, all), 0);
}

void influxdb_rig_open(influxdb_rig *f, const char *options) {
  influxdb_rig_serve(f);
  influxdb_rig_sink(f, options);
  http_peer_wait(&f->loop, &f->host.ready);
}

void influxdb_rig_end(influxdb_rig *f) {
  http_peer_close(&f->peer);
  uv_run(&f->loop, UV_RUN_DEFAULT);
  expect_int("handles left", uv_loop_close(&f->loop), 0);
  for (int i = 0; i < INFLUXDB_RIG_BATCHES; i++) sample_close(&f->samples[i]);
  bb_device_unref(f->device);
}

void influxdb_rig_close(influxdb_rig *f) {
  sink_host_close(&f->host, 0);
  influxdb_rig_end(f);
}

void influxdb_rig_deliver(influxdb_rig *f, uint32_t first, uint32_t n) {
  expect_int("deliver", sink_host_deliver(&f->host, first, f->batches + first, n), 0);
}

static void on_tick(uv_timer_t *timer) {
  (void)timer;
}

static void on_tick_closed(uv_handle_t *handle) {
  *(unsigned *)handle->data = 1;
}

/* Runs the loop until the count is reached; fails the test after 10 s. */
static void wait_until(influxdb_rig *f, const unsigned *count, unsigned n) {
  uint64_t deadline = uv_hrtime() + WAIT_NS;
  uv_timer_t tick; /* so that the loop turns */
  unsigned closed = 0;
  uv_timer_init(&f->loop, &tick);
  uv_timer_start(&tick, on_tick, 10, 10);
  while (*count < n && uv_hrtime() < deadline) uv_run(&f->loop, UV_RUN_ONCE);
  tick.data = &closed;
  uv_close((uv_handle_t *)&tick, on_tick_closed);
  while (closed == 0) uv_run(&f->loop, UV_RUN_NOWAIT);
  if (*count < n) fail_msg("%u instead of %u after 10 s", *count, n);
}

void influxdb_rig_wait_verdicts(influxdb_rig *f, unsigned n) {
  wait_until(f, &f->host.verdicts, n);
}

void influxdb_rig_wait_waits(influxdb_rig *f, unsigned n) {
  wait_until(f, &f->host.waits, n);
}

void influxdb_rig_become_ready(influxdb_rig *f) {
  unsigned before = f->host.ready;
  bb_sink_influxdb.retry(f->host.sink);
  expect_uint("not ready inside retry", f->host.ready, before);
  wait_until(f, &f->host.ready, before + 1);
}

void influxdb_rig_expect(const char *row, const influxdb_rig *f, unsigned n, const char *refused) {
  char mark[16];
  for (unsigned i = 0; i < n; i++) {
    snprintf(mark, sizeof(mark), "|%u|", i);
    bool bad = strstr(refused, mark) != NULL;
    if (f->host.judged[i] != 1 ||
        f->host.verdict[i] != (bad ? BB_VERDICT_REFUSED : BB_VERDICT_ACKED)) {
      print_error("%s: ticket %u\n", row, i);
    }
    expect_uint(row, f->host.judged[i], 1);
    expect_int(row, f->host.verdict[i], bad ? BB_VERDICT_REFUSED : BB_VERDICT_ACKED);
  }
}
