/* SPDX-License-Identifier: Apache-2.0 */
/* See response.h. */
#include "wire/modbus/response.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

static bool reads(uint8_t function) {
  return function >= BB_MODBUS_READ_COILS && function <= BB_MODBUS_READ_INPUT_REGISTERS;
}

/* The answer to a write, at most 7 bytes: all of it is known beforehand. Its length or an error. */
static int pack_echo(uint8_t *out, const bb_modbus_request *request) {
  if (request->function != BB_MODBUS_WRITE_MULTIPLE_COILS &&
      request->function != BB_MODBUS_WRITE_MULTIPLE_REGISTERS) {
    return bb_modbus_request_pack(out, request);
  }
  out[0] = request->function;
  bb_put_be16(out + 1, request->address);
  bb_put_be16(out + 3, request->quantity);
  return 5;
}

size_t bb_modbus_response_len(const bb_modbus_request *request) {
  switch (request->function) {
  case BB_MODBUS_READ_COILS:
  case BB_MODBUS_READ_DISCRETE_INPUTS:
  case BB_MODBUS_READ_HOLDING_REGISTERS:
  case BB_MODBUS_READ_INPUT_REGISTERS:
    return 2 + bb_modbus_data_bytes(request->function, request->quantity);
  case BB_MODBUS_DIAGNOSTICS:
    return 3 + (size_t)request->data_len;
  case BB_MODBUS_MASK_WRITE_REGISTER:
    return 7;
  }
  return bb_modbus_function_name(request->function) != NULL ? 5 : 0;
}

static int pack_read(uint8_t *out, const bb_modbus_request *request, const uint8_t *data,
                     size_t data_len) {
  size_t expected = bb_modbus_data_bytes(request->function, request->quantity);
  if (data_len != expected || 2 + expected > BB_MODBUS_PDU_MAX) return BB_ERR_INVALID;
  out[0] = request->function;
  out[1] = (uint8_t)data_len;
  memcpy(out + 2, data, data_len);
  return (int)(2 + data_len);
}

int bb_modbus_response_pack(uint8_t *out, const bb_modbus_request *request, const uint8_t *data,
                            size_t data_len) {
  if (reads(request->function)) return pack_read(out, request, data, data_len);
  if (request->function != BB_MODBUS_DIAGNOSTICS) {
    return data_len == 0 ? pack_echo(out, request) : BB_ERR_INVALID;
  }
  if (data_len > BB_MODBUS_DIAGNOSTIC_MAX) return BB_ERR_INVALID;
  bb_modbus_request answer = *request;
  answer.data = data;
  answer.data_len = (uint16_t)data_len;
  return bb_modbus_request_pack(out, &answer);
}

int bb_modbus_exception_pack(uint8_t *out, uint8_t function, uint8_t exception) {
  out[0] = function | BB_MODBUS_EXCEPTION;
  out[1] = exception;
  return 2;
}

static int unpack_read(bb_modbus_response *out, const bb_modbus_request *request,
                       const uint8_t *pdu, size_t len) {
  size_t expected = bb_modbus_data_bytes(request->function, request->quantity);
  if (len < 2 || len != 2 + expected || pdu[1] != expected) return BB_ERR_FORMAT;
  *out = (bb_modbus_response){pdu + 2, (uint16_t)expected};
  return 0;
}

/* The data may be anything, but returned query data must be what was sent (AP 6.8.1). */
static int unpack_diagnostics(bb_modbus_response *out, const bb_modbus_request *request,
                              const uint8_t *pdu, size_t len) {
  if (len < 5 || len % 2 == 0 || len > BB_MODBUS_PDU_MAX) return BB_ERR_FORMAT;
  if (bb_get_be16(pdu + 1) != request->address) return BB_ERR_FORMAT;
  if (request->address == BB_MODBUS_QUERY_DATA) {
    bool same = len == 3u + request->data_len && memcmp(pdu + 3, request->data, len - 3) == 0;
    if (!same) return BB_ERR_FORMAT;
  }
  *out = (bb_modbus_response){pdu + 3, (uint16_t)(len - 3)};
  return 0;
}

int bb_modbus_response_unpack(bb_modbus_response *out, const bb_modbus_request *request,
                              const uint8_t *pdu, size_t len) {
  uint8_t function = request->function, echo[7];
  *out = (bb_modbus_response){NULL, 0};
  if (len == 0 || bb_modbus_function_name(function) == NULL) return BB_ERR_FORMAT;
  if (pdu[0] == (function | BB_MODBUS_EXCEPTION)) {
    return len == 2 && pdu[1] != 0 ? pdu[1] : BB_ERR_FORMAT;
  }
  if (pdu[0] != function) return BB_ERR_FORMAT;
  if (reads(function)) return unpack_read(out, request, pdu, len);
  if (function == BB_MODBUS_DIAGNOSTICS) return unpack_diagnostics(out, request, pdu, len);
  int echo_len = pack_echo(echo, request);
  return echo_len == (int)len && memcmp(pdu, echo, len) == 0 ? 0 : BB_ERR_FORMAT;
}
