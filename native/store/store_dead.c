/* SPDX-License-Identifier: Apache-2.0 */
/* Dead letters. Their totals and the next id lie in the row 0 of `stream`, so an id never comes back. */
#include <string.h>

#include "base/err.h"
#include "store/pack.h"
#include "store/store_sql.h"

#define REASON_MAX BB_MAX_TEXT

int bb_store_dead_put(bb_store *store, const bb_store_dead *dead) {
  int err = bb_store_writable(store);
  if (err < 0) return err;
  bb_store_row *row = bb_store_row_of(store, 0);
  size_t sink_len = strlen(dead->sink), reason_len = strlen(dead->reason);
  if (sink_len < 1 || sink_len > BB_MAX_ID || reason_len > REASON_MAX ||
      dead->age_ns > BB_STORE_AGE_MAX || dead->len < 1 || dead->len > BB_PACK_LONGEST) {
    return bb_store_refuse(store, BB_ERR_INVALID, "no dead letter: %zu bytes of %.64s", dead->len,
                           dead->sink);
  }
  sqlite3_stmt *s = bb_sql(store, BB_SQL_DEAD_PUT);
  sqlite3_bind_int64(s, 1, (int64_t)row->next);
  sqlite3_bind_text(s, 2, dead->sink, (int)sink_len, SQLITE_STATIC);
  sqlite3_bind_int64(s, 3, dead->time_ns);
  sqlite3_bind_int64(s, 4, (int64_t)dead->age_ns);
  sqlite3_bind_text(s, 5, dead->reason, (int)reason_len, SQLITE_STATIC);
  sqlite3_bind_blob(s, 6, dead->body, (int)dead->len, SQLITE_STATIC);
  err = bb_sql_run(store, s);
  if (err < 0) return err;
  row->next++;
  row->packs++;
  row->records++;
  row->bytes += dead->len;
  row->changed = true;
  return 0;
}

static int read_dead(bb_store *store, sqlite3_stmt *s, bb_store_dead *out) {
  uint64_t id;
  int err = bb_sql_count(store, s, 0, INT64_MAX, &id);
  if (err == 0) err = bb_sql_text(store, s, 1, &out->sink);
  if (err == 0) err = bb_sql_count(store, s, 3, BB_STORE_AGE_MAX, &out->age_ns);
  if (err == 0) err = bb_sql_text(store, s, 4, &out->reason);
  if (err == 0) err = bb_sql_bytes(store, s, 5, &out->body, &out->len);
  if (err < 0) return err;
  out->id = (int64_t)id;
  out->time_ns = sqlite3_column_int64(s, 2);
  return 0;
}

int bb_store_dead_each(bb_store *store, const char *sink, int64_t after,
                       int (*each)(void *user, const bb_store_dead *dead), void *user) {
  sqlite3_stmt *s = bb_sql(store, BB_SQL_DEAD);
  sqlite3_bind_int64(s, 1, after);
  int more;
  while ((more = bb_sql_step(store, s)) == 1) {
    bb_store_dead dead;
    int result = read_dead(store, s, &dead);
    bool wanted = result == 0 && (sink == NULL || strcmp(sink, dead.sink) == 0);
    if (wanted) result = each(user, &dead);
    if (result == 0) continue;
    bb_sql_end(s);
    return result;
  }
  return more;
}

/* Steps a statement that gives id and length, and takes that letter away: 1, or 0 when it gives none. */
static int drop_found(bb_store *store, sqlite3_stmt *s) {
  bb_store_row *row = bb_store_row_of(store, 0);
  uint64_t id, len;
  int more = bb_sql_step(store, s);
  if (more != 1) return more;
  int err = bb_sql_count(store, s, 0, INT64_MAX, &id);
  if (err == 0) err = bb_sql_count(store, s, 1, BB_PACK_LONGEST, &len);
  bb_sql_end(s);
  if (err < 0) return err;
  s = bb_sql(store, BB_SQL_DEAD_DROP);
  sqlite3_bind_int64(s, 1, (int64_t)id);
  err = bb_sql_run(store, s);
  if (err < 0) return err;
  bb_store_lessen(&row->packs, 1);
  bb_store_lessen(&row->records, 1);
  bb_store_lessen(&row->bytes, len);
  row->changed = true;
  return 1;
}

int bb_store_dead_drop(bb_store *store, int64_t id) {
  int err = bb_store_writable(store);
  if (err < 0) return err;
  sqlite3_stmt *s = bb_sql(store, BB_SQL_DEAD_SIZE);
  sqlite3_bind_int64(s, 1, id);
  int dropped = drop_found(store, s);
  if (dropped == 0) {
    return bb_store_refuse(store, BB_ERR_NOTFOUND, "there is no dead letter %lld", (long long)id);
  }
  return dropped < 0 ? dropped : 0;
}

int bb_store_dead_bound(bb_store *store, uint64_t max_bytes, uint64_t age_ns) {
  int dropped = 1, n = 0, err = bb_store_writable(store);
  if (err < 0) return err;
  const bb_store_row *row = bb_store_row_of(store, 0);
  while (row->bytes > max_bytes &&
         (dropped = drop_found(store, bb_sql(store, BB_SQL_DEAD_FIRST))) == 1) {
    n++;
  }
  if (dropped < 0) return dropped;
  do {
    sqlite3_stmt *s = bb_sql(store, BB_SQL_DEAD_OLDEST);
    sqlite3_bind_int64(s, 1, (int64_t)(age_ns < BB_STORE_AGE_MAX ? age_ns : BB_STORE_AGE_MAX));
    dropped = drop_found(store, s);
    n += dropped == 1;
  } while (dropped == 1);
  return dropped < 0 ? dropped : n;
}
