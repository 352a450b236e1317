/* SPDX-License-Identifier: Apache-2.0 */
/* See plan.h. */
#include "drivers/modbus/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "drivers/modbus/plan_cover.h"
#include "model/codec_float.h"

void bb_modbus_limits_init(bb_modbus_limits *limits, const bb_profile *profile) {
  const bb_profile_modbus *modbus = &profile->modbus;
  *limits = (bb_modbus_limits){
      .gap = (uint16_t)modbus->max_gap,
      .unreadable = modbus->unreadable,
      .n_unreadable = modbus->n_unreadable,
  };
  limits->most[BB_SPACE_COIL] = limits->most[BB_SPACE_DISCRETE] = (uint16_t)modbus->max_bits;
  limits->most[BB_SPACE_INPUT] = limits->most[BB_SPACE_HOLDING] = (uint16_t)modbus->max_registers;
}

bool bb_modbus_limits_allow(const bb_modbus_limits *limits, bb_space space, uint32_t first,
                            uint32_t end) {
  if (first >= end) return true;
  for (uint32_t i = 0; i < limits->n_unreadable; i++) {
    const bb_range *range = &limits->unreadable[i];
    if (range->space == space && range->first < end && range->last >= first) return false;
  }
  return true;
}

bb_modbus_span bb_modbus_span_of(const bb_modbus_plan *plan, uint16_t place) {
  const bb_profile_point *point = bb_modbus_plan_point(plan, place);
  bb_modbus_span span = {point->address, point->address + point->length, false};
  if (point->scale_from < 0) return span;
  const bb_profile_point *scale = &plan->profile->points[point->scale_from];
  uint32_t first = scale->address, end = first + scale->length;
  if (span.first < first) first = span.first;
  if (span.end > end) end = span.end;
  if (scale->space != point->space || end - first > plan->limits->most[point->space] ||
      !bb_modbus_limits_allow(plan->limits, point->space, first, end)) {
    return span;
  }
  return (bb_modbus_span){first, end, true};
}

bool bb_modbus_limits_scale(bb_modbus_limits *limits, const bb_profile *profile, uint16_t point) {
  bb_modbus_plan plan = {.profile = profile, .points = &point, .limits = limits};
  return profile->points[point].scale_from < 0 || bb_modbus_span_of(&plan, 0).scaled;
}

static bool is_bits(uint8_t space) {
  return space == BB_SPACE_COIL || space == BB_SPACE_DISCRETE;
}

void bb_modbus_gather(const bb_modbus_plan *plan, bb_modbus_item *items, uint16_t n, uint16_t most,
                      bb_modbus_block *block) {
  bb_space space = bb_modbus_plan_point(plan, items[0].place)->space;
  bb_modbus_span all = bb_modbus_span_of(plan, items[0].place);
  uint32_t gap = (uint32_t)plan->limits->gap * (is_bits((uint8_t)space) ? 16 : 1);
  uint16_t taken = 1;
  for (uint16_t i = 1; i < n; i++) {
    bb_modbus_item item = items[i];
    bb_modbus_span span = bb_modbus_span_of(plan, item.place);
    if (bb_modbus_plan_point(plan, item.place)->space != space || span.first > all.end + gap) break;
    uint32_t end = span.end > all.end ? span.end : all.end;
    if (end - all.first > most || !bb_modbus_limits_allow(plan->limits, space, all.end, end))
      continue;
    all.end = end;
    memmove(items + taken + 1, items + taken, (size_t)(i - taken) * sizeof(*items));
    items[taken++] = item;
  }
  block->address = (uint16_t)all.first;
  block->count = (uint16_t)(all.end - all.first);
  block->space = (uint8_t)space;
  block->n = taken;
}

void bb_modbus_enclose(const bb_modbus_plan *plan, const bb_modbus_item *items, uint16_t n,
                       bb_modbus_block *block) {
  bb_modbus_span all = bb_modbus_span_of(plan, items[0].place);
  for (uint16_t i = 1; i < n; i++) {
    bb_modbus_span span = bb_modbus_span_of(plan, items[i].place);
    if (span.first < all.first) all.first = span.first;
    if (span.end > all.end) all.end = span.end;
  }
  block->address = (uint16_t)all.first;
  block->count = (uint16_t)(all.end - all.first);
  block->space = (uint8_t)bb_modbus_plan_point(plan, items[0].place)->space;
  block->n = n;
}

void bb_modbus_settle(bb_modbus_plan *plan, const bb_modbus_block *block) {
  unsigned bytes = is_bits(block->space) ? 1 : 2;
  for (uint16_t i = 0; i < block->n; i++) {
    bb_modbus_item *item = &plan->items[block->first + i];
    const bb_profile_point *point = bb_modbus_plan_point(plan, item->place);
    item->at = (uint16_t)((point->address - block->address) * bytes);
    item->scale_at = BB_MODBUS_NO_SCALE;
    if (!bb_modbus_span_of(plan, item->place).scaled) continue;
    const bb_profile_point *scale = &plan->profile->points[point->scale_from];
    item->scale_at = (uint16_t)((scale->address - block->address) * bytes);
  }
}

int bb_modbus_plan_insert(bb_modbus_plan *plan, uint16_t block, uint16_t more) {
  uint16_t need = (uint16_t)(plan->n_blocks + more);
  if (need > plan->cap_blocks) {
    bb_modbus_block *blocks = realloc(plan->blocks, need * sizeof(*blocks));
    if (blocks == NULL) return BB_ERR_NOMEM;
    plan->blocks = blocks;
    plan->cap_blocks = need;
  }
  bb_modbus_block *at = plan->blocks + block;
  memmove(at + 1 + more, at + 1, (size_t)(plan->n_blocks - block - 1) * sizeof(*at));
  for (uint16_t i = 1; i <= more; i++) at[i] = at[0];
  plan->n_blocks = need;
  return 0;
}

static int compare(const void *a, const void *b, void *user) {
  const bb_modbus_plan *plan = user;
  uint16_t x = ((const bb_modbus_item *)a)->place, y = ((const bb_modbus_item *)b)->place;
  bb_space space_x = bb_modbus_plan_point(plan, x)->space;
  bb_space space_y = bb_modbus_plan_point(plan, y)->space;
  if (space_x != space_y) return space_x < space_y ? -1 : 1;
  bb_modbus_span span_x = bb_modbus_span_of(plan, x), span_y = bb_modbus_span_of(plan, y);
  if (span_x.first != span_y.first) return span_x.first < span_y.first ? -1 : 1;
  if (span_x.end != span_y.end) return span_x.end < span_y.end ? -1 : 1;
  return x < y ? -1 : x > y;
}

static bb_modbus_item item_of(const bb_modbus_plan *plan, uint16_t place) {
  const bb_profile_point *point = bb_modbus_plan_point(plan, place);
  const bb_codec *codec = &point->codec;
  return (bb_modbus_item){
      .place = place,
      .is_float = codec->raw == BB_RAW_F32 && bb_codec_is_plain(codec) && point->scale_from < 0,
      .order = (uint8_t)codec->order,
  };
}

/* Blocks of all items, into the room of one block an item. */
static void cover(bb_modbus_plan *plan) {
  uint16_t at = 0;
  while (at < plan->n_items) {
    bb_modbus_block *block = &plan->blocks[plan->n_blocks++];
    bb_modbus_item *items = plan->items + at;
    uint8_t space = (uint8_t)bb_modbus_plan_point(plan, items[0].place)->space;
    *block = (bb_modbus_block){.first = at};
    bb_modbus_gather(plan, items, (uint16_t)(plan->n_items - at), plan->limits->most[space], block);
    bb_modbus_settle(plan, block);
    at = (uint16_t)(at + block->n);
  }
}

int bb_modbus_plan_init(bb_modbus_plan *plan, const bb_profile *profile, const uint16_t *points,
                        uint16_t n_points, bb_modbus_limits *limits) {
  *plan = (bb_modbus_plan){
      .profile = profile, .points = points, .limits = limits, .probe = BB_MODBUS_NO_BLOCK};
  plan->items = malloc((n_points + (size_t)1) * sizeof(*plan->items));
  plan->blocks = malloc((n_points + (size_t)1) * sizeof(*plan->blocks));
  if (plan->items == NULL || plan->blocks == NULL) {
    bb_modbus_plan_close(plan);
    return BB_ERR_NOMEM;
  }
  for (uint16_t i = 0; i < n_points; i++) {
    if (bb_modbus_plan_point(plan, i)->space > BB_SPACE_HOLDING) continue;
    plan->items[plan->n_items++] = item_of(plan, i);
  }
  qsort_r(plan->items, plan->n_items, sizeof(*plan->items), compare, plan);
  cover(plan);
  plan->cap_blocks = plan->n_blocks;
  /* Most plans are one to three blocks; a failure to shrink costs nothing but the memory. */
  void *blocks = realloc(plan->blocks, (plan->n_blocks + (size_t)1) * sizeof(*plan->blocks));
  if (blocks != NULL) plan->blocks = blocks;
  return 0;
}

void bb_modbus_plan_close(bb_modbus_plan *plan) {
  free(plan->blocks);
  free(plan->items);
  *plan = (bb_modbus_plan){.blocks = NULL};
}
