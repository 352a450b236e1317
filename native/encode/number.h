/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as decimal text: the shortest digits that read back as the same float or double, and of
 * those the nearest to it; a tie goes to the even digit.
 *
 * The layout is that of ECMAScript (ECMA-262, Number::toString with radix 10), so that C and
 * JavaScript write the same text: plain for 1e-6 <= |x| < 1e21 ("230.1", "-7", "0.000001"), else with
 * an exponent ("1e+21", "1.5e-7"). Negative zero is "0".
 *
 * Every function writes to `out`, which needs the BB_NUMBER_..._MAX bytes of its type whatever the
 * length of the result (bytes behind it are scribbled on), adds no terminator, and returns the
 * length. The text does not depend on the locale.
 */
#ifndef BB_ENCODE_NUMBER_H
#define BB_ENCODE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define BB_NUMBER_F32_MAX 40
#define BB_NUMBER_F64_MAX 40
#define BB_NUMBER_I64_MAX 24
#define BB_NUMBER_U64_MAX 24

/* 0 for what has no decimal text (NaN, the infinities): the caller leaves the field out. */
size_t bb_number_f32(char *out, float value);
size_t bb_number_f64(char *out, double value);

size_t bb_number_i64(char *out, int64_t value);
size_t bb_number_u64(char *out, uint64_t value);

#endif
