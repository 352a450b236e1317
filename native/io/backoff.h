/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long to wait before the next try: doubling from the first delay to the longest, each spread by
 * ±20 % so that a hundred boxes do not come back at the same moment.
 */
#ifndef BB_IO_BACKOFF_H
#define BB_IO_BACKOFF_H

#include <stdint.h>

typedef struct bb_backoff {
  /* public */
  uint32_t first_ms;
  uint32_t longest_ms;
  /* private */
  uint32_t tries;
  uint64_t random; /* xorshift state, not 0 */
} bb_backoff;

void bb_backoff_init(bb_backoff *backoff, uint32_t first_ms, uint32_t longest_ms, uint64_t seed);

/* The delay before the next try; each call makes the following one longer. */
uint32_t bb_backoff_next_ms(bb_backoff *backoff);

/* After a success. */
void bb_backoff_reset(bb_backoff *backoff);

/* After one that did not last: half of the tries are forgotten. Where each comes to something, the delay
 * goes down to twice the first. */
void bb_backoff_ease(bb_backoff *backoff);

#endif
