/* SPDX-License-Identifier: Apache-2.0 */
/* A store whose power goes, at each change of the disk. What was committed is there; of the rest, all
 * of a transaction or nothing. */
#include <stdio.h>
#include <string.h>

#include "support/disk.h"
#include "support/expect.h"
#include "support/store_story.h"

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
  const char *content = story_shown(store);
  bool next = done < STORY_STEPS && err == 0 && strcmp(content, story_expected(done + 1)) == 0;
  if (!next) expect_text(row, content, story_expected(done));
  story_expect_sound(row, store, done + next);
  for (int step = done + next; step < STORY_STEPS; step++) {
    expect_int(row, story_commit(store, step), 0);
  }
  expect_text(row, story_shown(store), story_expected(STORY_STEPS));
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
  return cmocka_run_group_tests_name("store_power", tests, story_open_group, story_close_group);
}
