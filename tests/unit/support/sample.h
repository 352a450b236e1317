/* SPDX-License-Identifier: Apache-2.0 */
/* A batch written down as a table of points, with its device and shape, for tests of what is done
 * with batches. */
#ifndef BB_TEST_SAMPLE_H
#define BB_TEST_SAMPLE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "model/batch.h"

typedef struct sample_point {
  const char *name;
  bb_value value;
  uint8_t quality;
  const char *unit; /* NULL: none */
} sample_point;

/* Initializers of a bb_value. */
/* clang-format off */
#define SAMPLE_F32(number) {.type = BB_TYPE_F32, .v = {.f = (number)}}
#define SAMPLE_F64(number) {.type = BB_TYPE_F64, .v = {.d = (number)}}
#define SAMPLE_INT(kind, number) {.type = BB_TYPE_##kind, .v = {.i = (number)}}
#define SAMPLE_UINT(kind, number) {.type = BB_TYPE_##kind, .v = {.u = (number)}}
#define SAMPLE_BOOL(truth) {.type = BB_TYPE_BOOL, .v = {.b = (truth)}}
#define SAMPLE_TEXT(string) {.type = BB_TYPE_TEXT, .v = {.text = {(string), sizeof(string) - 1}}}
/* clang-format on */

typedef struct sample {
  bb_batch batch;
  /* private */
  bb_shape *shape;
  uint8_t *bytes; /* quality, then values */
} sample;

/* Takes no reference of the device, which must live as long. Points past `n` or the first without a
 * name do not count. It is batch 118 of boot 3. */
void sample_open(sample *s, const bb_device *device, const char *scan, const sample_point *points,
                 size_t n, int64_t time_ns);
void sample_close(sample *s);

#endif
