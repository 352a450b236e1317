/* SPDX-License-Identifier: Apache-2.0 */
/* The file as a whole: its size, giving room back, copies, and putting a damaged one aside. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/store_sql.h"

#define NAMES_TRIED 100
#define COPIED_PAGES 256 /* of a copy, at once */

sqlite3_file *bb_store_file(bb_store *store, int which) {
  sqlite3_file *file = NULL;
  int rc = sqlite3_file_control(store->db, "main", which, &file);
  return rc == SQLITE_OK && file != NULL && file->pMethods != NULL ? file : NULL;
}

static int add_size(bb_store *store, int which, uint64_t *bytes) {
  sqlite3_file *file = bb_store_file(store, which);
  sqlite3_int64 size = 0;
  int rc = file != NULL ? file->pMethods->xFileSize(file, &size) : SQLITE_OK;
  *bytes += (uint64_t)size;
  return rc == SQLITE_OK ? 0 : bb_sql_fail(store, rc);
}

static int free_pages(bb_store *store, uint64_t *out) {
  sqlite3_stmt *s = bb_sql(store, BB_SQL_FREE_PAGES);
  int more = bb_sql_step(store, s);
  if (more != 1) return more < 0 ? more : bb_sql_damaged(store, "its free pages are not counted");
  int err = bb_sql_count(store, s, 0, UINT32_MAX, out);
  bb_sql_end(s);
  return err;
}

int bb_store_read_stats(bb_store *store, bb_store_stats *out) {
  uint64_t pages = 0;
  *out = (bb_store_stats){.written_bytes = store->written_bytes};
  int err = bb_store_load(store);
  if (err == 0) err = add_size(store, SQLITE_FCNTL_FILE_POINTER, &out->file_bytes);
  if (err == 0) err = add_size(store, SQLITE_FCNTL_JOURNAL_POINTER, &out->log_bytes);
  if (err == 0) err = free_pages(store, &pages);
  if (err < 0) return err;
  out->file_bytes += out->log_bytes;
  out->free_bytes = pages * BB_STORE_PAGE;
  out->dead = store->rows[0].records;
  out->dead_bytes = store->rows[0].bytes;
  for (uint32_t i = 1; i < store->n_rows; i++) {
    out->packs += store->rows[i].packs;
    out->records += store->rows[i].records;
    out->bytes += store->rows[i].bytes;
  }
  return 0;
}

/* The file becomes shorter when the log is moved. */
int bb_store_shrink(bb_store *store, uint64_t max_bytes) {
  char text[64];
  uint64_t pages = 0;
  if (store->writing || store->read_only) {
    return bb_store_refuse(store, BB_ERR_STATE, "cannot give room back now");
  }
  int err = free_pages(store, &pages);
  if (err < 0 || pages == 0) return err;
  uint64_t most = max_bytes / BB_STORE_PAGE;
  if (most < 1) most = 1;
  snprintf(text, sizeof(text), "PRAGMA incremental_vacuum(%llu)",
           (unsigned long long)(most < pages ? most : pages));
  err = bb_sql_exec(store, text);
  if (err < 0) return err;
  if (most < pages) {
    bb_store_wal_commit(store);
    return 1;
  }
  bb_store_wal_move(store);
  return 0;
}

/* A new name is on the disk when the folder is. */
static void sync_folder(const char *path) {
  char *folder = strdup(path);
  if (folder == NULL) return;
  char *slash = strrchr(folder, '/');
  if (slash != NULL) slash[slash == folder] = 0;
  int fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
  free(folder);
}

static int copy_pages(bb_store *store, sqlite3 *to) {
  int rc =
      sqlite3_exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL", NULL, NULL, NULL);
  if (rc != SQLITE_OK) return rc;
  sqlite3_backup *backup = sqlite3_backup_init(to, "main", store->db, "main");
  if (backup == NULL) return sqlite3_errcode(to);
  do {
    rc = atomic_load(&store->interrupted) ? SQLITE_INTERRUPT
                                          : sqlite3_backup_step(backup, COPIED_PAGES);
  } while (rc == SQLITE_OK);
  int end = sqlite3_backup_finish(backup);
  return rc == SQLITE_DONE ? end : rc;
}

int bb_store_copy(bb_store *store, const char *path) {
  sqlite3_vfs *vfs = NULL;
  sqlite3 *to = NULL;
  if (store->writing) return bb_store_refuse(store, BB_ERR_STATE, "cannot be copied now");
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    int number = errno;
    return bb_store_refuse(store, bb_store_err_of(number, BB_ERR_IO),
                           "its copy cannot be made as %.80s: %s; name a new file in a folder that "
                           "may be written",
                           path, strerror(number));
  }
  close(fd);
  sqlite3_file_control(store->db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  errno = 0;
  int rc = sqlite3_open_v2(path, &to, flags, vfs != NULL ? vfs->zName : NULL);
  if (rc == SQLITE_OK) rc = copy_pages(store, to);
  int err = rc == SQLITE_OK ? 0 : bb_sql_fail_of(store, rc, to, path);
  sqlite3_close(to);
  if (err < 0) unlink(path);
  sync_folder(path);
  return err;
}

/* "<path>.damaged-20260725T081500Z", with "-2" and so on where that is taken. */
static int free_name(const char *path, int64_t now_ns, char *out, size_t cap) {
  char utc[32];
  struct tm when;
  time_t now_s = (time_t)(now_ns / (int64_t)BB_NS_PER_S);
  if (gmtime_r(&now_s, &when) == NULL) return BB_ERR_INVALID;
  strftime(utc, sizeof(utc), "%Y%m%dT%H%M%SZ", &when);
  for (int i = 1; i <= NAMES_TRIED; i++) {
    char again[16] = "";
    if (i > 1) snprintf(again, sizeof(again), "-%d", i);
    int len = snprintf(out, cap, "%s.damaged-%s%s", path, utc, again);
    if (len < 0 || (size_t)len >= cap) return BB_ERR_LIMIT;
    if (access(out, F_OK) < 0 && errno == ENOENT) return 0;
  }
  return BB_ERR_LIMIT;
}

/* Where there is one. */
static int move_beside(const char *path, const char *to, const char *suffix) {
  size_t len = strlen(to) + sizeof("-journal");
  char *names = malloc(2 * len);
  if (names == NULL) return BB_ERR_NOMEM;
  snprintf(names, len, "%s%s", path, suffix);
  snprintf(names + len, len, "%s%s", to, suffix);
  int failed = rename(names, names + len) < 0 ? errno : 0;
  free(names);
  return failed == 0 || failed == ENOENT ? 0 : bb_store_err_of(failed, BB_ERR_IO);
}

/* The main file first: a log without it is thrown away by whoever makes a new one. */
int bb_store_set_aside(const char *path, int64_t now_ns, char *out, size_t cap) {
  static const char *const beside[] = {"-wal", "-journal", "-shm"};
  int err = free_name(path, now_ns, out, cap);
  if (err < 0) return err;
  if (rename(path, out) < 0) return bb_store_err_of(errno, BB_ERR_IO);
  for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]) && err == 0; i++) {
    err = move_beside(path, out, beside[i]);
  }
  sync_folder(path);
  return err;
}
