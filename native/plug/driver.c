/* SPDX-License-Identifier: Apache-2.0 */
/* See driver.h. */
#include "plug/driver.h"

#include <stdlib.h>

bool bb_draft_has_raw(uint8_t quality, const bb_codec *codec) {
  if (quality == BB_QUALITY_ABSENT) return false;
  if (bb_quality_has_value(quality)) return true;
  switch (quality & BB_CAUSE_MASK) {
  case BB_CAUSE_NOT_AVAILABLE:
  case BB_CAUSE_NOT_A_NUMBER:
  case BB_CAUSE_OUT_OF_RANGE:
  case BB_CAUSE_NO_SCALE:
    return true;
  case BB_CAUSE_FORMAT: /* else the answer as a whole makes no sense */
    return codec->raw >= BB_RAW_BCD16 && codec->raw <= BB_RAW_BCD64;
  default:
    return false;
  }
}

bb_shape *bb_scan_shape(const bb_profile *profile, const bb_scan *scan) {
  const bb_point **points = malloc((scan->n_points + (size_t)1) * sizeof(bb_point *));
  if (points == NULL) return NULL;
  for (uint16_t i = 0; i < scan->n_points; i++) {
    points[i] = &profile->points[scan->points[i]].point;
  }
  bb_shape *shape = bb_shape_new(scan->name, points, scan->n_points);
  free(points);
  return shape;
}
