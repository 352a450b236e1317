/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two clocks as one thing that is passed in, so that a test can move them: monotonic
 * nanoseconds for periods and deadlines, UTC nanoseconds since 1970 for time stamps.
 */
#ifndef BB_BASE_CLOCK_H
#define BB_BASE_CLOCK_H

#include <stdint.h>

typedef struct bb_clock {
  uint64_t (*mono_ns)(void *user);
  int64_t (*utc_ns)(void *user);
  void *user;
} bb_clock;

#define BB_NS_PER_MS 1000000ull
#define BB_NS_PER_S 1000000000ull

/* The clocks of this machine. */
bb_clock bb_clock_system(void);

static inline uint64_t bb_clock_mono_ns(const bb_clock *clock) {
  return clock->mono_ns(clock->user);
}

static inline int64_t bb_clock_utc_ns(const bb_clock *clock) {
  return clock->utc_ns(clock->user);
}

#endif
