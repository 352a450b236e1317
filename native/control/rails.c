/* SPDX-License-Identifier: Apache-2.0 */
/* See rails.h. What is allowed, in words: rails_text.c. */
#include "control/rails.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "control/rails_text.h"

#define GRID_SPARE 1e-6L /* of a step */

static void narrow(bb_rail *rail, bool has_min, double min, bool has_max, double max) {
  if (has_min && (!rail->has_min || min > rail->min)) rail->min = min;
  if (has_max && (!rail->has_max || max < rail->max)) rail->max = max;
  rail->has_min |= has_min;
  rail->has_max |= has_max;
}

/* What the raw type holds, before scaling. False: it is not of whole numbers, or so wide that its
 * ends are no doubles. */
static bool raw_ends(const bb_codec *codec, int64_t *low, int64_t *high) {
  unsigned width = codec->bits > 0 ? codec->bits : bb_raw_bits(codec->raw);
  *low = 0;
  switch (codec->raw) {
  case BB_RAW_I8:
  case BB_RAW_I16:
  case BB_RAW_I32:
    *low = -((int64_t)1 << (width - 1));
    *high = -*low - 1;
    return true;
  case BB_RAW_U8:
  case BB_RAW_U16:
  case BB_RAW_U32:
    *high = ((int64_t)1 << width) - 1;
    return true;
  case BB_RAW_BCD16:
    *high = 9999;
    return true;
  case BB_RAW_BCD32:
    *high = 99999999;
    return true;
  default:
    return false;
  }
}

/* The ends in the point's unit. */
static void narrow_to_raw(bb_rail *rail, const bb_codec *codec) {
  int64_t low, high;
  if (!raw_ends(codec, &low, &high)) return;
  if (codec->negate) {
    int64_t was = low;
    low = -high;
    high = -was;
  }
  double a = (double)low, b = (double)high;
  if (codec->scaled) {
    a = bb_decimal_apply(low, codec->scale, 0, codec->offset);
    b = bb_decimal_apply(high, codec->scale, 0, codec->offset);
  }
  narrow(rail, true, fmin(a, b), true, fmax(a, b));
}

void bb_rails_limits(const bb_profile_point *point, bb_rail *out) {
  const bb_point *p = &point->point;
  const bb_codec *codec = &point->codec;
  *out = (bb_rail){.step = p->step};
  narrow(out, p->has_min, p->min, p->has_max, p->max);
  narrow(out, codec->has_valid & 1, codec->valid_min, codec->has_valid & 2, codec->valid_max);
  if (point->scale_from < 0) narrow_to_raw(out, codec);
}

static bool says(bb_value value, const char *word) {
  return strlen(word) == value.v.text.len &&
         memcmp(word, value.v.text.bytes, value.v.text.len) == 0;
}

bb_value bb_rails_read(const bb_profile_point *point, bb_value given) {
  const bb_point *p = &point->point;
  if (given.type != BB_TYPE_TEXT || given.v.text.len == 0 || p->type == BB_TYPE_TEXT) return given;
  for (uint16_t i = 0; p->labels_kind == BB_LABELS_ENUM && i < p->n_labels; i++) {
    if (says(given, p->labels[i].name))
      return (bb_value){.type = BB_TYPE_U32, .v = {.u = p->labels[i].value}};
  }
  if (p->type == BB_TYPE_BOOL && (says(given, "true") || says(given, "false")))
    return (bb_value){.type = BB_TYPE_BOOL, .v = {.b = says(given, "true")}};
  return given;
}

/* The number that was meant: a float32 of 0.1 is 0.1. A long double holds every 64-bit integer where
 * it has 64 bits for that. */
static long double meant(bb_value value) {
  char text[BB_RAILS_NUMBER];
  if (value.type == BB_TYPE_F32 && isfinite(value.v.f))
    return (long double)strtod(bb_rails_number((double)value.v.f, BB_TYPE_F32, text), NULL);
  if (!bb_type_is_integer(value.type)) return (long double)bb_value_double(value);
  return bb_type_is_signed(value.type) ? (long double)value.v.i : (long double)value.v.u;
}

/* A decimal step is no exact double, and neither is what is computed with it. */
static bool is_on_grid(const bb_point *point, bb_value value, long double number) {
  long double start = point->has_min ? (long double)point->min : 0;
  long double step = (long double)point->step;
  long double off = fabsl(number - (start + roundl((number - start) / step) * step));
  long double spare = step * GRID_SPARE;
  if (!bb_type_is_integer(value.type)) spare += fabsl(number) * (long double)DBL_EPSILON;
  return off <= spare;
}

static bool is_labelled(const bb_point *point, long double number) {
  for (uint16_t i = 0; i < point->n_labels; i++) {
    if ((long double)point->labels[i].value == number) return true;
  }
  return false;
}

/* 0, or the error with what is wrong with that number in `what`. */
static int judge_number(const bb_profile_point *point, bb_value value, char *what, size_t cap) {
  const bb_point *p = &point->point;
  char bound[BB_RAILS_NUMBER];
  const char *wrong = NULL;
  long double number = meant(value);
  bb_rail rail;
  bb_rails_limits(point, &rail);
  if (isnan(number)) {
    wrong = "is no number";
  } else if (isinf(number)) {
    wrong = "cannot be written";
  } else if (p->labels_kind == BB_LABELS_ENUM) {
    wrong = is_labelled(p, number) ? NULL : "is none of its values";
  } else if (p->type == BB_TYPE_BOOL) {
    wrong = number == 0 || number == 1 ? NULL : "is neither true nor false";
  } else if (bb_type_is_integer(p->type) && number != floorl(number)) {
    wrong = "is not a whole number";
  } else if (rail.has_min && number < (long double)rail.min) {
    snprintf(what, cap, "is below %s", bb_rails_number(rail.min, BB_TYPE_F64, bound));
    return BB_ERR_RANGE;
  } else if (rail.has_max && number > (long double)rail.max) {
    snprintf(what, cap, "is above %s", bb_rails_number(rail.max, BB_TYPE_F64, bound));
    return BB_ERR_RANGE;
  } else if (p->step > 0 && !is_on_grid(p, value, number)) {
    wrong = "lies between two steps";
  }
  if (wrong != NULL) snprintf(what, cap, "%s", wrong);
  return wrong != NULL ? BB_ERR_RANGE : 0;
}

/* What only the device's own registers say: length, encoding, sentinels. */
static int judge_raw(const bb_profile_point *point, bb_value value, char *what, size_t cap) {
  uint8_t raw[BB_MAX_STRING_VALUE + 8] = {0};
  bool is_text = value.type == BB_TYPE_TEXT;
  if (point->scale_from >= 0 || point->codec.raw_bytes == 0 || point->codec.raw_bytes > sizeof(raw))
    return 0;
  int err = bb_codec_encode(&point->codec, value, BB_POWER_NONE, raw);
  if (err == BB_ERR_INVALID) {
    snprintf(what, cap, "would be read as \"not available\"");
  } else if (err < 0 && is_text && value.v.text.len <= point->codec.raw_bytes) {
    snprintf(what, cap, "has a character that cannot be written");
  } else if (err < 0) {
    snprintf(what, cap, is_text ? "is too long" : "is more than the device can hold");
  }
  return err;
}

static int judge(const bb_profile_point *point, bb_value given, bb_value *out, char *what,
                 size_t cap) {
  const bb_point *p = &point->point;
  bool is_text = p->type == BB_TYPE_TEXT;
  if (is_text != (given.type == BB_TYPE_TEXT)) {
    bool is_word = p->type == BB_TYPE_BOOL || p->labels_kind == BB_LABELS_ENUM;
    snprintf(what, cap,
             is_text   ? "is not a text"
             : is_word ? "is none of its values"
                       : "is not a number");
    return BB_ERR_TYPE;
  }
  int err = is_text ? 0 : judge_number(point, given, what, cap);
  if (err < 0) return err;
  err = bb_value_convert(given, p->type, out);
  if (err < 0) {
    snprintf(what, cap, "is more than %s can hold", bb_type_name(p->type));
    return err;
  }
  if (is_text && given.v.text.len >= p->size) {
    snprintf(what, cap, "is too long");
    return BB_ERR_RANGE;
  }
  return judge_raw(point, *out, what, cap);
}

int bb_rails_check(const bb_profile_point *point, bb_value given, bb_value *out, char *why,
                   size_t cap) {
  char shown[BB_RAILS_VALUE], what[64], allowed[BB_RAILS_TEXT];
  if (!point->point.writable) {
    snprintf(why, cap, "%.60s: cannot be written; its profile makes it read-only",
             point->point.name);
    return BB_ERR_DENIED;
  }
  bb_value value = bb_rails_read(point, given);
  int err = judge(point, value, out, what, sizeof(what));
  if (err < 0) {
    snprintf(why, cap, "%.60s: %s %s; allowed: %s", point->point.name, bb_rails_value(given, shown),
             what, bb_rails_allowed(point, allowed, sizeof(allowed)));
  }
  return err;
}
