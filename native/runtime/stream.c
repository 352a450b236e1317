/* SPDX-License-Identifier: Apache-2.0 */
/* Streams and their readers; see queue.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/chunk.h"

bb_stream *bb_stream_open(bb_queue *queue, const char *name, bb_store_class class) {
  size_t len = strlen(name) + 1;
  bb_stream *stream = calloc(1, sizeof(*stream) + len);
  if (stream == NULL) return NULL;
  stream->name = memcpy(stream + 1, name, len);
  stream->class = class;
  stream->queue = queue;
  bb_list_init(&stream->readers);
  bb_list_init(&stream->chunks);
  /* Events are few and are saved first. */
  if (class == BB_STORE_EVENTS) {
    bb_list_prepend(&queue->streams, &stream->link);
  } else {
    bb_list_append(&queue->streams, &stream->link);
  }
  return stream;
}

void bb_stream_drop_chunk(bb_stream *stream, bb_chunk *chunk) {
  bb_list_remove(&chunk->link);
  if (!chunk->fetched) {
    stream->bytes -= chunk->used;
    stream->queue->bytes -= chunk->used;
  }
  if (chunk->pins == 0) bb_chunk_recycle(chunk);
}

void bb_stream_close(bb_stream *stream) {
  for (bb_list *node; (node = bb_list_first(&stream->chunks)) != NULL;) {
    bb_stream_drop_chunk(stream, BB_LIST_ITEM(node, bb_chunk, link));
  }
  bb_list_remove(&stream->link);
  free(stream);
}

void bb_reader_join(bb_reader *reader, bb_stream *stream) {
  reader->stream = stream;
  reader->floor = reader->reading = stream->next;
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
    uint64_t end = chunk->first + chunk->n;
    if (end > floor) return;
    bb_stream_drop_chunk(stream, chunk);
    if (end > stream->first) stream->first = end;
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

/* The chunk that holds the record. From the newest backwards: live reading asks for the end. */
static bb_chunk *holder_of(const bb_stream *stream, uint64_t record) {
  for (bb_list *node = stream->chunks.prev; node != &stream->chunks; node = node->prev) {
    bb_chunk *chunk = BB_LIST_ITEM(node, bb_chunk, link);
    if (chunk->first > record) continue;
    return record < chunk->first + chunk->n ? chunk : NULL;
  }
  return NULL;
}

int bb_stream_pin(bb_stream *stream, uint64_t record, bb_chunk **out) {
  if (record < stream->first || record >= stream->next) return BB_ERR_NOTFOUND;
  bb_chunk *chunk = holder_of(stream, record);
  if (chunk == NULL) {
    if (stream->queue->fetch == NULL || record >= stream->saved) return BB_ERR_NOTFOUND;
    if (!stream->fetching) stream->queue->fetch(stream->queue, stream, record);
    return 0;
  }
  chunk->pins++;
  *out = chunk;
  return 1;
}

static void tell_missing(bb_stream *stream, uint64_t from, uint64_t to) {
  bb_queue *queue = stream->queue;
  if (from < to && queue->on_missing != NULL) queue->on_missing(queue, stream, from, to);
}

void bb_stream_miss(bb_stream *stream, uint64_t record) {
  uint64_t to = stream->first;
  if (record >= to) {
    const bb_chunk *chunk = bb_stream_find(stream, record);
    to = chunk != NULL ? chunk->first : stream->next;
  }
  tell_missing(stream, record, to);
}

bb_chunk *bb_stream_find(const bb_stream *stream, uint64_t record) {
  bb_chunk *found = NULL;
  for (bb_list *node = stream->chunks.prev; node != &stream->chunks; node = node->prev) {
    bb_chunk *chunk = BB_LIST_ITEM(node, bb_chunk, link);
    if (chunk->first + chunk->n <= record) break;
    if (!chunk->fetched) found = chunk;
  }
  return found;
}

uint64_t bb_stream_since(const bb_stream *stream, uint64_t mono_ns) {
  uint64_t since = stream->next;
  for (bb_list *node = stream->chunks.prev; node != &stream->chunks; node = node->prev) {
    bb_chunk *chunk = BB_LIST_ITEM(node, bb_chunk, link);
    if (chunk->fetched || chunk->newest_mono_ns < mono_ns) break;
    since = bb_chunk_since(chunk, mono_ns);
  }
  return since;
}

bool bb_stream_gap(const bb_stream *stream, uint64_t *from, uint64_t *to) {
  for (bb_list *node = stream->chunks.next; node != &stream->chunks; node = node->next) {
    const bb_chunk *chunk = BB_LIST_ITEM(node, bb_chunk, link);
    uint64_t end = chunk->first + chunk->n;
    if (end <= *from) continue;
    if (chunk->first > *from) {
      if (chunk->first < *to) *to = chunk->first;
      break;
    }
    *from = end;
  }
  return *from < *to;
}

void bb_chunk_end(bb_chunk *chunk) {
  bb_list *before = &chunk->stream->chunks;
  while (before->prev != &chunk->stream->chunks &&
         BB_LIST_ITEM(before->prev, bb_chunk, link)->first > chunk->first) {
    before = before->prev;
  }
  if (chunk->n > 0) {
    bb_list_append(before, &chunk->link);
  } else {
    bb_chunk_recycle(chunk);
  }
}

void bb_stream_fetched(bb_stream *stream, uint64_t record, uint64_t to) {
  stream->fetching = false;
  tell_missing(stream, record, to);
}

void bb_stream_lose(bb_stream *stream, uint64_t from, uint64_t to) {
  bb_queue *queue = stream->queue;
  if (queue->on_dropped != NULL) queue->on_dropped(queue, stream, from, to, BB_DROP_ROOM);
}

static bool is_read_next(const bb_stream *stream, const bb_chunk *chunk) {
  for (bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    const bb_reader *reader = BB_LIST_ITEM(node, bb_reader, link);
    if (reader->reading < chunk->first + chunk->n && reader->reading + BB_READ_AHEAD > chunk->first)
      return true;
  }
  return false;
}

void bb_stream_sweep(bb_stream *stream) {
  for (bb_list *node = stream->chunks.next; node != &stream->chunks;) {
    bb_chunk *chunk = BB_LIST_ITEM(node, bb_chunk, link);
    node = node->next;
    if (chunk->fetched && chunk->pins == 0 && !is_read_next(stream, chunk)) {
      bb_stream_drop_chunk(stream, chunk);
    }
  }
}

/* One hole of unknown depth, which takes in those that there are. */
void bb_reader_save_late(bb_reader *reader, uint64_t from) {
  bb_stream *stream = reader->stream;
  const bb_chunk *chunk = bb_stream_find(stream, from);
  reader->durable = true;
  if (chunk != NULL && chunk->first > from) from = chunk->first;
  if (chunk == NULL || from >= stream->saved) return;
  if (stream->id == 0 && !stream->saving) {
    stream->saved = from;
    return;
  }
  if (stream->n_holes > 0 && stream->holes[0].from < from) from = stream->holes[0].from;
  stream->holes[0] = (bb_span){from, stream->saved};
  stream->n_holes = 1;
  stream->sounded = from;
  stream->holes_grew = true;
  reader->late = true;
}

void bb_stream_fill(bb_stream *stream, uint64_t to) {
  uint64_t filled = 0;
  if (stream->n_holes == 0) return;
  stream->n_holes = bb_span_clip(stream->holes, stream->n_holes, to, &filled);
  if (stream->sounded < to) stream->sounded = to;
  for (bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    bb_reader *reader = BB_LIST_ITEM(node, bb_reader, link);
    reader->late = reader->late && stream->n_holes > 0;
  }
}

bool bb_stream_has_saved(const bb_stream *stream, uint64_t from, uint64_t to) {
  for (uint32_t i = 0; i < stream->n_holes; i++) {
    if (stream->holes[i].from < to && stream->holes[i].to > from) return false;
  }
  return to <= stream->saved;
}

uint64_t bb_reader_saved(const bb_reader *reader) {
  const bb_stream *stream = reader->stream;
  bb_span spans[BB_READER_SPANS + BB_STREAM_HOLES]; /* each hole may make two of one */
  uint64_t saved = 0, missing = 0;
  if (!reader->durable || stream->id == 0) return 0;
  uint32_t n = reader->need(reader, spans);
  for (uint32_t i = 0; reader->late && i < stream->n_holes; i++) {
    const bb_span *hole = &stream->holes[i];
    n = bb_span_cut(spans, n, BB_READER_SPANS + BB_STREAM_HOLES, hole->from, hole->to, &missing);
  }
  bb_span_clip(spans, n, stream->saved, &saved);
  return saved;
}

void bb_stream_forget(bb_stream *stream, uint64_t to, bool aged) {
  bb_queue *queue = stream->queue;
  uint64_t from = stream->first;
  if (to <= from) return;
  for (bb_list *node; (node = bb_list_first(&stream->chunks)) != NULL;) {
    bb_chunk *chunk = BB_LIST_ITEM(node, bb_chunk, link);
    if (chunk->first + chunk->n > to) break;
    bb_stream_drop_chunk(stream, chunk);
  }
  stream->first = to;
  bb_stream_fill(stream, to);
  bb_drop why = aged ? BB_DROP_AGED : BB_DROP_ROOM;
  if (queue->on_dropped != NULL) queue->on_dropped(queue, stream, from, to, why);
}

void bb_stream_shift(bb_stream *stream, uint64_t by) {
  stream->first += by;
  stream->next += by;
  stream->saved += by;
  for (bb_list *node = stream->chunks.next; node != &stream->chunks; node = node->next) {
    BB_LIST_ITEM(node, bb_chunk, link)->first += by;
  }
}

uint32_t bb_stream_need(const bb_stream *stream, bb_span *out, uint32_t max) {
  uint32_t n = 0;
  for (bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    const bb_reader *reader = BB_LIST_ITEM(node, bb_reader, link);
    bb_span spans[BB_READER_SPANS];
    uint32_t n_spans = reader->durable ? reader->need(reader, spans) : 0;
    for (uint32_t i = 0; i < n_spans; i++) {
      n = bb_span_add(out, n, max, spans[i].from, spans[i].to);
    }
  }
  return n;
}
