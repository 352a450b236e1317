/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an outlet sends next. Live first: what has just come, of each intake in its order. Then history,
 * in what that leaves, but never in more than half of the window, at the pace that the sink takes
 * (pace.h) and at most at store.history_rate; streams take turns in it. What waited longer than
 * BB_OUTLET_LIVE_MS is history, also where the sink is slow and not away.
 */
#ifndef BB_RUNTIME_PUMP_H
#define BB_RUNTIME_PUMP_H

#include "runtime/outlet.h"

/* Sends what may be sent now, by window.h. Called whenever there is something new, or room again. */
void bb_pump_run(bb_outlet *outlet);

/* How many batches of history may be on their way at once: half of the window is left to what is
 * live. */
uint32_t bb_pump_history_most(const bb_outlet *outlet);

#endif
