/* SPDX-License-Identifier: Apache-2.0 */
/* Brings saved records back into memory when a reader comes to them. */
#ifndef BB_RUNTIME_FETCH_H
#define BB_RUNTIME_FETCH_H

#include "runtime/queue.h"

#define BB_FETCH_BYTES (256u << 10) /* of packs, read at once */

/* bb_queue.fetch of the runtime's queue. */
void bb_fetch(bb_queue *queue, bb_stream *stream, uint64_t record);

#endif
