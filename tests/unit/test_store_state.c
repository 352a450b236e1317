/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* What is told of the store: in the status, and to the watches when it changes. */
#include "runtime/store_state.h"

#include <stdio.h>
#include <string.h>

#include "runtime/metrics.h"
#include "runtime/parking.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/save_rig.h"

#define WITHOUT SAVE_HEAD(SAVE_FAST) "sinks: []\n"
#define WITH(store)                                                                                \
  SAVE_HEAD(SAVE_FAST) "sinks:\n  - { id: bus, session: { manual: true }" store " }\n"

typedef struct fixture {
  rig r;
  bb_watch watch;
  unsigned told;
  bb_buf text;
} fixture;

static void on_store(bb_watch *watch) {
  ((fixture *)watch->user)->told++;
}

static void watch(fixture *f) {
  f->told = 0;
  f->watch = (bb_watch){.user = f, .on_store = on_store};
  bb_runtime_watch(&f->r.runtime, &f->watch);
}

static void open_fixture(fixture *f, const char *text) {
  memset(f, 0, sizeof(*f));
  rig_open(&f->r);
  bb_buf_init(&f->text, 1 << 16);
  watch(f);
  rig_apply(&f->r, text);
}

static void close_fixture(fixture *f) {
  rig_close(&f->r);
  bb_buf_close(&f->text);
}

static void push(fixture *f, unsigned n) {
  for (unsigned i = 1; i <= n; i++) {
    expect_true("push", fake_device_push(rig_device(&f->r, "m"), 0, i));
  }
}

/* The map as JSON, without the braces around it. */
static const char *show(fixture *f) {
  bb_json_writer json;
  bb_buf_clear(&f->text);
  bb_json_writer_init(&json, &f->text);
  bb_json_writer_map(&json, NULL);
  bb_store_state_put(&f->r.runtime, &json);
  bb_json_writer_end(&json);
  expect_int("written", bb_json_writer_finish(&json), 0);
  return bb_buf_string(&f->text);
}

static void test_store_state_without_a_store(void **state) {
  (void)state;
  bb_runtime runtime = {0};
  fixture f = {0};
  bb_list_init(&runtime.parked);
  bb_buf_init(&f.text, 1 << 16);
  f.r.runtime = runtime;
  bb_list_init(&f.r.runtime.parked);
  expect_text("state", show(&f), "{\"store\":{\"open\":false,\"failing\":false,\"orphans\":[]}}");
  bb_buf_close(&f.text);
}

static void test_store_state_tells_what_waits(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, WITH(""));
  push(&f, 5);
  rig_until(&f.r, f.r.runtime.save.saved == 5);
  bb_outlet *bus = bb_runtime_outlet(&f.r.runtime, "bus");
  expect_uint("saved", bb_outlet_saved(bus), 5);
  push(&f, 2);
  expect_uint("not at once", bb_outlet_saved(bus), 5);
  expect_uint("waiting", bb_outlet_depth(bus), 7);
  expect_part("state", show(&f), "\"open\":true,\"failing\":false,\"path\":\"/");
  expect_part("state", show(&f), "\"records\":5,");
  expect_part("state", show(&f),
              "\"saved\":5,\"saved_samples\":15,\"dead\":0,\"dead_bytes\":0,\"sync_ms\":40,");
  expect_part("state", show(&f), "\"orphans\":[]");
  fake_sink_connect(rig_sink(&f.r, "bus"));
  rig_until(&f.r, rig_sink(&f.r, "bus")->n_pending == 7);
  expect_uint("on their way", bb_outlet_saved(bus), 7 - 2);
  fake_sink_judge(rig_sink(&f.r, "bus"), 0, 7, BB_VERDICT_ACKED);
  expect_uint("gone", bb_outlet_saved(bus), 0);
  close_fixture(&f);
}

static void test_store_state_has_nothing_of_memory_sinks(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, WITH(", store: { mode: memory }"));
  push(&f, 3);
  for (int i = 0; i < 20; i++) rig_turn(&f.r);
  bb_outlet *bus = bb_runtime_outlet(&f.r.runtime, "bus");
  expect_uint("waiting", bb_outlet_depth(bus), 3);
  expect_uint("saved", bb_outlet_saved(bus), 0);
  close_fixture(&f);
}

static void test_store_state_tells_of_orphans_when_they_change(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, WITH(""));
  push(&f, 4);
  rig_until(&f.r, f.r.runtime.save.saved == 4);
  rig_apply(&f.r, WITH(", store: { history_rate: 7 }"));
  f.r.ahead_ns += BB_NS_PER_S;
  bb_store_state_look(&f.r.runtime);
  expect_uint("a sink that is changed has no orphans", f.told, 0);
  rig_apply(&f.r, WITHOUT);
  bb_store_state_look(&f.r.runtime);
  expect_uint("told", f.told, 1);
  expect_part("state", show(&f), "\"orphans\":[{\"sink\":\"bus\",\"batches\":4,\"bytes\":");
  bb_store_state_look(&f.r.runtime);
  expect_uint("once", f.told, 1);
  expect_int("dropped", (int)bb_parking_drop(&f.r.runtime, "bus"), 4);
  rig_until(&f.r, f.told == 2); /* by itself */
  expect_part("state", show(&f), "\"orphans\":[]");
  close_fixture(&f);
}

static void test_store_state_waits_for_the_first_config(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, WITH(""));
  push(&f, 4);
  rig_turn(&f.r);
  rig_end_runtime(&f.r);
  rig_reopen(&f.r);
  watch(&f);
  expect_part("state", show(&f), "\"orphans\":[]");
  rig_apply(&f.r, WITH(""));
  bb_store_state_look(&f.r.runtime);
  expect_uint("nothing to tell", f.told, 0);
  expect_uint("they wait", bb_outlet_saved(bb_runtime_outlet(&f.r.runtime, "bus")), 4);
  close_fixture(&f);
}

static void test_store_state_tells_of_a_failure_and_its_end(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, WITH(""));
  bb_spool *spool = &f.r.runtime.save.spool;
  spool->failing = true;
  snprintf(spool->why, sizeof(spool->why), "the disk is full");
  rig_until(&f.r, f.told == 1);
  expect_part("state", show(&f), "\"failing\":true,\"reason\":\"the disk is full\"");
  push(&f, 1);
  rig_until(&f.r, f.told == 2);
  expect_part("state", show(&f), "\"failing\":false,\"path\"");
  close_fixture(&f);
}

/* All metrics at once. */
static const char *render(fixture *f) {
  bb_metrics metrics;
  int more = 1;
  bb_buf_close(&f->text);
  bb_buf_init(&f->text, 1 << 20);
  bb_metrics_start(&metrics, &f->r.runtime);
  while (more == 1) more = bb_metrics_slice(&metrics, &f->text);
  bb_metrics_end(&metrics);
  const char *text = bb_buf_string(&f->text);
  exposition_check(text);
  return text;
}

static void expect_metric(const char *text, const char *series, const char *expected) {
  char value[64];
  expect_text(series, exposition_get(text, series, value, sizeof(value)), expected);
}

static void test_store_state_is_in_the_metrics(void **state) {
  (void)state;
  fixture f;
  char value[64];
  open_fixture(&f, WITH(""));
  push(&f, 4);
  rig_until(&f.r, f.r.runtime.save.saved == 4 && f.r.runtime.save.job == NULL);
  f.r.runtime.save.failed++;
  f.r.runtime.save.jobs++;
  const char *text = render(&f);
  expect_metric(text, "busbar_store_records", "4");
  expect_metric(text, "busbar_store_saved_records_total", "4");
  expect_metric(text, "busbar_store_commit_failures_total", "1");
  expect_metric(text, "busbar_store_failing", "0");
  expect_metric(text, "busbar_store_dead_letters", "0");
  expect_metric(text, "busbar_store_max_bytes", "1073741824");
  expect_metric(text, "busbar_sink_queue_batches{sink=\"bus\"}", "4");
  expect_metric(text, "busbar_sink_saved_batches{sink=\"bus\"}", "4");
  expect_metric(text, "busbar_sink_history_batches{sink=\"bus\"}", "0");
  snprintf(value, sizeof(value), "%llu", (unsigned long long)f.r.runtime.save.jobs - 1);
  expect_metric(text, "busbar_store_commits_total", value);
  snprintf(value, sizeof(value), "%llu", (unsigned long long)f.r.runtime.save.stats.bytes);
  expect_metric(text, "busbar_store_bytes", value);
  rig_apply(&f.r, WITHOUT);
  text = render(&f);
  expect_metric(text, "busbar_orphan_batches{sink=\"bus\"}", "4");
  expect_metric(text, "busbar_orphan_dropped_batches_total{sink=\"bus\"}", "0");
  expect_metric(text, "busbar_sink_queue_batches{sink=\"bus\"}", "");
  close_fixture(&f);
}

/* The store counts anew from each opening. */
static void test_store_state_adds_up_what_was_written(void **state) {
  (void)state;
  bb_save save = {0};
  static const uint64_t counts[] = {10, 30, 5, 6};
  for (size_t i = 0; i < 4; i++) {
    bb_save_take_stats(&save, &(bb_store_stats){.written_bytes = counts[i]});
  }
  expect_uint("written", bb_save_written_bytes(&save), 36);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_store_state_without_a_store),
      cmocka_unit_test(test_store_state_tells_what_waits),
      cmocka_unit_test(test_store_state_has_nothing_of_memory_sinks),
      cmocka_unit_test(test_store_state_tells_of_orphans_when_they_change),
      cmocka_unit_test(test_store_state_waits_for_the_first_config),
      cmocka_unit_test(test_store_state_tells_of_a_failure_and_its_end),
      cmocka_unit_test(test_store_state_is_in_the_metrics),
      cmocka_unit_test(test_store_state_adds_up_what_was_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
