/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See number.h. The digits are found by the Schubfach algorithm (Raffaello Giulietti, "The Schubfach
 * way to render doubles", 2020): of the numbers that round to c × 2^q, scaled by a power of ten
 * 10^-k so that at most one multiple of ten and at least one integer lie among them, take the
 * multiple of ten if there is one, else the nearest integer. All is computed four times as large,
 * so that the bounds, half and quarter steps away, are integers before scaling.
 *
 * Digits are made eight at a time in one word, without a table. Nothing on the way of an ordinary
 * value branches on its digits, and the float has a way of its own with one multiplication by a
 * power: what bounds the speed is the chain of operations from the bits to the text.
 */
#include "encode/number.h"

#include <stdbool.h>
#include <string.h>

#include "encode/number_table.h"

__extension__ typedef unsigned __int128 uwide;

#define ZEROS 0x3030303030303030ull /* "00000000" */

/* The digits of value < 10^8, a byte each, the first in the lowest byte: by halves, each step
 * dividing all parts of the word at once with a multiplication. */
static inline uint64_t eight_digits(uint64_t value) {
  uint64_t high = value * 109951163 >> 40;
  uint64_t fours = (value << 32) - high * ((10000ull << 32) - 1);
  uint64_t hundreds = (fours * 10486 >> 20) & 0x0000007f0000007full;
  uint64_t twos = (fours << 16) - hundreds * ((100ull << 16) - 1);
  uint64_t ten = (twos * 103 >> 10) & 0x000f000f000f000full;
  return (twos << 8) - ten * ((10ull << 8) - 1);
}

/* The place of the highest bit of word, which is not 0. */
static inline int top_bit(uint64_t word) {
  return 63 ^ __builtin_clzll(word);
}

/* Digits up to the last that is not 0, of a word of eight_digits: 0 to 8. The 8 stands below all
 * digits, so that a word of zeros needs no case of its own. */
static inline unsigned used_digits(uint64_t word) {
  return ((unsigned)top_bit(word << 4 | 8) + 4) / 8;
}

static inline unsigned leading_zeros(uint64_t word) {
  return (unsigned)__builtin_ctzll(word | 1ull << 63) / 8;
}

/* Not bb_put_le64: gcc 12 takes two of them in a row apart, byte by byte. */
static inline void put_word(char *out, uint64_t text) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  text = __builtin_bswap64(text);
#endif
  memcpy(out, &text, sizeof(text));
}

static inline void put_wide(char *out, uwide text) {
  put_word(out, (uint64_t)text);
  put_word(out + 8, (uint64_t)(text >> 64));
}

static inline size_t put_zero(char *out) {
  out[0] = '0';
  return 1;
}

static size_t put_exponent(char *out, int exponent) {
  unsigned rest = (unsigned)(exponent < 0 ? -exponent : exponent);
  char *start = out;
  *out++ = 'e';
  *out++ = exponent < 0 ? '-' : '+';
  if (rest >= 100) *out++ = (char)('0' + rest / 100);
  if (rest >= 10) *out++ = (char)('0' + rest / 10 % 10);
  *out++ = (char)('0' + rest % 10);
  return (size_t)(out - start);
}

/* Lays out n digits, `first` and then `rest` with zeros behind, `point` of them before the point. */
static size_t put_digits(char *out, char first, uwide rest, int n, int point) {
  if (point > 0 && point <= 16) {
    out[0] = first;
    put_wide(out + 1, rest);
    put_wide(out + point + 1, rest >> 8 * (point - 1));
    out[point] = '.';
    return (size_t)(n > point ? n + 1 : point);
  }
  if (point > 0 && point <= 21) {
    put_wide(out + 8, (uwide)ZEROS << 64 | ZEROS);
    out[0] = first;
    put_wide(out + 1, rest);
    return (size_t)point;
  }
  if (point <= 0 && point > -6) {
    put_word(out, ZEROS);
    out[1] = '.';
    out[2 - point] = first;
    put_wide(out + 3 - point, rest);
    return (size_t)(2 - point + n);
  }
  out[0] = first;
  out[1] = '.';
  put_wide(out + 2, rest);
  size_t len = n > 1 ? (size_t)n + 1 : 1;
  return len + put_exponent(out + len, point - 1);
}

/* floor(log10(2^q)) and so on, right for all exponents of a double: proved by
 * scripts/generate-powers.js. */
static inline int log10_of_2(int q) {
  return (q * 1262611) >> 22;
}

static inline int log10_of_three_quarters_of_2(int q) {
  return (q * 1262611 - 524031) >> 22;
}

static inline int log2_of_10(int e) {
  return (e * 1741647) >> 19;
}

/* g × c / 2^128, its lowest bit set if anything was cut off ("round to odd"). What stands below the
 * point by only one unit comes from the rounding of g. */
static inline uint64_t scale(struct power g, uint64_t c) {
  uwide product = (uwide)g.high * c + (uint64_t)((uwide)g.low * c >> 64);
  return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

/* (10 × ten + one) × 10^power; one is below 10, ten below 10^16. Zeros may end the digits. */
struct decimal {
  uint64_t ten, one;
  int power;
};

/* The shortest decimal for c × 2^q, c not 0. `closer`: c is the smallest of its exponent, so that
 * the lower bound is only a quarter step away. */
static inline struct decimal find_decimal(uint64_t c, int q, bool closer) {
  int k = closer ? log10_of_three_quarters_of_2(q) : log10_of_2(q);
  int h = q + log2_of_10(-k) + 1;
  struct power g = powers[-k - FIRST_POWER];
  uint64_t half = 2ull << h, middle = 4 * c << h;
  unsigned odd = c & 1; /* the bounds themselves round to c × 2^q only if c is even */
  uint64_t lower = scale(g, middle - (half >> closer)) + odd;
  uint64_t value = scale(g, middle), upper = scale(g, middle + half) - odd;
  uint64_t whole = value / 4, ten = whole / 10, one = whole % 10;
  bool below = lower <= 40 * ten, above = 40 * ten + 40 <= upper;
  /* Half to even. If the integer below is outside, the one above is inside; if only the one below
   * is inside it is also the nearest, because the upper bound is never nearer than the lower. */
  one += ((value & 3) + (whole & 1) > 2) | (lower > 4 * whole);
  return (struct decimal){ten + above, one & ((uint64_t)(below | above) - 1), k};
}

static size_t put_decimal(char *out, struct decimal decimal) {
  uint64_t ten = decimal.ten, one = decimal.one;
  int point = decimal.power + 17;
  /* Make it seventeen places without a zero in front. A normal double lacks one at most, and which
   * of them do cannot be foreseen. */
  uint64_t lack = 0 - (uint64_t)(ten < 1000000000000000);
  ten += (9 * ten + one) & lack;
  one &= ~lack;
  point += (int)lack;
  for (; ten < 1000000000000000; point--) ten *= 10;
  uint64_t high = eight_digits(ten / 100000000), low = eight_digits(ten % 100000000);
  uint64_t middle = high >> 8 | low << 56, end = low >> 8 | one << 56;
  int n = 1 + (int)(end != 0 ? 8 + used_digits(end) : used_digits(middle));
  return put_digits(out, (char)('0' | high), (uwide)(end | ZEROS) << 64 | middle | ZEROS, n, point);
}

#define FLOAT_TEN (40ull << 32) /* ten, four times as large, with 32 bits below the point */
#define FLOAT_HALF (1ull << 33) /* the same of a half */

/*
 * A normal float that is not a power of two: the algorithm with one multiplication. `value` is four
 * times as large and has 32 bits below the point; `half` is half a step on the same scale. Both are
 * cut off, so their sums may be one unit out; no float lies so near a bound that this matters,
 * which was found by comparing all of them with another implementation.
 */
static inline size_t put_float(char *out, uint32_t fraction, int exponent) {
  uint64_t g = scales[exponent], half = g >> 27;
  uint64_t value = (uint64_t)((uwide)g * ((fraction | 1ull << 23) << 38) >> 64);
  uint64_t ten = value / FLOAT_TEN, rest = value % FLOAT_TEN;
  unsigned odd = fraction & 1;
  bool below = rest + 2 * odd <= half + 1, above = rest + half + 1 >= FLOAT_TEN + 2 * odd;
  uint64_t one = (rest + FLOAT_HALF - 1 + (rest >> 34 & 1)) >> 34; /* half to even */
  one &= (uint64_t)(below | above) - 1;
  /* Nine places: the eight of `ten`, of which the first one or two are 0, and `one`. */
  uint64_t word = eight_digits(ten + above), text = word | ZEROS, last = one | ZEROS;
  unsigned zeros = leading_zeros(word), used = 1 + used_digits(word >> 8 | one << 56);
  int place = log10_of_2(exponent - 150) + 9, point = place - (int)zeros, n = (int)(used - zeros);
  if (point < 1 || place > 7) {
    uwide behind = ((uwide)last << 64 | text) >> 8 * (zeros + 1) | (uwide)ZEROS << 64;
    return put_digits(out, (char)(text >> 8 * zeros), behind, n, point);
  }
  put_word(out, text >> 8 * zeros); /* the places before the point, at most seven, and more */
  put_word(out + point + 1, text >> 8 * place | last << (64 - 8 * place));
  out[point] = '.';
  return (size_t)(n > point ? n + 1 : point);
}

/* Zero, powers of two, subnormals, and what has no text. Apart, so that an ordinary float saves no
 * registers for them. */
__attribute__((noinline)) static size_t put_odd_float(char *out, uint32_t bits) {
  uint32_t fraction = bits & 0x7fffff;
  int exponent = bits >> 23 & 0xff;
  size_t sign = bits >> 31;
  if (exponent == 0xff) return 0;
  if (bits << 1 == 0) return put_zero(out);
  bool normal = exponent != 0;
  uint32_t c = fraction | (uint32_t)normal << 23;
  return sign + put_decimal(out + sign, find_decimal(c, exponent - 149 - normal, exponent > 1));
}

size_t bb_number_f32(char *out, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  uint32_t fraction = bits & 0x7fffff;
  unsigned exponent = bits >> 23 & 0xff;
  size_t sign = bits >> 31;
  out[0] = '-';
  if (fraction == 0 || exponent - 1 >= 0xfe) return put_odd_float(out, bits);
  return sign + put_float(out + sign, fraction, (int)exponent);
}

size_t bb_number_f64(char *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  uint64_t fraction = bits & 0xfffffffffffff;
  int exponent = bits >> 52 & 0x7ff;
  size_t sign = bits >> 63;
  if (exponent == 0x7ff) return 0;
  if (bits << 1 == 0) return put_zero(out);
  out[0] = '-';
  bool normal = exponent != 0;
  uint64_t c = fraction | (uint64_t)normal << 52;
  return sign + put_decimal(out + sign, find_decimal(c, exponent - 1074 - normal,
                                                     fraction == 0 && exponent > 1));
}

/* value < 10^8 without leading zeros. */
static inline size_t put_leading(char *out, uint64_t value) {
  uint64_t word = eight_digits(value);
  unsigned zeros = leading_zeros(word);
  put_word(out, (word | ZEROS) >> 8 * zeros);
  return 8 - zeros;
}

size_t bb_number_u64(char *out, uint64_t value) {
  if (value < 100000000) return put_leading(out, value);
  uint64_t high = value / 100000000;
  size_t len;
  if (high < 100000000) {
    len = put_leading(out, high);
  } else {
    len = put_leading(out, high / 100000000);
    put_word(out + len, eight_digits(high % 100000000) | ZEROS);
    len += 8;
  }
  put_word(out + len, eight_digits(value % 100000000) | ZEROS);
  return len + 8;
}

size_t bb_number_i64(char *out, int64_t value) {
  size_t sign = value < 0;
  out[0] = '-';
  return sign + bb_number_u64(out + sign, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}
