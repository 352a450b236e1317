/* SPDX-License-Identifier: Apache-2.0 */
/* A try to take what earlier runs left in a store that could not be opened at the start. */
#ifndef BB_RUNTIME_RESTORE_JOB_H
#define BB_RUNTIME_RESTORE_JOB_H

#include "runtime/save.h"

/* Has the store's thread open and read it; what it holds is taken, then `on_done` with 0 or why not.
 * BB_ERR_NOMEM: there will be none. */
int bb_restore_job_start(bb_save *save, void (*on_done)(bb_save *save, int err));

#endif
