/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sinks/influxdb/influxdb.h"
#include "sinks/influxdb/options.h"

static void parse(bb_doc_tree *doc, const char *text) {
  bb_report report;
  bb_report_init(&report);
  assert_int_equal(bb_doc_parse(doc, "t.yaml", text, strlen(text), &report), 0);
  bb_report_close(&report);
}

static void test_influxdb_options_defaults(void **state) {
  bb_doc_tree doc;
  bb_report report;
  bb_influxdb_options o;
  bb_sink_needs needs;
  (void)state;
  parse(&doc, "{ url: 'http://h:8086', database: d }");
  bb_report_init(&report);
  expect_int("check", bb_influxdb_options_check(doc.root, &report), 0);
  bb_influxdb_options_read(&o, doc.root, &report);
  expect_true("nothing reported", bb_report_ok(&report));
  bb_line_options line = bb_influxdb_options_line(&o);
  expect_int("layout", line.layout, BB_LINE_WIDE);
  expect_int("precision", line.precision, BB_LINE_MS);
  expect_true("numbers, names", !line.all_float && !line.unsigned_type && !line.names_as_is);
  expect_text("measurement", line.measurement, NULL);
  expect_uint("lines", o.batch.lines, 2000);
  expect_uint("bytes", o.batch.bytes, 1 << 20);
  expect_uint("age", o.batch.age_ms, 500);
  expect_uint("timeout", o.timeout_ms, 10000);
  expect_uint("concurrency", o.concurrency, 1);
  expect_true("gzip, verify", o.gzip && o.verify);
  bb_sink_influxdb.needs(doc.root, &needs);
  expect_uint("window", needs.window_records, 4000);
  bb_report_close(&report);
  bb_doc_close(&doc);
}

static void test_influxdb_options_mistakes(void **state) {
  static const struct {
    const char *text, *parts[4];
  } rows[] = {
      {"{ url: 'http://h' }", {"bucket (with org", "database (InfluxDB 1) is missing"}},
      {"{ url: 'http://h', bucket: b, org: o, database: d }", {"both given; keep bucket"}},
      {"{ url: 'http://h', bucket: b }", {"\"org\" is missing"}},
      {"{ url: 'http://h', bucket: b, org: o, user: u, retention_policy: r }",
       {"user: this belongs to database (InfluxDB 1), but bucket is given",
        "retention_policy: this"}},
      {"{ url: 'http://h', database: d, org: o, token_env: T }",
       {"org: this belongs to bucket (InfluxDB 2), but database is given", "token_env: this"}},
      {"{ url: 'http://h', database: d, unsigned: unsigned }",
       {"unsigned: InfluxDB 1 has no unsigned"}},
      {"{ url: 'http://h', database: d, user: u }", {"no password_env or password_file"}},
      {"{ url: 'http://h', database: d, password_env: P }", {"but no user"}},
      {"{ url: 'http://h', bucket: b, org: o, token_env: T, token_file: F }",
       {"token_file: token_env and token_file are both given"}},
      {"{ url: 'h:8086', database: d }", {"url: it must begin with http:// or https://"}},
      {"{ url: 'http://me:pw@h', database: d }", {"url: user and password do not stand in it"}},
      {"{ url: 'http://h', database: d, proxy: 'p:3128' }", {"proxy: it must begin", "or none"}},
      {"{ url: 'http://h', database: d, key_file: k }", {"key_file: cert_file"}},
      {"{ url: 'http://h', database: d, batch: { line: 5, bytes: 10, age: 2min } }",
       {"batch.line: unknown key; did you mean \"lines\"?", "batch.bytes: ", "batch.age: "}},
      {"{ url: 'http://h', database: d, tags: { time: x, 'a b': y, c: '', d: [1] } }",
       {"tags.time: ", "tags.a b: this cannot be a tag's name", "tags.c: a tag's value",
        "tags.d: "}},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_doc_tree doc;
    bb_report report;
    bb_buf text;
    parse(&doc, rows[i].text);
    bb_report_init(&report);
    bb_buf_init(&text, 1 << 16);
    expect_int(rows[i].text, bb_influxdb_options_check(doc.root, &report), BB_ERR_CONFIG);
    bb_report_print(&report, &text);
    for (int k = 0; k < 4 && rows[i].parts[k] != NULL; k++) {
      expect_part(rows[i].text, bb_buf_string(&text), rows[i].parts[k]);
    }
    bb_buf_close(&text);
    bb_report_close(&report);
    bb_doc_close(&doc);
  }
}

static void test_influxdb_options_path_that_is_too_long(void **state) {
  char text[3000] = "{ url: 'http://h', database: \"", path[BB_INFLUXDB_MAX_PATH];
  size_t len = strlen(text);
  bb_doc_tree doc;
  bb_report none;
  bb_influxdb_options o;
  (void)state;
  memset(text + len, '&', 2000);
  memcpy(text + len + 2000, "\" }", 4);
  parse(&doc, text);
  bb_report_init(&none);
  bb_influxdb_options_read(&o, doc.root, &none);
  expect_int("path", bb_influxdb_options_path(&o, path, sizeof(path)), BB_ERR_LIMIT);
  bb_report_close(&none);
  bb_doc_close(&doc);
}

/* The reference is printed from the schema: every key has its sentence. */
static void test_influxdb_options_have_help(void **state) {
  const bb_schema *schema = bb_sink_influxdb.options;
  (void)state;
  for (size_t i = 0; i < schema->n; i++) {
    expect_true(schema->fields[i].key, strlen(schema->fields[i].help) > 10);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_influxdb_options_defaults),
      cmocka_unit_test(test_influxdb_options_mistakes),
      cmocka_unit_test(test_influxdb_options_path_that_is_too_long),
      cmocka_unit_test(test_influxdb_options_have_help),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
