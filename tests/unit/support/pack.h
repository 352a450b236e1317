/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of every kind, for tests of packs, and what must come back of them. */
#ifndef BB_TEST_PACK_H
#define BB_TEST_PACK_H

#include "base/doc.h"
#include "store/pack.h"
#include "support/model.h"

#define PACK_SAMPLE_MAX 32

typedef struct pack_sample {
  bb_batch batches[PACK_SAMPLE_MAX];
  size_t n;
  /* private */
  bb_device *devices[2];
  bb_shape *shapes[3];
  uint8_t *bytes;
  char *text;
} pack_sample;

/* Two devices, shapes of every type, of one point and of none; flags, qualities, codes, texts and
 * messages up to 64 KiB; times that jump to both ends. */
void pack_sample_open(pack_sample *sample);
void pack_sample_close(pack_sample *sample);

/* One of tests/vectors/pack/. */
typedef struct pack_vector {
  bb_batch batches[PACK_SAMPLE_MAX];
  size_t n;
  uint8_t *bytes;
  size_t len;
  /* private */
  bb_doc_tree tree;
  model_batch models[PACK_SAMPLE_MAX];
  uint8_t *texts[PACK_SAMPLE_MAX];
} pack_vector;

void pack_vector_open(pack_vector *v, const char *name);
void pack_vector_close(pack_vector *v);

/* To be freed; exactly so many bytes, for ASan. */
uint8_t *pack_from_hex(const char *hex, size_t *len);

/* Reads all of a pack, records of known shapes (those of tests/vectors/frame/) with them. 0 or the
 * reader's error. */
int pack_read(const uint8_t *bytes, size_t len);

/* The pack holds exactly these batches. */
void pack_expect(const bb_batch *batches, size_t n, const uint8_t *bytes, size_t len);

#endif
