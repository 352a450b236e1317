/* SPDX-License-Identifier: Apache-2.0 */
/* Which records of one stream a sink has still to get: history as ranges, and what comes from `live`
 * on. pump.h says which go next, window.h what becomes of those on their way. */
#ifndef BB_RUNTIME_INTAKE_H
#define BB_RUNTIME_INTAKE_H

#include "runtime/outlet.h"

/* Records that wait: history and not yet sent live ones. */
uint64_t bb_intake_waiting(const bb_intake *intake);

/* Everything that waits, but for the newest BB_OUTLET_LIVE_MS, becomes history: the sink is ready
 * again. */
void bb_intake_resume(bb_outlet *outlet);

/* bb_reader.need of every intake. */
uint32_t bb_intake_need(const bb_reader *reader, bb_span *out);

/* A new intake of that stream, for a sink of that id, which must outlive it; needs what comes from now
 * on. NULL without memory. */
bb_intake *bb_intake_new(bb_stream *stream, const char *sink, bool durable);
void bb_intake_free(bb_intake *intake);

/* Puts it into the list of a sink's intakes, those of events before the others: few, and not to wait
 * behind a backlog of telemetry. */
void bb_intake_enter(bb_intake *intake, bb_list *intakes);

/* How what waits is kept, by a sink's config. A backlog in the store stays there until it is sent. */
void bb_intake_set_store(bb_intake *intake, const bb_config_sink_store *store);

/* from..to is to be sent as history. */
void bb_intake_add_history(bb_intake *intake, uint64_t from, uint64_t to);

/* Its history below `floor` is on its way. */
void bb_intake_sent(bb_intake *intake, uint64_t floor);

/* from..to, which lie in the store, are to be sent as history. */
void bb_intake_add_saved(bb_intake *intake, uint64_t from, uint64_t to);

/* The records of its stream are called by so much higher numbers now. */
void bb_intake_shift(bb_intake *intake, uint64_t by);

/* Records from..to are gone; returns how many of them were still to be sent. */
uint64_t bb_intake_drop(bb_intake *intake, uint64_t from, uint64_t to);

/* Parts of outlet.c that others need. */
void bb_outlet_stand_last(bb_intake *intake);
void bb_outlet_wait(bb_outlet *outlet, uint32_t ms);
void bb_outlet_finish(bb_outlet *outlet);

#endif
