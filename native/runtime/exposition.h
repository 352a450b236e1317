/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text that Prometheus reads, format 0.0.4: for each family its HELP and TYPE once, then its
 * samples in one piece.
 *
 *   # HELP busbar_scan_polls_total Polls started.
 *   # TYPE busbar_scan_polls_total counter
 *   busbar_scan_polls_total{device="meter-1",scan="fast"} 12
 *
 * Pure. What does not fit into the buffer is remembered there (bb_buf.failed).
 */
#ifndef BB_RUNTIME_EXPOSITION_H
#define BB_RUNTIME_EXPOSITION_H

#include <stdint.h>

#include "base/buf.h"
#include "base/histogram.h"

typedef struct bb_exposition_label {
  const char *key;   /* [a-zA-Z_][a-zA-Z0-9_]* */
  const char *value; /* any text; escaped here, bytes that are no UTF-8 become '?' */
} bb_exposition_label;

/* A name, and up to three labels; those without a key are none. */
typedef struct bb_exposition_series {
  const char *name;
  bb_exposition_label labels[3];
} bb_exposition_series;

/* `type`: "counter", "gauge", "histogram". */
void bb_exposition_head(bb_buf *out, const char *name, const char *type, const char *help);

void bb_exposition_whole(bb_buf *out, const bb_exposition_series *series, uint64_t value);

/* Nanoseconds, shown in seconds. */
void bb_exposition_seconds(bb_buf *out, const bb_exposition_series *series, uint64_t ns);

/* Buckets that add up, their sum in seconds, their count. At most two labels: `le` is the third. */
void bb_exposition_histogram(bb_buf *out, const bb_exposition_series *series,
                             const bb_histogram *histogram);

#endif
