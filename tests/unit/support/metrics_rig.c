/* SPDX-License-Identifier: Apache-2.0 */
/* See metrics_rig.h. */
#include "support/metrics_rig.h"

#include <stdlib.h>

#include "support/expect.h"

static const bb_scan fast = {.name = "fast"}, slow = {.name = "slow"};

static void add_station(metrics_rig *r, const char *id) {
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

void metrics_rig_remove(metrics_rig *r, const char *id) {
  free(bb_map_remove(&r->runtime.stations, id));
}

static void make_config(metrics_rig *r, unsigned n) {
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
  bb_buf_text(&text, "sinks:\n  - { id: bus, mqtt: { url: 'mqtt://127.0.0.1' }, devices: '*' }\n");
  setenv("BUSBAR_PROFILES", BB_REPO_DIR "/profiles", 1);
  int err = bb_config_parse(&r->config, "c.yaml", (const char *)text.bytes, text.len, &bb_kinds_all,
                            &report);
  expect_text("mistake", report.n > 0 ? report.mistakes[0].text : "", "");
  expect_int("config", err, 0);
  bb_buf_close(&text);
  bb_report_close(&report);
}

metrics_rig *metrics_rig_open(unsigned n) {
  metrics_rig *r = calloc(1, sizeof(*r));
  bb_log_init(&r->log, 2);
  make_config(r, n);
  r->runtime.log = &r->log;
  bb_list_init(&r->runtime.parked);
  r->runtime.clock = bb_clock_system();
  r->runtime.kinds = &bb_kinds_all;
  r->runtime.config = r->config;
  r->conn.up = true;
  r->conn.counters = (bb_conn_counters){.requests = 42,
                                        .answers = 33,
                                        .refusals = 4,
                                        .timeouts = 9,
                                        .malformed = 5,
                                        .discarded = 6,
                                        .connects = 8,
                                        .disconnects = 7};
  r->link = (bb_link){.id = "line", .conn = &r->conn};
  bb_histogram_add(&r->runtime.latency[0], 70000);
  bb_map_add(&r->runtime.links, "line", &r->link);
  r->outlet.id = "bus";
  r->outlet.ready = true;
  r->outlet.counters =
      (bb_outlet_counters){.delivered = 50, .retried = 13, .refused = 1, .dropped = 14};
  bb_list_init(&r->outlet.intakes);
  bb_map_add(&r->runtime.outlets, "bus", &r->outlet);
  r->runtime.taken = 71;
  r->runtime.door.open = 2;
  r->runtime.queue.bytes = 4096;
  for (uint32_t i = 0; i < n; i++) add_station(r, r->config->devices[i].id);
  return r;
}

void metrics_rig_close(metrics_rig *r) {
  for (uint32_t i = 0; i < r->config->n_devices; i++)
    metrics_rig_remove(r, r->config->devices[i].id);
  bb_map_close(&r->runtime.stations);
  bb_map_close(&r->runtime.links);
  bb_map_close(&r->runtime.outlets);
  bb_config_unref(r->config);
  free(r);
}
