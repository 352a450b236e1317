/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A short ascending list of ranges of record numbers, apart from each other. When it is full, the two
 * oldest become one that covers the gap between them: what lies in the gap is sent once more, which
 * at least once allows.
 */
#ifndef BB_BASE_SPAN_H
#define BB_BASE_SPAN_H

#include <stdint.h>

typedef struct bb_span {
  uint64_t from, to; /* to is not included */
} bb_span;

/* Adds from..to; `n` of at most `max` ranges. Returns the new number. */
uint32_t bb_span_add(bb_span *ranges, uint32_t n, uint32_t max, uint64_t from, uint64_t to);

/* Takes out all below `floor`. `*removed` grows by what that was. Returns the new number. */
uint32_t bb_span_clip(bb_span *ranges, uint32_t n, uint64_t floor, uint64_t *removed);

/* Takes out from..to. `*removed` grows by what that was. Where it splits a range and the list is full,
 * the two oldest become one first; `max` is at least 2. Returns the new number. */
uint32_t bb_span_cut(bb_span *ranges, uint32_t n, uint32_t max, uint64_t from, uint64_t to,
                     uint64_t *removed);

/* Records in all of them. */
uint64_t bb_span_count(const bb_span *ranges, uint32_t n);

#endif
