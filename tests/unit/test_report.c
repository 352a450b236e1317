/* SPDX-License-Identifier: Apache-2.0 */
#include "base/report.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "support/expect.h"
#include "support/failmalloc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *printed(const bb_report *report, bb_buf *out) {
  bb_buf_clear(out);
  bb_report_print(report, out);
  return bb_buf_string(out);
}

/* What a document holds is quoted in mistakes; it must not make lines of its own. */
static void test_report_keeps_foreign_text_in_its_line(void **state) {
  static const struct {
    const char *text;
    const char *expected;
  } rows[] = {
      {"a\nsite.yaml:1: forged", "f:3: a site.yaml:1: forged\n"},
      {"a\r\x1b[2J\tb\x7f", "f:3: a  [2J b \n"},
      {"\xff\xc3", "f:3: ??\n"},
      {"torn \xe2\x82", "f:3: torn ??\n"},
      {"\xc2\xb0"
       "C \xf0\x9f\x98\x80",
       "f:3: \xc2\xb0"
       "C \xf0\x9f\x98\x80\n"},
      {"%s%n", "f:3: %s%n\n"},
      {"", "f:3: \n"},
  };
  (void)state;
  bb_buf out;
  bb_buf_init(&out, 10000);
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_report report;
    bb_report_init(&report);
    bb_report_file(&report, "f");
    bb_report_add_line(&report, 3, "%s", rows[i].text);
    expect_text(rows[i].text, printed(&report, &out), rows[i].expected);
    bb_report_close(&report);
  }
  bb_buf_close(&out);
}

static void test_report_cuts_long_texts(void **state) {
  static char text[10000];
  (void)state;
  for (size_t i = 0; i + 2 < sizeof(text); i += 2) memcpy(text + i, "\xc3\xa9", 2);
  bb_report report;
  bb_report_init(&report);
  bb_report_add_line(&report, 1, "x%s", text);
  expect_uint("kept", report.n, 1);
  size_t len = strlen(report.mistakes[0].text);
  expect_true("cut", len > 1000 && len < 5000);
  expect_true("at a character or marked", bb_text_is_utf8(report.mistakes[0].text, len));
  bb_report_close(&report);
}

static void test_report_keeps_a_thousand_and_counts_the_rest(void **state) {
  (void)state;
  bb_report report;
  bb_buf out;
  bb_buf_init(&out, 1u << 20);
  bb_report_init(&report);
  expect_true("none yet", bb_report_ok(&report));
  for (unsigned i = 0; i < BB_MAX_MISTAKES + 50; i++) {
    bb_report_add_line(&report, i + 1, "mistake %u", i + 1);
  }
  expect_uint("kept", report.n, BB_MAX_MISTAKES);
  expect_uint("counted", report.more, 50);
  expect_part("last", printed(&report, &out),
              "document:1000: mistake 1000\nand 50 more mistakes\n");
  bb_report_close(&report);
  expect_true("none after close", bb_report_ok(&report));
  expect_text("nothing to print", printed(&report, &out), "");
  bb_buf_close(&out);
}

static void test_report_says_where(void **state) {
  static const char text[] = "busbar: 1\ndevices:\n  - id: meter-1\n    unit: 300\n";
  (void)state;
  bb_report report;
  bb_buf out;
  bb_doc_tree tree;
  bb_buf_init(&out, 10000);
  bb_report_init(&report);
  assert_int_equal(bb_doc_parse(&tree, "site.yaml", text, strlen(text), &report), 0);
  const bb_doc *device = bb_doc_get(tree.root, "devices")->first;
  const char *former = bb_report_file(&report, "site.yaml");
  expect_text("the file before", former, "document");
  bb_report_add(&report, bb_doc_get(device, "unit"), "%d is too large; allowed: 0 to 255", 300);
  bb_report_add(&report, tree.root, "at the root");
  bb_report_add(&report, NULL, "about the whole file");
  bb_report_file(&report, former);
  bb_report_add_line(&report, 0, "about a whole document");
  expect_text("print", printed(&report, &out),
              "site.yaml:4: devices[meter-1].unit: 300 is too large; allowed: 0 to 255\n"
              "site.yaml:1: at the root\n"
              "site.yaml: about the whole file\n"
              "document: about a whole document\n");
  bb_doc_close(&tree);
  bb_report_close(&report);
  bb_buf_close(&out);
}

/* A warning makes nothing wrong, and only who wants warnings gets any. */
static void test_report_keeps_warnings_apart(void **state) {
  (void)state;
  bb_report report;
  bb_buf out;
  bb_doc_tree tree;
  bb_buf_init(&out, 200000);
  bb_report_init(&report);
  bb_report_file(&report, "site.yaml");
  assert_int_equal(bb_doc_parse(&tree, "site.yaml", "a: 1\nb: 2\n", 10, &report), 0);
  bb_report_warn(&report, tree.root, "nobody wants it");
  expect_uint("not kept", report.n + report.n_warnings + report.more_warnings, 0);
  report.wants_warnings = true;
  bb_report_warn(&report, bb_doc_get(tree.root, "b"), "%s is not set here", "B");
  bb_report_warn(&report, NULL, "there is no sink");
  expect_true("nothing is wrong", bb_report_ok(&report));
  expect_uint("kept", report.n, 2);
  expect_uint("counted", report.n_warnings, 2);
  expect_int("severity", report.mistakes[0].severity, BB_SEVERITY_WARNING);
  bb_report_add(&report, bb_doc_get(tree.root, "a"), "no number");
  expect_true("now something is", !bb_report_ok(&report));
  expect_int("severity", report.mistakes[2].severity, BB_SEVERITY_MISTAKE);
  bb_report_sort(&report);
  expect_text("print", printed(&report, &out),
              "site.yaml: warning: there is no sink\n"
              "site.yaml:1: a: no number\n"
              "site.yaml:2: b: warning: B is not set here\n");
  for (unsigned i = 0; i < BB_MAX_MISTAKES; i++) bb_report_warn(&report, NULL, "warning %u", i);
  expect_uint("mistakes past the limit", report.more, 0);
  expect_uint("warnings past it", report.more_warnings, 3);
  expect_part("told", printed(&report, &out), "\nand 3 more warnings\n");
  bb_report_close(&report);
  expect_true("nobody wants them any more", !report.wants_warnings);
  bb_doc_close(&tree);
  bb_buf_close(&out);
}

/* The report outlives the document and the name of its file. */
static void test_report_owns_what_it_tells(void **state) {
  (void)state;
  bb_report report;
  bb_buf out;
  bb_doc_tree tree;
  char file[] = "a.yaml";
  bb_buf_init(&out, 10000);
  bb_report_init(&report);
  assert_int_equal(bb_doc_parse(&tree, file, "key: v", 6, &report), 0);
  bb_report_file(&report, file);
  bb_report_add(&report, tree.root->first, "%s", tree.root->first->text);
  bb_report_file(&report, "other");
  bb_doc_close(&tree);
  memset(file, 'x', strlen(file));
  expect_text("print", printed(&report, &out), "a.yaml:1: key: v\n");
  bb_report_close(&report);
  bb_buf_close(&out);
}

static void test_report_sort(void **state) {
  static const struct {
    const char *file;
    uint32_t line;
    const char *text;
  } rows[] = {
      {"b", 2, "6"}, {"a", 7, "3"}, {"a", 0, "1"}, {"b", 1, "5"},
      {"a", 7, "4"}, {"a", 3, "2"}, {"b", 2, "7"}, {"b", 2, "8"},
  };
  (void)state;
  bb_report report;
  bb_report_init(&report);
  bb_report_sort(&report);
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_report_file(&report, rows[i].file);
    bb_report_add_line(&report, rows[i].line, "%s", rows[i].text);
  }
  bb_report_sort(&report);
  for (uint32_t i = 0; i < report.n; i++) {
    char expected[16];
    snprintf(expected, sizeof(expected), "%u", i + 1);
    expect_text("order", report.mistakes[i].text, expected);
  }
  bb_report_close(&report);
}

static int report_some(void *user) {
  bb_report report;
  (void)user;
  bb_report_init(&report);
  for (uint32_t i = 0; i < 100; i++) bb_report_add_line(&report, i, "mistake %u", i);
  expect_uint("all are counted", report.n + report.more, 100);
  expect_true("not right", !bb_report_ok(&report));
  bb_report_close(&report);
  return 0;
}

static void test_report_without_memory_counts(void **state) {
  (void)state;
  failmalloc_each_survives(report_some, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_report_keeps_foreign_text_in_its_line),
      cmocka_unit_test(test_report_cuts_long_texts),
      cmocka_unit_test(test_report_keeps_a_thousand_and_counts_the_rest),
      cmocka_unit_test(test_report_says_where),
      cmocka_unit_test(test_report_keeps_warnings_apart),
      cmocka_unit_test(test_report_owns_what_it_tells),
      cmocka_unit_test(test_report_sort),
      cmocka_unit_test(test_report_without_memory_counts),
  };
  return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
