/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shape: the resolved point list of one scan, with the place of each value in a batch. Immutable,
 * named by its hash, counted. It owns copies of its points, so it outlives the profile it came from;
 * devices of the same profile and scan share one. Loop thread only.
 */
#ifndef BB_MODEL_SHAPE_H
#define BB_MODEL_SHAPE_H

#include "model/point.h"

/* What a point needs to become a member of a JSON object, side by side for the encoder. */
typedef struct bb_shape_member {
  uint32_t at;     /* where its `,"power/total":` begins in `json` */
  uint32_t len;    /* of that */
  uint32_t offset; /* as in `offsets` */
  uint8_t type;    /* bb_type */
} bb_shape_member;

/* From the beginning of a member's text so many bytes can be read, whatever its length. */
#define BB_SHAPE_STRIDE 32

typedef struct bb_shape {
  /* read-only */
  uint64_t hash; /* of scan and points: equal hash, equal layout and meaning */
  const char *scan;
  const bb_point *points;
  const uint32_t *offsets; /* of each point's slot in the values */
  const bb_shape_member *members;
  const char *json; /* the members' names, escaped once for all batches */
  uint16_t n_points;
  uint32_t value_bytes;
  uint32_t text_bytes; /* of them, the slots of texts */
  uint32_t json_bytes; /* of all members */
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
