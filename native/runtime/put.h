/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that a client made itself (a flow in Node-RED), on their way to one sink: by the same
 * queue, window and retry as what the runtime reads, but outside of the routes.
 */
#ifndef BB_RUNTIME_PUT_H
#define BB_RUNTIME_PUT_H

#include "plug/reason.h"
#include "runtime/put_frame.h"
#include "runtime/runtime.h"

/* Where a message lies: later messages of one sink lie behind it. */
typedef struct bb_put_place {
  const bb_stream *stream;
  uint64_t record;
} bb_put_place;

/* Puts the message into the sink's queue. 0 with its place, or negative with `reason`: no such sink,
 * no topic where the sink needs one, too long, no room (BB_ERR_AGAIN), no memory. */
int bb_runtime_put(bb_runtime *runtime, const char *sink, const bb_put_message *message,
                   bb_put_place *place, bb_reason *reason);

#endif
