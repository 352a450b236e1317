/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/http_url.h"

static void test_http_url_parts(void **state) {
  static const struct {
    const char *url;
    bool tls, literal;
    const char *host;
    uint16_t port;
    const char *name;
    const char *path;
  } rows[] = {
      {"http://influx", false, false, "influx", 80, "influx:80", ""},
      {"https://influx.plant/", true, false, "influx.plant", 443, "influx.plant:443", ""},
      {"HTTP://10.0.0.5:8086", false, true, "10.0.0.5", 8086, "10.0.0.5:8086", ""},
      {"http://[fd00::5]:8086/a/b//", false, true, "fd00::5", 8086, "[fd00::5]:8086", "/a/b"},
      {"http://[::1]", false, true, "::1", 80, "[::1]:80", ""},
      {"http://h:65535/x@y", false, false, "h", 65535, "h:65535", "/x@y"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_http_url url;
    const char *why = "", *row = rows[i].url;
    expect_int(row, bb_http_url_parse(&url, row, &why), 0);
    expect_int(row, url.tls, rows[i].tls);
    expect_int(row, url.literal, rows[i].literal);
    expect_text(row, url.host, rows[i].host);
    expect_uint(row, url.port, rows[i].port);
    expect_text(row, url.name, rows[i].name);
    expect_bytes(row, url.path, url.path_len, rows[i].path, strlen(rows[i].path));
  }
}

static void test_http_url_mistakes(void **state) {
  static const struct {
    const char *url, *part;
  } rows[] = {
      {"influx:8086", "http://"},
      {"ftp://influx", "http://"},
      {"", "http://"},
      {"http://", "host is missing"},
      {"http://:8086", "host is missing"},
      {"http://h:", "port"},
      {"http://h:0", "port"},
      {"http://h:65536", "port"},
      {"http://h:99999999999", "port"},
      {"http://h:80x", "port"},
      {"http://me:secret@h", "keys of their own"},
      {"http://h/write?db=x", "query"},
      {"http://h#x", "query"},
      {"http://h h", "encoded"},
      {"http://b\xc3\xbcro", "encoded"},
      {"http://[fd00::5", "bracket"},
      {"http://[fd00::5]x", "]:"},
      {"http://[influx]", "IPv6"},
  };
  char endless[3000] = "http://";
  const char *why;
  bb_http_url url;
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    why = "";
    expect_int(rows[i].url, bb_http_url_parse(&url, rows[i].url, &why), BB_ERR_FORMAT);
    expect_part(rows[i].url, why, rows[i].part);
  }
  memset(endless + 7, 'a', 300);
  expect_int("long host", bb_http_url_parse(&url, endless, &why), BB_ERR_FORMAT);
  memset(endless + 7, 'a', 2900);
  expect_int("long URL", bb_http_url_parse(&url, endless, &why), BB_ERR_FORMAT);
}

static void test_http_proxy_by_environment(void **state) {
  static const struct {
    const char *url, *option;
    const char *http, *https, *all, *none;
    const char *expected;
  } rows[] = {
      {"http://h", NULL, NULL, NULL, NULL, NULL, NULL},
      {"http://h", NULL, "http://p:1", "http://q:2", NULL, NULL, "http://p:1"},
      {"https://h", NULL, "http://p:1", "http://q:2", NULL, NULL, "http://q:2"},
      {"https://h", NULL, "http://p:1", "", "http://r:3", NULL, "http://r:3"},
      {"http://h", "http://own:4", "http://p:1", NULL, NULL, "*", "http://own:4"},
      {"http://h", "none", "http://p:1", NULL, NULL, NULL, NULL},
      {"http://h", NULL, "http://p:1", NULL, NULL, "*", NULL},
      {"http://a.plant", NULL, "http://p:1", NULL, NULL, "x, plant", NULL},
      {"http://A.Plant", NULL, "http://p:1", NULL, NULL, ".plant", NULL},
      {"http://aplant", NULL, "http://p:1", NULL, NULL, "plant", "http://p:1"},
      {"http://10.0.0.5", NULL, "http://p:1", NULL, NULL, "localhost,10.0.0.5", NULL},
  };
  static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                      "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_http_url url;
    const char *why;
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) unsetenv(names[k]);
    if (rows[i].http != NULL) setenv("http_proxy", rows[i].http, 1);
    if (rows[i].https != NULL) setenv("HTTPS_PROXY", rows[i].https, 1);
    if (rows[i].all != NULL) setenv("all_proxy", rows[i].all, 1);
    if (rows[i].none != NULL) setenv("no_proxy", rows[i].none, 1);
    expect_int(rows[i].url, bb_http_url_parse(&url, rows[i].url, &why), 0);
    expect_text(rows[i].url, bb_http_proxy(&url, rows[i].option), rows[i].expected);
  }
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) unsetenv(names[k]);
}

static void test_http_proxy_parts(void **state) {
  static const struct {
    const char *text, *host;
    uint16_t port;
  } rows[] = {
      {"http://proxy.plant:3128", "proxy.plant", 3128},
      {"proxy", "proxy", 1080},
      {"https://proxy/", "proxy", 443},
      {"http://me:se@cret@proxy:3128", "proxy", 3128},
      {"socks5h://[::1]:9050", "::1", 9050},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_http_url url;
    expect_int(rows[i].text, bb_http_proxy_parse(&url, rows[i].text), 0);
    expect_text(rows[i].text, url.host, rows[i].host);
    expect_uint(rows[i].text, url.port, rows[i].port);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_http_url_parts),
      cmocka_unit_test(test_http_url_mistakes),
      cmocka_unit_test(test_http_proxy_by_environment),
      cmocka_unit_test(test_http_proxy_parts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
