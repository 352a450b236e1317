/* SPDX-License-Identifier: Apache-2.0 */
/* See store.h. Opening, closing, and transactions. */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/pack.h"
#include "store/store_sql.h"

#define BUSY_MS 2000                  /* for a process that is just ending */
#define ROW_MAX (BB_PACK_LONGEST * 2) /* bytes; what claims to be longer is damaged */

const char *bb_store_why(const bb_store *store) {
  return store->why;
}

/* Only what was not there: to close a descriptor of a file that this process has open takes its locks
 * away. */
static int make_file(bb_store *store) {
  int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);
  if (fd >= 0 || errno == EEXIST) return 0;
  int number = errno;
  int err = number == ENOENT                                         ? BB_ERR_NOTFOUND
            : number == EACCES || number == EPERM || number == EROFS ? BB_ERR_DENIED
            : number == ENOSPC || number == EDQUOT                   ? BB_ERR_LIMIT
                                                                     : BB_ERR_IO;
  return bb_store_refuse(store, err, "it cannot be made: %s; look at its folder", strerror(number));
}

/* "file:<path>?immutable=1", to be freed; with "//" before an absolute path, lest its first folder be
 * taken for a host. */
static char *immutable_name(const char *path) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  const char *start = *path == '/' ? "file://" : "file:";
  char *name = malloc(strlen(path) * 3 + sizeof("file://?immutable=1"));
  if (name == NULL) return NULL;
  char *p = name + snprintf(name, sizeof("file://"), "%s", start);
  for (; *path != 0; path++) {
    if (strchr(plain, *path) != NULL) {
      *p++ = *path;
    } else {
      p += snprintf(p, 4, "%%%02X", (unsigned char)*path);
    }
  }
  memcpy(p, "?immutable=1", sizeof("?immutable=1"));
  return name;
}

/* Changes that are not yet moved into the main file lie beside it. */
static int has_wal(bb_store *store, const char *vfs_name, bool *out) {
  sqlite3_vfs *vfs = sqlite3_vfs_find(vfs_name);
  size_t len = strlen(store->path) + sizeof("-wal");
  char *name = malloc(len);
  int there = 0, rc = SQLITE_NOMEM;
  if (name != NULL && vfs != NULL) {
    snprintf(name, len, "%s-wal", store->path);
    rc = vfs->xAccess(vfs, name, SQLITE_ACCESS_EXISTS, &there);
  }
  free(name);
  *out = there != 0;
  return rc == SQLITE_OK ? 0 : bb_sql_fail(store, rc);
}

/*
 * To look only: a file without a log cannot be open elsewhere, and is read without locks and without a
 * right to write. With a log beside it, its index must be made, in memory; that needs the lock, and a
 * lock needs the right to write. One that is held still is read without its log.
 */
static int open_to_look(bb_store *store, const char *vfs, bool still) {
  bool wal = false;
  int err = still ? 0 : has_wal(store, vfs, &wal);
  if (err < 0) return err;
  int flags = SQLITE_OPEN_NOMUTEX | (wal ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
  char *name = wal ? strdup(store->path) : immutable_name(store->path);
  if (name == NULL) return bb_sql_fail(store, SQLITE_NOMEM);
  if (!wal) flags |= SQLITE_OPEN_URI;
  errno = 0;
  int rc = sqlite3_open_v2(name, &store->db, flags, vfs);
  free(name);
  return rc == SQLITE_OK ? 0 : bb_sql_fail(store, rc);
}

static int open_to_write(bb_store *store, const char *vfs) {
  int err = vfs == NULL ? make_file(store) : 0;
  if (err < 0) return err;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  errno = 0;
  int rc = sqlite3_open_v2(store->path, &store->db, flags, vfs);
  if (rc == SQLITE_OK && sqlite3_db_readonly(store->db, NULL) == 1) rc = SQLITE_READONLY;
  return rc == SQLITE_OK ? 0 : bb_sql_fail(store, rc);
}

static void set(bb_store *store, int option, int on) {
  int rc = sqlite3_db_config(store->db, option, on, NULL);
  assert(rc == SQLITE_OK);
  (void)rc;
}

/* What lies in the file is data, and no code of anybody. */
static void configure(bb_store *store) {
  sqlite3_extended_result_codes(store->db, 1);
  sqlite3_busy_timeout(store->db, BUSY_MS);
  sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, ROW_MAX);
  set(store, SQLITE_DBCONFIG_DEFENSIVE, 1);
  set(store, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0);
  set(store, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0);
  set(store, SQLITE_DBCONFIG_ENABLE_VIEW, 0);
  set(store, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1);
  bb_store_wal_watch(store);
}

static int open_store(bb_store *store, const bb_store_options *options) {
  int err = store->read_only ? open_to_look(store, options->vfs, options->still)
                             : open_to_write(store, options->vfs);
  if (err < 0) return err;
  configure(store);
  err = bb_store_schema(store);
  if (err == 0) err = bb_sql_prepare(store);
  if (err == 0) err = bb_store_load(store);
  if (err == 0) set(store, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, store->read_only);
  return err;
}

int bb_store_open(const bb_store_options *options, bb_store **out, char why[BB_STORE_WHY]) {
  bb_store *store = calloc(1, sizeof(*store));
  *out = NULL;
  if (store == NULL || (store->path = strdup(options->path)) == NULL) {
    snprintf(why, BB_STORE_WHY, "out of memory; give the process more");
    free(store);
    return BB_ERR_NOMEM;
  }
  store->read_only = options->read_only || options->still;
  store->max_log_pages = options->log_pages > 0 ? options->log_pages : BB_STORE_LOG_PAGES;
  int err = open_store(store, options);
  if (err < 0) {
    memcpy(why, store->why, BB_STORE_WHY);
    bb_store_close(store);
    return err;
  }
  *out = store;
  return 0;
}

void bb_store_close(bb_store *store) {
  if (store == NULL) return;
  if (store->writing) bb_store_rollback(store);
  for (bb_store_hold *hold = store->holds; hold != NULL; hold = hold->next) hold->lost = true;
  for (int i = 0; i < BB_SQL_COUNT; i++) sqlite3_finalize(store->statements[i]);
  int rc = sqlite3_close(store->db);
  assert(rc == SQLITE_OK);
  (void)rc;
  bb_store_unload(store);
  free(store->rows);
  free(store->path);
  free(store);
}

int bb_store_begin(bb_store *store) {
  if (store->writing) return bb_store_refuse(store, BB_ERR_STATE, "already in a transaction");
  int err = bb_store_load(store);
  if (err == 0) err = bb_sql_run(store, bb_sql(store, BB_SQL_BEGIN));
  store->writing = err == 0;
  return err;
}

void bb_store_rollback(bb_store *store) {
  if (!store->writing) return;
  char why[BB_STORE_WHY];
  memcpy(why, store->why, sizeof(why));
  /* After some errors SQLite has done it by itself. */
  if (!sqlite3_get_autocommit(store->db)) bb_sql_run(store, bb_sql(store, BB_SQL_ROLLBACK));
  memcpy(store->why, why, sizeof(why));
  bb_store_unload(store);
  store->writing = store->spoilt = false;
}

int bb_store_commit(bb_store *store) {
  int err = bb_store_writable(store);
  if (err == 0) err = bb_store_save(store);
  if (err == 0) err = bb_sql_run(store, bb_sql(store, BB_SQL_COMMIT));
  if (err < 0) {
    bb_store_rollback(store);
    return err;
  }
  store->writing = false;
  bb_store_wal_commit(store);
  return 0;
}

void bb_store_interrupt(bb_store *store) {
  atomic_store(&store->interrupted, true);
  sqlite3_interrupt(store->db);
}
