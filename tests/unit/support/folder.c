/* SPDX-License-Identifier: Apache-2.0 */
/* See folder.h. */
#include "support/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/expect.h"

void folder_open(folder *f) {
  char log[] = "/tmp/bb-log-XXXXXX";
  snprintf(f->path, sizeof(f->path), "/tmp/bb-test-XXXXXX");
  expect_true("folder", mkdtemp(f->path) != NULL);
  int fd = mkstemp(log);
  expect_true("log", fd >= 0);
  unlink(log);
  bb_log_init(&f->log, fd);
}

static int drop(const char *path, const struct stat *info, int kind, struct FTW *at) {
  (void)info;
  (void)kind;
  (void)at;
  return remove(path);
}

void folder_close(folder *f) {
  nftw(f->path, drop, 16, FTW_DEPTH | FTW_PHYS);
  close(f->log.fd);
}

const char *folder_log(folder *f) {
  ssize_t n = pread(f->log.fd, f->text, sizeof(f->text) - 1, 0);
  f->text[n > 0 ? n : 0] = 0;
  return f->text;
}

const char *folder_path(const folder *f, const char *name) {
  static char paths[4][512];
  static unsigned next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof(paths[0]), "%s/%s", f->path, name);
  return path;
}
