/* SPDX-License-Identifier: Apache-2.0 */
/* Streams and their totals. The rows of `stream` lie in memory, where appending and trimming count;
 * those that changed are written once a transaction. After a rollback they are read anew. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/store_pack.h"
#include "store/store_sql.h"

/* Room for a row, and its place: before the first whose id is not below. */
static bb_store_row *make_row(bb_store *store, uint32_t id) {
  if (store->n_rows == store->cap_rows) {
    uint32_t cap = store->cap_rows > 0 ? store->cap_rows * 2 : 16;
    bb_store_row *rows = realloc(store->rows, cap * sizeof(*rows));
    if (rows == NULL) return NULL;
    store->rows = rows;
    store->cap_rows = cap;
  }
  uint32_t at = store->n_rows;
  while (at > 0 && store->rows[at - 1].id > id) at--;
  memmove(store->rows + at + 1, store->rows + at, (store->n_rows - at) * sizeof(*store->rows));
  store->rows[at] = (bb_store_row){.id = id};
  store->n_rows++;
  return &store->rows[at];
}

static int read_row(bb_store *store, sqlite3_stmt *s) {
  uint64_t id, class;
  const char *name;
  int err = bb_sql_count(store, s, 0, BB_STORE_STREAM_MAX, &id);
  if (err == 0) err = bb_sql_count(store, s, 1, BB_STORE_EVENTS, &class);
  if (err == 0) err = bb_sql_text(store, s, 6, &name);
  if (err < 0) return err;
  bb_store_row *row = make_row(store, (uint32_t)id);
  if (row == NULL || (row->name = strdup(name)) == NULL) return bb_sql_fail(store, SQLITE_NOMEM);
  row->class = (bb_store_class) class;
  err = bb_sql_count(store, s, 2, BB_STORE_RECORD_MAX, &row->next);
  if (err == 0) err = bb_sql_count(store, s, 3, BB_STORE_RECORD_MAX, &row->packs);
  if (err == 0) err = bb_sql_count(store, s, 4, BB_STORE_RECORD_MAX, &row->records);
  if (err == 0) err = bb_sql_count(store, s, 5, INT64_MAX, &row->bytes);
  return err;
}

int bb_store_load(bb_store *store) {
  if (store->loaded) return 0;
  sqlite3_stmt *s = bb_sql(store, BB_SQL_STREAMS);
  int more;
  bb_store_unload(store);
  while ((more = bb_sql_step(store, s)) == 1) {
    int err = read_row(store, s);
    if (err == 0) continue;
    bb_sql_end(s);
    return err;
  }
  if (more < 0) return more;
  if (store->n_rows == 0 || store->rows[0].id != 0) {
    return bb_sql_damaged(store, "the totals of dead letters are missing");
  }
  store->loaded = true;
  return 0;
}

void bb_store_unload(bb_store *store) {
  for (uint32_t i = 0; i < store->n_rows; i++) free(store->rows[i].name);
  store->n_rows = 0;
  store->loaded = false;
}

int bb_store_save(bb_store *store) {
  for (uint32_t i = 0; i < store->n_rows; i++) {
    bb_store_row *row = &store->rows[i];
    if (!row->changed) continue;
    sqlite3_stmt *s = bb_sql(store, BB_SQL_STREAM_SET);
    sqlite3_bind_int64(s, 1, row->id);
    sqlite3_bind_int64(s, 2, (int64_t)row->next);
    sqlite3_bind_int64(s, 3, (int64_t)row->packs);
    sqlite3_bind_int64(s, 4, (int64_t)row->records);
    sqlite3_bind_int64(s, 5, (int64_t)row->bytes);
    int err = bb_sql_run(store, s);
    if (err < 0) return err;
    row->changed = false;
  }
  return 0;
}

bb_store_row *bb_store_row_of(bb_store *store, uint32_t id) {
  uint32_t low = 0, high = store->n_rows;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (store->rows[middle].id < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < store->n_rows && store->rows[low].id == id ? &store->rows[low] : NULL;
}

bb_store_row *bb_store_stream_row(bb_store *store, uint32_t stream) {
  bb_store_row *row = stream > 0 ? bb_store_row_of(store, stream) : NULL;
  if (row == NULL) bb_store_refuse(store, BB_ERR_NOTFOUND, "there is no stream %u", stream);
  return row;
}

int bb_store_streams(bb_store *store, int (*each)(void *user, const bb_store_stream *stream),
                     void *user) {
  int result = bb_store_load(store);
  for (uint32_t i = 1; result == 0 && i < store->n_rows; i++) {
    const bb_store_row *row = &store->rows[i];
    bb_store_stream stream = {.id = row->id,
                              .name = row->name,
                              .class = row->class,
                              .next = row->next,
                              .first = row->next,
                              .records = row->records,
                              .bytes = row->bytes};
    bb_store_pack oldest;
    int found = bb_store_pack_first(store, row->id, &oldest);
    if (found == 1) stream.first = oldest.first;
    result = found < 0 ? found : each(user, &stream);
  }
  return result;
}

static int add_stream(bb_store *store, uint32_t id, const char *name, bb_store_class class) {
  sqlite3_stmt *s = bb_sql(store, BB_SQL_STREAM_ADD);
  sqlite3_bind_int64(s, 1, id);
  sqlite3_bind_int64(s, 2, class);
  sqlite3_bind_text(s, 3, name, -1, SQLITE_STATIC);
  int err = bb_sql_run(store, s);
  if (err < 0) return err;
  bb_store_row *row = make_row(store, id);
  if (row == NULL || (row->name = strdup(name)) == NULL) return bb_sql_fail(store, SQLITE_NOMEM);
  row->class = class;
  return (int)id;
}

int bb_store_stream_make(bb_store *store, const char *name, bb_store_class class) {
  int err = bb_store_writable(store);
  if (err < 0) return err;
  if (*name == 0 || strlen(name) > BB_STORE_NAME_MAX) {
    return bb_store_refuse(store, BB_ERR_INVALID, "\"%.80s\" is no name of a stream", name);
  }
  uint32_t id = 0; /* the lowest that is free */
  for (uint32_t i = 0; i < store->n_rows; i++) {
    const bb_store_row *row = &store->rows[i];
    if (i > 0 && row->class == class && strcmp(row->name, name) == 0) return (int)row->id;
    if (row->id == id) id++;
  }
  if (id > BB_STORE_STREAM_MAX) {
    return bb_store_refuse(store, BB_ERR_LIMIT, "it has %u streams, and cannot have more", id - 1);
  }
  return add_stream(store, id, name, class);
}

int bb_store_stream_drop(bb_store *store, uint32_t stream) {
  int err = bb_store_writable(store);
  if (err < 0) return err;
  bb_store_row *row = bb_store_stream_row(store, stream);
  if (row == NULL) return BB_ERR_NOTFOUND;
  err = bb_store_pack_drop(store, bb_store_key(stream, 0), bb_store_key_last(stream));
  sqlite3_stmt *s = bb_sql(store, BB_SQL_CURSORS_DROP);
  sqlite3_bind_int64(s, 1, stream);
  if (err == 0) err = bb_sql_run(store, s);
  s = bb_sql(store, BB_SQL_STREAM_DROP);
  sqlite3_bind_int64(s, 1, stream);
  if (err == 0) err = bb_sql_run(store, s);
  if (err < 0) return err;
  free(row->name);
  store->n_rows--;
  memmove(row, row + 1, (size_t)(store->rows + store->n_rows - row) * sizeof(*row));
  return 0;
}
