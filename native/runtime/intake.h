/* SPDX-License-Identifier: Apache-2.0 */
/* Which records an outlet sends next, and what becomes of those on their way. Used by outlet.c and
 * outlet_host.c only. */
#ifndef BB_RUNTIME_INTAKE_H
#define BB_RUNTIME_INTAKE_H

#include "runtime/outlet.h"

/* Sends what may be sent now: live first, then history. */
void bb_intake_pump(bb_outlet *outlet);

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

/* The batch of a ticket that has no verdict yet, else NULL. */
const bb_batch *bb_intake_batch(const bb_outlet *outlet, uint64_t ticket);

/* A verdict for one ticket. */
void bb_intake_verdict(bb_outlet *outlet, uint64_t ticket, bb_verdict verdict);

/* After the verdicts: moves the window on, frees what was read, sends more. */
void bb_intake_settle(bb_outlet *outlet);

/* Every flight without a verdict is one to be retried. */
void bb_intake_retry_all(bb_outlet *outlet);

/* from..to is to be sent as history. */
void bb_intake_add_history(bb_intake *intake, uint64_t from, uint64_t to);

/* The same, of records that lie in the store. */
void bb_intake_add_saved(bb_intake *intake, uint64_t from, uint64_t to);

/* The records of its stream are called by so much higher numbers now. */
void bb_intake_shift(bb_intake *intake, uint64_t by);

/* Records from..to are gone; returns how many of them were still to be sent. */
uint64_t bb_intake_drop(bb_intake *intake, uint64_t from, uint64_t to);

/* Records from..to are gone: of those on their way none can be sent again. */
void bb_intake_drop_returning(bb_outlet *outlet, const bb_stream *stream, uint64_t from,
                              uint64_t to, bb_drop why);

/* Lets go of all flights. */
void bb_intake_drop_flights(bb_outlet *outlet);

/* Parts of outlet.c that others need. */
void bb_outlet_stand_last(bb_intake *intake);
void bb_outlet_wait(bb_outlet *outlet, uint32_t ms);
void bb_outlet_finish(bb_outlet *outlet);

#endif
