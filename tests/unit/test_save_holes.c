/* SPDX-License-Identifier: Apache-2.0 */
/* A sink whose batches lay in memory goes to the disk, where its stream has packs of what another sink
 * needs: what comes to lie between them is more than one transaction takes, and memory is short. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "runtime/save.h"
#include "support/expect.h"
#include "support/save_rig.h"

#define POINTS 100 /* 8 bytes each */
#define SINKS(bus, mode)                                                                           \
  "sinks:\n" SAVE_SINK(                                                                            \
      "bus", bus) "  - { id: hist, session: { manual: true }, store: { mode: " mode " } }\n"

/* The plant of the rig with wide batches. */
static const char *wide(const char *queue, const char *sinks) {
  static char text[16384];
  int len = snprintf(text, sizeof(text),
                     "busbar: 1\nruntime: { queue_bytes: %s, store: { sync: 500ms } }\n"
                     "connections:\n  - { id: a, cyclic: { port: 1 } }\n"
                     "devices:\n  - { id: m, connection: a, profile: { profile: 1, id: acme/wide, "
                     "scans: { fast: 1s }, points: [",
                     queue);
  for (int i = 0; i < POINTS; i++) {
    len += snprintf(text + len, sizeof(text) - (size_t)len,
                    "{ name: p%d, type: float64, holding: %d, scan: fast }, ", i, 4 * i);
  }
  snprintf(text + len, sizeof(text) - (size_t)len, "] } }\n%s", sinks);
  return text;
}

/* What the store has of a sink's after each transaction, as a kill would leave it. */
typedef struct watch {
  bb_spool_job job; /* first */
  bool busy;
  uint64_t from;         /* what the sink needs begins here */
  uint64_t count, least; /* records */
} watch;

static int count_records(void *user, const bb_store_pack *pack) {
  watch *w = user;
  uint64_t end = pack->first + pack->n;
  w->count += end - (pack->first > w->from ? pack->first : w->from);
  return 0;
}

static int run_watch(bb_spool_job *job, bb_store *store) {
  watch *w = (watch *)(void *)job;
  w->count = 0;
  int result = bb_store_read(store, 1, w->from, SIZE_MAX, count_records, w);
  if (w->count < w->least) w->least = w->count;
  return result;
}

static void on_watched(bb_spool_job *job) {
  ((watch *)(void *)job)->busy = false;
}

/* Behind the job that is on its way, before the next. */
static void look(save_rig *f, watch *w) {
  if (w->busy) return;
  w->busy = true;
  w->job = (bb_spool_job){.run = run_watch, .done = on_watched};
  bb_spool_push(&save_of(f)->spool, &w->job);
}

static const bb_outlet *hist_of(const save_rig *f) {
  return bb_runtime_outlet(&f->r.runtime, "hist");
}

static void push_many(save_rig *f, unsigned n) {
  for (unsigned i = 0; i < n; i++) save_push_quietly(f, i);
}

static void test_save_holes_are_filled_in_many_transactions(void **state) {
  (void)state;
  enum { TAKEN = 12000, LEFT = 50 };
  save_rig f;
  watch w = {.from = TAKEN, .least = UINT64_MAX};
  save_rig_open(&f, wide("64MiB", SINKS("", "memory")));
  rig_until(&f.r, f.sink->ready);
  for (unsigned i = 0; i < TAKEN / 100; i++) {
    push_many(&f, 100);
    rig_until(&f.r, save_bus(&f)->counters.delivered == (i + 1) * 100);
  }
  save_rig_begin(&f, wide("64MiB", SINKS("manual: true", "memory"))); /* connects no more */
  push_many(&f, LEFT);
  rig_until(&f.r, save_of(&f)->stats.records == LEFT && save_of(&f)->job == NULL);
  rig_apply_soon(&f.r, wide("64MiB", SINKS("manual: true", "disk")));
  uint64_t jobs = save_of(&f)->jobs;
  rig_until(&f.r, (look(&f, &w), bb_outlet_saved(hist_of(&f)) == TAKEN + LEFT));
  expect_true("in many", save_of(&f)->jobs >= jobs + 3);
  expect_uint("what bus needs was there all the time", w.least, LEFT);
  rig_until(&f.r, !w.busy && save_of(&f)->job == NULL);
  save_rig_restart(&f, wide("64MiB", SINKS("manual: true", "disk")));
  expect_uint("bus", bb_outlet_depth(save_bus(&f)), LEFT);
  expect_uint("hist", bb_outlet_depth(hist_of(&f)), TAKEN + LEFT);
  save_rig_close(&f);
}

/* Acknowledges every second one; each of the others makes a pack of its own. */
static void ack_even(fake_sink *sink) {
  for (uint32_t i = 1; i < sink->n_pending; i++) {
    fake_sink_judge(sink, i, 1, BB_VERDICT_ACKED);
  }
}

static void expect_odd(save_rig *f, double from, double to) {
  const fake_sink *sink = rig_sink(&f->r, "bus");
  uint32_t at = 0;
  for (double value = from; value <= to; value += 2) {
    expect_double("bus", fake_sink_value(sink->pending[at++].batch), value);
  }
  expect_uint("no more", sink->n_pending, at);
}

/* More holes than are known at a time, and what comes meanwhile goes with the look for them. */
static void test_save_holes_are_found_a_few_at_a_time(void **state) {
  (void)state;
  save_rig f;
  save_rig_open(&f, wide("1MiB", SINKS("manual: true", "memory")));
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->ready);
  save_push(&f, 1, 25);
  rig_until(&f.r, f.sink->n_pending == 25);
  ack_even(f.sink);
  rig_until(&f.r, save_of(&f)->stats.packs == 13 && save_of(&f)->job == NULL);
  save_of(&f)->retry_ns = UINT64_MAX; /* not before all are there */
  save_rig_begin(&f, wide("1MiB", SINKS("manual: true", "disk")));
  save_push(&f, 26, 27);
  save_of(&f)->retry_ns = 0;
  bb_save_now(save_of(&f));
  rig_until(&f.r, bb_outlet_saved(hist_of(&f)) == 27 && bb_outlet_saved(save_bus(&f)) == 15);
  save_rig_restart(&f, wide("1MiB", SINKS("manual: true", "disk")));
  fake_sink_connect(f.sink);
  rig_until(&f.r, f.sink->n_pending >= 15);
  fake_sink_judge(f.sink, 13, 1, BB_VERDICT_ACKED); /* 26 */
  expect_odd(&f, 1, 27);
  save_ack_all(&f);
  f.sink = rig_sink(&f.r, "hist");
  fake_sink_connect(f.sink);
  save_expect_values(&f, 1, 27);
  save_ack_all(&f);
  save_rig_close(&f);
}

/* What the store has for one is not lost with what another has in memory alone. */
static void test_save_holes_are_lost_for_the_late_one_only(void **state) {
  (void)state;
  enum { SAVED = 500 };
  save_rig f;
  save_rig_open(&f, wide("1MiB", SINKS("manual: true", "memory")));
  push_many(&f, SAVED);
  rig_until(&f.r, save_of(&f)->stats.records == SAVED && save_of(&f)->job == NULL);
  save_of(&f)->retry_ns = UINT64_MAX; /* as while the disk is full */
  save_rig_begin(&f, wide("1MiB", SINKS("manual: true", "disk")));
  uint64_t pushed = SAVED;
  for (; hist_of(&f)->counters.dropped == 0; pushed++) push_many(&f, 1);
  uint64_t dropped = hist_of(&f)->counters.dropped;
  expect_uint("bus has lost none", save_bus(&f)->counters.dropped, 0);
  expect_uint("all wait", bb_outlet_depth(save_bus(&f)), pushed);
  expect_true("a chunk went", dropped < SAVED);
  save_of(&f)->retry_ns = 0;
  rig_until(&f.r, bb_outlet_saved(save_bus(&f)) == pushed);
  rig_until(&f.r, bb_outlet_saved(hist_of(&f)) == pushed - dropped);
  save_rig_restart(&f, wide("1MiB", SINKS("manual: true", "disk")));
  expect_uint("bus", bb_outlet_depth(save_bus(&f)), pushed);
  expect_uint("hist", bb_outlet_depth(hist_of(&f)), pushed - dropped);
  save_rig_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_save_holes_are_filled_in_many_transactions),
      cmocka_unit_test(test_save_holes_are_found_a_few_at_a_time),
      cmocka_unit_test(test_save_holes_are_lost_for_the_late_one_only),
  };
  return cmocka_run_group_tests_name("save_holes", tests, NULL, NULL);
}
