/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decimal number kept exactly as it was written: digits × 10^exponent. A scale of 0.1 is 1 × 10^-1
 * and never the binary fraction beside it.
 */
#ifndef BB_BASE_DECIMAL_H
#define BB_BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

typedef struct bb_decimal {
  int64_t digits; /* without trailing zeros; 0 has exponent 0 */
  int32_t exponent;
} bb_decimal;

/* "12", "-0.1", "1e-3". 0, BB_ERR_FORMAT, or BB_ERR_RANGE (more than 18 digits, exponent past ±300).
 */
int bb_decimal_parse(bb_decimal *out, const char *text);

/* The nearest double. */
double bb_decimal_double(bb_decimal value);

/*
 * raw × scale + offset, computed in integers and rounded once to the nearest double: 3 × 0.1 is 0.3.
 * Only a sum of more than 38 digits is rounded before it is added up. `power` is added to the scale's exponent (a scale factor read at run time, SunSpec).
 */
double bb_decimal_apply(int64_t raw, bb_decimal scale, int power, bb_decimal offset);
double bb_decimal_apply_unsigned(uint64_t raw, bb_decimal scale, int power, bb_decimal offset);

#endif
