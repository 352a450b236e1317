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

static inline void bb_put_be16(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)(v >> 8);
  p[1] = (uint8_t)v;
}

static inline void bb_put_be32(uint8_t *p, uint32_t v) {
  bb_put_be16(p, (uint16_t)(v >> 16));
  bb_put_be16(p + 2, (uint16_t)v);
}

static inline void bb_put_be64(uint8_t *p, uint64_t v) {
  bb_put_be32(p, (uint32_t)(v >> 32));
  bb_put_be32(p + 4, (uint32_t)v);
}

static inline void bb_put_le16(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
}

static inline void bb_put_le32(uint8_t *p, uint32_t v) {
  bb_put_le16(p, (uint16_t)v);
  bb_put_le16(p + 2, (uint16_t)(v >> 16));
}

static inline void bb_put_le64(uint8_t *p, uint64_t v) {
  bb_put_le32(p, (uint32_t)v);
  bb_put_le32(p + 4, (uint32_t)(v >> 32));
}

#endif
