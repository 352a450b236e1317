/* SPDX-License-Identifier: Apache-2.0 */
/* Packs. All ways in are by the key; a body is read only when it is handed out. */
#include "base/err.h"
#include "store/pack.h"
#include "store/store_pack.h"
#include "store/store_sql.h"

/* Of a row of PACK_RANGE, without the body. */
static int read_pack(bb_store *store, sqlite3_stmt *s, bb_store_pack *out) {
  uint64_t key, n, age, len;
  int err = bb_sql_count(store, s, 0, INT64_MAX, &key);
  if (err == 0) err = bb_sql_count(store, s, 1, BB_PACK_MAX_RECORDS, &n);
  if (err == 0) err = bb_sql_count(store, s, 2, BB_STORE_AGE_MAX, &age);
  if (err == 0) err = bb_sql_count(store, s, 3, BB_PACK_LONGEST, &len);
  if (err < 0) return err;
  *out = (bb_store_pack){.stream = (uint32_t)(key >> BB_STORE_RECORD_BITS),
                         .first = key & (BB_STORE_RECORD_MAX - 1),
                         .n = (uint32_t)n,
                         .age_ns = age,
                         .len = (size_t)len};
  if (n == 0 || out->first + n > BB_STORE_RECORD_MAX) {
    return bb_sql_damaged(store, "a pack of %u records", (unsigned)n);
  }
  return 0;
}

static sqlite3_stmt *range(bb_store *store, bb_store_sql which, int64_t from, int64_t to) {
  sqlite3_stmt *s = bb_sql(store, which);
  sqlite3_bind_int64(s, 1, from);
  sqlite3_bind_int64(s, 2, to);
  return s;
}

/* The next row of PACK_RANGE or PACK_LAST: 1, 0 at the end, negative. Ended unless 1. */
static int next_pack(bb_store *store, sqlite3_stmt *s, bb_store_pack *out) {
  int more = bb_sql_step(store, s);
  if (more != 1) return more;
  int err = read_pack(store, s, out);
  if (err < 0) bb_sql_end(s);
  return err < 0 ? err : 1;
}

/* Where to begin for that record: at the pack that holds it, or else at the record. */
static int find_start(bb_store *store, uint32_t stream, uint64_t record, int64_t *out) {
  sqlite3_stmt *s =
      range(store, BB_SQL_PACK_BEFORE, bb_store_key(stream, 0), bb_store_key(stream, record));
  uint64_t key, n;
  *out = bb_store_key(stream, record);
  int more = bb_sql_step(store, s);
  if (more != 1) return more;
  int err = bb_sql_count(store, s, 0, INT64_MAX, &key);
  if (err == 0) err = bb_sql_count(store, s, 1, BB_PACK_MAX_RECORDS, &n);
  if (err == 0 && key + n > (uint64_t)*out) *out = (int64_t)key;
  bb_sql_end(s);
  return err;
}

static int insert(bb_store *store, const bb_store_pack *pack) {
  sqlite3_stmt *s = bb_sql(store, BB_SQL_PACK_ADD);
  sqlite3_bind_int64(s, 1, bb_store_key(pack->stream, pack->first));
  sqlite3_bind_int64(s, 2, pack->n);
  sqlite3_bind_int64(s, 3, (int64_t)pack->age_ns);
  sqlite3_bind_blob(s, 4, pack->body, (int)pack->len, SQLITE_STATIC);
  return bb_sql_run(store, s);
}

/* Behind all others, which is the rule, it cannot meet one. */
static int check_free(bb_store *store, const bb_store_row *row, const bb_store_pack *pack) {
  int64_t start;
  bb_store_pack other;
  if (pack->first >= row->next) return 0;
  int err = find_start(store, pack->stream, pack->first, &start);
  if (err < 0) return err;
  sqlite3_stmt *s =
      range(store, BB_SQL_PACK_RANGE, start, bb_store_key(pack->stream, pack->first + pack->n - 1));
  int found = next_pack(store, s, &other);
  if (found != 1) return found;
  bb_sql_end(s);
  return bb_store_refuse(store, BB_ERR_EXISTS, "stream %u has the record %llu already",
                         pack->stream, (unsigned long long)other.first);
}

int bb_store_append(bb_store *store, const bb_store_pack *pack) {
  int err = bb_store_writable(store);
  if (err < 0) return err;
  bb_store_row *row = bb_store_stream_row(store, pack->stream);
  if (row == NULL) return BB_ERR_NOTFOUND;
  if (pack->n < 1 || pack->n > BB_PACK_MAX_RECORDS || pack->first > BB_STORE_RECORD_MAX - pack->n ||
      pack->age_ns > BB_STORE_AGE_MAX || pack->len < 1 || pack->len > BB_PACK_LONGEST) {
    return bb_store_refuse(store, BB_ERR_INVALID, "no pack: %u records in %zu bytes", pack->n,
                           pack->len);
  }
  err = check_free(store, row, pack);
  if (err == 0) err = insert(store, pack);
  if (err < 0) return err;
  if (pack->first + pack->n > row->next) row->next = pack->first + pack->n;
  row->packs++;
  row->records += pack->n;
  row->bytes += pack->len;
  row->changed = true;
  return 0;
}

/* Hands the pack with its body to `each`. */
static int give_pack(bb_store *store, bb_store_pack *pack,
                     int (*each)(void *user, const bb_store_pack *pack), void *user) {
  size_t expected = pack->len;
  sqlite3_stmt *s = bb_sql(store, BB_SQL_PACK_BODY);
  sqlite3_bind_int64(s, 1, bb_store_key(pack->stream, pack->first));
  int more = bb_sql_step(store, s);
  if (more == 0) return bb_sql_damaged(store, "a pack is there and is not");
  if (more < 0) return more;
  int result = bb_sql_bytes(store, s, 0, &pack->body, &pack->len);
  if (result == 0 && pack->len != expected) {
    result = bb_sql_damaged(store, "a pack of another length");
  }
  if (result == 0) result = each(user, pack);
  bb_sql_end(s);
  return result;
}

int bb_store_read(bb_store *store, uint32_t stream, uint64_t record, size_t max_bytes,
                  int (*each)(void *user, const bb_store_pack *pack), void *user) {
  if (stream < 1 || stream > BB_STORE_STREAM_MAX || record >= BB_STORE_RECORD_MAX) return 0;
  int64_t start;
  int more = find_start(store, stream, record, &start), n = 0;
  if (more < 0) return more;
  sqlite3_stmt *s = range(store, BB_SQL_PACK_RANGE, start, bb_store_key_last(stream));
  bb_store_pack pack;
  size_t used = 0;
  while ((more = next_pack(store, s, &pack)) == 1) {
    if (n > 0 && pack.len > max_bytes - used) break;
    used = pack.len < max_bytes - used ? used + pack.len : max_bytes;
    int result = give_pack(store, &pack, each, user);
    if (result != 0) {
      bb_sql_end(s);
      return result;
    }
    n++;
  }
  if (more == 1) bb_sql_end(s);
  return more < 0 ? more : n;
}

int bb_store_since(bb_store *store, uint32_t stream, uint64_t record, uint64_t age_ns,
                   uint64_t *out) {
  if (stream < 1 || stream > BB_STORE_STREAM_MAX || record >= BB_STORE_RECORD_MAX) return 0;
  int64_t start;
  int more = find_start(store, stream, record, &start);
  if (more < 0) return more;
  sqlite3_stmt *s = range(store, BB_SQL_PACK_RANGE, start, bb_store_key_last(stream));
  bb_store_pack pack;
  while ((more = next_pack(store, s, &pack)) == 1 && pack.age_ns < age_ns) {
  }
  if (more != 1) return more;
  *out = pack.first > record ? pack.first : record;
  bb_sql_end(s);
  return 1;
}

/* Adds from..to, unless it is empty. False: there is no room, and *end is where it would have begun. */
static bool add_gap(bb_span *out, uint32_t max, int *n, uint64_t from, uint64_t to, uint64_t *end) {
  if (from >= to) return true;
  if ((uint32_t)*n == max) {
    *end = from;
    return false;
  }
  out[(*n)++] = (bb_span){from, to};
  return true;
}

int bb_store_gaps(bb_store *store, uint32_t stream, uint64_t from, uint64_t *to, bb_span *out,
                  uint32_t max) {
  uint64_t at = from, end = *to < BB_STORE_RECORD_MAX ? *to : BB_STORE_RECORD_MAX;
  int64_t start;
  int n = 0;
  if (stream < 1 || stream > BB_STORE_STREAM_MAX || from >= end) return 0;
  int more = find_start(store, stream, from, &start);
  if (more < 0) return more;
  sqlite3_stmt *s = range(store, BB_SQL_PACK_RANGE, start, bb_store_key(stream, end - 1));
  bb_store_pack pack;
  while ((more = next_pack(store, s, &pack)) == 1) {
    if (!add_gap(out, max, &n, at, pack.first, to)) break;
    if (pack.first + pack.n > at) at = pack.first + pack.n;
  }
  if (more == 1) bb_sql_end(s);
  if (more == 0) add_gap(out, max, &n, at, end, to);
  return more < 0 ? more : n;
}

int bb_store_pack_drop(bb_store *store, int64_t from, int64_t to) {
  return bb_sql_run(store, range(store, BB_SQL_PACK_DROP, from, to));
}

/* Adds up the packs from `from` on that end at or before `to`; the key of the last one. */
static int count_range(bb_store *store, uint32_t stream, uint64_t from, uint64_t to,
                       bb_store_gone *gone, int64_t *last) {
  sqlite3_stmt *s =
      range(store, BB_SQL_PACK_RANGE, bb_store_key(stream, from), bb_store_key(stream, to - 1));
  bb_store_pack pack;
  int more;
  while ((more = next_pack(store, s, &pack)) == 1 && pack.first + pack.n <= to) {
    gone->packs++;
    gone->records += pack.n;
    gone->bytes += pack.len;
    *last = bb_store_key(stream, pack.first);
  }
  if (more == 1) bb_sql_end(s);
  return more < 0 ? more : 0;
}

int bb_store_trim(bb_store *store, uint32_t stream, uint64_t from, uint64_t to,
                  bb_store_gone *gone) {
  bb_store_gone own = {0};
  int64_t last = 0;
  int err = bb_store_writable(store);
  if (err < 0) return err;
  bb_store_row *row = bb_store_stream_row(store, stream);
  if (row == NULL) return BB_ERR_NOTFOUND;
  if (to > BB_STORE_RECORD_MAX) to = BB_STORE_RECORD_MAX;
  if (from >= to) return 0;
  err = count_range(store, stream, from, to, &own, &last);
  if (err < 0 || own.packs == 0) return err;
  err = bb_store_pack_drop(store, bb_store_key(stream, from), last);
  if (err < 0) return err;
  bb_store_lessen(&row->packs, own.packs);
  bb_store_lessen(&row->records, own.records);
  bb_store_lessen(&row->bytes, own.bytes);
  row->changed = true;
  gone->packs += own.packs;
  gone->records += own.records;
  gone->bytes += own.bytes;
  return 0;
}

int bb_store_pack_first(bb_store *store, uint32_t stream, bb_store_pack *out) {
  sqlite3_stmt *s =
      range(store, BB_SQL_PACK_RANGE, bb_store_key(stream, 0), bb_store_key_last(stream));
  int found = next_pack(store, s, out);
  if (found == 1) bb_sql_end(s);
  return found;
}

static int last_pack(bb_store *store, uint32_t stream, bb_store_pack *out) {
  sqlite3_stmt *s =
      range(store, BB_SQL_PACK_LAST, bb_store_key(stream, 0), bb_store_key_last(stream));
  int found = next_pack(store, s, out);
  if (found == 1) bb_sql_end(s);
  return found;
}

static int latest_letter(bb_store *store, uint64_t *age_ns) {
  sqlite3_stmt *s = bb_sql(store, BB_SQL_DEAD_AGE);
  int found = bb_sql_step(store, s);
  if (found != 1) return found;
  int err = bb_sql_count(store, s, 0, BB_STORE_AGE_MAX, age_ns);
  bb_sql_end(s);
  return err;
}

int bb_store_latest_age(bb_store *store, uint64_t *age_ns) {
  *age_ns = 0;
  int err = bb_store_load(store);
  if (err == 0) err = latest_letter(store, age_ns);
  for (uint32_t i = 1; err >= 0 && i < store->n_rows; i++) {
    bb_store_pack pack;
    err = last_pack(store, store->rows[i].id, &pack);
    if (err == 1 && pack.age_ns > *age_ns) *age_ns = pack.age_ns;
  }
  return err < 0 ? err : 0;
}

int bb_store_oldest(bb_store *store, bb_store_class class, bb_store_pack *out) {
  int found = 0, err = bb_store_load(store);
  for (uint32_t i = 1; err == 0 && i < store->n_rows; i++) {
    bb_store_pack pack;
    if (store->rows[i].class != class) continue;
    int more = bb_store_pack_first(store, store->rows[i].id, &pack);
    if (more < 0) return more;
    if (more == 0 || (found == 1 && pack.age_ns >= out->age_ns)) continue;
    *out = pack;
    found = 1;
  }
  return err < 0 ? err : found;
}
