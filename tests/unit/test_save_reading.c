/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* What is read of the store while the runtime goes on: ranges, rewinds, and a look at all of it. */
#include "base/err.h"
#include "runtime/intake.h"
#include "runtime/reading.h"
#include "support/expect.h"
#include "support/save_rig.h"

/* Of its only device. */
static const bb_stream *bus_stream(const save_rig *s) {
  return BB_LIST_ITEM(save_bus(s)->intakes.next, bb_intake, link)->reader.stream;
}

/* A cursor has 16 ranges. Where more are open its oldest become one, with what was taken between them: of
 * that a part is in the store, and comes once more; the rest is not, and is no loss. */
static void test_save_counts_nothing_between_merged_ranges_as_dropped(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, "manual: true, window: 200"));
  fake_sink_connect(f.sink);
  save_push(&f, 1, 100);
  rig_turn(&f.r);
  fake_sink_judge(f.sink, 1, 49, BB_VERDICT_ACKED); /* 2 to 50 */
  rig_until(&f.r, save_of(&f)->saved == 51);
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_RETRY);
  for (int i = 51; i <= 100; i++) {
    fake_sink_judge(f.sink, 0, 1, i % 2 == 0 ? BB_VERDICT_ACKED : BB_VERDICT_RETRY);
  }
  fake_sink_lose(f.sink, "gone");
  journal_clear();
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, "manual: true, window: 200"));
  fake_sink_connect(f.sink);
  rig_until(&f.r, bb_outlet_depth(save_bus(&f)) == f.sink->n_pending);
  bool came[101] = {false};
  for (uint32_t i = 0; i < f.sink->n_pending; i++) {
    came[(int)fake_sink_value(f.sink->pending[i].batch)] = true;
  }
  expect_true("1", came[1]);
  expect_true("2 is not in the store", !came[2]);
  for (int i = 51; i <= 100; i += 2) expect_true("not taken", came[i]);
  save_ack_all(&f);
  expect_uint("all was delivered", save_bus(&f)->counters.dropped, 0);
  expect_true("nothing of it is told", !save_log_has(&f, "dropped"));
  save_rig_close(&f);
}

/* The sink has taken so many, all but the newest of which no longer are in memory. */
enum { REWOUND = 6000 };
static void take_many(save_rig *f, bool saved) {
  f->r.runtime.queue.max_bytes = 3 * BB_CHUNK_BYTES;
  fake_sink_connect(f->sink);
  for (int i = 1; i <= REWOUND; i++) {
    save_push_quietly(f, i);
    rig_turn(&f->r);
    save_ack_all(f);
    if (saved && i % 500 == 0) rig_until(&f->r, save_of(f)->saved == (uint64_t)i);
  }
  expect_uint("taken", save_bus(f)->counters.delivered, REWOUND);
}

/* How many come after an unclean loss, once each and in their order. */
static unsigned take_rewound(save_rig *f) {
  unsigned n = 0;
  double last = 0;
  fake_sink_lose(f->sink, "no answer");
  fake_sink_connect(f->sink);
  rig_until(&f->r, f->sink->n_pending > 0);
  while (bb_outlet_depth(save_bus(f)) > 0) {
    rig_until(&f->r, f->sink->n_pending > 0 || bb_outlet_depth(save_bus(f)) == 0);
    journal_clear();
    for (; f->sink->n_pending > 0; n++) {
      double value = fake_sink_value(f->sink->pending[0].batch);
      expect_true("in order", value > last);
      last = value;
      fake_sink_judge(f->sink, 0, 1, BB_VERDICT_ACKED);
    }
  }
  return n;
}

static void test_save_fetches_what_a_rewind_asks_for(void **state) {
  (void)state;
  save_rig f;
  /* The other sink has taken nothing, so all is in the store. */
  save_rig_open(&f,
                SAVE_PLANT(SAVE_FAST, "manual: true, keep: 15min") SAVE_SINK("hist", SAVE_MANUAL));
  take_many(&f, true);
  expect_true("not in memory", bb_stream_find(bus_stream(&f), 0)->first > REWOUND / 4);
  expect_uint("all of it", take_rewound(&f), REWOUND);
  expect_uint("none lost", save_bus(&f)->counters.dropped, 0);
  save_rig_close(&f);
}

static void test_save_tells_what_a_rewind_does_not_find(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, SAVE_PLANT("sync: 60s", "manual: true, keep: 15min"));
  take_many(&f, false);
  expect_uint("taken is not dropped", save_bus(&f)->counters.dropped, 0);
  unsigned again = take_rewound(&f);
  expect_true("what is in memory", again > 1000 && again < REWOUND);
  expect_uint("the rest is counted", save_bus(&f)->counters.dropped, REWOUND - again);
  expect_true("and told", save_log_has(&f, "that it had taken and lost cannot be sent again"));
  save_rig_close(&f);
}

/* One that goes on until the test, or the end of the runtime, lets it end. */
typedef struct long_reading {
  bb_reading base; /* first */
  uv_sem_t begun, go_on;
  bool endless, done;
} long_reading;

static int read_long(bb_reading *reading, bb_store *still) {
  long_reading *own = (long_reading *)reading;
  int result;
  uv_sem_post(&own->begun);
  if (!own->endless) uv_sem_wait(&own->go_on);
  do {
    result = bb_store_verify(still, NULL, NULL);
  } while (own->endless && result >= 0);
  return result;
}

static void on_read(bb_reading *reading) {
  ((long_reading *)reading)->done = true;
}

static void begin_reading(save_rig *f, long_reading *own, bool endless) {
  *own = (long_reading){.base = {.read = read_long, .done = on_read}, .endless = endless};
  uv_sem_init(&own->begun, 0);
  uv_sem_init(&own->go_on, 0);
  bb_reading_start(&own->base, &f->r.runtime.save);
}

static void end_reading(long_reading *own) {
  uv_sem_destroy(&own->begun);
  uv_sem_destroy(&own->go_on);
}

static void test_save_goes_on_while_all_is_read(void **state) {
  (void)state;
  save_rig f;
  long_reading first, second;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  save_push(&f, 1, 5);
  rig_until(&f.r, save_of(&f)->saved == 5);
  begin_reading(&f, &first, false);
  begin_reading(&f, &second, false);
  rig_until(&f.r, first.base.working);
  uv_sem_wait(&first.begun);
  save_push(&f, 6, 9);
  rig_until(&f.r, save_of(&f)->saved == 9 && save_of(&f)->job == NULL);
  expect_true("still reading", !first.done);
  expect_true("one after the other", !second.base.working);
  uv_sem_post(&first.go_on);
  uv_sem_post(&second.go_on);
  rig_until(&f.r, first.done && second.done);
  expect_int("sound", first.base.result, 0);
  expect_int("sound", second.base.result, 0);
  end_reading(&first);
  end_reading(&second);
  save_rig_close(&f);
}

static void test_save_ends_a_reading_with_the_runtime(void **state) {
  (void)state;
  save_rig f;
  long_reading own;
  save_rig_open(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  begin_reading(&f, &own, true);
  rig_until(&f.r, own.base.working);
  uv_sem_wait(&own.begun);
  save_push(&f, 1, 3);
  save_rig_restart(&f, SAVE_PLANT(SAVE_FAST, SAVE_MANUAL));
  expect_true("done", own.done);
  expect_int("ended", own.base.result, BB_ERR_CLOSED);
  expect_uint("what waited was saved", bb_outlet_depth(save_bus(&f)), 3);
  end_reading(&own);
  save_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_save_counts_nothing_between_merged_ranges_as_dropped),
      cmocka_unit_test(test_save_fetches_what_a_rewind_asks_for),
      cmocka_unit_test(test_save_tells_what_a_rewind_does_not_find),
      cmocka_unit_test(test_save_goes_on_while_all_is_read),
      cmocka_unit_test(test_save_ends_a_reading_with_the_runtime),
  };
  return cmocka_run_group_tests_name("save_reading", tests, NULL, NULL);
}
