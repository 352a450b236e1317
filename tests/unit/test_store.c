/* SPDX-License-Identifier: Apache-2.0 */
/* What a store keeps, and gives back. Its file: test_store_file.c; disks that fail: test_store_faults.c. */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/store.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_store_makes_streams(void **state) {
  store_rig *rig = *state;
  store_begin(rig);
  int a = bb_store_stream_make(rig->store, "influx", BB_STORE_TELEMETRY);
  int b = bb_store_stream_make(rig->store, "influx", BB_STORE_EVENTS);
  int c = bb_store_stream_make(rig->store, "influx+mqtt", BB_STORE_TELEMETRY);
  expect_int("first", a, 1);
  expect_int("other class", b, 2);
  expect_int("other name", c, 3);
  expect_int("again", bb_store_stream_make(rig->store, "influx", BB_STORE_TELEMETRY), a);
  expect_int("no name", bb_store_stream_make(rig->store, "", BB_STORE_EVENTS), BB_ERR_INVALID);
  store_commit(rig);
  store_reopen(rig);
  expect_text("streams", store_show_streams(rig),
              "1 influx telemetry 0..0 0 records 0 bytes\n"
              "2 influx events 0..0 0 records 0 bytes\n"
              "3 influx+mqtt telemetry 0..0 0 records 0 bytes\n");
  store_begin(rig);
  expect_int("drop", bb_store_stream_drop(rig->store, 2), 0);
  expect_int("drop again", bb_store_stream_drop(rig->store, 2), BB_ERR_NOTFOUND);
  expect_part("why", bb_store_why(rig->store), "there is no stream 2");
  expect_int("the lowest free id", bb_store_stream_make(rig->store, "x", BB_STORE_EVENTS), 2);
  store_commit(rig);
}

static void test_store_gives_packs_back(void **state) {
  store_rig *rig = *state;
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  store_make_stream(rig, "b", BB_STORE_EVENTS);
  store_append(rig, 1, 0, 10, 100, 3000);
  store_append(rig, 1, 10, 5, 200, 70000);
  store_append(rig, 1, 20, 1, 300, 1);
  store_append(rig, 2, 7, 3, 50, 500);
  store_commit(rig);
  store_reopen(rig);
  expect_text("streams", store_show_streams(rig),
              "1 a telemetry 0..21 16 records 73001 bytes\n2 b events 7..10 3 records 500 bytes\n");
  static const struct {
    uint32_t stream;
    uint64_t record;
    size_t max;
    const char *expected;
  } rows[] = {
      {1, 0, SIZE_MAX, "0+10 10+5 20+1"},
      {1, 9, SIZE_MAX, "0+10 10+5 20+1"},
      {1, 10, SIZE_MAX, "10+5 20+1"},
      {1, 15, SIZE_MAX, "20+1"},
      {1, 20, SIZE_MAX, "20+1"},
      {1, 21, SIZE_MAX, ""},
      {1, 0, 0, "0+10"},
      {1, 0, 72999, "0+10"},
      {1, 0, 73000, "0+10 10+5"},
      {2, 0, SIZE_MAX, "7+3"},
      {2, 8, 1, "7+3"},
      {3, 0, SIZE_MAX, ""},
      {0, 0, SIZE_MAX, ""},
      {1, UINT64_MAX, SIZE_MAX, ""},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    char row[32];
    snprintf(row, sizeof(row), "row %zu", i);
    expect_text(row, store_show_packs(rig, rows[i].stream, rows[i].record, rows[i].max),
                rows[i].expected);
  }
}

static void test_store_refuses_packs_that_are_none(void **state) {
  store_rig *rig = *state;
  static const uint8_t body[8] = {0};
  static const bb_store_pack rows[] = {
      {.stream = 1, .first = 0, .n = 0, .body = body, .len = 8},
      {.stream = 1, .first = 0, .n = 65536, .body = body, .len = 8},
      {.stream = 1, .first = 1ull << 47, .n = 1, .body = body, .len = 8},
      {.stream = 1, .first = (1ull << 47) - 1, .n = 2, .body = body, .len = 8},
      {.stream = 1, .first = UINT64_MAX, .n = 2, .body = body, .len = 8},
      {.stream = 1, .first = 0, .n = 1, .body = body, .len = 0},
      {.stream = 1, .first = 0, .n = 1, .body = body, .len = 3u << 20},
      {.stream = 1, .first = 0, .n = 1, .body = body, .len = 8, .age_ns = UINT64_MAX},
  };
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  for (size_t i = 0; i < COUNT(rows); i++) {
    expect_int("no pack", bb_store_append(rig->store, &rows[i]), BB_ERR_INVALID);
  }
  bb_store_pack other = {.stream = 2, .n = 1, .body = body, .len = 8};
  expect_int("no stream", bb_store_append(rig->store, &other), BB_ERR_NOTFOUND);
  bb_store_pack last = {.stream = 1, .first = (1ull << 47) - 1, .n = 1, .body = body, .len = 8};
  expect_int("the last record", bb_store_append(rig->store, &last), 0);
  store_commit(rig);
}

static void test_store_takes_packs_in_any_order_but_none_twice(void **state) {
  store_rig *rig = *state;
  static const struct {
    uint64_t first;
    uint32_t n;
    int expected;
  } rows[] = {
      {100, 10, 0},
      {50, 10, 0},
      {60, 40, 0},
      {100, 1, BB_ERR_EXISTS},
      {49, 2, BB_ERR_EXISTS},
      {59, 1, BB_ERR_EXISTS},
      {109, 5, BB_ERR_EXISTS},
      {0, 200, BB_ERR_EXISTS},
      {110, 1, 0},
      {0, 50, 0},
  };
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  for (size_t i = 0; i < COUNT(rows); i++) {
    char row[32];
    uint8_t *body = store_body(1, rows[i].first, 8);
    bb_store_pack pack = {
        .stream = 1, .first = rows[i].first, .n = rows[i].n, .body = body, .len = 8};
    snprintf(row, sizeof(row), "row %zu", i);
    expect_int(row, bb_store_append(rig->store, &pack), rows[i].expected);
    free(body);
  }
  store_commit(rig);
  expect_text("packs", store_show_packs(rig, 1, 0, SIZE_MAX), "0+50 50+10 60+40 100+10 110+1");
}

static void test_store_tells_where_it_has_no_pack(void **state) {
  store_rig *rig = *state;
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  store_make_stream(rig, "b", BB_STORE_TELEMETRY);
  store_append(rig, 1, 10, 10, 100, 10);
  store_append(rig, 1, 20, 5, 100, 10);
  store_append(rig, 1, 30, 1, 100, 10);
  store_append(rig, 1, 40, 5, 100, 10);
  store_commit(rig);
  static const struct {
    uint64_t from, to, came_to;
    uint32_t stream, max;
    int n;
    bb_span gaps[3];
  } rows[] = {
      {0, 50, 45, 1, 3, 3, {{0, 10}, {25, 30}, {31, 40}}},
      {0, 44, 44, 1, 3, 3, {{0, 10}, {25, 30}, {31, 40}}},
      {0, 50, 31, 1, 2, 2, {{0, 10}, {25, 30}}},
      {15, 27, 27, 1, 3, 1, {{25, 27}}},
      {26, 29, 29, 1, 3, 1, {{26, 29}}},
      {12, 24, 24, 1, 3, 0, {{0, 0}}},
      {41, 60, 60, 1, 3, 1, {{45, 60}}},
      {5, 9, 9, 2, 3, 1, {{5, 9}}},
      {9, 9, 9, 1, 3, 0, {{0, 0}}},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    char row[32];
    bb_span gaps[3];
    uint64_t to = rows[i].to;
    snprintf(row, sizeof(row), "row %zu", i);
    int n = bb_store_gaps(rig->store, rows[i].stream, rows[i].from, &to, gaps, rows[i].max);
    expect_int(row, n, rows[i].n);
    expect_uint(row, to, rows[i].came_to);
    for (int j = 0; j < n; j++) {
      expect_uint(row, gaps[j].from, rows[i].gaps[j].from);
      expect_uint(row, gaps[j].to, rows[i].gaps[j].to);
    }
  }
}

static void test_store_trims_whole_packs(void **state) {
  store_rig *rig = *state;
  bb_store_gone gone = {0};
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  for (uint64_t i = 0; i < 10; i++) store_append(rig, 1, i * 10, 10, i, 20000);
  store_commit(rig);
  static const struct {
    uint64_t from, to;
    const char *left;
  } rows[] = {
      {0, 0, "0+10 10+10 20+10 30+10 40+10 50+10 60+10 70+10 80+10 90+10"},
      {0, 9, "0+10 10+10 20+10 30+10 40+10 50+10 60+10 70+10 80+10 90+10"},
      {0, 10, "10+10 20+10 30+10 40+10 50+10 60+10 70+10 80+10 90+10"},
      {0, 10, "10+10 20+10 30+10 40+10 50+10 60+10 70+10 80+10 90+10"},
      {15, 35, "10+10 30+10 40+10 50+10 60+10 70+10 80+10 90+10"},
      {40, 60, "10+10 30+10 60+10 70+10 80+10 90+10"},
      {90, BB_STORE_OPEN_END, "10+10 30+10 60+10 70+10 80+10"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    char row[32];
    snprintf(row, sizeof(row), "row %zu", i);
    store_begin(rig);
    expect_int(row, bb_store_trim(rig->store, 1, rows[i].from, rows[i].to, &gone), 0);
    store_commit(rig);
    expect_text(row, store_show_packs(rig, 1, 0, SIZE_MAX), rows[i].left);
  }
  expect_uint("packs", gone.packs, 5);
  expect_uint("records", gone.records, 50);
  expect_uint("bytes", gone.bytes, 100000);
  store_reopen(rig);
  expect_text("streams", store_show_streams(rig),
              "1 a telemetry 10..100 50 records 100000 bytes\n");
}

static void test_store_finds_the_oldest_pack_of_a_class(void **state) {
  store_rig *rig = *state;
  bb_store_pack pack;
  expect_int("none", bb_store_oldest(rig->store, BB_STORE_TELEMETRY, &pack), 0);
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  store_make_stream(rig, "b", BB_STORE_EVENTS);
  store_make_stream(rig, "c", BB_STORE_TELEMETRY);
  store_make_stream(rig, "d", BB_STORE_TELEMETRY);
  store_append(rig, 1, 5, 10, 300, 100);
  store_append(rig, 2, 0, 10, 100, 200);
  store_append(rig, 3, 0, 10, 200, 50000);
  store_append(rig, 3, 10, 10, 150, 300);
  store_commit(rig);
  expect_int("found", bb_store_oldest(rig->store, BB_STORE_TELEMETRY, &pack), 1);
  expect_uint("stream", pack.stream, 3);
  expect_uint("first", pack.first, 0);
  expect_uint("n", pack.n, 10);
  expect_uint("age", pack.age_ns, 200);
  expect_uint("len", pack.len, 50000);
  expect_true("no body", pack.body == NULL);
  expect_int("events", bb_store_oldest(rig->store, BB_STORE_EVENTS, &pack), 1);
  expect_uint("of events", pack.age_ns, 100);
}

static void test_store_finds_the_latest_age(void **state) {
  store_rig *rig = *state;
  uint64_t age = 1;
  expect_int("empty", bb_store_latest_age(rig->store, &age), 0);
  expect_uint("none", age, 0);
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  store_make_stream(rig, "b", BB_STORE_EVENTS);
  store_make_stream(rig, "empty", BB_STORE_TELEMETRY);
  store_append(rig, 1, 0, 10, 300, 100);
  store_append(rig, 1, 10, 10, 700, 100);
  store_append(rig, 2, 0, 10, 500, 100);
  store_commit(rig);
  expect_int("of packs", bb_store_latest_age(rig->store, &age), 0);
  expect_uint("the last of a stream", age, 700);
  store_begin(rig);
  const bb_store_dead dead = {
      .sink = "s", .reason = "r", .age_ns = 900, .body = (const uint8_t *)"x", .len = 1};
  expect_int("dead letter", bb_store_dead_put(rig->store, &dead), 0);
  store_commit(rig);
  expect_int("of both", bb_store_latest_age(rig->store, &age), 0);
  expect_uint("of a dead letter", age, 900);
}

static void test_store_keeps_cursors(void **state) {
  store_rig *rig = *state;
  bb_store_cursor full = {.stream = 2, .sink = "mqtt", .n = BB_STORE_RANGES};
  for (uint32_t i = 0; i < BB_STORE_RANGES; i++) full.ranges[i] = (bb_span){i * 10, i * 10 + 5};
  full.ranges[BB_STORE_RANGES - 1].to = BB_STORE_OPEN_END;
  bb_store_cursor done = {.stream = 1, .sink = "influx", .n = 0};
  bb_store_cursor open = {.stream = 1, .sink = "mqtt", .ranges = {{7, BB_STORE_OPEN_END}}, .n = 1};
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  store_make_stream(rig, "b", BB_STORE_TELEMETRY);
  expect_int("full", bb_store_cursor_put(rig->store, &full), 0);
  expect_int("done", bb_store_cursor_put(rig->store, &done), 0);
  expect_int("open", bb_store_cursor_put(rig->store, &open), 0);
  open.ranges[0].from = 9;
  expect_int("moved", bb_store_cursor_put(rig->store, &open), 0);
  store_commit(rig);
  store_reopen(rig);
  expect_text("cursors", store_show_cursors(rig),
              "1 influx\n1 mqtt 9..\n2 mqtt 0..5 10..15 20..25 30..35 40..45 50..55 60..65 70..75 "
              "80..85 90..95 100..105 110..115 120..125 130..135 140..145 150..\n");
  store_begin(rig);
  expect_int("drop", bb_store_cursor_drop(rig->store, 1, "influx"), 0);
  expect_int("drop one that is not there", bb_store_cursor_drop(rig->store, 1, "influx"), 0);
  expect_int("a stream takes its cursors along", bb_store_stream_drop(rig->store, 2), 0);
  store_commit(rig);
  expect_text("cursors", store_show_cursors(rig), "1 mqtt 9..\n");
}

static void test_store_refuses_cursors_that_make_no_sense(void **state) {
  store_rig *rig = *state;
  static const bb_store_cursor rows[] = {
      {.stream = 1, .sink = "m", .n = 17},
      {.stream = 1, .sink = "", .n = 0},
      {.stream = 1, .sink = "m", .ranges = {{5, 5}}, .n = 1},
      {.stream = 1, .sink = "m", .ranges = {{5, 4}}, .n = 1},
      {.stream = 1, .sink = "m", .ranges = {{5, 6}, {6, 7}}, .n = 2},
      {.stream = 1, .sink = "m", .ranges = {{5, 6}, {4, 7}}, .n = 2},
      {.stream = 1, .sink = "m", .ranges = {{5, BB_STORE_OPEN_END}, {6, 7}}, .n = 2},
      {.stream = 1, .sink = "m", .ranges = {{5, 1ull << 48}}, .n = 1},
      {.stream = 1, .sink = "m", .ranges = {{1ull << 48, BB_STORE_OPEN_END}}, .n = 1},
  };
  bb_store_cursor lost = {.stream = 9, .sink = "m"};
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  for (size_t i = 0; i < COUNT(rows); i++) {
    char row[32];
    snprintf(row, sizeof(row), "row %zu", i);
    expect_int(row, bb_store_cursor_put(rig->store, &rows[i]), BB_ERR_INVALID);
  }
  expect_int("no stream", bb_store_cursor_put(rig->store, &lost), BB_ERR_NOTFOUND);
  store_commit(rig);
  expect_text("cursors", store_show_cursors(rig), "");
}

static void test_store_keeps_names_once(void **state) {
  store_rig *rig = *state;
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  bb_store *store = rig->store;
  expect_int("device", bb_store_name_put(store, BB_STORE_DEVICE, UINT64_MAX, (uint8_t *)"dev", 3),
             0);
  expect_int("shape", bb_store_name_put(store, BB_STORE_SHAPE, 5, (uint8_t *)"shape", 5), 0);
  expect_int("again", bb_store_name_put(store, BB_STORE_SHAPE, 5, (uint8_t *)"other", 5), 0);
  expect_int("other kind", bb_store_name_put(store, BB_STORE_DEVICE, 5, (uint8_t *)"d5", 2), 0);
  expect_int("no kind", bb_store_name_put(store, (bb_store_kind)3, 5, (uint8_t *)"d5", 2),
             BB_ERR_INVALID);
  expect_int("no frame", bb_store_name_put(store, BB_STORE_SHAPE, 6, (uint8_t *)"", 0),
             BB_ERR_INVALID);
  store_append(rig, 1, 0, 1, 0, 10);
  store_commit(rig);
  store_reopen(rig);
  expect_text("names", store_show_names(rig), "1 ffffffffffffffff dev\n1 5 d5\n2 5 shape\n");
  store_begin(rig);
  expect_int("while there are packs", bb_store_names_drop(rig->store), BB_ERR_STATE);
  bb_store_gone gone = {0};
  expect_int("trim", bb_store_trim(rig->store, 1, 0, 100, &gone), 0);
  expect_int("drop", bb_store_names_drop(rig->store), 0);
  store_commit(rig);
  expect_text("names", store_show_names(rig), "");
}

static void test_store_keeps_values(void **state) {
  store_rig *rig = *state;
  store_begin(rig);
  expect_int("put", bb_store_value_put(rig->store, "b", "two", 3), 0);
  expect_int("put", bb_store_value_put(rig->store, "a", "one", 3), 0);
  expect_int("none", bb_store_value_put(rig->store, "empty", NULL, 0), 0);
  expect_int("other", bb_store_value_put(rig->store, "b", "TWO", 3), 0);
  expect_int("no key", bb_store_value_put(rig->store, "", "x", 1), BB_ERR_INVALID);
  store_commit(rig);
  store_reopen(rig);
  expect_text("values", store_show_values(rig), "a=one b=TWO empty= ");
  store_begin(rig);
  expect_int("drop", bb_store_value_drop(rig->store, "b"), 0);
  expect_int("drop", bb_store_value_drop(rig->store, "zzz"), 0);
  store_commit(rig);
  expect_text("values", store_show_values(rig), "a=one empty= ");
}

static void test_store_forgets_what_is_rolled_back(void **state) {
  store_rig *rig = *state;
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  store_append(rig, 1, 0, 10, 0, 100);
  store_commit(rig);
  store_begin(rig);
  store_make_stream(rig, "b", BB_STORE_TELEMETRY);
  store_append(rig, 1, 10, 10, 0, 100);
  expect_int("drop", bb_store_stream_drop(rig->store, 1), 0);
  bb_store_rollback(rig->store);
  bb_store_rollback(rig->store);
  const char *expected = "1 a telemetry 0..10 10 records 100 bytes\n";
  expect_text("streams", store_show_streams(rig), expected);
  expect_text("packs", store_show_packs(rig, 1, 0, SIZE_MAX), "0+10");
  store_reopen(rig);
  expect_text("streams", store_show_streams(rig), expected);
}

static void test_store_changes_in_transactions_only(void **state) {
  store_rig *rig = *state;
  bb_store *store = rig->store;
  bb_store_gone gone;
  bb_store_cursor cursor = {.stream = 1, .sink = "m"};
  bb_store_pack pack = {.stream = 1, .n = 1, .body = (uint8_t *)"x", .len = 1};
  expect_int("commit", bb_store_commit(store), BB_ERR_STATE);
  expect_int("make", bb_store_stream_make(store, "a", BB_STORE_EVENTS), BB_ERR_STATE);
  expect_int("drop", bb_store_stream_drop(store, 1), BB_ERR_STATE);
  expect_int("append", bb_store_append(store, &pack), BB_ERR_STATE);
  expect_int("trim", bb_store_trim(store, 1, 0, 1, &gone), BB_ERR_STATE);
  expect_int("put", bb_store_cursor_put(store, &cursor), BB_ERR_STATE);
  expect_int("drop", bb_store_cursor_drop(store, 1, "m"), BB_ERR_STATE);
  expect_int("name", bb_store_name_put(store, BB_STORE_SHAPE, 1, (uint8_t *)"x", 1), BB_ERR_STATE);
  expect_int("names", bb_store_names_drop(store), BB_ERR_STATE);
  expect_int("value", bb_store_value_put(store, "a", "b", 1), BB_ERR_STATE);
  expect_int("value", bb_store_value_drop(store, "a"), BB_ERR_STATE);
  expect_part("why", bb_store_why(store), "store.db: not in a transaction");
  store_begin(rig);
  expect_int("begin", bb_store_begin(store), BB_ERR_STATE);
  store_commit(rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      store_test(test_store_makes_streams),
      store_test(test_store_gives_packs_back),
      store_test(test_store_refuses_packs_that_are_none),
      store_test(test_store_takes_packs_in_any_order_but_none_twice),
      store_test(test_store_tells_where_it_has_no_pack),
      store_test(test_store_trims_whole_packs),
      store_test(test_store_finds_the_oldest_pack_of_a_class),
      store_test(test_store_finds_the_latest_age),
      store_test(test_store_keeps_cursors),
      store_test(test_store_refuses_cursors_that_make_no_sense),
      store_test(test_store_keeps_names_once),
      store_test(test_store_keeps_values),
      store_test(test_store_forgets_what_is_rolled_back),
      store_test(test_store_changes_in_transactions_only),
  };
  return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
