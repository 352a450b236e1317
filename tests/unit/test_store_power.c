/* SPDX-License-Identifier: Apache-2.0 */
/* A store whose power goes, at each change of the disk. What was committed is there; of the rest, all
 * of a transaction or nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/disk.h"
#include "support/expect.h"
#include "support/store_story.h"

static char *expected[STORY_STEPS + 1]; /* the content after so many steps */
static bb_buf shown;

static const char *show(bb_store *store) {
  story_show(store, &shown);
  return bb_buf_string(&shown);
}

static void expect_sound(const char *row, bb_store *store) {
  expect_int(row, bb_store_verify(store, NULL, NULL) < 0, 0);
}

static int open_group(void **state) {
  static unsigned changes;
  bb_buf_init(&shown, 1u << 20);
  changes = story_learn(expected);
  expect_true("there is something to fail", changes > 200);
  *state = &changes;
  return 0;
}

static int close_group(void **state) {
  (void)state;
  story_forget(expected);
  bb_buf_close(&shown);
  return 0;
}

static void cut_at(unsigned nth, disk_loss loss) {
  char row[64];
  bb_store *store;
  int done = 0;
  snprintf(row, sizeof(row), "cut at change %u, loss %d", nth, (int)loss);
  disk_open();
  disk_stop(nth);
  int err = story_open(&store);
  if (err == 0) {
    while (done < STORY_STEPS && story_commit(store, done) == 0) done++;
    bb_store_close(store);
  }
  disk_cut(loss, nth);
  expect_int(row, story_open(&store), 0);
  const char *content = show(store);
  bool next = done < STORY_STEPS && err == 0 && strcmp(content, expected[done + 1]) == 0;
  if (!next) expect_text(row, content, expected[done]);
  expect_sound(row, store);
  for (int step = done + next; step < STORY_STEPS; step++) {
    expect_int(row, story_commit(store, step), 0);
  }
  expect_text(row, show(store), expected[STORY_STEPS]);
  bb_store_close(store);
  disk_close();
}

static void test_store_survives_a_loss_of_power(void **state) {
  unsigned changes = **(unsigned **)state;
  for (unsigned nth = 1; nth <= changes; nth++) {
    cut_at(nth, DISK_LOSES_ALL);
    cut_at(nth, DISK_LOSES_SOME);
    cut_at(nth, DISK_LOSES_NONE);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_store_survives_a_loss_of_power),
  };
  return cmocka_run_group_tests_name("store_power", tests, open_group, close_group);
}
