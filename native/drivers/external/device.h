/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this driver share. Private to them. */
#ifndef BB_DRIVERS_EXTERNAL_DEVICE_H
#define BB_DRIVERS_EXTERNAL_DEVICE_H

#include "drivers/external/external.h"

#define BB_EXTERNAL_ABSENT UINT16_MAX /* the source does not bring this point */

typedef struct bb_external_conn {
  bb_conn base;
  uint32_t fed; /* devices that have a source */
} bb_external_conn;

typedef struct bb_external_scan {
  bb_shape *shape;  /* of what goes to the host; NULL: none yet */
  uint64_t from;    /* hash of the source's shape that `places` is for; 0: none */
  uint16_t *places; /* in the source's shape, of each point of `shape`; NULL: the same */
} bb_external_scan;

typedef struct bb_external_device {
  bb_attachment base;
  const void *source; /* NULL: nobody */
  bool heard;         /* the host knows whether it is up */
  bb_external_scan scans[BB_MAX_SCANS];
} bb_external_device;

/* The place of the shape's scan; reads the shape where it is not the one that came last. Errors as in
 * bb_external_push_shape. */
int bb_external_learn(bb_external_device *device, const bb_shape *shape, bb_reason *reason);

/* Fills the draft, whose shape is the scan's, from a batch of the shape that was learnt. */
void bb_external_fill(const bb_external_scan *scan, const bb_batch *batch, bb_draft *draft);

#endif
