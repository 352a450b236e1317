/* SPDX-License-Identifier: Apache-2.0 */
/* Whether all of a store is as store.h says. It reads every page, and every pack against the names. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/pack.h"
#include "store/store_pack.h"
#include "store/store_verify.h"

#define SENTENCE 512

void bb_verify_say(bb_verify *verify, const char *format, ...) {
  char sentence[SENTENCE];
  va_list args;
  va_start(args, format);
  vsnprintf(sentence, sizeof(sentence), format, args);
  va_end(args);
  verify->mistakes++;
  if (verify->found != NULL) verify->found(verify->user, sentence);
}

/* Says what is damaged, and ends on everything else. */
static int go_on(bb_verify *verify, int err) {
  if (err != BB_ERR_FORMAT) return err;
  bb_verify_say(verify, "%s", bb_store_why(verify->store));
  return 0;
}

/* Calls `row` for each row of the statement. A row that is damaged is said. */
static int each_row(bb_verify *verify, const char *text,
                    int (*row)(bb_verify *verify, sqlite3_stmt *s)) {
  sqlite3_stmt *s = NULL;
  int rc = sqlite3_prepare_v2(verify->store->db, text, -1, &s, NULL);
  if (rc != SQLITE_OK) return go_on(verify, bb_sql_fail(verify->store, rc));
  int more, err = 0;
  while (err == 0 && (more = bb_sql_step(verify->store, s)) == 1) {
    err = go_on(verify, row(verify, s));
    if (atomic_load(&verify->store->interrupted))
      err = bb_sql_fail(verify->store, SQLITE_INTERRUPT);
  }
  if (err == 0) err = go_on(verify, more);
  sqlite3_finalize(s);
  return err;
}

static int check_page(bb_verify *verify, sqlite3_stmt *s) {
  const char *sentence;
  int err = bb_sql_text(verify->store, s, 0, &sentence);
  if (err == 0 && sqlite3_stricmp(sentence, "ok") != 0) bb_verify_say(verify, "%s", sentence);
  return err;
}

/* What is counted for that stream; NULL where there is no such one. */
static bb_store_row *sum_of(bb_verify *verify, uint32_t stream) {
  bb_store_row *row = bb_store_row_of(verify->store, stream);
  return row != NULL ? &verify->sums[row - verify->store->rows] : NULL;
}

static void count(bb_store_row *sum, uint64_t n, size_t len) {
  sum->packs++;
  sum->records += n;
  sum->bytes += len;
}

static int check_pack(bb_verify *verify, sqlite3_stmt *s) {
  char what[96];
  uint64_t key, n, age;
  const uint8_t *body;
  size_t len;
  int err = bb_sql_count(verify->store, s, 0, INT64_MAX, &key);
  if (err == 0) err = bb_sql_count(verify->store, s, 1, BB_PACK_MAX_RECORDS, &n);
  if (err == 0) err = bb_sql_count(verify->store, s, 2, BB_STORE_AGE_MAX, &age);
  if (err == 0) err = bb_sql_bytes(verify->store, s, 3, &body, &len);
  if (err < 0) return err;
  uint32_t stream = (uint32_t)(key >> BB_STORE_RECORD_BITS);
  uint64_t first = key & (BB_STORE_RECORD_MAX - 1);
  snprintf(what, sizeof(what), "stream %u, records %llu to %llu", stream, (unsigned long long)first,
           (unsigned long long)(first + n - 1));
  bb_verify_pack(verify, what, n, body, len);
  bb_store_row *sum = stream > 0 ? sum_of(verify, stream) : NULL;
  if (sum == NULL) {
    bb_verify_say(verify, "%s: there is no such stream", what);
    return 0;
  }
  if (first < sum->next) bb_verify_say(verify, "%s: it overlaps the one before", what);
  count(sum, n, len);
  if (first + n > sum->next) sum->next = first + n;
  return 0;
}

static int check_dead(bb_verify *verify, sqlite3_stmt *s) {
  char what[48];
  uint64_t id, age;
  const uint8_t *body;
  size_t len;
  int err = bb_sql_count(verify->store, s, 0, INT64_MAX, &id);
  if (err == 0) err = bb_sql_count(verify->store, s, 1, BB_STORE_AGE_MAX, &age);
  if (err == 0) err = bb_sql_bytes(verify->store, s, 2, &body, &len);
  if (err < 0) return err;
  snprintf(what, sizeof(what), "dead letter %llu", (unsigned long long)id);
  bb_verify_pack(verify, what, 1, body, len);
  count(&verify->sums[0], 1, len);
  if (id + 1 > verify->sums[0].next) verify->sums[0].next = id + 1;
  return 0;
}

static int check_cursor(void *user, const bb_store_cursor *cursor) {
  bb_verify *verify = user;
  if (cursor->stream == 0 || bb_store_row_of(verify->store, cursor->stream) == NULL) {
    bb_verify_say(verify, "the cursor of %.64s: there is no stream %u", cursor->sink,
                  cursor->stream);
  }
  return 0;
}

static void check_sums(bb_verify *verify) {
  for (uint32_t i = 0; i < verify->store->n_rows; i++) {
    const bb_store_row *row = &verify->store->rows[i], *sum = &verify->sums[i];
    if (row->packs == sum->packs && row->records == sum->records && row->bytes == sum->bytes &&
        row->next >= sum->next) {
      continue;
    }
    bb_verify_say(verify,
                  "stream %u: it says %llu packs, %llu records, %llu bytes, next %llu, and has "
                  "%llu, %llu, %llu, %llu",
                  row->id, (unsigned long long)row->packs, (unsigned long long)row->records,
                  (unsigned long long)row->bytes, (unsigned long long)row->next,
                  (unsigned long long)sum->packs, (unsigned long long)sum->records,
                  (unsigned long long)sum->bytes, (unsigned long long)sum->next);
  }
}

static int look(bb_verify *verify) {
  int err = each_row(verify, "PRAGMA integrity_check", check_page);
  if (err == 0) err = bb_verify_read_names(verify);
  if (err == 0)
    err = each_row(verify, "SELECT key, n, age, body FROM pack ORDER BY key", check_pack);
  if (err == 0) err = each_row(verify, "SELECT id, age, body FROM dead ORDER BY id", check_dead);
  if (err == 0) err = go_on(verify, bb_store_cursors(verify->store, check_cursor, verify));
  if (err == 0) check_sums(verify);
  return err;
}

/* SQLite forgets an interruption that comes while no statement runs. So one that does nothing runs all the
 * time: an interruption comes before it, which is seen here, or ends those that follow. */
static int start_guard(bb_store *store, sqlite3_stmt **out) {
  int rc = sqlite3_prepare_v2(store->db, "SELECT 1", -1, out, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(*out);
  if (rc == SQLITE_ROW) rc = atomic_load(&store->interrupted) ? SQLITE_INTERRUPT : SQLITE_OK;
  return rc == SQLITE_OK ? 0 : bb_sql_fail(store, rc);
}

int bb_store_verify(bb_store *store, void (*found)(void *user, const char *sentence), void *user) {
  bb_verify verify = {.store = store, .found = found, .user = user};
  sqlite3_stmt *guard = NULL;
  int err = bb_store_load(store);
  if (err < 0) return err;
  err = start_guard(store, &guard);
  if (err == 0) {
    verify.sums = calloc(store->n_rows, sizeof(*verify.sums));
    err = verify.sums != NULL ? look(&verify) : bb_sql_fail(store, SQLITE_NOMEM);
  }
  sqlite3_finalize(guard);
  bb_verify_close_names(&verify);
  free(verify.sums);
  return err < 0 ? err : verify.mistakes;
}
