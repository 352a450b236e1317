/* SPDX-License-Identifier: Apache-2.0 */
/* See clock.h. */
#define _POSIX_C_SOURCE 200809L
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static uint64_t system_mono_ns(void *user) {
  (void)user;
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * BB_NS_PER_S + (uint64_t)t.tv_nsec;
}

static int64_t system_utc_ns(void *user) {
  (void)user;
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * (int64_t)BB_NS_PER_S + t.tv_nsec;
}

bb_clock bb_clock_system(void) {
  return (bb_clock){system_mono_ns, system_utc_ns, NULL};
}
