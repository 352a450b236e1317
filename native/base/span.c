/* SPDX-License-Identifier: Apache-2.0 */
/* See span.h. */
#include "base/span.h"

#include <string.h>

static uint32_t take_out(bb_span *ranges, uint32_t n, uint32_t at) {
  memmove(ranges + at, ranges + at + 1, (n - at - 1) * sizeof(*ranges));
  return n - 1;
}

/* Joins the range at `at` with those after it that it touches. */
static uint32_t join(bb_span *ranges, uint32_t n, uint32_t at) {
  while (at + 1 < n && ranges[at + 1].from <= ranges[at].to) {
    if (ranges[at + 1].to > ranges[at].to) ranges[at].to = ranges[at + 1].to;
    n = take_out(ranges, n, at + 1);
  }
  return n;
}

uint32_t bb_span_add(bb_span *ranges, uint32_t n, uint32_t max, uint64_t from, uint64_t to) {
  if (from >= to) return n;
  uint32_t at = 0;
  while (at < n && ranges[at].to < from) at++;
  if (at < n && ranges[at].from <= to) {
    if (from < ranges[at].from) ranges[at].from = from;
    if (to > ranges[at].to) ranges[at].to = to;
    return join(ranges, n, at);
  }
  if (n == max) {
    if (at == 0) {
      ranges[0].from = from;
      return n;
    }
    if (at == 1) {
      ranges[0].to = to;
      return join(ranges, n, 0);
    }
    ranges[0].to = ranges[1].to;
    n = take_out(ranges, n, 1);
    at--;
  }
  memmove(ranges + at + 1, ranges + at, (n - at) * sizeof(*ranges));
  ranges[at] = (bb_span){from, to};
  return n + 1;
}

uint32_t bb_span_clip(bb_span *ranges, uint32_t n, uint64_t floor, uint64_t *removed) {
  while (n > 0 && ranges[0].from < floor) {
    uint64_t to = ranges[0].to < floor ? ranges[0].to : floor;
    *removed += to - ranges[0].from;
    ranges[0].from = to;
    if (ranges[0].from < ranges[0].to) break;
    n = take_out(ranges, n, 0);
  }
  return n;
}

/* Takes from..to out of the middle of the range at `at`. The two oldest become one by what lies between
 * them, which never is a part of from..to. */
static uint32_t split(bb_span *ranges, uint32_t n, uint32_t max, uint32_t at, uint64_t from,
                      uint64_t to) {
  if (n == max && at <= 1) {
    ranges[0].to = from;
    ranges[1].from = to;
    return n;
  }
  if (n == max) {
    ranges[0].to = ranges[1].to;
    n = take_out(ranges, n, 1);
    at--;
  }
  memmove(ranges + at + 2, ranges + at + 1, (n - at - 1) * sizeof(*ranges));
  ranges[at + 1] = (bb_span){to, ranges[at].to};
  ranges[at].to = from;
  return n + 1;
}

uint32_t bb_span_cut(bb_span *ranges, uint32_t n, uint32_t max, uint64_t from, uint64_t to,
                     uint64_t *removed) {
  for (uint32_t at = 0; at < n && ranges[at].from < to;) {
    bb_span *range = &ranges[at];
    uint64_t begin = from > range->from ? from : range->from;
    uint64_t end = to < range->to ? to : range->to;
    if (begin >= end) {
      at++;
    } else if (begin == range->from && end == range->to) {
      *removed += end - begin;
      n = take_out(ranges, n, at);
    } else if (begin == range->from || end == range->to) {
      *removed += end - begin;
      if (begin == range->from)
        range->from = end;
      else
        range->to = begin;
      at++;
    } else {
      *removed += end - begin;
      return split(ranges, n, max, at, begin, end);
    }
  }
  return n;
}

uint64_t bb_span_count(const bb_span *ranges, uint32_t n) {
  uint64_t count = 0;
  for (uint32_t i = 0; i < n; i++) count += ranges[i].to - ranges[i].from;
  return count;
}
