/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of store.h: made in a new file, checked in one that is there. A later version adds its
 * step to `steps`; what is older is brought up to date by the steps that it lacks. */
#include "base/err.h"
#include "store/store_sql.h"

static const char version_1[] =
    "CREATE TABLE stream (id INTEGER PRIMARY KEY, class INTEGER NOT NULL,"
    " next INTEGER NOT NULL DEFAULT 0, packs INTEGER NOT NULL DEFAULT 0,"
    " records INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,"
    " name TEXT NOT NULL) STRICT;"
    "CREATE TABLE pack (key INTEGER PRIMARY KEY, n INTEGER NOT NULL, age INTEGER NOT NULL,"
    " body BLOB NOT NULL) STRICT;"
    "CREATE TABLE cursor (stream INTEGER NOT NULL, sink TEXT NOT NULL, ranges BLOB NOT NULL,"
    " PRIMARY KEY (stream, sink)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE name (kind INTEGER NOT NULL, hash INTEGER NOT NULL, frame BLOB NOT NULL,"
    " PRIMARY KEY (kind, hash)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE dead (id INTEGER PRIMARY KEY, sink TEXT NOT NULL, time_ns INTEGER NOT NULL,"
    " age INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL) STRICT;"
    "CREATE INDEX dead_age ON dead (age);"
    "CREATE TABLE value (key TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO stream (id, class, next, name) VALUES (0, 0, 1, '');"
    "PRAGMA application_id = 1650619763;" /* BB_STORE_APPLICATION */
    "PRAGMA user_version = 1;";

static const char *const steps[BB_STORE_VERSION] = {version_1};

/* Both must come before the first table. */
static const char layout[] = "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;";

/* Commits are in the log, synced, when they return. What was deleted is not overwritten: this would
 * write it once more. */
static const char settings[] = "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 8388608;"
                               "PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;"
                               "PRAGMA secure_delete = OFF; PRAGMA cell_size_check = ON;"
                               "PRAGMA mmap_size = 0; PRAGMA foreign_keys = OFF;";

static int upgrade(bb_store *store, int64_t version) {
  int err = bb_sql_exec(store, "BEGIN IMMEDIATE");
  for (; err == 0 && version < BB_STORE_VERSION; version++) {
    err = bb_sql_exec(store, steps[version]);
  }
  return err == 0 ? bb_sql_exec(store, "COMMIT") : err;
}

/* Whose file it is: its version, 0 for one that is empty, or negative. */
static int identify(bb_store *store, int64_t *version) {
  int64_t application = 0, tables = 0;
  int err = bb_sql_ask(store, "PRAGMA application_id", &application);
  if (err == 0) err = bb_sql_ask(store, "PRAGMA user_version", version);
  if (err == 0) err = bb_sql_ask(store, "SELECT count(*) FROM sqlite_master", &tables);
  if (err < 0) return err;
  bool empty = application == 0 && *version == 0 && tables == 0;
  if (empty && !store->read_only) return 0;
  if (application != BB_STORE_APPLICATION || *version < 1) {
    return bb_store_refuse(store, BB_ERR_FORMAT, "the file is no store of Busbar");
  }
  if (*version > BB_STORE_VERSION) {
    return bb_store_refuse(store, BB_ERR_VERSION,
                           "the store was written by a later version of Busbar (%lld, this one "
                           "knows %d); install that version, or move the file away",
                           (long long)*version, BB_STORE_VERSION);
  }
  return 0;
}

static int turn_wal_on(bb_store *store) {
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(statement);
  bool on = rc == SQLITE_ROW &&
            sqlite3_stricmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
  sqlite3_finalize(statement);
  if (on) return 0;
  return bb_sql_fail(store, rc == SQLITE_ROW ? SQLITE_READONLY : rc);
}

int bb_store_schema(bb_store *store) {
  int64_t version = 0;
  /* Before the first look into the file: then the log's index lies in memory, and no other process
   * gets in between. */
  int err = bb_sql_exec(store, "PRAGMA locking_mode = EXCLUSIVE");
  if (err == 0) err = identify(store, &version);
  if (err == 0 && version == 0) err = bb_sql_exec(store, layout);
  if (err == 0 && !store->read_only) err = turn_wal_on(store);
  if (err == 0) err = bb_sql_exec(store, settings);
  if (err == 0 && store->read_only) err = bb_sql_exec(store, "PRAGMA query_only = ON");
  if (err == 0 && version < BB_STORE_VERSION) err = upgrade(store, version);
  return err;
}
