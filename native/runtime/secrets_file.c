/* SPDX-License-Identifier: Apache-2.0 */
/* See secrets_file.h. Buffers that hold secrets have their whole size from the start, because a
 * buffer that grows leaves a copy behind, and are wiped. */
#include "runtime/secrets_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "encode/json_writer.h"
#include "io/error.h"
#include "runtime/file.h"

#define FILE_NAME "secrets"
/* A name with quotes, colon and comma; a value whose bytes are all written as \u00xx. */
#define ENTRY_BYTES(len) (BB_MAX_ID + 8 + 6 * (size_t)(len))
#define MAX_FILE_BYTES (16 + BB_SECRETS_MAX * ENTRY_BYTES(BB_SECRET_LONGEST))

void bb_secrets_wipe_doc(const bb_doc *doc) {
  if (doc == NULL) return;
  /* Nesting is bounded by BB_MAX_DOC_DEPTH. */
  for (const bb_doc *child = doc->first; child != NULL; child = child->next) {
    bb_secrets_wipe_doc(child);
  }
  if (doc->text != NULL) bb_secret_wipe((char *)doc->text, strlen(doc->text));
}

/* --- reading --- */

static void warn(const bb_secrets *secrets, const char *what) {
  bb_log_warn(secrets->log, NULL,
              "the secrets in %s/" FILE_NAME " are not used: %s; hand them over again (a deploy in "
              "Node-RED does)",
              secrets->dir, what);
}

static void make_private(const bb_secrets *secrets, int fd, const struct stat *info) {
  if ((info->st_mode & 077) == 0) return;
  const char *result = fchmod(fd, 0600) == 0 ? "it is private now" : strerror(errno);
  bb_log_warn(secrets->log, NULL,
              "the secrets in %s/" FILE_NAME
              " could be read by other users (mode %03o; %s): better "
              "change them",
              secrets->dir, (unsigned)info->st_mode & 0777, result);
}

/* Opened without following a link. A descriptor, or an error; UV_ENOENT: there is none. */
static int open_file(const bb_secrets *secrets, struct stat *info) {
  int at = open(secrets->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (at < 0) return -errno;
  int fd = openat(at, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  int err = -errno;
  close(at);
  if (fd < 0) return err;
  err = fstat(fd, info) < 0 ? -errno : S_ISREG(info->st_mode) ? 0 : BB_ERR_TYPE;
  if (err == 0 && (uint64_t)info->st_size > MAX_FILE_BYTES) err = BB_ERR_LIMIT;
  if (err == 0) return fd;
  close(fd);
  return err;
}

/* The whole file, to be wiped and freed; `len` bytes. NULL with the error there. */
static char *read_file(const bb_secrets *secrets, ssize_t *len) {
  struct stat info;
  int fd = open_file(secrets, &info);
  *len = fd;
  if (fd < 0) return NULL;
  make_private(secrets, fd, &info);
  size_t cap = (size_t)info.st_size + 1;
  char *text = malloc(cap);
  *len = text != NULL ? read(fd, text, cap) : BB_ERR_NOMEM;
  if (text != NULL && *len < 0) *len = -errno;
  close(fd);
  if (*len >= 0) return text;
  free(text);
  return NULL;
}

static int take(bb_secrets *secrets, const char *text, size_t len) {
  bb_doc_tree tree;
  bb_report report; /* not told: it might quote a secret */
  bb_report_init(&report);
  int err = len > 0 && text[0] == '{' ? bb_doc_parse(&tree, FILE_NAME, text, len, &report)
                                      : BB_ERR_FORMAT;
  if (err == 0) {
    bb_secrets_check(secrets, tree.root, &report);
    err = bb_report_ok(&report) ? bb_secrets_set(secrets, tree.root, true) : BB_ERR_FORMAT;
    bb_secrets_wipe_doc(tree.root);
    bb_doc_close(&tree);
  }
  bb_report_close(&report);
  return err;
}

void bb_secrets_load(bb_secrets *secrets) {
  ssize_t len;
  if (secrets->dir == NULL) return;
  char *text = read_file(secrets, &len);
  if (text == NULL) {
    if (len != UV_ENOENT && len != UV_ENOTDIR) warn(secrets, bb_error_text((int)len));
    return;
  }
  int err = take(secrets, text, (size_t)len);
  bb_secret_wipe(text, (size_t)len);
  free(text);
  if (err < 0) warn(secrets, err == BB_ERR_NOMEM ? bb_err_text(err) : "the file is damaged");
  for (uint32_t i = 0; i < secrets->n; i++) secrets->entries[i].memory = false;
}

/* --- writing --- */

static void say_unsaved(bb_secrets *secrets, int err) {
  if (secrets->warned) return;
  secrets->warned = true;
  bb_log_warn(
      secrets->log, NULL,
      "the secrets cannot be kept in %s (%s): after a restart they must be handed over again",
      secrets->dir != NULL ? secrets->dir : "the data directory", bb_error_text(err));
}

/* BB_ERR_NOTFOUND: there is nothing to be kept. */
static int write_all(const bb_secrets *secrets, bb_buf *out) {
  bb_json_writer json;
  bool any = false;
  bb_json_writer_init(&json, out);
  bb_json_writer_map(&json, NULL);
  for (uint32_t i = 0; i < secrets->n; i++) {
    const bb_secrets_entry *entry = &secrets->entries[i];
    if (entry->memory) continue;
    bb_json_writer_text(&json, entry->name, entry->value);
    any = true;
  }
  bb_json_writer_end(&json);
  int err = bb_json_writer_finish(&json);
  return err == 0 && !any ? BB_ERR_NOTFOUND : err;
}

static size_t bytes_of(const bb_secrets *secrets) {
  size_t bytes = 16;
  for (uint32_t i = 0; i < secrets->n; i++) bytes += ENTRY_BYTES(secrets->entries[i].len);
  return bytes;
}

static int save(const bb_secrets *secrets) {
  bb_buf text;
  if (secrets->dir == NULL) return UV_EROFS;
  bb_buf_init(&text, bytes_of(secrets));
  int err = bb_buf_reserve(&text, text.max);
  if (err == 0) err = write_all(secrets, &text);
  if (err == 0) {
    err = bb_file_replace(secrets->dir, FILE_NAME, text.bytes, text.len);
  } else if (err == BB_ERR_NOTFOUND) {
    err = bb_file_remove(secrets->dir, FILE_NAME);
  }
  if (text.bytes != NULL) bb_secret_wipe(text.bytes, text.len);
  bb_buf_close(&text);
  return err;
}

void bb_secrets_mend(bb_secrets *secrets) {
  bool told = secrets->warned;
  if (!secrets->unsaved || secrets->dir == NULL) return;
  bb_secrets_save(secrets);
  if (secrets->unsaved || !told) return;
  bb_log_info(secrets->log, NULL, "the secrets are kept in %s now", secrets->dir);
}

void bb_secrets_save(bb_secrets *secrets) {
  int err = save(secrets);
  secrets->unsaved = err < 0;
  if (err < 0) say_unsaved(secrets, err);
  if (err == 0) secrets->warned = false;
}
