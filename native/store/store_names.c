/* SPDX-License-Identifier: Apache-2.0 */
/* Devices and shapes under their hashes, and values under their keys. */
#include <string.h>

#include "base/err.h"
#include "store/store_sql.h"

int bb_store_names(bb_store *store,
                   int (*each)(void *user, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                               size_t len),
                   void *user) {
  sqlite3_stmt *s = bb_sql(store, BB_SQL_NAMES);
  int more;
  while ((more = bb_sql_step(store, s)) == 1) {
    uint64_t kind;
    const uint8_t *frame;
    size_t len;
    int result = bb_sql_count(store, s, 0, BB_STORE_SHAPE, &kind);
    if (result == 0) result = bb_sql_bytes(store, s, 2, &frame, &len);
    if (result == 0) {
      uint64_t hash = (uint64_t)sqlite3_column_int64(s, 1);
      result = each(user, (bb_store_kind)kind, hash, frame, len);
    }
    if (result == 0) continue;
    bb_sql_end(s);
    return result;
  }
  return more;
}

int bb_store_name_put(bb_store *store, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                      size_t len) {
  int err = bb_store_writable(store);
  if (err < 0) return err;
  if ((kind != BB_STORE_DEVICE && kind != BB_STORE_SHAPE) || len < 1 || len > BB_MAX_FRAME_BYTES) {
    return bb_store_refuse(store, BB_ERR_INVALID, "no frame: %zu bytes of kind %d", len, (int)kind);
  }
  sqlite3_stmt *s = bb_sql(store, BB_SQL_NAME_PUT);
  sqlite3_bind_int64(s, 1, (int64_t)kind);
  sqlite3_bind_int64(s, 2, (int64_t)hash);
  sqlite3_bind_blob(s, 3, frame, (int)len, SQLITE_STATIC);
  return bb_sql_run(store, s);
}

int bb_store_names_drop(bb_store *store) {
  int err = bb_store_writable(store);
  if (err < 0) return err;
  for (uint32_t i = 0; i < store->n_rows; i++) {
    if (store->rows[i].packs == 0) continue;
    return bb_store_refuse(store, BB_ERR_STATE, "what is stored still needs its names");
  }
  return bb_sql_run(store, bb_sql(store, BB_SQL_NAMES_DROP));
}

int bb_store_value_put(bb_store *store, const char *key, const void *bytes, size_t len) {
  int err = bb_store_writable(store);
  if (err < 0) return err;
  size_t key_len = strlen(key);
  if (key_len < 1 || key_len > BB_MAX_NAME || len > BB_STORE_VALUE_MAX) {
    return bb_store_refuse(store, BB_ERR_INVALID, "no value: %zu bytes under \"%.80s\"", len, key);
  }
  sqlite3_stmt *s = bb_sql(store, BB_SQL_VALUE_PUT);
  sqlite3_bind_text(s, 1, key, (int)key_len, SQLITE_STATIC);
  sqlite3_bind_blob(s, 2, len > 0 ? bytes : "", (int)len, SQLITE_STATIC);
  return bb_sql_run(store, s);
}

int bb_store_value_drop(bb_store *store, const char *key) {
  int err = bb_store_writable(store);
  if (err < 0) return err;
  sqlite3_stmt *s = bb_sql(store, BB_SQL_VALUE_DROP);
  sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
  return bb_sql_run(store, s);
}

int bb_store_values(bb_store *store,
                    int (*each)(void *user, const char *key, const uint8_t *bytes, size_t len),
                    void *user) {
  sqlite3_stmt *s = bb_sql(store, BB_SQL_VALUES);
  int more;
  while ((more = bb_sql_step(store, s)) == 1) {
    const char *key;
    const uint8_t *bytes;
    size_t len;
    int result = bb_sql_text(store, s, 0, &key);
    if (result == 0) result = bb_sql_bytes(store, s, 1, &bytes, &len);
    if (result == 0) result = each(user, key, bytes, len);
    if (result == 0) continue;
    bb_sql_end(s);
    return result;
  }
  return more;
}
