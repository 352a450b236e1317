/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to store: `store_write <folder> <batches a second> <seconds> <keep>`, batches of 50
 * floats from 2,000 devices in turn, committed every 2 MiB and at least once a second. `keep` 1 lets
 * them stay; 0 delivers and trims all, one second later, with a cursor moved in each commit. It does
 * not wait between the seconds. Prints, for each second, CPU time in % of a core and bytes written: as
 * the kernel counts them, as the store does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/pack.h"
#include "store/store.h"

#define DEVICES 2000
#define POINTS 50
#define COMMIT_BYTES (2u << 20)

typedef struct {
  bb_store *store;
  bb_packer packer;
  bb_buf body;
  bb_device *devices[DEVICES];
  bb_shape *shape;
  uint8_t values[POINTS * 4];
  uint64_t first, next, uncommitted, pack_bytes, trimmed;
} bench;

static void must(bench *b, int result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %d %s\n", what, result, b->store != NULL ? bb_store_why(b->store) : "");
  exit(1);
}

static void make_model(bench *b) {
  static bb_point points[POINTS];
  static char names[POINTS][8];
  const bb_point *list[POINTS];
  for (int i = 0; i < POINTS; i++) {
    snprintf(names[i], sizeof(names[i]), "p%d", i);
    points[i] =
        (bb_point){.name = names[i], .unit = "", .description = "", .type = BB_TYPE_F32, .size = 4};
    list[i] = &points[i];
  }
  b->shape = bb_shape_new("fast", list, POINTS);
  for (int i = 0; i < DEVICES; i++) {
    char id[16];
    snprintf(id, sizeof(id), "meter-%d", i);
    b->devices[i] = bb_device_new(id, "", "", NULL, 0);
  }
}

static uint64_t written(void) {
  uint64_t bytes = 0;
  char line[64];
  FILE *file = fopen("/proc/self/io", "r");
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    if (sscanf(line, "write_bytes: %" SCNu64, &bytes) == 1) break;
  }
  if (file != NULL) fclose(file);
  return bytes;
}

static double cpu_s(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void end_pack(bench *b) {
  if (b->packer.n_records == 0) return;
  uint32_t n = b->packer.n_records;
  bb_buf_clear(&b->body);
  must(b, bb_packer_end(&b->packer, &b->body), "end");
  bb_store_pack pack = {
      .stream = 1, .first = b->first, .n = n, .body = b->body.bytes, .len = b->body.len};
  must(b, bb_store_append(b->store, &pack), "append");
  b->first += n;
  b->uncommitted += b->body.len;
  b->pack_bytes += b->body.len;
}

static void commit(bench *b, uint64_t delivered) {
  end_pack(b);
  if (delivered > b->trimmed) {
    bb_store_gone gone = {0};
    bb_store_cursor cursor = {
        .stream = 1, .sink = "influx", .ranges = {{delivered, BB_STORE_OPEN_END}}, .n = 1};
    must(b, bb_store_cursor_put(b->store, &cursor), "cursor");
    must(b, bb_store_trim(b->store, 1, b->trimmed, delivered, &gone), "trim");
    b->trimmed = delivered;
  }
  must(b, bb_store_commit(b->store), "commit");
  must(b, bb_store_begin(b->store), "begin");
  b->uncommitted = 0;
}

static void add(bench *b, int64_t time_ns) {
  bb_batch batch = {.device = b->devices[b->next % DEVICES],
                    .shape = b->shape,
                    .time_ns = 1767225600000000000 + time_ns + rand() % 1000,
                    .mono_ns = (uint64_t)time_ns,
                    .seq = b->next,
                    .quality = bb_batch_all_good,
                    .values = b->values};
  for (size_t i = 0; i < sizeof(b->values); i += 4) b->values[i] ^= (uint8_t)(b->next + i);
  int err = bb_packer_add(&b->packer, &batch);
  if (err == BB_ERR_AGAIN) {
    end_pack(b);
    err = bb_packer_add(&b->packer, &batch);
  }
  must(b, err, "add");
  b->next++;
}

static void run(bench *b, int rate, int seconds, int keep) {
  uint64_t delivered = 0;
  must(b, bb_store_begin(b->store), "begin");
  must(b, bb_store_stream_make(b->store, "influx", BB_STORE_TELEMETRY), "stream");
  for (int second = 0; second < seconds; second++) {
    uint64_t before = b->next;
    for (int i = 0; i < rate; i++) {
      add(b, (int64_t)second * 1000000000 + (int64_t)i * (1000000000 / rate));
      if (b->uncommitted >= COMMIT_BYTES) commit(b, keep ? 0 : delivered);
    }
    commit(b, keep ? 0 : delivered);
    delivered = before;
  }
  must(b, bb_store_commit(b->store), "commit");
}

int main(int argc, char **argv) {
  static bench b;
  char path[512], why[BB_STORE_WHY];
  if (argc != 5) return 2;
  int rate = (int)strtol(argv[2], NULL, 10), seconds = (int)strtol(argv[3], NULL, 10);
  snprintf(path, sizeof(path), "%s/%s", argv[1], BB_STORE_FILE);
  bb_store_options options = {.path = path};
  make_model(&b);
  bb_packer_init(&b.packer);
  bb_buf_init(&b.body, BB_PACK_LONGEST);
  if (bb_store_open(&options, &b.store, why) < 0) {
    fprintf(stderr, "%s\n", why);
    return 1;
  }
  uint64_t written_before = written();
  double cpu_before = cpu_s();
  run(&b, rate, seconds, (int)strtol(argv[4], NULL, 10));
  double cpu = cpu_s() - cpu_before;
  double bytes = (double)(written() - written_before);
  bb_store_stats stats;
  must(&b, bb_store_read_stats(b.store, &stats), "stats");
  printf("{\"cpu_percent\":%.2f,\"written_per_s\":%.0f,\"said_per_s\":%.0f,\"per_sample\":%.2f,"
         "\"packed_per_batch\":%.1f}\n",
         100 * cpu / seconds, bytes / seconds, (double)stats.written_bytes / seconds,
         bytes / ((double)b.next * POINTS), (double)b.pack_bytes / (double)b.next);
  bb_store_close(b.store);
  return 0;
}
