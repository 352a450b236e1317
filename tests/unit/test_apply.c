/* SPDX-License-Identifier: Apache-2.0 */
/* From one config to the next: what did not change never notices. What stands in the way of an apply:
 * test_apply_faults.c. */
#include "runtime/apply.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/apply_rig.h"
#include "support/expect.h"

#define FAST 0

static void test_apply_of_the_same_changes_nothing(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  apply_before one = apply_note(&r, "meter-1"), two = apply_note(&r, "meter-2");
  const bb_outlet *outlet = bb_runtime_outlet(&r.runtime, "bus");
  const bb_feed *feed = one.station->scans[FAST].feeds;
  bb_runtime_pause(&r.runtime, true); /* no polls in the journal */
  rig_apply(&r, "# other lines\n\n" RIG_PLANT);
  apply_expect_untouched(&r, "meter-1", one);
  apply_expect_untouched(&r, "meter-2", two);
  expect_true("the sink", bb_runtime_outlet(&r.runtime, "bus") == outlet);
  expect_true("the feed", one.station->scans[FAST].feeds == feed);
  expect_uint("no attach", journal_count("meter-1 attach") + journal_count("meter-2 attach"), 0);
  expect_uint("no open", journal_count("a open") + journal_count("bus open"), 0);
  expect_uint("no shape", journal_count("bus shape*") + journal_count("bus gone*"), 0);
  expect_uint("twice applied", r.runtime.applied, 2);
  rig_close(&r);
}

static void test_apply_reattaches_a_changed_device_only(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  apply_before one = apply_note(&r, "meter-1"), two = apply_note(&r, "meter-2");
  rig_apply(&r,
            RIG_CONNECTIONS "devices:\n" RIG_DEVICE(
                "meter-1", "a") "  - { id: meter-2, connection: b, slot: 3, profile: " RIG_PROFILE
                                " }\n" RIG_SINK);
  apply_expect_untouched(&r, "meter-1", one);
  expect_true("its connection stays", apply_note(&r, "meter-2").conn == two.conn);
  expect_order("meter-2 detach", "bus gone meter-2 fast", "meter-2 attach",
               "bus shape meter-2 fast 3 points");
  expect_uint("the other", journal_count("meter-1 detach") + journal_count("bus gone meter-1*"), 0);
  expect_uint("no close", journal_count("b close"), 0);
  apply_push_until_live(&r, "meter-2", "bus live meter-2 fast 10");
  rig_close(&r);
}

static void test_apply_sees_a_change_of_tags_site_and_profile(void **state) {
  (void)state;
  static const char *const texts[] = {
      RIG_CONNECTIONS "site: { id: plant-7 }\n" RIG_DEVICES RIG_SINK,
      RIG_CONNECTIONS "site: { tags: { area: north } }\n" RIG_DEVICES RIG_SINK,
      RIG_CONNECTIONS "devices:\n"
                      "  - { id: meter-1, connection: a, profile: { profile: 1, id: acme/cyclic, "
                      "points: [{ name: power, type: float64, holding: 0 }] } }\n" RIG_SINK,
      RIG_CONNECTIONS
      "devices:\n  - { id: meter-1, connection: a, tags: { asset: x }, profile: " RIG_PROFILE
      " }\n" RIG_SINK,
      RIG_CONNECTIONS
      "devices:\n  - { id: meter-1, connection: a, scan: { slow: 5s }, profile: " RIG_PROFILE
      " }\n" RIG_SINK,
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    rig r;
    apply_open(&r, RIG_PLANT);
    rig_apply(&r, texts[i]);
    expect_uint(texts[i], journal_count("meter-1 detach"), 1);
    expect_uint(texts[i], journal_count("meter-1 attach"), 1);
    expect_uint(texts[i], journal_count("a close"), 0);
    rig_close(&r);
  }
}

static void write_profile(const char *path, const char *type) {
  FILE *file = fopen(path, "w");
  fprintf(file, "profile: 1\npoints:\n  - { name: power, type: %s, holding: 0 }\n", type);
  fclose(file);
}

static void test_apply_sees_a_profile_file_that_changed(void **state) {
  (void)state;
  rig r;
  char text[1024];
  rig_open(&r);
  const char *path = folder_path(&r.folder, "own.yaml");
  snprintf(text, sizeof(text),
           RIG_CONNECTIONS "devices:\n  - { id: meter-1, connection: a, profile: %s }\n"
                           "  - { id: meter-2, connection: b, profile: generic/modbus }\n",
           path);
  write_profile(path, "float64");
  rig_apply(&r, text);
  rig_apply(&r, text);
  expect_uint("the same", journal_count("meter-1 detach"), 0);
  write_profile(path, "uint32");
  rig_apply(&r, text);
  expect_order("meter-1 detach", "meter-1 attach");
  expect_uint("the other", journal_count("meter-2 detach"), 0);
  rig_close(&r);
}

static void test_apply_reopens_the_sinks_of_another_site(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  rig_apply(&r, "site: { id: plant-7 }\n" RIG_PLANT);
  expect_order("bus close", "bus closed", "bus open");
  expect_text("which know it", rig_sink(&r, "bus")->base.site, "plant-7");
  rig_close(&r);
}

static void test_apply_reopens_a_changed_connection(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  apply_before two = apply_note(&r, "meter-2");
  rig_apply(&r,
            "busbar: 1\nconnections:\n"
            "  - { id: a, cyclic: { port: 9 } }\n  - { id: b, cyclic: { port: 2 } }\n" RIG_DEVICES
                RIG_SINK);
  apply_expect_untouched(&r, "meter-2", two);
  expect_order("meter-1 detach", "a close", "a open", "meter-1 attach");
  apply_push_until_live(&r, "meter-1", "bus live meter-1 fast 10");
  rig_close(&r);
}

static void test_apply_moves_an_endpoint_from_one_to_the_other(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  rig_apply(&r,
            "busbar: 1\nconnections:\n"
            "  - { id: a, cyclic: { port: 2 } }\n  - { id: b, cyclic: { port: 1 } }\n" RIG_DEVICES
                RIG_SINK);
  /* Both have let go before either is taken. */
  int closed = journal_find("a close", 0), also = journal_find("b close", 0);
  expect_true("closed", closed >= 0 && also >= 0);
  int last = closed > also ? closed : also;
  expect_true("then opened", journal_find("a open", 0) > last && journal_find("b open", 0) > last);
  rig_close(&r);
}

static void test_apply_closes_what_is_gone(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  apply_before one = apply_note(&r, "meter-1");
  rig_apply(&r, RIG_CONNECTIONS "devices:\n" RIG_DEVICE("meter-1", "a") RIG_SINK);
  apply_expect_untouched(&r, "meter-1", one);
  expect_order("meter-2 detach", "b close"); /* nobody uses it any more */
  expect_true("gone", bb_runtime_station(&r.runtime, "meter-2") == NULL);
  expect_true("too", bb_map_get(&r.runtime.links, "b") == NULL);
  rig_apply(&r, "busbar: 1\n");
  expect_order("meter-1 detach", "a close");
  expect_order("bus close", "bus closed");
  expect_uint("nothing left",
              r.runtime.stations.n + r.runtime.links.n + r.runtime.outlets.n +
                  r.runtime.streams[BB_STORE_TELEMETRY].n,
              0);
  rig_close(&r);
}

static void test_apply_leaves_a_disabled_device_out(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  rig_apply(&r, RIG_CONNECTIONS "devices:\n" RIG_DEVICE(
                    "meter-1",
                    "a") "  - { id: meter-2, connection: b, enabled: false, profile: " RIG_PROFILE
                         " }\n" RIG_SINK);
  expect_order("meter-2 detach", "b close");
  expect_uint("not attached", journal_count("meter-2 attach"), 0);
  rig_close(&r);
}

static void test_apply_reroutes_without_touching_devices(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  apply_before one = apply_note(&r, "meter-1"), two = apply_note(&r, "meter-2");
  rig_apply(&r,
            RIG_CONNECTIONS RIG_DEVICES RIG_SINK "routes:\n  - { sink: bus, devices: [meter-1], "
                                                 "scans: [fast], points: [power] }\n");
  apply_expect_untouched(&r, "meter-1", one);
  apply_expect_untouched(&r, "meter-2", two);
  expect_uint("no detach", journal_count("meter-1 detach") + journal_count("meter-2 detach"), 0);
  expect_order("bus gone meter-2 fast");
  expect_order("bus gone meter-1 slow");
  expect_order("bus shape meter-1 fast 1 points");
  expect_uint("bus open", journal_count("bus open"), 0);
  fake_device_push(rig_device(&r, "meter-2"), FAST, 5);
  apply_push_until_live(&r, "meter-1", "bus live meter-1 fast 10");
  expect_uint("no route, no batch", journal_count("bus live meter-2*"), 0);
  rig_close(&r);
}

/* Each route with points of its own has a shape; one that two bring is told once, and gone with the
 * second. What stays as it was is not told again. */
static void test_apply_tells_only_the_shapes_that_differ(void **state) {
  (void)state;
  static const char first[] = RIG_CONNECTIONS RIG_DEVICES RIG_SINK
      "routes:\n  - { sink: bus, devices: [meter-1], scans: [fast], points: [power] }\n"
      "  - { sink: bus, devices: [meter-1], scans: [fast], points: [power], report: changes }\n"
      "  - { sink: bus, devices: [meter-1], scans: [fast], points: [count, power] }\n";
  static const char fewer[] = RIG_CONNECTIONS RIG_DEVICES RIG_SINK
      "routes:\n"
      "  - { sink: bus, devices: [meter-1], scans: [fast], points: [power], report: changes }\n"
      "  - { sink: bus, devices: [meter-1], scans: [fast] }\n";
  static const char none[] =
      RIG_CONNECTIONS RIG_DEVICES RIG_SINK "routes:\n  - { sink: bus, devices: [meter-2] }\n";
  rig r;
  rig_open(&r);
  rig_apply(&r, first);
  expect_uint("of two routes", journal_count("bus shape meter-1 fast 1 points"), 1);
  expect_uint("of the third", journal_count("bus shape meter-1 fast 2 points"), 1);
  journal_clear();
  rig_apply(&r, fewer);
  expect_uint("the third", journal_count("bus gone meter-1 fast"), 1);
  expect_uint("the new one", journal_count("bus shape meter-1 fast 3 points"), 1);
  expect_uint("no other", journal_count("bus shape*"), 1);
  journal_clear();
  rig_apply(&r, none);
  expect_uint("both", journal_count("bus gone meter-1 fast"), 2);
  rig_close(&r);
}

/* What was reported last is remembered when another sink comes. */
static void test_apply_keeps_feeds_going(void **state) {
  (void)state;
  rig r;
#define CHANGES "routes:\n  - { sink: bus, devices: [meter-1], scans: [fast], report: changes }\n"
  apply_open(&r, RIG_CONNECTIONS RIG_DEVICES RIG_SINK CHANGES);
  bb_runtime_pause(&r.runtime, true);
  apply_push_until_live(&r, "meter-1", "bus live meter-1 fast 10");
  rig_apply(&r, RIG_CONNECTIONS RIG_DEVICES RIG_TWO_SINKS CHANGES
            "  - { sink: hist, devices: [meter-2] }\n");
  journal_clear();
  fake_device_push(rig_device(&r, "meter-1"), FAST, 10);
  apply_push_until_live(&r, "meter-2", "hist live meter-2 fast 10");
  expect_uint("nothing has changed", journal_count("bus live*"), 0);
  rig_close(&r);
}

static void test_apply_adds_a_sink_that_learns_how_things_are(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  apply_push_until_live(&r, "meter-1", "bus live meter-1 fast 10");
  fake_device_state(rig_device(&r, "meter-2"), false, "no answer");
  apply_before one = apply_note(&r, "meter-1");
  rig_apply(&r, RIG_CONNECTIONS RIG_DEVICES RIG_TWO_SINKS);
  apply_expect_untouched(&r, "meter-1", one);
  expect_order("hist open", "hist shape meter-1 fast 3 points", "hist up meter-1");
  expect_order("hist shape meter-2 fast 3 points", "hist down meter-2");
  apply_push_until_live(&r, "meter-1", "hist live meter-1 fast 10");
  expect_uint("both share one stream", one.station->scans[FAST].feeds->next == NULL, 1);
  expect_text("named by both", one.station->scans[FAST].feeds->stream->name, "bus+hist");
  rig_close(&r);
}

static void test_apply_removes_a_sink(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_CONNECTIONS RIG_DEVICES RIG_TWO_SINKS);
  apply_before one = apply_note(&r, "meter-1");
  const bb_outlet *bus = bb_runtime_outlet(&r.runtime, "bus");
  rig_apply(&r, RIG_PLANT);
  expect_order("hist close", "hist closed");
  expect_uint("once", journal_count("hist close"), 1);
  expect_true("gone", bb_runtime_outlet(&r.runtime, "hist") == NULL);
  expect_true("the other stays", bb_runtime_outlet(&r.runtime, "bus") == bus);
  apply_expect_untouched(&r, "meter-1", one);
  apply_push_until_live(&r, "meter-1", "bus live meter-1 fast 10");
  rig_close(&r);
}

/* The place of the sink that goes is taken by the one that comes, which has nothing to do with the
 * feeds of the former: the fake sink fails when it is told that something is gone that never was. */
static void test_apply_replaces_a_sink(void **state) {
  (void)state;
  rig r;
  apply_open(&r, RIG_PLANT);
  apply_before one = apply_note(&r, "meter-1");
  rig_apply(&r, RIG_CONNECTIONS RIG_DEVICES "sinks:\n  - { id: cloud, session: {} }\n");
  expect_order("bus close", "bus closed", "cloud open", "cloud shape meter-1 fast 3 points");
  expect_uint("nothing was there", journal_count("cloud gone*"), 0);
  apply_expect_untouched(&r, "meter-1", one);
  rig_apply(&r, RIG_CONNECTIONS RIG_DEVICES "sinks:\n  - { id: cloud, session: { window: 5 } }\n");
  expect_order("cloud open", "cloud close", "cloud closed", "cloud open");
  expect_uint("its needs", bb_runtime_outlet(&r.runtime, "cloud")->needs.window_records, 5);
  apply_push_until_live(&r, "meter-1", "cloud live meter-1 fast 10");
  rig_close(&r);
}

static void test_apply_keeps_what_waits_for_a_sink(void **state) {
  (void)state;
  rig r;
  apply_open(&r,
             RIG_CONNECTIONS RIG_DEVICES "sinks:\n  - { id: bus, session: { manual: true } }\n");
  bb_runtime_pause(&r.runtime, true);
  fake_device_push(rig_device(&r, "meter-1"), FAST, 10);
  /* Another way of reporting, so another stream or feed; what waits is still owed. */
  rig_apply(&r, RIG_CONNECTIONS RIG_DEVICES "sinks:\n  - { id: bus, session: { manual: true } }\n"
                                            "routes:\n  - { sink: bus, devices: [meter-2] }\n");
  fake_sink *sink = rig_sink(&r, "bus");
  fake_sink_connect(sink);
  rig_until(&r, journal_count("bus live meter-1 fast 10") == 1);
  fake_sink_judge(sink, 0, sink->n_pending, BB_VERDICT_ACKED);
  expect_uint("nothing waits", bb_outlet_depth(bb_runtime_outlet(&r.runtime, "bus")), 0);
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_apply_of_the_same_changes_nothing),
      cmocka_unit_test(test_apply_reattaches_a_changed_device_only),
      cmocka_unit_test(test_apply_sees_a_change_of_tags_site_and_profile),
      cmocka_unit_test(test_apply_sees_a_profile_file_that_changed),
      cmocka_unit_test(test_apply_reopens_the_sinks_of_another_site),
      cmocka_unit_test(test_apply_reopens_a_changed_connection),
      cmocka_unit_test(test_apply_moves_an_endpoint_from_one_to_the_other),
      cmocka_unit_test(test_apply_closes_what_is_gone),
      cmocka_unit_test(test_apply_leaves_a_disabled_device_out),
      cmocka_unit_test(test_apply_reroutes_without_touching_devices),
      cmocka_unit_test(test_apply_tells_only_the_shapes_that_differ),
      cmocka_unit_test(test_apply_keeps_feeds_going),
      cmocka_unit_test(test_apply_adds_a_sink_that_learns_how_things_are),
      cmocka_unit_test(test_apply_removes_a_sink),
      cmocka_unit_test(test_apply_replaces_a_sink),
      cmocka_unit_test(test_apply_keeps_what_waits_for_a_sink),
  };
  setenv("BUSBAR_PROFILES", BB_REPO_DIR "/profiles", 1);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
