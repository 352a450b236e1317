/* SPDX-License-Identifier: Apache-2.0 */
/* See request.h. */
#include "wire/modbus/request.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

static int check_range(const bb_modbus_request *request) {
  if (request->quantity == 0) return BB_ERR_RANGE;
  if (request->quantity > bb_modbus_quantity_max(request->function)) return BB_ERR_RANGE;
  if (request->address + (uint32_t)request->quantity > BB_MODBUS_ADDRESSES) return BB_ERR_RANGE;
  return 0;
}

static bool carries_values(uint8_t function) {
  return function == BB_MODBUS_WRITE_SINGLE_COIL || function == BB_MODBUS_WRITE_SINGLE_REGISTER ||
         function == BB_MODBUS_WRITE_MULTIPLE_COILS ||
         function == BB_MODBUS_WRITE_MULTIPLE_REGISTERS;
}

static bool diagnostic_fits(size_t data_len) {
  return data_len > 0 && data_len <= BB_MODBUS_DIAGNOSTIC_MAX && data_len % 2 == 0;
}

static int check_request(const bb_modbus_request *request) {
  uint8_t function = request->function;
  if (bb_modbus_function_name(function) == NULL) return BB_ERR_UNSUPPORTED;
  if (function == BB_MODBUS_DIAGNOSTICS) {
    return diagnostic_fits(request->data_len) ? 0 : BB_ERR_INVALID;
  }
  int err = check_range(request);
  if (err < 0) return err;
  size_t expected = bb_modbus_data_bytes(function, request->quantity);
  return carries_values(function) && request->data_len != expected ? BB_ERR_INVALID : 0;
}

/* Bits behind the last coil are zeros (AP 6.11). */
static void clear_padding(uint8_t *last, uint16_t quantity) {
  if (quantity % 8 != 0) *last &= (uint8_t)((1u << quantity % 8) - 1);
}

static int pack_multiple(uint8_t *out, const bb_modbus_request *request) {
  bb_put_be16(out + 3, request->quantity);
  out[5] = (uint8_t)request->data_len;
  memcpy(out + 6, request->data, request->data_len);
  if (request->function == BB_MODBUS_WRITE_MULTIPLE_COILS) {
    clear_padding(out + 5 + request->data_len, request->quantity);
  }
  return 6 + request->data_len;
}

int bb_modbus_request_pack(uint8_t *out, const bb_modbus_request *request) {
  int err = check_request(request);
  if (err < 0) return err;
  out[0] = request->function;
  bb_put_be16(out + 1, request->address);
  switch (request->function) {
  case BB_MODBUS_WRITE_SINGLE_COIL:
    bb_put_be16(out + 3, (request->data[0] & 1) != 0 ? 0xff00 : 0);
    return 5;
  case BB_MODBUS_WRITE_SINGLE_REGISTER:
    memcpy(out + 3, request->data, 2);
    return 5;
  case BB_MODBUS_DIAGNOSTICS:
    memcpy(out + 3, request->data, request->data_len);
    return 3 + request->data_len;
  case BB_MODBUS_WRITE_MULTIPLE_COILS:
  case BB_MODBUS_WRITE_MULTIPLE_REGISTERS:
    return pack_multiple(out, request);
  case BB_MODBUS_MASK_WRITE_REGISTER:
    bb_put_be16(out + 3, request->and_mask);
    bb_put_be16(out + 5, request->or_mask);
    return 7;
  }
  bb_put_be16(out + 3, request->quantity); /* the functions that read */
  return 5;
}

/* The data of a request of a known function, its length already right. False: a wrong value. */
static bool unpack_data(bb_modbus_request *out, const uint8_t *pdu, size_t len) {
  switch (out->function) {
  case BB_MODBUS_WRITE_SINGLE_COIL:
    out->data = pdu + 3;
    out->data_len = 1;
    return pdu[4] == 0 && (pdu[3] == 0 || pdu[3] == 0xff);
  case BB_MODBUS_WRITE_SINGLE_REGISTER:
    out->data = pdu + 3;
    out->data_len = 2;
    return true;
  case BB_MODBUS_DIAGNOSTICS:
    out->data = pdu + 3;
    out->data_len = (uint16_t)(len - 3);
    return true;
  case BB_MODBUS_MASK_WRITE_REGISTER:
    out->and_mask = bb_get_be16(pdu + 3);
    out->or_mask = bb_get_be16(pdu + 5);
    return true;
  case BB_MODBUS_WRITE_MULTIPLE_COILS:
  case BB_MODBUS_WRITE_MULTIPLE_REGISTERS:
    out->data = pdu + 6;
    out->data_len = (uint16_t)(len - 6);
    out->quantity = bb_get_be16(pdu + 3);
    return out->data_len == bb_modbus_data_bytes(out->function, out->quantity);
  }
  out->quantity = bb_get_be16(pdu + 3);
  return true;
}

static bool length_fits(uint8_t function, const uint8_t *pdu, size_t len) {
  switch (function) {
  case BB_MODBUS_DIAGNOSTICS:
    return len > 3 && diagnostic_fits(len - 3);
  case BB_MODBUS_WRITE_MULTIPLE_COILS:
  case BB_MODBUS_WRITE_MULTIPLE_REGISTERS:
    return len > 6 && len == 6u + pdu[5];
  case BB_MODBUS_MASK_WRITE_REGISTER:
    return len == 7;
  }
  return len == 5;
}

int bb_modbus_request_unpack(bb_modbus_request *out, const uint8_t *pdu, size_t len) {
  if (len == 0 || len > BB_MODBUS_PDU_MAX) return BB_ERR_FORMAT;
  uint8_t function = pdu[0];
  if (function == 0 || function >= BB_MODBUS_EXCEPTION) return BB_ERR_FORMAT;
  *out = (bb_modbus_request){.function = function};
  if (bb_modbus_function_name(function) == NULL) return BB_MODBUS_ILLEGAL_FUNCTION;
  if (!length_fits(function, pdu, len)) return BB_MODBUS_ILLEGAL_DATA_VALUE;
  bb_modbus_request request = {
      .function = function, .address = bb_get_be16(pdu + 1), .quantity = 1};
  if (!unpack_data(&request, pdu, len)) return BB_MODBUS_ILLEGAL_DATA_VALUE;
  if (function != BB_MODBUS_DIAGNOSTICS && check_range(&request) < 0) {
    bool fits = request.quantity > 0 && request.quantity <= bb_modbus_quantity_max(function);
    return fits ? BB_MODBUS_ILLEGAL_DATA_ADDRESS : BB_MODBUS_ILLEGAL_DATA_VALUE;
  }
  *out = request;
  return 0;
}
