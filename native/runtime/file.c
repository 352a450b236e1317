/* SPDX-License-Identifier: Apache-2.0 */
/* See file.h. Names are taken below an open directory, so that no path grows too long. */
#include "runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define READ_AT_ONCE 16384

/* libuv's codes are errno's, negated. */
static int open_dir(const char *dir) {
  int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd >= 0 ? fd : -errno;
}

static int write_all(int fd, const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, bytes, len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    bytes += n;
    len -= (size_t)n;
  }
  return 0;
}

/* A file that was left half written is begun anew; a link in its place is not followed. */
static int write_beside(int at, const char *name, const void *bytes, size_t len) {
  if (unlinkat(at, name, 0) < 0 && errno != ENOENT) return -errno;
  int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return -errno;
  int err = write_all(fd, bytes, len);
  if (err == 0 && fsync(fd) < 0) err = -errno;
  if (close(fd) < 0 && err == 0) err = -errno;
  if (err < 0) unlinkat(at, name, 0);
  return err;
}

int bb_file_replace(const char *dir, const char *name, const void *bytes, size_t len) {
  char beside[NAME_MAX + 1];
  int n = snprintf(beside, sizeof(beside), ".%s.new", name);
  if (n < 0 || (size_t)n >= sizeof(beside)) return BB_ERR_LIMIT;
  int at = open_dir(dir);
  if (at < 0) return at;
  int err = write_beside(at, beside, bytes, len);
  if (err == 0 && renameat(at, beside, at, name) < 0) {
    err = -errno;
    unlinkat(at, beside, 0);
  }
  /* Some file systems cannot sync a directory; their rename has to do. */
  if (err == 0 && fsync(at) < 0 && errno != EINVAL && errno != EROFS) err = -errno;
  close(at);
  return err;
}

static int open_file(const char *dir, const char *name) {
  int at = open_dir(dir);
  if (at < 0) return at;
  int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
  int err = -errno;
  close(at);
  return fd >= 0 ? fd : err;
}

/* Bytes read; less than `cap` only at the end. */
static ssize_t read_some(int fd, char *out, size_t cap) {
  size_t len = 0;
  while (len < cap) {
    ssize_t n = read(fd, out + len, cap - len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    if (n == 0) break;
    len += (size_t)n;
  }
  return (ssize_t)len;
}

int bb_file_read(const char *dir, const char *name, bb_buf *out) {
  char bytes[READ_AT_ONCE];
  size_t start = out->len;
  int fd = open_file(dir, name);
  if (fd < 0) return fd;
  int err = 0;
  for (ssize_t n = READ_AT_ONCE; err == 0 && n == READ_AT_ONCE;) {
    n = read_some(fd, bytes, READ_AT_ONCE);
    err = n < 0 ? (int)n : bb_buf_append(out, bytes, (size_t)n);
  }
  close(fd);
  if (err < 0) out->len = start;
  return err;
}

int bb_file_peek(const char *dir, const char *name, void *out, size_t cap) {
  int fd = open_file(dir, name);
  if (fd < 0) return fd;
  ssize_t n = read_some(fd, out, cap);
  close(fd);
  return (int)n;
}

int bb_file_remove(const char *dir, const char *name) {
  int at = open_dir(dir);
  if (at < 0) return at;
  int err = unlinkat(at, name, 0) < 0 && errno != ENOENT ? -errno : 0;
  close(at);
  return err;
}
