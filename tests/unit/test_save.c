/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for a sink goes to the disk and comes back from it. A batch is known by its first value. */
#include "runtime/save.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/err.h"
#include "runtime/parking.h"
#include "runtime/reading.h"
#include "runtime/wait.h"
#include "support/expect.h"
#include "support/runtime_rig.h"

#define DEVICE                                                                                     \
  "devices:\n"                                                                                     \
  "  - { id: m, connection: a, scan: { slow: off }, profile: " RIG_PROFILE " }\n"
#define HEAD(store)                                                                                \
  "busbar: 1\nruntime: { store: { " store " } }\n"                                                 \
  "connections:\n  - { id: a, cyclic: { port: 1 } }\n" DEVICE
#define SINK(id, options) "  - { id: " id ", session: { " options " } }\n"
#define PLANT(store, options) HEAD(store) "sinks:\n" SINK("bus", options)
#define FAST "sync: 40ms"
#define MANUAL "manual: true"

typedef struct fixture {
  rig r;
  fake_device *device;
  fake_sink *sink;
} fixture;

static void begin(fixture *f, const char *text) {
  rig_apply(&f->r, text);
  f->device = bb_runtime_station(&f->r.runtime, "m") != NULL ? rig_device(&f->r, "m") : NULL;
  f->sink = bb_runtime_outlet(&f->r.runtime, "bus") != NULL ? rig_sink(&f->r, "bus") : NULL;
}

static void open_fixture(fixture *f, const char *text) {
  rig_open(&f->r);
  begin(f, text);
}

static void restart(fixture *f, const char *text) {
  rig_end_runtime(&f->r);
  rig_reopen(&f->r);
  begin(f, text);
}

static void push(fixture *f, double from, double to) {
  for (; from <= to; from++) expect_true("push", fake_device_push(f->device, 0, from));
}

/* The journal has no room for thousands. */
static void push_quietly(fixture *f, double value) {
  push(f, value, value);
  journal_clear();
}

static const bb_save *save_of(const fixture *f) {
  return &f->r.runtime.save;
}

static bb_outlet *bus(const fixture *f) {
  return bb_runtime_outlet(&f->r.runtime, "bus");
}

/* Of its only device. */
static const bb_stream *bus_stream(const fixture *f) {
  return BB_LIST_ITEM(bus(f)->intakes.next, bb_intake, link)->reader.stream;
}

/* The batches that the sink has without a verdict begin with these values, in this order. */
static void expect_values(fixture *f, double from, double to) {
  size_t n = (size_t)(to - from) + 1;
  rig_until(&f->r, f->sink->n_pending >= n);
  for (size_t i = 0; i < n; i++) {
    expect_double_at("value", fake_sink_value(f->sink->pending[i].batch), from + (double)i,
                     __FILE__, __LINE__);
  }
  expect_uint("no more", f->sink->n_pending, n);
}

static void ack_all(fixture *f) {
  while (f->sink->n_pending > 0) fake_sink_judge(f->sink, 0, 1, BB_VERDICT_ACKED);
}

static bool log_has(fixture *f, const char *text) {
  return strstr(folder_log(&f->r.folder), text) != NULL;
}

static void test_save_writes_nothing_that_is_acknowledged_in_time(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("sync: 400ms", ""));
  for (int i = 0; i < 50; i++) {
    push(&f, i, i);
    rig_turn(&f.r);
  }
  rig_until(&f.r, bus(&f)->counters.delivered == 50);
  f.r.ahead_ns += BB_NS_PER_S;
  for (int i = 0; i < 100; i++) rig_turn(&f.r);
  expect_uint("no record was written", save_of(&f)->saved, 0);
  rig_close(&f.r);
}

static void test_save_brings_back_what_a_sink_had_not_taken(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(FAST, MANUAL));
  push(&f, 1, 5);
  rig_until(&f.r, save_of(&f)->saved == 5);
  push(&f, 6, 7); /* the end saves these */
  rig_turn(&f.r);
  restart(&f, PLANT(FAST, MANUAL));
  expect_uint("they wait", bb_outlet_depth(bus(&f)), 7);
  expect_true("what will be delivered is looked at, though nothing comes",
              uv_is_active((const uv_handle_t *)&save_of(&f)->timer));
  fake_sink_connect(f.sink);
  expect_values(&f, 1, 7);
  expect_uint("as history", journal_count("bus history m fast 7"), 1);
  ack_all(&f);
  rig_until(&f.r, save_of(&f)->stats.records == 0 && save_of(&f)->job == NULL);
  restart(&f, PLANT(FAST, MANUAL));
  expect_uint("nothing is left", bb_outlet_depth(bus(&f)), 0);
  rig_close(&f.r);
}

static void test_save_sends_live_before_what_was_left(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(FAST, MANUAL));
  push(&f, 1, 3);
  rig_turn(&f.r);
  restart(&f, PLANT(FAST, MANUAL));
  push(&f, 4, 5);
  rig_turn(&f.r);
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 5);
  expect_order("bus live m fast 4", "bus live m fast 5", "bus history m fast 1");
  ack_all(&f);
  rig_close(&f.r);
}

static void test_save_does_not_repeat_what_went_live_during_a_drain(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(FAST, "manual: true, window: 4"));
  push(&f, 1, 6);
  rig_turn(&f.r);
  restart(&f, PLANT(FAST, "manual: true, window: 4"));
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 2); /* half of the window */
  push(&f, 7, 8);
  rig_until(&f.r, f.sink->n_pending == 4);
  fake_sink_judge(f.sink, 2, 2, BB_VERDICT_ACKED); /* 7 and 8, which are live */
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED); /* 1 */
  fake_sink_lose(f.sink, "gone");
  rig_turn(&f.r);
  restart(&f, PLANT(FAST, MANUAL));
  expect_uint("2 to 6", bb_outlet_depth(bus(&f)), 5);
  fake_sink_connect(f.sink);
  expect_values(&f, 2, 6);
  ack_all(&f);
  rig_close(&f.r);
}

/* A cursor has 16 ranges. Where more are open its oldest become one, with what was taken between them: of
 * that a part is in the store, and comes once more; the rest is not, and is no loss. */
static void test_save_counts_nothing_between_merged_ranges_as_dropped(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(FAST, "manual: true, window: 200"));
  fake_sink_connect(f.sink);
  push(&f, 1, 100);
  rig_turn(&f.r);
  fake_sink_judge(f.sink, 1, 49, BB_VERDICT_ACKED); /* 2 to 50 */
  rig_until(&f.r, save_of(&f)->saved == 51);
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_RETRY);
  for (int i = 51; i <= 100; i++) {
    fake_sink_judge(f.sink, 0, 1, i % 2 == 0 ? BB_VERDICT_ACKED : BB_VERDICT_RETRY);
  }
  fake_sink_lose(f.sink, "gone");
  journal_clear();
  restart(&f, PLANT(FAST, "manual: true, window: 200"));
  fake_sink_connect(f.sink);
  rig_until(&f.r, bb_outlet_depth(bus(&f)) == f.sink->n_pending);
  bool came[101] = {false};
  for (uint32_t i = 0; i < f.sink->n_pending; i++) {
    came[(int)fake_sink_value(f.sink->pending[i].batch)] = true;
  }
  expect_true("1", came[1]);
  expect_true("2 is not in the store", !came[2]);
  for (int i = 51; i <= 100; i += 2) expect_true("not taken", came[i]);
  ack_all(&f);
  expect_uint("all was delivered", bus(&f)->counters.dropped, 0);
  expect_true("nothing of it is told", !log_has(&f, "dropped"));
  rig_close(&f.r);
}

/* The sink has taken so many, all but the newest of which no longer are in memory. */
enum { REWOUND = 6000 };
static void take_many(fixture *f, bool saved) {
  f->r.runtime.queue.max_bytes = 3 * BB_CHUNK_BYTES;
  fake_sink_connect(f->sink);
  for (int i = 1; i <= REWOUND; i++) {
    push_quietly(f, i);
    rig_turn(&f->r);
    ack_all(f);
    if (saved && i % 500 == 0) rig_until(&f->r, save_of(f)->saved == (uint64_t)i);
  }
  expect_uint("taken", bus(f)->counters.delivered, REWOUND);
}

/* How many come after an unclean loss, once each and in their order. */
static unsigned take_rewound(fixture *f) {
  unsigned n = 0;
  double last = 0;
  fake_sink_lose(f->sink, "no answer");
  fake_sink_connect(f->sink);
  rig_until(&f->r, f->sink->n_pending > 0);
  while (bb_outlet_depth(bus(f)) > 0) {
    rig_until(&f->r, f->sink->n_pending > 0 || bb_outlet_depth(bus(f)) == 0);
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
  fixture f;
  /* The other sink has taken nothing, so all is in the store. */
  open_fixture(&f, PLANT(FAST, "manual: true, keep: 15min") SINK("hist", MANUAL));
  take_many(&f, true);
  expect_true("not in memory", bb_stream_find(bus_stream(&f), 0)->first > REWOUND / 4);
  expect_uint("all of it", take_rewound(&f), REWOUND);
  expect_uint("none lost", bus(&f)->counters.dropped, 0);
  rig_close(&f.r);
}

static void test_save_tells_what_a_rewind_does_not_find(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT("sync: 60s", "manual: true, keep: 15min"));
  take_many(&f, false);
  expect_uint("taken is not dropped", bus(&f)->counters.dropped, 0);
  unsigned again = take_rewound(&f);
  expect_true("what is in memory", again > 1000 && again < REWOUND);
  expect_uint("the rest is counted", bus(&f)->counters.dropped, REWOUND - again);
  expect_true("and told", log_has(&f, "that it had taken and lost cannot be sent again"));
  rig_close(&f.r);
}

static void test_save_evicts_and_fetches(void **state) {
  (void)state;
  enum { N = 20000 };
  fixture f;
  open_fixture(&f, "busbar: 1\nruntime: { queue_bytes: 1MiB, store: { sync: 20ms } }\n"
                   "connections:\n  - { id: a, cyclic: { port: 1 } }\n" DEVICE
                   "sinks:\n" SINK("bus", "manual: true, window: 100"));
  for (int i = 0; i < N; i++) {
    push(&f, i, i);
    journal_clear();
    if (i % 200 == 0) rig_until(&f.r, save_of(&f)->appended < (256u << 10));
  }
  rig_until(&f.r, save_of(&f)->saved == N);
  expect_true("memory is bounded", f.r.runtime.queue.bytes <= 1u << 20);
  expect_uint("nothing is lost", bus(&f)->counters.dropped, 0);
  fake_sink_connect(f.sink);
  double next = 0;
  bb_outlet *outlet = bus(&f);
  /* The newest went live; what comes as history must have no gap. */
  bool *seen = calloc(N, sizeof(*seen));
  while (outlet->counters.delivered < N) {
    journal_clear();
    rig_until(&f.r, f.sink->n_pending > 0);
    uint32_t n = (uint32_t)f.sink->n_pending;
    for (uint32_t i = 0; i < n; i++) {
      int value = (int)fake_sink_value(f.sink->pending[i].batch);
      expect_true("in range", value >= 0 && value < N);
      expect_true("once", !seen[value]);
      seen[value] = true;
      next++;
    }
    fake_sink_judge(f.sink, 0, n, BB_VERDICT_ACKED);
  }
  expect_double_at("all", next, N, __FILE__, __LINE__);
  free(seen);
  expect_uint("none twice", outlet->counters.delivered, N);
  rig_until(&f.r, save_of(&f)->stats.records == 0 && save_of(&f)->job == NULL);
  rig_close(&f.r);
}

static void test_save_keeps_the_backlog_of_a_sink_that_is_gone(void **state) {
  (void)state;
  fixture f;
  const void *at = NULL;
  bb_orphan orphan;
  open_fixture(&f, PLANT(FAST, MANUAL));
  push(&f, 1, 4);
  rig_turn(&f.r);
  restart(&f, HEAD(FAST) "sinks:\n" SINK("other", MANUAL));
  expect_true("an orphan", bb_parking_next(&f.r.runtime, &at, &orphan));
  expect_text("of", orphan.sink, "bus");
  expect_uint("batches", orphan.batches, 4);
  expect_true("the only one", !bb_parking_next(&f.r.runtime, &at, &orphan));
  expect_true("the log says so", log_has(&f, "there is no such sink any more"));
  restart(&f, HEAD(FAST) "sinks:\n" SINK("other", MANUAL)); /* still there */
  bb_outlet *other = bb_runtime_outlet(&f.r.runtime, "other");
  expect_int("given", (int)bb_parking_reassign(&f.r.runtime, "bus", other), 4);
  expect_uint("it has them", bb_outlet_depth(other), 4);
  restart(&f, HEAD(FAST) "sinks:\n" SINK("other", MANUAL));
  expect_uint("for good", bb_outlet_depth(bb_runtime_outlet(&f.r.runtime, "other")), 4);
  rig_apply(&f.r, HEAD(FAST) "sinks: []\n");
  expect_int("dropped", (int)bb_parking_drop(&f.r.runtime, "other"), 4);
  expect_int("once", (int)bb_parking_drop(&f.r.runtime, "other"), BB_ERR_NOTFOUND);
  rig_until(&f.r, save_of(&f)->stats.records == 0 && save_of(&f)->job == NULL);
  rig_close(&f.r);
}

static void test_save_lets_a_sink_that_is_back_have_what_another_took(void **state) {
  (void)state;
  fixture f;
  const char *text = HEAD(FAST) "sinks:\n" SINK("bus", MANUAL) SINK("ready", "");
  open_fixture(&f, text);
  push(&f, 1, 4);
  rig_until(&f.r, save_of(&f)->saved == 4);
  restart(&f, text);
  expect_uint("one has all", bb_outlet_depth(bb_runtime_outlet(&f.r.runtime, "ready")), 0);
  expect_uint("the other none", bb_outlet_depth(bus(&f)), 4);
  rig_close(&f.r);
}

static void test_save_leaves_memory_sinks_alone(void **state) {
  (void)state;
  fixture f;
  const char *text =
      HEAD(FAST) "sinks:\n"
                 "  - { id: bus, session: { manual: true }, store: { mode: memory } }\n";
  open_fixture(&f, text);
  push(&f, 1, 4);
  for (int i = 0; i < 20; i++) rig_turn(&f.r);
  restart(&f, text);
  expect_uint("nothing was kept", bb_outlet_depth(bus(&f)), 0);
  expect_true("the log says so", log_has(&f, "4 batches could not be delivered"));
  rig_close(&f.r);
}

static void test_save_survives_a_store_that_is_no_store(void **state) {
  (void)state;
  fixture f;
  rig_open(&f.r);
  begin(&f, PLANT(FAST, MANUAL));
  rig_end_runtime(&f.r);
  FILE *file = fopen(folder_path(&f.r.folder, BB_STORE_FILE), "w");
  for (int i = 0; i < 1000; i++) fprintf(file, "this is no store\n");
  fclose(file);
  rig_reopen(&f.r);
  begin(&f, PLANT(FAST, MANUAL));
  expect_true("the log says so", log_has(&f, "it was set aside as"));
  push(&f, 1, 2);
  rig_until(&f.r, save_of(&f)->saved == 2);
  rig_close(&f.r);
}

/* No file of this process may grow: as if the disk were full. */
static void fill_disk(bool full) {
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = full ? 8192 : limit.rlim_max; /* more than the log has */
  expect_int("limit", setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A stream is taken out of the store while the disk is full, and one of the same name comes. */
static void test_save_takes_away_later_what_it_could_not_now(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(FAST, MANUAL));
  push(&f, 1, 4);
  rig_until(&f.r, save_of(&f)->saved == 4);
  rig_apply(&f.r, HEAD(FAST) "sinks: []\n");
  rig_until(&f.r, save_of(&f)->job == NULL);
  fill_disk(true);
  expect_int("dropped", (int)bb_parking_drop(&f.r.runtime, "bus"), 4);
  rig_until(&f.r, save_of(&f)->failed > 0);
  fill_disk(false);
  begin(&f, PLANT(FAST, MANUAL));
  push(&f, 5, 6);
  rig_until(&f.r, save_of(&f)->saved == 6);
  restart(&f, PLANT(FAST, MANUAL));
  expect_uint("the new ones only", bb_outlet_depth(bus(&f)), 2);
  fake_sink_connect(f.sink);
  expect_values(&f, 5, 6);
  ack_all(&f);
  rig_close(&f.r);
}

static void test_save_goes_on_when_the_disk_is_full(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(FAST, MANUAL));
  push(&f, 1, 2);
  rig_until(&f.r, save_of(&f)->saved == 2);
  fill_disk(true);
  push(&f, 3, 4);
  rig_until(&f.r, save_of(&f)->failed >= 2);
  fill_disk(false);
  expect_true("the log says so", log_has(&f, "the runtime goes on with what its memory holds"));
  rig_until(&f.r, save_of(&f)->saved == 4);
  rig_until(&f.r, log_has(&f, "works again"));
  restart(&f, PLANT(FAST, MANUAL));
  fake_sink_connect(f.sink);
  expect_values(&f, 1, 4);
  ack_all(&f);
  rig_close(&f.r);
}

#define YEAR_NS (365ll * 24 * 3600 * (int64_t)BB_NS_PER_S)

static bool is_marked(fixture *f, size_t i) {
  return (f->sink->pending[i].batch->flags & BB_BATCH_CLOCK_UNSET) != 0;
}

static void test_save_does_not_mind_a_clock_that_jumps(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(FAST, MANUAL));
  push(&f, 1, 2);
  f.r.utc_ahead_ns = YEAR_NS;
  push(&f, 3, 4);
  rig_until(&f.r, save_of(&f)->saved == 4);
  f.r.utc_ahead_ns = -bb_clock_utc_ns(&f.r.runtime.clock); /* 1970 and some */
  rig_until(&f.r, !f.r.runtime.clock_set);
  push(&f, 5, 6);
  rig_until(&f.r, save_of(&f)->saved == 6);
  f.r.utc_ahead_ns = YEAR_NS;
  restart(&f, PLANT(FAST, MANUAL));
  f.r.utc_ahead_ns = -YEAR_NS;
  for (int i = 0; i < 20; i++) rig_turn(&f.r);
  expect_uint("none is too old", bus(&f)->counters.dropped, 0);
  fake_sink_connect(f.sink);
  expect_values(&f, 1, 6);
  for (size_t i = 0; i < 6; i++) {
    expect_true("marked, where the clock was not set", is_marked(&f, i) == (i >= 4));
  }
  ack_all(&f);
  rig_close(&f.r);
}

static void test_save_tells_of_a_shape_before_its_batches(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(FAST, MANUAL));
  push(&f, 1, 2);
  rig_turn(&f.r);
  /* Without the device the sink would never hear of its shape. */
  journal_clear();
  restart(&f, "busbar: 1\nsinks:\n" SINK("bus", MANUAL));
  expect_uint("not yet", journal_count("bus shape m*"), 0);
  journal_clear();
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 2);
  expect_order("bus shape m fast 3 points", "bus history m fast 1", "bus history m fast 2");
  expect_uint("once", journal_count("bus shape m fast*"), 1);
  expect_uint("still there", journal_count("bus gone m fast"), 0);
  ack_all(&f);
  rig_turn(&f.r);
  expect_uint("gone with the last", journal_count("bus gone m fast"), 1);
  rig_close(&f.r);
}

static void test_save_tells_again_of_a_shape_whose_device_went(void **state) {
  (void)state;
  fixture f;
  const char *without = "busbar: 1\nsinks:\n" SINK("bus", "manual: true, window: 2");
  const char *with = PLANT(FAST, "manual: true, window: 2");
  open_fixture(&f, with);
  push(&f, 1, 6);
  rig_turn(&f.r);
  restart(&f, without);
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending > 0); /* the sink knows the shape from the past */
  rig_apply(&f.r, with);                  /* a feed brings it now */
  rig_apply(&f.r, without);               /* and no more */
  while (f.sink->n_pending > 0) {
    fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
    rig_turn(&f.r);
  }
  rig_until(&f.r, bus(&f)->counters.delivered == 6);
  expect_uint("each batch in a shape that it knew", f.sink->strangers, 0);
  expect_uint("gone with the last", journal_count("bus gone m fast"),
              journal_count("bus shape m fast*"));
  rig_close(&f.r);
}

static void test_save_keeps_a_sinks_own_age_and_size(void **state) {
  (void)state;
  fixture f;
  const char *text =
      HEAD(FAST) "sinks:\n"
                 "  - { id: bus, session: { manual: true }, store: { max_age: 10s } }\n"
                 "  - { id: slow, session: { manual: true } }\n";
  open_fixture(&f, text);
  push(&f, 1, 3);
  rig_until(&f.r, save_of(&f)->saved == 3);
  restart(&f, text); /* now they lie in the store alone */
  f.r.ahead_ns += 9 * BB_NS_PER_S;
  push(&f, 4, 4);
  rig_until(&f.r, save_of(&f)->saved == 1);
  expect_uint("young enough", bb_outlet_depth(bus(&f)), 4);
  f.r.ahead_ns += 5 * BB_NS_PER_S;
  push(&f, 5, 5);
  rig_until(&f.r, bus(&f)->counters.dropped == 3);
  expect_uint("the young ones wait", bb_outlet_depth(bus(&f)), 2);
  expect_uint("the other has them all", bb_outlet_depth(bb_runtime_outlet(&f.r.runtime, "slow")),
              5);
  expect_true("the log says so", log_has(&f, "more waits than store.max_age of the sink allows"));
  rig_close(&f.r);
}

typedef struct waiting {
  bb_wait wait; /* first */
  unsigned ended;
} waiting;

static void on_waited(bb_wait *wait, bool lost) {
  (void)lost;
  ((waiting *)(void *)wait)->ended++;
}

static void test_save_ends_the_waits_of_a_backlog_that_is_dropped(void **state) {
  (void)state;
  fixture f;
  waiting one = {.wait = {.on_end = on_waited}};
  open_fixture(&f, PLANT("sync: 60s", MANUAL));
  push(&f, 1, 1);
  bb_wait_start(&f.r.runtime, &one.wait, bb_runtime_stream(&f.r.runtime, 1), 0, 1);
  rig_turn(&f.r);
  expect_uint("not yet", one.ended, 0);
  rig_apply(&f.r, HEAD("sync: 60s") "sinks: []\n");
  expect_int("dropped", (int)bb_parking_drop(&f.r.runtime, "bus"), 1);
  rig_turn(&f.r);
  expect_uint("over", one.ended, 1);
  rig_close(&f.r);
}

/* Without a store that works, the memory loses only what lies in it. */
static void test_save_leaves_a_saved_backlog_alone_when_the_memory_is_full(void **state) {
  (void)state;
  fixture f;
  const char *text = "busbar: 1\nruntime: { queue_bytes: 1MiB, store: { sync: 20ms } }\n"
                     "connections:\n  - { id: a, cyclic: { port: 1 } }\n" DEVICE
                     "sinks:\n" SINK("bus", "manual: true, window: 100");
  open_fixture(&f, text);
  for (int i = 0; i < 1000; i++) push_quietly(&f, i);
  rig_until(&f.r, save_of(&f)->saved == 1000);
  restart(&f, text);
  f.r.runtime.save.retry_ns = UINT64_MAX; /* as while the disk is full */
  uint64_t pushed = 0;
  for (; bus(&f)->counters.dropped == 0; pushed++) push_quietly(&f, (double)pushed);
  uint64_t dropped = bus(&f)->counters.dropped;
  expect_uint("all others wait", bb_outlet_depth(bus(&f)), 1000 + pushed - dropped);
  expect_true("a chunk went, not the backlog", dropped < 1000);
  rig_close(&f.r);
}

static void test_save_takes_away_packs_that_were_needed_in_part(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, PLANT(FAST, MANUAL));
  push(&f, 1, 10);
  rig_until(&f.r, save_of(&f)->saved == 10);
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 10);
  uint64_t jobs = save_of(&f)->jobs;
  fake_sink_judge(f.sink, 0, 5, BB_VERDICT_ACKED);
  rig_until(&f.r, save_of(&f)->jobs > jobs && save_of(&f)->job == NULL);
  ack_all(&f);
  rig_until(&f.r, save_of(&f)->stats.packs == 0);
  rig_close(&f.r);
}

static void test_save_ages_the_pack_that_a_sink_is_in_as_a_whole(void **state) {
  (void)state;
  fixture f;
  const char *text =
      HEAD(FAST) "sinks:\n"
                 "  - { id: bus, session: { manual: true, window: 4 }, store: { max_age: 1h } }\n";
  open_fixture(&f, text);
  f.r.ahead_ns += 7200 * BB_NS_PER_S; /* the clock of ages is past the limit */
  push(&f, 1, 100);
  rig_until(&f.r, save_of(&f)->saved == 100);
  f.r.ahead_ns = 0;
  restart(&f, text);
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 2);
  fake_sink_judge(f.sink, 0, 1, BB_VERDICT_ACKED);
  push(&f, 101, 101);
  f.r.ahead_ns += 2 * BB_NS_PER_S;
  uint64_t jobs = save_of(&f)->jobs;
  rig_until(&f.r, save_of(&f)->jobs >= jobs + 2 && save_of(&f)->job == NULL);
  expect_uint("none is too old", bus(&f)->counters.dropped, 0);
  expect_uint("all but the first wait", bb_outlet_depth(bus(&f)), 100);
  rig_close(&f.r);
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

static void begin_reading(fixture *f, long_reading *own, bool endless) {
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
  fixture f;
  long_reading first, second;
  open_fixture(&f, PLANT(FAST, MANUAL));
  push(&f, 1, 5);
  rig_until(&f.r, save_of(&f)->saved == 5);
  begin_reading(&f, &first, false);
  begin_reading(&f, &second, false);
  rig_until(&f.r, first.base.working);
  uv_sem_wait(&first.begun);
  push(&f, 6, 9);
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
  rig_close(&f.r);
}

static void test_save_ends_a_reading_with_the_runtime(void **state) {
  (void)state;
  fixture f;
  long_reading own;
  open_fixture(&f, PLANT(FAST, MANUAL));
  begin_reading(&f, &own, true);
  rig_until(&f.r, own.base.working);
  uv_sem_wait(&own.begun);
  push(&f, 1, 3);
  restart(&f, PLANT(FAST, MANUAL));
  expect_true("done", own.done);
  expect_int("ended", own.base.result, BB_ERR_CLOSED);
  expect_uint("what waited was saved", bb_outlet_depth(bus(&f)), 3);
  end_reading(&own);
  rig_close(&f.r);
}

static void test_save_forgets_a_stream_that_its_last_reader_left(void **state) {
  (void)state;
  fixture f;
  const char *two = HEAD(FAST) "sinks:\n" SINK("bus", MANUAL) SINK("other", "");
  open_fixture(&f, PLANT(FAST, MANUAL));
  push(&f, 1, 50);
  rig_until(&f.r, save_of(&f)->saved == 50);
  rig_apply(&f.r, two); /* what comes now goes by another stream */
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending == 50);
  ack_all(&f);
  rig_until(&f.r, save_of(&f)->stats.records == 0 && save_of(&f)->job == NULL);
  restart(&f, two);
  expect_uint("nothing comes again", bb_outlet_depth(bus(&f)), 0);
  rig_close(&f.r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_save_writes_nothing_that_is_acknowledged_in_time),
      cmocka_unit_test(test_save_brings_back_what_a_sink_had_not_taken),
      cmocka_unit_test(test_save_sends_live_before_what_was_left),
      cmocka_unit_test(test_save_does_not_repeat_what_went_live_during_a_drain),
      cmocka_unit_test(test_save_counts_nothing_between_merged_ranges_as_dropped),
      cmocka_unit_test(test_save_fetches_what_a_rewind_asks_for),
      cmocka_unit_test(test_save_tells_what_a_rewind_does_not_find),
      cmocka_unit_test(test_save_evicts_and_fetches),
      cmocka_unit_test(test_save_keeps_the_backlog_of_a_sink_that_is_gone),
      cmocka_unit_test(test_save_lets_a_sink_that_is_back_have_what_another_took),
      cmocka_unit_test(test_save_leaves_memory_sinks_alone),
      cmocka_unit_test(test_save_tells_of_a_shape_before_its_batches),
      cmocka_unit_test(test_save_tells_again_of_a_shape_whose_device_went),
      cmocka_unit_test(test_save_keeps_a_sinks_own_age_and_size),
      cmocka_unit_test(test_save_leaves_a_saved_backlog_alone_when_the_memory_is_full),
      cmocka_unit_test(test_save_takes_away_packs_that_were_needed_in_part),
      cmocka_unit_test(test_save_ages_the_pack_that_a_sink_is_in_as_a_whole),
      cmocka_unit_test(test_save_goes_on_while_all_is_read),
      cmocka_unit_test(test_save_ends_a_reading_with_the_runtime),
      cmocka_unit_test(test_save_forgets_a_stream_that_its_last_reader_left),
      cmocka_unit_test(test_save_survives_a_store_that_is_no_store),
      cmocka_unit_test(test_save_takes_away_later_what_it_could_not_now),
      cmocka_unit_test(test_save_goes_on_when_the_disk_is_full),
      cmocka_unit_test(test_save_does_not_mind_a_clock_that_jumps),
      cmocka_unit_test(test_save_ends_the_waits_of_a_backlog_that_is_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
