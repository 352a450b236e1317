/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of every kind, for tests of packs, and what must come back of them. */
#ifndef BB_TEST_PACK_H
#define BB_TEST_PACK_H

#include "store/pack.h"

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

/* The pack holds exactly these batches. */
void pack_expect(const bb_batch *batches, size_t n, const uint8_t *bytes, size_t len);

#endif
