/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch: one acquisition of one shape of one device. A view: it owns nothing, and says where the
 * values lie. Loop thread only.
 */
#ifndef BB_MODEL_BATCH_H
#define BB_MODEL_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "model/device.h"
#include "model/quality.h"
#include "model/shape.h"
#include "model/value.h"

typedef enum bb_batch_kind {
  BB_BATCH_SAMPLES,
  BB_BATCH_EVENT,   /* a device was lost or is back, an operator did something: has a text */
  BB_BATCH_OUTCOME, /* what became of a command: has a text */
  BB_BATCH_MESSAGE, /* ready as it is, for one sink: its text is as in model/message.h */
} bb_batch_kind;

#define BB_BATCH_CLOCK_UNSET 1 /* the clock was not set when this was taken */
#define BB_BATCH_REPEAT 2      /* nothing new: a heartbeat, a snapshot */
#define BB_BATCH_FLAGS 3       /* all that are defined for values, events and outcomes */

/* Of a message, beside CLOCK_UNSET: its QoS + 1, 0 for the sink's own; retained; has properties. */
#define BB_BATCH_QOS_SHIFT 2
#define BB_BATCH_QOS (3 << BB_BATCH_QOS_SHIFT)
#define BB_BATCH_RETAIN 16
#define BB_BATCH_PROPERTIES 32
#define BB_BATCH_MESSAGE_FLAGS                                                                     \
  (BB_BATCH_CLOCK_UNSET | BB_BATCH_QOS | BB_BATCH_RETAIN | BB_BATCH_PROPERTIES)

typedef struct bb_batch {
  const bb_device *device;
  const bb_shape *shape; /* NULL for events and outcomes */
  int64_t time_ns;       /* UTC, at the source */
  uint64_t mono_ns;      /* since `boot` began counting */
  uint32_t boot;         /* which run of the runtime `mono_ns` belongs to */
  uint64_t seq;          /* counts the batches of a run: with `boot` no two to one sink share it */
  uint8_t kind;          /* bb_batch_kind */
  uint8_t flags;         /* BB_BATCH_… */
  uint16_t text_len;
  const uint8_t *quality; /* one byte a point */
  const uint8_t *codes;   /* the device's own refusal code, one byte a point; NULL: none at all */
  const uint8_t *values;  /* by the shape's offsets */
  const char *text;       /* not terminated; NULL: none */
} bb_batch;

static inline bb_value bb_batch_value(const bb_batch *batch, uint16_t point) {
  return bb_value_load(batch->shape->points[point].type,
                       batch->values + batch->shape->offsets[point]);
}

/* How many points have quality good. */
uint16_t bb_batch_good(const bb_batch *batch);

/* How many samples it has: its points but those that are absent. */
uint16_t bb_batch_samples(const bb_batch *batch);

/* What `quality` points to where all points are good. */
extern const uint8_t bb_batch_all_good[BB_MAX_POINTS];

/* For what came from outside, once its parts have the lengths that its shape asks for: kind, flags,
 * shape and text go together, and no slot holds what a reader of values could stumble over. */
bool bb_batch_is_sound(const bb_batch *batch);

#endif
