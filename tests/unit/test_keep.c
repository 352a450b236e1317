/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/keep.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "runtime/file.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/folder.h"

static void expect_kept(bb_keep *keep, const char *key, const char *expected) {
  char text[64] = "";
  int n = bb_keep_get(keep, "bus", key, text, sizeof(text));
  expect_int(key, n, (int64_t)strlen(expected));
  expect_text(key, text, expected);
}

static int put(bb_keep *keep, const char *key, const char *text) {
  return bb_keep_put(keep, "bus", key, text, strlen(text));
}

static void test_keep_survives_a_restart(void **state) {
  (void)state;
  folder f;
  bb_keep keep;
  struct stat info;
  folder_open(&f);
  bb_keep_init(&keep, f.path, &f.log);
  expect_int("nothing yet", bb_keep_get(&keep, "bus", "bdseq", NULL, 0), BB_ERR_NOTFOUND);
  expect_int("put", put(&keep, "bdseq", "41"), 1);
  expect_int("another owner", bb_keep_put(&keep, "bus.b", "bdseq", "7", 1), 1);
  expect_int("put again", put(&keep, "bdseq", "42"), 1);
  expect_int("empty", put(&keep, "none", ""), 1);
  expect_kept(&keep, "bdseq", "42");
  bb_keep_close(&keep);

  bb_keep_init(&keep, f.path, &f.log);
  expect_kept(&keep, "bdseq", "42");
  expect_kept(&keep, "none", "");
  expect_int("file", stat(folder_path(&f, "keep.bus+bdseq"), &info), 0);
  expect_uint("mode", info.st_mode & 0777, 0600);
  bb_keep_close(&keep);
  expect_text("nothing to say", folder_log(&f), "");
  folder_close(&f);
}

static void test_keep_gives_at_most_what_there_is_room_for(void **state) {
  (void)state;
  folder f;
  bb_keep keep;
  char text[4] = "xxx";
  folder_open(&f);
  bb_keep_init(&keep, f.path, &f.log);
  put(&keep, "key", "abcdef");
  expect_int("from memory", bb_keep_get(&keep, "bus", "key", text, 2), 2);
  expect_text("and no more", text, "abx");
  bb_keep_close(&keep);
  bb_keep_init(&keep, f.path, &f.log);
  expect_int("from disk", bb_keep_get(&keep, "bus", "key", text, 1), 1);
  expect_text("and no more", text, "abx");
  bb_keep_close(&keep);
  folder_close(&f);
}

static void test_keep_refuses_what_is_too_long_or_no_id(void **state) {
  (void)state;
  folder f;
  bb_keep keep;
  char much[BB_KEEP_MAX + 1] = {0};
  folder_open(&f);
  bb_keep_init(&keep, f.path, &f.log);
  expect_int("longest", bb_keep_put(&keep, "bus", "key", much, BB_KEEP_MAX), 1);
  expect_int("too long", bb_keep_put(&keep, "bus", "key", much, BB_KEEP_MAX + 1), BB_ERR_LIMIT);
  expect_int("stays", bb_keep_get(&keep, "bus", "key", much, sizeof(much)), BB_KEEP_MAX);
  static const char *const bad[] = {"", "..", "../x", "a/b", "a+b", ".x", "a b"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    expect_int(bad[i], bb_keep_put(&keep, "bus", bad[i], "x", 1), BB_ERR_INVALID);
    expect_int(bad[i], bb_keep_put(&keep, bad[i], "key", "x", 1), BB_ERR_INVALID);
    expect_int(bad[i], bb_keep_get(&keep, bad[i], "key", much, 1), BB_ERR_INVALID);
  }
  bb_keep_close(&keep);
  folder_close(&f);
}

/* Without a directory, and with one that is none. */
static void test_keep_works_without_a_disk_and_says_so_once(void **state) {
  (void)state;
  folder f;
  folder_open(&f);
  expect_int("file", bb_file_replace(f.path, "file", "x", 1), 0);
  const char *const dirs[] = {NULL, folder_path(&f, "file"), folder_path(&f, "missing")};
  for (size_t i = 0; i < 3; i++) {
    bb_keep keep;
    unsigned long long before = f.log.lines[BB_LOG_WARN];
    bb_keep_init(&keep, dirs[i], &f.log);
    expect_int("put", put(&keep, "bdseq", "1"), 0);
    expect_int("put", put(&keep, "bdseq", "2"), 0);
    expect_kept(&keep, "bdseq", "2");
    expect_uint("warnings", f.log.lines[BB_LOG_WARN] - before, 1);
    bb_keep_close(&keep);
  }
  expect_part("place", folder_log(&f), "/file cannot be written (not a directory)");
  expect_part("no place", folder_log(&f), "there is no data directory");
  folder_close(&f);
}

/* What a cut leaves: the file beside is half, the old one whole. */
static void test_keep_ignores_a_half_written_file(void **state) {
  (void)state;
  folder f;
  bb_keep keep;
  folder_open(&f);
  bb_keep_init(&keep, f.path, &f.log);
  put(&keep, "key", "old");
  bb_keep_close(&keep);
  expect_int("half", bb_file_replace(f.path, ".keep.bus+key.new", "ne", 2), 0);
  bb_keep_init(&keep, f.path, &f.log);
  expect_kept(&keep, "key", "old");
  expect_int("replaced", put(&keep, "key", "newer"), 1);
  bb_keep_close(&keep);
  bb_keep_init(&keep, f.path, &f.log);
  expect_kept(&keep, "key", "newer");
  expect_int("nothing beside", access(folder_path(&f, ".keep.bus+key.new"), F_OK), -1);
  bb_keep_close(&keep);
  folder_close(&f);
}

static int put_some(void *user) {
  folder *f = user;
  bb_keep keep;
  int err = 0;
  bb_keep_init(&keep, f->path, &f->log);
  for (int i = 0; err >= 0 && i < 20; i++) {
    char key[16];
    snprintf(key, sizeof(key), "k%d", i % 15);
    err = put(&keep, key, "value");
  }
  bb_keep_close(&keep);
  return err < 0 ? err : 0;
}

static void test_keep_without_memory(void **state) {
  (void)state;
  folder f;
  folder_open(&f);
  failmalloc_each(put_some, &f);
  folder_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keep_survives_a_restart),
      cmocka_unit_test(test_keep_gives_at_most_what_there_is_room_for),
      cmocka_unit_test(test_keep_refuses_what_is_too_long_or_no_id),
      cmocka_unit_test(test_keep_works_without_a_disk_and_says_so_once),
      cmocka_unit_test(test_keep_ignores_a_half_written_file),
      cmocka_unit_test(test_keep_without_memory),
  };
  return cmocka_run_group_tests_name("keep", tests, NULL, NULL);
}
