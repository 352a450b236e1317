/* SPDX-License-Identifier: Apache-2.0 */
/* Documents in JSON. */
#include <string.h>

#include "base/doc.h"
#include "base/report.h"
#include "support/expect.h"
#include "support/parse.h"
#include "support/vector.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_doc_json_refuses(void **state) {
  static const struct {
    const char *row;
    const char *text;
    uint32_t line;
    const char *part;
  } rows[] = {
      {"a second document", "{\"a\":1}\n---\n{\"b\":2}", 2, "not valid JSON: something follows"},
      {"a bracket behind it", "{\"a\":1}\n}", 2, "not valid JSON: something follows the end"},
      {"the same key", "{\n\"a\":1,\n\"\\u0061\":2}", 3, "the key \"a\" appears twice"},
      {"NUL", "{\"a\":\n\"x\\u0000y\"}", 2, "a text holds a NUL character"},
      {"NUL in a key", "{\"\\u0000\":1}", 1, "a text holds a NUL character"},
      {"half a pair", "{\"a\":\"\\ud83d\"}", 1, "half a surrogate pair"},
      {"the wrong half first", "{\"a\":\"\\ude00\\ud83d\"}", 1, "half a surrogate pair"},
      {"half a pair and an escape", "{\"a\":\"\\ud83d\\n\"}", 1, "half a surrogate pair"},
      {"a pair cut off", "{\"a\":\"\\ud83d\\ude0\"}", 1, "half a surrogate pair"},
      {"not UTF-8", "{\n\n\"a\":\"\xff\"}", 3, "not valid UTF-8"},
      {"a surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", 1, "not valid UTF-8"},
      {"an end", "{\"a\":1,\n\"b\":[1,2", 2, "not valid JSON: the text ends too early"},
      {"an end in a text", "{\"a\":\"b", 1, "not valid JSON: a text has no closing quote"},
      {"an end in an escape", "{\"a\":\"b\\", 1, "a text has no closing quote"},
      {"an end in an escaped quote", "{\"a\":\"b\\\"", 1, "a text has no closing quote"},
      {"a missing comma", "{\"a\":1\n\"b\":2}", 2, "not valid JSON: a comma or } is expected"},
      {"a missing comma in a list", "[\"a\"\n\"b\"]", 2, "a comma or ] is expected"},
      {"a missing colon", "{\"a\"\n1}", 2, "a colon is expected behind the key"},
      {"a missing value", "{\"a\":\n}", 2, "a value is expected"},
      {"a comma too many", "{\"a\":1,\n}", 2, "a key in double quotes is expected"},
      {"a comma too many in a list", "[\"a\",\n]", 2, "a value is expected"},
      {"a key without quotes", "{\"a\": 1,\nb: 2}", 2, "a key in double quotes is expected"},
      {"single quotes", "{\"a\":\n'b'}", 2, "a value is expected"},
      {"a comment", "{\"a\": 1} # done", 1, "something follows the end"},
      {"an unknown escape", "{\"a\":\n\"\\q\"}", 2, "a \\ stands before a wrong character"},
      {"an escape cut off", "{\"a\":\"\\u12\"}", 1, "four hex digits are expected"},
      {"an escape of other digits", "{\"a\":\"\\u12g4\"}", 1, "four hex digits are expected"},
      {"a line end in a text", "{\"a\":\"b\nc\"}", 1, "a control character"},
      {"a tab in a text", "{\"a\":\"b\tc\"}", 1, "a control character"},
      {"a number with a zero before", "{\"a\":01}", 1, "a comma or } is expected"},
      {"a number without digits", "{\"a\":-}", 1, "a value is expected"},
      {"a number that ends in a point", "{\"a\":1.}", 1, "a value is expected"},
      {"a number that begins with one", "{\"a\":.5}", 1, "a value is expected"},
      {"a number that begins with plus", "{\"a\":+1}", 1, "a value is expected"},
      {"a number that ends in e", "{\"a\":1e}", 1, "a value is expected"},
      {"a hex number", "{\"a\":0x10}", 1, "a comma or } is expected"},
      {"not a number", "{\"a\":NaN}", 1, "a value is expected"},
      {"a word", "{\"a\":yes}", 1, "a value is expected"},
      {"a word that goes on", "{\"a\":nullx}", 1, "a comma or } is expected"},
      {"brackets that do not match", "[\"a\"}", 1, "a comma or ] is expected"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    expect_refused(rows[i].row, rows[i].text, strlen(rows[i].text), rows[i].line, rows[i].part);
  }
  expect_refused("a NUL byte", "{\"a\":\"x\0y\"}", 11, 1, "a control character");
}

/* What must come out of all the files that tests/vectors/doc/make.py writes. */
static const struct {
  const char *key;
  const char *text;
  bool quoted;
} written[] = {
    {"quotes", "say \"hi\"", true},
    {"backslash", "a\\b\\\\n", true},
    {"slash", "http://x/y", true},
    {"blanks", "a\tb\nc\rd", true},
    {"control", "\b\f\x01\x1f", true},
    {"delete",
     "a\x7f"
     "b",
     true},
    {"c1",
     "a\xc2\x80\xc2\x85\xc2\x9f"
     "b",
     true},
    {"latin",
     "\xc2\xb0"
     "C \xc3\xa9 \xc3\x9f",
     true},
    {"separators",
     "a\xe2\x80\xa8"
     "b\xe2\x80\xa9"
     "c",
     true},
    {"mark",
     "\xef\xbb\xbf"
     "a\xef\xbf\xbe",
     true},
    {"emoji", "\xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf", true},
    {"empty", "", true},
    {"yaml", "- a: b # c", true},
    {"number text", "12", true},
    {"null text", "null", true},
    {"int", "12", false},
    {"negative", "-1", false},
    {"tenth", "0.1", false},
    {"small", "0.001", false},
    {"large", "1e+21", false},
    {"yes", "true", false},
    {"no", "false", false},
    {"none", "null", false},
    {"", "the empty key", true},
    {"?", "question", true},
    {"-", "dash", true},
    {"a: b", "colon", true},
    {"\xc2\xb0/\"\\\n", "all in a key", true},
};

static void expect_written(const char *row, const bb_doc *root) {
  for (size_t i = 0; i < COUNT(written); i++) {
    const bb_doc *found = bb_doc_get(root, written[i].key);
    expect_true(written[i].key, found != NULL);
    expect_text(row, found->text, written[i].text);
    expect_int(written[i].key, found->quoted, written[i].quoted);
  }
  expect_uint(row, root->n, COUNT(written) + 4);
  expect_int(row, (int)bb_doc_get(root, "empty map")->kind, BB_DOC_MAP);
  expect_uint(row, bb_doc_get(root, "empty map")->n, 0);
  expect_int(row, (int)bb_doc_get(root, "empty list")->kind, BB_DOC_LIST);
  const bb_doc *list = bb_doc_get(root, "list");
  expect_uint(row, list->n, 4);
  expect_text(row, list->first->next->text, "two");
  expect_uint(row, list->first->next->index, 1);
  expect_text(row, list->first->next->next->first->text, "3");
  expect_text(row, bb_doc_get_text(list->first->next->next->next, "four"), "4");
  const bb_doc *last = root->first;
  while (last->next != NULL) last = last->next;
  expect_uint(row, strlen(last->key), 2000);
}

static void test_doc_json_of_node_and_python(void **state) {
  static const char *const files[] = {
      "doc/node.json",   "doc/node-indent.json",   "doc/node-tab.json",
      "doc/python.json", "doc/python-indent.json", "doc/python-plain.json",
  };
  (void)state;
  bb_doc_tree first, tree;
  vector_read_json(files[0], &first);
  for (size_t i = 0; i < COUNT(files); i++) {
    vector_read_json(files[i], &tree);
    expect_written(files[i], tree.root);
    expect_true(files[i], bb_doc_equal(first.root, tree.root));
    bb_doc_close(&tree);
  }
  bb_doc_close(&first);
}

static void test_doc_json_as_the_standard_has_it(void **state) {
  static const struct {
    const char *row;
    const char *text;
    const char *expected; /* of the key a */
  } rows[] = {
      {"an escaped slash", "{\"a\":\"x\\/y\"}", "x/y"},
      {"no blanks", "{\"b\":[1,-2],\"a\":\"c\"}", "c"},
      {"a colon on the next line", "{\"a\"\n:\n\"b\"}", "b"},
      {"tabs as blanks", "\t{\t\"a\"\t:\t\"b\"\t}\t", "b"},
      {"lines that end in CR LF", "{\r\n\"a\":\"b\"\r\n}\r\n", "b"},
      {"every escape", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}", "\"\\/\b\f\n\r\t\xc3\xa9"},
      {"hex in capitals", "{\"a\":\"\\uD83D\\uDE00\"}", "\xf0\x9f\x98\x80"},
      {"the last of two bytes", "{\"a\":\"\\u07ff\\u0800\"}", "\xdf\xbf\xe0\xa0\x80"},
      {"around the surrogates", "{\"a\":\"\\ud7ff\\ue000\\uffff\"}",
       "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"},
      {"a backslash before u", "{\"a\":\"\\\\u0041\"}", "\\u0041"},
      {"a byte order mark", "\xef\xbb\xbf{\"a\":\"b\"}", "b"},
      {"zero", "{\"a\":0}", "0"},
      {"minus zero", "{\"a\":-0.0}", "-0.0"},
      {"an exponent", "{\"a\":1E+2}", "1E+2"},
      {"a text of a number", "{\"a\":\"1\"}", "1"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_doc_tree tree;
    bb_report report;
    expect_int(rows[i].row, parse(&tree, rows[i].text, &report), 0);
    expect_text(rows[i].row, bb_doc_get_text(tree.root, "a"), rows[i].expected);
    bb_doc_close(&tree);
    bb_report_close(&report);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_doc_json_refuses),
      cmocka_unit_test(test_doc_json_of_node_and_python),
      cmocka_unit_test(test_doc_json_as_the_standard_has_it),
  };
  return cmocka_run_group_tests_name("doc_json", tests, NULL, NULL);
}
