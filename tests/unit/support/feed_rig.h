/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feed and the batches that come to it. A batch has three points: power (float64, deadband 1), count
 * (uint32) and name (text).
 */
#ifndef BB_TEST_FEED_RIG_H
#define BB_TEST_FEED_RIG_H

#include "base/clock.h"
#include "runtime/feed.h"

#define FEED_TEXT_SIZE 9
#define FEED_GOOD BB_QUALITY_GOOD
#define FEED_BAD (BB_QUALITY_BAD | BB_CAUSE_REFUSED)
#define FEED_STALE (BB_QUALITY_STALE | BB_CAUSE_NO_ANSWER)
#define FEED_ABSENT BB_QUALITY_ABSENT
#define FEED_MINUTE (60 * BB_NS_PER_S)

typedef struct feed_rig {
  bb_config config; /* only its count is used */
  bb_config_route route;
  bb_doc_tree tree;
  bb_device *device;
  bb_shape *shape;
  bb_feed *feed;
  /* of the next batch */
  bb_batch batch;
  uint8_t quality[3], codes[3], values[8 + 4 + FEED_TEXT_SIZE];
  bb_batch out;
} feed_rig;

/* `points`: a YAML list of patterns, or NULL. */
void feed_rig_open(feed_rig *f, bb_config_route route, const char *points);
void feed_rig_close(feed_rig *f);

/* A document without mistakes, for bb_config_route.points. */
void feed_parse(bb_doc_tree *tree, const char *text);

/* The values of the next batch. */
void feed_set(feed_rig *f, double power, uint32_t count, const char *name);

/* Whether the feed reports the batch at that time; then `out` is what it makes of it. */
bool feed_report(feed_rig *f, uint64_t mono_ns);

/* The three points of what came out: "p c n", each good (g), bad (b), stale (s) or absent (-). */
const char *feed_qualities(const feed_rig *f);
double feed_number(const feed_rig *f, uint16_t point);

#endif
