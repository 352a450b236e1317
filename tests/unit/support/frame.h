/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors of tests/vectors/frame/ and what tests of frames do with them. */
#ifndef BB_TEST_FRAME_H
#define BB_TEST_FRAME_H

#include "base/doc.h"
#include "model/frame.h"

/* One vector: its bytes and what they say. */
typedef struct frame_vector {
  const char *name;
  uint8_t *bytes;
  size_t len;
  bb_doc_tree tree;
  bb_frame_kind kind;
  bb_shape *shape; /* of a batch, with which it is read */
} frame_vector;

void frame_open_vector(frame_vector *v, const char *name);
void frame_close_vector(frame_vector *v);
void frame_each_vector(void (*check)(const frame_vector *v));

/* Reads the frame as one of that kind. What it gives is used to the end and written again, which
 * must work. 0 or the reader's error. */
int frame_read(const uint8_t *frame, size_t len, bb_frame_kind kind, const bb_shape *shape);

/* A shape of `n` text points in slots of `size` bytes. */
bb_shape *frame_wide_shape(uint16_t n, uint16_t size, const char *description);

#endif
