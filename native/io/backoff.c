/* SPDX-License-Identifier: Apache-2.0 */
/* See backoff.h. */
#include "io/backoff.h"

void bb_backoff_init(bb_backoff *backoff, uint32_t first_ms, uint32_t longest_ms, uint64_t seed) {
  /* Multiplying by an odd constant spreads seeds that differ in few bits (splitmix64's). */
  uint64_t random = (seed + 1) * 0x9E3779B97F4A7C15ull;
  *backoff = (bb_backoff){first_ms, longest_ms, 0, random != 0 ? random : 1};
}

static uint64_t next_random(bb_backoff *backoff) {
  uint64_t x = backoff->random;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return backoff->random = x;
}

uint32_t bb_backoff_next_ms(bb_backoff *backoff) {
  uint64_t delay = (uint64_t)backoff->first_ms << (backoff->tries < 20 ? backoff->tries : 20);
  if (delay >= backoff->longest_ms) {
    delay = backoff->longest_ms;
  } else {
    backoff->tries++;
  }
  uint64_t spread = delay * 2 / 5;
  delay = delay - delay / 5 + (spread > 0 ? next_random(backoff) % (spread + 1) : 0);
  return (uint32_t)(delay > backoff->longest_ms ? backoff->longest_ms : delay);
}

void bb_backoff_reset(bb_backoff *backoff) {
  backoff->tries = 0;
}

void bb_backoff_ease(bb_backoff *backoff) {
  backoff->tries /= 2;
}
