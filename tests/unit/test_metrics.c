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
#include "support/expect.h"
#include "support/exposition.h"
#include "support/metrics_rig.h"

#define MANY 700 /* devices */

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
static size_t render(metrics_rig *r, bb_buf *all, void (*between)(metrics_rig *r, size_t slice)) {
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
      {"busbar_batches_total", "71"},
      {"busbar_commands_open", "2"},
      {"busbar_queue_bytes", "4096"},
      {"busbar_connection_requests_total{connection=\"line\"}", "42"},
      {"busbar_connection_answers_total{connection=\"line\"}", "33"},
      {"busbar_connection_refusals_total{connection=\"line\"}", "4"},
      {"busbar_connection_timeouts_total{connection=\"line\"}", "9"},
      {"busbar_connection_malformed_total{connection=\"line\"}", "5"},
      {"busbar_connection_discarded_total{connection=\"line\"}", "6"},
      {"busbar_connection_connects_total{connection=\"line\"}", "8"},
      {"busbar_connection_disconnects_total{connection=\"line\"}", "7"},
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
      {"busbar_sink_delivered_batches_total{sink=\"bus\"}", "50"},
      {"busbar_sink_retried_batches_total{sink=\"bus\"}", "13"},
      {"busbar_sink_refused_batches_total{sink=\"bus\"}", "1"},
      {"busbar_sink_dropped_batches_total{sink=\"bus\"}", "14"},
      {"busbar_store_bytes", ""}, /* there is no store */
  };
  (void)state;
  metrics_rig *r = metrics_rig_open(1);
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
  metrics_rig_close(r);
}

static void test_metrics_of_the_store(void **state) {
  static const struct {
    const char *series, *expected;
  } rows[] = {
      {"busbar_store_bytes", "1000"},
      {"busbar_store_records", "21"},
      {"busbar_store_max_bytes", "9000"},
      {"busbar_store_file_bytes", "40960"},
      {"busbar_store_saved_records_total", "22"},
      {"busbar_store_saved_samples_total", "1320"},
      {"busbar_store_written_bytes_total", "12000"}, /* before it was opened anew, and since */
      {"busbar_store_commits_total", "5"},
      {"busbar_store_commit_failures_total", "3"},
      {"busbar_store_failing", "0"},
      {"busbar_store_dead_letters", "2"},
  };
  (void)state;
  metrics_rig *r = metrics_rig_open(1);
  bb_save *save = &r->runtime.save;
  save->open = true;
  save->limits.max_bytes = 9000;
  save->stats.bytes = 1000;
  save->stats.records = 21;
  save->stats.file_bytes = 40960;
  save->stats.written_bytes = 5000;
  save->stats.dead = 2;
  save->written_before = 7000;
  save->saved = 22;
  save->saved_samples = 1320;
  save->jobs = 8;
  save->failed = 3;
  bb_buf all;
  char value[64];
  render(r, &all, NULL);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_text(rows[i].series,
                exposition_get(bb_buf_string(&all), rows[i].series, value, sizeof(value)),
                rows[i].expected);
  }
  bb_buf_close(&all);
  metrics_rig_close(r);
}

static void test_metrics_before_the_first_config(void **state) {
  (void)state;
  metrics_rig *r = metrics_rig_open(1);
  bb_buf all;
  r->runtime.config = NULL;
  render(r, &all, NULL);
  expect_true("samples", exposition_check(bb_buf_string(&all)) > 10);
  bb_buf_close(&all);
  metrics_rig_close(r);
}

static void remove_some(metrics_rig *r, size_t slice) {
  if (slice > 20) return;
  for (uint32_t i = 0; i < 30; i++) {
    metrics_rig_remove(r, r->config->devices[(slice * 30 + i) % MANY].id);
  }
}

static void test_metrics_in_slices(void **state) {
  (void)state;
  metrics_rig *r = metrics_rig_open(MANY);
  bb_buf all;
  expect_true("slices", render(r, &all, NULL) >= 10);
  size_t n = exposition_check(bb_buf_string(&all));
  expect_true("samples", n > MANY * 2 * 10);
  bb_buf_close(&all);
  render(r, &all, remove_some);
  expect_true("fewer samples", exposition_check(bb_buf_string(&all)) < n);
  bb_buf_close(&all);
  metrics_rig_close(r);
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
  metrics_rig *r = metrics_rig_open(MANY);
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
  metrics_rig_close(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exposition_escapes),
      cmocka_unit_test(test_exposition_numbers),
      cmocka_unit_test(test_exposition_histogram),
      cmocka_unit_test(test_metrics_shows_what_was_counted),
      cmocka_unit_test(test_metrics_of_the_store),
      cmocka_unit_test(test_metrics_before_the_first_config),
      cmocka_unit_test(test_metrics_in_slices),
      cmocka_unit_test(test_metrics_counts_descriptors_in_slices),
      cmocka_unit_test(test_metrics_end_in_the_middle),
  };
  return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
