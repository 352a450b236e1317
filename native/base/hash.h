/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a, 64 bits: names shapes and fills hash tables. Not for secrets. */
#ifndef BB_BASE_HASH_H
#define BB_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BB_HASH_START 0xcbf29ce484222325ull

static inline uint64_t bb_hash_add(uint64_t hash, const void *bytes, size_t len) {
  const uint8_t *p = bytes;
  for (size_t i = 0; i < len; i++) hash = (hash ^ p[i]) * 0x100000001b3ull;
  return hash;
}

/* The terminator is hashed too, so that "ab","c" and "a","bc" differ. NULL counts as "". */
static inline uint64_t bb_hash_string(uint64_t hash, const char *text) {
  return bb_hash_add(hash, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
}

#endif
