/* SPDX-License-Identifier: Apache-2.0 */
/* See pace.h. */
#include "runtime/pace.h"

#include "base/clock.h"

uint32_t bb_pace_share(bb_pace *pace, uint32_t most, uint64_t now_ns) {
  if (now_ns >= pace->anew_ns) {
    pace->anew_ns = now_ns + BB_PACE_ANEW_MS * BB_NS_PER_MS;
    pace->share = BB_PACE_LEAST;
    pace->alone_ns = 0;
    pace->rate = 0;
    pace->timing = false; /* behind more than a few */
  }
  return pace->share < most ? pace->share : most;
}

void bb_pace_sent(bb_pace *pace, uint64_t ticket, uint32_t under_way, uint64_t now_ns) {
  if (pace->timing) return;
  pace->timing = true;
  pace->ticket = ticket;
  pace->under_way = under_way;
  pace->sent_ns = now_ns;
}

/* A stall says little of what the sink can do, so the rate falls slowly; but not from above what fills
 * the window. */
void bb_pace_done(bb_pace *pace, bool taken, uint32_t most, uint64_t now_ns) {
  uint64_t took = now_ns - pace->sent_ns + 1, queue = BB_PACE_QUEUE_MS * BB_NS_PER_MS;
  pace->timing = false;
  if (!taken) return;
  if (pace->alone_ns == 0 || took < pace->alone_ns) pace->alone_ns = took;
  double limit = (double)(pace->alone_ns + queue);
  double rate = (double)pace->under_way / (double)took;
  pace->rate -= pace->rate / 8;
  if (rate > pace->rate) pace->rate = rate < most / limit ? rate : most / limit;
  double share = took <= pace->alone_ns + queue / 2 ? 2.0 * pace->share : pace->rate * limit;
  pace->share = share > most ? most : (uint32_t)share;
  if (pace->share < BB_PACE_LEAST) pace->share = BB_PACE_LEAST;
}
