/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors: what each sink has not yet delivered of a stream. */
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "store/store_sql.h"

#define RANGE_BYTES 16

/* Ascending and apart, below the last record; only the last may be without an end. */
static bool ranges_are_sound(const bb_span *ranges, uint32_t n) {
  uint64_t floor = 0;
  for (uint32_t i = 0; i < n; i++) {
    bool open = i + 1 == n && ranges[i].to == BB_STORE_OPEN_END;
    if (ranges[i].from < floor || ranges[i].from >= ranges[i].to) return false;
    if (ranges[i].from > BB_STORE_RECORD_MAX) return false;
    if (!open && ranges[i].to > BB_STORE_RECORD_MAX) return false;
    floor = ranges[i].to + 1;
  }
  return true;
}

static int read_cursor(bb_store *store, sqlite3_stmt *s, bb_store_cursor *out) {
  uint64_t stream;
  const uint8_t *bytes;
  size_t len;
  int err = bb_sql_count(store, s, 0, BB_STORE_STREAM_MAX, &stream);
  if (err == 0) err = bb_sql_text(store, s, 1, &out->sink);
  if (err == 0) err = bb_sql_bytes(store, s, 2, &bytes, &len);
  if (err < 0) return err;
  out->stream = (uint32_t)stream;
  out->n = (uint32_t)(len / RANGE_BYTES);
  if (len % RANGE_BYTES != 0 || out->n > BB_STORE_RANGES) {
    return bb_sql_damaged(store, "a cursor of %zu bytes", len);
  }
  for (uint32_t i = 0; i < out->n; i++, bytes += RANGE_BYTES) {
    out->ranges[i] = (bb_span){bb_get_le64(bytes), bb_get_le64(bytes + 8)};
  }
  if (!ranges_are_sound(out->ranges, out->n)) {
    return bb_sql_damaged(store, "the cursor of %.60s in stream %u", out->sink, out->stream);
  }
  return 0;
}

int bb_store_cursors(bb_store *store, int (*each)(void *user, const bb_store_cursor *cursor),
                     void *user) {
  sqlite3_stmt *s = bb_sql(store, BB_SQL_CURSORS);
  int more;
  while ((more = bb_sql_step(store, s)) == 1) {
    bb_store_cursor cursor;
    int result = read_cursor(store, s, &cursor);
    if (result == 0) result = each(user, &cursor);
    if (result == 0) continue;
    bb_sql_end(s);
    return result;
  }
  return more;
}

int bb_store_cursor_put(bb_store *store, const bb_store_cursor *cursor) {
  uint8_t bytes[BB_STORE_RANGES * RANGE_BYTES];
  int err = bb_store_writable(store);
  if (err < 0) return err;
  if (bb_store_stream_row(store, cursor->stream) == NULL) return BB_ERR_NOTFOUND;
  size_t sink_len = strlen(cursor->sink);
  if (cursor->n > BB_STORE_RANGES || sink_len < 1 || sink_len > BB_MAX_ID ||
      !ranges_are_sound(cursor->ranges, cursor->n)) {
    return bb_store_refuse(store, BB_ERR_INVALID, "no cursor: %u ranges of %.64s", cursor->n,
                           cursor->sink);
  }
  for (uint32_t i = 0; i < cursor->n; i++) {
    bb_put_le64(bytes + i * RANGE_BYTES, cursor->ranges[i].from);
    bb_put_le64(bytes + i * RANGE_BYTES + 8, cursor->ranges[i].to);
  }
  sqlite3_stmt *s = bb_sql(store, BB_SQL_CURSOR_PUT);
  sqlite3_bind_int64(s, 1, cursor->stream);
  sqlite3_bind_text(s, 2, cursor->sink, (int)sink_len, SQLITE_STATIC);
  sqlite3_bind_blob(s, 3, bytes, (int)cursor->n * RANGE_BYTES, SQLITE_STATIC);
  return bb_sql_run(store, s);
}

int bb_store_cursor_drop(bb_store *store, uint32_t stream, const char *sink) {
  int err = bb_store_writable(store);
  if (err < 0) return err;
  sqlite3_stmt *s = bb_sql(store, sink != NULL ? BB_SQL_CURSOR_DROP : BB_SQL_CURSORS_DROP);
  sqlite3_bind_int64(s, 1, stream);
  if (sink != NULL) sqlite3_bind_text(s, 2, sink, -1, SQLITE_STATIC);
  return bb_sql_run(store, s);
}
