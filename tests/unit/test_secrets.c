/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "runtime/file.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/folder.h"
#include "support/parse.h"

static void open_secrets(bb_secrets *secrets, folder *f) {
  *secrets = (bb_secrets){.dir = f->path, .log = &f->log};
  bb_secrets_init(secrets);
}

/* As the request does it; the mistakes go to `why`, which may be NULL where none are expected. */
static int hand_over(bb_secrets *secrets, const char *text, bool memory, char *why, size_t cap) {
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  int err = bb_doc_parse(&tree, "request", text, strlen(text), &report);
  if (err < 0) {
    bb_report_close(&report);
    return err;
  }
  bb_secrets_check(secrets, tree.root, &report);
  if (bb_report_ok(&report)) {
    err = bb_secrets_set(secrets, tree.root, memory);
  } else {
    err = BB_ERR_CONFIG;
    if (why != NULL && report.n > 0) snprintf(why, cap, "%s", report.mistakes[0].text);
  }
  bb_doc_close(&tree);
  bb_report_close(&report);
  return err;
}

static int set(bb_secrets *secrets, const char *text) {
  return hand_over(secrets, text, false, NULL, 0);
}

static int set_in_memory(bb_secrets *secrets, const char *text) {
  return hand_over(secrets, text, true, NULL, 0);
}

/* What a sink gets; NULL: it is told that it was not handed over. */
static void expect_secret(const char *name, const char *expected) {
  char file[128], out[BB_SECRET_MAX], why[256];
  snprintf(file, sizeof(file), "secret:%s", name);
  int len = bb_secret_read(NULL, file, out, sizeof(out), why, sizeof(why));
  if (expected == NULL) {
    expect_int(name, len, BB_ERR_NOTFOUND);
  } else {
    expect_int(name, len, (int64_t)strlen(expected));
    expect_text(name, out, expected);
  }
}

static void expect_file(folder *f, const char *expected) {
  bb_buf text;
  bb_buf_init(&text, 1 << 20);
  bool there = bb_file_read(f->path, "secrets", &text) == 0;
  expect_text("file", there ? bb_buf_string(&text) : NULL, expected);
  bb_buf_close(&text);
}

static void test_secrets_survive_a_restart(void **state) {
  (void)state;
  folder f;
  bb_secrets secrets;
  struct stat info;
  folder_open(&f);
  open_secrets(&secrets, &f);
  expect_secret("bus.password", NULL);
  expect_int("set", set(&secrets, "{\"bus.password\":\"a \\\"b\\\" \\u20ac\\n\",\"hist\":\"x\"}"),
             1);
  expect_secret("bus.password", "a \"b\" \xe2\x82\xac\n");
  expect_int("stat", stat(folder_path(&f, "secrets"), &info), 0);
  expect_uint("mode", info.st_mode & 0777, 0600);
  expect_file(&f, "{\"bus.password\":\"a \\\"b\\\" \xe2\x82\xac\\n\",\"hist\":\"x\"}");
  bb_secrets_close(&secrets);
  expect_secret("hist", NULL);

  open_secrets(&secrets, &f);
  expect_uint("both", secrets.n, 2);
  expect_secret("bus.password", "a \"b\" \xe2\x82\xac\n");
  expect_int("change one, remove one", set(&secrets, "{\"hist\":null,\"bus.password\":\"c\"}"), 1);
  expect_file(&f, "{\"bus.password\":\"c\"}");
  expect_int("remove what is not there", set(&secrets, "{\"hist\":null}"), 1);
  expect_int("remove all", set(&secrets, "{\"bus.password\":null}"), 1);
  expect_file(&f, NULL);
  bb_secrets_close(&secrets);
  expect_text("nothing to say", folder_log(&f), "");
  folder_close(&f);
}

static void test_secrets_in_memory_leave_no_file(void **state) {
  (void)state;
  folder f;
  bb_secrets secrets;
  folder_open(&f);
  open_secrets(&secrets, &f);
  expect_int("memory", set_in_memory(&secrets, "{\"b\":\"1\"}"), 1);
  expect_file(&f, NULL);
  expect_int("kept", set(&secrets, "{\"a\":\"2\",\"c\":\"3\"}"), 1);
  expect_file(&f, "{\"a\":\"2\",\"c\":\"3\"}");
  expect_int("out of the file", set_in_memory(&secrets, "{\"c\":\"3\"}"), 1);
  expect_file(&f, "{\"a\":\"2\"}");
  expect_int("and into it", set(&secrets, "{\"b\":\"1\",\"c\":\"4\"}"), 1);
  expect_file(&f, "{\"a\":\"2\",\"b\":\"1\",\"c\":\"4\"}");
  expect_int("all in memory", set_in_memory(&secrets, "{\"a\":\"2\",\"b\":\"1\",\"c\":\"4\"}"), 1);
  expect_file(&f, NULL);
  expect_secret("c", "4");
  bb_secrets_close(&secrets);
  folder_close(&f);
}

static void test_secrets_with_mistakes_are_refused_whole(void **state) {
  (void)state;
  folder f;
  bb_secrets secrets;
  char longest[BB_SECRET_LONGEST + 32];
  const size_t quote = 6;
  folder_open(&f);
  open_secrets(&secrets, &f);
  memset(longest, 'x', sizeof(longest));
  memcpy(longest, "{\"a\":\"", quote);
  memcpy(longest + quote + BB_SECRET_LONGEST, "\"}", 3);
  const struct {
    const char *text, *mistake;
  } rows[] = {
      {"{\"good\":\"1\",\"a b\":\"hush\"}", "no name of a secret"},
      {"{\"good\":\"1\",\"\":\"hush\"}", "no name of a secret"},
      {"{\"good\":\"1\",\"../a\":\"hush\"}", "no name of a secret"},
      {"{\"good\":\"1\",\"a\":12}", "a secret is a text"},
      {"{\"good\":\"1\",\"a\":[\"hush\"]}", "a secret is a text"},
      {"{\"good\":\"1\",\"a\":{\"b\":\"hush\"}}", "a secret is a text"},
      {"{\"good\":\"1\",\"a\":\"\"}", "may not be empty"},
      {longest, "too long; allowed: 65535 bytes"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char why[256] = "";
    expect_int(rows[i].mistake, hand_over(&secrets, rows[i].text, false, why, sizeof(why)),
               BB_ERR_CONFIG);
    expect_part(rows[i].text, why, rows[i].mistake);
    expect_true("no value is told", strstr(why, "hush") == NULL);
    expect_secret("good", NULL);
  }
  memcpy(longest + quote + BB_SECRET_LONGEST - 1, "\"}", 3);
  expect_int("longest", set(&secrets, longest), 1);
  expect_uint("length", bb_secrets_find(&secrets, "a")->len, BB_SECRET_LONGEST - 1);
  bb_secrets_close(&secrets);
  folder_close(&f);
}

static void test_secrets_have_a_number(void **state) {
  (void)state;
  folder f;
  bb_secrets secrets;
  char text[64], why[256] = "";
  folder_open(&f);
  open_secrets(&secrets, &f);
  for (int i = 0; i < BB_SECRETS_MAX; i++) {
    snprintf(text, sizeof(text), "{\"s%d\":\"%d\"}", (i * 7) % BB_SECRETS_MAX, i);
    expect_int(text, set_in_memory(&secrets, text), 1);
  }
  for (uint32_t i = 1; i < secrets.n; i++) {
    expect_true("in order", strcmp(secrets.entries[i - 1].name, secrets.entries[i].name) < 0);
  }
  expect_int("one more", hand_over(&secrets, "{\"more\":\"1\"}", true, why, sizeof(why)),
             BB_ERR_CONFIG);
  expect_part("why", why, "there would be 257 secrets; allowed: 256");
  expect_int("in place of another", set_in_memory(&secrets, "{\"more\":\"1\",\"s9\":null}"), 1);
  expect_secret("more", "1");
  expect_secret("s7", "1");
  expect_secret("s9", NULL);
  bb_secrets_close(&secrets);
  folder_close(&f);
}

static void test_secrets_file_that_others_could_read_is_made_private(void **state) {
  (void)state;
  folder f;
  bb_secrets secrets;
  struct stat info;
  folder_open(&f);
  const char *path = folder_path(&f, "secrets");
  bb_file_replace(f.path, "secrets", "{\"a\":\"hush\"}", 12);
  chmod(path, 0644);
  open_secrets(&secrets, &f);
  expect_secret("a", "hush");
  expect_int("stat", stat(path, &info), 0);
  expect_uint("mode", info.st_mode & 0777, 0600);
  expect_part("told", folder_log(&f), "could be read by other users (mode 644; it is private now)");
  expect_true("no value is told", strstr(folder_log(&f), "hush") == NULL);
  bb_secrets_close(&secrets);
  folder_close(&f);
}

/* What is wrong is told without a word of what the file holds. */
static void test_secrets_file_that_is_damaged_is_not_used(void **state) {
  static const char *const texts[] = {
      "",
      "hush",
      "{\"a\":\"hush\"",
      "{\"a\":\"hush\",\"a\":\"hush\"}",
      "{\"a\":\"hush\",\"b c\":\"hush\"}",
      "[\"hush\"]",
      "{\"a\":hush}",
  };
  (void)state;
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    folder f;
    bb_secrets secrets;
    folder_open(&f);
    bb_file_replace(f.path, "secrets", texts[i], strlen(texts[i]));
    open_secrets(&secrets, &f);
    expect_uint(texts[i], secrets.n, 0);
    expect_part(texts[i], folder_log(&f), "are not used: the file is damaged");
    expect_true(texts[i], strstr(folder_log(&f), "hush") == NULL);
    expect_int("a new one", set(&secrets, "{\"b\":\"1\"}"), 1);
    expect_file(&f, "{\"b\":\"1\"}");
    bb_secrets_close(&secrets);
    folder_close(&f);
  }
}

static void test_secrets_file_that_is_a_link_is_not_followed(void **state) {
  (void)state;
  folder f;
  bb_secrets secrets;
  folder_open(&f);
  bb_file_replace(f.path, "else", "{\"a\":\"1\"}", 9);
  expect_int("link", symlink("else", folder_path(&f, "secrets")), 0);
  open_secrets(&secrets, &f);
  expect_secret("a", NULL);
  expect_part("told", folder_log(&f), "are not used: ");
  bb_secrets_close(&secrets);
  unlink(folder_path(&f, "secrets"));
  mkdir(folder_path(&f, "secrets"), 0700);
  open_secrets(&secrets, &f);
  expect_uint("a folder", secrets.n, 0);
  bb_secrets_close(&secrets);
  folder_close(&f);
}

static void test_secrets_without_a_disk_work_and_say_so_once(void **state) {
  (void)state;
  folder f;
  folder_open(&f);
  bb_file_replace(f.path, "file", "x", 1);
  const char *const dirs[] = {NULL, folder_path(&f, "file"), folder_path(&f, "missing")};
  for (size_t i = 0; i < 3; i++) {
    bb_secrets secrets = {.dir = dirs[i], .log = &f.log};
    bb_secrets_init(&secrets);
    unsigned long long before = f.log.lines[BB_LOG_WARN];
    expect_int("not kept", set(&secrets, "{\"a\":\"1\"}"), 0);
    expect_int("not kept", set(&secrets, "{\"b\":\"1\"}"), 0);
    expect_int("not meant to be", set_in_memory(&secrets, "{\"c\":\"1\"}"), 0);
    expect_uint("warnings", f.log.lines[BB_LOG_WARN] - before, 1);
    expect_secret("a", "1");
    expect_secret("c", "1");
    bb_secrets_close(&secrets);
  }
  expect_part("told", folder_log(&f),
              "cannot be kept in the data directory (read-only file system)");
  folder_close(&f);
}

static int use_some(void *user) {
  folder *f = user;
  bb_secrets secrets;
  open_secrets(&secrets, f);
  int err = set(&secrets, "{\"a\":\"1\",\"b\":\"2\",\"old\":null}");
  if (err >= 0) err = set_in_memory(&secrets, "{\"c\":\"3\",\"a\":\"4\"}");
  bool all = secrets.n == 3;
  bb_secrets_close(&secrets);
  /* Without memory for the file all is there, and the log says that it is not kept. */
  return err < 0 && err != BB_ERR_NOMEM ? err : err >= 0 && !all ? BB_ERR_STATE : 0;
}

static void test_secrets_are_kept_once_the_disk_lets_them(void **state) {
  (void)state;
  folder f;
  folder_open(&f);
  const char *dir = folder_path(&f, "missing");
  bb_secrets secrets = {.dir = dir, .log = &f.log};
  bb_secrets_init(&secrets);
  expect_int("not kept", set(&secrets, "{\"bus.password\":\"a\"}"), 0);
  bb_secrets_mend(&secrets);
  expect_true("still not", secrets.unsaved);
  mkdir(dir, 0700);
  bb_secrets_mend(&secrets);
  bb_secrets_mend(&secrets);
  expect_true("kept", !secrets.unsaved);
  expect_uint("said once", f.log.lines[BB_LOG_INFO], 1);
  expect_part("where", folder_log(&f), "the secrets are kept in ");
  bb_secrets_close(&secrets);
  secrets = (bb_secrets){.dir = dir, .log = &f.log};
  bb_secrets_init(&secrets);
  expect_secret("bus.password", "a");
  bb_secrets_close(&secrets);
  folder_close(&f);
}

static void test_secrets_without_memory(void **state) {
  (void)state;
  folder f;
  folder_open(&f);
  bb_file_replace(f.path, "secrets", "{\"old\":\"1\"}", 11);
  failmalloc_each_survives(use_some, &f);
  folder_close(&f);
}

static void test_secrets_wipe_a_tree(void **state) {
  (void)state;
  bb_doc_tree tree;
  bb_report report;
  expect_int("parse", parse(&tree, "{\"a\":\"hush\",\"b\":[\"hush\",{\"c\":\"hush\"}]}", &report),
             0);
  bb_secrets_wipe_doc(tree.root);
  expect_text("a", bb_doc_get_text(tree.root, "a"), "");
  const bb_doc *list = bb_doc_get(tree.root, "b");
  expect_text("b", list->first->text, "");
  expect_text("c", bb_doc_get_text(list->first->next, "c"), "");
  bb_doc_close(&tree);
  bb_report_close(&report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_secrets_survive_a_restart),
      cmocka_unit_test(test_secrets_in_memory_leave_no_file),
      cmocka_unit_test(test_secrets_with_mistakes_are_refused_whole),
      cmocka_unit_test(test_secrets_have_a_number),
      cmocka_unit_test(test_secrets_file_that_others_could_read_is_made_private),
      cmocka_unit_test(test_secrets_file_that_is_damaged_is_not_used),
      cmocka_unit_test(test_secrets_file_that_is_a_link_is_not_followed),
      cmocka_unit_test(test_secrets_without_a_disk_work_and_say_so_once),
      cmocka_unit_test(test_secrets_are_kept_once_the_disk_lets_them),
      cmocka_unit_test(test_secrets_without_memory),
      cmocka_unit_test(test_secrets_wipe_a_tree),
  };
  return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
