/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records on their way to the sinks, in streams, in memory: what a broker that is away costs is
 * bounded here. A stream holds the batches of one set of sinks; each of these sinks reads it at its
 * own pace. Records lie in chunks, and whole oldest chunks go when the bound is reached.
 *
 * The interface is that of a store whose chunks may lie on a disk: a chunk is pinned while its
 * records are read; if it is not in memory, pin says so and on_loaded follows.
 *
 * Appending allocates a chunk now and then and nothing else; freed chunks are kept for reuse.
 */
#ifndef BB_RUNTIME_QUEUE_H
#define BB_RUNTIME_QUEUE_H

#include <stdint.h>

#include "base/list.h"
#include "model/batch.h"

#define BB_CHUNK_BYTES (64u << 10)

typedef struct bb_queue bb_queue;
typedef struct bb_stream bb_stream;
typedef struct bb_chunk bb_chunk;

/* One reader of a stream. It lies in the sink's memory. */
typedef struct bb_reader {
  /* public */
  void *user;
  /* read-only */
  bb_stream *stream;
  uint64_t floor; /* records below it are no longer needed by this reader */
  /* private */
  bb_list link;
} bb_reader;

struct bb_stream {
  /* read-only */
  const char *name; /* the ids of its sinks */
  uint64_t first;   /* the oldest record that is still there */
  uint64_t next;    /* what the next record will be called */
  uint64_t bytes;
  /* public */
  void *user;
  /* private */
  bb_queue *queue;
  bb_list readers, chunks, link;
};

struct bb_chunk {
  /* read-only */
  uint64_t first;
  uint32_t n;
  /* private */
  bb_list link;
  bb_stream *stream; /* not to be used once it was dropped */
  struct bb_queue *queue;
  uint64_t newest_mono_ns;
  uint32_t used, cap, pins;
  uint8_t *bytes;
};

struct bb_queue {
  /* public */
  uint64_t max_bytes;
  uint64_t max_age_ns; /* 0: any */
  void *user;
  /* Chunks that no one had read to the end went: for their age, or for want of room. */
  void (*on_dropped)(bb_queue *queue, bb_stream *stream, uint64_t n, bool aged);
  /* read-only */
  uint64_t bytes; /* in chunks that are filled */
  /* private */
  bb_list streams, spare;
  uint32_t n_spare;
};

void bb_queue_init(bb_queue *queue, uint64_t max_bytes);
void bb_queue_close(bb_queue *queue); /* no chunk may be pinned */

/* NULL without memory. The name is copied. */
bb_stream *bb_stream_open(bb_queue *queue, const char *name);

/* Readers must have left. Drops what it holds. */
void bb_stream_close(bb_stream *stream);

void bb_reader_join(bb_reader *reader, bb_stream *stream);
void bb_reader_leave(bb_reader *reader);

/* Copies the batch with its values, and keeps its device and shape. 0, BB_ERR_NOMEM or BB_ERR_LIMIT
 * (the batch is larger than a chunk or the bound). */
int bb_stream_append(bb_stream *stream, const bb_batch *batch);

/* 1 with the chunk that holds the record in *out; BB_ERR_NOTFOUND: it is gone. 0, once a disk is
 * behind this: it is being loaded. */
int bb_stream_pin(bb_stream *stream, uint64_t record, bb_chunk **out);
void bb_chunk_pin(bb_chunk *chunk);
void bb_chunk_unpin(bb_chunk *chunk);

/* A place in a chunk, for a walk over its records. */
typedef struct bb_chunk_walk {
  bb_chunk *chunk;
  uint64_t record;
  uint32_t at;
} bb_chunk_walk;

/* The batch of that record; `walk` remembers the place, so that going on is cheap. The view is valid
 * while the chunk is pinned. Also the record's bytes. */
const bb_batch *bb_chunk_batch(bb_chunk *chunk, bb_chunk_walk *walk, uint64_t record,
                               uint32_t *bytes);

/* The first record not older than `mono_ns`; the stream's next if all are. */
uint64_t bb_stream_since(const bb_stream *stream, uint64_t mono_ns);

/* The reader needs nothing below `floor` any more; what no reader needs is freed. */
void bb_reader_release(bb_reader *reader, uint64_t floor);

/* Drops what is older than max_age_ns. */
void bb_queue_expire(bb_queue *queue, uint64_t now_ns);

#endif
