/* SPDX-License-Identifier: Apache-2.0 */
/* See batch.h. */
#include "model/batch.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

const char *bb_batch_payload(const bb_batch *batch, uint32_t *len) {
  assert(batch->kind == BB_BATCH_MESSAGE);
  const char *end = memchr(batch->text, 0, batch->text_len);
  assert(end != NULL);
  *len = (uint32_t)(batch->text_len - (end + 1 - batch->text));
  return end + 1;
}

uint16_t bb_batch_good(const bb_batch *batch) {
  uint16_t good = 0;
  if (batch->shape == NULL) return 0;
  for (uint16_t i = 0; i < batch->shape->n_points; i++) {
    good = (uint16_t)(good + (bb_quality_class(batch->quality[i]) == BB_QUALITY_GOOD));
  }
  return good;
}
