/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a store, for its own files: the connection, its statements, and from SQLite's result
 * codes to ours. A statement is taken by bb_sql, bound, and stepped by bb_sql_step until that gives no
 * row, or ended before by bb_sql_end; what lies in its columns is valid up to the next step.
 */
#ifndef BB_STORE_STORE_SQL_H
#define BB_STORE_STORE_SQL_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "store/store.h"

#define BB_STORE_APPLICATION 0x62627573 /* "bbus" */
#define BB_STORE_PAGE 4096
/* Moved into the main file when there are as many. With a commit of 2 MiB on top the log stays below
 * the size to which it is cut, so it is neither cut nor made longer in each turn. */
#define BB_STORE_LOG_PAGES 1500
#define BB_STORE_AGE_MAX INT64_MAX
#define BB_STORE_RECORD_MAX (1ull << BB_STORE_RECORD_BITS)
#define BB_STORE_STREAM_MAX ((1u << BB_STORE_STREAM_BITS) - 1)
#define BB_STORE_NAME_MAX (BB_MAX_SINKS * (BB_MAX_ID + 1)) /* bytes of a stream's name */

/* clang-format off */
#define BB_STORE_SQL_MAP(XX)                                                                       \
  XX(BEGIN, "BEGIN IMMEDIATE")                                                                     \
  XX(COMMIT, "COMMIT")                                                                             \
  XX(ROLLBACK, "ROLLBACK")                                                                         \
  XX(STREAMS, "SELECT id, class, next, packs, records, bytes, name FROM stream ORDER BY id")       \
  XX(STREAM_ADD, "INSERT INTO stream (id, class, name) VALUES (?1, ?2, ?3)")                       \
  XX(STREAM_SET, "UPDATE stream SET next = ?2, packs = ?3, records = ?4, bytes = ?5 WHERE id = ?1") \
  XX(STREAM_DROP, "DELETE FROM stream WHERE id = ?1")                                              \
  XX(PACK_ADD, "INSERT INTO pack (key, n, age, body) VALUES (?1, ?2, ?3, ?4)")                     \
  XX(PACK_BEFORE, "SELECT key, n FROM pack WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT 1") \
  XX(PACK_RANGE, "SELECT key, n, age, length(body) FROM pack WHERE key BETWEEN ?1 AND ?2 ORDER BY key") \
  XX(PACK_LAST, "SELECT key, n, age, length(body) FROM pack WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT 1") \
  XX(PACK_BODY, "SELECT body FROM pack WHERE key = ?1")                                            \
  XX(PACK_DROP, "DELETE FROM pack WHERE key BETWEEN ?1 AND ?2")                                    \
  XX(CURSORS, "SELECT stream, sink, ranges FROM cursor ORDER BY stream, sink")                     \
  XX(CURSOR_PUT, "INSERT INTO cursor (stream, sink, ranges) VALUES (?1, ?2, ?3) "                  \
                 "ON CONFLICT (stream, sink) DO UPDATE SET ranges = excluded.ranges "              \
                 "WHERE ranges IS NOT excluded.ranges")                                            \
  XX(CURSOR_DROP, "DELETE FROM cursor WHERE stream = ?1 AND sink = ?2")                            \
  XX(CURSORS_DROP, "DELETE FROM cursor WHERE stream = ?1")                                         \
  XX(NAMES, "SELECT kind, hash, frame FROM name ORDER BY kind, hash")                              \
  XX(NAME_PUT, "INSERT INTO name (kind, hash, frame) VALUES (?1, ?2, ?3) "                         \
               "ON CONFLICT (kind, hash) DO NOTHING")                                              \
  XX(NAMES_DROP, "DELETE FROM name")                                                               \
  XX(DEAD_PUT, "INSERT INTO dead (id, sink, time_ns, age, reason, body) "                          \
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                                  \
  XX(DEAD, "SELECT id, sink, time_ns, age, reason, body FROM dead WHERE id > ?1 ORDER BY id")      \
  XX(DEAD_FIRST, "SELECT id, length(body) FROM dead ORDER BY id LIMIT 1")                          \
  XX(DEAD_OLDEST, "SELECT id, length(body) FROM dead WHERE age < ?1 LIMIT 1")                      \
  XX(DEAD_AGE, "SELECT age FROM dead WHERE age >= 0 ORDER BY age DESC LIMIT 1")                                   \
  XX(DEAD_SIZE, "SELECT id, length(body) FROM dead WHERE id = ?1")                                 \
  XX(DEAD_DROP, "DELETE FROM dead WHERE id = ?1")                                                  \
  XX(VALUES, "SELECT key, bytes FROM value ORDER BY key")                                          \
  XX(VALUE_PUT, "INSERT INTO value (key, bytes) VALUES (?1, ?2) "                                  \
                "ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes "                          \
                "WHERE bytes IS NOT excluded.bytes")                                               \
  XX(VALUE_DROP, "DELETE FROM value WHERE key = ?1")                                               \
  XX(FREE_PAGES, "PRAGMA freelist_count")
/* clang-format on */

typedef enum bb_store_sql {
#define XX(name, text) BB_SQL_##name,
  BB_STORE_SQL_MAP(XX)
#undef XX
      BB_SQL_COUNT
} bb_store_sql;

/* A row of `stream`, kept in memory. That of id 0 has the totals of `dead`, and in `next` what the
 * next dead letter will be called. */
typedef struct bb_store_row {
  uint32_t id;
  bb_store_class class;
  char *name;
  uint64_t next, packs, records, bytes;
  bool changed; /* since the last commit */
} bb_store_row;

struct bb_store {
  sqlite3 *db;
  sqlite3_stmt *statements[BB_SQL_COUNT];
  char *path;
  bool read_only;
  bool writing;       /* between begin and commit or rollback */
  bool spoilt;        /* the transaction has failed, and can only be rolled back */
  bool loaded;        /* `rows` are as in the file */
  bb_store_row *rows; /* ascending by id */
  uint32_t n_rows, cap_rows;
  uint32_t max_log_pages;
  uint32_t log_pages;   /* in the log */
  uint32_t moved_pages; /* of these, already in the main file */
  uint64_t written_bytes;
  bb_store_hold *holds;
  atomic_bool interrupted;
  char why[BB_STORE_WHY];
};

/* Prepares them all. */
int bb_sql_prepare(bb_store *store);

/* The statement, ready to be bound. */
sqlite3_stmt *bb_sql(bb_store *store, bb_store_sql which);

/* 1: there is a row; 0: there is none; negative: it failed. Without a row the statement is ended. */
int bb_sql_step(bb_store *store, sqlite3_stmt *statement);
void bb_sql_end(sqlite3_stmt *statement);

/* A step that gives no row. */
int bb_sql_run(bb_store *store, sqlite3_stmt *statement);

/* Statements that give no row, or whose rows do not count. */
int bb_sql_exec(bb_store *store, const char *text);

/* The number in the first row, for a statement that is used once. */
int bb_sql_ask(bb_store *store, const char *text, int64_t *out);

/* Numbers from the file: 0, or BB_ERR_FORMAT where it is none of 0..max. */
int bb_sql_count(bb_store *store, sqlite3_stmt *statement, int column, uint64_t max, uint64_t *out);

/* Texts and bytes from the file; valid like all columns. 0, BB_ERR_FORMAT or BB_ERR_NOMEM. */
int bb_sql_text(bb_store *store, sqlite3_stmt *statement, int column, const char **out);
int bb_sql_bytes(bb_store *store, sqlite3_stmt *statement, int column, const uint8_t **out,
                 size_t *len);

/* Says why, and gives the code: for SQLite's result codes, with errno as the call left it, having been
 * 0 before; for what is wrong in the file; for what the caller may not ask. */
int bb_sql_fail(bb_store *store, int rc);
int bb_sql_fail_of(bb_store *store, int rc, sqlite3 *db, const char *path); /* of another file */
int bb_sql_damaged(bb_store *store, const char *format, ...) __attribute__((format(printf, 2, 3)));
int bb_store_refuse(bb_store *store, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The code for a number of errno, `other` for one that says nothing. */
int bb_store_err_of(int number, int other);

/* 0 inside of a transaction that may go on, with `rows` loaded. */
int bb_store_writable(bb_store *store);

/* store_schema.c: makes the tables, or finds them as they should be. */
int bb_store_schema(bb_store *store);

/* store_wal.c: counts what is written from here on; moves the log when a commit has made it long
 * enough, or now. */
void bb_store_wal_watch(bb_store *store);
void bb_store_wal_commit(bb_store *store);
void bb_store_wal_move(bb_store *store); /* not while it is held */

/* store_file.c: the main file or its log, by SQLITE_FCNTL_FILE_POINTER or _JOURNAL_POINTER. NULL:
 * there is none. */
sqlite3_file *bb_store_file(bb_store *store, int which);

/* A total that is wrong must not keep what has to go; bb_store_verify finds it. */
static inline void bb_store_lessen(uint64_t *total, uint64_t by) {
  *total -= by < *total ? by : *total;
}

/* store_streams.c */
int bb_store_load(bb_store *store); /* reads `rows`, unless they are there */
void bb_store_unload(bb_store *store);
int bb_store_save(bb_store *store);                                  /* writes those that changed */
bb_store_row *bb_store_row_of(bb_store *store, uint32_t id);         /* NULL: there is none */
bb_store_row *bb_store_stream_row(bb_store *store, uint32_t stream); /* the same, and says why */

#endif
