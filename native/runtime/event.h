/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens at a device, on its way to the sinks whose routes want events: that it is lost or back,
 * what became of a write to it, what its source tells. Batches without a shape, in streams of a class of
 * their own; reporting (changes, means) does not concern them.
 *
 * The text begins with a word and ends with what it is about:
 *
 *   lost: no answer from 10.0.0.21:502 for 3 s (unit 1)
 *   answers                    the first that is known of it since the start, or since it was changed
 *   back                       after a loss
 *   confirmed: limit = 50 % (from socket, by operator, id 4711)          an outcome, see door.c
 */
#ifndef BB_RUNTIME_EVENT_H
#define BB_RUNTIME_EVENT_H

#include <stdbool.h>

#include "runtime/station.h"

/* Finds out by the config who wants the events of the device. 0 or BB_ERR_NOMEM: nobody gets them. */
int bb_event_route(bb_station *station);

/* Delivers an event or outcome, of which kind, flags, text and time (0: now) are given. 0, also where
 * nobody wants it; BB_ERR_LIMIT or BB_ERR_NOMEM. */
int bb_event_add(bb_station *station, bb_batch *event);

/* The device was lost or is back. */
void bb_event_turned(bb_station *station, bool first);

#endif
