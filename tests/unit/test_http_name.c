/* SPDX-License-Identifier: Apache-2.0 */
/* How the HTTP client finds whom to connect to: names, localhost, proxies. */
#include "support/expect.h"
#include "support/http_rig.h"

#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Stands in for libuv's: of the names in ".test" one is known, one is not, and one is not answered
 * before the test says so. */
static uv_getaddrinfo_t *hanging;
static uv_getaddrinfo_cb hanging_done;

int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb on_done,
                   const char *name, const char *service, const struct addrinfo *hints) {
  int (*next)(uv_loop_t *, uv_getaddrinfo_t *, uv_getaddrinfo_cb, const char *, const char *,
              const struct addrinfo *);
  *(void **)&next = dlsym(RTLD_NEXT, "uv_getaddrinfo");
  struct addrinfo numeric = *hints;
  numeric.ai_flags = AI_NUMERICHOST;
  if (strcmp(name, "known.test") == 0) {
    return next(loop, request, on_done, "127.0.0.1", service, &numeric);
  }
  if (strcmp(name, "hanging.test") == 0) {
    hanging = request;
    hanging_done = on_done;
    return 0;
  }
  return next(loop, request, on_done, name, service, &numeric); /* no number: not known */
}

static void open_named(http_rig *f, const char *name, char url[96]) {
  static const http_peer_answer answers[] = {{.text = HTTP_RIG_OK}};
  http_rig_serve(f, answers, 1);
  snprintf(url, 96, "http://%s:%u", name, f->peer.port);
  f->config.url = url;
  http_rig_open(f);
}

static void test_http_name_is_looked_up(void **state) {
  http_rig f;
  char url[96];
  http_rig_exchange x = {0};
  (void)state;
  open_named(&f, "known.test", url);
  http_rig_get(&f, &x, "/");
  expect_int("err", x.err, 0);
  expect_text("host", http_peer_header(&f.peer.requests[0], "Host"), f.http.url.name);
  http_rig_get(&f, &x, "/");
  expect_uint("connections", f.peer.n_connections, 1);
  free(x.body);
  http_rig_close(&f);
}

static void test_http_localhost_needs_no_lookup(void **state) {
  http_rig f;
  char url[96];
  http_rig_exchange x = {0};
  (void)state;
  open_named(&f, "localhost", url);
  http_rig_get(&f, &x, "/"); /* the peer listens on 127.0.0.1 only: ::1 is tried and left */
  expect_int("err", x.err, 0);
  free(x.body);
  http_rig_close(&f);
}

static void test_http_unknown_name(void **state) {
  http_rig f;
  char url[96];
  http_rig_exchange x = {0};
  (void)state;
  open_named(&f, "unknown.test", url);
  http_rig_get(&f, &x, "/");
  expect_int("err", x.err, UV_EAI_NONAME);
  expect_part("text", x.text, "the name unknown.test has no address");
  free(x.body);
  http_rig_close(&f);
}

static void on_tick(uv_timer_t *timer) {
  uint64_t *worst = timer->data, now = uv_hrtime();
  if (worst[1] != 0 && now - worst[1] > worst[0]) worst[0] = now - worst[1];
  worst[1] = now;
}

/* The loop turns while nobody answers for a name, and while the client is closed all the same. */
static void test_http_hanging_name_holds_nothing_up(void **state) {
  http_rig f;
  char url[96];
  http_rig_exchange x = {0};
  uint64_t gaps[2] = {0, 0};
  uv_timer_t tick;
  (void)state;
  open_named(&f, "hanging.test", url);
  uv_timer_init(&f.loop, &tick);
  tick.data = gaps;
  uv_timer_start(&tick, on_tick, 0, 5);
  http_rig_get(&f, &x, "/");
  expect_int("first", x.err, BB_ERR_TIMEOUT);
  expect_part("first", x.text, "nobody says what address hanging.test has for 300 ms");
  http_rig_get(&f, &x, "/");
  expect_int("second", x.err, BB_ERR_TIMEOUT);
  http_rig_send(&f, &x, "GET", "/");
  bb_http_close(&f.http, http_rig_on_closed);
  http_peer_wait(&f.loop, &f.closed);
  expect_int("third", x.err, UV_ECANCELED);
  expect_true("the loop was never held for 200 ms", gaps[0] < 200000000);
  hanging_done(hanging, UV_EAI_AGAIN, NULL); /* the client is gone: nothing comes of it */
  uv_close((uv_handle_t *)&tick, NULL);
  http_peer_close(&f.peer);
  uv_run(&f.loop, UV_RUN_DEFAULT);
  expect_int("handles left", uv_loop_close(&f.loop), 0);
  free(x.body);
}

static void test_http_through_a_proxy(void **state) {
  static const http_peer_answer answers[] = {{.text = HTTP_RIG_OK}};
  http_rig f;
  char proxy[96];
  http_rig_exchange x = {0};
  (void)state;
  http_rig_serve(&f, answers, 1);
  snprintf(proxy, sizeof(proxy), "http://known.test:%u", f.peer.port);
  f.config.url = "http://unknown.test:8086"; /* the proxy's business */
  f.config.proxy = proxy;
  http_rig_open(&f);
  http_rig_get(&f, &x, "/ping");
  expect_int("err", x.err, 0);
  expect_part("head", f.peer.requests[0].head, "GET http://unknown.test:8086/ping HTTP/1.1\r\n");
  free(x.body);
  http_rig_close(&f);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_http_name_is_looked_up),
      cmocka_unit_test(test_http_localhost_needs_no_lookup),
      cmocka_unit_test(test_http_unknown_name),
      cmocka_unit_test(test_http_hanging_name_holds_nothing_up),
      cmocka_unit_test(test_http_through_a_proxy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
