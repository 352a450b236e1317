/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one poll costs the driver modbus-tcp: N connections with a device of sixty float32 values
 * each, every poll followed by the next at once, against modbus_server. The time counts everything
 * from the socket to the decoded draft.
 *
 *   poll_cpu PORT CONNECTIONS SECONDS
 *   prints {"reads": n, "cpu_us_per_read": x, "bytes_per_connection": m, "value": v}
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "drivers/modbus/modbus.h"
#include "model/quality.h"

#define POINTS 60

typedef struct {
  uv_loop_t loop;
  bb_log log;
  bb_clock clock;
  bb_histogram latency;
  bb_profile *profile;
  bb_device *device;
  bb_scan scan;
  uint16_t places[POINTS];
  bb_shape *shape;
  bb_draft draft;
  uint8_t quality[POINTS], codes[POINTS], values[POINTS * 4];
  unsigned long reads, bad, failed;
  unsigned long from;
  uint64_t cpu_ns;
} bench;

static bench b;

static uint64_t cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void on_link(bb_conn *conn, bool up, const bb_reason *reason) {
  if (!up) fprintf(stderr, "%s: %s\n", conn->id, reason->text);
}

static void on_device(bb_attachment *attachment, bool up, const bb_reason *reason) {
  if (!up) fprintf(stderr, "%s: %s\n", attachment->device->id, reason->text);
}

static void on_shape(bb_attachment *attachment, uint32_t scan, bb_shape *shape, bb_scan_mode mode) {
  (void)attachment, (void)scan, (void)mode;
  bb_shape_unref(b.shape);
  b.shape = shape;
}

/* One draft for all: it is only out while an answer is decoded. */
static bb_draft *take(bb_attachment *attachment, uint32_t scan) {
  (void)scan;
  memset(b.quality, BB_QUALITY_BAD | BB_CAUSE_NOT_READ, sizeof(b.quality));
  memset(b.codes, 0, sizeof(b.codes));
  b.draft.time_ns = bb_clock_utc_ns(attachment->conn->clock);
  b.draft.has_codes = false;
  b.draft.shape = b.shape;
  return &b.draft;
}

static void on_batch(bb_attachment *attachment, uint32_t scan, bb_draft *draft) {
  (void)attachment, (void)scan;
  b.reads++;
  b.bad += draft->quality[0] != BB_QUALITY_GOOD || draft->quality[POINTS - 1] != BB_QUALITY_GOOD;
}

static void on_poll_done(bb_attachment *attachment, uint32_t scan, int status) {
  if (status < 0) {
    b.failed++;
  } else {
    attachment->conn->driver->poll(attachment, scan);
  }
}

static void on_write_done(bb_attachment *attachment, bb_command *command, bb_outcome outcome,
                          const bb_reason *reason) {
  (void)attachment, (void)command, (void)outcome, (void)reason;
}

static void on_detached(bb_attachment *attachment) {
  (void)attachment;
}

static void on_closed(bb_conn *conn) {
  (void)conn;
}

static const bb_driver_host host = {.on_link = on_link,
                                    .on_device = on_device,
                                    .on_shape = on_shape,
                                    .take = take,
                                    .on_batch = on_batch,
                                    .on_poll_done = on_poll_done,
                                    .on_write_done = on_write_done,
                                    .on_detached = on_detached,
                                    .on_closed = on_closed};

static void die(const char *what) {
  fprintf(stderr, "poll_cpu: %s\n", what);
  exit(1);
}

static void load_profile(void) {
  bb_report report;
  bb_report_init(&report);
  if (bb_profile_load(&b.profile, BB_REPO_DIR "/profiles/generic/modbus-60.yaml", &report) < 0) {
    die("profile");
  }
  bb_report_close(&report);
  for (uint16_t i = 0; i < POINTS; i++) b.places[i] = i;
  b.scan = (bb_scan){"fast", 1000, b.places, POINTS};
  b.device = bb_device_new("meter", "", b.profile->id, NULL, 0);
  b.draft = (bb_draft){.quality = b.quality, .codes = b.codes, .values = b.values};
}

static void add(const bb_doc_tree *tree, unsigned i) {
  const bb_driver *driver = &bb_driver_modbus_tcp;
  bb_conn *conn = calloc(1, driver->conn_bytes);
  bb_attachment *attachment = calloc(1, driver->attachment_bytes);
  if (conn == NULL || attachment == NULL) die("memory");
  conn->id = "c";
  conn->driver = driver;
  conn->host = &host;
  conn->loop = &b.loop;
  conn->log = &b.log;
  conn->clock = &b.clock;
  conn->latency = &b.latency;
  conn->seed = i;
  if (driver->open(conn, tree->root) < 0) die("open");
  attachment->conn = conn;
  attachment->device = b.device;
  attachment->profile = b.profile;
  attachment->scans = &b.scan;
  attachment->n_scans = 1;
  if (driver->attach(attachment) < 0) die("attach");
  driver->poll(attachment, 0);
}

static void on_begin(uv_timer_t *timer) {
  (void)timer;
  b.from = b.reads;
  b.cpu_ns = cpu_ns();
}

static void on_end(uv_timer_t *timer) {
  b.cpu_ns = cpu_ns() - b.cpu_ns;
  uv_stop(timer->loop);
}

static void raise_limit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static size_t heap_bytes(void) {
  return mallinfo2().uordblks;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: poll_cpu PORT CONNECTIONS SECONDS\n");
    return 2;
  }
  char options[64];
  bb_doc_tree tree;
  bb_report report;
  uv_timer_t begin, end;
  unsigned n = (unsigned)strtoul(argv[2], NULL, 10);
  raise_limit();
  signal(SIGPIPE, SIG_IGN);
  uv_loop_init(&b.loop);
  bb_log_init(&b.log, 2);
  b.clock = bb_clock_system();
  load_profile();
  bb_report_init(&report);
  snprintf(options, sizeof(options), "{host: 127.0.0.1, port: %s}", argv[1]);
  if (bb_doc_parse(&tree, "options", options, strlen(options), &report) < 0) die("options");
  size_t before = heap_bytes();
  for (unsigned i = 0; i < n; i++) add(&tree, i);
  size_t per_connection = n > 0 ? (heap_bytes() - before) / n : 0;
  uv_timer_init(&b.loop, &begin);
  uv_timer_init(&b.loop, &end);
  uv_timer_start(&begin, on_begin, 500, 0);
  uv_timer_start(&end, on_end, 500 + (uint64_t)(strtod(argv[3], NULL) * 1000), 0);
  uv_run(&b.loop, UV_RUN_DEFAULT);
  unsigned long reads = b.reads - b.from;
  if (b.bad > 0 || b.failed > 0) die("bad values or failed polls");
  bb_value value = bb_value_load(BB_TYPE_F32, b.values + 4 * (POINTS - 1));
  printf("{\"reads\": %lu, \"cpu_us_per_read\": %.3f, \"bytes_per_connection\": %zu, "
         "\"value\": %.9g}\n",
         reads, (double)b.cpu_ns / 1e3 / (double)reads, per_connection, (double)value.v.f);
  return 0;
}
