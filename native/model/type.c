/* SPDX-License-Identifier: Apache-2.0 */
/* See type.h. */
#include "model/type.h"

static const struct {
  const char *name;
  unsigned size;
} types[BB_TYPE_COUNT] = {
    {"bool", 1},   {"int8", 1},  {"uint8", 1},  {"int16", 2},   {"uint16", 2},  {"int32", 4},
    {"uint32", 4}, {"int64", 8}, {"uint64", 8}, {"float32", 4}, {"float64", 8}, {"text", 0},
};

const char *bb_type_name(bb_type type) {
  return types[type].name;
}

unsigned bb_type_size(bb_type type) {
  return types[type].size;
}
