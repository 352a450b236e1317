/* SPDX-License-Identifier: Apache-2.0 */
/* See pace.h. */
#include "runtime/pace.h"

#include "base/clock.h"

uint32_t bb_pace_share(bb_pace *pace, uint32_t most, uint64_t now_ns) {
  if (now_ns >= pace->anew_ns) {
    pace->anew_ns = now_ns + BB_PACE_ANEW_MS * BB_NS_PER_MS;
    pace->share = BB_PACE_LEAST;
    pace->alone_ns = 0;
    pace->timing = false; /* behind more than a few */
  }
  return pace->share < most ? pace->share : most;
}

void bb_pace_sent(bb_pace *pace, uint64_t ticket, uint64_t now_ns) {
  if (pace->timing) return;
  pace->timing = true;
  pace->ticket = ticket;
  pace->sent_ns = now_ns;
}

void bb_pace_done(bb_pace *pace, bool taken, uint32_t most, uint64_t now_ns) {
  uint64_t took = now_ns - pace->sent_ns + 1;
  pace->timing = false;
  if (!taken) return;
  if (pace->alone_ns == 0 || took < pace->alone_ns) pace->alone_ns = took;
  uint64_t queue = BB_PACE_QUEUE_MS * BB_NS_PER_MS, limit = pace->alone_ns + queue;
  if (took > limit) {
    pace->share = (uint32_t)(pace->share * limit / took);
  } else {
    pace->share += took > limit - queue / 2 ? pace->share / 8 : pace->share;
  }
  if (pace->share > most) pace->share = most;
  if (pace->share < BB_PACE_LEAST) pace->share = BB_PACE_LEAST;
}
