/* SPDX-License-Identifier: Apache-2.0 */
/* See batch.h. */
#include "model/batch.h"

#include <stddef.h>
#include <string.h>

#include "model/message.h"

#define ONES 0x0101010101010101ull

/* Eight bytes at once: good is the class without a bit. */
static inline unsigned count_others(const uint8_t *quality) {
  uint64_t word;
  memcpy(&word, quality, sizeof(word));
  uint64_t others = (word >> 7 | word >> 6) & ONES;
  return (unsigned)(others * ONES >> 56);
}

uint16_t bb_batch_good(const bb_batch *batch) {
  if (batch->shape == NULL) return 0;
  unsigned n = batch->shape->n_points, i = 0, others = 0;
  for (; i + 8 <= n; i += 8) others += count_others(batch->quality + i);
  for (; i < n; i++) others += bb_quality_class(batch->quality[i]) != BB_QUALITY_GOOD;
  return (uint16_t)(n - others);
}

uint16_t bb_batch_samples(const bb_batch *batch) {
  uint16_t n = 0;
  if (batch->shape == NULL) return 0;
  for (uint16_t i = 0; i < batch->shape->n_points; i++) {
    n = (uint16_t)(n + (batch->quality[i] != BB_QUALITY_ABSENT));
  }
  return n;
}

const uint8_t bb_batch_all_good[BB_MAX_POINTS];

static bool values_fit(const uint8_t *values, const bb_shape *shape) {
  for (uint16_t i = 0; i < shape->n_points; i++) {
    uint8_t first = values[shape->offsets[i]];
    if (shape->points[i].type == BB_TYPE_BOOL && first > 1) return false;
    if (shape->points[i].type == BB_TYPE_TEXT && first > shape->points[i].size - 1) return false;
  }
  return true;
}

bool bb_batch_is_sound(const bb_batch *batch) {
  if (batch->kind > BB_BATCH_MESSAGE) return false;
  if ((batch->kind == BB_BATCH_SAMPLES) != (batch->shape != NULL)) return false;
  if (batch->shape != NULL && !values_fit(batch->values, batch->shape)) return false;
  if (batch->kind != BB_BATCH_MESSAGE) return batch->flags <= BB_BATCH_FLAGS;
  bb_message message;
  return (batch->flags & ~BB_BATCH_MESSAGE_FLAGS) == 0 && bb_message_unpack(batch, &message) == 0;
}
