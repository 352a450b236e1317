/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much history may be on its way to a sink at once. What is live comes behind it, so it is as much
 * as the sink takes within BB_PACE_QUEUE_MS, beyond the time that a few records take by themselves: the
 * way there and back, and the sink's own work. It begins with a few and doubles with each record that
 * comes back early; from then on it is as the rate is at which the sink takes them. What a few take is
 * measured anew once in BB_PACE_ANEW_MS.
 *
 * One record at a time is timed. Times are monotonic. All zero is a pace before its first record.
 */
#ifndef BB_RUNTIME_PACE_H
#define BB_RUNTIME_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define BB_PACE_LEAST 64 /* records */
#define BB_PACE_QUEUE_MS 50
#define BB_PACE_ANEW_MS 30000

typedef struct bb_pace {
  /* private */
  uint32_t share;
  uint64_t alone_ns; /* what the first of a few took; 0: not known */
  uint64_t anew_ns;  /* when it is to be measured anew */
  double rate;       /* records in a nanosecond, nearly the best of the last ones */
  bool timing;
  uint64_t ticket, sent_ns; /* of the record that is timed */
  uint32_t under_way;       /* with it */
} bb_pace;

/* How many records may be on their way, `most` of them in any case. */
uint32_t bb_pace_share(bb_pace *pace, uint32_t most, uint64_t now_ns);

/* That record was sent; `under_way` are on their way with it. */
void bb_pace_sent(bb_pace *pace, uint64_t ticket, uint32_t under_way, uint64_t now_ns);

/* It came back; where it was not taken, its time says nothing. */
static inline bool bb_pace_is_timed(const bb_pace *pace, uint64_t ticket) {
  return pace->timing && pace->ticket == ticket;
}
void bb_pace_done(bb_pace *pace, bool taken, uint32_t most, uint64_t now_ns);

#endif
