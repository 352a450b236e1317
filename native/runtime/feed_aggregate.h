/* SPDX-License-Identifier: Apache-2.0 */
/* The aggregate of a feed over its running period; see feed.h. */
#ifndef BB_RUNTIME_FEED_AGGREGATE_H
#define BB_RUNTIME_FEED_AGGREGATE_H

#include "runtime/feed.h"

/* The place of the feed's point in the shape of the batches that come. */
static inline uint16_t bb_feed_source(const bb_feed *feed, uint16_t i) {
  return feed->map != NULL ? feed->map[i] : i;
}

/* Adds the batch to the running period. */
void bb_feed_gather(bb_feed *feed, const bb_batch *batch);

/* Puts the aggregates in place of the picked values, and ends the period. */
void bb_feed_conclude(bb_feed *feed);

#endif
