/* SPDX-License-Identifier: Apache-2.0 */
/* See driver.h. */
#include "plug/driver.h"

#include <stdlib.h>

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
