/* SPDX-License-Identifier: Apache-2.0 */
/* See write_group.h. */
#include "drivers/modbus/write_group.h"

#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "model/quality.h"

static const bb_profile_point *point_at(const bb_profile *profile, const bb_command *command,
                                        uint16_t i) {
  return &profile->points[command->points[i]];
}

static bool belong_together(const bb_profile_point *a, const bb_profile_point *b) {
  return a->space == b->space && a->write_block != NULL && b->write_block != NULL &&
         strcmp(a->write_block, b->write_block) == 0;
}

int bb_modbus_group_form(bb_modbus_group *group, const bb_profile *profile,
                         const bb_command *command, uint16_t first) {
  const bb_profile_point *point = point_at(profile, command, first);
  uint32_t from = point->address, end = from + point->length;
  uint16_t n = 1;
  while (first + n < command->n) {
    const bb_profile_point *next = point_at(profile, command, (uint16_t)(first + n));
    if (!belong_together(point, next)) break;
    if (next->address < from) from = next->address;
    if (next->address + next->length > end) end = next->address + next->length;
    n++;
  }
  *group = (bb_modbus_group){.first = first, .n = n, .space = point->space};
  if (point->space != BB_SPACE_COIL && point->space != BB_SPACE_HOLDING) {
    return BB_ERR_UNSUPPORTED;
  }
  uint32_t most = point->space == BB_SPACE_COIL ? BB_MODBUS_WRITE_BITS_MAX
                                                : profile->modbus.max_write_registers;
  if (end - from > most) return BB_ERR_LIMIT;
  group->address = (uint16_t)from;
  group->count = (uint16_t)(end - from);
  return 0;
}

static void put(bb_modbus_group *group, unsigned at, uint8_t value, uint8_t cover) {
  group->data[at] = (uint8_t)((group->data[at] & ~cover) | (value & cover));
  group->cover[at] |= cover;
}

int bb_modbus_group_encode(bb_modbus_group *group, const bb_profile *profile,
                           const bb_command *command, uint16_t i, int32_t power) {
  const bb_profile_point *point = point_at(profile, command, i);
  uint8_t zeros[BB_MODBUS_IMAGE_MAX] = {0}, ones[BB_MODBUS_IMAGE_MAX];
  unsigned at = (unsigned)(point->address - group->address);
  memset(ones, 0xFF, sizeof(ones));
  int err = bb_codec_encode(&point->codec, command->values[i], power, zeros);
  if (err == 0) err = bb_codec_encode(&point->codec, command->values[i], power, ones);
  if (err < 0) return err;
  if (group->space == BB_SPACE_COIL) {
    put(group, at / 8, (uint8_t)((zeros[0] & 1) << at % 8), (uint8_t)(1 << at % 8));
    return 0;
  }
  for (unsigned byte = 0; byte < point->codec.raw_bytes; byte++) {
    put(group, at * 2 + byte, zeros[byte], (uint8_t) ~(zeros[byte] ^ ones[byte]));
  }
  return 0;
}

static unsigned bytes_of(const bb_modbus_group *group) {
  return group->space == BB_SPACE_COIL ? (group->count + 7u) / 8u : group->count * 2u;
}

/* The bits of byte `at` that belong to the group. */
static uint8_t bits_of(const bb_modbus_group *group, unsigned at) {
  unsigned rest = group->count % 8u;
  bool is_last = at + 1 == bytes_of(group);
  bool is_part = group->space == BB_SPACE_COIL && rest > 0 && is_last;
  return (uint8_t)(is_part ? (1u << rest) - 1 : 0xFF);
}

bool bb_modbus_group_is_whole(const bb_modbus_group *group) {
  for (unsigned at = 0; at < bytes_of(group); at++) {
    if ((group->cover[at] & bits_of(group, at)) != bits_of(group, at)) return false;
  }
  return true;
}

void bb_modbus_group_fill(bb_modbus_group *group, const uint8_t *now) {
  for (unsigned at = 0; at < bytes_of(group); at++) {
    uint8_t cover = group->cover[at];
    group->data[at] = (uint8_t)((group->data[at] & cover) | (now[at] & ~cover));
    group->cover[at] = 0xFF;
  }
}

static uint8_t function_for(const bb_modbus_group *group, const bb_profile_point *point,
                            bool masks) {
  bool is_single = group->count == 1;
  if (group->space == BB_SPACE_COIL) {
    return is_single && point->write_function != BB_MODBUS_WRITE_MULTIPLE_COILS
               ? BB_MODBUS_WRITE_SINGLE_COIL
               : BB_MODBUS_WRITE_MULTIPLE_COILS;
  }
  if (masks) return BB_MODBUS_MASK_WRITE_REGISTER;
  return is_single && point->write_function != BB_MODBUS_WRITE_MULTIPLE_REGISTERS
             ? BB_MODBUS_WRITE_SINGLE_REGISTER
             : BB_MODBUS_WRITE_MULTIPLE_REGISTERS;
}

/* A part of one register, by a device that can mask, unless the profile names another function. */
static bool can_mask(const bb_modbus_group *group, const bb_profile_point *point) {
  if (group->space != BB_SPACE_HOLDING || group->count != 1) return false;
  if (point->write_function != 0) return point->write_function == BB_MODBUS_MASK_WRITE_REGISTER;
  return !bb_modbus_group_is_whole(group);
}

bool bb_modbus_group_must_mask(const bb_modbus_group *group, const bb_profile *profile,
                               const bb_command *command) {
  return point_at(profile, command, group->first)->write_function == BB_MODBUS_MASK_WRITE_REGISTER;
}

int bb_modbus_group_request(const bb_modbus_group *group, const bb_profile *profile,
                            const bb_command *command, bool mask, bb_modbus_request *request) {
  const bb_profile_point *point = point_at(profile, command, group->first);
  bool must = bb_modbus_group_must_mask(group, profile, command);
  bool masks = (mask || must) && can_mask(group, point);
  if (!masks && !bb_modbus_group_is_whole(group)) return BB_ERR_STATE;
  *request = (bb_modbus_request){
      .function = function_for(group, point, masks),
      .address = group->address,
      .quantity = group->count,
      .data = group->data,
      .data_len = (uint16_t)bytes_of(group),
  };
  if (masks) {
    request->and_mask = (uint16_t)~bb_get_be16(group->cover);
    request->or_mask = bb_get_be16(group->data) & bb_get_be16(group->cover);
  }
  return 0;
}

void bb_modbus_group_read(const bb_modbus_group *group, bb_modbus_request *request) {
  bool is_coil = group->space == BB_SPACE_COIL;
  *request = (bb_modbus_request){
      .function = is_coil ? BB_MODBUS_READ_COILS : BB_MODBUS_READ_HOLDING_REGISTERS,
      .address = group->address,
      .quantity = group->count,
  };
}

/* True if writing the value again would change no bit. Of a text only what is read counts, not what
 * the device fills up with. */
static bool is_same(const bb_profile_point *point, const uint8_t *now, bb_value value,
                    int32_t power, bb_value measured) {
  uint8_t again[BB_MODBUS_IMAGE_MAX];
  if (point->codec.raw == BB_RAW_TEXT) {
    return measured.v.text.len == value.v.text.len &&
           memcmp(measured.v.text.bytes, value.v.text.bytes, value.v.text.len) == 0;
  }
  memcpy(again, now, point->codec.raw_bytes);
  return bb_codec_encode(&point->codec, value, power, again) == 0 &&
         memcmp(again, now, point->codec.raw_bytes) == 0;
}

bool bb_modbus_group_verify(const bb_modbus_group *group, const bb_profile *profile,
                            bb_command *command, uint16_t i, int32_t power, const uint8_t *now,
                            uint8_t *text) {
  const bb_profile_point *point = point_at(profile, command, i);
  unsigned at = (unsigned)(point->address - group->address);
  uint8_t bit = now[at / 8] >> at % 8 & 1, slot[BB_MODBUS_TEXT_ROOM] = {0};
  const uint8_t *raw = group->space == BB_SPACE_COIL ? &bit : now + (size_t)at * 2;
  bool is_text = point->point.type == BB_TYPE_TEXT;
  uint8_t quality = bb_codec_decode(&point->codec, raw, power, slot, sizeof(slot));
  bb_value measured = bb_value_load(point->point.type, slot);
  bool same = is_same(point, raw, command->values[i], power, measured);
  if (!bb_quality_has_value(quality) || (is_text && text == NULL)) return same;
  if (is_text) {
    memcpy(text, slot, sizeof(slot));
    measured = bb_value_load(point->point.type, text);
  }
  command->measured[i] = measured;
  command->has_measured |= (uint64_t)1 << i;
  return same;
}
