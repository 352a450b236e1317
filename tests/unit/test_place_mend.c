/* SPDX-License-Identifier: Apache-2.0 */
/* A data directory that cannot be written at first, and then can. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "runtime/file.h"
#include "runtime/place.h"
#include "support/expect.h"
#include "support/folder.h"

static void open_folders(folder *f, folder *temporary) {
  folder_open(f);
  folder_open(temporary);
  setenv("TMPDIR", temporary->path, 1);
}

static void close_folders(folder *f, folder *temporary) {
  unsetenv("TMPDIR");
  folder_close(temporary);
  folder_close(f);
}

static void open_place(bb_place *place, const char *dir, folder *f) {
  char why[BB_PLACE_TEXT] = "";
  expect_int(dir, bb_place_open(place, dir, &f->log, why, sizeof(why)), 0);
  expect_text(dir, why, "");
}

/* No byte can be written, but names can be made: as on a disk that is full. */
static void fill_disk(bool full) {
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = full ? 0 : limit.rlim_max;
  expect_int("limit", setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void expect_held(const char *dir, folder *f) {
  bb_place second = {0};
  char why[BB_PLACE_TEXT];
  expect_int("held", bb_place_open(&second, dir, &f->log, why, sizeof(why)), BB_ERR_BUSY);
}

static void expect_document(const bb_place *place, const char *expected) {
  bb_buf text;
  bb_buf_init(&text, 4096);
  expect_int("load", bb_place_load_document(place, &text), 0);
  expect_text("document", bb_buf_string(&text), expected);
  bb_buf_close(&text);
}

static unsigned said(folder *f, const char *text) {
  unsigned n = 0;
  for (const char *at = folder_log(f); (at = strstr(at, text)) != NULL; at++) n++;
  return n;
}

static void test_place_without_room_has_its_socket_all_the_same(void **state) {
  (void)state;
  folder f, t;
  bb_place place = {0};
  char socket[BB_PLACE_SOCKET_MAX + 1];
  open_folders(&f, &t);
  fill_disk(true);
  open_place(&place, f.path, &f);
  bb_place_record(&place, NULL);
  int kept = bb_place_save_document(&place, "a: 1\n", 5);
  bool found = bb_place_mend(&place, NULL);
  fill_disk(false);
  expect_int("not kept", kept, 0);
  expect_true("no other place was looked for", !found);
  expect_text("in it", place.socket, folder_path(&f, "busbar.sock"));
  expect_true("where it is looked for", bb_place_socket(f.path, 0, socket));
  expect_text("there", socket, place.socket);
  expect_uint("one warning", f.log.lines[BB_LOG_WARN], 1);
  expect_held(f.path, &f);
  bb_place_mend(&place, NULL);
  expect_true("writable", place.writable);
  expect_document(&place, "a: 1\n");
  expect_int("recorded", access(folder_path(&f, "runtime.json"), F_OK), 0);
  bb_place_mend(&place, NULL);
  expect_uint("said once", said(&f, "can be written again: what is applied is kept"), 1);
  bb_place_close(&place);
  close_folders(&f, &t);
}

static void test_place_is_made_when_it_can_be(void **state) {
  (void)state;
  folder f, t;
  bb_place place = {0};
  char socket[BB_PLACE_SOCKET_MAX + 1];
  open_folders(&f, &t);
  bb_file_replace(f.path, "mount", "x", 1); /* in the way of the folder above */
  open_place(&place, folder_path(&f, "mount/data"), &f);
  expect_part("elsewhere", place.socket, t.path);
  expect_int("recorded there", bb_place_record(&place, NULL), 0);
  expect_true("where it is looked for", bb_place_socket(folder_path(&f, "mount/data"), 1, socket));
  expect_text("there", socket, place.socket);
  expect_int("not kept", bb_place_save_document(&place, "a: 1\n", 5), 0);
  expect_int("nor this one", bb_place_save_document(&place, "a: 2\n", 5), 0);
  bb_place_mend(&place, NULL);
  expect_true("not yet", !place.writable);
  unlink(folder_path(&f, "mount"));
  bb_place_mend(&place, NULL);
  expect_true("writable", place.writable);
  expect_document(&place, "a: 2\n");
  expect_int("recorded", access(folder_path(&f, "mount/data/runtime.json"), F_OK), 0);
  expect_part("the socket stays", place.socket, t.path);
  expect_held(folder_path(&f, "mount/data"), &f);
  bb_place_close(&place);
  expect_int("gone with it", access(folder_path(&f, "mount/data/runtime.json"), F_OK), -1);
  expect_uint("one warning", f.log.lines[BB_LOG_WARN], 1);
  close_folders(&f, &t);
}

/* Somebody else has come first. */
static void test_place_that_another_took_meanwhile_stays_theirs(void **state) {
  (void)state;
  folder f, t;
  bb_place place = {0}, other = {0};
  open_folders(&f, &t);
  bb_file_replace(f.path, "mount", "x", 1);
  open_place(&place, folder_path(&f, "mount/data"), &f);
  unlink(folder_path(&f, "mount"));
  setenv("TMPDIR", f.path, 1); /* theirs is another one, as in another container */
  open_place(&other, folder_path(&f, "mount/data"), &f);
  bb_place_mend(&place, NULL);
  bb_place_mend(&place, NULL);
  expect_true("not ours", !place.writable);
  expect_uint("said once", said(&f, "mount/data is in use by process"), 1);
  bb_place_close(&other);
  bb_place_mend(&place, NULL);
  expect_true("ours now", place.writable);
  bb_place_close(&place);
  close_folders(&f, &t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_place_without_room_has_its_socket_all_the_same),
      cmocka_unit_test(test_place_is_made_when_it_can_be),
      cmocka_unit_test(test_place_that_another_took_meanwhile_stays_theirs),
  };
  return cmocka_run_group_tests_name("place_mend", tests, NULL, NULL);
}
