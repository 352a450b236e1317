/* SPDX-License-Identifier: Apache-2.0 */
/* See batch.h. */
#include "model/batch.h"

#include <stddef.h>

uint16_t bb_batch_good(const bb_batch *batch) {
  uint16_t good = 0;
  if (batch->shape == NULL) return 0;
  for (uint16_t i = 0; i < batch->shape->n_points; i++) {
    good = (uint16_t)(good + (bb_quality_class(batch->quality[i]) == BB_QUALITY_GOOD));
  }
  return good;
}
