/* SPDX-License-Identifier: Apache-2.0 */
/* See secret_file.h. */
#include "base/secret_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/secret.h"

int bb_secret_file_open(bb_secret_file *file, const char *option) {
  *file = (bb_secret_file){.path = option};
  if (option == NULL || bb_secret_name(option) == NULL) return 0;
  int fd = memfd_create("busbar-secret", MFD_CLOEXEC);
  if (fd < 0) {
    *file = (bb_secret_file){.path = NULL};
    return BB_ERR_IO;
  }
  file->option = option;
  file->fd = fd;
  snprintf(file->own, sizeof(file->own), "/proc/self/fd/%d", fd);
  file->path = file->own;
  return 0;
}

static int put(int fd, const char *bytes, size_t len) {
  if (ftruncate(fd, 0) < 0) return BB_ERR_IO;
  for (size_t at = 0; at < len;) {
    ssize_t n = pwrite(fd, bytes + at, len - at, (off_t)at);
    if (n <= 0) return BB_ERR_IO;
    at += (size_t)n;
  }
  return 0;
}

int bb_secret_file_fill(const bb_secret_file *file, char *why, size_t why_cap) {
  if (file->option == NULL) return 0;
  char *bytes = malloc(BB_SECRET_LONGEST);
  if (bytes == NULL) {
    snprintf(why, why_cap, "%s", bb_err_text(BB_ERR_NOMEM));
    return BB_ERR_NOMEM;
  }
  int len = bb_secret_read(NULL, file->option, bytes, BB_SECRET_LONGEST, why, why_cap);
  int err = len < 0 ? len : put(file->fd, bytes, (size_t)len);
  if (len >= 0 && err < 0) snprintf(why, why_cap, "there is no memory for a certificate");
  bb_secret_wipe(bytes, BB_SECRET_LONGEST);
  free(bytes);
  return err;
}

void bb_secret_file_close(bb_secret_file *file) {
  if (file->option != NULL) close(file->fd);
  *file = (bb_secret_file){.path = NULL};
}
