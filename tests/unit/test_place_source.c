/* SPDX-License-Identifier: Apache-2.0 */
/* A data directory that cannot be used: what is said of it, and that nothing of it stays. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/file.h"
#include "runtime/place.h"
#include "support/expect.h"
#include "support/place.h"

/* What lay in the temporary directory went with the runtime. */
static void expect_empty(const folder *t) {
  DIR *dir = opendir(t->path);
  const struct dirent *entry;
  while ((entry = readdir(dir)) != NULL) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      fail_msg("%s/%s was left behind", t->path, entry->d_name);
    }
  }
  closedir(dir);
}

/* The warning names what the user gave, and why that cannot be used. */
static void test_place_says_where_its_directory_comes_from(void **state) {
  static const struct {
    const char *source, *dir, *expected;
  } rows[] = {
      {"--data", "file",
       "/file (from --data) is a file: nothing is kept across a restart; name "
       "another one with --data\n"},
      {"STATE_DIRECTORY", "file/a/b",
       "/file/a/b (from STATE_DIRECTORY) cannot be made (not a "
       "directory): nothing is kept across a restart; make it, "
       "writable for user "},
      {"BUSBAR_DATA", "file/a", ", or name another one with BUSBAR_DATA\n"},
      {NULL, "file",
       "/file is a file: nothing is kept across a restart; name another one with "
       "--data or BUSBAR_DATA\n"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    folder f, t;
    place_open_folders(&f, &t);
    bb_file_replace(f.path, "file", "x", 1);
    bb_place place = {.source = rows[i].source}, second = {.source = rows[i].source};
    char why[BB_PLACE_TEXT] = "";
    place_open(&place, folder_path(&f, rows[i].dir), &f);
    expect_part(rows[i].dir, folder_log(&f), rows[i].expected);
    expect_int("second", bb_place_open(&second, place.dir, &f.log, why, sizeof(why)), BB_ERR_BUSY);
    expect_part("how to change it", why, rows[i].source != NULL ? rows[i].source : "--data or ");
    bb_place_close(&place);
    expect_empty(&t);
    place_close_folders(&f, &t);
  }
}

/* The one that comes second looks for the first one's name, and leaves nothing of its own. */
static void test_place_that_is_refused_leaves_nothing(void **state) {
  (void)state;
  folder f, t;
  place_open_folders(&f, &t);
  bb_place place = {0}, second = {0};
  char why[BB_PLACE_TEXT] = "";
  place_open(&place, f.path, &f);
  for (int i = 0; i < 2; i++) {
    if (i == 1) expect_int("no name", bb_file_replace(f.path, "lock", "", 0), 0);
    expect_int("second", bb_place_open(&second, f.path, &f.log, why, sizeof(why)), BB_ERR_BUSY);
    expect_empty(&t);
  }
  bb_place_close(&place);
  place_close_folders(&f, &t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_place_says_where_its_directory_comes_from),
      cmocka_unit_test(test_place_that_is_refused_leaves_nothing),
  };
  return cmocka_run_group_tests_name("place_source", tests, NULL, NULL);
}
