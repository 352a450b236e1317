/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/old_copies.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/report.h"
#include "support/expect.h"
#include "support/folder.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void make(const folder *f, const char *name, mode_t mode) {
  int fd = open(folder_path(f, name), O_WRONLY | O_CREAT | O_EXCL, mode);
  expect_true(name, fd >= 0);
  close(fd);
}

static void remove_copies(folder *f, const char *text) {
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  expect_int("document", bb_doc_parse(&tree, "d", text, strlen(text), &report), 0);
  bb_old_copies_remove(f->path, tree.root, &f->log);
  bb_doc_close(&tree);
  bb_report_close(&report);
}

/* The names are those that lib/pem.js gave. */
static void test_old_copies_are_removed_but_for_what_is_needed(void **state) {
  static const struct {
    const char *name;
    mode_t mode;
    bool stays;
  } rows[] = {
      {"tls/0123456789abcdef-ca.pem", 0600, false},
      {"tls/0123456789abcdef-key.pem", 0600, false},
      {"tls/f6f2187d_f17ca8-cert.pem", 0600, false},
      {"tls/f6f2187d_f17ca8-key.pem.new", 0600, false},
      {"tls/aaaaaaaaaaaaaaaa-ca.pem", 0600, true}, /* named */
      {"tls/0123456789abcdef-ca.pem.bak", 0600, true},
      {"tls/mosquitto-ca.pem", 0600, true},
      {"tls/ab-ca.pem", 0600, true},
      {"tls/ca.pem", 0600, true},
      {"tls/bbbbbbbbbbbbbbbb-ca.pem", 0644, true},
      {"0123456789abcdef-ca.pem", 0600, true},
  };
  (void)state;
  folder f;
  folder_open(&f);
  expect_int("tls", mkdir(folder_path(&f, "tls"), 0700), 0);
  for (size_t i = 0; i < COUNT(rows); i++) make(&f, rows[i].name, rows[i].mode);
  expect_int("a link", symlink("/dev/null", folder_path(&f, "tls/cccccccccccccccc-ca.pem")), 0);
  remove_copies(&f, "sinks: [{ mqtt: { ca_file: /old/place/tls/aaaaaaaaaaaaaaaa-ca.pem } }]");
  for (size_t i = 0; i < COUNT(rows); i++) {
    expect_int(rows[i].name, access(folder_path(&f, rows[i].name), F_OK), rows[i].stays ? 0 : -1);
  }
  struct stat info;
  expect_int("the link stays", lstat(folder_path(&f, "tls/cccccccccccccccc-ca.pem"), &info), 0);
  expect_part("told", folder_log(&f), "4 files were removed, with certificates and keys that an ");
  folder_close(&f);
}

static void test_old_copies_leave_no_empty_folder(void **state) {
  (void)state;
  folder f;
  folder_open(&f);
  remove_copies(&f, "busbar: 1");
  expect_int("tls", mkdir(folder_path(&f, "tls"), 0700), 0);
  remove_copies(&f, "busbar: 1");
  expect_text("nothing to say", folder_log(&f), "");
  make(&f, "tls/0123456789abcdef-ca.pem", 0600);
  remove_copies(&f, "busbar: 1");
  expect_int("gone", access(folder_path(&f, "tls"), F_OK), -1);
  expect_part("told", folder_log(&f), "1 file was removed");
  folder_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_old_copies_are_removed_but_for_what_is_needed),
      cmocka_unit_test(test_old_copies_leave_no_empty_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
