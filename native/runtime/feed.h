/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feed: one scan of one device on its way into one stream, as its routes ask: all, changes,
 * heartbeat, at most one in a period, an aggregate over a period, some of the points.
 *
 * Without a choice of points and without an aggregate the batch goes on as it is, with the points
 * that are not reported marked absent. Else the feed has a shape of its own.
 *
 * An aggregate is that of the good values of a period. A mean is made of numbers; of texts and bits it
 * is the last. Each point's counts on its own: one that had no good value has the quality it has now.
 */
#ifndef BB_RUNTIME_FEED_H
#define BB_RUNTIME_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "model/batch.h"
#include "runtime/config.h"
#include "runtime/queue.h"

typedef struct bb_feed {
  /* read-only */
  const bb_config_route *route; /* of the way of reporting; sinks differ */
  bb_config *owner;             /* of the route; referenced */
  bb_stream *stream;
  bb_shape *shape; /* of what comes out; referenced */
  uint64_t sinks;  /* bits of bb_outlet.place */
  uint64_t told;   /* of those that were told of its shape */
  struct bb_feed *next;
  /* private */
  uint16_t *map;    /* place in the batch's shape of each point of `shape`; NULL: the same */
  uint8_t *quality; /* of the batch made; one byte a point */
  uint8_t *codes;
  uint8_t *values;       /* of the batch made */
  uint8_t *last_quality; /* last reported, for changes */
  uint8_t *last_values;
  double *sums;         /* mean: of the running period */
  uint8_t *kept;        /* min, max, last: of the running period, in the source's types */
  uint32_t *counts;     /* good values in the running period; NULL: no aggregate */
  uint64_t reported_ns; /* monotonic: last report of anything */
  uint64_t window_ns;   /* monotonic: end of the running period */
  bool fresh;           /* nothing reported yet */
  bool lost;            /* the device is, since the last report */
  bool oversized;       /* the log has said that its batches do not fit */
} bb_feed;

/* `route` gives the reporting, `source` is the scan's shape. NULL without memory, or when no point is
 * chosen (*none is then true). */
bb_feed *bb_feed_new(bb_config *owner, const bb_config_route *route, const bb_shape *source,
                     bool *none);
void bb_feed_free(bb_feed *feed);

/* The same reporting in another config: what was reported is remembered. */
void bb_feed_adopt(bb_feed *feed, bb_config *owner, const bb_config_route *route);

/* A sink joins that knows nothing yet: the next report is a whole one. */
void bb_feed_refresh(bb_feed *feed);

/*
 * Makes of `batch` what is to be reported. True with the batch in *out, a view of `batch` and of the
 * feed's own memory, valid until the next call; false: nothing now.
 */
bool bb_feed_report(bb_feed *feed, const bb_batch *batch, bb_batch *out);

/* The batch as it is, in the feed's shape and with its points, whatever was reported; a view as
 * above. */
void bb_feed_view(bb_feed *feed, const bb_batch *batch, bb_batch *out);

/* True if two routes ask for the same reporting, so that one stream serves both sinks. */
bool bb_feed_same(const bb_config_route *a, const bb_config_route *b);

#endif
