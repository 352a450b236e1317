/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many float32 fields a second become line protocol: batches of 60 points with random mantissas,
 * as a meter's real-time values have, one line each. Prints {"fields_per_s":...}. The same for Point
 * of @influxdata/influxdb-client: lp_encode_reference.js.
 *
 *   lp_encode [SECONDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"
#include "encode/line.h"

#define POINTS 60
#define BATCHES 256 /* different ones, so that the branches of one are not learnt by heart */
#define BODY_BYTES (1u << 20)

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bb_shape *make_shape(void) {
  static char names[POINTS][32];
  static bb_point points[POINTS];
  const bb_point *list[POINTS];
  for (int i = 0; i < POINTS; i++) {
    snprintf(names[i], sizeof(names[i]), "voltage/l%d-n/%d", i % 3 + 1, i);
    points[i] = (bb_point){
        .name = names[i], .unit = "V", .description = "", .type = BB_TYPE_F32, .size = 4};
    list[i] = &points[i];
  }
  return bb_shape_new("fast", list, POINTS);
}

/* Values between 128 and 512: exponent of three kinds, 23 random bits of mantissa. */
static void fill(uint8_t *values) {
  for (int i = 0; i < POINTS * BATCHES; i++) {
    uint32_t bits = ((uint32_t)rand() << 8 ^ (uint32_t)rand()) & 0x7fffff;
    bb_put_le32(values + 4 * i, (uint32_t)(134 + rand() % 2) << 23 | bits);
  }
}

int main(int argc, char **argv) {
  double limit = argc > 1 ? strtod(argv[1], NULL) : 2;
  static uint8_t values[4 * POINTS * BATCHES], quality[POINTS];
  bb_tag tags[] = {{"line", "l1"}, {"area", "utilities"}};
  bb_line_options options = {.precision = BB_LINE_MS};
  bb_device *device = bb_device_new("meter-1", "plant-7", "rockwell/powermonitor-500", tags, 2);
  bb_shape *shape = make_shape();
  bb_line_series *series = bb_line_series_new(device, &options);
  bb_line_plan *plan = bb_line_plan_new(shape, &options);
  bb_batch batch = {.device = device, .shape = shape, .quality = quality};
  bb_buf body;
  bb_buf_init(&body, BODY_BYTES);
  if (series == NULL || plan == NULL) return 1;
  srand(1);
  fill(values);

  uint32_t left_out = 0;
  uint64_t fields = 0, bytes = 0;
  double start = seconds(), spent;
  do {
    for (int i = 0; i < BATCHES; i++) {
      batch.values = values + 4 * POINTS * i;
      batch.time_ns += 1000000;
      if (bb_line_batch(&body, series, plan, &batch, &left_out) != 1) return 1;
    }
    fields += BATCHES * POINTS;
    bytes += body.len;
    bb_buf_clear(&body);
    spent = seconds() - start;
  } while (spent < limit);
  printf("{\"fields_per_s\":%.0f,\"bytes_per_field\":%.1f}\n", (double)fields / spent,
         (double)bytes / (double)fields);
  bb_buf_close(&body);
  bb_line_plan_free(plan);
  bb_line_series_free(series);
  bb_shape_unref(shape);
  bb_device_unref(device);
  return 0;
}
