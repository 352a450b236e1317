/* SPDX-License-Identifier: Apache-2.0 */
/* One value on its own, out of its slot: in commands, in comparisons, in what a person is shown. */
#ifndef BB_MODEL_VALUE_H
#define BB_MODEL_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "model/type.h"

typedef struct bb_value {
  bb_type type;
  union {
    bool b;
    int64_t i;  /* all signed integer types */
    uint64_t u; /* all unsigned integer types */
    float f;    /* BB_TYPE_F32 */
    double d;   /* BB_TYPE_F64 */
    struct {
      const char *bytes; /* not terminated, not owned */
      uint8_t len;
    } text;
  } v;
} bb_value;

/* Reads the slot. A text points into it. */
bb_value bb_value_load(bb_type type, const uint8_t *slot);

/* Writes the slot of `size` bytes; the value must be of the slot's type and in its range. A text
 * longer than the slot is cut at a character. */
void bb_value_store(bb_value value, uint8_t *slot, unsigned size);

/* -1, 0 or 1: a below, equal to, above b; both numbers of the same type. NaN is above all others. */
int bb_value_compare(bb_value a, bb_value b);

/* The number; NaN for a text. 64-bit integers past 2^53 are rounded. */
double bb_value_double(bb_value value);

/* The same value as another type. 0, BB_ERR_RANGE (also a fraction into an integer), BB_ERR_TYPE (a
 * text into a number or the reverse). */
int bb_value_convert(bb_value value, bb_type type, bb_value *out);

#endif
