/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of a probe share. Private to them. */
#ifndef BB_RUNTIME_PROBE_HOST_H
#define BB_RUNTIME_PROBE_HOST_H

#include "runtime/probe.h"

/* Reads on, or comes to the end, in an iteration of the loop to come: the driver may be in the middle
 * of something. */
void bb_runtime_probe_go_on(bb_runtime_probe *probe);

/* Says why not all was read, if so. `late`: its time is over. */
void bb_runtime_probe_conclude(bb_runtime_probe *probe, bool late);

/* Detaches and closes; on_done follows. */
void bb_runtime_probe_end(bb_runtime_probe *probe);

/* The device is detached: closes a connection of its own. */
void bb_runtime_probe_leave(bb_runtime_probe *probe);

/* The driver has let go of everything. */
void bb_runtime_probe_release(bb_runtime_probe *probe);

#endif
