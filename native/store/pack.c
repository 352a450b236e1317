/* SPDX-License-Identifier: Apache-2.0 */
/* See pack.h. Records are written as they come; what stands before them is known at the end only, so
 * it is put in front when the pack is ended. */
#include "store/pack.h"

#include <assert.h>
#include <string.h>

#include <zlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "model/frame.h"
#include "store/pack_layout.h"

#define SLOTS (2 * BB_PACK_MAX_SOURCES)
#define HEAD_MAX (2 + 6 * BB_PACK_VARINT)

static void begin(bb_packer *packer) {
  bb_buf_clear(&packer->records);
  packer->n_records = packer->n_sources = packer->n_families = 0;
  packer->time_ns = 0;
  packer->mono_ns = packer->seq = 0;
  memset(packer->slots, 0, sizeof(packer->slots));
}

void bb_packer_init(bb_packer *packer) {
  bb_buf_init(&packer->records, BB_PACK_LONGEST);
  begin(packer);
}

void bb_packer_close(bb_packer *packer) {
  bb_buf_close(&packer->records);
}

static uint8_t *put_varint(uint8_t *p, uint64_t value) {
  while (value >= 0x80) {
    *p++ = (uint8_t)(value | 0x80);
    value >>= 7;
  }
  *p++ = (uint8_t)value;
  return p;
}

/* `value` is a difference modulo 2^64. */
static uint8_t *put_signed(uint8_t *p, uint64_t value) {
  return put_varint(p, value << 1 ^ (0 - (value >> 63)));
}

static bool is_same(const bb_pack_source *a, const bb_pack_source *b) {
  return a->device == b->device && a->shape == b->shape && a->boot == b->boot;
}

/* The slot in which that source is, or would be. */
static uint32_t slot_of(const bb_packer *packer, const bb_pack_source *source) {
  uint64_t mix = (source->device ^ source->shape * 3 ^ source->boot) * 0x9e3779b97f4a7c15ull;
  uint32_t slot = (uint32_t)(mix >> 53);
  static_assert(SLOTS == 1 << 11, "the shift above");
  while (packer->slots[slot] != 0 && !is_same(&packer->sources[packer->slots[slot] - 1], source)) {
    slot = (slot + 1) % SLOTS;
  }
  return slot;
}

static uint16_t family_of(bb_packer *packer, uint32_t place) {
  const bb_pack_source *source = &packer->sources[place];
  for (uint32_t i = packer->n_families; i-- > 0;) {
    const bb_pack_source *other = &packer->sources[packer->families[i]];
    if (other->shape == source->shape && other->boot == source->boot) return (uint16_t)i;
  }
  packer->families[packer->n_families] = (uint16_t)place;
  return (uint16_t)packer->n_families++;
}

static void add_source(bb_packer *packer, uint32_t slot, bb_pack_source source) {
  uint32_t place = packer->n_sources++;
  packer->slots[slot] = (uint16_t)(place + 1);
  packer->sources[place] = source;
  packer->family_of[place] = family_of(packer, place);
}

static size_t front_bytes(size_t n_families, size_t n_sources) {
  return BB_PACK_HEADER + n_families * BB_PACK_FAMILY + n_sources * BB_PACK_SOURCE;
}

/* Everything of a record but its length and what lies behind its head. */
static size_t put_head(const bb_packer *packer, const bb_batch *batch, uint32_t place,
                       unsigned content, uint8_t *out) {
  unsigned head = batch->kind & BB_PACK_KIND;
  if (content & BB_FRAME_QUALITY) head |= BB_PACK_QUALITY;
  if (content & BB_FRAME_CODES) head |= BB_PACK_CODES;
  if (batch->text_len > 0) head |= BB_PACK_TEXT;
  uint8_t *p = put_varint(out, place);
  *p++ = (uint8_t)head;
  *p++ = batch->flags;
  p = put_signed(p, (uint64_t)batch->time_ns - (uint64_t)packer->time_ns);
  p = put_signed(p, batch->mono_ns - packer->mono_ns);
  p = put_signed(p, batch->seq - packer->seq);
  if (batch->text_len > 0) p = put_varint(p, batch->text_len);
  return (size_t)(p - out);
}

static uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t len) {
  if (len > 0) memcpy(p, bytes, len);
  return p + len;
}

static int put_record(bb_packer *packer, const bb_batch *batch, uint32_t place, size_t room) {
  uint8_t head[HEAD_MAX], length[BB_PACK_VARINT];
  unsigned content = bb_frame_content(batch);
  size_t points = batch->shape != NULL ? batch->shape->n_points : 0;
  size_t values = batch->shape != NULL ? batch->shape->value_bytes : 0;
  size_t quality = content & BB_FRAME_QUALITY ? points : 0;
  size_t codes = content & BB_FRAME_CODES ? points : 0;
  size_t head_len = put_head(packer, batch, place, content, head);
  size_t len = head_len + quality + codes + values + batch->text_len;
  size_t length_len = (size_t)(put_varint(length, len) - length);
  if (packer->n_records > 0 && length_len + len > room) return BB_ERR_AGAIN;
  int err = bb_buf_reserve(&packer->records, length_len + len);
  if (err < 0) {
    packer->records.failed = 0;
    return err;
  }
  uint8_t *p = bb_buf_extend(&packer->records, length_len + len);
  p = put_bytes(p, length, length_len);
  p = put_bytes(p, head, head_len);
  p = put_bytes(p, batch->quality, quality);
  p = put_bytes(p, batch->codes, codes);
  p = put_bytes(p, batch->values, values);
  put_bytes(p, batch->text, batch->text_len);
  return 0;
}

int bb_packer_add(bb_packer *packer, const bb_batch *batch) {
  bb_pack_source source = {batch->device->hash, batch->shape != NULL ? batch->shape->hash : 0,
                           batch->boot};
  uint32_t slot = slot_of(packer, &source);
  bool is_new = packer->slots[slot] == 0;
  uint32_t place = is_new ? packer->n_sources : packer->slots[slot] - 1u;
  if (packer->n_records == BB_PACK_MAX_RECORDS) return BB_ERR_AGAIN;
  if (place == BB_PACK_MAX_SOURCES) return BB_ERR_AGAIN;
  /* As if a new source always were of a new family. */
  size_t used =
      front_bytes(packer->n_families + is_new, packer->n_sources + is_new) + packer->records.len;
  size_t room = used < BB_PACK_MAX_BYTES ? BB_PACK_MAX_BYTES - used : 0;
  int err = put_record(packer, batch, place, room);
  if (err < 0) return err;
  if (is_new) add_source(packer, slot, source);
  packer->n_records++;
  packer->time_ns = batch->time_ns;
  packer->mono_ns = batch->mono_ns;
  packer->seq = batch->seq;
  return 0;
}

static uint8_t *put_front(const bb_packer *packer, uint8_t *p) {
  p[4] = BB_PACK_VERSION;
  p[5] = 0;
  bb_put_le16(p + 6, (uint16_t)packer->n_sources);
  bb_put_le32(p + 8, packer->n_records);
  bb_put_le16(p + 12, (uint16_t)packer->n_families);
  bb_put_le16(p + 14, 0);
  p += BB_PACK_HEADER;
  for (uint32_t i = 0; i < packer->n_families; i++, p += BB_PACK_FAMILY) {
    const bb_pack_source *source = &packer->sources[packer->families[i]];
    bb_put_le64(p, source->shape);
    bb_put_le32(p + 8, source->boot);
    bb_put_le32(p + 12, 0);
  }
  for (uint32_t i = 0; i < packer->n_sources; i++, p += BB_PACK_SOURCE) {
    bb_put_le64(p, packer->sources[i].device);
    bb_put_le16(p + 8, packer->family_of[i]);
  }
  return p;
}

int bb_packer_end(bb_packer *packer, bb_buf *out) {
  assert(packer->n_records > 0);
  size_t len = front_bytes(packer->n_families, packer->n_sources) + packer->records.len;
  int err = bb_buf_reserve(out, len);
  if (err < 0) return err;
  uint8_t *p = bb_buf_extend(out, len);
  memcpy(put_front(packer, p), packer->records.bytes, packer->records.len);
  bb_put_le32(p, (uint32_t)crc32(0, p + BB_PACK_CRC, (uInt)(len - BB_PACK_CRC)));
  begin(packer);
  return (int)len;
}
