/* SPDX-License-Identifier: Apache-2.0 */
/* The pages that say what is missing, and a scrape beside other work of the loop. Requests and refusals:
 * test_health_request.c. */
#include "runtime/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/health_client.h"
#include "runtime/health_page.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/metrics_rig.h"

#define MANY 700 /* devices */
#define FAMILIES_OF_DEVICES 9

static void test_health_page_says_what_is_missing(void **state) {
  (void)state;
  metrics_rig *r = metrics_rig_open(MANY);
  bb_buf page;
  bb_buf_init(&page, 1u << 20);
  snprintf(r->link.reason.text, sizeof(r->link.reason.text), "no connection to 10.0.0.1:502");
  metrics_rig_remove(r, "m1");
  bb_station *station = bb_map_get(&r->runtime.stations, "m0");
  station->scans[0].counters = (bb_scan_counters){.polls = 0};
  station->scans[0].period_ns = 1000000000; /* polled, but not yet */
  for (uint32_t i = 2; i < MANY; i++) {
    station = bb_map_get(&r->runtime.stations, r->config->devices[i].id);
    station->known = true;
  }
  station = bb_map_get(&r->runtime.stations, "m2");
  snprintf(station->reason.text, sizeof(station->reason.text), "no answer for 3 s");
  bb_station *good = bb_map_get(&r->runtime.stations, "m3");
  good->up = true;
  expect_int("ready", bb_health_page_ready(&r->runtime, &page), false);
  const char *text = bb_buf_string(&page);
  expect_part("head", text, "not ready\n");
  expect_part("m0", text, "device m0: not asked yet: no connection to 10.0.0.1:502\n");
  expect_part("m1", text, "device m1: not started\n");
  expect_part("m2", text, "device m2: does not answer: no answer\n");
  expect_true("m3", strstr(text, "device m3:") == NULL);
  expect_part("rest", text, "and 599 more\n");
  bb_buf_close(&page);
  metrics_rig_close(r);
}

static void test_health_page_tells_that_the_store_fails(void **state) {
  (void)state;
  metrics_rig *r = metrics_rig_open(1);
  bb_buf page;
  bb_buf_init(&page, 1u << 20);
  bb_health_page_alive(&r->runtime, &page);
  expect_text("without a store", bb_buf_string(&page), "ok\n");
  r->runtime.save.open = r->runtime.save.spool.failing = true;
  snprintf(r->runtime.save.spool.why, BB_STORE_WHY, "/data/store.db: the disk is full");
  bb_buf_clear(&page);
  bb_health_page_alive(&r->runtime, &page);
  expect_part("alive", bb_buf_string(&page),
              "ok\nstore: /data/store.db: the disk is full; readings");
  bb_buf_clear(&page);
  expect_true("ready all the same", bb_health_page_ready(&r->runtime, &page));
  expect_part("ready", bb_buf_string(&page), "ready\nstore: /data/store.db: the disk is full;");
  r->runtime.save.spool.failing = false;
  bb_buf_clear(&page);
  bb_health_page_alive(&r->runtime, &page);
  expect_text("works again", bb_buf_string(&page), "ok\n");
  bb_buf_close(&page);
  metrics_rig_close(r);
}

/* A reason keeps the times of the moment when it came about; the page has those of now. */
static void test_health_page_tells_no_time_that_is_over(void **state) {
  static const struct {
    const char *reason, *expected;
    int64_t ago_ms; /* 0: not known since when */
  } rows[] = {
      {"no answer from 10.0.0.21:502 for 3 s (unit 1); next try in 800 ms",
       "does not answer for 4 min: no answer from 10.0.0.21:502 (unit 1)\n", 240000},
      {"no connection to 10.0.0.21:502: connection refused; next try in 1.2 s",
       "does not answer for 59 s: no connection to 10.0.0.21:502: connection refused\n", 59000},
      {"the gateway gw:502 has not reached unit 9 for 0 ms; next try in 5 min",
       "does not answer: the gateway gw:502 has not reached unit 9\n", 0},
      {"no room for 3 of them; wait for it",
       "does not answer: no room for 3 of them; wait for it\n", 0},
  };
  (void)state;
  metrics_rig *r = metrics_rig_open(MANY);
  bb_buf page;
  bb_buf_init(&page, 1u << 20);
  bb_station *station = bb_map_get(&r->runtime.stations, "m2");
  station->known = true;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    int64_t now_ns = bb_clock_utc_ns(&r->runtime.clock);
    station->since_ns = rows[i].ago_ms > 0 ? now_ns - rows[i].ago_ms * (int64_t)BB_NS_PER_MS : 0;
    snprintf(station->reason.text, sizeof(station->reason.text), "%s", rows[i].reason);
    bb_buf_clear(&page);
    bb_health_page_ready(&r->runtime, &page);
    expect_part("device m2: ", bb_buf_string(&page), rows[i].expected);
  }
  bb_buf_close(&page);
  metrics_rig_close(r);
}

/* --- a scrape beside other work --- */

typedef struct {
  bb_health health;
  uv_tcp_t tcp;
  uv_connect_t connect;
  uv_write_t write;
  uv_check_t check;
  char room[65536];
  bb_buf got;
  bb_metrics before; /* where the cursor was at the last turn of the loop */
  unsigned turns;    /* of the loop at which it stood at another place */
  bool closed;
} scrape;

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
  scrape *s = handle->data;
  (void)hint;
  *buf = uv_buf_init(s->room, sizeof(s->room));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  scrape *s = stream->data;
  if (n > 0) bb_buf_append(&s->got, buf->base, (size_t)n);
  if (n < 0) uv_close((uv_handle_t *)&s->tcp, NULL);
}

static void on_connect(uv_connect_t *connect, int status) {
  scrape *s = connect->data;
  char *request = "GET /metrics HTTP/1.0\r\n\r\n";
  uv_buf_t buf = uv_buf_init(request, (unsigned)strlen(request));
  expect_int("connect", status, 0);
  uv_write(&s->write, (uv_stream_t *)&s->tcp, &buf, 1, NULL);
  uv_read_start((uv_stream_t *)&s->tcp, on_room, on_read);
}

/* What else the loop has to do: once a turn. */
static void on_turn(uv_check_t *check) {
  scrape *s = check->data;
  if (bb_list_empty(&s->health.clients)) return;
  const bb_health_client *client =
      BB_LIST_ITEM(bb_list_first(&s->health.clients), bb_health_client, link);
  const bb_metrics *now = &client->metrics;
  if (!client->streaming) return;
  if (now->family == s->before.family) {
    expect_true("no more than a slice between two turns",
                now->item <= s->before.item + BB_METRICS_SLICE_ITEMS);
  }
  s->turns += now->family != s->before.family || now->item != s->before.item;
  s->before = *now;
}

static void on_closed(bb_health *health) {
  BB_LIST_ITEM(health, scrape, health)->closed = true;
}

static void test_health_lets_the_loop_turn_between_slices(void **state) {
  (void)state;
  metrics_rig *r = metrics_rig_open(MANY);
  scrape *s = calloc(1, sizeof(*s));
  uv_loop_t loop;
  char host[64];
  uint16_t port;
  struct sockaddr_in address;
  expect_int("loop", uv_loop_init(&loop), 0);
  r->runtime.loop = &loop;
  bb_buf_init(&s->got, 64u << 20);
  bb_health_init(&s->health, &r->runtime);
  expect_int("listen", bb_health_listen(&s->health, "127.0.0.1:0"), 0);
  expect_true("address", bb_health_address_parse(s->health.address, host, &port));
  uv_ip4_addr(host, port, &address);
  uv_check_init(&loop, &s->check);
  uv_check_start(&s->check, on_turn);
  uv_tcp_init(&loop, &s->tcp);
  s->tcp.data = s->check.data = s->connect.data = s;
  uv_tcp_connect(&s->connect, &s->tcp, (const struct sockaddr *)&address, on_connect);
  while (!uv_is_closing((uv_handle_t *)&s->tcp)) uv_run(&loop, UV_RUN_ONCE);
  const char *body = strstr(bb_buf_string(&s->got), "\r\n\r\n") + 4;
  size_t samples = exposition_check(body);
  expect_true("all of it", samples > MANY * 2 * 10);
  expect_true("the loop turned at least once every so many devices",
              s->turns >= FAMILIES_OF_DEVICES * MANY / BB_METRICS_SLICE_ITEMS);
  bb_health_close(&s->health, on_closed);
  uv_close((uv_handle_t *)&s->check, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  expect_true("closed", s->closed);
  expect_int("nothing left on the loop", uv_loop_close(&loop), 0);
  bb_buf_close(&s->got);
  free(s);
  metrics_rig_close(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_health_page_says_what_is_missing),
      cmocka_unit_test(test_health_page_tells_that_the_store_fails),
      cmocka_unit_test(test_health_page_tells_no_time_that_is_over),
      cmocka_unit_test(test_health_lets_the_loop_turn_between_slices),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
