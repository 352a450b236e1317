/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing integers of a given byte order at any alignment. Big-endian is the order of
 * Modbus, little-endian the order of CIP and of our own frames.
 */
#ifndef BB_BASE_BYTES_H
#define BB_BASE_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t bb_get_be16(const uint8_t *p) {
  return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t bb_get_be32(const uint8_t *p) {
  return (uint32_t)bb_get_be16(p) << 16 | bb_get_be16(p + 2);
}

static inline uint64_t bb_get_be64(const uint8_t *p) {
  return (uint64_t)bb_get_be32(p) << 32 | bb_get_be32(p + 4);
}

static inline uint16_t bb_get_le16(const uint8_t *p) {
  return (uint16_t)((unsigned)p[1] << 8 | p[0]);
}

static inline uint32_t bb_get_le32(const uint8_t *p) {
  return (uint32_t)bb_get_le16(p + 2) << 16 | bb_get_le16(p);
}

static inline uint64_t bb_get_le64(const uint8_t *p) {
  return (uint64_t)bb_get_le32(p + 4) << 32 | bb_get_le32(p);
}

/* One store of the whole: compilers do not put single-byte stores together again in every place
 * where it counts. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BB_LE(bits, v) (v)
#define BB_BE(bits, v) __builtin_bswap##bits(v)
#else
#define BB_LE(bits, v) __builtin_bswap##bits(v)
#define BB_BE(bits, v) (v)
#endif

#define BB_PUT(name, bits, order)                                                                  \
  static inline void name(uint8_t *p, uint##bits##_t v) {                                          \
    v = order(bits, v);                                                                            \
    memcpy(p, &v, sizeof(v));                                                                      \
  }

BB_PUT(bb_put_be16, 16, BB_BE)
BB_PUT(bb_put_be32, 32, BB_BE)
BB_PUT(bb_put_be64, 64, BB_BE)
BB_PUT(bb_put_le16, 16, BB_LE)
BB_PUT(bb_put_le32, 32, BB_LE)
BB_PUT(bb_put_le64, 64, BB_LE)

#undef BB_PUT
#undef BB_LE
#undef BB_BE

#endif
