/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, shapes and batches from the JSON beside the vectors (tests/vectors/frame/make.py). */
#ifndef BB_TEST_MODEL_H
#define BB_TEST_MODEL_H

#include "base/doc.h"
#include "model/batch.h"

/* One reference, never NULL. */
bb_device *model_device(const bb_doc *doc);
bb_shape *model_shape(const bb_doc *doc);

/* The shape of tests/vectors/frame/<name>.json, or NULL for the JSON null or nothing. */
bb_shape *model_shape_of(const bb_doc *name);

typedef struct model_batch {
  bb_batch batch;
  uint32_t device_number;
  uint8_t *memory; /* quality, codes, values */
} model_batch;

void model_batch_open(model_batch *out, const bb_doc *doc, const bb_shape *shape);
void model_batch_close(model_batch *batch);

/* Fails unless both hold the same, NULL codes being the same as none. */
void model_expect_batch(const char *row, const bb_batch *actual, const bb_batch *expected);

#endif
