/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The families of metrics, one row each: what it is called, what it is about, so over what the cursor
 * walks, and how one of these is shown. A new metric is a new row.
 */
#ifndef BB_RUNTIME_METRICS_FAMILY_H
#define BB_RUNTIME_METRICS_FAMILY_H

#include "base/buf.h"
#include "runtime/parking.h"
#include "runtime/runtime.h"

typedef enum bb_metrics_about {
  BB_METRICS_ONCE,
  BB_METRICS_DESCRIPTORS, /* once, after they were counted */
  BB_METRICS_DRIVER,
  BB_METRICS_CONNECTION,
  BB_METRICS_DEVICE,
  BB_METRICS_SCAN,
  BB_METRICS_SINK,
  BB_METRICS_ORPHAN,
} bb_metrics_about;

/* What the cursor stands at; what the family is not about is NULL. */
typedef struct bb_metrics_place {
  const bb_runtime *runtime;
  const bb_link *link; /* has a connection */
  const bb_station *station;
  const bb_station_scan *scan;
  const bb_outlet *outlet;
  const bb_orphan *orphan;
  const char *driver;
  const bb_histogram *latency;
  uint64_t descriptors;
} bb_metrics_place;

typedef struct bb_metrics_family bb_metrics_family;

struct bb_metrics_family {
  const char *name;
  const char *type;
  const char *help;
  bb_metrics_about about;
  void (*show)(const bb_metrics_family *family, const bb_metrics_place *place, bb_buf *out);
  size_t offset; /* of the number, in what the family is about */
};

extern const bb_metrics_family bb_metrics_families[];
extern const uint32_t bb_metrics_n_families;

#endif
