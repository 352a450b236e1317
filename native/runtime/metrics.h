/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runtime counts, for Prometheus, in slices: between two slices the loop goes on, devices
 * come and go. A cursor walks the config that was applied when it started, so that a scrape has each
 * series at most once; what is gone by the time is left out.
 *
 * Ids and numbers leave this way, and nothing else of the config: never a secret.
 */
#ifndef BB_RUNTIME_METRICS_H
#define BB_RUNTIME_METRICS_H

#include "base/buf.h"
#include "runtime/process.h"
#include "runtime/runtime.h"

#define BB_METRICS_SLICE_BYTES (64u << 10) /* a slice ends once it has so many */
#define BB_METRICS_SLICE_ITEMS 200u        /* or has looked at so many devices */
#define BB_METRICS_MAX_BYTES (256u << 10)  /* no slice is larger */

typedef struct bb_metrics {
  /* private */
  const bb_runtime *runtime;
  bb_config *config; /* referenced; NULL: none was applied */
  uint32_t family;   /* place in the table of families */
  uint32_t item;     /* place among what the family is about */
  bb_descriptors descriptors;
} bb_metrics;

/* The runtime must outlive the cursor. */
void bb_metrics_start(bb_metrics *metrics, const bb_runtime *runtime);

/*
 * Appends a slice. 1: there is more; 0: that was the last. Negative: the buffer failed. The buffer
 * should hold BB_METRICS_MAX_BYTES.
 */
int bb_metrics_slice(bb_metrics *metrics, bb_buf *out);

/* Also before the last slice; harmless on an all-zero cursor. */
void bb_metrics_end(bb_metrics *metrics);

#endif
