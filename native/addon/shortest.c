/* SPDX-License-Identifier: Apache-2.0 */
/* See shortest.h. */
#include "addon/shortest.h"

#include "base/decimal.h"
#include "encode/number.h"

#define WHOLE 16777216.0f /* up to here a whole number has no shorter decimal than itself */

/* unit: one in the last place. */
#define HALF(unit, scale) ((unit) / 2 * (scale))
#define STEP(unit, scale)                                                                          \
  {                                                                                                \
    (scale), {                                                                                     \
      HALF(unit, scale), HALF(unit, scale) * (1 - DBL_EPSILON)                                     \
    }                                                                                              \
  }

const bb_shortest_step bb_shortest_steps[BB_SHORTEST_COUNT] = {
    STEP(0x1p-39, 1e12), STEP(0x1p-38, 1e12), STEP(0x1p-37, 1e12), STEP(0x1p-36, 1e11),
    STEP(0x1p-35, 1e11), STEP(0x1p-34, 1e11), STEP(0x1p-33, 1e10), STEP(0x1p-32, 1e10),
    STEP(0x1p-31, 1e10), STEP(0x1p-30, 1e10), STEP(0x1p-29, 1e9),  STEP(0x1p-28, 1e9),
    STEP(0x1p-27, 1e9),  STEP(0x1p-26, 1e8),  STEP(0x1p-25, 1e8),  STEP(0x1p-24, 1e8),
    STEP(0x1p-23, 1e7),  STEP(0x1p-22, 1e7),  STEP(0x1p-21, 1e7),  STEP(0x1p-20, 1e7),
    STEP(0x1p-19, 1e6),  STEP(0x1p-18, 1e6),  STEP(0x1p-17, 1e6),  STEP(0x1p-16, 1e5),
    STEP(0x1p-15, 1e5),  STEP(0x1p-14, 1e5),  STEP(0x1p-13, 1e4),  STEP(0x1p-12, 1e4),
    STEP(0x1p-11, 1e4),  STEP(0x1p-10, 1e4),  STEP(0x1p-9, 1e3),   STEP(0x1p-8, 1e3),
    STEP(0x1p-7, 1e3),   STEP(0x1p-6, 1e2),   STEP(0x1p-5, 1e2),   STEP(0x1p-4, 1e2),
    STEP(0x1p-3, 1e1),   STEP(0x1p-2, 1e1),   STEP(0x1p-1, 1e1),   STEP(0x1p0, 1e0),
    STEP(0x1p1, 1e0),    STEP(0x1p2, 1e0),    STEP(0x1p3, 1e0),
};

#undef STEP
#undef HALF

double bb_shortest_slow(float value) {
  char text[BB_NUMBER_F32_MAX + 1];
  bb_decimal decimal;
  if (fabsf(value) <= WHOLE && (float)(int32_t)value == value) return (double)(int32_t)value;
  text[bb_number_f32(text, value)] = 0;
  return bb_decimal_parse(&decimal, text) < 0 ? (double)value : bb_decimal_double(decimal);
}
