/* SPDX-License-Identifier: Apache-2.0 */
/* What bb_store_verify finds, and how the store asks SQLite. */
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "base/err.h"
#include "store/store_sql.h"
#include "support/expect.h"
#include "support/store.h"

#define PACKS 200

static int open_each(void **state) {
  store_rig_setup(state);
  store_put_sample(*state);
  return 0;
}

/* Changes the closed file behind the store's back. */
static void damage(store_rig *rig, const char *sql) {
  sqlite3 *db;
  bb_store_close(rig->store);
  expect_int(sql, sqlite3_open(rig->path, &db), SQLITE_OK);
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
    fail_msg("%s: %s", sql, sqlite3_errmsg(db));
  }
  sqlite3_close(db);
  rig->store = NULL;
  char why[BB_STORE_WHY];
  bb_store_options options = {.path = rig->path};
  expect_int(sql, bb_store_open(&options, &rig->store, why), 0);
}

static void test_store_verify_finds_nothing_in_a_sound_one(void **state) {
  expect_text("mistakes", store_show_mistakes(*state), "");
}

static void test_store_verify_finds(void **state) {
  static const struct {
    const char *sql, *sentence;
  } rows[] = {
      {"UPDATE pack SET body = zeroblob(100) WHERE key = 1 << 47",
       "stream 1, records 0 to 17: its bytes are damaged"},
      {"UPDATE stream SET bytes = bytes + 1 WHERE id = 1", "stream 1: it says 3 packs"},
      {"UPDATE stream SET records = 3 WHERE id = 0", "stream 0: it says 1 packs, 3 records"},
      {"UPDATE stream SET next = 3 WHERE id = 1", "next 3, and has"},
      {"DELETE FROM name WHERE kind = 1", "is not there"},
      {"DELETE FROM name WHERE kind = 2", "its shape "},
      {"UPDATE name SET frame = x'00'", "its frame cannot be read"},
      {"UPDATE name SET hash = hash + 1 WHERE kind = 2", "it is another one"},
      {"UPDATE name SET kind = 3 WHERE kind = 2", "\"kind\" is 3"},
      {"UPDATE cursor SET ranges = x'01'", "a cursor of 1 bytes"},
      {"UPDATE cursor SET ranges = x'02000000000000000100000000000000'",
       "the cursor of influx in stream 1"},
      {"UPDATE cursor SET stream = 9", "the cursor of influx: there is no stream 9"},
      {"UPDATE pack SET n = 4 WHERE key = 1 << 47", "it has 18 records"},
      {"UPDATE pack SET n = -1 WHERE key = 1 << 47", "\"n\" is -1"},
      {"UPDATE pack SET key = key - 2 WHERE key = (SELECT max(key) FROM pack)",
       "it overlaps the one before"},
      {"UPDATE pack SET key = (5 << 47) + 1 WHERE key = 1 << 47",
       "stream 5, records 1 to 18: there is no such stream"},
      {"UPDATE pack SET age = -5 WHERE key = 1 << 47", "\"age\" is -5"},
      {"UPDATE dead SET body = (SELECT body FROM pack LIMIT 1)",
       "dead letter 1: it has 18 records"},
      {"UPDATE dead SET body = x'0000'", "dead letter 1: its bytes are damaged"},
      {"PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'dead_age'",
       "never used"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    store_rig own;
    store_rig_open(&own);
    store_put_sample(&own);
    damage(&own, rows[i].sql);
    expect_part(rows[i].sql, store_show_mistakes(&own), rows[i].sentence);
    store_rig_close(&own);
  }
}

static void test_store_verify_counts_mistakes(void **state) {
  store_rig *rig = *state;
  damage(rig, "UPDATE pack SET body = x'00'");
  /* Three packs, and the totals of their stream. */
  expect_int("mistakes", bb_store_verify(rig->store, NULL, NULL), 4);
}

static void count_sentence(void *user, const char *sentence) {
  (void)sentence;
  ++*(unsigned *)user;
}

static void test_store_verify_ends_also_before_it_looks(void **state) {
  store_rig *rig = *state;
  damage(rig, "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'dead_age'");
  bb_store_interrupt(rig->store);
  unsigned n = 0;
  expect_int("ended", bb_store_verify(rig->store, count_sentence, &n), BB_ERR_CLOSED);
  expect_uint("not looked", n, 0);
}

/* A table is never read from end to end but where that is the question. */
static void expect_plan(sqlite3 *db, const char *name, const char *sql) {
  static const char *const whole[] = {"STREAMS", "CURSORS", "NAMES",     "NAMES_DROP",
                                      "VALUES",  "DEAD",    "DEAD_FIRST"};
  char text[1024], row[256];
  sqlite3_stmt *s = NULL;
  snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", sql);
  expect_int(name, sqlite3_prepare_v2(db, text, -1, &s, NULL), SQLITE_OK);
  while (sqlite3_step(s) == SQLITE_ROW) {
    const char *detail = (const char *)sqlite3_column_text(s, 3);
    snprintf(row, sizeof(row), "%s: %s", name, detail);
    bool is_whole = false;
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
      is_whole |= strcmp(whole[i], name) == 0;
    }
    expect_true(row, is_whole || strstr(detail, "SCAN") == NULL);
    expect_true(row, strstr(detail, "SCAN pack") == NULL);
    expect_true(row, strstr(detail, "TEMP B-TREE") == NULL);
    if (strncmp(name, "PACK_", 5) == 0) expect_part(row, detail, "USING INTEGER PRIMARY KEY");
    if (strcmp(name, "DEAD_OLDEST") == 0) expect_part(row, detail, "USING INDEX dead_age");
  }
  sqlite3_finalize(s);
}

static void test_store_reads_no_table_from_end_to_end(void **state) {
  static const struct {
    const char *name, *sql;
  } rows[] = {
#define XX(name, text) {#name, text},
      BB_STORE_SQL_MAP(XX)
#undef XX
  };
  store_rig *rig = *state;
  sqlite3 *db;
  bb_store_close(rig->store);
  rig->store = NULL;
  expect_int("open", sqlite3_open(rig->path, &db), SQLITE_OK);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_plan(db, rows[i].name, rows[i].sql);
  }
  sqlite3_close(db);
}

/* Pages that were read from the file since the last call. */
static int pages_read(store_rig *rig) {
  int now = 0, highest = 0;
  sqlite3_db_status(rig->store->db, SQLITE_DBSTATUS_CACHE_MISS, &now, &highest, 1);
  return now;
}

static void append_many(store_rig *rig, uint64_t from) {
  store_begin(rig);
  for (uint64_t i = 0; i < PACKS; i++) store_append(rig, 2, from + i, 1, i, 60000);
  store_commit(rig);
  store_reopen(rig);
  pages_read(rig);
}

static void test_store_trims_without_reading_bodies(void **state) {
  store_rig *rig = *state;
  bb_store_gone gone = {0};
  store_begin(rig);
  store_make_stream(rig, "b", BB_STORE_TELEMETRY);
  store_commit(rig);
  /* Once in new pages, once in those that were given free. */
  for (uint64_t round = 0; round < 2; round++) {
    append_many(rig, round * PACKS);
    store_begin(rig);
    expect_int("an empty range", bb_store_trim(rig->store, 2, 9 * PACKS, 99 * PACKS, &gone), 0);
    int pages = pages_read(rig);
    if (pages > 6) fail_msg("%d pages for a seek, expected at most 6", pages);
    expect_int("all", bb_store_trim(rig->store, 2, 0, 9 * PACKS, &gone), 0);
    pages = pages_read(rig);
    if (pages > 3 * PACKS) fail_msg("%d pages read, of the %d of all bodies", pages, 15 * PACKS);
    store_commit(rig);
  }
  expect_uint("gone", gone.packs, 2 * PACKS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_store_verify_finds_nothing_in_a_sound_one, open_each,
                                      store_rig_teardown),
      cmocka_unit_test(test_store_verify_finds),
      cmocka_unit_test_setup_teardown(test_store_verify_counts_mistakes, open_each,
                                      store_rig_teardown),
      cmocka_unit_test_setup_teardown(test_store_verify_ends_also_before_it_looks, open_each,
                                      store_rig_teardown),
      cmocka_unit_test_setup_teardown(test_store_reads_no_table_from_end_to_end, open_each,
                                      store_rig_teardown),
      cmocka_unit_test_setup_teardown(test_store_trims_without_reading_bodies, open_each,
                                      store_rig_teardown),
  };
  return cmocka_run_group_tests_name("store_verify", tests, NULL, NULL);
}
