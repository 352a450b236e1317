/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/http_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "io/gzip.h"

static void test_http_request_and_answer(void **state) {
  static const http_peer_answer answers[] = {{.text = HTTP_RIG_OK}};
  static const char *const headers[] = {"Authorization: Token abc", "Content-Encoding: identity"};
  http_rig f;
  char url[96];
  http_rig_exchange x = {0};
  (void)state;
  http_rig_serve(&f, answers, 1);
  snprintf(url, sizeof(url), "%s/prefix/", f.peer.url);
  f.config.url = url;
  http_rig_open(&f);
  x.request = (bb_http_request){.method = "POST",
                                .path = "/write?db=a%20b",
                                .headers = headers,
                                .n_headers = 2,
                                .body = "m v=1",
                                .body_len = 5,
                                .on_done = http_rig_on_done,
                                .data = &x};
  expect_int("send", bb_http_send(&f.http, &x.request), 0);
  expect_true("busy", bb_http_busy(&x.request));
  http_peer_wait(&f.loop, &x.done);
  expect_true("not busy", !bb_http_busy(&x.request));
  expect_int("err", x.err, 0);
  expect_text("text", x.text, "");
  expect_uint("status", x.status, 200);
  expect_text("body", x.body, "ok");
  const http_peer_request *got = &f.peer.requests[0];
  expect_part("head", got->head, "POST /prefix/write?db=a%20b HTTP/1.1\r\n");
  expect_text("body", got->body, "m v=1");
  expect_text("token", http_peer_header(got, "Authorization"), "Token abc");
  expect_text("host", http_peer_header(got, "Host"), f.http.url.name);
  expect_text("expect", http_peer_header(got, "Expect"), NULL);
  free(x.body);
  http_rig_close(&f);
}

static void test_http_basic_authentication(void **state) {
  static const http_peer_answer answers[] = {{.text = HTTP_RIG_OK}};
  http_rig f;
  http_rig_exchange x = {0};
  (void)state;
  http_rig_serve(&f, answers, 1);
  http_rig_open(&f);
  x.request = (bb_http_request){.method = "GET",
                                .path = "/",
                                .user = "me:you",
                                .password = "s e\"cret",
                                .on_done = http_rig_on_done,
                                .data = &x};
  expect_int("send", bb_http_send(&f.http, &x.request), 0);
  http_peer_wait(&f.loop, &x.done);
  /* printf 'me:you:s e"cret' | base64 */
  expect_text("authorization", http_peer_header(&f.peer.requests[0], "Authorization"),
              "Basic bWU6eW91OnMgZSJjcmV0");
  free(x.body);
  http_rig_close(&f);
}

static void test_http_connection_is_used_again(void **state) {
  static const http_peer_answer answers[] = {{.text = HTTP_RIG_OK},
                                             {.text = HTTP_RIG_OK},
                                             {.text = HTTP_RIG_OK, .close = true},
                                             {.text = HTTP_RIG_OK}};
  http_rig f;
  http_rig_exchange x = {0};
  (void)state;
  http_rig_serve(&f, answers, 4);
  http_rig_open(&f);
  for (unsigned i = 1; i <= 5; i++) {
    http_rig_get(&f, &x, "/ping");
    expect_int("err", x.err, 0);
    /* The server closed after the third; the client notices and connects anew. */
    expect_uint("connections", f.peer.n_connections, i <= 3 ? 1 : 2);
  }
  free(x.body);
  http_rig_close(&f);
}

static void test_http_renewed_connections_are_others(void **state) {
  static const http_peer_answer answers[] = {
      {.text = HTTP_RIG_OK}, {.text = HTTP_RIG_OK, .delay_ms = 100}, {.text = HTTP_RIG_OK}};
  http_rig f;
  http_rig_exchange x = {0}, slow = {0}, next = {0};
  (void)state;
  http_rig_serve(&f, answers, 3);
  f.config.max_connections = 2;
  http_rig_open(&f);
  http_rig_get(&f, &x, "/ping");
  http_rig_send(&f, &slow, "GET", "/slow");
  bb_http_renew(&f.http);
  bb_http_renew(&f.http);
  http_rig_send(&f, &next, "GET", "/next");
  http_peer_wait(&f.loop, &next.done);
  expect_uint("what was under way ended first", slow.done, 1);
  expect_int("err", slow.err, 0);
  expect_int("err", next.err, 0);
  expect_uint("connections", f.peer.n_connections, 2);
  expect_uint("on the former one", f.peer.requests[1].connection, 1);
  expect_uint("on another one", f.peer.requests[2].connection, 2);
  http_rig_get(&f, &x, "/ping");
  expect_uint("which is kept", f.peer.n_connections, 2);
  bb_http_renew(&f.http);
  http_rig_send(&f, &next, "GET", "/next");
  bb_http_cancel(&next.request);
  http_peer_wait(&f.loop, &next.done);
  expect_int("canceled", next.err, UV_ECANCELED);
  bb_http_renew(&f.http);
  free(x.body);
  free(slow.body);
  free(next.body);
  http_rig_close(&f);
}

static void test_http_retry_after(void **state) {
  char text[128], date[64];
  time_t then = time(NULL) + 100;
  struct tm parts;
  strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &parts));
  const struct {
    const char *value;
    uint32_t low_ms, high_ms;
  } rows[] = {
      {"7", 7000, 7000},
      {"0", 0, 0},
      {"-5", 0, 0},
      {"soon", 0, 0},
      {date, 95000, 100000},
      {"99999999999", BB_HTTP_MAX_RETRY_MS, BB_HTTP_MAX_RETRY_MS},
      {"Sat, 01 Jan 2000 00:00:00 GMT", 0, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    http_rig f;
    http_rig_exchange x = {0};
    snprintf(text, sizeof(text),
             "HTTP/1.1 429 Slow\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", rows[i].value);
    http_peer_answer answer = {.text = text};
    http_rig_serve(&f, &answer, 1);
    http_rig_open(&f);
    http_rig_get(&f, &x, "/");
    expect_uint(rows[i].value, x.status, 429);
    expect_true(rows[i].value, x.retry_after_ms >= rows[i].low_ms);
    expect_true(rows[i].value, x.retry_after_ms <= rows[i].high_ms);
    free(x.body);
    http_rig_close(&f);
  }
}

static void test_http_long_answer_is_cut(void **state) {
  static const http_peer_answer answers[] = {
      {.text = "HTTP/1.1 400 Bad\r\nContent-Length: 200003\r\n\r\nabc", .fill = 200000},
      {.text = HTTP_RIG_OK, .piece = 1}};
  http_rig f;
  http_rig_exchange x = {0};
  (void)state;
  http_rig_serve(&f, answers, 2);
  http_rig_open(&f);
  http_rig_get(&f, &x, "/");
  expect_int("err", x.err, 0);
  expect_uint("status", x.status, 400);
  expect_uint("length", x.body_len, BB_HTTP_MAX_ANSWER);
  expect_true("cut", x.cut && strncmp(x.body, "abcxxx", 6) == 0);
  http_rig_get(&f, &x, "/"); /* the connection is still good; the answer comes byte by byte */
  expect_text("body", x.body, "ok");
  expect_uint("connections", f.peer.n_connections, 1);
  free(x.body);
  http_rig_close(&f);
}

static void test_http_failures_are_told_in_words(void **state) {
  static const struct {
    const char *name;
    http_peer_answer answer;
    int err;
    const char *part;
  } rows[] = {
      {"closed at once", {.close = true}, BB_ERR_CLOSED, " closed the connection before"},
      {"closed in the body",
       {.text = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .close = true},
       BB_ERR_CLOSED,
       " closed the connection before"},
      {"garbage",
       {.text = "\x16\x03 what is this\r\n\r\n", .close = true},
       BB_ERR_FORMAT,
       " does not answer in HTTP"},
      {"silence", {0}, BB_ERR_TIMEOUT, "no answer from 127.0.0.1:"},
      {"silence in the body",
       {.text = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"},
       BB_ERR_TIMEOUT,
       " for 600 ms"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    http_rig f;
    http_rig_exchange x = {0};
    http_rig_serve(&f, &rows[i].answer, 1);
    http_rig_open(&f);
    http_rig_get(&f, &x, "/");
    expect_int(rows[i].name, x.err, rows[i].err);
    expect_part(rows[i].name, x.text, rows[i].part);
    free(x.body);
    http_rig_close(&f);
  }
}

static void test_http_nobody_listens(void **state) {
  http_rig f;
  char url[64];
  http_rig_exchange x = {0};
  (void)state;
  http_rig_serve(&f, NULL, 0);
  /* A port that was just free: the peer's own, once it no longer listens. */
  snprintf(url, sizeof(url), "%s", f.peer.url);
  http_peer_close(&f.peer);
  memset(&f.peer, 0, sizeof(f.peer));
  http_peer_open(&f.peer, &f.loop);
  f.config.url = url;
  http_rig_open(&f);
  http_rig_get(&f, &x, "/");
  expect_int("err", x.err, UV_ECONNREFUSED);
  expect_part("text", x.text, "connection refused");
  expect_part("text", x.text, f.http.url.name);
  free(x.body);
  http_rig_close(&f);
}

static void test_http_tls_failures(void **state) {
  static const http_peer_answer answers[] = {{.text = "plain", .close = true}};
  http_rig f;
  char url[64];
  http_rig_exchange x = {0};
  (void)state;
  http_rig_serve(&f, answers, 1);
  snprintf(url, sizeof(url), "https://127.0.0.1:%u", f.peer.port);
  f.config.url = url;
  http_rig_open(&f);
  f.http.config.ca_file = "/nowhere/ca.pem";
  http_rig_get(&f, &x, "/");
  expect_int("no file", x.err, BB_ERR_DENIED);
  expect_part("no file", x.text, "/nowhere/ca.pem");
  f.http.config.ca_file = NULL;
  f.http.config.insecure = true;
  f.peer.on_request = NULL;
  http_rig_get(&f, &x, "/");
  expect_true("no TLS there", x.err == BB_ERR_DENIED || x.err == BB_ERR_TIMEOUT);
  free(x.body);
  http_rig_close(&f);
}

static void test_http_cancel_calls_back_once_and_later(void **state) {
  http_rig f;
  http_rig_exchange x = {0};
  (void)state;
  http_rig_serve(&f, (http_peer_answer[]){{0}}, 1);
  http_rig_open(&f);
  http_rig_send(&f, &x, "GET", "/");
  while (f.peer.n_requests == 0) uv_run(&f.loop, UV_RUN_ONCE);
  bb_http_cancel(&x.request);
  bb_http_cancel(&x.request);
  expect_uint("not at once", x.done, 0);
  http_peer_wait(&f.loop, &x.done);
  expect_int("err", x.err, UV_ECANCELED);
  bb_http_cancel(&x.request);
  uv_run(&f.loop, UV_RUN_NOWAIT);
  expect_uint("once", x.done, 1);
  free(x.body);
  http_rig_close(&f);
}

static void test_http_close_with_requests_under_way(void **state) {
  http_rig f;
  http_rig_exchange a = {0}, b = {0};
  (void)state;
  http_rig_serve(&f, (http_peer_answer[]){{0}}, 1);
  f.config.max_connections = 2;
  http_rig_open(&f);
  http_rig_send(&f, &a, "GET", "/a");
  http_rig_send(&f, &b, "GET", "/b");
  while (f.peer.n_requests < 2) uv_run(&f.loop, UV_RUN_ONCE);
  bb_http_close(&f.http, http_rig_on_closed);
  expect_int("send", bb_http_send(&f.http, &(bb_http_request){.method = "GET", .path = "/"}),
             BB_ERR_STATE);
  http_peer_wait(&f.loop, &f.closed);
  expect_int("a", a.err, UV_ECANCELED);
  expect_int("b", b.err, UV_ECANCELED);
  expect_uint("once", a.done + b.done, 2);
  free(a.body);
  free(b.body);
  http_peer_close(&f.peer);
  uv_run(&f.loop, UV_RUN_DEFAULT);
  expect_int("handles left", uv_loop_close(&f.loop), 0);
}

static void on_done_again(bb_http_request *request, const bb_http_answer *answer) {
  http_rig_exchange *x = request->data;
  if (x->done++ < 3) {
    assert_int_equal(answer->status, 200);
    assert_int_equal(bb_http_send(request->http, request), 0);
  } else {
    x->err = answer->err;
    x->status = 1;
  }
}

static void test_http_next_request_from_the_callback(void **state) {
  static const http_peer_answer answers[] = {{.text = HTTP_RIG_OK}};
  http_rig f;
  http_rig_exchange x = {.request = {.method = "GET", .path = "/", .on_done = on_done_again}};
  (void)state;
  x.request.data = &x;
  http_rig_serve(&f, answers, 1);
  http_rig_open(&f);
  assert_int_equal(bb_http_send(&f.http, &x.request), 0);
  http_peer_wait(&f.loop, &x.status);
  expect_uint("answers", x.done, 4);
  expect_uint("connections", f.peer.n_connections, 1);
  http_rig_close(&f);
}

/* An allocation of ours that fails: the request cannot be sent, or ends with the reason; whatever
 * happens, nothing is left behind. */
static int exchange_once(void *user) {
  http_rig *f = user;
  http_rig_exchange x = {.request = {.method = "GET", .path = "/", .on_done = http_rig_on_done}};
  x.request.data = &x;
  int err = bb_http_send(&f->http, &x.request);
  if (err == 0) {
    while (x.done == 0) uv_run(&f->loop, UV_RUN_ONCE);
    err = x.err == 0 && x.status == 200 ? 0 : BB_ERR_NOMEM;
  }
  free(x.body);
  return err == 0 || err == BB_ERR_NOMEM ? 0 : err;
}

static void test_http_without_memory(void **state) {
  static const http_peer_answer answers[] = {{.text = "HTTP/1.1 204 No\r\n\r\n", .close = true}};
  http_rig f;
  (void)state;
  /* The peer allocates too: only sending, and what comes before the peer answers, is tried. */
  for (size_t nth = 1; nth < 6; nth++) {
    http_rig_serve(&f, answers, 1);
    http_rig_open(&f);
    failmalloc_start(nth);
    bb_http_request request = {.method = "GET", .path = "/", .on_done = http_rig_on_done};
    http_rig_exchange x = {0};
    request.data = &x;
    int err = bb_http_send(&f.http, &request);
    failmalloc_stop();
    expect_true("result", err == 0 || err == BB_ERR_NOMEM);
    if (err == 0) http_peer_wait(&f.loop, &x.done);
    expect_int("after that", exchange_once(&f), 0);
    free(x.body);
    http_rig_close(&f);
  }
}

static void test_gzip_stream_reads_back(void **state) {
  static const http_peer_answer answers[] = {{.text = HTTP_RIG_OK}};
  static const char *const headers[] = {"Content-Encoding: gzip"};
  static char lines[300000];
  http_rig f;
  bb_gzip gzip;
  bb_buf body;
  (void)state;
  for (size_t i = 0; i < sizeof(lines) - 1; i++) lines[i] = (char)('a' + (i * i >> 5) % 26);
  expect_int("open", bb_gzip_open(&gzip), 0);
  bb_buf_init(&body, 1 << 20);
  http_rig_serve(&f, answers, 1);
  http_rig_open(&f);
  for (unsigned round = 0; round < 3; round++) { /* the stream is used again */
    size_t len = round == 1 ? 0 : sizeof(lines) - 1;
    http_rig_exchange x = {0};
    bb_buf_clear(&body);
    bb_gzip_start(&gzip);
    for (size_t at = 0; at < len; at += 1000) {
      size_t n = len - at < 1000 ? len - at : 1000;
      expect_int("add", bb_gzip_add(&gzip, &body, lines + at, n), 0);
    }
    expect_int("end", bb_gzip_end(&gzip, &body), 0);
    x.request = (bb_http_request){.method = "POST",
                                  .path = "/",
                                  .headers = headers,
                                  .n_headers = 1,
                                  .body = body.bytes,
                                  .body_len = body.len,
                                  .on_done = http_rig_on_done,
                                  .data = &x};
    expect_int("send", bb_http_send(&f.http, &x.request), 0);
    http_peer_wait(&f.loop, &x.done);
    expect_true("gzipped", f.peer.requests[round].gzipped);
    expect_bytes("body", f.peer.requests[round].body, f.peer.requests[round].body_len, lines, len);
    free(x.body);
  }
  bb_buf_close(&body);
  bb_buf_init(&body, 100);
  bb_gzip_start(&gzip);
  int err = bb_gzip_add(&gzip, &body, lines, sizeof(lines) - 1);
  if (err == 0) err = bb_gzip_end(&gzip, &body);
  expect_int("no room", err, BB_ERR_LIMIT);
  bb_buf_close(&body);
  bb_gzip_close(&gzip);
  http_rig_close(&f);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_http_request_and_answer),
      cmocka_unit_test(test_http_basic_authentication),
      cmocka_unit_test(test_http_connection_is_used_again),
      cmocka_unit_test(test_http_renewed_connections_are_others),
      cmocka_unit_test(test_http_retry_after),
      cmocka_unit_test(test_http_long_answer_is_cut),
      cmocka_unit_test(test_http_failures_are_told_in_words),
      cmocka_unit_test(test_http_nobody_listens),
      cmocka_unit_test(test_http_tls_failures),
      cmocka_unit_test(test_http_cancel_calls_back_once_and_later),
      cmocka_unit_test(test_http_close_with_requests_under_way),
      cmocka_unit_test(test_http_next_request_from_the_callback),
      cmocka_unit_test(test_http_without_memory),
      cmocka_unit_test(test_gzip_stream_reads_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
