/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus frames on TCP (TCP 3.1.3): the MBAP header, then a PDU.
 *
 *   transaction:2 protocol:2 length:2 unit:1 PDU        protocol is 0, length counts unit and PDU
 *
 * Example: 1501 0000 0006 FF 03 0004 0001, of which the last five bytes are the PDU.
 */
#ifndef BB_WIRE_MODBUS_MBAP_H
#define BB_WIRE_MODBUS_MBAP_H

#include "wire/modbus/modbus.h"

#define BB_MODBUS_MBAP_LEN 7 /* bytes before the PDU */

typedef struct bb_modbus_mbap {
  uint16_t transaction; /* which request it belongs to: the server returns it (TCP 4.4.1.3) */
  uint8_t unit;
  const uint8_t *pdu; /* lies in the frame */
  size_t pdu_len;     /* 1 to BB_MODBUS_PDU_MAX */
} bb_modbus_mbap;

/* Writes the header before the PDU that stands at frame + BB_MODBUS_MBAP_LEN and has 1 to
 * BB_MODBUS_PDU_MAX bytes. Returns the length of the frame. */
size_t bb_modbus_mbap_pack(uint8_t *frame, uint16_t transaction, uint8_t unit, size_t pdu_len);

/*
 * Finds the frame that a stream begins with; `len` may be 0 or pass its end. Returns its length, 0
 * if more bytes are needed, or BB_ERR_FORMAT if these can begin no frame: the protocol is not 0, or
 * the length is below 2 or above 254. There is then no telling where the next frame begins, so the
 * connection is to be closed.
 */
int bb_modbus_mbap_unpack(bb_modbus_mbap *out, const uint8_t *bytes, size_t len);

#endif
