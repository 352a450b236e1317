/* SPDX-License-Identifier: Apache-2.0 */
/* Devices and shapes from documents of JavaScript, and batches of those shapes, as frames
 * (model/frame.h) for the control socket. What is packed can be read: it is held against the same
 * rules as a frame that comes in. */
#ifndef BB_ADDON_PACK_H
#define BB_ADDON_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/report.h"
#include "model/shape.h"
#include "model/value.h"

/* {"number":7,"id":"meter-1","site":"plant-7","profile":"vendor/model","tags":{"line":"l1"}}; all
 * but number and id may be missing. 0, BB_ERR_CONFIG (reported), BB_ERR_LIMIT or BB_ERR_NOMEM. */
int bb_pack_device(bb_buf *out, const char *text, size_t len, bb_report *report);

/* {"scan":"values","points":[{"name":"power","type":"float32",...}]}: the keys of a point are those
 * of the schema in pack.c. Returns as above, with one reference in *out. */
int bb_pack_read_shape(bb_shape **out, const char *text, size_t len, bb_report *report);

int bb_pack_shape(bb_buf *out, const bb_shape *shape);

/* What a batch says besides its samples. */
typedef struct bb_pack_head {
  uint32_t device;
  uint8_t flags; /* BB_BATCH_… */
  int64_t time_ns;
  uint64_t seq;
} bb_pack_head;

/* Writes a value of any type into the point's slot. 0, BB_ERR_TYPE or BB_ERR_RANGE: the point cannot
 * hold it. */
int bb_pack_value(const bb_shape *shape, uint16_t point, bb_value value, uint8_t *values);

/* `quality` has a byte and `values` a slot for each point. 0, BB_ERR_LIMIT or BB_ERR_NOMEM. */
int bb_pack_batch(bb_buf *out, const bb_pack_head *head, const bb_shape *shape,
                  const uint8_t *quality, const uint8_t *values);

#endif
