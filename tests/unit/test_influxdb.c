/* SPDX-License-Identifier: Apache-2.0 */
/* The sink against a server that answers as told: what it sends, when, and when it waits. */
#include "support/expect.h"
#include "support/influxdb_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sinks/influxdb/influxdb.h"

#define BATCHES INFLUXDB_RIG_BATCHES
#define TIME INFLUXDB_RIG_TIME
#define WRITTEN INFLUXDB_RIG_WRITTEN
#define V1 INFLUXDB_RIG_V1
#define V2 INFLUXDB_RIG_V2

static unsigned count_lines(const char *body) {
  unsigned n = 0;
  for (; *body != 0; body++) n += *body == '\n';
  return n;
}

static void test_influxdb_writes_with_the_api_of_2(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_open(&f, V2 "tags: { zone: b }\n");
  expect_uint("asked first", f.pings, 1);
  influxdb_rig_deliver(&f, 0, 2);
  influxdb_rig_wait_verdicts(&f, 2);
  influxdb_rig_expect("both", &f, 2, "");
  expect_uint("requests", f.writes, 1);
  const http_peer_request *write = f.write[0];
  expect_part("path", write->head,
              "POST /api/v2/write?org=my%20org&bucket=energy&precision=ms HTTP/1.1\r\n");
  expect_text("token", http_peer_header(write, "Authorization"), "Token s3cret");
  expect_true("gzip", write->gzipped);
  expect_text("body", write->body,
              "powermonitor_500,asset=meter-1,site=plant-7,zone=b v=0 1763688000000\n"
              "powermonitor_500,asset=meter-1,site=plant-7,zone=b v=1 1763688001000\n");
  expect_true("counted", f.host.sink->bytes_sent > 50);
  influxdb_rig_close(&f);
}

static void test_influxdb_writes_with_the_api_of_1(void **state) {
  influxdb_rig f;
  (void)state;
  setenv("TEST_PASSWORD", "p&w", 1);
  influxdb_rig_open(&f,
                    "database: my/plant\nretention_policy: one year\nuser: me\n"
                    "password_env: TEST_PASSWORD\nprecision: us\ngzip: false\nmeasurement: m\n");
  influxdb_rig_deliver(&f, 0, 1);
  influxdb_rig_wait_verdicts(&f, 1);
  const http_peer_request *write = f.write[0];
  expect_part("path", write->head,
              "POST /write?db=my%2Fplant&rp=one%20year&precision=u HTTP/1.1\r\n");
  /* printf 'me:p&w' | base64 */
  expect_text("user", http_peer_header(write, "Authorization"), "Basic bWU6cCZ3");
  expect_true("not gzipped", !write->gzipped);
  expect_text("body", write->body, "m,asset=meter-1,site=plant-7 v=0 1763688000000000\n");
  influxdb_rig_close(&f);
}

static void test_influxdb_requests_are_full_by_lines_bytes_or_age(void **state) {
  static const struct {
    const char *options;
    uint32_t n;
    unsigned lines[4]; /* of each request */
  } rows[] = {
      {V1 "batch: { lines: 2, age: 20ms }\n", 5, {2, 2, 1}},
      {V1 "batch: { bytes: 1KiB, age: 20ms }\n", 20, {16, 4}}, /* 63 or 64 bytes a line */
      {V1 "batch: { age: 20ms }\n", 200, {200}},               /* more than one turn's */
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    influxdb_rig f;
    influxdb_rig_open(&f, rows[i].options);
    influxdb_rig_deliver(&f, 200, 1); /* the first one waits for nothing */
    influxdb_rig_wait_verdicts(&f, 1);
    influxdb_rig_deliver(&f, 0, rows[i].n);
    influxdb_rig_wait_verdicts(&f, rows[i].n + 1);
    for (unsigned k = 0; rows[i].lines[k] > 0; k++) {
      expect_uint(rows[i].options, count_lines(f.write[k + 1]->body), rows[i].lines[k]);
    }
    influxdb_rig_expect(rows[i].options, &f, rows[i].n, "");
    influxdb_rig_close(&f);
  }
}

static void test_influxdb_line_waits_for_others_until_its_age(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_open(&f, V1 "batch: { age: 100ms }\n");
  influxdb_rig_deliver(&f, 0, 1);
  influxdb_rig_wait_verdicts(&f, 1);
  uint64_t start = uv_hrtime();
  influxdb_rig_deliver(&f, 1, 1);
  uv_run(&f.loop, UV_RUN_NOWAIT);
  influxdb_rig_deliver(&f, 2, 1);
  influxdb_rig_wait_verdicts(&f, 3);
  expect_true("waited", uv_hrtime() - start > 80000000);
  expect_uint("requests", f.writes, 2);
  influxdb_rig_close(&f);
}

static void test_influxdb_two_requests_at_a_time(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_open(&f, V1 "concurrency: 2\nbatch: { lines: 1 }\n");
  f.answer.delay_ms = 10000; /* never */
  influxdb_rig_deliver(&f, 0, 6);
  for (int i = 0; i < 50; i++) uv_run(&f.loop, UV_RUN_NOWAIT);
  while (f.writes < 2) uv_run(&f.loop, UV_RUN_ONCE);
  expect_uint("requests", f.writes, 2);
  expect_uint("connections", f.peer.n_connections, 2);
  influxdb_rig_close(&f);
  expect_uint("given back", f.host.verdicts, 6);
  expect_int("given back", f.host.verdict[5], BB_VERDICT_RETRY);
}

typedef struct {
  const char *name, *options;
  int status;
  const char *headers, *body;
  const char *part; /* of the sentence */
  uint32_t low_ms, high_ms;
} status_row;

#define REMEDY_MS 60000, 60000
#define BACKOFF_MS 800, 1200
#define JSON "Content-Type: application/json\r\n"

static const status_row status_rows[] = {
    {"401", V2, 401, JSON, "{\"code\":\"unauthorized\",\"message\":\"unauthorized access\"}",
     " does not take the token in TEST_TOKEN (401); next try in 1 min", REMEDY_MS},
    {"401 without token", "org: o\nbucket: b\n", 401, "", "",
     " wants a token (401); set token_env or token_file", REMEDY_MS},
    {"401 user", V1 "user: me\npassword_env: TEST_TOKEN\n", 401, "",
     "{\"error\":\"authorization failed\"}",
     " does not take the user and the password in TEST_TOKEN (401)", REMEDY_MS},
    {"403", V2, 403, "", "{\"code\":\"forbidden\"}",
     ": the token in TEST_TOKEN may not write to bucket energy (403)", REMEDY_MS},
    {"403 user", V1 "user: me\npassword_env: TEST_TOKEN\n", 403, "", "",
     ": user me may not write to database plant (403)", REMEDY_MS},
    {"404 bucket", V2, 404, JSON,
     "{\"code\":\"not found\",\"message\":\"bucket \\\"energy\\\" not found\"}",
     ": bucket \"energy\" not found (404); check org and bucket", REMEDY_MS},
    {"404 database", V1, 404, "", "{\"error\":\"database not found: \\\"plant\\\"\"}\n",
     ": database not found: \"plant\" (404); check database", REMEDY_MS},
    {"404 something else", V1, 404, "", "<html>404</html>", " has no /write (404); check url",
     REMEDY_MS},
    {"500 retention policy", V1, 500, "", "{\"error\":\"retention policy not found: zz\"}",
     ": retention policy not found: zz (500); check retention_policy", REMEDY_MS},
    {"redirect", V1, 302, "Location: /login\r\n", "",
     " does not take what is sent (302); check url", REMEDY_MS},
    {"400 without TLS", V1, 400, "", "Client sent an HTTP request to an HTTPS server.\n",
     " does not take what is sent (400); check url", REMEDY_MS},
    {"400 of a gateway", V1, 400, "", "<html>\n<h1>Bad Request</h1>",
     " does not take what is sent (400)", REMEDY_MS},
    {"400 about the request", V2, 400, "",
     "{\"code\":\"invalid\",\"message\":\"invalid\\u0001 org\\nid\"}",
     " does not take what is sent (400): invalid  org id; check url", REMEDY_MS},
    {"405", V1, 405, "", "", " does not take what is sent (405)", REMEDY_MS},
    {"429", V2, 429, "Retry-After: 7\r\n",
     "{\"code\":\"too many requests\",\"message\":\"slow down\"}",
     " asks to wait (429): slow down; next try in 7 s", 7000, 7000},
    {"429 without time", V2, 429, "", "", " asks to wait (429); next try in ", BACKOFF_MS},
    {"503", V2, 503, "Retry-After: 120\r\n", "", " asks to wait (503); next try in 2 min", 120000,
     120000},
    {"500", V1, 500, "", "{\"error\":\"engine: cache-max-memory-size exceeded\"}",
     " fails (500): engine: cache-max-memory-size exceeded; next try in ", BACKOFF_MS},
    {"502", V1, 502, "", "<html>bad gateway</html>", " fails (502); next try in ", BACKOFF_MS},
    {"408", V1, 408, "", "", " fails (408); next try in ", BACKOFF_MS},
};

/* Nothing is lost: the sink waits, says why, and takes all once more when the time is over. */
static void test_influxdb_waits_by_status(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(status_rows) / sizeof(status_rows[0]); i++) {
    const status_row *row = &status_rows[i];
    influxdb_rig f;
    influxdb_rig_open(&f, row->options);
    f.answer.text = http_peer_text(row->status, row->headers, row->body);
    influxdb_rig_deliver(&f, 0, 3);
    influxdb_rig_wait_waits(&f, 1);
    expect_part(row->name, f.host.wait.text, row->part);
    expect_true(row->name, strstr(f.host.wait.text, "s3cret") == NULL);
    expect_uint(row->name, f.host.wait.raw, (unsigned)row->status);
    expect_true(row->name, f.host.retry_ms >= row->low_ms && f.host.retry_ms <= row->high_ms);
    expect_uint(row->name, f.host.verdicts, 0);
    expect_int(row->name, sink_host_deliver(&f.host, 0, f.batches, 1), BB_ERR_AGAIN);
    f.answer.text = NULL;
    influxdb_rig_become_ready(&f);
    influxdb_rig_deliver(&f, 0, 3);
    influxdb_rig_wait_verdicts(&f, 3);
    influxdb_rig_expect(row->name, &f, 3, "");
    influxdb_rig_close(&f);
  }
}

static void test_influxdb_waits_when_the_connection_fails(void **state) {
  static const struct {
    const char *name;
    http_peer_answer answer;
    const char *part;
  } rows[] = {
      {"closed", {.close = true}, " closed the connection before its answer was complete; next"},
      {"closed in the middle",
       {.text = "HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{\"error\":", .close = true},
       " closed the connection before its answer"},
      {"garbage",
       {.text = "\x01\x02\x03 garbage\r\n\r\n", .close = true},
       " does not answer in HTTP"},
      {"silence", {.text = "H", .delay_ms = 5000}, "no answer from 127.0.0.1:"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    influxdb_rig f;
    influxdb_rig_open(&f, V1 "timeout: 200ms\n");
    f.answer = rows[i].answer;
    influxdb_rig_deliver(&f, 0, 3);
    influxdb_rig_wait_waits(&f, 1);
    expect_part(rows[i].name, f.host.wait.text, rows[i].part);
    expect_uint(rows[i].name, f.host.verdicts, 0);
    f.answer = (http_peer_answer){0};
    influxdb_rig_become_ready(&f);
    influxdb_rig_deliver(&f, 0, 3);
    influxdb_rig_wait_verdicts(&f, 3);
    influxdb_rig_expect(rows[i].name, &f, 3, "");
    influxdb_rig_close(&f);
  }
}

/* A slow server is waited for within the timeout. */
static void test_influxdb_slow_answer_counts(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_open(&f, V1);
  f.answer = (http_peer_answer){.text = WRITTEN, .delay_ms = 150, .piece = 1};
  influxdb_rig_deliver(&f, 0, 1);
  influxdb_rig_wait_verdicts(&f, 1);
  influxdb_rig_expect("slow", &f, 1, "");
  expect_uint("waits", f.host.waits, 0);
  influxdb_rig_close(&f);
}

static void test_influxdb_server_that_is_away_is_known_without_data(void **state) {
  influxdb_rig f;
  uint32_t delays[3];
  (void)state;
  influxdb_rig_serve(&f);
  f.ping = (http_peer_answer){.close = true};
  influxdb_rig_sink(&f, V1);
  for (unsigned i = 0; i < 3; i++) {
    influxdb_rig_wait_waits(&f, i + 1);
    delays[i] = f.host.retry_ms;
    expect_part("away", f.host.wait.text, " closed the connection");
    bb_sink_influxdb.retry(f.host.sink);
  }
  expect_true("back-off", delays[0] >= 800 && delays[1] >= 1600 && delays[2] >= 3200);
  expect_true("back-off", delays[0] <= 1200 && delays[1] <= 2400 && delays[2] <= 4800);
  influxdb_rig_wait_waits(&f, 4);
  f.ping.close = false;
  f.ping.text = http_peer_text(502, "", "");
  bb_sink_influxdb.retry(f.host.sink);
  influxdb_rig_wait_waits(&f, 5);
  expect_part("502", f.host.wait.text, " fails (502)");
  f.ping.text = http_peer_text(404, "", ""); /* no /ping, but somebody is there */
  influxdb_rig_become_ready(&f);
  expect_uint("writes", f.writes, 0);
  influxdb_rig_close(&f);
}

static void test_influxdb_secret_that_is_missing(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_serve(&f);
  unsetenv("TEST_TOKEN");
  influxdb_rig_sink(&f, V2);
  influxdb_rig_wait_waits(&f, 1);
  expect_part("missing", f.host.wait.text,
              "the environment variable TEST_TOKEN is not set; set it and start busbar again");
  expect_uint("pings", f.pings, 0);
  setenv("TEST_TOKEN", "one\ntwo", 1);
  influxdb_rig_become_ready(&f);
  influxdb_rig_deliver(&f, 0, 1);
  influxdb_rig_wait_waits(&f, 2);
  expect_part("line end", f.host.wait.text, "line end");
  setenv("TEST_TOKEN", "changed", 1);
  influxdb_rig_become_ready(&f);
  influxdb_rig_deliver(&f, 0, 1);
  influxdb_rig_wait_verdicts(&f, 1);
  expect_text("token", http_peer_header(f.write[0], "Authorization"), "Token changed");
  influxdb_rig_close(&f);
}

static void test_influxdb_batch_without_a_line_needs_no_request(void **state) {
  influxdb_rig f;
  sample s;
  (void)state;
  influxdb_rig_open(&f, V1);
  sample_point points[] = {{"a", SAMPLE_F32(1), BB_QUALITY_BAD, NULL},
                           {"b", SAMPLE_F32((float)(1e300 * 1e300)), 0, NULL}};
  sample_open(&s, f.device, "slow", points, 2, TIME);
  expect_int("deliver", sink_host_deliver(&f.host, 0, &s.batch, 1), 0);
  influxdb_rig_wait_verdicts(&f, 1);
  influxdb_rig_expect("nothing", &f, 1, "");
  expect_uint("requests", f.writes, 0);
  expect_uint("left out", f.host.sink->left_out, 1);
  sample_close(&s);
  influxdb_rig_close(&f);
}

static void test_influxdb_events_are_written(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_open(&f, V1 "layout: per-point\n");
  bb_batch event = {.device = f.device,
                    .time_ns = TIME,
                    .kind = BB_BATCH_EVENT,
                    .text = "no answer",
                    .text_len = 9};
  expect_int("deliver", sink_host_deliver(&f.host, 0, &event, 1), 0);
  influxdb_rig_wait_verdicts(&f, 1);
  expect_text("body", f.write[0]->body,
              "events,asset=meter-1,kind=event,site=plant-7 text=\"no answer\" 1763688000000\n");
  influxdb_rig_close(&f);
}

static void test_influxdb_window_is_its_room(void **state) {
  influxdb_rig f;
  bb_sink_needs needs = {0};
  (void)state;
  influxdb_rig_open(&f, V1 "batch: { lines: 10 }\n");
  bb_sink_influxdb.needs(f.host.doc.root, &needs);
  expect_uint("window", needs.window_records, 1000);
  expect_int("past it", sink_host_deliver(&f.host, 0, f.batches, 1001), BB_ERR_AGAIN);
  expect_uint("nothing was taken", f.host.verdicts, 0);
  for (uint32_t i = 0; i < 3; i++) influxdb_rig_deliver(&f, 100 * i, 100);
  influxdb_rig_wait_verdicts(&f, 300);
  influxdb_rig_expect("all", &f, 300, "");
  influxdb_rig_close(&f);
}

/* What delivery does: hands over more inside a verdict. */
static void deliver_next(sink_host *host, uint64_t ticket, uint32_t n, bb_verdict verdict) {
  influxdb_rig *f = host->sink->loop->data;
  (void)verdict;
  uint32_t next = (uint32_t)ticket + n;
  if (next < 50) assert_int_equal(sink_host_deliver(host, next, f->batches + next, 1), 0);
}

static void test_influxdb_next_batch_from_the_verdict(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_open(&f, V1 "batch: { lines: 1 }\n");
  f.loop.data = &f;
  f.host.on_verdict = deliver_next;
  influxdb_rig_deliver(&f, 0, 1);
  influxdb_rig_wait_verdicts(&f, 50);
  influxdb_rig_expect("all", &f, 50, "");
  expect_uint("connections", f.peer.n_connections, 1);
  influxdb_rig_close(&f);
}

static void test_influxdb_close_sends_what_it_can(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_open(&f, V1 "batch: { age: 60s, lines: 3 }\n");
  influxdb_rig_deliver(&f, 0, 1);
  influxdb_rig_wait_verdicts(&f, 1);
  influxdb_rig_deliver(&f, 1, 8);
  uv_run(&f.loop, UV_RUN_NOWAIT);
  sink_host_close(&f.host, 3000);
  influxdb_rig_expect("all", &f, 9, "");
  influxdb_rig_end(&f);
}

static void test_influxdb_close_waits_no_longer_than_told(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_open(&f, V1 "batch: { lines: 3 }\n");
  f.answer.delay_ms = 60000;
  influxdb_rig_deliver(&f, 0, 8);
  while (f.writes == 0) uv_run(&f.loop, UV_RUN_ONCE);
  uint64_t start = uv_hrtime();
  sink_host_close(&f.host, 100);
  expect_true("in time", uv_hrtime() - start < 1000000000);
  for (unsigned i = 0; i < 8; i++) {
    expect_uint("one verdict", f.host.judged[i], 1);
    expect_int("given back", f.host.verdict[i], BB_VERDICT_RETRY);
  }
  influxdb_rig_end(&f);
}

static void test_influxdb_close_in_every_state(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_serve(&f); /* before the first turn of the loop */
  influxdb_rig_sink(&f, V1);
  influxdb_rig_close(&f);
  influxdb_rig_serve(&f); /* while it asks */
  f.ping.delay_ms = 60000;
  f.ping.text = WRITTEN;
  influxdb_rig_sink(&f, V1);
  while (f.pings == 0) uv_run(&f.loop, UV_RUN_ONCE);
  sink_host_close(&f.host, 5000);
  influxdb_rig_end(&f);
  influxdb_rig_serve(&f); /* while it waits */
  f.ping.close = true;
  influxdb_rig_sink(&f, V1);
  influxdb_rig_wait_waits(&f, 1);
  sink_host_close(&f.host, 5000);
  influxdb_rig_end(&f);
  influxdb_rig_open(&f, V1); /* with an error on the way out */
  f.answer.text = http_peer_text(500, "", "");
  influxdb_rig_deliver(&f, 0, 2);
  uv_run(&f.loop, UV_RUN_NOWAIT);
  sink_host_close(&f.host, 5000);
  expect_uint("verdicts", f.host.verdicts, 2);
  expect_int("given back", f.host.verdict[1], BB_VERDICT_RETRY);
  expect_uint("no wait any more", f.host.waits, 0);
  influxdb_rig_end(&f);
}

static void test_influxdb_open_without_memory(void **state) {
  int err;
  size_t nth = 1;
  (void)state;
  do {
    influxdb_rig f;
    influxdb_rig_serve(&f);
    f.host.fail_nth = nth++;
    err = sink_host_open(&f.host, &bb_sink_influxdb, &f.loop, "{url: 'http://h', database: d}");
    if (err == 0) {
      sink_host_close(&f.host, 0);
    } else {
      expect_int("open", err, BB_ERR_NOMEM);
      sink_host_free(&f.host);
    }
    influxdb_rig_end(&f);
  } while (err < 0);
  expect_true("some were tried", nth > 4);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_influxdb_writes_with_the_api_of_2),
      cmocka_unit_test(test_influxdb_writes_with_the_api_of_1),
      cmocka_unit_test(test_influxdb_requests_are_full_by_lines_bytes_or_age),
      cmocka_unit_test(test_influxdb_line_waits_for_others_until_its_age),
      cmocka_unit_test(test_influxdb_two_requests_at_a_time),
      cmocka_unit_test(test_influxdb_waits_by_status),
      cmocka_unit_test(test_influxdb_waits_when_the_connection_fails),
      cmocka_unit_test(test_influxdb_slow_answer_counts),
      cmocka_unit_test(test_influxdb_server_that_is_away_is_known_without_data),
      cmocka_unit_test(test_influxdb_secret_that_is_missing),
      cmocka_unit_test(test_influxdb_batch_without_a_line_needs_no_request),
      cmocka_unit_test(test_influxdb_events_are_written),
      cmocka_unit_test(test_influxdb_window_is_its_room),
      cmocka_unit_test(test_influxdb_next_batch_from_the_verdict),
      cmocka_unit_test(test_influxdb_close_sends_what_it_can),
      cmocka_unit_test(test_influxdb_close_waits_no_longer_than_told),
      cmocka_unit_test(test_influxdb_close_in_every_state),
      cmocka_unit_test(test_influxdb_open_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
