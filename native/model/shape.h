/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shape: the resolved point list of one scan, with the place of each value in a batch. Immutable,
 * named by its hash, counted. It owns copies of its points, so it outlives the profile it came from;
 * devices of the same profile and scan share one. Loop thread only.
 */
#ifndef BB_MODEL_SHAPE_H
#define BB_MODEL_SHAPE_H

#include "model/point.h"

typedef struct bb_shape {
  /* read-only */
  uint64_t hash; /* of scan and points: equal hash, equal layout and meaning */
  const char *scan;
  const bb_point *points;
  const uint32_t *offsets; /* of each point's slot in the values */
  uint16_t n_points;
  uint32_t value_bytes;
  /* private */
  uint32_t refs;
} bb_shape;

/* Copies the points (names, units, labels included) into one allocation, with one reference. NULL
 * without memory. At most BB_MAX_POINTS. */
bb_shape *bb_shape_new(const char *scan, const bb_point *const *points, uint16_t n_points);

bb_shape *bb_shape_ref(const bb_shape *shape);

/* Harmless on NULL. */
void bb_shape_unref(const bb_shape *shape);

/* The place of the point of that name, or -1. */
int bb_shape_find(const bb_shape *shape, const char *name);

#endif
