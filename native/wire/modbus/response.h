/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PDU that answers a Modbus request (AP 6), packed by a server and unpacked by a client.
 *
 *   1 to 4        function byte-count:1 data
 *   5, 6, 22      the request again
 *   8             function sub-function:2 data:2n
 *   15, 16        function address:2 quantity:2
 *   a refusal     function + 80h, exception code                        (AP 7)
 *
 * Example: 03 06 022B 0000 0064 answers 03 006B 0003; 83 02 refuses it.
 */
#ifndef BB_WIRE_MODBUS_RESPONSE_H
#define BB_WIRE_MODBUS_RESPONSE_H

#include "wire/modbus/request.h"

typedef struct bb_modbus_response {
  const uint8_t
      *data;         /* of functions 1 to 4 the values, of 8 its data, else NULL; lies in the PDU */
  uint16_t data_len; /* bytes */
} bb_modbus_response;

/* Length in bytes of the PDU that answers the request as asked; 0 if its function is not known. Of
 * diagnostics: if as much comes back as was sent. */
size_t bb_modbus_response_len(const bb_modbus_request *request);

/*
 * Packs the answer to a request that bb_modbus_request_unpack let pass; `out` needs
 * BB_MODBUS_PDU_MAX bytes. `data`: what functions 1 to 4 and 8 return; for the others NULL and 0.
 * Returns the length, BB_ERR_INVALID if data_len does not fit the request, or an error of
 * bb_modbus_request_pack if the request itself is wrong.
 */
int bb_modbus_response_pack(uint8_t *out, const bb_modbus_request *request, const uint8_t *data,
                            size_t data_len);

/* Packs a refusal, two bytes, and returns 2. */
int bb_modbus_exception_pack(uint8_t *out, uint8_t function, uint8_t exception);

/*
 * Unpacks the answer to `request` and checks it against it: function, byte count for the quantity,
 * what a write repeats. Bits behind the last coil are not looked at. Returns
 *   0              as asked; `out` is set
 *   above 0        the exception code with which the device refused, 1 to 255, known or not
 *   BB_ERR_FORMAT  not an answer to this request
 */
int bb_modbus_response_unpack(bb_modbus_response *out, const bb_modbus_request *request,
                              const uint8_t *pdu, size_t len);

#endif
