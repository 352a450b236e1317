/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of chunks; see queue.h. A record is its bb_batch, whose pointers lead to the bytes right
 * behind it. Used by queue.c and stream.c only. */
#ifndef BB_RUNTIME_CHUNK_H
#define BB_RUNTIME_CHUNK_H

#include "runtime/queue.h"

/* Bytes of the batch as a record. */
uint32_t bb_chunk_record_bytes(const bb_batch *batch);

/* An empty chunk of that many bytes at least, a spare one if it fits. NULL without memory. */
bb_chunk *bb_chunk_take(bb_queue *queue, uint32_t bytes);

/* Its records give back their devices and shapes; the memory is kept for reuse or freed. */
void bb_chunk_recycle(bb_chunk *chunk);

void bb_chunk_free(bb_chunk *chunk);

/* Copies the batch behind the last record; there must be room. */
void bb_chunk_fill(bb_chunk *chunk, const bb_batch *batch, uint32_t bytes);

/* The first record from `from` on that is not older than `mono_ns`; the one behind the chunk's last if
 * there is none. */
uint64_t bb_chunk_since(bb_chunk *chunk, uint64_t mono_ns);

/* Takes it out of its stream; a pinned one lives until it is unpinned. */
void bb_stream_drop_chunk(bb_stream *stream, bb_chunk *chunk);

#endif
