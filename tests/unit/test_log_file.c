/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "support/expect.h"
#include "support/folder.h"

#define NOBODY 65534

/* What the file holds, in a static buffer; NULL: there is none. */
static const char *content(const char *path) {
  static char text[1 << 16];
  int fd = open(path, O_RDONLY);
  if (fd < 0) return NULL;
  ssize_t n = read(fd, text, sizeof(text) - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  return text;
}

static int put(bb_log_file *file, const char *line) {
  return bb_log_file_append(file, line, strlen(line));
}

static void test_log_file_is_private_and_appended_to(void **state) {
  (void)state;
  folder f;
  struct stat info;
  bb_log_file file;
  folder_open(&f);
  const char *path = folder_path(&f, "log");
  umask(0);
  for (int i = 0; i < 2; i++) {
    bb_log_file_init(&file, path);
    expect_int("append", put(&file, "line\n"), 0);
    bb_log_file_close(&file);
  }
  expect_text("both", content(path), "line\nline\n");
  expect_int("stat", stat(path, &info), 0);
  expect_uint("mode", info.st_mode & 0777, 0600);
  folder_close(&f);
}

/* Of each size: the line that just fits, the one that does not, and one former. */
static void test_log_file_keeps_its_bound(void **state) {
  (void)state;
  folder f;
  bb_log_file file;
  struct stat info;
  folder_open(&f);
  const char *path = folder_path(&f, "log"), *former = folder_path(&f, "log.1");
  bb_log_file_init(&file, path);
  file.max_bytes = 12;
  expect_int("first", put(&file, "aaaaa\n"), 0);
  expect_int("fits", put(&file, "bbbbb\n"), 0);
  expect_text("no former yet", content(former), NULL);
  expect_int("does not fit", put(&file, "c\n"), 0);
  expect_text("new", content(path), "c\n");
  expect_text("former", content(former), "aaaaa\nbbbbb\n");
  expect_int("stat", stat(path, &info), 0);
  expect_uint("mode", info.st_mode & 0777, 0600);
  expect_int("longer than the bound", put(&file, "0123456789abcdef\n"), 0);
  expect_text("new", content(path), "0123456789abcdef\n");
  expect_text("one former", content(former), "c\n");
  expect_int("and on", put(&file, "d\n"), 0);
  expect_text("new", content(path), "d\n");
  bb_log_file_close(&file);
  folder_close(&f);
}

static void test_log_file_of_a_former_life_counts(void **state) {
  (void)state;
  folder f;
  bb_log_file file;
  folder_open(&f);
  const char *path = folder_path(&f, "log");
  for (int i = 0; i < 3; i++) {
    bb_log_file_init(&file, path);
    file.max_bytes = 12;
    put(&file, "aaaaa\n");
    bb_log_file_close(&file);
  }
  expect_text("new", content(path), "aaaaa\n");
  expect_text("former", content(folder_path(&f, "log.1")), "aaaaa\naaaaa\n");
  folder_close(&f);
}

static void test_log_file_that_was_removed_is_made_anew(void **state) {
  (void)state;
  folder f;
  bb_log_file file;
  folder_open(&f);
  const char *path = folder_path(&f, "log");
  bb_log_file_init(&file, path);
  put(&file, "one\n");
  expect_int("unlink", unlink(path), 0);
  expect_int("append", put(&file, "two\n"), 0);
  expect_text("new", content(path), "two\n");
  /* Renamed by something else: that is known once it has been said. */
  expect_int("rename", rename(path, folder_path(&f, "else")), 0);
  put(&file, "three\n");
  expect_text("still that one", content(folder_path(&f, "else")), "two\nthree\n");
  bb_log_file_reopen(&file);
  put(&file, "four\n");
  expect_text("new", content(path), "four\n");
  bb_log_file_close(&file);
  folder_close(&f);
}

static void test_log_file_says_why_it_cannot_be_written(void **state) {
  (void)state;
  folder f;
  bb_log_file file;
  char longest[2 * BB_MAX_PATH];
  folder_open(&f);
  memset(longest, 'a', sizeof(longest) - 1);
  longest[sizeof(longest) - 1] = 0;
  const struct {
    const char *path;
    int error;
  } rows[] = {
      {folder_path(&f, "missing/log"), -ENOENT},
      {f.path, -EISDIR},
      {"/dev/full", -ENOSPC},
      {longest, -ENAMETOOLONG},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_log_file_init(&file, rows[i].path);
    expect_int("append", put(&file, "line\n"), rows[i].error);
    expect_true("failing", file.failing);
    bb_log_file_close(&file);
  }
  /* As soon as it can be written, it is. */
  bb_log_file_init(&file, rows[0].path);
  expect_int("not yet", put(&file, "line\n"), -ENOENT);
  mkdir(folder_path(&f, "missing"), 0700);
  expect_int("now", put(&file, "line\n"), 0);
  expect_true("well", !file.failing);
  bb_log_file_close(&file);
  folder_close(&f);
}

/* Where nothing can be renamed, the file must not grow past its bound either. */
static void test_log_file_in_a_folder_that_cannot_be_written(void **state) {
  (void)state;
  folder f;
  bb_log_file file;
  bool root = geteuid() == 0;
  folder_open(&f);
  const char *path = folder_path(&f, "log");
  if (root) {
    expect_int("owner", chown(f.path, NOBODY, NOBODY), 0);
    expect_int("user", seteuid(NOBODY), 0);
  }
  bb_log_file_init(&file, path);
  file.max_bytes = 12;
  expect_int("made", put(&file, "aaaaa\n"), 0);
  chmod(f.path, 0500);
  expect_int("still", put(&file, "bbbbb\n"), 0);
  expect_int("full", put(&file, "ccccc\n"), -EACCES);
  expect_int("and stays so", put(&file, "ccccc\n"), -EACCES);
  bb_log_file_close(&file);
  chmod(f.path, 0700);
  expect_text("not longer", content(path), "aaaaa\nbbbbb\n");
  if (root) {
    expect_int("root", seteuid(0), 0);
    prctl(PR_SET_DUMPABLE, 1); /* which the change of user took away, and the leak check needs */
  }
  folder_close(&f);
}

static void test_log_file_that_is_none_is_never_renamed(void **state) {
  (void)state;
  folder f;
  bb_log_file file;
  struct stat info;
  folder_open(&f);
  const char *path = folder_path(&f, "null");
  expect_int("link", symlink("/dev/null", path), 0);
  bb_log_file_init(&file, path);
  file.max_bytes = 1;
  for (int i = 0; i < 3; i++) expect_int("append", put(&file, "line\n"), 0);
  expect_int("link", lstat(path, &info), 0);
  expect_true("still there", S_ISLNK(info.st_mode));
  expect_text("no former", content(folder_path(&f, "null.1")), NULL);
  bb_log_file_close(&file);
  folder_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_file_is_private_and_appended_to),
      cmocka_unit_test(test_log_file_keeps_its_bound),
      cmocka_unit_test(test_log_file_of_a_former_life_counts),
      cmocka_unit_test(test_log_file_that_was_removed_is_made_anew),
      cmocka_unit_test(test_log_file_says_why_it_cannot_be_written),
      cmocka_unit_test(test_log_file_in_a_folder_that_cannot_be_written),
      cmocka_unit_test(test_log_file_that_is_none_is_never_renamed),
  };
  return cmocka_run_group_tests_name("log_file", tests, NULL, NULL);
}
