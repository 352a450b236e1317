/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a point of any profile means to the plant, found by its unit and the words of its name:
 * "voltage/l1-n" in V, "power/active/total" in kW, "max/current/l2" in A, "energy/active/import" in
 * Wh. The unit says what is measured and its size; the words say phase, direction, demand, maximum.
 */
#ifndef BB_SIM_QUANTITY_H
#define BB_SIM_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/plant.h"

typedef struct bb_quantity {
  uint16_t offset; /* of the double in a bb_plant_reading */
  bool counter;    /* it only rises, and wraps where its register ends */
  double factor;   /* the plant's unit in the point's: 0.001 for kW */
} bb_quantity;

/* 0, or BB_ERR_NOTFOUND when the plant knows nothing of the kind (a setting, a temperature). */
int bb_quantity_find(bb_quantity *out, const char *name, const char *unit);

/* Whether the name speaks of something that somebody sets: it does not move by itself. */
bool bb_quantity_is_setting(const char *name);

/* In the point's unit. */
double bb_quantity_value(const bb_quantity *quantity, const bb_plant_reading *reading);

#endif
