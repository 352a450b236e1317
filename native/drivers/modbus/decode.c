/* SPDX-License-Identifier: Apache-2.0 */
/* See decode.h. */
#include "drivers/modbus/decode.h"

#include <string.h>

#include "model/codec_float.h"

int32_t bb_modbus_power_of(const bb_profile_point *scale, const uint8_t *raw) {
  uint8_t slot[8];
  uint8_t quality = bb_codec_decode(&scale->codec, raw, BB_POWER_NONE, slot, sizeof(slot));
  if (!bb_quality_has_value(quality)) return BB_POWER_MISSING;
  bb_value value = bb_value_load(scale->point.type, slot);
  bool fits = bb_type_is_signed(value.type)
                  ? value.v.i >= -BB_POWER_MAX && value.v.i <= BB_POWER_MAX
                  : value.v.u <= BB_POWER_MAX;
  return fits ? (int32_t)value.v.i : BB_POWER_MISSING;
}

static void keep_raw(bb_draft *draft, uint16_t place, const uint8_t *raw, size_t len) {
  uint8_t *kept = draft->raw + (size_t)place * BB_DRAFT_RAW;
  memset(kept, 0, BB_DRAFT_RAW);
  memcpy(kept, raw, len < BB_DRAFT_RAW ? len : BB_DRAFT_RAW);
}

static void decode_bits(const bb_modbus_plan *plan, const bb_modbus_block *block,
                        const uint8_t *data, bb_draft *draft) {
  const uint32_t *offsets = draft->shape->offsets;
  for (uint16_t i = 0; i < block->n; i++) {
    const bb_modbus_item *item = &plan->items[block->first + i];
    const bb_profile_point *point = &plan->profile->points[plan->points[item->place]];
    uint8_t bit = data[item->at / 8] >> item->at % 8 & 1;
    draft->quality[item->place] =
        bb_codec_decode(&point->codec, &bit, BB_POWER_NONE, draft->values + offsets[item->place],
                        point->point.size);
    if (draft->raw != NULL) keep_raw(draft, item->place, &bit, 1);
  }
}

/* Apart, so that the loop keeps its registers. */
__attribute__((noinline)) static void decode_any(const bb_modbus_plan *plan,
                                                 const bb_modbus_item *item, const uint8_t *data,
                                                 bb_draft *draft) {
  const bb_profile_point *points = plan->profile->points;
  const bb_profile_point *point = &points[plan->points[item->place]];
  const uint8_t *raw = data + item->at;
  uint8_t *slot = draft->values + draft->shape->offsets[item->place];
  int32_t power = BB_POWER_NONE;
  if (point->scale_from >= 0) {
    power = item->scale_at == BB_MODBUS_NO_SCALE
                ? BB_POWER_MISSING
                : bb_modbus_power_of(&points[point->scale_from], data + item->scale_at);
  }
  draft->quality[item->place] = bb_codec_decode(&point->codec, raw, power, slot, point->point.size);
  if (draft->raw != NULL) keep_raw(draft, item->place, raw, point->codec.raw_bytes);
}

void bb_modbus_decode(const bb_modbus_plan *plan, uint16_t block, const uint8_t *data,
                      bb_draft *draft) {
  const bb_modbus_block *read = &plan->blocks[block];
  const bb_modbus_item *item = plan->items + read->first, *end = item + read->n;
  const uint32_t *offsets = draft->shape->offsets;
  uint8_t *quality = draft->quality, *values = draft->values;
  bool keeps_raw = draft->raw != NULL;
  if (read->space <= BB_SPACE_DISCRETE) {
    decode_bits(plan, read, data, draft);
    return;
  }
  for (; item < end; item++) {
    uint16_t place = item->place;
    if (!item->is_float || keeps_raw) {
      decode_any(plan, item, data, draft);
    } else {
      quality[place] =
          bb_codec_float((bb_order)item->order, data + item->at, values + offsets[place]);
    }
  }
}
