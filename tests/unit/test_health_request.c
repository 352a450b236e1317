/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/health_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/health.h"
#include "support/expect.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define HOST "Host: a\r\n"

static int parse(bb_health_request *request, const char *text) {
  return bb_health_request_parse(request, (const uint8_t *)text, strlen(text));
}

static void test_health_request_reads_what_it_may(void **state) {
  static const struct {
    const char *text;
    bb_health_method method;
    const char *path;
    bool chunks, keep_alive;
  } rows[] = {
      {"GET /metrics HTTP/1.1\r\n" HOST "\r\n", BB_HEALTH_GET, "/metrics", true, true},
      {"HEAD /healthz HTTP/1.1\r\nhost:a\r\n\r\n", BB_HEALTH_HEAD, "/healthz", true, true},
      {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", BB_HEALTH_OTHER, "/", true, true},
      {"get / HTTP/1.1\r\n" HOST "\r\n", BB_HEALTH_OTHER, "/", true, true},
      {"GET /a HTTP/1.1\r\n" HOST "Connection: Close\r\n\r\n", BB_HEALTH_GET, "/a", true, false},
      {"GET /a HTTP/1.1\r\n" HOST "Connection: x ,\tclose\r\n\r\n", BB_HEALTH_GET, "/a", true,
       false},
      {"GET /a HTTP/1.0\r\n\r\n", BB_HEALTH_GET, "/a", false, false},
      {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", BB_HEALTH_GET, "/a", false, true},
      {"\r\n\r\nGET /a HTTP/1.0\n\n", BB_HEALTH_GET, "/a", false, false},
      {"GET /readyz?verbose=1 HTTP/1.0\r\n\r\n", BB_HEALTH_GET, "/readyz", false, false},
      {"GET http://127.0.0.1:9464/metrics?x HTTP/1.0\r\n\r\n", BB_HEALTH_GET, "/metrics", false,
       false},
      {"GET http://127.0.0.1 HTTP/1.0\r\n\r\n", BB_HEALTH_GET, "/", false, false},
      {"GET /a-path-that-is-longer-than-all-of-ours HTTP/1.0\r\n\r\n", BB_HEALTH_GET, "", false,
       false},
      {"GET /a HTTP/1.0\r\nX:\r\nY: \tb\r\n\r\n", BB_HEALTH_GET, "/a", false, false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_health_request request;
    expect_int(rows[i].text, parse(&request, rows[i].text), (int64_t)strlen(rows[i].text));
    expect_int(rows[i].text, request.method, rows[i].method);
    expect_text(rows[i].text, request.path, rows[i].path);
    expect_int(rows[i].text, request.chunks, rows[i].chunks);
    expect_int(rows[i].text, request.keep_alive, rows[i].keep_alive);
  }
}

static void test_health_request_refuses(void **state) {
  static const struct {
    const char *text;
    int expected;
  } rows[] = {
      {"hello\r\n\r\n", BB_ERR_FORMAT},
      {"GET /\r\n\r\n", BB_ERR_FORMAT},
      {"GET  / HTTP/1.1\r\n" HOST "\r\n", BB_ERR_FORMAT},
      {"GET / HTTP/1.1 \r\n" HOST "\r\n", BB_ERR_FORMAT},
      {"G(T / HTTP/1.1\r\n" HOST "\r\n", BB_ERR_FORMAT},
      {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", BB_ERR_FORMAT},
      {"GET / HTTP/1.x\r\n" HOST "\r\n", BB_ERR_FORMAT},
      {"GET / HTTP/2.0\r\n" HOST "\r\n", BB_ERR_VERSION},
      {"GET / HTTP/1.1\r\n\r\n", BB_ERR_FORMAT},
      {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", BB_ERR_FORMAT},
      {"GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", BB_ERR_FORMAT},
      {"GET / HTTP/1.1\r\n" HOST "X : y\r\n\r\n", BB_ERR_FORMAT},
      {"GET / HTTP/1.1\r\n" HOST "nothing\r\n\r\n", BB_ERR_FORMAT},
      {"GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", BB_ERR_FORMAT},
      {"GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", BB_ERR_UNSUPPORTED},
      {"GET / HTTP/1.1\r\n" HOST "content-length: 00\r\n\r\n", BB_ERR_UNSUPPORTED},
      {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", BB_ERR_UNSUPPORTED},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_health_request request;
    expect_int(rows[i].text, parse(&request, rows[i].text), rows[i].expected);
  }
}

static void test_health_request_waits_for_the_end(void **state) {
  static const char text[] = "GET /metrics HTTP/1.1\r\n" HOST "X: y\r\n\r\nGET /";
  (void)state;
  bb_health_request request;
  size_t whole = strlen(text) - 5;
  for (size_t len = 0; len < whole; len++) {
    expect_int("cut", bb_health_request_parse(&request, (const uint8_t *)text, len), 0);
  }
  expect_int("whole", parse(&request, text), (int64_t)whole);
}

static void test_health_request_has_a_limit(void **state) {
  static const char start[] = "GET / HTTP/1.0\r\nX: ";
  (void)state;
  bb_health_request request;
  size_t cap = BB_HEALTH_REQUEST_BYTES + 10;
  char *text = malloc(cap);
  memset(text, 'x', cap);
  memcpy(text, start, strlen(start));
  const uint8_t *bytes = (const uint8_t *)text;
  expect_int("almost", bb_health_request_parse(&request, bytes, BB_HEALTH_REQUEST_BYTES - 1), 0);
  expect_int("full", bb_health_request_parse(&request, bytes, BB_HEALTH_REQUEST_BYTES),
             BB_ERR_LIMIT);
  memcpy(text + BB_HEALTH_REQUEST_BYTES - 4, "\r\n\r\n", 4);
  expect_int("just fits", bb_health_request_parse(&request, bytes, cap), BB_HEALTH_REQUEST_BYTES);
  free(text);
}

static void test_health_address_parse(void **state) {
  static const struct {
    const char *text;
    const char *host; /* NULL: none */
    uint16_t port;
  } rows[] = {
      {"127.0.0.1:9464", "127.0.0.1", 9464},
      {"localhost:0", "127.0.0.1", 0},
      {"[::1]:80", "::1", 80},
      {"0.0.0.0:65535", "0.0.0.0", 65535},
      {"127.0.0.1:65536", NULL, 0},
      {"127.0.0.1", NULL, 0},
      {"127.0.0.1:", NULL, 0},
      {"127.0.0.1:-1", NULL, 0},
      {"127.0.0.1:8x", NULL, 0},
      {":9464", NULL, 0},
      {"9464", NULL, 0},
      {"::1:80", NULL, 0},
      {"[127.0.0.1]:80", NULL, 0},
      {"example.org:80", NULL, 0},
      {"", NULL, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    char host[64];
    uint16_t port = 0;
    bool good = bb_health_address_parse(rows[i].text, host, &port);
    expect_int(rows[i].text, good, rows[i].host != NULL);
    if (!good) continue;
    expect_text(rows[i].text, host, rows[i].host);
    expect_uint(rows[i].text, port, rows[i].port);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_health_request_reads_what_it_may),
      cmocka_unit_test(test_health_request_refuses),
      cmocka_unit_test(test_health_request_waits_for_the_end),
      cmocka_unit_test(test_health_request_has_a_limit),
      cmocka_unit_test(test_health_address_parse),
  };
  return cmocka_run_group_tests_name("health_request", tests, NULL, NULL);
}
