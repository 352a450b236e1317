/* SPDX-License-Identifier: Apache-2.0 */
/* What is expected comes from the literature and from glibc: printf and strtod, which know nothing
 * of our algorithm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode/number.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* xorshift64: the same values in each run. */
static uint64_t random_state = 88172645463325252ull;

static uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static double double_of(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static const char *show_f32(float value) {
  static char text[BB_NUMBER_F32_MAX + 1];
  text[bb_number_f32(text, value)] = 0;
  return text;
}

static const char *show_f64(double value) {
  static char text[BB_NUMBER_F64_MAX + 1];
  text[bb_number_f64(text, value)] = 0;
  return text;
}

struct digits {
  char text[24];
  int n;
  int point; /* the value is 0.text × 10^point */
};

/* "d.ddde±x" taken apart. */
static struct digits parse_scientific(const char *text) {
  struct digits digits = {{0}, 0, 0};
  for (; *text != 'e'; text++) {
    if (*text >= '0' && *text <= '9') digits.text[digits.n++] = *text;
  }
  digits.point = (int)strtol(text + 1, NULL, 10) + 1;
  digits.text[digits.n] = 0;
  return digits;
}

static void strip_zeros(struct digits *digits) {
  while (digits->n > 1 && digits->text[digits->n - 1] == '0') digits->text[--digits->n] = 0;
}

static bool reads_back(const struct digits *digits, double value, bool narrow) {
  char text[48];
  snprintf(text, sizeof(text), "0.%se%d", digits->text, digits->point);
  return narrow ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

/* The neighbour in the last place: only at a power of two can it be the one that reads back. */
static bool step(struct digits *digits, int direction) {
  int i = digits->n - 1;
  char from = direction > 0 ? '9' : '0', to = direction > 0 ? '0' : '9';
  while (i >= 0 && digits->text[i] == from) digits->text[i--] = to;
  if (i < 0) return false;
  digits->text[i] = (char)(digits->text[i] + direction);
  return true;
}

/* The shortest digits of value > 0, the nearest of them first: by trying each length. */
static struct digits find_shortest(double value, bool narrow) {
  for (int n = 1; n < 18; n++) {
    char text[48];
    snprintf(text, sizeof(text), "%.*e", n - 1, value);
    struct digits nearest = parse_scientific(text), other;
    if (reads_back(&nearest, value, narrow)) return nearest;
    for (int direction = 1; direction >= -1; direction -= 2) {
      other = nearest;
      if (step(&other, direction) && reads_back(&other, value, narrow)) return other;
    }
  }
  fail_msg("%.17g has no digits", value);
  return (struct digits){{0}, 0, 0};
}

/* ECMA-262, Number::toString, steps 6 to 12, with n there being `point` here and k being `n`. */
static void lay_out(const struct digits *digits, char *out, size_t cap) {
  const char *text = digits->text;
  int n = digits->n, point = digits->point;
  if (n <= point && point <= 21) {
    snprintf(out, cap, "%s%.*s", text, point - n, "000000000000000000000");
  } else if (point > 0 && point <= 21) {
    snprintf(out, cap, "%.*s.%s", point, text, text + point);
  } else if (point > -6 && point <= 0) {
    snprintf(out, cap, "0.%.*s%s", -point, "00000", text);
  } else {
    snprintf(out, cap, "%c%s%se%+d", text[0], n > 1 ? "." : "", text + 1, point - 1);
  }
}

static void check_shortest(double value, bool narrow) {
  char expected[48] = "-";
  struct digits digits = find_shortest(fabs(value), narrow);
  strip_zeros(&digits);
  lay_out(&digits, expected + (value < 0), sizeof(expected) - 1);
  assert_string_equal(narrow ? show_f32((float)value) : show_f64(value), expected);
}

static void test_number_writes_known_floats(void **state) {
  (void)state;
  static const struct {
    float value;
    const char *text;
  } cases[] = {
      {0, "0"},
      {1, "1"},
      {-1.5f, "-1.5"},
      {230.1f, "230.1"},
      {0.1f, "0.1"},
      {0.98f, "0.98"},
      {16777216, "16777216"},
      {1e20f, "100000000000000000000"},
      {1e21f, "1e+21"},
      {1e-6f, "0.000001"},
      {1e-7f, "1e-7"},
      {1.5e-7f, "1.5e-7"},
      /* The tests of Ryu (Ulf Adams, 2018), in this layout. */
      {FLT_MAX, "3.4028235e+38"},
      {FLT_MIN, "1.1754944e-38"},
      {0x1p-149f, "1e-45"},
      {3.355445e7f, "33554450"},
      {8.999999e9f, "9000000000"},
      {3.4366717e10f, "34366720000"},
      {3.0540412e5f, "305404.12"},
      {8.0990312e3f, "8099.0312"},
      {2.4414062e-4f, "0.00024414062"},
      {2.4414062e-3f, "0.0024414062"},
      {4.3945312e-3f, "0.0043945312"},
      {6.3476562e-3f, "0.0063476562"},
      {4.7223665e21f, "4.7223665e+21"},
      {8388608, "8388608"},
      {1.6777216e7f, "16777216"},
      {3.3554436e7f, "33554436"},
      {6.7131496e7f, "67131496"},
      {1.9310392e-38f, "1.9310392e-38"},
      {-2.47e-43f, "-2.47e-43"},
      {1.993244e-38f, "1.993244e-38"},
      {4103.9003f, "4103.9004"},
      {5.3399997e9f, "5339999700"},
      {6.0898e-39f, "6.0898e-39"},
      {0.0010310042f, "0.0010310042"},
      {2.8823261e17f, "288232600000000000"},
      {7.0385309e-26f, "7.038531e-26"},
      {9.2234038e17f, "922340400000000000"},
      {6.7108872e7f, "67108870"},
      {1e-44f, "1e-44"},
      {2.816025e14f, "281602500000000"},
      {9.223372e18f, "9223372000000000000"},
      {1.5846085e29f, "1.5846086e+29"},
      {1.1811161e19f, "11811161000000000000"},
      {5.368709e18f, "5368709000000000000"},
      {4.6143165e18f, "4614316600000000000"},
      {0.007812537f, "0.007812537"},
      {1.18697724e20f, "118697725000000000000"},
      {1.00014165e-36f, "1.00014165e-36"},
  };
  for (size_t i = 0; i < LEN(cases); i++) {
    assert_string_equal(show_f32(cases[i].value), cases[i].text);
  }
  /* The bound halfway to the neighbour is itself the shorter number; in the first two it counts,
   * because the fraction is even, in the others it does not. */
  assert_string_equal(show_f32(float_of(0x4d000004)), "134217800");
  assert_string_equal(show_f32(float_of(0x565398b4)), "58163200000000");
  assert_string_equal(show_f32(float_of(0x4d000005)), "134217810");
  assert_string_equal(show_f32(float_of(0x4d000003)), "134217780");
  /* Look like powers of five. */
  assert_string_equal(show_f32(float_of(0x5d1502f9)), "671088640000000000");
  assert_string_equal(show_f32(float_of(0x5d9502f9)), "1342177300000000000");
  assert_string_equal(show_f32(float_of(0x5e1502f9)), "2684354600000000000");
}

static void test_number_writes_known_doubles(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text;
  } cases[] = {
      {0, "0"},
      {0.1 + 0.2, "0.30000000000000004"},
      {0.3, "0.3"},
      {100, "100"},
      {123.456, "123.456"},
      {1e20, "100000000000000000000"},
      {123456789012345680000.0, "123456789012345680000"},
      {1e21, "1e+21"},
      {1.5e300, "1.5e+300"},
      {0.000001, "0.000001"},
      {0.0000012345, "0.0000012345"},
      {1e-7, "1e-7"},
      {1.25e-7, "1.25e-7"},
      {9007199254740991.0, "9007199254740991"},
      {9007199254740993.0, "9007199254740992"},
      /* ECMA-262's own example of a choice among equally short digits; Bruce Dawson's; Java's. */
      {5e-324, "5e-324"},
      {2e-323, "2e-323"},
      {1e23, "1e+23"},
      {9.5e-323, "9.4e-323"},
      {2.2250738585072014e-308, "2.2250738585072014e-308"},
      {2.2250738585072011e-308, "2.225073858507201e-308"},
      {DBL_MAX, "1.7976931348623157e+308"},
      /* The tests of Ryu, in this layout. */
      {2.98023223876953125e-8, "2.9802322387695312e-8"},
      {-2.109808898695963e16, "-21098088986959630"},
      {4.940656e-318, "4.940656e-318"},
      {1.18575755e-316, "1.18575755e-316"},
      {2.989102097996e-312, "2.989102097996e-312"},
      {9.0608011534336e15, "9060801153433600"},
      {4.708356024711512e18, "4708356024711512000"},
      {9.409340012568248e18, "9409340012568248000"},
      {1.2345678, "1.2345678"},
      {4.294967294, "4.294967294"},
      {1.2345678901234567, "1.2345678901234567"},
      {1.7800590868057611e-307, "1.7800590868057611e-307"},
      {2.8480945388892175e-306, "2.8480945388892175e-306"},
      {2.446494580089078e-296, "2.446494580089078e-296"},
      {4.8929891601781557e-296, "4.8929891601781557e-296"},
      {1.8014398509481984e16, "18014398509481984"},
      {3.6028797018963964e16, "36028797018963964"},
      {2.900835519859558e-216, "2.900835519859558e-216"},
      {5.801671039719115e-216, "5.801671039719115e-216"},
      {3.196104012172126e-27, "3.196104012172126e-27"},
  };
  for (size_t i = 0; i < LEN(cases); i++) {
    assert_string_equal(show_f64(cases[i].value), cases[i].text);
  }
  assert_string_equal(show_f64(double_of(0x4830f0cf064dd592)), "5.764607523034235e+39");
  assert_string_equal(show_f64(double_of(0x4840f0cf064dd592)), "1.152921504606847e+40");
  assert_string_equal(show_f64(double_of(0x4850f0cf064dd592)), "2.305843009213694e+40");
}

static void test_number_has_no_text_for_nan_and_infinity(void **state) {
  (void)state;
  char out[BB_NUMBER_F64_MAX];
  assert_int_equal(bb_number_f32(out, NAN), 0);
  assert_int_equal(bb_number_f32(out, -NAN), 0);
  assert_int_equal(bb_number_f32(out, INFINITY), 0);
  assert_int_equal(bb_number_f32(out, -INFINITY), 0);
  assert_int_equal(bb_number_f64(out, NAN), 0);
  assert_int_equal(bb_number_f64(out, double_of(0x7ff0000000000001)), 0);
  assert_int_equal(bb_number_f64(out, INFINITY), 0);
  assert_int_equal(bb_number_f64(out, -INFINITY), 0);
}

static void test_number_writes_negative_zero_without_sign(void **state) {
  (void)state;
  assert_string_equal(show_f32(-0.0f), "0");
  assert_string_equal(show_f64(-0.0), "0");
}

/* Where the step between neighbours changes, and where the exponent of ten does. */
static void test_number_is_shortest_around_powers(void **state) {
  (void)state;
  for (uint32_t exponent = 0; exponent < 255; exponent++) {
    for (uint32_t away = 0; away < 5; away++) {
      uint32_t bits = (exponent << 23) + away - 2;
      if (bits - 1 < 0x7f800000 - 1) check_shortest((double)float_of(bits), true);
    }
  }
  for (uint64_t exponent = 0; exponent < 2047; exponent++) {
    for (uint64_t away = 0; away < 3; away++) {
      uint64_t bits = (exponent << 52) + away - 1;
      if (bits - 1 < 0x7ff0000000000000 - 1) check_shortest(double_of(bits), false);
    }
  }
  for (int power = -330; power < 309; power++) {
    char text[16];
    snprintf(text, sizeof(text), "1e%d", power);
    double value = strtod(text, NULL);
    if (value != 0) check_shortest(value, false);
    if ((float)value != 0 && isfinite((float)value)) check_shortest((double)(float)value, true);
  }
}

static void test_number_is_shortest_for_subnormals(void **state) {
  (void)state;
  for (uint32_t bits = 1; bits < 3000; bits++) {
    check_shortest((double)float_of(bits), true);
    check_shortest(double_of(bits), false);
  }
  for (int i = 0; i < 3000; i++) {
    check_shortest((double)float_of(1 + (uint32_t)next_random() % 0x7fffff), true);
    check_shortest(double_of(1 + next_random() % 0xfffffffffffff), false);
  }
}

static void test_number_is_shortest_for_random_values(void **state) {
  (void)state;
  for (int i = 0; i < 40000; i++) {
    float narrow = float_of((uint32_t)(next_random() >> 20));
    double wide = double_of(next_random());
    if (isfinite(narrow) && narrow != 0) check_shortest((double)narrow, true);
    if (isfinite(wide) && i % 2 == 0) check_shortest(wide, false);
  }
}

/* As meters send them: few digits, either scaled by us or rounded in the meter. */
static void test_number_keeps_short_decimals_short(void **state) {
  (void)state;
  for (int i = 0; i < 200000; i++) {
    char expected[32];
    int decimals = 1 + (int)(next_random() % 5);
    int64_t digits = (int64_t)(next_random() % 2000000) - 1000000;
    if (digits % 10 == 0) digits++;
    int64_t unit = 1;
    for (int k = 0; k < decimals; k++) unit *= 10;
    snprintf(expected, sizeof(expected), "%s%" PRId64 ".%0*" PRId64, digits < 0 ? "-" : "",
             (digits < 0 ? -digits : digits) / unit, decimals,
             (digits < 0 ? -digits : digits) % unit);
    assert_string_equal(show_f64((double)digits / (double)unit), expected);
    assert_string_equal(show_f32((float)((double)digits / (double)unit)), expected);
  }
}

static void test_number_reads_back_as_the_same_float(void **state) {
  (void)state;
  for (int i = 0; i < 1000000; i++) {
    uint32_t bits = (uint32_t)(next_random() >> 20), back;
    float value = float_of(bits);
    if (!isfinite(value) || value == 0) continue;
    const char *text = show_f32(value);
    float read = strtof(text, NULL);
    memcpy(&back, &read, sizeof(back));
    if (back != bits) fail_msg("%08" PRIx32 " became %s, %08" PRIx32, bits, text, back);
  }
}

static void test_number_reads_back_as_the_same_double(void **state) {
  (void)state;
  for (int i = 0; i < 500000; i++) {
    uint64_t bits = next_random(), back;
    double value = double_of(bits);
    if (!isfinite(value)) continue;
    const char *text = show_f64(value);
    double read = strtod(text, NULL);
    memcpy(&back, &read, sizeof(back));
    if (back != bits) fail_msg("%016" PRIx64 " became %s, %016" PRIx64, bits, text, back);
  }
}

static void check_integer(uint64_t bits) {
  char expected[32], text[BB_NUMBER_U64_MAX + 1];
  text[bb_number_u64(text, bits)] = 0;
  snprintf(expected, sizeof(expected), "%" PRIu64, bits);
  assert_string_equal(text, expected);
  text[bb_number_i64(text, (int64_t)bits)] = 0;
  snprintf(expected, sizeof(expected), "%" PRId64, (int64_t)bits);
  assert_string_equal(text, expected);
}

static void test_number_writes_integers(void **state) {
  (void)state;
  check_integer(0);
  check_integer(INT64_MAX);
  check_integer((uint64_t)INT64_MIN);
  check_integer(UINT64_MAX);
  uint64_t power = 1;
  for (int i = 0; i < 20; i++, power *= 10) {
    for (uint64_t away = 0; away < 5; away++) {
      check_integer(power + away - 2);
      check_integer(0 - (power + away - 2));
    }
  }
  for (int i = 0; i < 500000; i++) check_integer(next_random() >> next_random() % 64);
}

/* What the header asks of the caller is enough: the sanitizer watches the end of the memory. */
static void test_number_stays_in_its_room(void **state) {
  (void)state;
  char *f32 = malloc(BB_NUMBER_F32_MAX), *f64 = malloc(BB_NUMBER_F64_MAX);
  char *i64 = malloc(BB_NUMBER_I64_MAX), *u64 = malloc(BB_NUMBER_U64_MAX);
  for (int i = 0; i < 200000; i++) {
    uint64_t bits = next_random();
    assert_true(bb_number_f32(f32, float_of((uint32_t)(bits >> 20))) <= BB_NUMBER_F32_MAX);
    assert_true(bb_number_f64(f64, double_of(bits)) <= BB_NUMBER_F64_MAX);
    assert_true(bb_number_f64(f64, (double)(int64_t)bits * 100) <= BB_NUMBER_F64_MAX);
    assert_true(bb_number_i64(i64, (int64_t)bits >> i % 64) <= BB_NUMBER_I64_MAX);
    assert_true(bb_number_u64(u64, bits >> i % 64) <= BB_NUMBER_U64_MAX);
  }
  free(f32);
  free(f64);
  free(i64);
  free(u64);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_number_writes_known_floats),
      cmocka_unit_test(test_number_writes_known_doubles),
      cmocka_unit_test(test_number_has_no_text_for_nan_and_infinity),
      cmocka_unit_test(test_number_writes_negative_zero_without_sign),
      cmocka_unit_test(test_number_is_shortest_around_powers),
      cmocka_unit_test(test_number_is_shortest_for_subnormals),
      cmocka_unit_test(test_number_is_shortest_for_random_values),
      cmocka_unit_test(test_number_keeps_short_decimals_short),
      cmocka_unit_test(test_number_reads_back_as_the_same_float),
      cmocka_unit_test(test_number_reads_back_as_the_same_double),
      cmocka_unit_test(test_number_writes_integers),
      cmocka_unit_test(test_number_stays_in_its_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
