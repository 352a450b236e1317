/* SPDX-License-Identifier: Apache-2.0 */
/* The exposition, and the cursor over a runtime that is put together by hand. */
#include "runtime/metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "runtime/exposition.h"
#include "runtime/health_page.h"
#include "support/expect.h"
#include "support/exposition.h"

#define MANY 700 /* devices */

typedef struct {
  bb_runtime runtime;
  bb_log log;
  bb_config *config;
  bb_link link;
  bb_conn conn;
} rig;

static const bb_scan fast = {.name = "fast"}, slow = {.name = "slow"};

static void add_station(rig *r, const char *id) {
  bb_station *station = calloc(1, sizeof(*station) + 2 * sizeof(station->scans[0]));
  station->id = id;
  station->link = &r->link;
  station->n_scans = 2;
  for (int i = 0; i < 2; i++) {
    station->scans[i].station = station;
    station->scans[i].scan = i == 0 ? &fast : &slow;
  }
  station->scans[0].counters = (bb_scan_counters){.polls = 12,
                                                  .done = 10,
                                                  .failed = 2,
                                                  .skipped = 3,
                                                  .late_ns_max = 1500000,
                                                  .late_ns_sum = 2000000,
                                                  .samples = {7, 5, 3, 1}};
  expect_int(id, bb_map_add(&r->runtime.stations, id, station), 0);
}

static void remove_station(rig *r, const char *id) {
  free(bb_map_remove(&r->runtime.stations, id));
}

static void make_config(rig *r, unsigned n) {
  bb_buf text;
  bb_report report;
  bb_report_init(&report);
  bb_buf_init(&text, 1u << 20);
  bb_buf_text(&text, "busbar: 1\nconnections:\n  - { id: line, modbus-tcp: { host: 10.0.0.1 } }\n"
                     "devices:\n");
  for (unsigned i = 0; i < n; i++) {
    bb_buf_printf(&text, "  - { id: m%u, connection: line, unit: %u, profile: generic/modbus }\n",
                  i, i % 200);
  }
  setenv("BUSBAR_PROFILES", BB_REPO_DIR "/profiles", 1);
  int err = bb_config_parse(&r->config, "c.yaml", (const char *)text.bytes, text.len, &bb_kinds_all,
                            &report);
  expect_text("mistake", report.n > 0 ? report.mistakes[0].text : "", "");
  expect_int("config", err, 0);
  bb_buf_close(&text);
  bb_report_close(&report);
}

static rig *make_rig(unsigned n) {
  rig *r = calloc(1, sizeof(*r));
  bb_log_init(&r->log, 2);
  make_config(r, n);
  r->runtime.log = &r->log;
  bb_list_init(&r->runtime.parked);
  r->runtime.clock = bb_clock_system();
  r->runtime.kinds = &bb_kinds_all;
  r->runtime.config = r->config;
  r->conn.up = true;
  r->conn.counters.requests = 42;
  r->link = (bb_link){.id = "line", .conn = &r->conn};
  bb_histogram_add(&r->runtime.latency[0], 70000);
  bb_map_add(&r->runtime.links, "line", &r->link);
  for (uint32_t i = 0; i < n; i++) add_station(r, r->config->devices[i].id);
  return r;
}

static void free_rig(rig *r) {
  for (uint32_t i = 0; i < r->config->n_devices; i++) remove_station(r, r->config->devices[i].id);
  bb_map_close(&r->runtime.stations);
  bb_map_close(&r->runtime.links);
  bb_config_unref(r->config);
  free(r);
}

static void test_exposition_escapes(void **state) {
  static const struct {
    const char *value;
    const char *expected;
  } rows[] = {
      {"plain", "x{k=\"plain\"} 1\n"},
      {"a\"b", "x{k=\"a\\\"b\"} 1\n"},
      {"a\\b", "x{k=\"a\\\\b\"} 1\n"},
      {"a\nb", "x{k=\"a\\nb\"} 1\n"},
      {"Zähler", "x{k=\"Zähler\"} 1\n"},
      {"a\xff", "x{k=\"a?\"} 1\n"},
      {"", "x{k=\"\"} 1\n"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_buf out;
    bb_buf_init(&out, 1024);
    const bb_exposition_series series = {"x", {{"k", rows[i].value}}};
    bb_exposition_whole(&out, &series, 1);
    expect_text(rows[i].value, bb_buf_string(&out), rows[i].expected);
    bb_buf_close(&out);
  }
}

static void test_exposition_numbers(void **state) {
  (void)state;
  bb_buf out;
  bb_buf_init(&out, 1u << 16);
  const bb_exposition_series series = {"x_total", {{NULL, NULL}}};
  bb_exposition_whole(&out, &series, UINT64_MAX);
  bb_exposition_seconds(&out, &series, 1500000);
  bb_exposition_seconds(&out, &series, 1763690000000000000ull);
  expect_text("numbers", bb_buf_string(&out),
              "x_total 18446744073709551615\nx_total 0.0015\nx_total 1763690000\n");
  bb_buf_close(&out);
}

static void test_exposition_histogram(void **state) {
  (void)state;
  bb_histogram histogram = {.count = 0};
  bb_buf out;
  char value[64];
  bb_buf_init(&out, 1u << 16);
  bb_histogram_add(&histogram, 65536);
  bb_histogram_add(&histogram, 65537);
  bb_histogram_add(&histogram, 1ull << 60);
  bb_exposition_head(&out, "h_seconds", "histogram", "Test.");
  const bb_exposition_series series = {"h_seconds", {{"d", "a"}}};
  bb_exposition_histogram(&out, &series, &histogram);
  const char *text = bb_buf_string(&out);
  expect_uint("samples", exposition_check(text), BB_HISTOGRAM_BUCKETS + 3);
#define GET(series) exposition_get(text, series, value, sizeof(value))
  expect_text("first", GET("h_seconds_bucket{d=\"a\",le=\"0.000065536\"}"), "1");
  expect_text("second", GET("h_seconds_bucket{d=\"a\",le=\"0.000131072\"}"), "2");
  expect_text("last", GET("h_seconds_bucket{d=\"a\",le=\"+Inf\"}"), "3");
  expect_text("count", GET("h_seconds_count{d=\"a\"}"), "3");
  bb_buf_close(&out);
}

/* All slices in one text. `between` is called after each. */
static size_t render(rig *r, bb_buf *all, void (*between)(rig *r, size_t slice)) {
  bb_metrics metrics;
  size_t n = 0;
  int more = 1;
  bb_buf_init(all, 64u << 20);
  bb_metrics_start(&metrics, &r->runtime);
  while (more == 1) {
    bb_buf slice;
    bb_buf_init(&slice, BB_METRICS_MAX_BYTES);
    more = bb_metrics_slice(&metrics, &slice);
    expect_true("slice", slice.len < BB_METRICS_SLICE_BYTES + 8192);
    bb_buf_append(all, slice.bytes, slice.len);
    bb_buf_close(&slice);
    if (between != NULL) between(r, n);
    n++;
  }
  expect_int("end", more, 0);
  bb_metrics_end(&metrics);
  return n;
}

static void test_metrics_shows_what_was_counted(void **state) {
  static const struct {
    const char *series, *expected;
  } rows[] = {
      {"busbar_build_info{version=\"" BB_VERSION "\"}", "1"},
      {"busbar_ready", "1"},
      {"busbar_connection_up{connection=\"line\"}", "1"},
      {"busbar_connection_requests_total{connection=\"line\"}", "42"},
      {"busbar_device_up{device=\"m0\"}", "0"},
      {"busbar_scan_polls_total{device=\"m0\",scan=\"fast\"}", "12"},
      {"busbar_scan_polls_answered_total{device=\"m0\",scan=\"fast\"}", "10"},
      {"busbar_scan_polls_failed_total{device=\"m0\",scan=\"fast\"}", "2"},
      {"busbar_scan_periods_skipped_total{device=\"m0\",scan=\"fast\"}", "3"},
      {"busbar_scan_polls_total{device=\"m0\",scan=\"slow\"}", "0"},
      {"busbar_scan_lateness_max_seconds{device=\"m0\",scan=\"fast\"}", "0.0015"},
      {"busbar_scan_lateness_seconds_total{device=\"m0\",scan=\"fast\"}", "0.002"},
      {"busbar_scan_samples_total{device=\"m0\",scan=\"fast\",quality=\"good\"}", "7"},
      {"busbar_scan_samples_total{device=\"m0\",scan=\"fast\",quality=\"uncertain\"}", "5"},
      {"busbar_scan_samples_total{device=\"m0\",scan=\"fast\",quality=\"bad\"}", "3"},
      {"busbar_scan_samples_total{device=\"m0\",scan=\"fast\",quality=\"stale\"}", "1"},
      {"busbar_driver_latency_seconds_count{driver=\"modbus-tcp\"}", "1"},
      {"busbar_commands_total{outcome=\"confirmed\"}", "0"},
      {"busbar_log_lines_total{level=\"warn\"}", "0"},
      {"busbar_store_bytes", ""}, /* there is no store */
  };
  (void)state;
  rig *r = make_rig(1);
  bb_buf all;
  char value[64];
  render(r, &all, NULL);
  const char *text = bb_buf_string(&all);
  exposition_check(text);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_text(rows[i].series, exposition_get(text, rows[i].series, value, sizeof(value)),
                rows[i].expected);
  }
  double resident =
      strtod(exposition_get(text, "process_resident_memory_bytes", value, sizeof(value)), NULL);
  expect_true("resident memory", resident > 1e6 && resident < 1e11);
  bb_buf_close(&all);
  free_rig(r);
}

static void test_metrics_before_the_first_config(void **state) {
  (void)state;
  rig *r = make_rig(1);
  bb_buf all;
  r->runtime.config = NULL;
  render(r, &all, NULL);
  expect_true("samples", exposition_check(bb_buf_string(&all)) > 10);
  bb_buf_close(&all);
  free_rig(r);
}

static void remove_some(rig *r, size_t slice) {
  if (slice > 20) return;
  for (uint32_t i = 0; i < 30; i++) {
    remove_station(r, r->config->devices[(slice * 30 + i) % MANY].id);
  }
}

static void test_metrics_in_slices(void **state) {
  (void)state;
  rig *r = make_rig(MANY);
  bb_buf all;
  expect_true("slices", render(r, &all, NULL) >= 10);
  size_t n = exposition_check(bb_buf_string(&all));
  expect_true("samples", n > MANY * 2 * 10);
  bb_buf_close(&all);
  render(r, &all, remove_some);
  expect_true("fewer samples", exposition_check(bb_buf_string(&all)) < n);
  bb_buf_close(&all);
  free_rig(r);
}

static void test_metrics_counts_descriptors_in_slices(void **state) {
  (void)state;
  int opened[900];
  size_t n = 0;
  while (n < 900 && (opened[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) n++;
  uint64_t listed = 0;
  DIR *folder = opendir("/proc/self/fd");
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    listed += entry->d_name[0] != '.';
  }
  closedir(folder);
  bb_descriptors descriptors = {.n = 0};
  unsigned slices = 1;
  while (bb_descriptors_count(&descriptors)) slices++;
  expect_uint("descriptors", descriptors.n, listed - 1);
  expect_uint("slices", slices, n == 900 ? 2 : slices);
  while (n > 0) close(opened[--n]);
}

static void test_metrics_end_in_the_middle(void **state) {
  (void)state;
  rig *r = make_rig(MANY);
  bb_metrics metrics;
  bb_buf slice;
  bb_buf_init(&slice, BB_METRICS_MAX_BYTES);
  bb_metrics_start(&metrics, &r->runtime);
  expect_int("more", bb_metrics_slice(&metrics, &slice), 1);
  bb_metrics_end(&metrics);
  bb_metrics_end(&metrics);
  bb_buf_close(&slice);
  bb_buf_init(&slice, 100);
  bb_metrics_start(&metrics, &r->runtime);
  expect_int("no room", bb_metrics_slice(&metrics, &slice), BB_ERR_LIMIT);
  bb_metrics_end(&metrics);
  bb_buf_close(&slice);
  free_rig(r);
}

static void test_health_page_says_what_is_missing(void **state) {
  (void)state;
  rig *r = make_rig(MANY);
  bb_buf page;
  bb_buf_init(&page, 1u << 20);
  snprintf(r->link.reason.text, sizeof(r->link.reason.text), "no connection to 10.0.0.1:502");
  remove_station(r, "m1");
  bb_station *station = bb_map_get(&r->runtime.stations, "m0");
  station->scans[0].counters = (bb_scan_counters){.polls = 0};
  station->scans[0].period_ns = 1000000000; /* polled, but not yet */
  for (uint32_t i = 2; i < MANY; i++) {
    station = bb_map_get(&r->runtime.stations, r->config->devices[i].id);
    station->known = true;
  }
  station = bb_map_get(&r->runtime.stations, "m2");
  snprintf(station->reason.text, sizeof(station->reason.text), "no answer for 3 s");
  bb_station *good = bb_map_get(&r->runtime.stations, "m3");
  good->up = true;
  expect_int("ready", bb_health_page_ready(&r->runtime, &page), false);
  const char *text = bb_buf_string(&page);
  expect_part("head", text, "not ready\n");
  expect_part("m0", text, "device m0: not asked yet: no connection to 10.0.0.1:502\n");
  expect_part("m1", text, "device m1: not started\n");
  expect_part("m2", text, "device m2: does not answer: no answer\n");
  expect_true("m3", strstr(text, "device m3:") == NULL);
  expect_part("rest", text, "and 599 more\n");
  bb_buf_close(&page);
  free_rig(r);
}

static void test_health_page_tells_that_the_store_fails(void **state) {
  (void)state;
  rig *r = make_rig(1);
  bb_buf page;
  bb_buf_init(&page, 1u << 20);
  bb_health_page_alive(&r->runtime, &page);
  expect_text("without a store", bb_buf_string(&page), "ok\n");
  r->runtime.save.open = r->runtime.save.spool.failing = true;
  snprintf(r->runtime.save.spool.why, BB_STORE_WHY, "/data/store.db: the disk is full");
  bb_buf_clear(&page);
  bb_health_page_alive(&r->runtime, &page);
  expect_part("alive", bb_buf_string(&page),
              "ok\nstore: /data/store.db: the disk is full; readings");
  bb_buf_clear(&page);
  expect_true("ready all the same", bb_health_page_ready(&r->runtime, &page));
  expect_part("ready", bb_buf_string(&page), "ready\nstore: /data/store.db: the disk is full;");
  r->runtime.save.spool.failing = false;
  bb_buf_clear(&page);
  bb_health_page_alive(&r->runtime, &page);
  expect_text("works again", bb_buf_string(&page), "ok\n");
  bb_buf_close(&page);
  free_rig(r);
}

/* A reason keeps the times of the moment when it came about; the page has those of now. */
static void test_health_page_tells_no_time_that_is_over(void **state) {
  static const struct {
    const char *reason, *expected;
    int64_t ago_ms; /* 0: not known since when */
  } rows[] = {
      {"no answer from 10.0.0.21:502 for 3 s (unit 1); next try in 800 ms",
       "does not answer for 4 min: no answer from 10.0.0.21:502 (unit 1)\n", 240000},
      {"no connection to 10.0.0.21:502: connection refused; next try in 1.2 s",
       "does not answer for 59 s: no connection to 10.0.0.21:502: connection refused\n", 59000},
      {"the gateway gw:502 has not reached unit 9 for 0 ms; next try in 5 min",
       "does not answer: the gateway gw:502 has not reached unit 9\n", 0},
      {"no room for 3 of them; wait for it",
       "does not answer: no room for 3 of them; wait for it\n", 0},
  };
  (void)state;
  rig *r = make_rig(MANY);
  bb_buf page;
  bb_buf_init(&page, 1u << 20);
  bb_station *station = bb_map_get(&r->runtime.stations, "m2");
  station->known = true;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    int64_t now_ns = bb_clock_utc_ns(&r->runtime.clock);
    station->since_ns = rows[i].ago_ms > 0 ? now_ns - rows[i].ago_ms * (int64_t)BB_NS_PER_MS : 0;
    snprintf(station->reason.text, sizeof(station->reason.text), "%s", rows[i].reason);
    bb_buf_clear(&page);
    bb_health_page_ready(&r->runtime, &page);
    expect_part("device m2: ", bb_buf_string(&page), rows[i].expected);
  }
  bb_buf_close(&page);
  free_rig(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exposition_escapes),
      cmocka_unit_test(test_exposition_numbers),
      cmocka_unit_test(test_exposition_histogram),
      cmocka_unit_test(test_metrics_shows_what_was_counted),
      cmocka_unit_test(test_metrics_before_the_first_config),
      cmocka_unit_test(test_metrics_in_slices),
      cmocka_unit_test(test_metrics_counts_descriptors_in_slices),
      cmocka_unit_test(test_metrics_end_in_the_middle),
      cmocka_unit_test(test_health_page_says_what_is_missing),
      cmocka_unit_test(test_health_page_tells_that_the_store_fails),
      cmocka_unit_test(test_health_page_tells_no_time_that_is_over),
  };
  return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
