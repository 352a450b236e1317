/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's benches store: batches of 50 floats with random mantissas, of devices in turn. */
#ifndef BB_BENCH_STORE_MODEL_H
#define BB_BENCH_STORE_MODEL_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "model/batch.h"

#define STORE_POINTS 50

typedef struct store_model {
  bb_device **devices;
  uint32_t n_devices;
  bb_shape *shape;
  bb_batch batch;
  float values[STORE_POINTS];
  uint64_t random;
} store_model;

static inline void store_die(const char *what, int err) {
  fprintf(stderr, "%s: %s\n", what, bb_err_text(err));
  exit(1);
}

static inline void store_model_open(store_model *model, uint32_t n_devices) {
  static bb_point points[STORE_POINTS];
  static char names[STORE_POINTS][8];
  const bb_point *list[STORE_POINTS];
  for (int i = 0; i < STORE_POINTS; i++) {
    snprintf(names[i], sizeof(names[i]), "p%d", i);
    points[i] =
        (bb_point){.name = names[i], .unit = "", .description = "", .type = BB_TYPE_F32, .size = 4};
    list[i] = &points[i];
  }
  *model = (store_model){.n_devices = n_devices, .random = 88172645463325252u};
  model->shape = bb_shape_new("fast", list, STORE_POINTS);
  model->devices = calloc(n_devices, sizeof(*model->devices));
  for (uint32_t i = 0; i < n_devices; i++) {
    char id[24];
    snprintf(id, sizeof(id), "meter-%" PRIu32, i);
    model->devices[i] = bb_device_new(id, "plant", "", NULL, 0);
  }
}

/* The batch of that number; valid until the next one. */
static inline const bb_batch *store_model_batch(store_model *model, uint64_t seq, int64_t time_ns,
                                                uint64_t mono_ns) {
  for (int i = 0; i < STORE_POINTS; i++) {
    model->random ^= model->random << 13; /* xorshift */
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    model->values[i] = 128.0f + (float)(model->random >> 40) * 0x1p-16f;
  }
  model->batch = (bb_batch){.device = model->devices[seq % model->n_devices],
                            .shape = model->shape,
                            .time_ns = time_ns,
                            .mono_ns = mono_ns,
                            .seq = seq,
                            .quality = bb_batch_all_good,
                            .values = (const uint8_t *)model->values};
  return &model->batch;
}

#endif
