/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records on their way to the sinks, in streams. A stream holds the batches of one set of sinks and
 * one class (telemetry, or events and outcomes); each of these sinks reads it at its own pace. Records
 * lie in memory in chunks, whose bytes are bounded, and those that wait are saved to the store
 * (runtime/save.h) as well.
 *
 * A chunk whose records are saved may leave the memory when room is wanted; a reader that comes to it
 * asks for it to be fetched. What is not saved is lost when room is wanted, and so is for a reader that
 * is not durable what was saved for others: whole oldest chunks go, telemetry before events. Telemetry that comes while events alone fill the memory is lost itself.
 * What a reader does not need is neither saved nor kept: which records it needs, it says as spans.
 *
 * A chunk is pinned while its records are read; if it is not in memory, pin says so and asks for it.
 * Appending allocates a chunk now and then and nothing else; freed chunks are kept for reuse.
 */
#ifndef BB_RUNTIME_QUEUE_H
#define BB_RUNTIME_QUEUE_H

#include <stdint.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/span.h"
#include "model/batch.h"
#include "store/store.h"

#define BB_CHUNK_BYTES (64u << 10)
#define BB_CHUNK_MAX_BYTES (64u << 20) /* of a fetched one: what a pack may unfold to */
#define BB_READER_SPANS BB_STORE_RANGES
#define BB_STREAM_HOLES 8  /* known at a time; what is behind them is looked at later */
#define BB_STREAM_SPANS 64 /* of what its readers need together; then the oldest become one */
#define BB_READ_AHEAD 4096 /* records that a fetched chunk may lie ahead of its reader */

typedef struct bb_queue bb_queue;
typedef struct bb_stream bb_stream;
typedef struct bb_chunk bb_chunk;
typedef struct bb_reader bb_reader;

/* Why records went, and for whom. */
typedef enum bb_drop {
  BB_DROP_ROOM,   /* for want of room */
  BB_DROP_AGED,   /* for their age */
  BB_DROP_MEMORY, /* for want of room in memory only: durable readers have them in the store */
  BB_DROP_HOLE,   /* the same, of what the store has only for those that always were durable */
} bb_drop;

/* One reader of a stream. It lies in the sink's memory. */
struct bb_reader {
  /* public: set before join */
  const char *sink;    /* its id */
  bool durable;        /* what it needs is to be saved */
  bool late;           /* and was not always: see bb_stream.holes */
  uint64_t max_age_ns; /* what is older it needs no more; 0: any age */
  /* The records that it still needs, ascending; the last span ends with BB_STORE_OPEN_END. Returns
   * how many spans, 1..BB_READER_SPANS. */
  uint32_t (*need)(const bb_reader *reader, bb_span *out);
  /* public */
  uint64_t reading; /* the record of the past that it comes to next: keeps a fetched chunk */
  /* read-only */
  bb_stream *stream;
  uint64_t floor; /* records below it are no longer needed by this reader */
  /* private */
  bb_list link;
};

static inline bool bb_reader_loses(const bb_reader *reader, bb_drop why) {
  if (why == BB_DROP_HOLE) return reader->durable && reader->late;
  return why != BB_DROP_MEMORY || !reader->durable;
}

struct bb_stream {
  /* read-only */
  const char *name; /* the ids of its sinks */
  bb_store_class class;
  uint64_t first; /* the oldest record that may still be there */
  uint64_t next;  /* what the next record will be called */
  uint64_t bytes; /* in memory */
  /* public: the store's side; see save.h */
  uint32_t id;    /* in the store; 0: it has none */
  uint64_t saved; /* what is needed of the records below it is saved */
  /* But not of what late readers need, in these: below `sounded` the store has nothing in them, from
   * there on it has to be asked. Ascending; filled from the front, around the packs that are there. */
  bb_span holes[BB_STREAM_HOLES];
  uint32_t n_holes;
  uint64_t sounded;
  bool holes_grew;        /* since the job was made that is on its way */
  uint64_t saved_records; /* totals of its packs */
  uint64_t saved_bytes;
  uint64_t cursor_hash; /* of what it knows of the readers */
  bool saving, fetching;
  bool unreadable; /* the newest fetch failed */
  /* private */
  bb_queue *queue;
  bb_list readers, chunks, link;
};

struct bb_chunk {
  /* read-only */
  uint64_t first;
  uint32_t n;
  bool fetched; /* from the store: not counted in queue.bytes */
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
  /* A reader's own bound: what it has below `to` is too old. */
  void (*on_aged)(bb_queue *queue, bb_reader *reader, uint64_t to);
  /* Records went that some reader may have needed; see bb_reader_loses. */
  void (*on_dropped)(bb_queue *queue, bb_stream *stream, uint64_t from, uint64_t to, bb_drop why);
  /* Records that a reader came to are nowhere, and never were dropped: they had been delivered, and
   * were to be sent once more because ranges became one, or because the sink asked for it. */
  void (*on_missing)(bb_queue *queue, bb_stream *stream, uint64_t from, uint64_t to);
  /* A saved record is wanted that is not in memory; bb_stream_fetched follows. NULL: there is no
   * store. */
  void (*fetch)(bb_queue *queue, bb_stream *stream, uint64_t record);
  /* read-only */
  uint64_t bytes; /* in chunks that are filled */
  /* private */
  bb_list streams, spare;
  uint32_t n_spare;
};

void bb_queue_init(bb_queue *queue, uint64_t max_bytes);
void bb_queue_close(bb_queue *queue); /* no chunk may be pinned */

/* NULL without memory. The name is copied. */
bb_stream *bb_stream_open(bb_queue *queue, const char *name, bb_store_class class);

/* Readers must have left. Drops what it holds in memory. */
void bb_stream_close(bb_stream *stream);

/* Needs what comes from now on. */
void bb_reader_join(bb_reader *reader, bb_stream *stream);
void bb_reader_leave(bb_reader *reader);

/* Copies the batch with its values, and keeps its device and shape. 0, BB_ERR_NOMEM or BB_ERR_LIMIT
 * (the batch is larger than a chunk or the bound). A batch for which nothing may go is told as dropped
 * at once, which is 0, too. */
int bb_stream_append(bb_stream *stream, const bb_batch *batch);

/* Whether the batch would fit without losing what is not saved. */
bool bb_stream_has_room(const bb_stream *stream, const bb_batch *batch);

/* 1 with the chunk that holds the record in *out; 0: it is being fetched; BB_ERR_NOTFOUND: it is
 * gone. */
int bb_stream_pin(bb_stream *stream, uint64_t record, bb_chunk **out);
/* Pin said that the record is gone: it is missing, with those behind it that are gone, too. */
void bb_stream_miss(bb_stream *stream, uint64_t record);
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

/* The chunk in memory that holds the record or, if there is none, the next one; NULL: there is none
 * behind it. Fetched ones are passed over: they are saved. */
bb_chunk *bb_stream_find(const bb_stream *stream, uint64_t record);

/* The first record not older than `mono_ns`; the stream's next if all are. What is only in the store
 * is older. */
uint64_t bb_stream_since(const bb_stream *stream, uint64_t mono_ns);

/* The reader needs nothing below `floor` any more; what no reader needs is freed. */
void bb_reader_release(bb_reader *reader, uint64_t floor);

/* The first records of from..to that are not in memory, as far as they lie together; false: all are. */
bool bb_stream_gap(const bb_stream *stream, uint64_t *from, uint64_t *to);

/* A chunk for a gap: begin, add its records one by one, then end. NULL or negative without memory; end
 * is needed in any case. */
bb_chunk *bb_chunk_begin(bb_stream *stream, uint64_t first, uint32_t bytes);
int bb_chunk_add(bb_chunk *chunk, const bb_batch *batch);
void bb_chunk_end(bb_chunk *chunk);

/* The fetch of `record` is over: the store has nothing from it up to `to`. */
void bb_stream_fetched(bb_stream *stream, uint64_t record, uint64_t to);

/* What the store has of these records cannot be read: they are dropped. */
void bb_stream_lose(bb_stream *stream, uint64_t from, uint64_t to);

/* Fetched chunks that no reader comes to next leave the memory. */
void bb_stream_sweep(bb_stream *stream);

/* The reader is durable from now on, but was not: what it needs of what is in memory, from `from` on, is to
 * be saved, as far as it is not in the store already for others. */
void bb_reader_save_late(bb_reader *reader, uint64_t from);

/* What lies below `to` in holes is saved, or is nowhere. */
void bb_stream_fill(bb_stream *stream, uint64_t to);

/* Whether all that is needed of from..to is saved. */
bool bb_stream_has_saved(const bb_stream *stream, uint64_t from, uint64_t to);

/* How much of what the reader needs is saved. */
uint64_t bb_reader_saved(const bb_reader *reader);

/* The store has taken away what it had below `to`. */
void bb_stream_forget(bb_stream *stream, uint64_t to, bool aged);

/* Its records, none of which is in the store, are called by so much higher numbers from now on. Its
 * readers see to what they remember. */
void bb_stream_shift(bb_stream *stream, uint64_t by);

/* The spans that some durable reader needs, from `stream->first` on. Returns how many; 0: none. */
uint32_t bb_stream_need(const bb_stream *stream, bb_span *out, uint32_t max);

/* Drops what is older than max_age_ns. */
void bb_queue_expire(bb_queue *queue, uint64_t now_ns);

#endif
