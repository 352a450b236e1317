/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/doc.h"
#include "base/limits.h"
#include "base/report.h"
#include "base/text.h"
#include "support/expect.h"
#include "support/folder.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int64_t now_ns;

static int64_t test_utc_ns(void *user) {
  (void)user;
  return now_ns;
}

typedef struct {
  bb_log log;
  int fds[2];
  char text[3 * BB_MAX_LOG_LINE];
} sink;

static void open_sink(sink *s, bool json) {
  assert_int_equal(pipe(s->fds), 0);
  assert_int_equal(fcntl(s->fds[0], F_SETFL, O_NONBLOCK), 0);
  bb_log_init(&s->log, s->fds[1]);
  s->log.json = json;
  s->log.clock.utc_ns = test_utc_ns;
}

static const char *taken(sink *s) {
  ssize_t len = read(s->fds[0], s->text, sizeof(s->text) - 1);
  s->text[len > 0 ? len : 0] = 0;
  return s->text;
}

static void close_sink(sink *s) {
  close(s->fds[0]);
  close(s->fds[1]);
}

#define FOREIGN "x\n2026-01-01T00:00:00.000Z error forged: y"

/* One event, one line, whatever the text holds. */
static void test_log_foreign_text_cannot_forge_a_line(void **state) {
  static const struct {
    const char *text;
    const char *plain;
    const char *json;
  } rows[] = {
      {FOREIGN, "x\\u000a2026-01-01T00:00:00.000Z error forged: y",
       "x\\u000a2026-01-01T00:00:00.000Z error forged: y"},
      {"a\rb", "a\\u000db", "a\\u000db"},
      {"\x1b[2J", "\\u001b[2J", "\\u001b[2J"},
      {"a\x7f"
       "b",
       "a\\u007fb", "a\\u007fb"},
      {"a\tb\x01", "a\\u0009b\\u0001", "a\\u0009b\\u0001"},
      {"a\xc2\x9b"
       "2Jb\xc2\x85",
       "a\\u009b2Jb\\u0085", "a\\u009b2Jb\\u0085"},
      {"a\xe2\x80\xa8"
       "b\xe2\x80\xa9",
       "a\\u2028b\\u2029", "a\\u2028b\\u2029"},
      {"a\xff"
       "b\xc3",
       "a\\xffb\\xc3", "a\\ufffdb\\ufffd"},
      {"say \"a\\b\"", "say \"a\\b\"", "say \\\"a\\\\b\\\""},
      {"\",\"level\":\"x", "\",\"level\":\"x", "\\\",\\\"level\\\":\\\"x"},
      {"21 \xc2\xb0"
       "C \xe2\x82\xac \xf0\x9f\x98\x80",
       "21 \xc2\xb0"
       "C \xe2\x82\xac \xf0\x9f\x98\x80",
       "21 \xc2\xb0"
       "C \xe2\x82\xac \xf0\x9f\x98\x80"},
      {"100 %s %n", "100 %s %n", "100 %s %n"},
      {"", "", ""},
  };
  (void)state;
  now_ns = 1767225600123456789; /* 2026-01-01 00:00:00 UTC */
  for (int json = 0; json <= 1; json++) {
    sink s;
    open_sink(&s, json != 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
      char expected[512];
      snprintf(expected, sizeof(expected),
               json
                   ? "{\"time\":\"2026-01-01T00:00:00.123Z\",\"level\":\"info\",\"subject\":\"%s\","
                     "\"text\":\"%s\"}\n"
                   : "2026-01-01T00:00:00.123Z info  %s: %s\n",
               json ? rows[i].json : rows[i].plain, json ? rows[i].json : rows[i].plain);
      bb_log_info(&s.log, rows[i].text, "%s", rows[i].text);
      expect_text(rows[i].text, taken(&s), expected);
    }
    close_sink(&s);
  }
}

/* Filler of each length around the cut, with every kind of character that grows by escaping. */
static void test_log_cuts_long_lines_whole(void **state) {
  static const char *const units[] = {"a", "\n", "\"", "\xff", "\xc3\xa9", "\xf0\x9f\x98\x80"};
  static char text[6000];
  (void)state;
  for (int json = 0; json <= 1; json++) {
    sink s;
    open_sink(&s, json != 0);
    for (size_t u = 0; u < COUNT(units); u++) {
      size_t unit = strlen(units[u]);
      for (size_t n = 0; n < 40; n++) {
        size_t len = n < 20 ? 500 * (n + 1) / 2 : 1000 + n;
        if (len > sizeof(text) - 8) len = sizeof(text) - 8;
        size_t at = 0;
        for (; at < n % 7; at++) text[at] = '-';
        for (; at + unit < len; at += unit) memcpy(text + at, units[u], unit);
        text[at] = 0;
        bb_log_error(&s.log, text, "%s", text);
        const char *line = taken(&s);
        size_t line_len = strlen(line);
        expect_true(units[u], line_len > 0 && line_len <= BB_MAX_LOG_LINE);
        expect_true(units[u], strchr(line, '\n') == line + line_len - 1);
        expect_true(units[u], bb_text_is_utf8(line, line_len));
        expect_part(units[u], line, json ? "\",\"text\":\"" : ": ");
        if (!json) continue;
        bb_doc_tree tree;
        bb_report report;
        bb_report_init(&report);
        expect_int(units[u], bb_doc_parse(&tree, "line", line, line_len, &report), 0);
        expect_uint(units[u], tree.root->n, 4);
        bb_doc_close(&tree);
        bb_report_close(&report);
      }
    }
    close_sink(&s);
  }
}

static void test_log_json_parses(void **state) {
  (void)state;
  sink s;
  open_sink(&s, true);
  now_ns = 0;
  bb_log_warn(&s.log, NULL, "%s", "say \"hi\\\" \x01\n\xff {}[]");
  const char *line = taken(&s);
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  expect_int(line, bb_doc_parse(&tree, "line", line, strlen(line), &report), 0);
  expect_text("time", bb_doc_get_text(tree.root, "time"), "1970-01-01T00:00:00.000Z");
  expect_text("level", bb_doc_get_text(tree.root, "level"), "warn");
  expect_text("subject", bb_doc_get_text(tree.root, "subject"), "");
  expect_text("text", bb_doc_get_text(tree.root, "text"), "say \"hi\\\" \x01\n\xef\xbf\xbd {}[]");
  bb_doc_close(&tree);
  bb_report_close(&report);
  close_sink(&s);
}

static void test_log_leaves_out_what_is_less_important(void **state) {
  (void)state;
  for (int level = BB_LOG_ERROR; level <= BB_LOG_DEBUG; level++) {
    sink s;
    open_sink(&s, false);
    s.log.level = (bb_log_level)level;
    for (int each = BB_LOG_ERROR; each <= BB_LOG_DEBUG; each++) {
      const char *name = bb_log_level_name((bb_log_level)each);
      bb_log_write(&s.log, (bb_log_level)each, NULL, "text");
      expect_true(name, (*taken(&s) != 0) == (each <= level));
      expect_uint(name, s.log.lines[each], 1);
    }
    close_sink(&s);
  }
}

static void test_log_times(void **state) {
  static const struct {
    int64_t ns;
    const char *expected;
  } rows[] = {
      {0, "1970-01-01T00:00:00.000Z error a: b\n"},
      {999999, "1970-01-01T00:00:00.000Z error a: b\n"},
      {999999999, "1970-01-01T00:00:00.999Z error a: b\n"},
      {1709210096007000000, "2024-02-29T12:34:56.007Z error a: b\n"},
      {-1, "1969-12-31T23:59:59.999Z error a: b\n"},
      {-1000000000, "1969-12-31T23:59:59.000Z error a: b\n"},
      {-1000000001, "1969-12-31T23:59:58.999Z error a: b\n"},
      {INT64_MAX, "2262-04-11T23:47:16.854Z error a: b\n"},
      {INT64_MIN, "1677-09-21T00:12:43.145Z error a: b\n"},
  };
  (void)state;
  sink s;
  open_sink(&s, false);
  for (size_t i = 0; i < COUNT(rows); i++) {
    now_ns = rows[i].ns;
    bb_log_error(&s.log, "a", "b");
    expect_text(rows[i].expected, taken(&s), rows[i].expected);
  }
  bb_log_warn(&s.log, NULL, "b");
  expect_part("without subject", taken(&s), "Z warn  b\n");
  close_sink(&s);
}

static void test_log_that_cannot_be_written_is_no_harm(void **state) {
  (void)state;
  bb_log log;
  bb_log_init(&log, -1);
  expect_int("level", (int)log.level, BB_LOG_INFO);
  bb_log_error(&log, NULL, "text");
  expect_uint("lines", log.lines[BB_LOG_ERROR], 1);
}

/* Said once an episode; each line goes somewhere. */
static void test_log_goes_to_stderr_while_its_file_fails(void **state) {
  (void)state;
  folder f;
  bb_log_file file;
  sink s;
  folder_open(&f);
  open_sink(&s, false);
  s.log.level = BB_LOG_ERROR;
  s.log.file = &file;
  bb_log_file_init(&file, folder_path(&f, "later/log"));
  bb_log_error(&s.log, NULL, "one");
  const char *text = taken(&s);
  expect_part("why", text, "/later/log cannot be written (No such file or directory); it goes to");
  expect_part("the line", strchr(text, '\n'), "error one\n");
  bb_log_error(&s.log, NULL, "two");
  text = taken(&s);
  expect_part("the line", text, "error two\n");
  expect_true("only that", strchr(text, '\n')[1] == 0);
  mkdir(folder_path(&f, "later"), 0700);
  bb_log_error(&s.log, NULL, "three");
  expect_text("nothing", taken(&s), "");
  unlink(file.path);
  rmdir(folder_path(&f, "later"));
  bb_log_error(&s.log, NULL, "four");
  expect_part("told again", taken(&s), "cannot be written");
  expect_uint("lines", s.log.lines[BB_LOG_ERROR], 6);
  bb_log_file_close(&file);
  close_sink(&s);
  folder_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_foreign_text_cannot_forge_a_line),
      cmocka_unit_test(test_log_cuts_long_lines_whole),
      cmocka_unit_test(test_log_json_parses),
      cmocka_unit_test(test_log_leaves_out_what_is_less_important),
      cmocka_unit_test(test_log_times),
      cmocka_unit_test(test_log_that_cannot_be_written_is_no_harm),
      cmocka_unit_test(test_log_goes_to_stderr_while_its_file_fails),
  };
  return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
