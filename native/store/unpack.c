/* SPDX-License-Identifier: Apache-2.0 */
/* See pack.h. Nothing is trusted, also where the checksum is right: whoever can write the file can
 * write a checksum. */
#include "store/pack.h"

#include <stdbool.h>
#include <string.h>

#include <zlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "store/pack_layout.h"

/* Sources name families that are there, and reserved bytes are 0. */
static bool front_is_sound(const bb_unpacker *unpacker, uint32_t n_families) {
  for (uint32_t i = 0; i < n_families; i++) {
    if (bb_get_le32(unpacker->families + i * BB_PACK_FAMILY + 12) != 0) return false;
  }
  for (uint32_t i = 0; i < unpacker->n_sources; i++) {
    if (bb_get_le16(unpacker->sources + i * BB_PACK_SOURCE + 8) >= n_families) return false;
  }
  return true;
}

int bb_unpacker_open(bb_unpacker *unpacker, const uint8_t *bytes, size_t len) {
  if (len < BB_PACK_HEADER || len > BB_PACK_LONGEST) return BB_ERR_FORMAT;
  if (bb_get_le32(bytes) != crc32(0, bytes + BB_PACK_CRC, (uInt)(len - BB_PACK_CRC))) {
    return BB_ERR_FORMAT;
  }
  if (bytes[4] > BB_PACK_VERSION) return BB_ERR_VERSION;
  uint32_t n_sources = bb_get_le16(bytes + 6), n_families = bb_get_le16(bytes + 12);
  uint32_t n_records = bb_get_le32(bytes + 8);
  if (bytes[4] != BB_PACK_VERSION || bytes[5] != 0 || bb_get_le16(bytes + 14) != 0 ||
      n_sources < 1 || n_sources > BB_PACK_MAX_SOURCES || n_families < 1 ||
      n_families > BB_PACK_MAX_SOURCES || n_records < 1 || n_records > BB_PACK_MAX_RECORDS) {
    return BB_ERR_FORMAT;
  }
  size_t front = BB_PACK_HEADER + n_families * BB_PACK_FAMILY + n_sources * BB_PACK_SOURCE;
  if (front > len) return BB_ERR_FORMAT;
  *unpacker = (bb_unpacker){
      .n_records = n_records,
      .n_sources = n_sources,
      .families = bytes + BB_PACK_HEADER,
      .sources = bytes + BB_PACK_HEADER + n_families * BB_PACK_FAMILY,
      .at = bytes + front,
      .end = bytes + len,
      .left = n_records,
  };
  return front_is_sound(unpacker, n_families) ? 0 : BB_ERR_FORMAT;
}

static const uint8_t *family_at(const bb_unpacker *unpacker, uint32_t place) {
  const uint8_t *source = unpacker->sources + place * BB_PACK_SOURCE;
  return unpacker->families + bb_get_le16(source + 8) * BB_PACK_FAMILY;
}

bb_pack_source bb_unpacker_source(const bb_unpacker *unpacker, uint32_t place) {
  const uint8_t *family = family_at(unpacker, place);
  return (bb_pack_source){.device = bb_get_le64(unpacker->sources + place * BB_PACK_SOURCE),
                          .shape = bb_get_le64(family),
                          .boot = bb_get_le32(family + 8)};
}

/* In its shortest form and within 64 bits. */
static bool get_varint(const uint8_t **at, const uint8_t *end, uint64_t *out) {
  const uint8_t *p = *at;
  uint64_t value = 0;
  for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
    uint8_t byte = *p++;
    if (shift == 63 && byte > 1) return false;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    if (byte == 0 && shift > 0) return false;
    *at = p;
    *out = value;
    return true;
  }
  return false;
}

static bool get_signed(const uint8_t **at, const uint8_t *end, uint64_t *out) {
  uint64_t value;
  if (!get_varint(at, end, &value)) return false;
  *out = value >> 1 ^ (0 - (value & 1));
  return true;
}

/* What can be said without the shape: a kind and flags that there are, and, where there is no shape,
 * a text and nothing else. */
static bool packed_is_sound(const bb_unpacker *unpacker, const bb_packed *packed) {
  bb_batch batch = {.kind = packed->head & BB_PACK_KIND,
                    .flags = packed->flags,
                    .text_len = packed->text_len,
                    .text = (const char *)packed->body};
  if (bb_get_le64(family_at(unpacker, packed->source)) != 0) {
    return batch.kind == BB_BATCH_SAMPLES && batch.flags <= BB_BATCH_FLAGS;
  }
  if (packed->head & (BB_PACK_QUALITY | BB_PACK_CODES)) return false;
  return packed->len == packed->text_len && bb_batch_is_sound(&batch);
}

static bool read_record(const bb_unpacker *unpacker, const uint8_t *p, const uint8_t *end,
                        bb_packed *out) {
  uint64_t source, time_ns, mono_ns, seq, text_len = 0;
  if (!get_varint(&p, end, &source) || source >= unpacker->n_sources) return false;
  if (end - p < 2) return false;
  uint8_t head = *p++, flags = *p++;
  if (head > (BB_PACK_KIND | BB_PACK_QUALITY | BB_PACK_CODES | BB_PACK_TEXT)) return false;
  if (!get_signed(&p, end, &time_ns) || !get_signed(&p, end, &mono_ns) ||
      !get_signed(&p, end, &seq)) {
    return false;
  }
  if (head & BB_PACK_TEXT) {
    if (!get_varint(&p, end, &text_len) || text_len < 1 || text_len > UINT16_MAX) return false;
  }
  if (text_len > (uint64_t)(end - p)) return false;
  *out = (bb_packed){.source = (uint32_t)source,
                     .body = p,
                     .len = (uint32_t)(end - p),
                     .time_ns = (int64_t)((uint64_t)unpacker->time_ns + time_ns),
                     .mono_ns = unpacker->mono_ns + mono_ns,
                     .seq = unpacker->seq + seq,
                     .text_len = (uint16_t)text_len,
                     .head = head,
                     .flags = flags};
  return packed_is_sound(unpacker, out);
}

int bb_unpacker_next(bb_unpacker *unpacker, bb_packed *out) {
  if (unpacker->left == 0) return unpacker->at == unpacker->end ? 0 : BB_ERR_FORMAT;
  const uint8_t *p = unpacker->at;
  uint64_t len;
  if (!get_varint(&p, unpacker->end, &len) || len > (uint64_t)(unpacker->end - p) ||
      !read_record(unpacker, p, p + len, out)) {
    return BB_ERR_FORMAT;
  }
  unpacker->at = p + len;
  unpacker->left--;
  unpacker->time_ns = out->time_ns;
  unpacker->mono_ns = out->mono_ns;
  unpacker->seq = out->seq;
  return 1;
}

uint8_t bb_packed_kind(const bb_packed *packed) {
  return packed->head & BB_PACK_KIND;
}

int bb_packed_batch(const bb_packed *packed, const bb_device *device, const bb_shape *shape,
                    uint32_t boot, bb_batch *out) {
  size_t points = shape != NULL ? shape->n_points : 0;
  size_t values = shape != NULL ? shape->value_bytes : 0;
  size_t quality = packed->head & BB_PACK_QUALITY ? points : 0;
  size_t codes = packed->head & BB_PACK_CODES ? points : 0;
  if (packed->len != quality + codes + values + packed->text_len) return BB_ERR_FORMAT;
  const uint8_t *p = packed->body;
  *out = (bb_batch){
      .device = device,
      .shape = shape,
      .time_ns = packed->time_ns,
      .mono_ns = packed->mono_ns,
      .boot = boot,
      .seq = packed->seq,
      .kind = packed->head & BB_PACK_KIND,
      .flags = packed->flags,
      .text_len = packed->text_len,
      .quality = quality > 0 ? p : bb_batch_all_good,
      .codes = codes > 0 ? p + quality : NULL,
      .values = p + quality + codes,
      .text = packed->text_len > 0 ? (const char *)p + quality + codes + values : NULL,
  };
  return bb_batch_is_sound(out) ? 0 : BB_ERR_FORMAT;
}
