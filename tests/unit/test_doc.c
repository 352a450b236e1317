/* SPDX-License-Identifier: Apache-2.0 */
/* Documents in YAML, and what all documents have in common. JSON: test_doc_json.c. */
#include "base/doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/report.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/parse.h"
#include "support/vector.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* What is wrong with the YAML itself: test_doc_words.c. */
static void test_doc_refuses(void **state) {
  static const struct {
    const char *row;
    const char *text;
    uint32_t line;
    const char *part;
  } rows[] = {
      {"nothing", "", 1, "empty"},
      {"blanks only", " \n\n  ", 1, "empty"},
      {"a comment only", "# nothing\n", 1, "empty"},
      {"a second document", "a: 1\n---\nb: 2\n", 2, "second document"},
      {"an anchor", "a: 1\nb: &x 2\n", 2, "anchors (&) and tags (!) are not supported"},
      {"an anchor of a map", "a: &x\n  b: 1\n", 1, "anchors (&) and tags (!) are not supported"},
      {"an anchor of a list", "a: &x\n  - 1\n", 1, "anchors (&) and tags (!) are not supported"},
      {"an alias", "a: *x\n", 1, "YAML takes *x for an alias"},
      {"a tag", "a: 1\nb: !!str 2\n", 2, "anchors (&) and tags (!) are not supported"},
      {"a tag of a map", "a: !x\n  b: 1\n", 1, "anchors (&) and tags (!) are not supported"},
      {"a merge key", "a:\n  <<: *x\n", 2, "YAML takes *x for an alias"},
      {"the same key", "a: 1\nb: 2\na: 3\n", 3, "the key \"a\" appears twice; keep one"},
      {"the same key below", "x:\n  a: 1\n  b: 2\n  \"a\": 3\n", 4, "the key \"a\" appears twice"},
      {"a list as a key", "? [a, b]\n: 1\n", 1, "a key must be a plain text"},
      {"a map as a key", "{ {a: 1}: 2 }", 1, "a key must be a plain text"},
      {"NUL in YAML", "a: 1\nb: \"x\\0y\"\n", 2, "a text holds a NUL character"},
      {"NUL in a YAML key", "\"x\\0y\": 1\n", 1, "a text holds a NUL character"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    expect_refused(rows[i].row, rows[i].text, strlen(rows[i].text), rows[i].line, rows[i].part);
  }
  expect_refused("a NUL byte", "a: 1\nb: x\0y\n", 12, 2, "a control character stands here");
  expect_refused("only a NUL byte", "\0", 1, 1, "a control character stands here");
}

static void test_doc_refuses_what_is_nested_too_deeply(void **state) {
  (void)state;
  static const struct {
    const char *row;
    const char *open, *close;
  } rows[] = {
      {"lists", "[", "]"},
      {"maps", "{\"a\":", "}"},
      {"YAML lists", "[", ",]"},
      {"both", "[{a: ", "}]"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    for (size_t depth = 30; depth <= 36; depth += 2) {
      char text[512] = "";
      size_t levels = strlen(rows[i].open) > 3 && rows[i].open[0] == '[' ? 2 : 1;
      for (size_t d = 0; d < depth; d += levels) strncat(text, rows[i].open, 8);
      strncat(text, "1", 2);
      for (size_t d = 0; d < depth; d += levels) strncat(text, rows[i].close, 8);
      bb_doc_tree tree;
      bb_report report;
      int err = parse(&tree, text, &report);
      expect_int(rows[i].row, err, depth <= BB_MAX_DOC_DEPTH ? 0 : BB_ERR_FORMAT);
      if (err < 0) {
        expect_text(rows[i].row, report.mistakes[0].text, "nested too deeply; at most 32 levels");
      }
      bb_doc_close(&tree);
      bb_report_close(&report);
    }
  }
}

static void test_doc_depth_does_not_use_the_stack(void **state) {
  (void)state;
  size_t len = 8u << 20;
  char *text = malloc(len);
  assert_non_null(text);
  memset(text, '[', len);
  expect_refused("brackets", text, len, 1, "nested too deeply");
  for (size_t i = 0; i < len; i++) text[i] = "- "[i % 2];
  expect_refused("dashes", text, len, 1, "nested too deeply");
  free(text);
}

static void test_doc_refuses_what_is_too_large(void **state) {
  (void)state;
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  int err = bb_doc_parse(&tree, "x", "", (size_t)BB_MAX_DOC_BYTES + 1, &report);
  expect_int("bytes", err, BB_ERR_LIMIT);
  expect_text("bytes", report.mistakes[0].text, "the document is too large; at most 64 MiB");
  bb_report_close(&report);

  size_t len = 2 * ((size_t)BB_MAX_DOC_NODES + 10);
  char *text = malloc(len);
  assert_non_null(text);
  for (size_t i = 0; i < len; i++) text[i] = i == 0 ? '[' : i % 2 == 1 ? '1' : ',';
  err = parse_bytes(&tree, text, len, &report);
  expect_int("nodes", err, BB_ERR_LIMIT);
  expect_text("nodes", report.mistakes[0].text,
              "the document has too many values; at most 4000000");
  bb_report_close(&report);
  free(text);
}

/* libyaml takes no longer key without `?`; JSON has no such limit. */
static void test_doc_long_keys(void **state) {
  static char key[3001];
  static char text[4000];
  (void)state;
  memset(key, 'k', sizeof(key) - 1);
  bb_doc_tree tree;
  bb_report report;
  snprintf(text, sizeof(text), "a: 1\n%s: 2\n", key);
  expect_refused("YAML", text, strlen(text), 2, "a key may have at most 1024 characters");
  snprintf(text, sizeof(text), "a: 1\n\"%s\": 2\n", key);
  expect_refused("YAML in quotes", text, strlen(text), 2, "a key may have at most 1024 characters");
  snprintf(text, sizeof(text), "{a: 1,\n%s: 2}\n", key);
  bool flow = parse(&tree, text, &report) == 0;
  expect_true("YAML in flow style is read or refused", flow || report.n == 1);
  if (flow) bb_doc_close(&tree);
  bb_report_close(&report);
  snprintf(text, sizeof(text), "? %s\n: 2\n", key);
  expect_int("YAML with ?", parse(&tree, text, &report), 0);
  expect_text("YAML with ?", bb_doc_get_text(tree.root, key), "2");
  bb_doc_close(&tree);
  bb_report_close(&report);
  snprintf(text, sizeof(text), "{\"%s\":2}", key);
  expect_int("JSON", parse(&tree, text, &report), 0);
  expect_text("JSON", bb_doc_get_text(tree.root, key), "2");
  bb_doc_close(&tree);
  bb_report_close(&report);
}

/* What begins like JSON and is none, is YAML in flow style. */
static void test_doc_reads_yaml_in_flow_style(void **state) {
  static const struct {
    const char *row;
    const char *text;
    const char *expected; /* of the key a */
  } rows[] = {
      {"plain keys", "{a: b}", "b"},
      {"single quotes", "{a: '\\ud83d\\ude00'}", "\\ud83d\\ude00"},
      {"quoted behind plain", "{b: 1, \"a\": c}", "c"},
      {"a comma at the end", "{a: 1,}", "1"},
      {"a comment", "{a: 1} # done", "1"},
      {"a comment before", "{ # site\n  \"a\": 1}", "1"},
      {"a number that is none in JSON", "{a: 01}", "01"},
      {"a text over two lines", "{a: \"b\n c\"}", "b c"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_doc_tree tree;
    bb_report report;
    expect_int(rows[i].row, parse(&tree, rows[i].text, &report), 0);
    expect_text(rows[i].row, bb_doc_get_text(tree.root, "a"), rows[i].expected);
    expect_uint(rows[i].row, report.n, 0);
    bb_doc_close(&tree);
    bb_report_close(&report);
  }
}

static void test_doc_reads_yaml(void **state) {
  static const struct {
    const char *key;
    const char *text;
    bool quoted, null;
  } tags[] = {
      {"asset", "meter \xc3\xa9 \"1\"", true, false},
      {"note", "two\nlines\n", true, false},
      {"folded", "one line", true, false},
      {"single", "it's", true, false},
      {"nothing", "", false, true},
      {"tilde", "~", false, true},
  };
  (void)state;
  bb_doc_tree tree;
  vector_read_json("doc/site.yaml", &tree);
  const bb_doc *devices = bb_doc_get(tree.root, "devices");
  const bb_doc *found = bb_doc_get(devices->first, "tags");
  for (size_t i = 0; i < COUNT(tags); i++) {
    const bb_doc *tag = bb_doc_get(found, tags[i].key);
    expect_text(tags[i].key, tag->text, tags[i].text);
    expect_int(tags[i].key, tag->quoted, tags[i].quoted);
    expect_int(tags[i].key, bb_doc_is_null(tag), tags[i].null);
  }
  expect_text("hex stays text", bb_doc_get_text(devices->first, "unit"), "0x01");
  expect_uint("an empty list", bb_doc_get(tree.root, "routes")->n, 0);
  bb_doc_close(&tree);
}

static const bb_doc *walk(const bb_doc *doc, const char *steps) {
  for (; *steps != 0; steps++) doc = *steps == 'v' ? doc->first : doc->next;
  return doc;
}

/* v goes to the first child, > to the next one. */
static void test_doc_lines_and_paths(void **state) {
  static const char yaml[] = "site:\n"        /* 1 */
                             "  id: plant\n"  /* 2 */
                             "devices:\n"     /* 3 */
                             "  - id: m1\n"   /* 4 */
                             "    tags:\n"    /* 5 */
                             "      a: 1\n"   /* 6 */
                             "  -\n"          /* 7 */
                             "    id: [m2]\n" /* 8 */
                             "    x: |\n"     /* 9 */
                             "      text\n"   /* 10 */
                             "  - plain\n"    /* 11 */
                             "  - - deep\n";  /* 12 */
  static const char json[] = "{\"site\":\n{\"id\":\"plant\"},\n\"devices\":[{\"id\":\n\"m1\",\n"
                             "\"tags\":{\n\"a\":1}},\n\n{\"id\":[\"m2\"]\n,\"x\":\"text\\n\"},\n\n"
                             "\"plain\",\n[\"deep\"]]}";
  static const struct {
    const char *steps;
    uint32_t yaml_line, json_line;
    const char *path;
  } rows[] = {
      {"", 1, 1, ""},
      {"v", 1, 1, "site"},
      {"vv", 2, 2, "site.id"},
      {"v>", 3, 3, "devices"},
      {"v>v", 4, 3, "devices[m1]"},
      {"v>vv", 4, 3, "devices[m1].id"},
      {"v>vv>", 5, 5, "devices[m1].tags"},
      {"v>vv>v", 6, 6, "devices[m1].tags.a"},
      {"v>v>", 8, 8, "devices[1]"},
      {"v>v>v>", 9, 9, "devices[1].x"},
      {"v>v>>", 11, 11, "devices[2]"},
      {"v>v>>>", 12, 12, "devices[3]"},
      {"v>v>>>v", 12, 12, "devices[3][0]"},
  };
  (void)state;
  bb_doc_tree a, b;
  bb_report report;
  expect_int("YAML", parse(&a, yaml, &report), 0);
  bb_report_close(&report);
  expect_int("JSON", parse(&b, json, &report), 0);
  bb_report_close(&report);
  for (size_t i = 0; i < COUNT(rows); i++) {
    char path[128];
    const bb_doc *x = walk(a.root, rows[i].steps), *y = walk(b.root, rows[i].steps);
    expect_text("YAML", bb_doc_path(x, path, sizeof(path)), rows[i].path);
    expect_uint(rows[i].path, x->line, rows[i].yaml_line);
    expect_text("JSON", bb_doc_path(y, path, sizeof(path)), rows[i].path);
    expect_uint(rows[i].path, y->line, rows[i].json_line);
  }
  bb_doc_tree none;
  expect_int("an empty value", parse(&none, "---", &report), 0);
  expect_uint("an empty value stands on a line that exists", none.root->line, 1);
  bb_doc_close(&none);
  bb_report_close(&report);
  char small[10];
  expect_text("cut", bb_doc_path(walk(a.root, "v>vv>v"), small, sizeof(small)), "devices[m");
  expect_text("no room", bb_doc_path(a.root, small, 0), "devices[m");
  expect_true("the same content", bb_doc_equal(a.root, b.root));
  bb_doc_close(&a);
  bb_doc_close(&b);
}

static void test_doc_equal(void **state) {
  static const struct {
    const char *a, *b;
    bool expected;
  } rows[] = {
      {"a: 1", "a: 2", false},
      {"a: 1", "b: 1", false},
      {"a: 1", "{a: 1, b: 2}", false},
      {"[1, 2]", "[2, 1]", false},
      {"[1, 2]", "[1, 2, 3]", false},
      {"[]", "{}", false},
      {"a: [1]", "a: 1", false},
      {"a: null", "a: \"null\"", false},
      {"a: ''", "a:", false},
      {"{a: 1, b: 2}", "{b: 2, a: 3}", false},
      {"{a: 1, b: 2, c: 3}", "{c: 3, a: 1, b: 2}", true},
      {"a: 1", "\n\n\"a\": \"1\"", true},
      {"a: {b: [1, {c: d}]}", "{\"a\":{\"b\":[1,{\"c\":\"d\"}]}}", true},
      {"~", "~", true},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_doc_tree a, b;
    bb_report report;
    expect_int(rows[i].a, parse(&a, rows[i].a, &report), 0);
    bb_report_close(&report);
    expect_int(rows[i].b, parse(&b, rows[i].b, &report), 0);
    bb_report_close(&report);
    expect_int(rows[i].a, bb_doc_equal(a.root, b.root), rows[i].expected);
    expect_int(rows[i].b, bb_doc_equal(b.root, a.root), rows[i].expected);
    expect_true("against nothing", !bb_doc_equal(a.root, NULL) && !bb_doc_equal(NULL, b.root));
    bb_doc_close(&a);
    bb_doc_close(&b);
  }
  expect_true("nothing and nothing", bb_doc_equal(NULL, NULL));
}

static void test_doc_get_of_what_is_no_map(void **state) {
  (void)state;
  bb_doc_tree tree;
  bb_report report;
  expect_int("a list", parse(&tree, "[a]", &report), 0);
  expect_true("NULL", bb_doc_get(NULL, "a") == NULL);
  expect_true("list", bb_doc_get(tree.root, "a") == NULL);
  expect_true("scalar", bb_doc_get(tree.root->first, "a") == NULL);
  expect_text("text", bb_doc_get_text(tree.root, "a"), NULL);
  expect_true("a list is not null", !bb_doc_is_null(tree.root));
  bb_doc_close(&tree);
  bb_doc_close(&tree);
  bb_report_close(&report);
}

static void test_doc_load(void **state) {
  (void)state;
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  expect_int("no file", bb_doc_load(&tree, "/nowhere/site.yaml", &report), BB_ERR_IO);
  expect_text("no file", report.mistakes[0].file, "/nowhere/site.yaml");
  expect_text("no file", report.mistakes[0].text, "cannot be read: No such file or directory");
  expect_int("a folder", bb_doc_load(&tree, "/tmp", &report), BB_ERR_IO);
  expect_text("a folder", report.mistakes[1].text, "cannot be read: Is a directory");
  expect_int("no bytes", bb_doc_load(&tree, "/dev/null", &report), BB_ERR_FORMAT);
  expect_text("no bytes", report.mistakes[2].text, "the document is empty");
  expect_int("no end", bb_doc_load(&tree, "/dev/zero", &report), BB_ERR_IO);
  expect_text("no end", report.mistakes[3].text, "cannot be read: File too large");
  bb_report_close(&report);

  char path[] = "/tmp/busbar-doc-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  FILE *file = fdopen(fd, "w");
  assert_non_null(file);
  for (int i = 0; i < 2000; i++) fprintf(file, "key-%d: value\n", i);
  fclose(file);
  expect_int("a file", bb_doc_load(&tree, path, &report), 0);
  expect_uint("a file", tree.root->n, 2000);
  expect_text("its name", tree.name, path);
  bb_doc_close(&tree);
  remove(path);
}

/* Repeats in a large map are found as in a small one, each at its own line. */
static void test_doc_finds_repeats_among_many_keys(void **state) {
  static char text[40000];
  (void)state;
  for (unsigned n = 15; n <= 1500; n += 33) {
    size_t len = 0;
    for (unsigned i = 0; i < n; i++) {
      unsigned k = i == n - 1 ? 3 : i == n / 2 ? 0 : i;
      len += (size_t)snprintf(text + len, sizeof(text) - len, "key-%u: %u\n", k, i);
    }
    bb_doc_tree tree;
    bb_report report;
    expect_int("many", parse(&tree, text, &report), BB_ERR_FORMAT);
    bb_report_sort(&report);
    expect_uint("mistakes", report.n, 2);
    expect_text("first", report.mistakes[0].text, "the key \"key-0\" appears twice; keep one");
    expect_uint("first", report.mistakes[0].line, n / 2 + 1);
    expect_text("second", report.mistakes[1].text, "the key \"key-3\" appears twice; keep one");
    expect_uint("second", report.mistakes[1].line, n);
    bb_report_close(&report);
  }
}

typedef struct {
  const char *path;
  bool hand_over; /* the file is opened by bb_doc_load */
} memory_row;

static int parse_vector(void *user) {
  const memory_row *row = user;
  static char text[70000];
  static size_t len;
  char path[512];
  snprintf(path, sizeof(path), "%s/tests/vectors/%s", BB_REPO_DIR, row->path);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  len = fread(text, 1, sizeof(text), file);
  fclose(file);
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  int err = row->hand_over ? bb_doc_load(&tree, path, &report)
                           : bb_doc_parse(&tree, path, text, len, &report);
  if (err == 0) {
    expect_true("root", tree.root != NULL);
  } else {
    expect_true("closed", tree.root == NULL);
  }
  bb_doc_close(&tree);
  bb_report_close(&report);
  return err;
}

static void test_doc_without_memory(void **state) {
  static memory_row rows[] = {
      {"doc/node.json", false},
      {"doc/site.yaml", false},
      {"decimal/apply.json", false},
      {"decimal/apply.json", true},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) failmalloc_each(parse_vector, &rows[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_doc_refuses),
      cmocka_unit_test(test_doc_refuses_what_is_nested_too_deeply),
      cmocka_unit_test(test_doc_depth_does_not_use_the_stack),
      cmocka_unit_test(test_doc_refuses_what_is_too_large),
      cmocka_unit_test(test_doc_long_keys),
      cmocka_unit_test(test_doc_reads_yaml_in_flow_style),
      cmocka_unit_test(test_doc_reads_yaml),
      cmocka_unit_test(test_doc_lines_and_paths),
      cmocka_unit_test(test_doc_equal),
      cmocka_unit_test(test_doc_get_of_what_is_no_map),
      cmocka_unit_test(test_doc_load),
      cmocka_unit_test(test_doc_finds_repeats_among_many_keys),
      cmocka_unit_test(test_doc_without_memory),
  };
  return cmocka_run_group_tests_name("doc", tests, NULL, NULL);
}
