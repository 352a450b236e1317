/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window of an outlet: the batches on their way to the sink, from sending to their verdict. A ring
 * of flights, counted by tickets; the oldest leaves first, so a batch holds its place until all before
 * it have their verdicts. A flight pins the chunk that its record lies in.
 */
#ifndef BB_RUNTIME_WINDOW_H
#define BB_RUNTIME_WINDOW_H

#include "runtime/outlet.h"

/* How many flights there are. */
static inline uint32_t bb_window_used(const bb_outlet *outlet) {
  return (uint32_t)(outlet->newest - outlet->oldest);
}

/* The flight of a ticket from oldest to newest. */
static inline bb_flight *bb_window_flight(const bb_outlet *outlet, uint64_t ticket) {
  return &outlet->flights[ticket % outlet->needs.window_records];
}

/* Sends one run of records from..to. Returns how many went; 0: the window or the sink is full, or the
 * records have to be fetched first. */
uint32_t bb_window_send(bb_outlet *outlet, bb_intake *intake, uint64_t from, uint64_t to,
                        bool history);

/* The batch of a ticket that has no verdict yet, else NULL. */
const bb_batch *bb_window_batch(const bb_outlet *outlet, uint64_t ticket);

/* A verdict for one ticket. */
void bb_window_verdict(bb_outlet *outlet, uint64_t ticket, bb_verdict verdict);

/* After the verdicts: moves the window on, frees what was read, sends more. */
void bb_window_settle(bb_outlet *outlet);

/* Every flight without a verdict is one to be retried. */
void bb_window_retry_all(bb_outlet *outlet);

/* Records from..to are gone: of those on their way none can be sent again. */
void bb_window_drop_returning(bb_outlet *outlet, const bb_stream *stream, uint64_t from,
                              uint64_t to, bb_drop why);

/* Lets go of all flights. */
void bb_window_drop_flights(bb_outlet *outlet);

#endif
