/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sink has not yet been sent outlives a change of that sink: when an outlet closes and the
 * runtime goes on, its intakes are parked under the sink's id, and the outlet that the new config
 * opens under the same id takes them over. What nobody takes over is dropped, and the log says so.
 */
#ifndef BB_RUNTIME_PARKING_H
#define BB_RUNTIME_PARKING_H

#include "runtime/outlet.h"

struct bb_runtime;

/* Takes the outlet's intakes; those on their way are to be sent again. Without memory they stay. */
void bb_parking_take(bb_outlet *outlet);

/* Gives a new outlet what was parked under its id. */
void bb_parking_give(bb_outlet *outlet);

/* Drops what is left. */
void bb_parking_clear(struct bb_runtime *runtime);

#endif
