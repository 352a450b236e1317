/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who wants to know when a record that it put is safe: in the store, or acknowledged by its sink.
 */
#ifndef BB_RUNTIME_WAIT_H
#define BB_RUNTIME_WAIT_H

#include "base/list.h"
#include "runtime/queue.h"

struct bb_runtime;

typedef struct bb_wait {
  /* public; called once, from the loop. `lost`: the record had to go before it was safe */
  void (*on_end)(struct bb_wait *wait, bool lost);
  void *user;
  /* private */
  const bb_stream *stream;
  uint64_t record;
  bb_list link;
} bb_wait;

/* Waits for that record. It lies in the caller's memory. */
void bb_wait_start(struct bb_runtime *runtime, bb_wait *wait, const bb_stream *stream,
                   uint64_t record);
void bb_wait_stop(bb_wait *wait); /* on_end is not called; harmless after it was */

/* Ends those whose records are safe. */
void bb_waits_look(struct bb_runtime *runtime);

#endif
