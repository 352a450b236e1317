/* SPDX-License-Identifier: Apache-2.0 */
/* See metrics_family.h. */
#include "runtime/metrics_family.h"

#include <stddef.h>
#include <string.h>

#include "runtime/exposition.h"
#include "runtime/process.h"

typedef bb_metrics_family family;
typedef bb_metrics_place place;

#define SERIES(...) (&(bb_exposition_series){f->name, {__VA_ARGS__}})

static uint64_t number(const void *object, size_t offset) {
  uint64_t value;
  memcpy(&value, (const char *)object + offset, sizeof(value));
  return value;
}

/* Of the runtime. */

static void show_build(const family *f, const place *at, bb_buf *out) {
  (void)at;
  bb_exposition_whole(out, SERIES({"version", BB_VERSION}), 1);
}

static void show_start(const family *f, const place *at, bb_buf *out) {
  bb_exposition_seconds(out, SERIES({NULL, NULL}), (uint64_t)at->runtime->started_ns);
}

static void show_memory(const family *f, const place *at, bb_buf *out) {
  (void)at;
  bb_exposition_whole(out, SERIES({NULL, NULL}), bb_process_resident_bytes());
}

static void show_cpu(const family *f, const place *at, bb_buf *out) {
  (void)at;
  bb_exposition_seconds(out, SERIES({NULL, NULL}), bb_process_cpu_ns());
}

static void show_max_descriptors(const family *f, const place *at, bb_buf *out) {
  (void)at;
  bb_exposition_whole(out, SERIES({NULL, NULL}), bb_process_max_descriptors());
}

static void show_descriptors(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({NULL, NULL}), at->descriptors);
}

static void show_number(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({NULL, NULL}), number(at->runtime, f->offset));
}

static void show_histogram(const family *f, const place *at, bb_buf *out) {
  const char *base = (const char *)at->runtime;
  const bb_histogram *histogram = (const void *)(base + f->offset);
  bb_exposition_histogram(out, SERIES({NULL, NULL}), histogram);
}

static void show_ready(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({NULL, NULL}), bb_runtime_is_ready(at->runtime));
}

static void show_open_commands(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({NULL, NULL}), at->runtime->door.open);
}

static void show_outcomes(const family *f, const place *at, bb_buf *out) {
  for (int i = 0; i < 4; i++) {
    bb_exposition_whole(out, SERIES({"outcome", bb_outcome_name((bb_outcome)i)}),
                        at->runtime->door.outcomes[i]);
  }
}

static void show_log_lines(const family *f, const place *at, bb_buf *out) {
  for (int i = 0; i < 4; i++) {
    bb_exposition_whole(out, SERIES({"level", bb_log_level_name((bb_log_level)i)}),
                        at->runtime->log->lines[i]);
  }
}

/* Of the store; without one there is nothing to show. */

static void show_saved(const family *f, const place *at, bb_buf *out) {
  if (!at->runtime->save.open) return;
  bb_exposition_whole(out, SERIES({NULL, NULL}), number(at->runtime, f->offset));
}

static void show_written(const family *f, const place *at, bb_buf *out) {
  if (!at->runtime->save.open) return;
  bb_exposition_whole(out, SERIES({NULL, NULL}), bb_save_written_bytes(&at->runtime->save));
}

static void show_commits(const family *f, const place *at, bb_buf *out) {
  const bb_save *save = &at->runtime->save;
  if (!save->open) return;
  bb_exposition_whole(out, SERIES({NULL, NULL}),
                      save->jobs - save->failed - (save->job != NULL ? 1 : 0));
}

static void show_failing(const family *f, const place *at, bb_buf *out) {
  const bb_save *save = &at->runtime->save;
  if (save->open) bb_exposition_whole(out, SERIES({NULL, NULL}), save->spool.failing);
}

/* Of a driver, a connection, a device, a scan, a sink. */

static void show_latency(const family *f, const place *at, bb_buf *out) {
  bb_exposition_histogram(out, SERIES({"driver", at->driver}), at->latency);
}

static void show_link(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({"connection", at->link->id}), number(at->link->conn, f->offset));
}

static void show_link_up(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({"connection", at->link->id}), at->link->conn->up);
}

static void show_device_up(const family *f, const place *at, bb_buf *out) {
  const bb_station *station = at->station;
  bb_exposition_whole(out, SERIES({"device", station->id}), station->known && station->up);
}

static void show_heard(const family *f, const place *at, bb_buf *out) {
  if (at->station->heard_ns <= 0) return;
  bb_exposition_seconds(out, SERIES({"device", at->station->id}), (uint64_t)at->station->heard_ns);
}

#define SCAN_SERIES SERIES({"device", at->station->id}, {"scan", at->scan->scan->name})

static void show_scan(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SCAN_SERIES, number(at->scan, f->offset));
}

static void show_scan_seconds(const family *f, const place *at, bb_buf *out) {
  bb_exposition_seconds(out, SCAN_SERIES, number(at->scan, f->offset));
}

static void show_samples(const family *f, const place *at, bb_buf *out) {
  for (unsigned i = 0; i < 4; i++) {
    const char *quality = bb_quality_name((uint8_t)(i << 6));
    const bb_exposition_series series = {
        f->name,
        {{"device", at->station->id}, {"scan", at->scan->scan->name}, {"quality", quality}}};
    bb_exposition_whole(out, &series, at->scan->counters.samples[i]);
  }
}

static void show_sink(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({"sink", at->outlet->id}), number(at->outlet, f->offset));
}

static void show_sink_own(const family *f, const place *at, bb_buf *out) {
  if (at->outlet->sink == NULL) return;
  bb_exposition_whole(out, SERIES({"sink", at->outlet->id}), number(at->outlet->sink, f->offset));
}

static void show_sink_ready(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({"sink", at->outlet->id}), at->outlet->ready);
}

static void show_sink_depth(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({"sink", at->outlet->id}), bb_outlet_depth(at->outlet));
}

static void show_sink_history(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({"sink", at->outlet->id}), bb_outlet_history(at->outlet));
}

static void show_sink_saved(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({"sink", at->outlet->id}), bb_outlet_saved(at->outlet));
}

static void show_orphan(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({"sink", at->orphan->sink}), at->orphan->batches);
}

static void show_orphan_dropped(const family *f, const place *at, bb_buf *out) {
  bb_exposition_whole(out, SERIES({"sink", at->orphan->sink}), at->orphan->dropped);
}

/* Prometheus knows process_… from every program and shows them as its own; the rest is ours. */
#define RUNTIME(field) offsetof(bb_runtime, field)
#define SAVE(field) offsetof(bb_runtime, save.field)
#define CONN(field) offsetof(bb_conn, counters.field)
#define COUNT(field) offsetof(bb_station_scan, counters.field)
#define OUT(field) offsetof(bb_outlet, counters.field)

const bb_metrics_family bb_metrics_families[] = {
    {"busbar_build_info", "gauge", "Always 1; its label tells the version.", BB_METRICS_ONCE,
     show_build, 0},
    {"process_start_time_seconds", "gauge", "Start of the runtime, in seconds since 1970.",
     BB_METRICS_ONCE, show_start, 0},
    {"process_resident_memory_bytes", "gauge", "Resident memory.", BB_METRICS_ONCE, show_memory, 0},
    {"process_cpu_seconds_total", "counter", "User and system time spent.", BB_METRICS_ONCE,
     show_cpu, 0},
    {"process_max_fds", "gauge", "Descriptors that may be open at once.", BB_METRICS_ONCE,
     show_max_descriptors, 0},
    {"process_open_fds", "gauge", "Open descriptors.", BB_METRICS_DESCRIPTORS, show_descriptors, 0},
    {"busbar_ready", "gauge", "1 if every device was asked once and every sink is ready.",
     BB_METRICS_ONCE, show_ready, 0},
    {"busbar_config_applies_total", "counter", "Configs applied.", BB_METRICS_ONCE, show_number,
     RUNTIME(applied)},
    {"busbar_batches_total", "counter", "Batches taken from the devices.", BB_METRICS_ONCE,
     show_number, RUNTIME(taken)},
    {"busbar_log_lines_total", "counter", "Log lines by level, those left out included.",
     BB_METRICS_ONCE, show_log_lines, 0},
    {"busbar_commands_total", "counter", "Commands to devices that have ended, by outcome.",
     BB_METRICS_ONCE, show_outcomes, 0},
    {"busbar_commands_open", "gauge", "Commands to devices under way.", BB_METRICS_ONCE,
     show_open_commands, 0},
    {"busbar_queue_bytes", "gauge", "Memory that holds what is not yet delivered.", BB_METRICS_ONCE,
     show_number, RUNTIME(queue.bytes)},
    {"busbar_queue_max_bytes", "gauge", "Bound of that memory.", BB_METRICS_ONCE, show_number,
     RUNTIME(queue.max_bytes)},
    {"busbar_store_bytes", "gauge", "What waits on the disk, without what the file adds to it.",
     BB_METRICS_ONCE, show_saved, SAVE(stats.bytes)},
    {"busbar_store_records", "gauge", "Batches that wait on the disk.", BB_METRICS_ONCE, show_saved,
     SAVE(stats.records)},
    {"busbar_store_max_bytes", "gauge", "Bound of busbar_store_bytes.", BB_METRICS_ONCE, show_saved,
     SAVE(limits.max_bytes)},
    {"busbar_store_file_bytes", "gauge", "Size of the store's file and its log.", BB_METRICS_ONCE,
     show_saved, SAVE(stats.file_bytes)},
    {"busbar_store_saved_records_total", "counter", "Batches written to the disk.", BB_METRICS_ONCE,
     show_saved, SAVE(saved)},
    {"busbar_store_saved_samples_total", "counter", "Samples in these batches.", BB_METRICS_ONCE,
     show_saved, SAVE(saved_samples)},
    {"busbar_store_written_bytes_total", "counter", "Bytes written to the disk.", BB_METRICS_ONCE,
     show_written, 0},
    {"busbar_store_commits_total", "counter", "Changes of the store that are safe on the disk.",
     BB_METRICS_ONCE, show_commits, 0},
    {"busbar_store_commit_failures_total", "counter", "Changes that the disk did not take.",
     BB_METRICS_ONCE, show_saved, SAVE(failed)},
    {"busbar_store_failing", "gauge", "1 while the disk does not take what is to be saved.",
     BB_METRICS_ONCE, show_failing, 0},
    {"busbar_store_dead_letters", "gauge", "Batches set aside that a sink refused for good.",
     BB_METRICS_ONCE, show_saved, SAVE(stats.dead)},
    {"busbar_loop_lag_seconds", "histogram", "How late the loop was, looked at twice a second.",
     BB_METRICS_ONCE, show_histogram, RUNTIME(loop_lag)},
    {"busbar_schedule_lateness_seconds", "histogram", "How late due polls were started.",
     BB_METRICS_ONCE, show_histogram, RUNTIME(schedule.lateness)},
    {"busbar_driver_latency_seconds", "histogram",
     "From a request to its answer, by driver; "
     "answers that nobody waits for are taken every 20 ms.",
     BB_METRICS_DRIVER, show_latency, 0},

    {"busbar_connection_up", "gauge", "1 if the connection is up.", BB_METRICS_CONNECTION,
     show_link_up, 0},
    {"busbar_connection_requests_total", "counter", "Requests sent.", BB_METRICS_CONNECTION,
     show_link, CONN(requests)},
    {"busbar_connection_answers_total", "counter", "Answers that belong to a request.",
     BB_METRICS_CONNECTION, show_link, CONN(answers)},
    {"busbar_connection_refusals_total", "counter", "Answers that were an exception.",
     BB_METRICS_CONNECTION, show_link, CONN(refusals)},
    {"busbar_connection_timeouts_total", "counter", "Requests without an answer in time.",
     BB_METRICS_CONNECTION, show_link, CONN(timeouts)},
    {"busbar_connection_malformed_total", "counter", "Answers that make no sense.",
     BB_METRICS_CONNECTION, show_link, CONN(malformed)},
    {"busbar_connection_discarded_total", "counter", "Answers that were late or foreign.",
     BB_METRICS_CONNECTION, show_link, CONN(discarded)},
    {"busbar_connection_connects_total", "counter", "Connections that came about.",
     BB_METRICS_CONNECTION, show_link, CONN(connects)},
    {"busbar_connection_disconnects_total", "counter", "Connections that were lost.",
     BB_METRICS_CONNECTION, show_link, CONN(disconnects)},

    {"busbar_device_up", "gauge", "1 if the device answers.", BB_METRICS_DEVICE, show_device_up, 0},
    {"busbar_device_heard_timestamp_seconds", "gauge",
     "When the newest good value came, in seconds since 1970.", BB_METRICS_DEVICE, show_heard, 0},
    {"busbar_scan_polls_total", "counter", "Polls started.", BB_METRICS_SCAN, show_scan,
     COUNT(polls)},
    {"busbar_scan_polls_answered_total", "counter", "Polls with an answer.", BB_METRICS_SCAN,
     show_scan, COUNT(done)},
    {"busbar_scan_polls_failed_total", "counter", "Polls without an answer.", BB_METRICS_SCAN,
     show_scan, COUNT(failed)},
    {"busbar_scan_periods_skipped_total", "counter", "Periods without a poll of their own.",
     BB_METRICS_SCAN, show_scan, COUNT(skipped)},
    {"busbar_scan_lateness_seconds_total", "counter", "Sum of how late the polls were started.",
     BB_METRICS_SCAN, show_scan_seconds, COUNT(late_ns_sum)},
    {"busbar_scan_lateness_max_seconds", "gauge", "The latest start of a poll so far.",
     BB_METRICS_SCAN, show_scan_seconds, COUNT(late_ns_max)},
    {"busbar_scan_samples_total", "counter", "Samples by quality.", BB_METRICS_SCAN, show_samples,
     0},

    {"busbar_sink_ready", "gauge", "1 if the sink takes batches.", BB_METRICS_SINK, show_sink_ready,
     0},
    {"busbar_sink_delivered_batches_total", "counter", "Batches that the peer confirmed.",
     BB_METRICS_SINK, show_sink, OUT(delivered)},
    {"busbar_sink_retried_batches_total", "counter", "Batches that had to be sent again.",
     BB_METRICS_SINK, show_sink, OUT(retried)},
    {"busbar_sink_refused_batches_total", "counter", "Batches that the peer will never take.",
     BB_METRICS_SINK, show_sink, OUT(refused)},
    {"busbar_sink_dropped_batches_total", "counter", "Batches given up for want of room.",
     BB_METRICS_SINK, show_sink, OUT(dropped)},
    {"busbar_sink_queue_batches", "gauge", "Batches that wait or are on their way.",
     BB_METRICS_SINK, show_sink_depth, 0},
    {"busbar_sink_history_batches", "gauge", "Of these, those that will be sent as history.",
     BB_METRICS_SINK, show_sink_history, 0},
    {"busbar_sink_saved_batches", "gauge", "Of these, those that are on the disk.", BB_METRICS_SINK,
     show_sink_saved, 0},
    {"busbar_sink_sent_bytes_total", "counter", "Payload sent, after compression.", BB_METRICS_SINK,
     show_sink_own, offsetof(bb_sink, bytes_sent)},
    {"busbar_sink_left_out_fields_total", "counter",
     "Fields that the encoding cannot carry (NaN, infinity).", BB_METRICS_SINK, show_sink_own,
     offsetof(bb_sink, left_out)},

    {"busbar_orphan_batches", "gauge", "Batches on the disk for a sink that is gone or disabled.",
     BB_METRICS_ORPHAN, show_orphan, 0},
    {"busbar_orphan_dropped_batches_total", "counter",
     "Batches of a sink that is gone or disabled that went for a bound, unsent.", BB_METRICS_ORPHAN,
     show_orphan_dropped, 0},
};

const uint32_t bb_metrics_n_families = sizeof(bb_metrics_families) / sizeof(bb_metrics_families[0]);
