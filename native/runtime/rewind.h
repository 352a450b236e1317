/* SPDX-License-Identifier: Apache-2.0 */
/* What a sink may ask for once more, after it was acknowledged: the records of its last hold_ms. They stay
 * in memory as far as that has room, and are fetched from the store where it has them for another sink.
 * What is in neither is told and counted as dropped. */
#ifndef BB_RUNTIME_REWIND_H
#define BB_RUNTIME_REWIND_H

#include "runtime/outlet.h"

/* The record was acknowledged just now. */
void bb_rewind_note(bb_intake *intake, uint64_t record);

/* The first record that may be asked for; `floor` where there is none below it. */
uint64_t bb_rewind_floor(const bb_intake *intake, uint64_t floor);

/* Gives what was acknowledged since `mono_ns`, or a little before, once more, as history. */
void bb_rewind(bb_outlet *outlet, uint64_t mono_ns);

/* Records from..to are nowhere. */
void bb_rewind_missing(bb_intake *intake, uint64_t from, uint64_t to);

#endif
