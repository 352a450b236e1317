/* SPDX-License-Identifier: Apache-2.0 */
/* What the store has from earlier runs, at the start of this one. */
#ifndef BB_RUNTIME_RESTORE_H
#define BB_RUNTIME_RESTORE_H

#include "runtime/save.h"

/*
 * Makes the streams anew, and for each sink that has not delivered all of one, an intake, parked under
 * the sink's id (runtime/parking.h); takes devices, shapes and values. Reads no records. 0 or what the
 * store said; then what was taken so far stays.
 */
int bb_restore(bb_save *save, bb_store *store);

/* As if nothing had been taken. */
void bb_restore_undo(bb_save *save);

#endif
