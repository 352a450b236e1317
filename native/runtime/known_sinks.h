/* SPDX-License-Identifier: Apache-2.0 */
/* The ids of the sinks that somebody knows: those that a store names, and others that are added. So that
 * a misspelt one is told from one for which there is nothing. */
#ifndef BB_RUNTIME_KNOWN_SINKS_H
#define BB_RUNTIME_KNOWN_SINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "store/store.h"

/* All zero is an empty one. */
typedef struct bb_known_sinks {
  /* read-only */
  char **ids;
  uint32_t n;
} bb_known_sinks;

/* Adds an id, once. 0 or BB_ERR_NOMEM. */
int bb_known_sinks_add(bb_known_sinks *known, const char *sink);

/* Adds those for which something was saved, and those that have refused something. 0 or what the store
 * said. */
int bb_known_sinks_read(bb_known_sinks *known, bb_store *store);
void bb_known_sinks_close(bb_known_sinks *known);

bool bb_known_sinks_has(const bb_known_sinks *known, const char *sink);

/* The one that a misspelt id most likely means, or NULL. */
const char *bb_known_sinks_near(const bb_known_sinks *known, const char *sink);

#endif
