/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A point: one named quantity of a device, as all that comes after its decoding sees it. How it is
 * read from the wire stands in model/profile.h.
 */
#ifndef BB_MODEL_POINT_H
#define BB_MODEL_POINT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/type.h"

typedef enum bb_labels { BB_LABELS_NONE, BB_LABELS_ENUM, BB_LABELS_BITS } bb_labels;

typedef struct bb_label {
  uint32_t value; /* of an enum, or the number of a bit */
  const char *name;
} bb_label;

typedef struct bb_point {
  const char *name;        /* "power/total" */
  const char *unit;        /* "W"; "" without one */
  const char *description; /* "" without one */
  bb_type type;
  uint16_t size; /* bytes of the slot */
  bb_labels labels_kind;
  uint16_t n_labels;
  const bb_label *labels;
  double deadband; /* a change up to this much is none; 0: every change counts */
  bool writable;
  bool has_min, has_max;
  double min, max; /* of what may be written */
  double step;     /* written values lie on min + n × step; 0: any */
} bb_point;

/* The name of an enum's value, or NULL. */
const char *bb_point_label(const bb_point *point, uint64_t value);

#endif
