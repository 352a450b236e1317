/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one call into the addon gives JavaScript of a batch: numbers, in one Float64Array that is
 * used again for the next batch. JavaScript makes a property of each without asking back.
 *
 *   doubles 0 to 15       what is said of the batch itself: bb_column
 *   bytes 128 to 4223     the quality of each point
 *   doubles 528 and on    one number a point
 *
 * The number of a point:
 *
 *   bool        0 or 1
 *   float32     the double of its shortest decimal: addon/shortest.h
 *   int64       NaN where a double would change its last digits; it is then read from the slot
 *   text        256 × its place in the bytes that were read, plus its length
 *
 * A NaN or an infinity is no number: its quality becomes bad, not a number. The numbers of points
 * without a value mean nothing.
 */
#ifndef BB_ADDON_COLUMNS_H
#define BB_ADDON_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "model/shape.h"

#define BB_COLUMNS_HEAD 16u
#define BB_COLUMNS_QUALITY (8u * BB_COLUMNS_HEAD) /* in bytes */
#define BB_COLUMNS_NUMBERS (BB_COLUMNS_HEAD + BB_MAX_POINTS / 8u)

/* name in C, its place, name in JavaScript */
#define BB_COLUMN_MAP(XX)                                                                          \
  XX(FRAME, 0, frame)   /* bb_frame_kind */                                                        \
  XX(DEVICE, 1, device) /* place of the device, in the order in which they came */                 \
  XX(SHAPE, 2, shape)   /* the same of the shape; -1: none */                                      \
  XX(MS, 3, ms)         /* time: milliseconds since 1970, rounded down */                          \
  XX(NS, 4, ns)         /* and the rest, 0 to 999999 */                                            \
  XX(SEQ, 5, seq)                                                                                  \
  XX(BOOT, 6, boot)                                                                                \
  XX(KIND, 7, kind)      /* bb_batch_kind */                                                       \
  XX(FLAGS, 8, flags)    /* BB_BATCH_… */                                                        \
  XX(PLAIN, 9, plain)    /* 1: all points are good and numbers where they should be */             \
  XX(VALUES, 10, values) /* where the slots begin in the bytes that were read */                   \
  XX(TEXT, 11, text)     /* where the text of an event or outcome begins */                        \
  XX(TEXT_LEN, 12, textLen)

typedef enum bb_column {
#define XX(name, place, word) BB_COLUMN_##name = (place),
  BB_COLUMN_MAP(XX)
#undef XX
} bb_column;

typedef struct bb_columns {
  double *doubles;
  size_t n; /* how many there are */
} bb_columns;

/* Doubles that are needed for that many points. */
static inline size_t bb_columns_size(size_t n_points) {
  return BB_COLUMNS_NUMBERS + n_points;
}

/* Values of one type and size that lie behind each other. */
typedef struct bb_run {
  bb_type type;
  uint16_t size;
  uint16_t first, n; /* points */
  uint32_t offset;   /* of the first slot */
} bb_run;

/* The runs of a shape, to be freed; NULL without memory. */
bb_run *bb_runs_new(const bb_shape *shape, uint32_t *n_runs);

/*
 * Fills qualities, numbers and PLAIN. `columns` has room for the runs' points, at most
 * BB_MAX_POINTS; `values` lies `values_at` bytes behind the start of what JavaScript has.
 */
void bb_columns_fill(const bb_columns *columns, const bb_run *runs, uint32_t n_runs,
                     const uint8_t *quality, const uint8_t *values, size_t values_at);

#endif
