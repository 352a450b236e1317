/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heads and plans of lines (encode/line.h), made when a device or shape is first met and kept by
 * its hash. They are bounded by forgetting all: making them again costs microseconds.
 */
#ifndef BB_SINKS_INFLUXDB_PLANS_H
#define BB_SINKS_INFLUXDB_PLANS_H

#include <stddef.h>
#include <stdint.h>

#include "encode/line.h"

typedef struct bb_influxdb_table {
  /* private */
  struct bb_influxdb_entry *entries;
  size_t n;
  size_t cap; /* a power of two, or 0 */
} bb_influxdb_table;

typedef struct bb_influxdb_plans {
  /* public */
  bb_line_options options; /* the same for all */
  /* private */
  bb_influxdb_table series;
  bb_influxdb_table plans;
} bb_influxdb_plans;

/* All zero but the options is an empty one. */
void bb_influxdb_plans_close(bb_influxdb_plans *plans);

/* Appends the lines of a batch of any kind. How many, BB_ERR_NOMEM or BB_ERR_LIMIT. */
int bb_influxdb_plans_encode(bb_influxdb_plans *plans, bb_buf *out, const bb_batch *batch,
                             uint32_t *left_out);

/* How many of its lines write that field as that type (bb_line_count). */
uint32_t bb_influxdb_plans_count(bb_influxdb_plans *plans, const bb_batch *batch,
                                 const char *measurement, const char *field, const char *type);

#endif
