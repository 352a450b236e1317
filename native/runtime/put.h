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

/* Puts the message into the sink's queue. 0, or negative with `reason`: no such sink, no topic where
 * the sink needs one, too long, no memory. */
int bb_runtime_put(bb_runtime *runtime, const char *sink, const bb_put_message *message,
                   bb_reason *reason);

#endif
