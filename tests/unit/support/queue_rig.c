/* SPDX-License-Identifier: Apache-2.0 */
/* See queue_rig.h. */
#include "support/queue_rig.h"

#include <string.h>

#include "support/expect.h"

static void on_dropped(bb_queue *queue, bb_stream *stream, uint64_t from, uint64_t to,
                       bb_drop why) {
  uint64_t n = to - from;
  (void)why;
  queue_rig *f = queue->user;
  f->dropped += n;
  f->drops++;
  f->dropped_from = stream;
  f->last = (bb_span){from, to};
}

static void on_missing(bb_queue *queue, bb_stream *stream, uint64_t from, uint64_t to) {
  queue_rig *f = queue->user;
  expect_true("of this stream", stream == f->stream);
  f->misses++;
  f->missed = (bb_span){from, to};
}

void queue_rig_open(queue_rig *f, uint64_t max_bytes) {
  static const sample_point points[] = {
      {"power", SAMPLE_F64(1.5), BB_QUALITY_GOOD, "W"},
      {"state", SAMPLE_TEXT("running"), BB_QUALITY_GOOD, NULL},
  };
  memset(f, 0, sizeof(*f));
  bb_queue_init(&f->queue, max_bytes);
  f->queue.user = f;
  f->queue.on_dropped = on_dropped;
  f->queue.on_missing = on_missing;
  f->stream = bb_stream_open(&f->queue, "hist+bus", BB_STORE_TELEMETRY);
  f->device = bb_device_new("meter-1", "", "", NULL, 0);
  sample_open(&f->sample, f->device, "fast", points, 2, 0);
}

void queue_rig_close(queue_rig *f) {
  bb_queue_close(&f->queue);
  expect_uint("nobody keeps the device", f->device->refs, 1);
  expect_uint("nobody keeps the shape", f->sample.batch.shape->refs, 1);
  sample_close(&f->sample);
  bb_device_unref(f->device);
}

void queue_rig_open_read(queue_rig *f, uint64_t max_bytes) {
  queue_rig_open(f, max_bytes);
  bb_reader_join(&f->reader, f->stream);
}

void queue_rig_close_read(queue_rig *f) {
  bb_reader_leave(&f->reader);
  queue_rig_close(f);
}

void queue_rig_append(queue_rig *f, bb_stream *stream, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    f->sample.batch.seq = stream->next;
    f->sample.batch.mono_ns = f->mono_ns;
    expect_int("append", bb_stream_append(stream, &f->sample.batch), 0);
  }
}

unsigned queue_rig_chunk_records(void) {
  queue_rig f;
  bb_chunk *chunk;
  queue_rig_open_read(&f, 1u << 20);
  queue_rig_append(&f, f.stream, 2000);
  expect_int("pin", bb_stream_pin(f.stream, 0, &chunk), 1);
  unsigned n = chunk->n;
  bb_chunk_unpin(chunk);
  queue_rig_close_read(&f);
  expect_true("several chunks", n > 10 && n < 1000);
  return n;
}

void queue_rig_expect_record(queue_rig *f, uint64_t record) {
  bb_chunk *chunk;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  expect_int("pin", bb_stream_pin(f->stream, record, &chunk), 1);
  expect_uint("seq", bb_chunk_batch(chunk, &walk, record, &bytes)->seq, record);
  bb_chunk_unpin(chunk);
}
