/* SPDX-License-Identifier: Apache-2.0 */
/* What a job of runtime/save.h carries. Used by save.c only. */
#ifndef BB_RUNTIME_SAVE_GATHER_H
#define BB_RUNTIME_SAVE_GATHER_H

#include "runtime/save_job.h"

/* Puts in what is due at `now_ns`; with `all`, what is not due yet too. False when there is nothing,
 * or no memory. */
bool bb_save_gather(bb_save *save, bb_save_job *job, uint64_t now_ns, bool all);

/* Whether anything will have to be saved later, if no sink takes it before. */
bool bb_save_is_waiting(const bb_save *save);

/* The job failed: its dead letters, and what it was to take away, wait again. */
void bb_save_return(bb_save *save, bb_save_job *job);

#endif
