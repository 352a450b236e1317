/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A float32 as the double that its shortest decimal means: 230.1f becomes 230.1 and not
 * 230.10000610351562. The decimal is the one that encode/number.h prints, so that JavaScript, which
 * has doubles only, prints it too.
 *
 * With the value multiplied by a power of ten 10^p so that one unit in its last place is 1 to 10,
 * the decimals that read back as the same float reach over at most one multiple of ten: it is the
 * shortest if there is one, else the nearest whole number is. In the range of the table all of this
 * is exact in doubles: 24 bits of the float times 10^12 at most are 52 bits. The division at the end
 * is the one rounding. Everything else (powers of two, whose bounds are uneven, and sizes outside
 * 2^-16 to 2^27) goes by the digits themselves.
 */
#ifndef BB_ADDON_SHORTEST_H
#define BB_ADDON_SHORTEST_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "doubles must be computed as doubles"
#endif

#define BB_SHORTEST_FIRST 111 /* exponent field of 2^-16 */
#define BB_SHORTEST_COUNT 43

/* By the exponent field: 10^p, and half a unit in the last place times 10^p, for even and odd
 * mantissas. To an odd one the bounds themselves do not belong. */
typedef struct bb_shortest_step {
  double scale;
  double half[2];
} bb_shortest_step;

extern const bb_shortest_step bb_shortest_steps[BB_SHORTEST_COUNT];

/* By way of the digits; for all finite values. */
double bb_shortest_slow(float value);

/* The nearest whole number, half to even, for |x| < 2^51. */
static inline double bb_shortest_round(double x) {
  const double magic = 0x1.8p52;
  return (x + magic) - magic;
}

/* `value` is finite. */
static inline double bb_shortest(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  uint32_t exponent = (bits >> 23 & 0xff) - BB_SHORTEST_FIRST;
  if (exponent >= BB_SHORTEST_COUNT || (bits & 0x7fffff) == 0) return bb_shortest_slow(value);
  const bb_shortest_step *step = &bb_shortest_steps[exponent];
  double x = (double)value * step->scale;
  double one = bb_shortest_round(x), ten = bb_shortest_round(x * 0.1) * 10;
  return (fabs(x - ten) <= step->half[bits & 1] ? ten : one) / step->scale;
}

#endif
