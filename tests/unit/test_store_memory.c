/* SPDX-License-Identifier: Apache-2.0 */
/* Stores and packs without memory: each allocation fails once, SQLite's among them. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "base/err.h"
#include "support/disk.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/pack.h"
#include "support/store_story.h"

/* SQLite's memory by way of malloc, as this program has it. */
static void *take(int len) {
  return malloc((size_t)len);
}

static void *take_again(void *old, int len) {
  return realloc(old, (size_t)len);
}

static int size_of(void *bytes) {
  return (int)malloc_usable_size(bytes);
}

static int round_up(int len) {
  return (len + 7) & ~7;
}

static int no_start(void *user) {
  (void)user;
  return SQLITE_OK;
}

static void no_end(void *user) {
  (void)user;
}

static int open_group(void **state) {
  static const sqlite3_mem_methods methods = {take,     free,     take_again, size_of,
                                              round_up, no_start, no_end,     NULL};
  sqlite3_shutdown();
  expect_int("config", sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
  expect_int("start", sqlite3_initialize(), SQLITE_OK);
  return story_open_group(state);
}

/* Does it again and again, with one allocation more before the one that fails, until none does. What
 * SQLite can do without is no failure. */
static void each(int (*body)(void *user), void *user, void (*check)(void *user, int err)) {
  size_t failures = 0;
  for (size_t nth = 1;; nth++) {
    failmalloc_start(nth);
    int err = body(user);
    size_t n = failmalloc_stop();
    if (err != 0) expect_int("without memory", err, BB_ERR_NOMEM);
    failures += err != 0;
    check(user, err);
    if (n < nth) break;
  }
  expect_true("something failed", failures > 0);
}

static int open_and_close(void *user) {
  bb_store *store;
  int err = story_open(&store);
  (void)user;
  bb_store_close(store);
  return err;
}

static void nothing(void *user, int err) {
  (void)user;
  (void)err;
}

static void test_store_opens_without_memory(void **state) {
  (void)state;
  bb_store *store;
  disk_open();
  each(open_and_close, NULL, nothing);
  expect_int("in the end", story_open(&store), 0);
  for (int step = 0; step < 2; step++) expect_int("step", story_commit(store, step), 0);
  bb_store_close(store);
  each(open_and_close, NULL, nothing);
  expect_int("in the end", story_open(&store), 0);
  expect_text("content", story_shown(store), story_expected(2));
  bb_store_close(store);
  disk_close();
}

typedef struct {
  bb_store *store;
  int step;
} story;

static int next_step(void *user) {
  story *s = user;
  return story_commit(s->store, s->step);
}

static void expect_step(void *user, int err) {
  story *s = user;
  if (err == 0) s->step++;
  if (s->step > 6) {
    bb_store_close(s->store);
    disk_close();
    disk_open();
    expect_int("open", story_open(&s->store), 0);
    s->step = 0;
  }
  expect_text("content", story_shown(s->store), story_expected(s->step));
}

static void test_store_commits_without_memory(void **state) {
  story s = {0};
  (void)state;
  disk_open();
  expect_int("open", story_open(&s.store), 0);
  each(next_step, &s, expect_step);
  bb_store_close(s.store);
  disk_close();
}

static int take_pack(void *user, const bb_store_pack *pack) {
  (void)user;
  (void)pack;
  return 0;
}

static int read_all(void *user) {
  bb_store *store = user;
  bb_store_stats stats;
  bb_store_pack oldest;
  int n = bb_store_read(store, 1, 0, SIZE_MAX, take_pack, NULL);
  if (n >= 0) n = bb_store_oldest(store, BB_STORE_TELEMETRY, &oldest);
  if (n >= 0) n = bb_store_read_stats(store, &stats);
  if (n >= 0) n = bb_store_verify(store, NULL, NULL);
  return n < 0 ? n : 0;
}

static void test_store_reads_without_memory(void **state) {
  bb_store *store;
  (void)state;
  disk_open();
  expect_int("open", story_open(&store), 0);
  for (int step = 0; step < 3; step++) expect_int("step", story_commit(store, step), 0);
  each(read_all, store, nothing);
  expect_text("content", story_shown(store), story_expected(3));
  bb_store_close(store);
  disk_close();
}

static int pack_one(void *user) {
  const pack_sample *sample = user;
  bb_packer packer;
  bb_buf out;
  bb_packer_init(&packer);
  bb_buf_init(&out, BB_PACK_LONGEST);
  int err = 0;
  for (size_t i = 0; i < 8 && err == 0; i++) {
    err = bb_packer_add(&packer, &sample->batches[i]);
    /* What has failed does not stay. */
    if (err == BB_ERR_NOMEM) expect_int("again", bb_packer_add(&packer, &sample->batches[i]), 0);
  }
  if (err == 0) {
    int len = bb_packer_end(&packer, &out);
    err = len < 0 ? len : 0;
    expect_uint("as before, or empty", packer.n_records, err < 0 ? 8 : 0);
    if (err == 0) pack_expect(sample->batches, 8, out.bytes, out.len);
  }
  bb_packer_close(&packer);
  bb_buf_close(&out);
  return err;
}

static void test_pack_is_made_without_memory(void **state) {
  pack_sample sample;
  (void)state;
  pack_sample_open(&sample);
  failmalloc_each(pack_one, &sample);
  pack_sample_close(&sample);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pack_is_made_without_memory),
      cmocka_unit_test(test_store_opens_without_memory),
      cmocka_unit_test(test_store_commits_without_memory),
      cmocka_unit_test(test_store_reads_without_memory),
  };
  return cmocka_run_group_tests_name("store_memory", tests, open_group, story_close_group);
}
