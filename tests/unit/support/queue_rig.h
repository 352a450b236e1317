/* SPDX-License-Identifier: Apache-2.0 */
/* A queue with one stream, the batches that a test fills it with, and what it tells of losses. */
#ifndef BB_TEST_QUEUE_RIG_H
#define BB_TEST_QUEUE_RIG_H

#include "runtime/queue.h"
#include "support/sample.h"

typedef struct queue_rig {
  /* public: the next batch, and when it was taken */
  sample sample;
  uint64_t mono_ns;
  /* read-only */
  bb_queue queue;
  bb_stream *stream;
  bb_reader reader; /* of queue_rig_open_read */
  bb_device *device;
  uint64_t dropped, drops; /* what on_dropped told */
  bb_stream *dropped_from;
  bb_span last; /* of these records */
  unsigned misses;
  bb_span missed; /* what on_missing told last */
} queue_rig;

/* Nobody may keep the device or its shape at the end. */
void queue_rig_open(queue_rig *f, uint64_t max_bytes);
void queue_rig_close(queue_rig *f);

/* With a reader of the stream, which needs all that comes. */
void queue_rig_open_read(queue_rig *f, uint64_t max_bytes);
void queue_rig_close_read(queue_rig *f);

/* The batches are numbered by seq, as the records of a stream that alone is filled. */
void queue_rig_append(queue_rig *f, bb_stream *stream, unsigned n);

/* Records that one chunk holds, as the first one shows. */
unsigned queue_rig_chunk_records(void);

/* It is in memory, and is the one that was appended. */
void queue_rig_expect_record(queue_rig *f, uint64_t record);

#endif
