/* SPDX-License-Identifier: Apache-2.0 */
/* The bound of the memory and who goes when it is reached; see queue.h. */
#include "runtime/queue.h"

#include "base/err.h"
#include "runtime/chunk.h"

void bb_queue_init(bb_queue *queue, uint64_t max_bytes) {
  *queue = (bb_queue){.max_bytes = max_bytes};
  bb_list_init(&queue->streams);
  bb_list_init(&queue->spare);
}

void bb_queue_close(bb_queue *queue) {
  for (bb_list *node; (node = bb_list_first(&queue->streams)) != NULL;) {
    bb_stream_close(BB_LIST_ITEM(node, bb_stream, link));
  }
  for (bb_list *node; (node = bb_list_first(&queue->spare)) != NULL;) {
    bb_list_remove(node);
    bb_chunk_free(BB_LIST_ITEM(node, bb_chunk, link));
  }
  queue->n_spare = 0;
}

/* Whether the chunk may leave the memory and nobody loses by it. A reader whose records are not saved
 * has only the memory. */
static bool is_saved(const bb_chunk *chunk) {
  const bb_stream *stream = chunk->stream;
  uint64_t end = chunk->first + chunk->n;
  if (!bb_stream_has_saved(stream, chunk->first, end)) return false;
  for (const bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    const bb_reader *reader = BB_LIST_ITEM(node, bb_reader, link);
    if (!reader->durable && reader->floor < end) return false;
  }
  return true;
}

/* The stream's oldest chunk that was not fetched. */
static bb_chunk *oldest_of(const bb_stream *stream) {
  for (bb_list *node = stream->chunks.next; node != &stream->chunks; node = node->next) {
    bb_chunk *chunk = BB_LIST_ITEM(node, bb_chunk, link);
    if (!chunk->fetched) return chunk;
  }
  return NULL;
}

/* Who goes first: saved chunks, of which nothing is lost; then telemetry; then events. */
static unsigned rank_of(const bb_chunk *chunk) {
  return is_saved(chunk) ? 0 : 1 + (unsigned)chunk->stream->class;
}

/* The chunk that goes next: of those that come first in rank, the one with the oldest records. */
static bb_chunk *oldest_chunk(const bb_queue *queue) {
  bb_chunk *oldest = NULL;
  for (bb_list *node = queue->streams.next; node != &queue->streams; node = node->next) {
    bb_chunk *chunk = oldest_of(BB_LIST_ITEM(node, bb_stream, link));
    if (chunk == NULL) continue;
    unsigned rank = rank_of(chunk), least = oldest != NULL ? rank_of(oldest) : rank + 1;
    if (rank < least || (rank == least && chunk->newest_mono_ns < oldest->newest_mono_ns)) {
      oldest = chunk;
    }
  }
  return oldest;
}

static void tell_dropped(bb_stream *stream, uint64_t from, uint64_t to, bb_drop why) {
  bb_queue *queue = stream->queue;
  if (from < to && queue->on_dropped != NULL) queue->on_dropped(queue, stream, from, to, why);
}

static void tell_holes(bb_stream *stream, uint64_t from, uint64_t to) {
  for (uint32_t i = 0; i < stream->n_holes; i++) {
    const bb_span *hole = &stream->holes[i];
    uint64_t begin = hole->from > from ? hole->from : from;
    tell_dropped(stream, begin, hole->to < to ? hole->to : to, BB_DROP_HOLE);
  }
}

/* What is needed below `saved` the durable readers have in the store, but for what late ones lack; age
 * alone takes it away there. */
static void drop_counted(bb_chunk *chunk, bool aged) {
  bb_stream *stream = chunk->stream;
  uint64_t from = chunk->first, to = chunk->first + chunk->n, saved = from;
  if (!aged && stream->saved > from) saved = stream->saved < to ? stream->saved : to;
  bb_stream_drop_chunk(stream, chunk);
  if (stream->id == 0) stream->first = to; /* else the store may have older ones */
  tell_dropped(stream, from, saved, BB_DROP_MEMORY);
  tell_holes(stream, from, saved);
  bb_stream_fill(stream, to);
  tell_dropped(stream, saved, to, aged ? BB_DROP_AGED : BB_DROP_ROOM);
}

/* False: what would have to go is worth more than what comes. */
static bool make_room(bb_queue *queue, bb_store_class class, uint32_t bytes) {
  while (queue->bytes + bytes > queue->max_bytes) {
    bb_chunk *chunk = oldest_chunk(queue);
    if (chunk == NULL) return true;
    if (is_saved(chunk)) {
      bb_stream_drop_chunk(chunk->stream, chunk);
    } else if (chunk->stream->class > class) {
      return false;
    } else {
      drop_counted(chunk, false);
    }
  }
  return true;
}

/* As if the record had come and gone: it was counted, and its number is used. */
static void lose(bb_stream *stream) {
  uint64_t record = stream->next++;
  if (stream->id == 0) stream->first = stream->next;
  tell_dropped(stream, record, record + 1, BB_DROP_ROOM);
}

void bb_queue_expire(bb_queue *queue, uint64_t now_ns) {
  if (queue->max_age_ns == 0) return;
  for (bb_list *node = queue->streams.next; node != &queue->streams; node = node->next) {
    bb_stream *stream = BB_LIST_ITEM(node, bb_stream, link);
    for (bb_chunk *chunk; (chunk = oldest_of(stream)) != NULL;) {
      if (now_ns < chunk->newest_mono_ns + queue->max_age_ns) break;
      drop_counted(chunk, true);
    }
  }
}

bool bb_stream_has_room(const bb_stream *stream, const bb_batch *batch) {
  const bb_queue *queue = stream->queue;
  if (queue->bytes + bb_chunk_record_bytes(batch) <= queue->max_bytes) return true;
  const bb_chunk *chunk = oldest_chunk(queue);
  return chunk != NULL && is_saved(chunk);
}

static bb_chunk *newest_chunk(bb_stream *stream) {
  if (bb_list_empty(&stream->chunks)) return NULL;
  bb_chunk *chunk = BB_LIST_ITEM(stream->chunks.prev, bb_chunk, link);
  return chunk->fetched ? NULL : chunk;
}

int bb_stream_append(bb_stream *stream, const bb_batch *batch) {
  bb_queue *queue = stream->queue;
  uint32_t bytes = bb_chunk_record_bytes(batch);
  if (bytes > BB_CHUNK_BYTES || bytes > queue->max_bytes) return BB_ERR_LIMIT;
  if (!make_room(queue, stream->class, bytes)) {
    lose(stream);
    return 0;
  }
  bb_chunk *chunk = newest_chunk(stream);
  if (chunk == NULL || bytes > chunk->cap - chunk->used) {
    chunk = bb_chunk_take(queue, bytes);
    if (chunk == NULL) return BB_ERR_NOMEM;
    chunk->stream = stream;
    chunk->first = stream->next;
    bb_list_append(&stream->chunks, &chunk->link);
  }
  bb_chunk_fill(chunk, batch, bytes);
  stream->bytes += bytes;
  queue->bytes += bytes;
  stream->next++;
  return 0;
}
