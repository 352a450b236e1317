/* SPDX-License-Identifier: Apache-2.0 */
/* See store_sql.h. */
#include "store/store_sql.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define PATH_SHOWN 100

typedef struct {
  int rc;
  const char *name;
  int err;
  const char *what, *advice; /* "": the runtime and the command line know, each what it does */
} reason;

static const char stuck[] = "SQLite cannot go on", keep[] = "keep the file and report it";
static const char denied[] = "look at the rights of the file and of its folder";
static const char disk[] = "look at the disk and at the system's log";

/* By primary code; the last one is for all others. */
static const reason reasons[] = {
    {SQLITE_FULL, "SQLITE_FULL", BB_ERR_LIMIT, "the disk is full", "free space there"},
    {SQLITE_NOMEM, "SQLITE_NOMEM", BB_ERR_NOMEM, "out of memory", "give the process more"},
    {SQLITE_BUSY, "SQLITE_BUSY", BB_ERR_BUSY, "another process has it open", "end that one first"},
    {SQLITE_LOCKED, "SQLITE_LOCKED", BB_ERR_BUSY, "another process has it open",
     "end that one first"},
    {SQLITE_PERM, "SQLITE_PERM", BB_ERR_DENIED, "it may not be opened", denied},
    {SQLITE_AUTH, "SQLITE_AUTH", BB_ERR_DENIED, "it may not be opened", denied},
    {SQLITE_READONLY, "SQLITE_READONLY", BB_ERR_DENIED, "it may not be written", denied},
    {SQLITE_CANTOPEN, "SQLITE_CANTOPEN", BB_ERR_DENIED, "it cannot be opened", denied},
    {SQLITE_IOERR, "SQLITE_IOERR", BB_ERR_IO, "the disk failed", disk},
    {SQLITE_CORRUPT, "SQLITE_CORRUPT", BB_ERR_FORMAT, "the file is damaged", ""},
    {SQLITE_NOTADB, "SQLITE_NOTADB", BB_ERR_FORMAT, "the file is no store, or damaged", ""},
    {SQLITE_ERROR, "SQLITE_ERROR", BB_ERR_FORMAT, "the file has other tables than a store", ""},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH", BB_ERR_FORMAT, "the file is damaged", ""},
    {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT", BB_ERR_EXISTS, "it is there already", keep},
    {SQLITE_INTERRUPT, "SQLITE_INTERRUPT", BB_ERR_CLOSED, "it was ended", "ask again"},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG", BB_ERR_LIMIT, "something is too large for it", keep},
    {0, "SQLite", BB_ERR_IO, stuck, keep},
};

static const reason *reason_of(int rc) {
  const reason *found = reasons;
  while (found->rc != 0 && found->rc != (rc & 0xff)) found++;
  return found;
}

int bb_store_err_of(int number, int other) {
  switch (number) {
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return BB_ERR_LIMIT;
  case EACCES:
  case EPERM:
  case EROFS:
    return BB_ERR_DENIED;
  case ENOENT:
  case ENOTDIR:
    return BB_ERR_NOTFOUND;
  case EEXIST:
    return BB_ERR_EXISTS;
  case EMFILE:
  case ENFILE:
  case EIO:
    return BB_ERR_IO;
  default:
    return other;
  }
}

/* Begins with the path, and where it is long with its end. The rest of the room. */
static size_t put_path(bb_store *store, const char *path, char **at) {
  size_t len = strlen(path);
  bool cut = len > PATH_SHOWN;
  int used = snprintf(store->why, sizeof(store->why), "%s%s: ", cut ? "..." : "",
                      cut ? path + len - PATH_SHOWN : path);
  *at = store->why + used;
  return sizeof(store->why) - (size_t)used;
}

/* What the system said is nearer to the cause than where SQLite met it. */
int bb_sql_fail_of(bb_store *store, int rc, sqlite3 *db, const char *path) {
  const reason *r = reason_of(rc == SQLITE_IOERR_NOMEM ? SQLITE_NOMEM : rc);
  bool of_system = r->rc == SQLITE_IOERR || r->rc == SQLITE_CANTOPEN;
  /* SQLite does not keep what a commit met, and keeps other things too long. */
  int number = errno != 0 || db == NULL ? errno : sqlite3_system_errno(db);
  int err = of_system ? bb_store_err_of(number, r->err) : r->err;
  if (err == BB_ERR_NOTFOUND && r->rc != SQLITE_CANTOPEN) err = r->err;
  char *at;
  size_t room = put_path(store, path, &at);
  if (of_system && number != 0) {
    snprintf(at, room, "%s: %s (%s %d); %s", r->what, strerror(number), r->name, rc,
             err == BB_ERR_LIMIT ? "free space there" : r->advice);
  } else {
    snprintf(at, room, "%s (%s %d)%s%s", r->what, r->name, rc, r->advice[0] != 0 ? "; " : "",
             r->advice);
  }
  store->spoilt = store->writing;
  return err;
}

int bb_sql_fail(bb_store *store, int rc) {
  return bb_sql_fail_of(store, rc, store->db, store->path);
}

int bb_sql_damaged(bb_store *store, const char *format, ...) {
  char what[160];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof(what), format, args);
  va_end(args);
  char *at;
  size_t room = put_path(store, store->path, &at);
  snprintf(at, room, "the file is damaged: %s", what);
  store->spoilt = store->writing;
  return BB_ERR_FORMAT;
}

int bb_store_refuse(bb_store *store, int err, const char *format, ...) {
  char *at;
  size_t room = put_path(store, store->path, &at);
  va_list args;
  va_start(args, format);
  vsnprintf(at, room, format, args);
  va_end(args);
  return err;
}

int bb_store_writable(bb_store *store) {
  if (!store->writing) return bb_store_refuse(store, BB_ERR_STATE, "not in a transaction");
  if (store->spoilt) {
    return bb_store_refuse(store, BB_ERR_STATE, "the transaction failed before; roll it back");
  }
  return bb_store_load(store);
}

int bb_sql_prepare(bb_store *store) {
  static const char *const texts[] = {
#define XX(name, text) text,
      BB_STORE_SQL_MAP(XX)
#undef XX
  };
  for (int i = 0; i < BB_SQL_COUNT; i++) {
    int rc = sqlite3_prepare_v3(store->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                &store->statements[i], NULL);
    if (rc != SQLITE_OK) return bb_sql_fail(store, rc);
  }
  return 0;
}

sqlite3_stmt *bb_sql(bb_store *store, bb_store_sql which) {
  sqlite3_reset(store->statements[which]);
  return store->statements[which];
}

int bb_sql_step(bb_store *store, sqlite3_stmt *statement) {
  errno = 0;
  int rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW) return 1;
  int result = rc == SQLITE_DONE ? 0 : bb_sql_fail(store, rc);
  bb_sql_end(statement);
  return result;
}

void bb_sql_end(sqlite3_stmt *statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
}

int bb_sql_run(bb_store *store, sqlite3_stmt *statement) {
  int result = bb_sql_step(store, statement);
  if (result == 1) bb_sql_end(statement);
  return result < 0 ? result : 0;
}

int bb_sql_exec(bb_store *store, const char *text) {
  errno = 0;
  int rc = sqlite3_exec(store->db, text, NULL, NULL, NULL);
  return rc == SQLITE_OK ? 0 : bb_sql_fail(store, rc);
}

int bb_sql_ask(bb_store *store, const char *text, int64_t *out) {
  sqlite3_stmt *statement = NULL;
  errno = 0;
  int rc = sqlite3_prepare_v2(store->db, text, -1, &statement, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW) *out = sqlite3_column_int64(statement, 0);
  int result = rc == SQLITE_ROW ? 0 : bb_sql_fail(store, rc);
  sqlite3_finalize(statement);
  return result;
}

int bb_sql_count(bb_store *store, sqlite3_stmt *statement, int column, uint64_t max,
                 uint64_t *out) {
  int64_t value = sqlite3_column_int64(statement, column);
  if (sqlite3_column_type(statement, column) != SQLITE_INTEGER || value < 0 ||
      (uint64_t)value > max) {
    return bb_sql_damaged(store, "\"%s\" is %lld", sqlite3_column_name(statement, column),
                          (long long)value);
  }
  *out = (uint64_t)value;
  return 0;
}

int bb_sql_text(bb_store *store, sqlite3_stmt *statement, int column, const char **out) {
  if (sqlite3_column_type(statement, column) != SQLITE_TEXT) {
    return bb_sql_damaged(store, "\"%s\" is no text", sqlite3_column_name(statement, column));
  }
  *out = (const char *)sqlite3_column_text(statement, column);
  if (*out == NULL) return bb_sql_fail(store, SQLITE_NOMEM);
  if (strlen(*out) != (size_t)sqlite3_column_bytes(statement, column)) {
    return bb_sql_damaged(store, "\"%s\" holds a NUL", sqlite3_column_name(statement, column));
  }
  return 0;
}

int bb_sql_bytes(bb_store *store, sqlite3_stmt *statement, int column, const uint8_t **out,
                 size_t *len) {
  static const uint8_t none[1];
  if (sqlite3_column_type(statement, column) != SQLITE_BLOB) {
    return bb_sql_damaged(store, "\"%s\" is no bytes", sqlite3_column_name(statement, column));
  }
  *out = sqlite3_column_blob(statement, column);
  *len = (size_t)sqlite3_column_bytes(statement, column);
  if (*out == NULL && *len == 0 && sqlite3_errcode(store->db) == SQLITE_NOMEM) {
    return bb_sql_fail(store, SQLITE_NOMEM);
  }
  if (*out == NULL) *out = none;
  return 0;
}
