/* SPDX-License-Identifier: Apache-2.0 */
/* What a person reads who has written no YAML: which line, what is wrong with it, what to do. */
#include <stdio.h>
#include <string.h>

#include "base/doc.h"
#include "base/err.h"
#include "base/report.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/parse.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
  const char *row, *text, *expected;
} rows[] = {
    {"a tab as indentation", "busbar: 1\nsite:\n\tid: a\n",
     "site.yaml:3: a tab stands in the indentation, where YAML takes only spaces; put two spaces "
     "in place of each tab\n"},
    {"a tab below a value", "site:\n  id: a\n\ttags: {}\n",
     "site.yaml:3: a tab stands in the indentation, where YAML takes only spaces; put two spaces "
     "in place of each tab\n"},
    {"a tab behind spaces", "c:\n  - id: a\n  \tx: {}\n",
     "site.yaml:3: a tab stands in the indentation, where YAML takes only spaces; put two spaces "
     "in place of each tab\n"},
    {"a tab behind a dash", "a:\n  -\tid: b\n",
     "site.yaml:2: a tab stands here, where YAML takes only spaces; put a space in its place\n"},
    {"a tab in a file from Windows", "a: 1\r\n\tb: 2\r\n",
     "site.yaml:2: a tab stands in the indentation, where YAML takes only spaces; put two spaces "
     "in place of each tab\n"},
    {"no colon", "busbar: 1\nsite\n  id: a\n",
     "site.yaml:2: a colon is missing behind the key; write \"site:\"\n"},
    {"no colon behind a list's key", "busbar: 1\nconnections\n  - id: a\n    x: 1\n",
     "site.yaml:2: a colon is missing behind the key; write \"connections:\"\n"},
    {"no colon in the first line", "busbar 1\nsite: {}\n",
     "site.yaml:1: a colon is missing behind the key; write \"busbar: 1\"\n"},
    {"no colon in an item", "c:\n  - id a\n    x: {}\n",
     "site.yaml:2: a colon is missing behind the key; write \"id: a\"\n"},
    {"no colon before a value", "c:\n  - id: a\n    host 10.0.0.1\n    port: 502\n",
     "site.yaml:3: a colon is missing behind the key; write \"host: 10.0.0.1\"\n"},
    {"no colon in the last line", "busbar: 1\nsite: {}\nfoo\n",
     "site.yaml:3: a colon is missing behind the key; write \"foo:\"\n"},
    {"no colon, and a URL", "a: 1\nhttp://x y\nb: 2\n",
     "site.yaml:2: a colon is missing behind the key; write \"http://x: y\"\n"},
    {"no space behind the colon", "busbar:1\nsite: {}\n",
     "site.yaml:1: a space is missing behind the colon; write \"busbar: 1\"\n"},
    {"no space in an item", "c:\n  - id:a\n    x: {}\n",
     "site.yaml:2: a space is missing behind the colon; write \"id: a\"\n"},
    {"no space before an address", "c:\n  - id: a\n    host:10.0.0.1\n    port: 502\n",
     "site.yaml:3: a space is missing behind the colon; write \"host: 10.0.0.1\"\n"},
    {"no space in braces", "c:\n  - { id:a, host: 1 }\n",
     "site.yaml:2: a space is missing behind the colon; write \"id: a\"\n"},
    {"a quote that is not closed", "site: \"abc\nb: 1\nc: 2\n",
     "site.yaml:1: the quote \" that opens here is not closed; put one at the end of its text\n"},
    {"one that is closed by the next", "site: \"abc\nb: \"x\"\nc: 2\n",
     "site.yaml:1: the quote \" that opens here is not closed; put one at the end of its text\n"},
    {"a single one", "site: 'abc\nb: 1\n",
     "site.yaml:1: the quote ' that opens here is not closed; put one at the end of its text\n"},
    {"a quote inside", "site: 'it's'\nb: 1\n",
     "site.yaml:1: text stands behind the closing quote; take the quotes away, or write '' for a "
     "quote inside\n"},
    {"text behind a quote", "a: \"50%\" rated\n",
     "site.yaml:1: text stands behind the closing quote; take the quotes away, or write \\\" for a "
     "quote inside\n"},
    {"a backslash", "x: \"C:\\data\"\n",
     "site.yaml:1: \\d means nothing in double quotes; write \\\\ for a backslash, or put the text "
     "in single quotes\n"},
    {"a backslash and x", "x: \"C:\\x\"\n",
     "site.yaml:1: \\x means nothing in double quotes; write \\\\ for a backslash, or put the text "
     "in single quotes\n"},
    {"a bracket that is not closed", "c: [1, 2\nb: 3\n",
     "site.yaml:1: the [ that opens here is not closed; put ] at its end\n"},
    {"a brace that is not closed", "c:\n  - { id: a, x: { host: b }\n  - { id: d }\n",
     "site.yaml:2: the { that opens here is not closed; put } at its end\n"},
    {"a brace to the end", "c: {\n  a: 1,\n  b: 2\n",
     "site.yaml:1: the { that opens here is not closed; put } at its end\n"},
    {"the wrong bracket", "c: [1, 2}\nb: 3\n",
     "site.yaml:1: } stands where ] is due, which closes the [ of line 1; write ]\n"},
    {"one bracket too many", "c: { a: 1 } }\nb: 3\n",
     "site.yaml:1: } closes nothing here; take it away\n"},
    {"no comma", "c: { a: 1 b: 2 }\n",
     "site.yaml:1: a comma is missing before \"b\"; put one there\n"},
    {"a comma too many", "a: { x: 1,, y: 2 }\n",
     "site.yaml:1: a value is missing before this ,; write one, or take the comma before it "
     "away\n"},
    {"a template", "topic: {site}/{device}\nb: 2\n",
     "site.yaml:1: a text that begins with a bracket stands in quotes; write "
     "\"{site}/{device}\"\n"},
    {"a template in braces", "x: { topic: {site}/{device}, b: 2 }\n",
     "site.yaml:1: a text that begins with a bracket stands in quotes; write "
     "\"{site}/{device}\"\n"},
    {"deeper than a value", "a: 1\n  b: 2\n",
     "site.yaml:2: this line is indented deeper than line 1, whose key has a value already; begin "
     "both in column 1\n"},
    {"deeper in an item", "c:\n  - id: a\n      host: b\n",
     "site.yaml:3: this line is indented deeper than line 2, whose key has a value already; begin "
     "both in column 5\n"},
    {"less deep in an item", "c:\n  - id: a\n   host: b\n",
     "site.yaml:3: this line begins in column 4, line 2 above it in column 5; what belongs "
     "together begins in the same column\n"},
    {"less deep in a map", "c:\n   a: 1\n  b: 2\n",
     "site.yaml:3: this line begins in column 3, line 2 above it in column 4; what belongs "
     "together begins in the same column\n"},
    {"the first line indented", "  a: 1\nb: 2\n",
     "site.yaml:1: this line is indented, line 2 is not; begin both in the first column\n"},
    {"items that are not below each other", "c:\n    - id: a\n  - id: b\n",
     "site.yaml:3: this - stands in column 3, that of line 2 in column 5; items of one list begin "
     "in the same column\n"},
    {"an item that is deeper", "c:\n  - id: a\n    - x: 1\n",
     "site.yaml:3: this - stands in column 5, that of line 2 in column 3; items of one list begin "
     "in the same column\n"},
    {"an item a little deeper", "c:\n  - id: a\n   - id: b\n",
     "site.yaml:3: this - stands in column 4, that of line 2 in column 3; items of one list begin "
     "in the same column\n"},
    {"an item among keys", "a: 1\n- b\n",
     "site.yaml:2: a list item (-) stands where a key is due; indent it below the key that it "
     "belongs to, or take the dash away\n"},
    {"a key among items", "c:\n  - id: a\n    x: 1\n  id: b\n",
     "site.yaml:4: a key stands where the next item of the list is due; write \"- id: b\", or "
     "indent it by two more spaces\n"},
    {"an item behind its key", "a: - b\n",
     "site.yaml:1: a list does not begin on the line of its key; write each \"- ...\" on a line of "
     "its own below, indented by two more spaces\n"},
    {"no space behind the dash", "c:\n  - id: a\n  -id: b\n",
     "site.yaml:3: a space is missing behind the dash; write \"- id: b\"\n"},
    {"no space behind any dash", "c:\n  -id: a\n    x: 1\n",
     "site.yaml:2: a space is missing behind the dash; write \"- id: ...\"\n"},
    {"a no-break space",
     "a:\n\xc2\xa0\xc2\xa0"
     "b: 1\n",
     "site.yaml:2: a no-break space stands in the indentation, as copied from a web page; type "
     "spaces in its place\n"},
    {"a second colon", "name: foo: bar\nb: 2\n",
     "site.yaml:1: a second colon stands in this line; if it belongs to the value, put that in "
     "quotes: name: \"foo: bar\"\n"},
    {"a second colon and a quote", "name: foo: \"bar\"\nb: 2\n",
     "site.yaml:1: a second colon stands in this line; if it belongs to the value, put that in "
     "quotes: name: 'foo: \"bar\"'\n"},
    {"a key twice, and more", "x:\n  a: 1\n  a: 2\ny:\n  b: 1\n  b: 2\nz: [1\n",
     "site.yaml:3: the key \"a\" appears twice; keep one\nsite.yaml:6: the key \"b\" appears "
     "twice; keep one\nsite.yaml:7: the [ that opens here is not closed; put ] at its end\n"},
    {"@", "a: @b\n",
     "site.yaml:1: no text begins with @ in YAML unless it stands in quotes; write \"@b\"\n"},
    {"%", "a: [%b, c]\n",
     "site.yaml:1: no text begins with % in YAML unless it stands in quotes; write \"%b\"\n"},
    {"a star", "r: [*]\n",
     "site.yaml:1: no text begins with * in YAML unless it stands in quotes; write \"*\"\n"},
    {"a star before a slash", "r: [power/*, */x]\n",
     "site.yaml:1: no text begins with * in YAML unless it stands in quotes; write \"*/x\"\n"},
    {"a star before a name", "r: [meter-*, *-x]\n",
     "site.yaml:1: YAML takes *-x for an alias; put a text that begins with * in quotes: "
     "\"*-x\"\n"},
    {"an ampersand", "a: &\n",
     "site.yaml:1: no text begins with & in YAML unless it stands in quotes; write \"&\"\n"},
    {">", "a: > 5 x\n",
     "site.yaml:1: | and > begin a text of several lines; put a text that begins so in quotes\n"},
    {"a bracket as text", "a: ]\n",
     "site.yaml:1: no text begins with ] in YAML; put the text in quotes\n"},
    {"a second start", "a: 1\n...\nb: 1\n",
     "site.yaml:3: this does not belong to what stands above; a document is one map, whose keys "
     "begin in the same column\n"},
    {"not UTF-8", "a: 1\nb: Geb\xe4ude\n",
     "site.yaml:2: a character here is not UTF-8; save the file as UTF-8\n"},
    {"cut off in a character", "a: 1\nb: \xe2\x82",
     "site.yaml:2: a character here is not UTF-8; save the file as UTF-8\n"},
    {"a control character", "a: 1\nb: x\x01y\n",
     "site.yaml:2: a control character stands here, which nobody sees; take it away\n"},
    {"what is not known better", "%YAML 3\n",
     "site.yaml:1: cannot be read as YAML: did not find expected digit or '.' character\n"},
};

static void test_doc_words_say_what_to_do(void **state) {
  (void)state;
  bb_buf out;
  bb_buf_init(&out, 10000);
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_doc_tree tree;
    bb_report report;
    expect_int(rows[i].row, parse(&tree, rows[i].text, &report), BB_ERR_FORMAT);
    bb_buf_clear(&out);
    bb_report_print(&report, &out);
    expect_text(rows[i].row, bb_buf_string(&out), rows[i].expected);
    bb_report_close(&report);
  }
  bb_buf_close(&out);
}

/* What looks like one of those mistakes, and is none. */
static void test_doc_words_leave_what_is_right(void **state) {
  static const char *const texts[] = {
      "a:\tb\n",           "url: http://10.0.0.5:8086\n",
      "a: \"b: c\" # d\n", "time: 12:30\n",
      "a: -b\n",           "-1: off\n",
      "x: { \"a:b\": }\n", "{ a:b: c }\n",
      "a:\n- b\n- c\n",    "a: it's\nb: 5\" x\n",
      "a: [b, c,]\n",      "a:\n  - b\n  -\n    - c\n",
  };
  (void)state;
  for (size_t i = 0; i < COUNT(texts); i++) {
    bb_doc_tree tree;
    bb_report report;
    expect_int(texts[i], parse(&tree, texts[i], &report), 0);
    expect_uint(texts[i], report.n, 0);
    bb_doc_close(&tree);
    bb_report_close(&report);
  }
}

/* Every text of the table cut at every byte, and with a byte of each kind in every place: whatever is
 * said is one line of it. */
static void test_doc_words_survive_anything(void **state) {
  static const char bytes[] = " \t\n\r:-[]{}\"'*&!|>,#\\a\xc2\x01";
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    size_t len = strlen(rows[i].text);
    for (size_t at = 0; at < len * sizeof(bytes); at++) {
      char text[256];
      bb_doc_tree tree;
      bb_report report;
      size_t place = at / sizeof(bytes), which = at % sizeof(bytes);
      memcpy(text, rows[i].text, len);
      text[place] = bytes[which];
      bool cut = which == sizeof(bytes) - 1;
      int err = parse_bytes(&tree, text, cut ? place : len, &report);
      expect_true(rows[i].row, (err == 0) == bb_report_ok(&report));
      uint32_t lines = 1;
      for (size_t k = 0; k < len; k++) lines += text[k] == '\n' || text[k] == '\r';
      for (uint32_t k = 0; k < report.n; k++) {
        expect_true(rows[i].row, report.mistakes[k].line <= lines);
      }
      bb_doc_close(&tree);
      bb_report_close(&report);
    }
  }
}

static int parse_row(void *user) {
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  int err = bb_doc_parse(&tree, "site.yaml", user, strlen(user), &report);
  expect_true("something is said", err == BB_ERR_NOMEM || !bb_report_ok(&report));
  bb_report_close(&report);
  return 0;
}

static void test_doc_words_without_memory(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    failmalloc_each_survives(parse_row, (void *)rows[i].text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_doc_words_say_what_to_do),
      cmocka_unit_test(test_doc_words_leave_what_is_right),
      cmocka_unit_test(test_doc_words_survive_anything),
      cmocka_unit_test(test_doc_words_without_memory),
  };
  return cmocka_run_group_tests_name("doc_words", tests, NULL, NULL);
}
