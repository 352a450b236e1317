/* SPDX-License-Identifier: Apache-2.0 */
/* The room that a backlog took is given back to the file system. */
#include "runtime/save.h"

#include "support/expect.h"
#include "support/save_rig.h"

#define PLANT                                                                                      \
  save_rig_wide("queue_bytes: 64MiB, store: { sync: 40ms }",                                       \
                "sinks:\n" SAVE_SINK("bus", SAVE_MANUAL))
#define FULL_BYTES (5u << 20)
#define TAKEN 2500            /* of these, two fifths or less */
#define KEPT_BYTES (1u << 20) /* so much room is kept for what comes */

/* The log beside the file is as long as it ever was, however little is in the file. */
static void test_save_gives_room_back_whatever_the_log_takes(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, PLANT);
  const bb_store_stats *stats = &save_of(&f)->stats;
  uint64_t n_pushed = 0;
  while (stats->file_bytes - stats->log_bytes < FULL_BYTES) { /* the log was moved into it */
    for (int i = 0; i < 500; i++) save_push_quietly(&f, i);
    n_pushed += 500;
    rig_until(&f.r, save_of(&f)->saved == n_pushed && save_of(&f)->job == NULL);
  }
  expect_true("a long log", stats->log_bytes >= FULL_BYTES);
  fake_sink_connect(f.sink);
  for (uint32_t taken = 0; taken < TAKEN;) {
    rig_until(&f.r, f.sink->n_pending > 0);
    uint32_t n = f.sink->n_pending < TAKEN - taken ? f.sink->n_pending : TAKEN - taken;
    fake_sink_judge(f.sink, 0, n, BB_VERDICT_ACKED);
    taken += n;
    journal_clear();
  }
  rig_until(&f.r, stats->records <= n_pushed - TAKEN + 100 && stats->free_bytes < KEPT_BYTES);
  save_ack_all(&f);
  save_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_save_gives_room_back_whatever_the_log_takes),
  };
  return cmocka_run_group_tests_name("save_room", tests, NULL, NULL);
}
