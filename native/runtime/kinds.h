/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers and sinks that this runtime has: one row each in kinds.c. */
#ifndef BB_RUNTIME_KINDS_H
#define BB_RUNTIME_KINDS_H

#include "plug/driver.h"
#include "plug/sink.h"

/* NULL-terminated. A test passes tables of its own. */
typedef struct bb_kinds {
  const bb_driver *const *drivers;
  const bb_sink_kind *const *sinks;
} bb_kinds;

extern const bb_kinds bb_kinds_all;

const bb_driver *bb_kinds_driver(const bb_kinds *kinds, const char *kind);
const bb_sink_kind *bb_kinds_sink(const bb_kinds *kinds, const char *kind);

#endif
