/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/secret_file.h"
#include "support/expect.h"
#include "support/folder.h"
#include "support/parse.h"

static const char *write_file(const folder *f, const char *name, const char *text) {
  const char *path = folder_path(f, name);
  FILE *file = fopen(path, "w");
  expect_true(name, file != NULL);
  fputs(text, file);
  fclose(file);
  return path;
}

/* One that is called "bus.password", and one that is too long for anyone. */
static int read_one(void *user, const char *name, char *out, size_t cap) {
  if (strcmp(name, "endless") == 0) return BB_ERR_LIMIT;
  if (strcmp(name, "bus.password") != 0) return BB_ERR_NOTFOUND;
  return snprintf(out, cap, "%s", (const char *)user);
}

static void test_secret_is_read_from_where_the_document_says(void **state) {
  (void)state;
  folder f;
  char text[64] = "handed over";
  const bb_secret_source source = {text, read_one};
  folder_open(&f);
  setenv("BB_TEST_SECRET", "from env", 1);
  unsetenv("BB_TEST_NONE");
  bb_secret_use(&source);
  const struct {
    const char *env, *file;
    int result;
    const char *out; /* or, of an error, a part of why */
  } rows[] = {
      {NULL, NULL, 0, ""},
      {"BB_TEST_SECRET", NULL, 8, "from env"},
      {"BB_TEST_NONE", NULL, BB_ERR_NOTFOUND, "variable BB_TEST_NONE is not set"},
      {NULL, write_file(&f, "one", "from file\n"), 9, "from file"},
      {NULL, write_file(&f, "two", "two\nlines\r\n"), 9, "two\nlines"},
      {NULL, write_file(&f, "empty", "\n"), BB_ERR_NOTFOUND, "empty is empty"},
      {NULL, "/no/such/file", BB_ERR_NOTFOUND, "/no/such/file cannot be read: No such file"},
      {NULL, "secret:bus.password", 11, "handed over"},
      {NULL, "secret:bus.passwort", BB_ERR_NOTFOUND,
       "the secret bus.passwort was not handed over; deploy in Node-RED once, or put it into an "
       "environment variable or a file"},
      {NULL, "secret:endless", BB_ERR_LIMIT, "the secret endless is too long"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char out[BB_SECRET_MAX], why[200] = "";
    int result = bb_secret_read(rows[i].env, rows[i].file, out, sizeof(out), why, sizeof(why));
    expect_int(rows[i].out, result, rows[i].result);
    if (result < 0) expect_part(rows[i].out, why, rows[i].out);
    if (result >= 0) expect_text(rows[i].out, out, rows[i].out);
  }
  bb_secret_use(NULL);
  folder_close(&f);
}

static void test_secret_by_name_without_anyone_who_keeps_them(void **state) {
  (void)state;
  char out[16], why[200];
  bb_secret_use(NULL);
  expect_int("read", bb_secret_read(NULL, "secret:a", out, sizeof(out), why, sizeof(why)),
             BB_ERR_NOTFOUND);
  expect_part("why", why, "the secret a was not handed over");
}

static void test_secret_name_is_told_from_a_path(void **state) {
  (void)state;
  expect_text("name", bb_secret_name("secret:bus.password"), "bus.password");
  expect_text("empty", bb_secret_name("secret:"), "");
  expect_text("path", bb_secret_name("secrets/bus"), NULL);
  expect_text("path", bb_secret_name("./secret:bus"), NULL);
}

static void test_secret_check_finds_what_cannot_be_meant(void **state) {
  static const struct {
    const char *text;
    const char *mistake; /* NULL: none */
  } rows[] = {
      {"{}", NULL},
      {"password_env: A", NULL},
      {"password_file: /run/secrets/a", NULL},
      {"password_file: 'secret:bus.password'", NULL},
      {"password_file: 'secret:'", "\"\" is no name of a secret"},
      {"password_file: 'secret:a b'", "\"a b\" is no name of a secret"},
      {"password_file: 'secret:../a'", "\"../a\" is no name of a secret"},
      {"password_env: A\npassword_file: 'secret:a'",
       "password_env and password_file are both given"},
      {"password_file: [a]", NULL}, /* the schema says that */
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_doc_tree tree;
    bb_report report;
    expect_int(rows[i].text, parse(&tree, rows[i].text, &report), 0);
    bb_secret_check(tree.root, "password", &report);
    expect_uint(rows[i].text, report.n, rows[i].mistake != NULL);
    if (report.n > 0) expect_part(rows[i].text, report.mistakes[0].text, rows[i].mistake);
    bb_doc_close(&tree);
    bb_report_close(&report);
  }
}

static void test_secret_wipe_leaves_nothing(void **state) {
  (void)state;
  char text[] = "a secret word", zero[sizeof(text)] = {0};
  bb_secret_wipe(text, sizeof(text));
  expect_bytes("wiped", text, sizeof(text), zero, sizeof(zero));
}

static void test_secret_mark_changes_with_what_is_read(void **state) {
  (void)state;
  folder f;
  folder_open(&f);
  setenv("BB_TEST_SECRET", "hush", 1);
  const char *password = write_file(&f, "password", "hush\n");
  const char *ca = write_file(&f, "ca.pem", "one");
  uint64_t none = bb_secret_mark(1, NULL, NULL), first = bb_secret_mark(1, NULL, password);
  uint64_t both = bb_secret_mark_file(first, ca);
  expect_true("something", none != 0 && first != 0 && both != 0);
  expect_true("differ", none != first && first != both);
  expect_true("the same value", bb_secret_mark(1, "BB_TEST_SECRET", NULL) == first);
  write_file(&f, "password", "hush");
  expect_true("written anew, but the same", bb_secret_mark(1, NULL, password) == first);
  write_file(&f, "password", "hush!\n");
  expect_true("another one", bb_secret_mark(1, NULL, password) != first);
  write_file(&f, "ca.pem", "two");
  expect_true("another file", bb_secret_mark_file(first, ca) != both);
  expect_true("no file is named", bb_secret_mark_file(first, NULL) == first);
  expect_true("it is gone", bb_secret_mark(1, NULL, "/no/such/file") == 0);
  expect_true("it is gone", bb_secret_mark_file(1, "/no/such/file") == 0);
  expect_true("one of several is gone", bb_secret_mark_file(0, ca) == 0);
  folder_close(&f);
}

/* What a library finds that opens the path. */
static void expect_content(const bb_secret_file *file, const char *expected) {
  char bytes[64];
  FILE *stream = fopen(file->path, "r");
  expect_true(file->path, stream != NULL);
  size_t n = fread(bytes, 1, sizeof(bytes), stream);
  fclose(stream);
  expect_bytes(expected, bytes, n, expected, strlen(expected));
}

static void test_secret_that_is_handed_over_can_be_opened_as_a_file(void **state) {
  (void)state;
  char text[64] = "a certificate", why[200];
  const bb_secret_source source = {text, read_one};
  bb_secret_file file;
  bb_secret_use(&source);
  expect_int("open", bb_secret_file_open(&file, "secret:bus.password"), 0);
  const char *path = file.path;
  for (int opened = 0; opened < 2; opened++) {
    expect_int("fill", bb_secret_file_fill(&file, why, sizeof(why)), 0);
    expect_content(&file, "a certificate");
  }
  uint64_t mark = bb_secret_mark_file(1, "secret:bus.password");
  snprintf(text, sizeof(text), "shorter");
  expect_int("another one", bb_secret_file_fill(&file, why, sizeof(why)), 0);
  expect_content(&file, "shorter");
  expect_true("the same path", file.path == path);
  expect_true("another mark", bb_secret_mark_file(1, "secret:bus.password") != mark);
  bb_secret_use(NULL);
  expect_int("gone", bb_secret_file_fill(&file, why, sizeof(why)), BB_ERR_NOTFOUND);
  expect_part("gone", why, "the secret bus.password was not handed over");
  expect_uint("no mark", bb_secret_mark_file(1, "secret:bus.password"), 0);
  bb_secret_file_close(&file);
  bb_secret_file_close(&file);
  expect_int("a path of the document", bb_secret_file_open(&file, "/etc/ca.pem"), 0);
  expect_int("is left alone", bb_secret_file_fill(&file, why, sizeof(why)), 0);
  expect_text("as it is", file.path, "/etc/ca.pem");
  bb_secret_file_close(&file);
  expect_int("none", bb_secret_file_open(&file, NULL), 0);
  expect_true("no path", file.path == NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_secret_that_is_handed_over_can_be_opened_as_a_file),
      cmocka_unit_test(test_secret_is_read_from_where_the_document_says),
      cmocka_unit_test(test_secret_by_name_without_anyone_who_keeps_them),
      cmocka_unit_test(test_secret_name_is_told_from_a_path),
      cmocka_unit_test(test_secret_check_finds_what_cannot_be_meant),
      cmocka_unit_test(test_secret_mark_changes_with_what_is_read),
      cmocka_unit_test(test_secret_wipe_leaves_nothing),
  };
  return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
