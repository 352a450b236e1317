/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the PDU of a request, at a server. What passes is packed again and must be the same,
 * the bits behind the last coil aside. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/modbus/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth) {
  if (!truth) abort();
}

/* The server's answer must be one for the client. */
static void answer(const bb_modbus_request *request) {
  static const uint8_t zeros[BB_MODBUS_PDU_MAX];
  uint8_t out[BB_MODBUS_PDU_MAX];
  bb_modbus_response response;
  size_t expected = bb_modbus_response_len(request);
  const uint8_t *data = request->function == BB_MODBUS_DIAGNOSTICS ? request->data : zeros;
  size_t len = request->function <= BB_MODBUS_READ_INPUT_REGISTERS ? expected - 2 : 0;
  if (request->function == BB_MODBUS_DIAGNOSTICS) len = request->data_len;
  check(bb_modbus_response_pack(out, request, data, len) == (int)expected);
  check(bb_modbus_response_unpack(&response, request, out, expected) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bb_modbus_request request, again;
  uint8_t out[BB_MODBUS_PDU_MAX];
  int result = bb_modbus_request_unpack(&request, data, size);
  check(result >= 0 || result == BB_ERR_FORMAT);
  if (result > 0) check(bb_modbus_exception_name((uint8_t)result) != NULL);
  if (result != 0) return 0;
  check(bb_modbus_request_pack(out, &request) == (int)size);
  if (request.function != BB_MODBUS_WRITE_MULTIPLE_COILS) check(memcmp(out, data, size) == 0);
  check(bb_modbus_request_unpack(&again, out, size) == 0);
  check(again.function == request.function && again.address == request.address);
  check(again.quantity == request.quantity && again.data_len == request.data_len);
  answer(&request);
  return 0;
}
