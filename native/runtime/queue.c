/* SPDX-License-Identifier: Apache-2.0 */
/* See queue.h. A record is its bb_batch, whose pointers lead to the bytes right behind it. */
#include "runtime/queue.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define MAX_SPARE 4 /* chunks kept for reuse */

typedef struct {
  uint32_t bytes; /* of the whole record, a multiple of the alignment */
  bb_batch batch;
} entry;

void bb_queue_init(bb_queue *queue, uint64_t max_bytes) {
  *queue = (bb_queue){.max_bytes = max_bytes};
  bb_list_init(&queue->streams);
  bb_list_init(&queue->spare);
}

static void free_chunk(bb_chunk *chunk) {
  free(chunk->bytes);
  free(chunk);
}

void bb_queue_close(bb_queue *queue) {
  for (bb_list *node; (node = bb_list_first(&queue->streams)) != NULL;) {
    bb_stream_close(BB_LIST_ITEM(node, bb_stream, link));
  }
  for (bb_list *node; (node = bb_list_first(&queue->spare)) != NULL;) {
    bb_list_remove(node);
    free_chunk(BB_LIST_ITEM(node, bb_chunk, link));
  }
  queue->n_spare = 0;
}

bb_stream *bb_stream_open(bb_queue *queue, const char *name) {
  size_t len = strlen(name) + 1;
  bb_stream *stream = calloc(1, sizeof(*stream) + len);
  if (stream == NULL) return NULL;
  stream->name = memcpy(stream + 1, name, len);
  stream->queue = queue;
  bb_list_init(&stream->readers);
  bb_list_init(&stream->chunks);
  bb_list_append(&queue->streams, &stream->link);
  return stream;
}

static bb_chunk *take_chunk(bb_queue *queue) {
  bb_list *node = bb_list_first(&queue->spare);
  if (node != NULL) {
    bb_list_remove(node);
    queue->n_spare--;
    return BB_LIST_ITEM(node, bb_chunk, link);
  }
  bb_chunk *chunk = calloc(1, sizeof(*chunk));
  if (chunk == NULL) return NULL;
  chunk->bytes = malloc(BB_CHUNK_BYTES);
  if (chunk->bytes == NULL) {
    free(chunk);
    return NULL;
  }
  chunk->cap = BB_CHUNK_BYTES;
  bb_list_init(&chunk->link);
  return chunk;
}

static entry *record_at(bb_chunk *chunk, uint32_t at) {
  return (entry *)(void *)(chunk->bytes + at);
}

/* Its records give back their devices and shapes; the memory is kept for reuse or freed. */
static void recycle(bb_queue *queue, bb_chunk *chunk) {
  for (uint32_t at = 0; at < chunk->used;) {
    entry *old = record_at(chunk, at);
    at += old->bytes;
    bb_device_unref(old->batch.device);
    bb_shape_unref(old->batch.shape);
  }
  if (queue->n_spare >= MAX_SPARE) {
    free_chunk(chunk);
    return;
  }
  chunk->used = chunk->n = 0;
  bb_list_append(&queue->spare, &chunk->link);
  queue->n_spare++;
}

/* Takes the oldest chunk out of its stream. A pinned one lives until it is unpinned. */
static void drop_chunk(bb_stream *stream, bb_chunk *chunk) {
  bb_queue *queue = stream->queue;
  bb_list_remove(&chunk->link);
  stream->first = chunk->first + chunk->n;
  stream->bytes -= chunk->used;
  queue->bytes -= chunk->used;
  if (chunk->pins == 0) recycle(queue, chunk);
}

void bb_stream_close(bb_stream *stream) {
  for (bb_list *node; (node = bb_list_first(&stream->chunks)) != NULL;) {
    drop_chunk(stream, BB_LIST_ITEM(node, bb_chunk, link));
  }
  bb_list_remove(&stream->link);
  free(stream);
}

void bb_reader_join(bb_reader *reader, bb_stream *stream) {
  reader->stream = stream;
  reader->floor = stream->next;
  bb_list_append(&stream->readers, &reader->link);
}

/* Frees the oldest chunks that no reader needs. */
static void free_read(bb_stream *stream) {
  uint64_t floor = stream->next;
  for (bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    bb_reader *reader = BB_LIST_ITEM(node, bb_reader, link);
    if (reader->floor < floor) floor = reader->floor;
  }
  for (bb_list *node; (node = bb_list_first(&stream->chunks)) != NULL;) {
    bb_chunk *chunk = BB_LIST_ITEM(node, bb_chunk, link);
    if (chunk->first + chunk->n > floor) return;
    drop_chunk(stream, chunk);
  }
}

void bb_reader_leave(bb_reader *reader) {
  bb_list_remove(&reader->link);
  free_read(reader->stream);
}

void bb_reader_release(bb_reader *reader, uint64_t floor) {
  if (floor <= reader->floor) return;
  reader->floor = floor;
  free_read(reader->stream);
}

/* The chunk that was begun first, of all streams; telemetry and events share it in memory. */
static bb_chunk *oldest_chunk(bb_queue *queue) {
  bb_chunk *oldest = NULL;
  for (bb_list *node = queue->streams.next; node != &queue->streams; node = node->next) {
    bb_list *first = bb_list_first(&BB_LIST_ITEM(node, bb_stream, link)->chunks);
    bb_chunk *chunk = first != NULL ? BB_LIST_ITEM(first, bb_chunk, link) : NULL;
    if (chunk == NULL) continue;
    if (oldest == NULL || chunk->newest_mono_ns < oldest->newest_mono_ns) oldest = chunk;
  }
  return oldest;
}

static void drop_counted(bb_queue *queue, bb_chunk *chunk, bool aged) {
  bb_stream *stream = chunk->stream;
  uint32_t n = chunk->n;
  drop_chunk(stream, chunk);
  if (queue->on_dropped != NULL) queue->on_dropped(queue, stream, n, aged);
}

static void make_room(bb_queue *queue, uint32_t bytes) {
  while (queue->bytes + bytes > queue->max_bytes) {
    bb_chunk *chunk = oldest_chunk(queue);
    if (chunk == NULL) return;
    drop_counted(queue, chunk, false);
  }
}

void bb_queue_expire(bb_queue *queue, uint64_t now_ns) {
  if (queue->max_age_ns == 0) return;
  for (bb_list *node = queue->streams.next; node != &queue->streams; node = node->next) {
    bb_stream *stream = BB_LIST_ITEM(node, bb_stream, link);
    for (bb_list *first; (first = bb_list_first(&stream->chunks)) != NULL;) {
      bb_chunk *chunk = BB_LIST_ITEM(first, bb_chunk, link);
      if (now_ns < chunk->newest_mono_ns + queue->max_age_ns) break;
      drop_counted(queue, chunk, true);
    }
  }
}

static uint32_t record_bytes(const bb_batch *batch) {
  size_t n = batch->shape != NULL ? batch->shape->n_points : 0;
  size_t values = batch->shape != NULL ? batch->shape->value_bytes : 0;
  size_t bytes = sizeof(entry) + n + (batch->codes != NULL ? n : 0) + values + batch->text_len;
  size_t align = alignof(max_align_t);
  return (uint32_t)((bytes + align - 1) / align * align);
}

static const uint8_t *put(uint8_t **at, const void *bytes, size_t len) {
  const uint8_t *copy = *at;
  if (len > 0) memcpy(*at, bytes, len);
  *at += len;
  return copy;
}

static void fill(entry *new, const bb_batch *batch, uint32_t bytes) {
  uint8_t *at = (uint8_t *)(new + 1);
  new->bytes = bytes;
  new->batch = *batch;
  bb_device_ref(batch->device);
  if (batch->shape != NULL) {
    size_t n = batch->shape->n_points;
    bb_shape_ref(batch->shape);
    new->batch.quality = put(&at, batch->quality, n);
    if (batch->codes != NULL) new->batch.codes = put(&at, batch->codes, n);
    new->batch.values = put(&at, batch->values, batch->shape->value_bytes);
  }
  if (batch->text != NULL) {
    new->batch.text = (const char *)put(&at, batch->text, batch->text_len);
  }
}

static bb_chunk *newest_chunk(bb_stream *stream) {
  if (bb_list_empty(&stream->chunks)) return NULL;
  return BB_LIST_ITEM(stream->chunks.prev, bb_chunk, link);
}

int bb_stream_append(bb_stream *stream, const bb_batch *batch) {
  bb_queue *queue = stream->queue;
  uint32_t bytes = record_bytes(batch);
  if (bytes > BB_CHUNK_BYTES || bytes > queue->max_bytes) return BB_ERR_LIMIT;
  make_room(queue, bytes);
  bb_chunk *chunk = newest_chunk(stream);
  if (chunk == NULL || bytes > chunk->cap - chunk->used) {
    chunk = take_chunk(queue);
    if (chunk == NULL) return BB_ERR_NOMEM;
    chunk->stream = stream;
    chunk->queue = queue;
    chunk->first = stream->next;
    bb_list_append(&stream->chunks, &chunk->link);
  }
  fill(record_at(chunk, chunk->used), batch, bytes);
  chunk->used += bytes;
  chunk->n++;
  chunk->newest_mono_ns = batch->mono_ns;
  stream->bytes += bytes;
  queue->bytes += bytes;
  stream->next++;
  return 0;
}

int bb_stream_pin(bb_stream *stream, uint64_t record, bb_chunk **out) {
  if (record < stream->first || record >= stream->next) return BB_ERR_NOTFOUND;
  /* From the newest backwards: live reading asks for the end. */
  for (bb_list *node = stream->chunks.prev; node != &stream->chunks; node = node->prev) {
    bb_chunk *chunk = BB_LIST_ITEM(node, bb_chunk, link);
    if (chunk->first > record) continue;
    chunk->pins++;
    *out = chunk;
    return 1;
  }
  return BB_ERR_NOTFOUND;
}

void bb_chunk_pin(bb_chunk *chunk) {
  chunk->pins++;
}

void bb_chunk_unpin(bb_chunk *chunk) {
  assert(chunk->pins > 0);
  chunk->pins--;
  bool dropped = bb_list_empty(&chunk->link);
  if (chunk->pins == 0 && dropped) recycle(chunk->queue, chunk);
}

const bb_batch *bb_chunk_batch(bb_chunk *chunk, bb_chunk_walk *walk, uint64_t wanted,
                               uint32_t *bytes) {
  if (walk->chunk != chunk || wanted < walk->record)
    *walk = (bb_chunk_walk){chunk, chunk->first, 0};
  while (walk->record < wanted) {
    walk->at += record_at(chunk, walk->at)->bytes;
    walk->record++;
  }
  entry *found = record_at(chunk, walk->at);
  *bytes = found->bytes;
  return &found->batch;
}

uint64_t bb_stream_since(const bb_stream *stream, uint64_t mono_ns) {
  for (bb_list *node = stream->chunks.next; node != &stream->chunks; node = node->next) {
    bb_chunk *chunk = BB_LIST_ITEM(node, bb_chunk, link);
    if (chunk->newest_mono_ns < mono_ns) continue;
    uint64_t wanted = chunk->first;
    for (uint32_t at = 0; at < chunk->used; wanted++) {
      entry *candidate = record_at(chunk, at);
      if (candidate->batch.mono_ns >= mono_ns) return wanted;
      at += candidate->bytes;
    }
  }
  return stream->next;
}
