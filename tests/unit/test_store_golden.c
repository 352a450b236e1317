/* SPDX-License-Identifier: Apache-2.0 */
/* A store that another program wrote, as stores of version 1 are: read, cut off, and damaged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/disk.h"
#include "support/expect.h"
#include "support/store.h"
#include "support/store_story.h"
#include "support/vector.h"

#define FILE_NAME "/golden.db"
#define PAGE 4096

static uint8_t *golden;
static size_t golden_len;

static int open_group(void **state) {
  (void)state;
  golden = vector_read("store/v1.db", &golden_len);
  return 0;
}

static int close_group(void **state) {
  (void)state;
  free(golden);
  return 0;
}

static int open_bytes(const uint8_t *bytes, size_t len, bool read_only, bb_store **out) {
  char why[BB_STORE_WHY];
  bb_store_options options = {.path = FILE_NAME, .vfs = DISK_VFS, .read_only = read_only};
  disk_open();
  disk_put(FILE_NAME, bytes, len);
  return bb_store_open(&options, out, why);
}

static void expect_golden(store_rig *rig) {
  expect_text("streams", store_show_streams(rig),
              "1 influx telemetry 100..117 17 records 976 bytes\n"
              "2 influx+mqtt events 0..10 10 records 12563 bytes\n"
              "7 mqtt telemetry 0..0 0 records 0 bytes\n");
  expect_text("cursors", store_show_cursors(rig),
              "1 influx 100..103 106..\n2 influx\n2 mqtt 0..\n");
  expect_text("values", store_show_values(rig), "clock=\1\2\3\4\5\6\7\10 ");
  expect_text("mistakes", store_show_mistakes(rig), "");
  bb_store_stats stats;
  expect_int("stats", bb_store_read_stats(rig->store, &stats), 0);
  expect_uint("packs", stats.packs, 6);
  expect_uint("dead", stats.dead, 1);
}

static void test_store_golden_is_read(void **state) {
  (void)state;
  for (int read_only = 0; read_only < 2; read_only++) {
    store_rig rig = {0};
    bb_buf_init(&rig.shown, 1u << 20);
    expect_int("open", open_bytes(golden, golden_len, read_only, &rig.store), 0);
    expect_golden(&rig);
    bb_store_close(rig.store);
    bb_buf_close(&rig.shown);
    disk_close();
  }
}

static void test_store_golden_goes_on(void **state) {
  bb_store *store;
  (void)state;
  expect_int("open", open_bytes(golden, golden_len, false, &store), 0);
  expect_int("begin", bb_store_begin(store), 0);
  bb_store_pack pack = {.stream = 7, .n = 1, .body = golden, .len = 10};
  bb_store_gone gone = {0};
  expect_int("append", bb_store_append(store, &pack), 0);
  expect_int("trim", bb_store_trim(store, 1, 0, 1000, &gone), 0);
  expect_uint("records", gone.records, 17);
  expect_int("a new stream takes the lowest free id",
             bb_store_stream_make(store, "x", BB_STORE_EVENTS), 3);
  expect_int("commit", bb_store_commit(store), 0);
  bb_store_close(store);
  disk_close();
}

static int take_pack(void *user, const bb_store_pack *pack) {
  *(uint64_t *)user += pack->n;
  return 0;
}

/* Whatever is wrong with it: it is refused, or opens, and then everything can be tried. Returns whether
 * it was noticed. */
static bool try(const char *row, const uint8_t *bytes, size_t len) {
  bb_store *store;
  uint64_t n = 0;
  bb_buf text;
  int err = open_bytes(bytes, len, false, &store);
  if (err < 0) {
    disk_close();
    expect_true(row, err == BB_ERR_FORMAT || err == BB_ERR_VERSION || err == BB_ERR_DENIED);
    return true;
  }
  bb_buf_init(&text, 1u << 20);
  story_show(store, &text);
  int mistakes = bb_store_verify(store, NULL, NULL);
  expect_true(row, mistakes >= 0 || mistakes == BB_ERR_FORMAT);
  bb_store_read(store, 1, 0, SIZE_MAX, take_pack, &n);
  if (bb_store_begin(store) == 0) {
    story_step(store, 2);
    if (bb_store_commit(store) < 0) bb_store_rollback(store);
  }
  bb_store_close(store);
  bb_buf_close(&text);
  disk_close();
  return mistakes != 0;
}

static void test_store_golden_cut_off_is_noticed(void **state) {
  char row[32];
  (void)state;
  for (size_t len = 1; len < golden_len;
       len += len % PAGE == PAGE - 1 ? 1 : (len < 600 ? 97 : 499)) {
    if (len / PAGE != (len + 499) / PAGE) len = (len + 499) / PAGE * PAGE;
    snprintf(row, sizeof(row), "%zu bytes", len);
    if (len < golden_len) expect_true(row, try(row, golden, len));
  }
}

static void test_store_golden_damaged_does_no_harm(void **state) {
  uint8_t *copy = malloc(golden_len);
  size_t noticed = 0, tried = 0;
  (void)state;
  assert_non_null(copy);
  memcpy(copy, golden, golden_len);
  /* Each byte of the head and of what describes the tables, and some of the rest. */
  for (size_t at = 0; at < golden_len; at += at < 100 ? 1 : 41) {
    char row[32];
    snprintf(row, sizeof(row), "byte %zu", at);
    copy[at] ^= (uint8_t)(at % 3 == 0 ? 0xff : 1u << at % 8);
    noticed += try(row, copy, golden_len);
    tried++;
    copy[at] = golden[at];
  }
  free(copy);
  expect_true("much is noticed", noticed * 4 > tried);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_store_golden_is_read),
      cmocka_unit_test(test_store_golden_goes_on),
      cmocka_unit_test(test_store_golden_cut_off_is_noticed),
      cmocka_unit_test(test_store_golden_damaged_does_no_harm),
  };
  return cmocka_run_group_tests_name("store_golden", tests, open_group, close_group);
}
