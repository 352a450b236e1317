/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts durations in buckets that double from 64 µs to 67 s: enough to tell p50 from p99, small
 * enough to keep one a driver, cheap enough for every request.
 */
#ifndef BB_BASE_HISTOGRAM_H
#define BB_BASE_HISTOGRAM_H

#include <stdint.h>

#define BB_HISTOGRAM_BUCKETS 21
#define BB_HISTOGRAM_FIRST_NS 65536ull /* upper bound of the first bucket; the last has none */

typedef struct bb_histogram {
  /* read-only */
  uint64_t buckets[BB_HISTOGRAM_BUCKETS + 1];
  uint64_t count;
  uint64_t sum_ns;
  uint64_t max_ns;
} bb_histogram;

static inline uint64_t bb_histogram_bound_ns(unsigned bucket) {
  return BB_HISTOGRAM_FIRST_NS << bucket;
}

static inline void bb_histogram_add(bb_histogram *histogram, uint64_t ns) {
  unsigned bucket = 0;
  while (bucket < BB_HISTOGRAM_BUCKETS && ns > bb_histogram_bound_ns(bucket)) bucket++;
  histogram->buckets[bucket]++;
  histogram->count++;
  histogram->sum_ns += ns;
  if (ns > histogram->max_ns) histogram->max_ns = ns;
}

#endif
