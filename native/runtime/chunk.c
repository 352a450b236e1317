/* SPDX-License-Identifier: Apache-2.0 */
/* See chunk.h. */
#include "runtime/chunk.h"

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

static entry *record_at(bb_chunk *chunk, uint32_t at) {
  return (entry *)(void *)(chunk->bytes + at);
}

uint32_t bb_chunk_record_bytes(const bb_batch *batch) {
  size_t n = batch->shape != NULL ? batch->shape->n_points : 0;
  size_t values = batch->shape != NULL ? batch->shape->value_bytes : 0;
  size_t bytes = sizeof(entry) + n + (batch->codes != NULL ? n : 0) + values + batch->text_len;
  size_t align = alignof(max_align_t);
  return (uint32_t)((bytes + align - 1) / align * align);
}

bb_chunk *bb_chunk_take(bb_queue *queue, uint32_t bytes) {
  bb_list *node = bytes <= BB_CHUNK_BYTES ? bb_list_first(&queue->spare) : NULL;
  if (node != NULL) {
    bb_list_remove(node);
    queue->n_spare--;
    return BB_LIST_ITEM(node, bb_chunk, link);
  }
  if (bytes < BB_CHUNK_BYTES) bytes = BB_CHUNK_BYTES;
  bb_chunk *chunk = calloc(1, sizeof(*chunk));
  if (chunk == NULL) return NULL;
  chunk->bytes = malloc(bytes);
  if (chunk->bytes == NULL) {
    free(chunk);
    return NULL;
  }
  chunk->cap = bytes;
  chunk->queue = queue;
  bb_list_init(&chunk->link);
  return chunk;
}

void bb_chunk_free(bb_chunk *chunk) {
  free(chunk->bytes);
  free(chunk);
}

void bb_chunk_recycle(bb_chunk *chunk) {
  bb_queue *queue = chunk->queue;
  for (uint32_t at = 0; at < chunk->used;) {
    entry *old = record_at(chunk, at);
    at += old->bytes;
    bb_device_unref(old->batch.device);
    bb_shape_unref(old->batch.shape);
  }
  if (queue->n_spare >= MAX_SPARE || chunk->cap > BB_CHUNK_BYTES) {
    bb_chunk_free(chunk);
    return;
  }
  chunk->used = chunk->n = 0;
  chunk->newest_mono_ns = 0;
  chunk->fetched = false;
  bb_list_append(&queue->spare, &chunk->link);
  queue->n_spare++;
}

static const uint8_t *put(uint8_t **at, const void *bytes, size_t len) {
  const uint8_t *copy = *at;
  if (len > 0) memcpy(*at, bytes, len);
  *at += len;
  return copy;
}

void bb_chunk_fill(bb_chunk *chunk, const bb_batch *batch, uint32_t bytes) {
  entry *new = record_at(chunk, chunk->used);
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
  chunk->used += bytes;
  chunk->n++;
  if (batch->mono_ns > chunk->newest_mono_ns) chunk->newest_mono_ns = batch->mono_ns;
}

void bb_chunk_pin(bb_chunk *chunk) {
  chunk->pins++;
}

void bb_chunk_unpin(bb_chunk *chunk) {
  assert(chunk->pins > 0);
  chunk->pins--;
  bool dropped = bb_list_empty(&chunk->link);
  if (chunk->pins == 0 && dropped) bb_chunk_recycle(chunk);
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

uint64_t bb_chunk_since(bb_chunk *chunk, uint64_t mono_ns) {
  uint64_t record = chunk->first;
  for (uint32_t at = 0; at < chunk->used; record++) {
    entry *candidate = record_at(chunk, at);
    if (candidate->batch.mono_ns >= mono_ns) return record;
    at += candidate->bytes;
  }
  return record;
}

bb_chunk *bb_chunk_begin(bb_stream *stream, uint64_t first, uint32_t bytes) {
  bb_chunk *chunk = bb_chunk_take(stream->queue, bytes);
  if (chunk == NULL) return NULL;
  chunk->stream = stream;
  chunk->first = first;
  chunk->fetched = true;
  return chunk;
}

int bb_chunk_add(bb_chunk *chunk, const bb_batch *batch) {
  uint32_t bytes = bb_chunk_record_bytes(batch);
  if (bytes > chunk->cap - chunk->used) return BB_ERR_LIMIT;
  bb_chunk_fill(chunk, batch, bytes);
  return 0;
}
