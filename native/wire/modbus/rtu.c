/* SPDX-License-Identifier: Apache-2.0 */
/* See rtu.h. */
#include "wire/modbus/rtu.h"

#include <assert.h>

#include "base/bytes.h"
#include "base/err.h"

/* Reflected polynomial A001h, start FFFFh (MODBUS over Serial Line V1.02, 6.2.2), by half bytes. */
uint16_t bb_modbus_crc(const uint8_t *bytes, size_t len) {
  static const uint16_t table[16] = {0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00,
                                     0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401,
                                     0x5000, 0x9c01, 0x8801, 0x4400};
  unsigned crc = 0xffff;
  for (size_t i = 0; i < len; i++) {
    crc ^= bytes[i];
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return (uint16_t)crc;
}

size_t bb_modbus_rtu_pack(uint8_t *frame, uint8_t unit, size_t pdu_len) {
  assert(pdu_len > 0 && pdu_len <= BB_MODBUS_PDU_MAX);
  frame[0] = unit;
  size_t len = BB_MODBUS_RTU_HEAD + pdu_len;
  bb_put_le16(frame + len, bb_modbus_crc(frame, len));
  return len + BB_MODBUS_CRC_LEN;
}

/* Length of the PDU whose byte count stands at `place`, from 1 to `max`; 0 or an error as below. */
static int counted_len(const uint8_t *pdu, size_t len, size_t place, size_t max, size_t unit) {
  if (len <= place) return 0;
  size_t count = pdu[place];
  return count == 0 || count > max || count % unit != 0 ? BB_ERR_FORMAT : (int)(place + 1 + count);
}

/* Length of the PDU of which `len` bytes are there, 0 if they do not tell it yet, BB_ERR_FORMAT. */
static int response_pdu_len(const uint8_t *pdu, size_t len) {
  if (len == 0) return 0;
  if (pdu[0] > BB_MODBUS_EXCEPTION) return 2;
  switch (pdu[0]) {
  case BB_MODBUS_READ_COILS:
  case BB_MODBUS_READ_DISCRETE_INPUTS:
    return counted_len(pdu, len, 1, BB_MODBUS_READ_BITS_MAX / 8, 1);
  case BB_MODBUS_READ_HOLDING_REGISTERS:
  case BB_MODBUS_READ_INPUT_REGISTERS:
    return counted_len(pdu, len, 1, BB_MODBUS_READ_REGISTERS_MAX * 2, 2);
  case BB_MODBUS_MASK_WRITE_REGISTER:
    return 7;
  }
  return bb_modbus_function_name(pdu[0]) != NULL ? 5 : BB_ERR_FORMAT;
}

static int request_pdu_len(const uint8_t *pdu, size_t len) {
  if (len == 0) return 0;
  switch (pdu[0]) {
  case BB_MODBUS_WRITE_MULTIPLE_COILS:
    return counted_len(pdu, len, 5, BB_MODBUS_WRITE_BITS_MAX / 8, 1);
  case BB_MODBUS_WRITE_MULTIPLE_REGISTERS:
    return counted_len(pdu, len, 5, BB_MODBUS_WRITE_REGISTERS_MAX * 2, 2);
  case BB_MODBUS_MASK_WRITE_REGISTER:
    return 7;
  }
  return bb_modbus_function_name(pdu[0]) != NULL ? 5 : BB_ERR_FORMAT;
}

typedef int pdu_len_fn(const uint8_t *pdu, size_t len);

static int unpack(bb_modbus_rtu *out, const uint8_t *bytes, size_t len, pdu_len_fn *find_pdu_len) {
  if (len < BB_MODBUS_RTU_HEAD) return 0;
  int pdu_len = find_pdu_len(bytes + BB_MODBUS_RTU_HEAD, len - BB_MODBUS_RTU_HEAD);
  if (pdu_len <= 0) return pdu_len;
  size_t frame_len = BB_MODBUS_RTU_HEAD + (size_t)pdu_len + BB_MODBUS_CRC_LEN;
  if (len < frame_len) return 0;
  if (bb_modbus_crc(bytes, frame_len) != 0) return BB_ERR_INVALID;
  *out = (bb_modbus_rtu){bytes[0], bytes + BB_MODBUS_RTU_HEAD, (size_t)pdu_len};
  return (int)frame_len;
}

int bb_modbus_rtu_unpack_response(bb_modbus_rtu *out, const uint8_t *bytes, size_t len) {
  return unpack(out, bytes, len, response_pdu_len);
}

int bb_modbus_rtu_unpack_request(bb_modbus_rtu *out, const uint8_t *bytes, size_t len) {
  return unpack(out, bytes, len, request_pdu_len);
}
