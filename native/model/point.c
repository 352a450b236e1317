/* SPDX-License-Identifier: Apache-2.0 */
/* See point.h. */
#include "model/point.h"

#include <stddef.h>

const char *bb_point_label(const bb_point *point, uint64_t value) {
  for (uint16_t i = 0; i < point->n_labels; i++) {
    if (point->labels[i].value == value) return point->labels[i].name;
  }
  return NULL;
}
