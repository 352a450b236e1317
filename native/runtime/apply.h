/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a change of config; used by runtime.c only. */
#ifndef BB_RUNTIME_APPLY_H
#define BB_RUNTIME_APPLY_H

#include <stdbool.h>

#include "runtime/config.h"

struct bb_runtime;

/* Takes over the config: closes what differs, then opens what is wanted. */
void bb_apply_start(struct bb_runtime *runtime, bb_config *config);

/* Something has closed: opens what is wanted if nothing is in the way any more. */
void bb_apply_go_on(struct bb_runtime *runtime);

/* Closes all stations with their links, or all outlets. */
void bb_apply_close_all(struct bb_runtime *runtime, bool stations, bool outlets);

/* Closes what is marked. */
void bb_apply_close_marked(struct bb_runtime *runtime);

/* Drops streams and shapes that are no longer in use. */
void bb_runtime_tidy(struct bb_runtime *runtime);

#endif
