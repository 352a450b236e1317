/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"
#include "support/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sinks/influxdb/answer.h"
#include "sinks/influxdb/answer_json.h"

static void test_influxdb_json_finds_the_message(void **state) {
  static const struct {
    const char *body;
    bool is_object;
    const char *message;
    uint32_t line;
  } rows[] = {
      {"", false, NULL, 0},
      {"nothing", false, NULL, 0},
      {"[\"error\"]", false, NULL, 0},
      {"{}", true, NULL, 0},
      {" { \"error\" : \"a\" } ", true, "a", 0},
      {"{\"code\":\"invalid\",\"message\":\"b\",\"line\":7}", true, "b", 7},
      {"{\"line\":12,\"message\":\"c\"}", true, "c", 12},
      {"{\"line\":99999999999,\"message\":\"c\"}", true, "c", 0},
      {"{\"line\":-1,\"message\":\"c\"}", true, "c", 0},
      {"{\"line\":\"3\",\"message\":5}", true, NULL, 0},
      {"{\"a\":{\"error\":\"x\"},\"b\":[1,{\"c\":\"}]\"}],\"error\":\"d\"}", true, "d", 0},
      {"{\"error\":\"a\\\"b\\\\c\\/d\\n\\u00e9\\u20ac\\u003c\"}", true,
       "a\"b\\c/d\n\xc3\xa9\xe2\x82\xac<", 0},
      {"{\"error\":\"\\ud83d\\ude00\\u0000\\q\\u12\"}", true, "???qu12", 0},
      {"{\"error\":\"cut off\\", true, "cut off", 0},
      {"{\"error\":\"cut off\\u00", true, "cut offu00", 0},
      {"{\"error\":", true, NULL, 0},
      {"{\"error\"", true, NULL, 0},
      {"{\"x\":]]]]}}\"error\":\"a\"", true, NULL, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_influxdb_json json;
    char *body = strdup(rows[i].body);
    expect_int(rows[i].body, bb_influxdb_json_read(&json, body, strlen(body)), rows[i].is_object);
    expect_text(rows[i].body, json.message, rows[i].message);
    expect_uint(rows[i].body, json.line, rows[i].line);
    free(body);
  }
}

static void test_influxdb_answer_of_each_server(void **state) {
  static const struct {
    const char *file;
    uint32_t status;
    bb_influxdb_meaning meaning;
    bool partial;
    int64_t dropped; /* -1: not told */
    uint32_t line, n_named;
    const char *field, *measurement, *type;
  } rows[] = {
      {"1.6-conflict.json", 400, BB_INFLUXDB_BAD_LINES, true, 1, 0, 0, "f", "m", "integer"},
      {"1.6-unparsable-partly.json", 400, BB_INFLUXDB_BAD_LINES, true, 0, 0, 2, "", "", ""},
      {"1.6-unparsable.json", 400, BB_INFLUXDB_BAD_LINES, false, -1, 0, 2, "", "", ""},
      {"1.6-field-time.json", 400, BB_INFLUXDB_BAD_LINES, true, 1, 0, 0, "", "", ""},
      {"1.6-no-database.json", 404, BB_INFLUXDB_WRONG, false, -1, 0, 0, "", "", ""},
      {"1.6-no-retention-policy.json", 500, BB_INFLUXDB_WRONG, false, -1, 0, 0, "", "", ""},
      {"2-no-bucket.json", 404, BB_INFLUXDB_WRONG, false, -1, 0, 0, "", "", ""},
      {"3-line.json", 400, BB_INFLUXDB_BAD_LINES, false, -1, 2, 0, "", "", ""},
      {"3-partial.json", 400, BB_INFLUXDB_BAD_LINES, true, -1, 0, 0, "", "", ""},
      {"plain.txt", 400, BB_INFLUXDB_WRONG, false, -1, 0, 0, "", "", ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    static bb_influxdb_complaint c;
    char path[64];
    size_t len;
    snprintf(path, sizeof(path), "influxdb/%s", rows[i].file);
    char *body = (char *)vector_read(path, &len);
    bb_influxdb_answer_read(&c, body, len);
    expect_int(path, bb_influxdb_answer_judge(rows[i].status, &c), rows[i].meaning);
    expect_int(path, c.partial, rows[i].partial);
    expect_int(path, c.has_dropped ? (int64_t)c.dropped : -1, rows[i].dropped);
    expect_uint(path, c.line, rows[i].line);
    expect_uint(path, c.n_named, rows[i].n_named);
    expect_text(path, c.field, rows[i].field);
    expect_text(path, c.measurement, rows[i].measurement);
    expect_text(path, c.type, rows[i].type);
    free(body);
  }
}

static void test_influxdb_answer_by_status(void **state) {
  static const struct {
    uint32_t status;
    bb_influxdb_meaning meaning;
  } rows[] = {
      {200, BB_INFLUXDB_WRITTEN},   {204, BB_INFLUXDB_WRITTEN}, {301, BB_INFLUXDB_WRONG},
      {400, BB_INFLUXDB_WRONG},     {401, BB_INFLUXDB_WRONG},   {403, BB_INFLUXDB_WRONG},
      {404, BB_INFLUXDB_WRONG},     {405, BB_INFLUXDB_WRONG},   {408, BB_INFLUXDB_BUSY},
      {413, BB_INFLUXDB_TOO_LARGE}, {422, BB_INFLUXDB_WRONG},   {429, BB_INFLUXDB_BUSY},
      {500, BB_INFLUXDB_BUSY},      {503, BB_INFLUXDB_BUSY},    {599, BB_INFLUXDB_BUSY},
  };
  static bb_influxdb_complaint nothing = {.message = ""};
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char row[16];
    snprintf(row, sizeof(row), "%u", rows[i].status);
    expect_int(row, bb_influxdb_answer_judge(rows[i].status, &nothing), rows[i].meaning);
  }
}

static void test_influxdb_answer_names_lines(void **state) {
  static const struct {
    const char *line, *reason; /* NULL: not named */
  } rows[] = {
      {"m,a=b f= 1", "missing field value"},
      {"m f=1x 3", "invalid number dropped=0"},
      {"m f=1x", NULL},
      {"m,a=b f= 1'", NULL},
      {"", NULL},
      {"m f=2 3", NULL},
  };
  static bb_influxdb_complaint c;
  size_t len;
  (void)state;
  char *body = (char *)vector_read("influxdb/1.6-unparsable-partly.json", &len);
  bb_influxdb_answer_read(&c, body, len);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    const char *reason = NULL;
    size_t reason_len = 0;
    bool named =
        bb_influxdb_answer_names(&c, rows[i].line, strlen(rows[i].line), &reason, &reason_len);
    expect_int(rows[i].line, named, rows[i].reason != NULL);
    if (!named) continue;
    expect_bytes(rows[i].line, reason, reason_len, rows[i].reason, strlen(rows[i].reason));
  }
  free(body);
}

static void test_influxdb_refusal_is_one_printable_line(void **state) {
  static const struct {
    const char *text, *expected;
  } rows[] = {
      {"partial write: too\told\x01 dropped=3", "refused by influx:8086: too old "},
      {"", "refused by influx:8086: it does not say why"},
  };
  char endless[1000];
  bb_reason reason;
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_influxdb_answer_refusal(&reason, "influx:8086", 400, rows[i].text, strlen(rows[i].text));
    expect_text(rows[i].expected, reason.text, rows[i].expected);
    expect_int(rows[i].expected, reason.code, BB_ERR_REFUSED);
    expect_uint(rows[i].expected, reason.raw, 400);
  }
  for (size_t i = 0; i < sizeof(endless); i += 2) memcpy(endless + i, "\xc3\xbc", 2);
  bb_influxdb_answer_refusal(&reason, "h", 400, endless, sizeof(endless));
  expect_true("cut", strlen(reason.text) > 150 && strlen(reason.text) < BB_MAX_REASON);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_influxdb_json_finds_the_message),
      cmocka_unit_test(test_influxdb_answer_of_each_server),
      cmocka_unit_test(test_influxdb_answer_by_status),
      cmocka_unit_test(test_influxdb_answer_names_lines),
      cmocka_unit_test(test_influxdb_refusal_is_one_printable_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
