/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes of the past: those of batches from the store that no feed brings any more, or not yet. A sink
 * is told of them before their first batch, and that they are gone once no history is left.
 */
#ifndef BB_RUNTIME_PAST_H
#define BB_RUNTIME_PAST_H

#include "runtime/ledger.h"
#include "runtime/outlet.h"

/* The batch is about to be delivered as history. Negative: the sink could not be told, or there is no
 * memory; then it must wait. */
int bb_past_tell(bb_outlet *outlet, const bb_batch *batch);

/* A feed brings that shape now. True: the sink knows it from the past, and is not to be told. */
bool bb_past_adopt(bb_outlet *outlet, const bb_device *device, const bb_shape *shape);

/* The last feed that brought that shape is gone. True: it is one of the past again, and the sink is told
 * when that is gone; false: it is to be told now. */
bool bb_past_give_back(bb_outlet *outlet, const bb_device *device, const bb_shape *shape);

/* Tells the sink of those that are gone, if no history is left. */
void bb_past_settle(bb_outlet *outlet);

/* The outlet is closed; tells nobody. */
void bb_past_close(bb_outlet *outlet);

#endif
