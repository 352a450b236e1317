/* SPDX-License-Identifier: Apache-2.0 */
/* See old_copies.h. */
#include "runtime/old_copies.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define FOLDER "tls"
#define LEAST_ID 8 /* characters of a node's id, which is written in hex */

static bool ends_with(const char *text, const char *end) {
  size_t len = strlen(text), n = strlen(end);
  return len >= n && strcmp(text + len - n, end) == 0;
}

/* "f6f2187d.f17ca8" was written as "f6f2187d_f17ca8-key.pem", by way of "…-key.pem.new". */
static bool is_copy(const char *name) {
  static const char *const ends[] = {"-ca.pem",     "-cert.pem",     "-key.pem",
                                     "-ca.pem.new", "-cert.pem.new", "-key.pem.new"};
  for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
    if (!ends_with(name, ends[i])) continue;
    size_t len = strlen(name) - strlen(ends[i]);
    return len >= LEAST_ID && strspn(name, "0123456789abcdef_-") >= len;
  }
  return false;
}

static bool is_private(int dir, const char *name) {
  struct stat info;
  return fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
         info.st_uid == geteuid() && (info.st_mode & 077) == 0;
}

/* By whatever way: what was applied by the earlier version still may. */
static bool names(const bb_doc *doc, const char *name) {
  if (doc->kind == BB_DOC_SCALAR) {
    size_t len = strlen(doc->text), n = strlen(name);
    return len > n && doc->text[len - n - 1] == '/' && ends_with(doc->text, name);
  }
  for (const bb_doc *child = doc->first; child != NULL; child = child->next) {
    if (names(child, name)) return true;
  }
  return false;
}

static unsigned remove_from(DIR *folder, const bb_doc *document) {
  unsigned n = 0;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    const char *name = entry->d_name;
    if (!is_copy(name) || !is_private(dirfd(folder), name) || names(document, name)) continue;
    if (unlinkat(dirfd(folder), name, 0) == 0) n++;
  }
  return n;
}

void bb_old_copies_remove(const char *data_dir, const bb_doc *document, bb_log *log) {
  char count[BB_TEXT_COUNT];
  int dir = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int fd = dir >= 0 ? openat(dir, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
  DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
  unsigned n = folder != NULL ? remove_from(folder, document) : 0;
  if (folder != NULL) {
    closedir(folder);
  } else if (fd >= 0) {
    close(fd);
  }
  if (n > 0) {
    unlinkat(dir, FOLDER, AT_REMOVEDIR); /* as long as nothing else lies there */
    bb_log_info(log, NULL,
                "%s, with certificates and keys that an earlier version had left in %s/" FOLDER,
                bb_text_count(count, n, "file was removed", "files were removed"), data_dir);
  }
  if (dir >= 0) close(dir);
}
