/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types that a value can have, and the slot that a value takes in a batch: little-endian, not
 * aligned. A text slot is one byte of length and then room for the point's longest text.
 */
#ifndef BB_MODEL_TYPE_H
#define BB_MODEL_TYPE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum bb_type {
  BB_TYPE_BOOL,
  BB_TYPE_I8,
  BB_TYPE_U8,
  BB_TYPE_I16,
  BB_TYPE_U16,
  BB_TYPE_I32,
  BB_TYPE_U32,
  BB_TYPE_I64,
  BB_TYPE_U64,
  BB_TYPE_F32,
  BB_TYPE_F64,
  BB_TYPE_TEXT,
} bb_type;

#define BB_TYPE_COUNT 12

/* "bool", "int8" ... "float64", "text". */
const char *bb_type_name(bb_type type);

/* Bytes of a slot; 0 for text, whose size is the point's. */
unsigned bb_type_size(bb_type type);

static inline bool bb_type_is_float(bb_type type) {
  return type == BB_TYPE_F32 || type == BB_TYPE_F64;
}

static inline bool bb_type_is_signed(bb_type type) {
  return type == BB_TYPE_I8 || type == BB_TYPE_I16 || type == BB_TYPE_I32 || type == BB_TYPE_I64;
}

static inline bool bb_type_is_integer(bb_type type) {
  return type >= BB_TYPE_I8 && type <= BB_TYPE_U64;
}

#endif
