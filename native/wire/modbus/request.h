/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Modbus request and its PDU (AP 6), packed by a client and unpacked by a server.
 *
 *   1 to 4  function address:2 quantity:2
 *   5, 6    function address:2 value:2                             a coil is 0000 or FF00
 *   8       function sub-function:2 data:2n
 *   15, 16  function address:2 quantity:2 byte-count:1 data
 *   22      function address:2 and-mask:2 or-mask:2
 *
 * Example: 03 006B 0003 reads the holding registers at 107, 108 and 109.
 */
#ifndef BB_WIRE_MODBUS_REQUEST_H
#define BB_WIRE_MODBUS_REQUEST_H

#include "wire/modbus/modbus.h"

typedef struct bb_modbus_request {
  uint8_t function; /* one of bb_modbus_function */
  uint16_t address; /* as in the PDU, so from 0; the sub-function of diagnostics */
  /* Coils or registers from there on: 1 for the functions 5, 6 and 22; not used by diagnostics. */
  uint16_t quantity;
  /* Function 22: the register becomes (it & and_mask) | (or_mask & ~and_mask). */
  uint16_t and_mask;
  uint16_t or_mask;
  /* 5, 6, 15 and 16: the values to write; of 5 the lowest bit counts. 8: its data. Borrowed. */
  const uint8_t *data;
  uint16_t data_len; /* bytes */
} bb_modbus_request;

/*
 * Packs a PDU; `out` needs BB_MODBUS_PDU_MAX bytes. Returns its length, or
 *   BB_ERR_UNSUPPORTED  a function not in bb_modbus_function
 *   BB_ERR_RANGE        quantity is 0 or above the function's maximum, or passes the last address
 *   BB_ERR_INVALID      data_len does not fit the quantity; for diagnostics: is odd, 0 or above 250
 */
int bb_modbus_request_pack(uint8_t *out, const bb_modbus_request *request);

/*
 * Unpacks and checks a PDU as a server must (AP 6, the state diagrams). Returns 0, or above 0 the
 * exception to answer with: ILLEGAL_FUNCTION, ILLEGAL_DATA_VALUE (quantity, byte count or length
 * wrong), ILLEGAL_DATA_ADDRESS (passes the last address); then only `function` of `out` is set.
 * BB_ERR_FORMAT: empty, too long, or no function code a request may have; there is no answer to it.
 * `data` then points into `pdu`.
 */
int bb_modbus_request_unpack(bb_modbus_request *out, const uint8_t *pdu, size_t len);

#endif
