/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a store as a runtime leaves it whose sink was away: batches of 50 floats from devices in turn,
 * a batch of each a second, the newest a minute old.
 *
 *   store_fill FOLDER SINK DEVICES RECORDS
 *   prints {"records": n, "bytes": n}: records, and bytes of the file
 */
#include "base/buf.h"
#include "model/frame.h"
#include "store/pack.h"
#include "store/store.h"
#include "store_model.h"

#define COMMIT_RECORDS 100000
#define OLD_NS (60 * (int64_t)BB_NS_PER_S)

typedef struct {
  bb_store *store;
  bb_packer packer;
  bb_buf body;
  store_model model;
  uint32_t stream;
  uint64_t first;
} fill;

static void must(fill *f, int result) {
  if (result >= 0) return;
  fprintf(stderr, "store_fill: %s\n", bb_store_why(f->store));
  exit(1);
}

static void put_name(fill *f, bb_store_kind kind, uint64_t hash) {
  must(f, bb_store_name_put(f->store, kind, hash, f->body.bytes, f->body.len));
  bb_buf_clear(&f->body);
}

static void put_names(fill *f) {
  for (uint32_t i = 0; i < f->model.n_devices; i++) {
    must(f, bb_frame_pack_device(&f->body, 0, f->model.devices[i]));
    put_name(f, BB_STORE_DEVICE, f->model.devices[i]->hash);
  }
  must(f, bb_frame_pack_shape(&f->body, f->model.shape));
  put_name(f, BB_STORE_SHAPE, f->model.shape->hash);
}

static void put_stream(fill *f, const char *sink) {
  int id = bb_store_stream_make(f->store, sink, BB_STORE_TELEMETRY);
  must(f, id);
  f->stream = (uint32_t)id;
  bb_store_cursor cursor = {
      .stream = f->stream, .sink = sink, .ranges = {{0, BB_STORE_OPEN_END}}, .n = 1};
  must(f, bb_store_cursor_put(f->store, &cursor));
}

static void end_pack(fill *f) {
  uint32_t n = f->packer.n_records;
  if (n == 0) return;
  must(f, bb_packer_end(&f->packer, &f->body));
  bb_store_pack pack = {.stream = f->stream,
                        .first = f->first,
                        .n = n,
                        .age_ns = 1,
                        .body = f->body.bytes,
                        .len = f->body.len};
  must(f, bb_store_append(f->store, &pack));
  bb_buf_clear(&f->body);
  f->first += n;
}

static void commit(fill *f) {
  must(f, bb_store_commit(f->store));
  must(f, bb_store_begin(f->store));
}

static void put_records(fill *f, uint64_t records) {
  bb_clock clock = bb_clock_system();
  int64_t step = (int64_t)BB_NS_PER_S / f->model.n_devices;
  int64_t start = bb_clock_utc_ns(&clock) - OLD_NS - (int64_t)records * step;
  for (uint64_t i = 0; i < records; i++) {
    const bb_batch *batch = store_model_batch(&f->model, i, start + (int64_t)i * step, 0);
    int err = bb_packer_add(&f->packer, batch);
    if (err == BB_ERR_AGAIN) {
      end_pack(f);
      err = bb_packer_add(&f->packer, batch);
    }
    must(f, err);
    if (i % COMMIT_RECORDS == COMMIT_RECORDS - 1) commit(f);
  }
  end_pack(f);
}

int main(int argc, char **argv) {
  static fill f;
  char path[512], why[BB_STORE_WHY];
  if (argc != 5) {
    fprintf(stderr, "usage: store_fill FOLDER SINK DEVICES RECORDS\n");
    return 2;
  }
  snprintf(path, sizeof(path), "%s/" BB_STORE_FILE, argv[1]);
  bb_store_options options = {.path = path};
  store_model_open(&f.model, (uint32_t)strtoul(argv[3], NULL, 10));
  bb_packer_init(&f.packer);
  bb_buf_init(&f.body, BB_PACK_LONGEST);
  int err = bb_store_open(&options, &f.store, why);
  if (err < 0) store_die(why, err);
  must(&f, bb_store_begin(f.store));
  put_names(&f);
  put_stream(&f, argv[2]);
  put_records(&f, strtoull(argv[4], NULL, 10));
  must(&f, bb_store_commit(f.store));
  bb_store_stats stats;
  must(&f, bb_store_read_stats(f.store, &stats));
  printf("{\"records\": %" PRIu64 ", \"bytes\": %" PRIu64 "}\n", stats.records, stats.file_bytes);
  bb_store_close(f.store);
  return 0;
}
