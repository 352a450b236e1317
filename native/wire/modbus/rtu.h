/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus frames on a serial line, and the same bytes over TCP ("MODBUS over Serial Line V1.02",
 * 2.5.1): unit, PDU, CRC.
 *
 *   unit:1 PDU crc:2                                              the CRC low byte first
 *
 * Example: 11 03 006B 0003 7687. On the line a silence ends a frame; in a stream the function and
 * what follows it tell its length, for the functions of bb_modbus_function and for refusals.
 * Diagnostics count as having one data word, as all their sub-functions but one prescribe.
 */
#ifndef BB_WIRE_MODBUS_RTU_H
#define BB_WIRE_MODBUS_RTU_H

#include "wire/modbus/modbus.h"

#define BB_MODBUS_RTU_HEAD 1 /* bytes before the PDU */
#define BB_MODBUS_CRC_LEN 2  /* bytes behind it */

typedef struct bb_modbus_rtu {
  uint8_t unit;
  const uint8_t *pdu; /* lies in the frame */
  size_t pdu_len;     /* 1 to BB_MODBUS_PDU_MAX */
} bb_modbus_rtu;

/* The CRC of the bytes; its low byte is the first on the line. Over a whole frame it is 0. */
uint16_t bb_modbus_crc(const uint8_t *bytes, size_t len);

/* Writes the unit before and the CRC behind the PDU that stands at frame + BB_MODBUS_RTU_HEAD and
 * has 1 to BB_MODBUS_PDU_MAX bytes. Returns the length of the frame. */
size_t bb_modbus_rtu_pack(uint8_t *frame, uint8_t unit, size_t pdu_len);

/*
 * Finds the frame that a stream of responses (at a client) or of requests (at a server) begins
 * with; `len` may be 0 or pass its end. Returns its length, 0 if more bytes are needed, or
 *   BB_ERR_FORMAT   they begin no frame of which we could tell the length
 *   BB_ERR_INVALID  the CRC is wrong: bytes were changed, lost, or belong to a late answer
 * After either, all bytes up to a silence are to be thrown away.
 */
int bb_modbus_rtu_unpack_response(bb_modbus_rtu *out, const uint8_t *bytes, size_t len);
int bb_modbus_rtu_unpack_request(bb_modbus_rtu *out, const uint8_t *bytes, size_t len);

#endif
