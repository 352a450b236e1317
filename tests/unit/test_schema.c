/* SPDX-License-Identifier: Apache-2.0 */
#include "base/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

typedef struct {
  const char *host, *id, *name;
  bool on;
  uint32_t port, any;
  double level, free_level;
  bb_decimal scale;
  uint32_t period, timeout;
  uint64_t room, free_room;
  int parity;
  const bb_doc *doc, *list, *map;
} settings;

static const char *const parities[] = {"none", "even", "odd", NULL};

#define AT(field) .offset = offsetof(settings, field)

static const bb_field fields[] = {
    {"host", BB_FIELD_TEXT, AT(host), .required = true, .help = "Where it is."},
    {"id", BB_FIELD_ID, AT(id), .help = "Its id."},
    {"name", BB_FIELD_NAME, AT(name), .fallback = "power/total", .help = "Its name."},
    {"on", BB_FIELD_BOOL, AT(on), .fallback = "true", .help = "Whether it runs."},
    {"port", BB_FIELD_U32, AT(port), .min = 1, .max = 65535, .fallback = "502",
     .help = "Its port."},
    {"any", BB_FIELD_U32, AT(any), .help = "Any whole number."},
    {"level", BB_FIELD_NUMBER, AT(level), .min = -1.5, .max = 4294967295, .fallback = "0.1",
     .help = "A level."},
    {"free-level", BB_FIELD_NUMBER, AT(free_level), .help = "Any number."},
    {"scale", BB_FIELD_DECIMAL, AT(scale), .fallback = "1", .help = "A scale."},
    {"period", BB_FIELD_DURATION, AT(period), .min = 100, .max = 3600000, .fallback = "1s",
     .help = "How often."},
    {"timeout", BB_FIELD_DURATION, AT(timeout), .help = "How long."},
    {"room", BB_FIELD_BYTES, AT(room), .min = 1024, .max = 1073741824, .fallback = "16MiB",
     .help = "How much."},
    {"free-room", BB_FIELD_BYTES, AT(free_room), .help = "How much more."},
    {"parity", BB_FIELD_CHOICE, AT(parity), .choices = parities, .fallback = "even",
     .help = "Which parity."},
    {"doc", BB_FIELD_DOC, AT(doc), .help = "Anything."},
    {"list", BB_FIELD_LIST, AT(list), .help = "Some things."},
    {"map", BB_FIELD_MAP, AT(map), .help = "Named things."},
};

static const bb_schema schema = BB_SCHEMA("connection", fields);

typedef struct {
  bb_doc_tree tree;
  bb_report report;
  settings out;
  int err;
} reading;

/* The struct is full of rubbish before, as one on the stack is. */
static void read_text(reading *r, const char *text) {
  bb_report_init(&r->report);
  memset(&r->out, 0xA5, sizeof(r->out));
  expect_int(text, bb_doc_parse(&r->tree, "c.yaml", text, strlen(text), &r->report), 0);
  r->err = bb_schema_read(&schema, r->tree.root, &r->out, &r->report);
}

static void close_reading(reading *r) {
  bb_doc_close(&r->tree);
  bb_report_close(&r->report);
}

static void expect_defaults(const char *row, const settings *out) {
  expect_text(row, out->id, NULL);
  expect_text(row, out->name, "power/total");
  expect_int(row, out->on, true);
  expect_uint(row, out->port, 502);
  expect_uint(row, out->any, 0);
  expect_double(row, out->level, 0.1);
  expect_double(row, out->free_level, 0);
  expect_int(row, out->scale.digits, 1);
  expect_int(row, out->scale.exponent, 0);
  expect_uint(row, out->period, 1000);
  expect_uint(row, out->timeout, 0);
  expect_uint(row, out->room, 16u << 20);
  expect_uint(row, out->free_room, 0);
  expect_int(row, out->parity, 1);
  expect_true(row, out->doc == NULL && out->list == NULL && out->map == NULL);
}

/* One mistake a row; each leaves the default in place. */
static void test_schema_tells_what_does_not_fit(void **state) {
  static const struct {
    const char *line;
    const char *expected;
  } rows[] = {
      {"id: a b", "\"a b\" does not fit; allowed: 1 to 64 of letters, digits, - _ . and not "
                  "starting with . or -"},
      {"id: [a]", "a list stands here; allowed: 1 to 64 of letters, digits, - _ . and not starting "
                  "with . or -"},
      {"name: ''", "\"\" does not fit; allowed: 1 to 128 of letters, digits, - _ . / : [ ] and not "
                   "starting with . or -"},
      {"name: a#", "\"a#\" does not fit; allowed: 1 to 128 of letters, digits, - _ . / : [ ] and "
                   "not starting with . or -"},
      {"on: yes", "\"yes\" does not fit; allowed: true or false"},
      {"on: 1", "\"1\" does not fit; allowed: true or false"},
      {"on: {}", "a map stands here; allowed: true or false"},
      {"port: 0", "\"0\" does not fit; allowed: whole number from 1 to 65535"},
      {"port: 65536", "\"65536\" does not fit; allowed: whole number from 1 to 65535"},
      {"port: -1", "\"-1\" does not fit; allowed: whole number from 1 to 65535"},
      {"port: 1.0", "\"1.0\" does not fit; allowed: whole number from 1 to 65535"},
      {"port: 5o2", "\"5o2\" does not fit; allowed: whole number from 1 to 65535"},
      {"port: ' 1'", "\" 1\" does not fit; allowed: whole number from 1 to 65535"},
      {"port: 0x", "\"0x\" does not fit; allowed: whole number from 1 to 65535"},
      {"port: 99999999999999999999",
       "\"99999999999999999999\" does not fit; allowed: whole number from 1 to 65535"},
      {"any: 4294967296", "\"4294967296\" does not fit; allowed: whole number"},
      {"level: -1.6", "\"-1.6\" does not fit; allowed: number from -1.5 to 4294967295"},
      {"level: .nan", "\".nan\" does not fit; allowed: number from -1.5 to 4294967295"},
      {"level: 1,5", "\"1,5\" does not fit; allowed: number from -1.5 to 4294967295"},
      {"free-level: 999999999999999999e300",
       "\"999999999999999999e300\" does not fit; allowed: number"},
      {"free-level: inf", "\"inf\" does not fit; allowed: number"},
      {"scale: 1/10", "\"1/10\" does not fit; allowed: decimal"},
      {"scale: 0.12345678901234567890",
       "\"0.12345678901234567890\" does not fit; allowed: decimal"},
      {"period: 1",
       "\"1\" does not fit; allowed: a duration such as 250ms, 5s, 1min, from 100 ms to "
       "1 h"},
      {"period: 99ms",
       "\"99ms\" does not fit; allowed: a duration such as 250ms, 5s, 1min, from 100 "
       "ms to 1 h"},
      {"timeout: 50d", "\"50d\" does not fit; allowed: a duration such as 250ms, 5s, 1min"},
      {"room: 1", "\"1\" does not fit; allowed: a size such as 64KiB or 16MiB, from 1 KiB "
                  "to 1 GiB"},
      {"free-room: lots", "\"lots\" does not fit; allowed: a size such as 64KiB or 16MiB"},
      {"parity: None", "\"None\" does not fit; allowed: none, even, odd"},
      {"list: a", "\"a\" does not fit; allowed: list"},
      {"list: {}", "a map stands here; allowed: list"},
      {"map: []", "a list stands here; allowed: map"},
      {"portt: 1", "unknown key; did you mean \"port\"? allowed: "},
      {"Host: 1", "unknown key; did you mean \"host\"? allowed: "},
      {"temperature: 1", "unknown key; allowed: host, id, name, on, port, any, level, free-level, "
                         "scale, period, timeout, room, free-room, parity, doc, list, map"},
      {"'': 1", "unknown key; "},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    char text[256];
    snprintf(text, sizeof(text), "host: h\n%s\n", rows[i].line);
    reading r;
    read_text(&r, text);
    expect_int(rows[i].line, r.err, BB_ERR_CONFIG);
    expect_uint(rows[i].line, r.report.n, 1);
    expect_part(rows[i].line, r.report.mistakes[0].text, rows[i].expected);
    expect_uint(rows[i].line, r.report.mistakes[0].line, 2);
    expect_text(rows[i].line, r.out.host, "h");
    expect_defaults(rows[i].line, &r.out);
    close_reading(&r);
  }
}

static void test_schema_required(void **state) {
  static const char *const rows[] = {"{}", "port: 1", "host:", "host: ~", "host: null"};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    reading r;
    read_text(&r, rows[i]);
    expect_int(rows[i], r.err, BB_ERR_CONFIG);
    expect_uint(rows[i], r.report.n, 1);
    expect_text(rows[i], r.report.mistakes[0].text, "\"host\" is missing: Where it is.");
    expect_text(rows[i], r.out.host, NULL);
    close_reading(&r);
  }
}

static void test_schema_tells_all_mistakes_at_once(void **state) {
  (void)state;
  reading r;
  read_text(&r, "port: 0\nparity: x\nperod: 1s\nid: '-'\n");
  expect_int("result", r.err, BB_ERR_CONFIG);
  expect_uint("mistakes", r.report.n, 5);
  close_reading(&r);
}

static void test_schema_of_what_is_no_map(void **state) {
  static const char *const rows[] = {"[1]", "text"};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    reading r;
    read_text(&r, rows[i]);
    expect_int(rows[i], r.err, BB_ERR_CONFIG);
    expect_uint(rows[i], r.report.n, 1);
    expect_text(rows[i], r.report.mistakes[0].text, "a connection is a map of keys and values");
    expect_defaults(rows[i], &r.out);
    close_reading(&r);
  }
}

static void test_schema_without_document_gives_the_defaults(void **state) {
  (void)state;
  settings out;
  bb_report report;
  bb_report_init(&report);
  memset(&out, 0xA5, sizeof(out));
  expect_int("result", bb_schema_read(&schema, NULL, &out, &report), 0);
  expect_true("nothing is missing", bb_report_ok(&report));
  expect_text("zero", out.host, NULL);
  expect_defaults("defaults", &out);
  bb_report_close(&report);
}

static void test_schema_null_is_like_a_missing_key(void **state) {
  (void)state;
  reading r;
  read_text(&r,
            "{host: h, id: ~, name: null, on: , port: ~, level: ~, scale: ~, period: ~, room: ~,"
            " parity: ~, doc: ~, list: ~, map: ~}");
  expect_int("result", r.err, 0);
  expect_defaults("defaults", &r.out);
  close_reading(&r);
  read_text(&r, "host: 'null'");
  expect_text("in quotes it is a text", r.out.host, "null");
  close_reading(&r);
}

static void test_schema_reads_every_kind(void **state) {
  (void)state;
  reading r;
  read_text(&r,
            "host: 10.0.0.1\nid: meter-1\nname: a/b\non: false\nport: 0xFFFF\nany: '4294967295'\n"
            "level: 4294967295\nfree-level: -1e-3\nscale: 0.10\nperiod: 1.5s\ntimeout: 49d\n"
            "room: 64KiB\nfree-room: 1GiB\nparity: odd\ndoc: [x]\nlist: [a]\nmap: {k: v}\n");
  expect_text("mistakes", r.report.n > 0 ? r.report.mistakes[0].text : "none", "none");
  expect_int("result", r.err, 0);
  expect_text("host", r.out.host, "10.0.0.1");
  expect_text("id", r.out.id, "meter-1");
  expect_text("name", r.out.name, "a/b");
  expect_int("on", r.out.on, false);
  expect_uint("port", r.out.port, 65535);
  expect_uint("any", r.out.any, UINT32_MAX);
  expect_double("level", r.out.level, 4294967295.0);
  expect_double("free-level", r.out.free_level, -0.001);
  expect_int("scale", r.out.scale.digits, 1);
  expect_int("scale", r.out.scale.exponent, -1);
  expect_uint("period", r.out.period, 1500);
  expect_uint("timeout", r.out.timeout, 4233600000u);
  expect_uint("room", r.out.room, 65536);
  expect_uint("free-room", r.out.free_room, 1073741824);
  expect_int("parity", r.out.parity, 2);
  expect_text("doc", r.out.doc->first->text, "x");
  expect_uint("list", r.out.list->n, 1);
  expect_text("map", bb_doc_get_text(r.out.map, "k"), "v");
  close_reading(&r);
}

/* One map that two tables describe, each its part. */
static void test_schema_in_parts(void **state) {
  static const bb_field more_fields[] = {
      {"baud", BB_FIELD_U32, 0, .fallback = "9600", .help = "."}};
  static const bb_schema more = BB_SCHEMA("line", more_fields);
  const bb_schema *const both[] = {&schema, &more};
  static const char text[] = "{host: h, baud: 19200, buad: 1}";
  (void)state;
  bb_doc_tree tree;
  bb_report report;
  settings out;
  uint32_t baud;
  bb_report_init(&report);
  expect_int("parse", bb_doc_parse(&tree, "c.yaml", text, strlen(text), &report), 0);
  expect_int("first part", bb_schema_read_part(&schema, tree.root, &out, &report), 0);
  expect_int("second part", bb_schema_read_part(&more, tree.root, &baud, &report), 0);
  expect_text("host", out.host, "h");
  expect_uint("baud", baud, 19200);
  expect_true("nothing reported", bb_report_ok(&report));
  expect_int("keys", bb_schema_check_keys(both, 2, tree.root, &report), BB_ERR_CONFIG);
  expect_uint("mistakes", report.n, 1);
  expect_part("nearest", report.mistakes[0].text, "did you mean \"baud\"? allowed: host, ");
  bb_doc_close(&tree);
  bb_report_close(&report);
}

static void test_schema_print(void **state) {
  static const char *const lines[] = {
      "| key | takes | default | meaning |\n|---|---|---|---|\n",
      "| `host` | text | required | Where it is. |\n",
      "| `port` | whole number from 1 to 65535 | 502 | Its port. |\n",
      "| `free-room` | a size such as 64KiB or 16MiB |  | How much more. |\n",
      "| `parity` | none, even, odd | even | Which parity. |\n",
  };
  (void)state;
  bb_buf out;
  bb_buf_init(&out, 100000);
  bb_schema_print(&schema, &out);
  for (size_t i = 0; i < COUNT(lines); i++) expect_part("print", bb_buf_string(&out), lines[i]);
  bb_buf_close(&out);
}

/* A mistake that finds no memory is counted, so that a wrong document never counts as right. */
static int read_wrong(void *user) {
  bb_doc_tree *tree = user;
  bb_report report;
  settings out;
  bb_report_init(&report);
  expect_int("result", bb_schema_read(&schema, tree->root, &out, &report), BB_ERR_CONFIG);
  expect_uint("all are counted", report.n + report.more, 5);
  expect_true("not right", !bb_report_ok(&report));
  bb_report_close(&report);
  return 0;
}

static void test_schema_without_memory(void **state) {
  static const char text[] = "port: 0\nparity: x\nperod: 1s\nid: '-'\n";
  (void)state;
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  expect_int("parse", bb_doc_parse(&tree, "c.yaml", text, strlen(text), &report), 0);
  failmalloc_each_survives(read_wrong, &tree);
  bb_doc_close(&tree);
  bb_report_close(&report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_schema_tells_what_does_not_fit),
      cmocka_unit_test(test_schema_required),
      cmocka_unit_test(test_schema_tells_all_mistakes_at_once),
      cmocka_unit_test(test_schema_of_what_is_no_map),
      cmocka_unit_test(test_schema_without_document_gives_the_defaults),
      cmocka_unit_test(test_schema_null_is_like_a_missing_key),
      cmocka_unit_test(test_schema_reads_every_kind),
      cmocka_unit_test(test_schema_in_parts),
      cmocka_unit_test(test_schema_print),
      cmocka_unit_test(test_schema_without_memory),
  };
  return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
