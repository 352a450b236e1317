/* SPDX-License-Identifier: Apache-2.0 */
/* A process that stores is killed at any time: all that it committed is there, and no half of it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/failure.h"
#include "support/random.h"
#include "support/store.h"

#define ROUNDS 12
#define LEN 9000

/* Commit number `count`: two packs in each of two streams, and the number itself. */
static int commit(bb_store *store, uint64_t count) {
  int err = bb_store_begin(store);
  for (uint32_t i = 0; i < 4 && err == 0; i++) {
    uint64_t first = count * 20 + i / 2 * 10;
    uint8_t *body = store_body(1 + i % 2, first, LEN);
    bb_store_pack pack = {
        .stream = 1 + i % 2, .first = first, .n = 10, .age_ns = first, .body = body, .len = LEN};
    err = bb_store_append(store, &pack);
    free(body);
  }
  count++;
  if (err == 0) err = bb_store_value_put(store, "count", &count, sizeof(count));
  return err == 0 ? bb_store_commit(store) : err;
}

/* Tells the pipe of each commit, until it is killed. */
static void be_killed(const char *path, uint64_t count, int out) {
  bb_store *store;
  char why[BB_STORE_WHY];
  bb_store_options options = {.path = path, .log_pages = 40};
  if (bb_store_open(&options, &store, why) < 0) _exit(1);
  while (commit(store, count) == 0) {
    count++;
    if (write(out, &count, sizeof(count)) != sizeof(count)) break;
  }
  _exit(1);
}

/* Kills it behind so many commits and `spins` turns of a loop. The last number it told. */
static uint64_t kill_one(const char *path, uint64_t count, unsigned commits, unsigned spins) {
  int ends[2], status;
  expect_int("pipe", pipe(ends), 0);
  pid_t child = failure_fork();
  if (child == 0) be_killed(path, count, ends[1]);
  close(ends[1]);
  for (unsigned i = 0; i < commits; i++) {
    expect_int("told", read(ends[0], &count, sizeof(count)), sizeof(count));
  }
  for (volatile unsigned i = 0; i < spins;) i = i + 1;
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  expect_true("killed", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  while (read(ends[0], &count, sizeof(count)) == sizeof(count)) continue;
  close(ends[0]);
  return count;
}

static int take_count(void *user, const char *key, const uint8_t *bytes, size_t len) {
  expect_text("key", key, "count");
  expect_uint("len", len, sizeof(uint64_t));
  memcpy(user, bytes, len);
  return 0;
}

/* Both streams have as much as the number says, each pack with its own bytes. */
static void expect_whole(store_rig *rig, uint64_t count) {
  char expected[256];
  snprintf(expected, sizeof(expected),
           "1 a telemetry 0..%llu %llu records %llu bytes\n"
           "2 b events 0..%llu %llu records %llu bytes\n",
           (unsigned long long)count * 20, (unsigned long long)count * 20,
           (unsigned long long)count * 2 * LEN, (unsigned long long)count * 20,
           (unsigned long long)count * 20, (unsigned long long)count * 2 * LEN);
  expect_text("streams", store_show_streams(rig), expected);
  for (uint32_t stream = 1; stream < 3; stream++) {
    const char *packs = store_show_packs(rig, stream, 0, SIZE_MAX);
    uint64_t n = 0;
    for (const char *p = packs; (p = strchr(p, '+')) != NULL; p++) n++;
    expect_uint("packs", n, count * 2);
  }
}

static void test_store_survives_kill(void **state) {
  (void)state;
  store_rig rig;
  uint64_t seed = 1, count = 0;
  store_rig_open(&rig);
  store_begin(&rig);
  store_make_stream(&rig, "a", BB_STORE_TELEMETRY);
  store_make_stream(&rig, "b", BB_STORE_EVENTS);
  store_commit(&rig);
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t stored = 0;
    bb_store_close(rig.store);
    rig.store = NULL;
    uint64_t told = kill_one(rig.path, count, random_below(&seed, 8), random_below(&seed, 3000000));
    store_reopen(&rig);
    expect_int("values", bb_store_values(rig.store, take_count, &stored), 0);
    expect_true("what was told is there, and at most one more",
                stored == told || stored == told + 1);
    expect_whole(&rig, stored);
    count = stored;
  }
  expect_true("there was something to lose", count > ROUNDS);
  store_rig_close(&rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_store_survives_kill),
  };
  return cmocka_run_group_tests_name("store_kill", tests, NULL, NULL);
}
