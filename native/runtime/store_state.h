/* SPDX-License-Identifier: Apache-2.0 */
/* What can be seen of the store as a whole: for the status of the runtime, and for the watches when it
 * changes. */
#ifndef BB_RUNTIME_STORE_STATE_H
#define BB_RUNTIME_STORE_STATE_H

#include "encode/json_writer.h"
#include "runtime/runtime.h"

/* The map "store": how it is, what lies in it, and the orphans. */
void bb_store_state_put(const bb_runtime *runtime, bb_json_writer *json);

/* Takes how it is now as known. */
void bb_store_state_note(bb_runtime *runtime);

/* Tells the watches (on_store) if it fails or works other than when they were told last, or if the
 * orphans are others. Cheap. */
void bb_store_state_look(bb_runtime *runtime);

#endif
