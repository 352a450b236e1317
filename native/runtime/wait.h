/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who wants to know when records that it put are safe: in the store, or acknowledged by their sink; or
 * as they are, where the sink's batches wait in memory.
 */
#ifndef BB_RUNTIME_WAIT_H
#define BB_RUNTIME_WAIT_H

#include "base/list.h"
#include "runtime/queue.h"

struct bb_runtime;

typedef struct bb_wait {
  /* public; called once, from the loop. `lost`: a record had to go before it was safe, and no sink that
   * is to have it on the disk waits for it any more */
  void (*on_end)(struct bb_wait *wait, bool lost);
  void *user;
  /* private */
  const bb_stream *stream;
  uint64_t from, to;
  bb_list link;
} bb_wait;

/* Whether records from..to are safe. */
bool bb_wait_is_over(const struct bb_runtime *runtime, const bb_stream *stream, uint64_t from,
                     uint64_t to);

/* Waits for records from..to. It lies in the caller's memory. */
void bb_wait_start(struct bb_runtime *runtime, bb_wait *wait, const bb_stream *stream,
                   uint64_t from, uint64_t to);
void bb_wait_stop(bb_wait *wait); /* on_end is not called; harmless after it was */

/* Ends those whose records are safe. */
void bb_waits_look(struct bb_runtime *runtime);

/* The records of the stream are called by so much higher numbers now. */
void bb_waits_shift(struct bb_runtime *runtime, const bb_stream *stream, uint64_t by);

/* Records from..to are about to be dropped: ends those of them as lost that are not safe, and that no
 * durable reader keeps. */
void bb_waits_lost(struct bb_runtime *runtime, const bb_stream *stream, uint64_t from, uint64_t to,
                   bb_drop why);

/* The same, where one reader alone loses them. */
void bb_waits_lost_by(struct bb_runtime *runtime, const bb_reader *reader, uint64_t from,
                      uint64_t to);

#endif
