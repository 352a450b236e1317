/* SPDX-License-Identifier: Apache-2.0 */
/* See columns.h. */
#include "addon/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "addon/shortest.h"
#include "base/bytes.h"
#include "model/quality.h"
#include "model/value.h"

#define SAFE_INTEGER ((1ll << 53) - 1)

bb_run *bb_runs_new(const bb_shape *shape, uint32_t *n_runs) {
  bb_run *runs = calloc(shape->n_points + (size_t)1, sizeof(*runs));
  uint32_t n = 0;
  if (runs == NULL) return NULL;
  for (uint16_t i = 0; i < shape->n_points; i++) {
    const bb_point *point = &shape->points[i];
    if (n == 0 || runs[n - 1].type != point->type || runs[n - 1].size != point->size) {
      runs[n++] = (bb_run){
          .type = point->type, .size = point->size, .first = i, .offset = shape->offsets[i]};
    }
    runs[n - 1].n++;
  }
  *n_runs = n;
  return runs;
}

static inline void refuse(uint8_t *quality) {
  if (bb_quality_has_value(*quality)) *quality = BB_QUALITY_BAD | BB_CAUSE_NOT_A_NUMBER;
}

static void fill_floats(const bb_run *run, double *out, uint8_t *quality, const uint8_t *slot) {
  for (unsigned i = 0; i < run->n; i++, slot += sizeof(float)) {
    uint32_t bits = bb_get_le32(slot);
    float value;
    memcpy(&value, &bits, sizeof(value));
    if (isfinite(value)) {
      out[i] = bb_shortest(value);
    } else {
      refuse(&quality[i]);
    }
  }
}

static void fill_doubles(const bb_run *run, double *out, uint8_t *quality, const uint8_t *slot) {
  for (unsigned i = 0; i < run->n; i++, slot += sizeof(double)) {
    uint64_t bits = bb_get_le64(slot);
    memcpy(&out[i], &bits, sizeof(bits));
    out[i] += 0.0; /* of two zeros the one without a sign, as in text */
    if (!isfinite(out[i])) refuse(&quality[i]);
  }
}

static double number_of(bb_value value) {
  bool is_signed = bb_type_is_signed(value.type);
  bool is_safe = is_signed ? value.v.i <= SAFE_INTEGER && value.v.i >= -SAFE_INTEGER
                           : value.v.u <= (uint64_t)SAFE_INTEGER;
  return value.type == BB_TYPE_BOOL || is_safe ? bb_value_double(value) : (double)NAN;
}

static void fill_whole(const bb_run *run, double *out, const uint8_t *slot) {
  for (unsigned i = 0; i < run->n; i++, slot += run->size) {
    out[i] = number_of(bb_value_load(run->type, slot));
  }
}

static void fill_texts(const bb_run *run, double *out, const uint8_t *slot, size_t at) {
  for (unsigned i = 0; i < run->n; i++, slot += run->size, at += run->size) {
    out[i] = (double)(at + 1) * 256 + slot[0];
  }
}

/* In pieces that the compiler sees the end of. */
static bool all_zero(const uint8_t *bytes, size_t n) {
  uint8_t any = 0;
  for (size_t i = 0; i < n; i++) any |= bytes[i];
  return any == 0;
}

void bb_columns_fill(const bb_columns *columns, const bb_run *runs, uint32_t n_runs,
                     const uint8_t *quality, const uint8_t *values, size_t values_at) {
  uint8_t *own = (uint8_t *)columns->doubles + BB_COLUMNS_QUALITY;
  double *numbers = columns->doubles + BB_COLUMNS_NUMBERS;
  size_t n = n_runs > 0 ? (size_t)runs[n_runs - 1].first + runs[n_runs - 1].n : 0;
  memmove(own, quality, n);
  for (const bb_run *run = runs; run < runs + n_runs; run++) {
    double *out = numbers + run->first;
    const uint8_t *slot = values + run->offset;
    if (run->type == BB_TYPE_F32) {
      fill_floats(run, out, own + run->first, slot);
    } else if (run->type == BB_TYPE_F64) {
      fill_doubles(run, out, own + run->first, slot);
    } else if (run->type == BB_TYPE_TEXT) {
      fill_texts(run, out, slot, values_at + run->offset);
    } else {
      fill_whole(run, out, slot);
    }
  }
  columns->doubles[BB_COLUMN_PLAIN] = all_zero(own, n);
}
