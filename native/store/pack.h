/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs: consecutive records of one stream as bytes, as they lie in the store. A pack names the
 * devices and shapes of its batches by their hashes; these lie in the store once, as the frames of
 * model/frame.h. What repeats from batch to batch is written once or as a difference, because each
 * byte wears a flash memory: a batch of 50 floats takes about 215 bytes, and its device 10 more the
 * first time in a pack.
 *
 * All integers little-endian; a varint is LEB128, 7 bits a byte, low ones first; a signed one is
 * zigzag.
 *
 *   0   u32  CRC-32 (IEEE 802.3, as zlib) of all that follows
 *   4   u8   version, 1
 *   5   u8   0
 *   6   u16  number of sources, 1..1024
 *   8   u32  number of records, 1..65535
 *   12  u16  number of families, 1..1024
 *   14  u16  0
 *   16  families, what sources have in common: u64 shape hash (0: none), u32 boot, u32 0
 *   ..  sources: u64 device hash, u16 family
 *   ..  records
 *
 * Record:  varint length of what follows; varint source; u8 kind (low 4 bits) and content (bit 4:
 *          quality, 5: codes, 6: text; bit 7: 0); u8 flags; signed varints time_ns, mono_ns and seq,
 *          each less that of the record before (of the first: less 0), modulo 2^64; varint text
 *          length, 1..65535, if there is one; then quality bytes, codes, values, text.
 *
 * Qualities that are all good and codes that are all 0 are left out, as in a batch frame. A pack comes
 * from a disk, so the reader refuses what is not exactly as above.
 */
#ifndef BB_STORE_PACK_H
#define BB_STORE_PACK_H

#include <stdint.h>

#include "base/buf.h"
#include "model/batch.h"

#define BB_PACK_VERSION 1
#define BB_PACK_MAX_BYTES (64u << 10) /* one record that is longer makes a pack of its own */
#define BB_PACK_LONGEST (2u << 20)    /* bytes of such a one at most */
#define BB_PACK_MAX_SOURCES 1024
#define BB_PACK_MAX_RECORDS 65535

typedef struct bb_pack_source {
  uint64_t device; /* hash */
  uint64_t shape;  /* hash; 0: none */
  uint32_t boot;
} bb_pack_source;

/* A pack in the making; used again for the next one. Roughly 64 KiB and 32 KiB of its own. */
typedef struct bb_packer {
  /* read-only */
  uint32_t n_records;
  uint32_t n_sources;
  /* private */
  uint32_t n_families;
  bb_pack_source sources[BB_PACK_MAX_SOURCES];
  uint16_t family_of[BB_PACK_MAX_SOURCES]; /* of each source, its family's place */
  uint16_t families[BB_PACK_MAX_SOURCES];  /* of each family, a source that has it */
  uint16_t slots[2 * BB_PACK_MAX_SOURCES]; /* hash table of places in `sources`, plus 1 */
  bb_buf records;
  int64_t time_ns;
  uint64_t mono_ns, seq;
} bb_packer;

void bb_packer_init(bb_packer *packer);
void bb_packer_close(bb_packer *packer);

/* 0; BB_ERR_AGAIN: the pack is full, end it and add to the next; BB_ERR_NOMEM; BB_ERR_LIMIT: the
 * batch is too long for any pack. */
int bb_packer_add(bb_packer *packer, const bb_batch *batch);

/* Appends the pack to `out` and begins the next one. Not without a record. Bytes, or BB_ERR_NOMEM or
 * BB_ERR_LIMIT (of `out`); then nothing was appended, and the pack is as before. */
int bb_packer_end(bb_packer *packer, bb_buf *out);

/* A pack that is read. */
typedef struct bb_unpacker {
  /* read-only */
  uint32_t n_records; /* of the whole pack */
  uint32_t n_sources;
  /* private */
  const uint8_t *families, *sources, *at, *end;
  uint32_t left;
  int64_t time_ns;
  uint64_t mono_ns, seq;
} bb_unpacker;

/* `bytes` must outlive the reading. 0; BB_ERR_FORMAT; BB_ERR_VERSION: a later one. */
int bb_unpacker_open(bb_unpacker *unpacker, const uint8_t *bytes, size_t len);

/* `place` below n_sources. */
bb_pack_source bb_unpacker_source(const bb_unpacker *unpacker, uint32_t place);

/* A record, before its device and shape are known. */
typedef struct bb_packed {
  uint32_t source; /* place */
  int64_t time_ns; /* as in the batch */
  /* private */
  const uint8_t *body;
  uint32_t len;
  uint64_t mono_ns, seq;
  uint16_t text_len;
  uint8_t head, flags;
} bb_packed;

/* The next record: 1, 0 at the end, BB_ERR_FORMAT, then always so. */
int bb_unpacker_next(bb_unpacker *unpacker, bb_packed *out);

/* Its bb_batch_kind. */
uint8_t bb_packed_kind(const bb_packed *packed);

/*
 * The record as a view into the pack. `device` and `shape` are those that its source names (shape
 * NULL when its hash is 0), `boot` the source's. Where all points are good, quality points to static
 * bytes. 0 or BB_ERR_FORMAT (it does not fit the shape).
 */
int bb_packed_batch(const bb_packed *packed, const bb_device *device, const bb_shape *shape,
                    uint32_t boot, bb_batch *out);

#endif
