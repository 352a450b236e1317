/* SPDX-License-Identifier: Apache-2.0 */
/* How points become blocks: what making a plan and learning share. Private to the plan. */
#ifndef BB_DRIVERS_MODBUS_PLAN_COVER_H
#define BB_DRIVERS_MODBUS_PLAN_COVER_H

#include "drivers/modbus/plan.h"

/* The addresses that a point needs, in its table: its own and those of its scale factor. */
typedef struct bb_modbus_span {
  uint32_t first;
  uint32_t end; /* the first one behind */
  bool scaled;  /* the scale factor is in it */
} bb_modbus_span;

bb_modbus_span bb_modbus_span_of(const bb_modbus_plan *plan, uint16_t place);

static inline const bb_profile_point *bb_modbus_plan_point(const bb_modbus_plan *plan,
                                                           uint16_t place) {
  return &plan->profile->points[plan->points[place]];
}

/*
 * Makes one block of the first of `items`, which are sorted by table and address, and of all others
 * that fit in with it under `most`. They are moved to the front. Of the block, address, count, n and
 * space are set.
 */
void bb_modbus_gather(const bb_modbus_plan *plan, bb_modbus_item *items, uint16_t n, uint16_t most,
                      bb_modbus_block *block);

/* Sets address, count, n and space of the block of exactly these items, one at least. */
void bb_modbus_enclose(const bb_modbus_plan *plan, const bb_modbus_item *items, uint16_t n,
                       bb_modbus_block *block);

/* Sets where the items of a block lie in its answer. */
void bb_modbus_settle(bb_modbus_plan *plan, const bb_modbus_block *block);

/* Makes room for `more` blocks behind that one, copies of it. 0 or BB_ERR_NOMEM. */
int bb_modbus_plan_insert(bb_modbus_plan *plan, uint16_t block, uint16_t more);

#endif
