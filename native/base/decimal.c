/* SPDX-License-Identifier: Apache-2.0 */
/* See decimal.h. */
#include "base/decimal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

#define MAX_DIGITS 18
#define MAX_EXPONENT 300
#define MAX_POWER 1000 /* past it every product is 0 or infinite anyway */
#define EXACT_POWER 22 /* 10^22 is the largest power of ten a double holds */
#define EXACT_INTEGER ((wide)1 << 53)

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static int parse_exponent(const char *text, int32_t *out) {
  bool negative = *text == '-';
  if (*text == '-' || *text == '+') text++;
  if (!is_digit(*text)) return BB_ERR_FORMAT;
  int32_t value = 0;
  for (; is_digit(*text); text++) {
    value = value * 10 + (*text - '0');
    if (value > 2 * MAX_EXPONENT) return BB_ERR_RANGE;
  }
  if (*text != 0) return BB_ERR_FORMAT;
  *out = negative ? -value : value;
  return 0;
}

int bb_decimal_parse(bb_decimal *out, const char *text) {
  bool negative = *text == '-', point = false, any = false;
  int64_t digits = 0;
  int32_t exponent = 0, zeros = 0, kept = 0, written = 0;
  if (*text == '-' || *text == '+') text++;
  for (; is_digit(*text) || (*text == '.' && !point); text++) {
    if (*text == '.') {
      point = true;
      continue;
    }
    any = true;
    exponent -= point;
    if (*text == '0') {
      zeros++;
      continue;
    }
    /* Zeros count only once a digit follows them; trailing ones move into the exponent. */
    kept = digits == 0 ? 1 : kept + zeros + 1;
    if (kept > MAX_DIGITS) return BB_ERR_RANGE;
    for (; digits != 0 && zeros > 0; zeros--) digits *= 10;
    zeros = 0;
    digits = digits * 10 + (*text - '0');
  }
  if (!any) return BB_ERR_FORMAT;
  if (*text == 'e' || *text == 'E') {
    int err = parse_exponent(text + 1, &written);
    if (err < 0) return err;
  } else if (*text != 0) {
    return BB_ERR_FORMAT;
  }
  exponent = digits == 0 ? 0 : exponent + zeros + written;
  if (exponent > MAX_EXPONENT || exponent < -MAX_EXPONENT) return BB_ERR_RANGE;
  *out = (bb_decimal){negative ? -digits : digits, exponent};
  return 0;
}

static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* value × 10^exponent by way of text, for what plain arithmetic would round twice. */
static double slow_double(wide value, int exponent) {
  char text[64];
  char *p = text + sizeof(text) - 16;
  uwide rest = value < 0 ? (uwide)-value : (uwide)value;
  snprintf(p, 16, "e%d", exponent);
  do {
    *--p = (char)('0' + (int)(rest % 10));
    rest /= 10;
  } while (rest > 0);
  if (value < 0) *--p = '-';
  return strtod(p, NULL);
}

/* Both operands are exact, so the one division or multiplication rounds once. */
static double to_double(wide value, int exponent) {
  bool exact = value <= EXACT_INTEGER && value >= -EXACT_INTEGER;
  if (exact && exponent <= 0 && exponent >= -EXACT_POWER) return (double)value / powers[-exponent];
  if (exact && exponent > 0 && exponent <= EXACT_POWER) return (double)value * powers[exponent];
  return slow_double(value, exponent);
}

double bb_decimal_double(bb_decimal value) {
  return to_double(value.digits, value.exponent);
}

static double apply(wide raw, bb_decimal scale, int power, bb_decimal offset) {
  wide value = raw * scale.digits; /* below 2^64 × 2^60 */
  int bounded = power > MAX_POWER ? MAX_POWER : power < -MAX_POWER ? -MAX_POWER : power;
  int exponent = scale.exponent + bounded;
  if (offset.digits == 0) return to_double(value, exponent);
  if (value == 0) return bb_decimal_double(offset);
  /* Bring both to the smaller exponent while the digits fit; past that the binary sum is as good. */
  wide add = offset.digits;
  int apart = exponent - offset.exponent;
  wide *larger = apart > 0 ? &value : &add;
  for (int i = apart > 0 ? apart : -apart; i > 0; i--) {
    if (__builtin_mul_overflow(*larger, (wide)10, larger)) {
      return to_double(raw * scale.digits, exponent) + bb_decimal_double(offset);
    }
  }
  if (__builtin_add_overflow(value, add, &value)) {
    return to_double(raw * scale.digits, exponent) + bb_decimal_double(offset);
  }
  return to_double(value, apart > 0 ? offset.exponent : exponent);
}

double bb_decimal_apply(int64_t raw, bb_decimal scale, int power, bb_decimal offset) {
  return apply(raw, scale, power, offset);
}

double bb_decimal_apply_unsigned(uint64_t raw, bb_decimal scale, int power, bb_decimal offset) {
  return apply((wide)raw, scale, power, offset);
}
