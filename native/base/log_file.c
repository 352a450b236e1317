/* SPDX-License-Identifier: Apache-2.0 */
/* See log_file.h. */
#include "base/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

#define FORMER ".1"

void bb_log_file_init(bb_log_file *file, const char *path) {
  *file = (bb_log_file){.path = path, .fd = -1};
}

void bb_log_file_close(bb_log_file *file) {
  if (file->fd >= 0) close(file->fd);
  file->fd = -1;
}

void bb_log_file_reopen(bb_log_file *file) {
  bb_log_file_close(file);
}

/* Without waiting for a reader, should it be a pipe. */
static int open_file(bb_log_file *file, struct stat *info) {
  if (file->fd < 0) {
    file->fd =
        open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
  }
  return file->fd >= 0 && fstat(file->fd, info) == 0 ? 0 : -errno;
}

static int rotate(const bb_log_file *file) {
  char former[BB_MAX_PATH + sizeof(FORMER)];
  int len = snprintf(former, sizeof(former), "%s" FORMER, file->path);
  if (len < 0 || (size_t)len >= sizeof(former)) return -ENAMETOOLONG;
  return rename(file->path, former) == 0 ? 0 : -errno;
}

/* Half a line, which a full disk leaves, would stand before the next one. */
static int write_line(const bb_log_file *file, const struct stat *info, const char *line,
                      size_t len) {
  ssize_t n;
  do {
    n = write(file->fd, line, len);
  } while (n < 0 && errno == EINTR);
  if (n == (ssize_t)len) return 0;
  int err = n < 0 ? -errno : -ENOSPC;
  if (n > 0 && S_ISREG(info->st_mode) && ftruncate(file->fd, info->st_size) < 0) err = -errno;
  return err;
}

static bool is_full(const bb_log_file *file, const struct stat *info, size_t len) {
  size_t max = file->max_bytes != 0 ? file->max_bytes : BB_LOG_FILE_BYTES;
  return S_ISREG(info->st_mode) && info->st_size > 0 && (size_t)info->st_size + len > max;
}

static int append(bb_log_file *file, const char *line, size_t len) {
  struct stat info;
  int err = open_file(file, &info);
  if (err == 0 && info.st_nlink == 0) {
    bb_log_file_close(file);
    err = open_file(file, &info);
  }
  if (err == 0 && is_full(file, &info, len)) {
    err = rotate(file);
    bb_log_file_close(file);
    if (err == 0) err = open_file(file, &info);
  }
  return err < 0 ? err : write_line(file, &info, line, len);
}

int bb_log_file_append(bb_log_file *file, const char *line, size_t len) {
  int err = append(file, line, len);
  file->failing = err < 0;
  if (err < 0) bb_log_file_close(file);
  return err;
}
