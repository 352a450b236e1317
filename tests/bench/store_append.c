/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to save what waits for a sink that is away: batches of 50 floats, appended to a stream
 * of the runtime's queue as delivery does it, so many a second.
 *
 *   store_append FOLDER disk|memory BATCHES_A_SECOND SECONDS
 *   prints {"batches": n, "saved": n, "cpu_ns": n, "loop_ns": n, "written": n, "late_ms": n}
 *
 * With `memory` nothing is to be saved: what the feeding itself costs. `cpu_ns` is of all threads,
 * `loop_ns` of the loop's; `written` are the bytes that the kernel counts for this process.
 */
#include <time.h>
#include <uv.h>

#include "model/frame.h"
#include "runtime/intake.h"
#include "runtime/runtime.h"
#include "store_model.h"

#define MAX_DEVICES 2000 /* each has a batch a second, or more */
#define FEED_MS 10
#define WARM_MS 2000 /* names are written once */

typedef struct {
  uint64_t batches, saved, cpu_ns, loop_ns, written;
} figures;

typedef struct {
  bb_runtime runtime;
  bb_stream *stream;
  store_model model;
  uint64_t rate, started_ns, fed, late_ns;
  figures before;
} bench;

static bench b;

static uint64_t clock_ns(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return (uint64_t)now.tv_sec * BB_NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t read_written(void) {
  uint64_t bytes = 0;
  char line[64];
  FILE *file = fopen("/proc/self/io", "r");
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    if (sscanf(line, "write_bytes: %" SCNu64, &bytes) == 1) break;
  }
  if (file != NULL) fclose(file);
  return bytes;
}

static figures look(void) {
  return (figures){.batches = b.fed,
                   .saved = b.runtime.save.saved,
                   .cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
                   .loop_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID),
                   .written = read_written()};
}

static void on_feed(uv_timer_t *timer) {
  (void)timer;
  uint64_t now = bb_clock_mono_ns(&b.runtime.clock);
  int64_t utc = bb_clock_utc_ns(&b.runtime.clock);
  uint64_t due = (now - b.started_ns) / 1000 * b.rate / 1000000;
  uint64_t behind = b.rate > 0 && due > b.fed ? (due - b.fed) * BB_NS_PER_S / b.rate : 0;
  if (behind > b.late_ns) b.late_ns = behind;
  for (; b.fed < due; b.fed++) {
    const bb_batch *batch = store_model_batch(&b.model, b.fed, utc, now);
    int err = bb_stream_append(b.stream, batch);
    if (err < 0) store_die("append", err);
    bb_save_appended(&b.runtime.save, (uint32_t)bb_frame_batch_bytes(batch));
  }
}

static void on_begin(uv_timer_t *timer) {
  (void)timer;
  b.late_ns = 0;
  b.before = look();
}

static void on_end(uv_timer_t *timer) {
  (void)timer;
  figures now = look();
  printf("{\"batches\": %" PRIu64 ", \"saved\": %" PRIu64 ", \"cpu_ns\": %" PRIu64
         ", \"loop_ns\": %" PRIu64 ", \"written\": %" PRIu64 ", \"late_ms\": %" PRIu64 "}\n",
         now.batches - b.before.batches, now.saved - b.before.saved, now.cpu_ns - b.before.cpu_ns,
         now.loop_ns - b.before.loop_ns, now.written - b.before.written,
         (uint64_t)(b.late_ns / BB_NS_PER_MS));
  exit(0);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: store_append FOLDER disk|memory BATCHES_A_SECOND SECONDS\n");
    return 2;
  }
  char why[BB_STORE_WHY];
  static uv_loop_t loop;
  static bb_log log;
  uv_timer_t feed, begin, end;
  bool durable = strcmp(argv[2], "disk") == 0;
  b.rate = strtoull(argv[3], NULL, 10);
  uv_loop_init(&loop);
  bb_log_init(&log, 2);
  store_model_open(&b.model, b.rate < MAX_DEVICES ? (uint32_t)b.rate : MAX_DEVICES);
  b.runtime = (bb_runtime){.loop = &loop, .log = &log, .data_dir = argv[1]};
  int err = bb_runtime_init(&b.runtime, why);
  if (err < 0) store_die("the runtime", err);
  b.stream = bb_stream_open(&b.runtime.queue, "away", BB_STORE_TELEMETRY);
  if (b.stream == NULL || bb_intake_new(b.stream, "away", durable) == NULL) {
    store_die("the stream", BB_ERR_NOMEM);
  }
  b.started_ns = bb_clock_mono_ns(&b.runtime.clock);
  uv_timer_init(&loop, &feed);
  uv_timer_init(&loop, &begin);
  uv_timer_init(&loop, &end);
  uv_timer_start(&feed, on_feed, 0, FEED_MS);
  uv_timer_start(&begin, on_begin, WARM_MS, 0);
  uv_timer_start(&end, on_end, WARM_MS + (uint64_t)(strtod(argv[4], NULL) * 1000), 0);
  return uv_run(&loop, UV_RUN_DEFAULT);
}
