/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds of what waits for one sink: `store.max_bytes` and `store.max_age` at the sink. */
#ifndef BB_RUNTIME_LIMITS_H
#define BB_RUNTIME_LIMITS_H

#include <stdint.h>

struct bb_queue;
struct bb_reader;
struct bb_runtime;

/* bb_queue.on_aged of the runtime's queue. */
void bb_limits_aged(struct bb_queue *queue, struct bb_reader *reader, uint64_t to);

/* Drops the oldest that waits for a sink beyond its bounds; other sinks keep it. Bytes are told from
 * the mean of the stream's records. */
void bb_limits_look(struct bb_runtime *runtime, uint64_t now_ns);

#endif
