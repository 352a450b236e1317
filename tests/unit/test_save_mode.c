/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* A sink whose batches lay in memory is to have them on the disk: also where its stream has packs in
 * the store already, of what another sink needed. A batch is known by its first value. */
#include "runtime/save.h"

#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/runtime_rig.h"

#define HEAD                                                                                       \
  "busbar: 1\nruntime: { store: { sync: 500ms } }\n"                                               \
  "connections:\n  - { id: a, cyclic: { port: 1 } }\n"                                             \
  "devices:\n"                                                                                     \
  "  - { id: m, connection: a, scan: { slow: off }, profile: " RIG_PROFILE " }\n"                  \
  "sinks:\n  - { id: bus, session: { manual: true } }\n"
#define SINK(mode) "  - { id: hist, session: { manual: true }, store: { mode: " mode " } }\n"
#define MEMORY HEAD SINK("memory")
#define DISK HEAD SINK("disk")

static void push(rig *r, double from, double to) {
  for (; from <= to; from++) {
    expect_true("push", fake_device_push(rig_device(r, "m"), 0, from));
  }
}

/* Acknowledges those from..to; the others stay as they are. */
static void ack(fake_sink *sink, double from, double to) {
  for (uint32_t i = 0; i < sink->n_pending;) {
    double value = fake_sink_value(sink->pending[i].batch);
    if (value >= from && value <= to) {
      fake_sink_judge(sink, i, 1, BB_VERDICT_ACKED);
    } else {
      i++;
    }
  }
}

static void note_sentence(void *user, const char *sentence) {
  (void)user;
  print_error("%s\n", sentence);
}

/* Nothing in it is damaged, and no records are there twice. */
static void expect_sound(const rig *r) {
  bb_store_options options = {.path = folder_path(&r->folder, BB_STORE_FILE)};
  bb_store *store;
  char why[BB_STORE_WHY];
  expect_int("open", bb_store_open(&options, &store, why), 0);
  expect_int("sound", bb_store_verify(store, note_sentence, NULL), 0);
  bb_store_close(store);
}

/* After a restart the sink has these values, in this order. */
static void expect_left(rig *r, const char *id, const double *values, uint32_t n) {
  fake_sink *sink = rig_sink(r, id);
  fake_sink_connect(sink);
  rig_until(r, sink->n_pending >= n);
  for (uint32_t i = 0; i < n; i++) {
    double value = fake_sink_value(sink->pending[i].batch);
    expect_double_at(id, value, values[i], __FILE__, __LINE__);
  }
  expect_uint(id, sink->n_pending, n);
  expect_uint("none is lost", bb_runtime_outlet(&r->runtime, id)->counters.dropped, 0);
  ack(sink, 0, 100);
}

typedef struct row {
  const char *name;
  double bus[2][2], hist[2]; /* what they take at once, of 1 to 8 */
  double bus_left[8], hist_left[8];
  uint32_t n_bus, n_hist;
  uint64_t packed; /* records in the store before the change */
} row;

static const row rows[] = {
    {"all of it",
     {{0, 0}, {0, 0}},
     {0, 0},
     {1, 2, 3, 4, 5, 6, 7, 8},
     {1, 2, 3, 4, 5, 6, 7, 8},
     8,
     8,
     8},
    {"before a pack", {{1, 4}, {0, 0}}, {0, 0}, {5, 6, 7, 8}, {1, 2, 3, 4, 5, 6, 7, 8}, 4, 8, 4},
    {"in a pack", {{0, 0}, {0, 0}}, {1, 3}, {1, 2, 3, 4, 5, 6, 7, 8}, {4, 5, 6, 7, 8}, 8, 5, 8},
    {"between packs", {{1, 2}, {5, 6}}, {1, 2}, {3, 4, 7, 8}, {3, 4, 5, 6, 7, 8}, 4, 6, 4},
    {"behind a pack", {{4, 8}, {0, 0}}, {1, 1}, {1, 2, 3}, {2, 3, 4, 5, 6, 7, 8}, 3, 7, 3},
};

/* Eight batches, of which bus has some saved and hist has all in memory. */
static void open_plant(rig *r, const row *of) {
  rig_open(r);
  rig_apply(r, MEMORY);
  fake_sink *bus = rig_sink(r, "bus"), *hist = rig_sink(r, "hist");
  fake_sink_connect(bus);
  fake_sink_connect(hist);
  rig_until(r, bus->ready && hist->ready);
  push(r, 1, 8);
  rig_until(r, bus->n_pending == 8 && hist->n_pending == 8);
  ack(bus, of->bus[0][0], of->bus[0][1]);
  ack(bus, of->bus[1][0], of->bus[1][1]);
  ack(hist, of->hist[0], of->hist[1]);
  rig_until(r, r->runtime.save.stats.records == of->packed && r->runtime.save.job == NULL);
}

static void test_save_mode_from_memory_to_disk_saves_what_lay_in_memory(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    rig r;
    print_message("%s\n", rows[i].name);
    open_plant(&r, &rows[i]);
    rig_apply(&r, DISK);
    const bb_outlet *hist = bb_runtime_outlet(&r.runtime, "hist");
    rig_until(&r, bb_outlet_saved(hist) == rows[i].n_hist && r.runtime.save.job == NULL);
    push(&r, 9, 9); /* and goes on behind it */
    rig_end_runtime(&r);
    expect_sound(&r);
    rig_reopen(&r);
    rig_apply(&r, DISK);
    double values[9];
    memcpy(values, rows[i].hist_left, sizeof(rows[i].hist_left));
    values[rows[i].n_hist] = 9;
    expect_left(&r, "hist", values, rows[i].n_hist + 1);
    memcpy(values, rows[i].bus_left, sizeof(rows[i].bus_left));
    values[rows[i].n_bus] = 9;
    expect_left(&r, "bus", values, rows[i].n_bus + 1);
    rig_close(&r);
  }
}

/* The same without the time to do it before the end. */
static void test_save_mode_saves_at_the_end_what_lay_in_memory(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    rig r;
    open_plant(&r, &rows[i]);
    rig_apply(&r, DISK);
    rig_end_runtime(&r);
    expect_sound(&r);
    rig_reopen(&r);
    rig_apply(&r, DISK);
    expect_left(&r, "hist", rows[i].hist_left, rows[i].n_hist);
    expect_left(&r, "bus", rows[i].bus_left, rows[i].n_bus);
    rig_close(&r);
  }
}

/* What the disk held goes to a sink that has only the memory now, and stays held until it is there. */
static void test_save_mode_from_disk_to_memory_holds_what_is_on_its_way(void **state) {
  (void)state;
  rig r;
  rig_open(&r);
  rig_apply(&r, DISK);
  push(&r, 1, 5);
  rig_end_runtime(&r);
  rig_reopen(&r);
  rig_apply(&r, MEMORY);
  fake_sink *hist = rig_sink(&r, "hist");
  fake_sink_connect(hist);
  rig_until(&r, hist->n_pending == 5);
  ack(hist, 1, 1);
  fake_sink_connect(rig_sink(&r, "bus"));
  rig_until(&r, rig_sink(&r, "bus")->n_pending == 5);
  ack(rig_sink(&r, "bus"), 1, 5);
  uint64_t jobs = r.runtime.save.jobs;
  rig_until(&r, r.runtime.save.jobs > jobs && r.runtime.save.job == NULL);
  fake_sink_lose(hist, "gone");
  rig_end_runtime(&r);
  rig_reopen(&r);
  rig_apply(&r, MEMORY);
  expect_left(&r, "hist", (const double[]){2, 3, 4, 5}, 4);
  rig_until(&r, r.runtime.save.stats.records == 0 && r.runtime.save.job == NULL);
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_save_mode_from_memory_to_disk_saves_what_lay_in_memory),
      cmocka_unit_test(test_save_mode_from_disk_to_memory_holds_what_is_on_its_way),
      cmocka_unit_test(test_save_mode_saves_at_the_end_what_lay_in_memory),
  };
  return cmocka_run_group_tests_name("save_mode", tests, NULL, NULL);
}
