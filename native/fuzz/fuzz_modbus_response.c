/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the PDU that answers a request. The first byte of the input is the request's length,
 * then comes the request, the rest is the answer. What passes is packed again and must be the same. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/modbus/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth) {
  if (!truth) abort();
}

static void answer(const bb_modbus_request *request, const uint8_t *pdu, size_t len) {
  bb_modbus_response response;
  uint8_t out[BB_MODBUS_PDU_MAX];
  int result = bb_modbus_response_unpack(&response, request, pdu, len);
  check(result <= 255 && (result >= 0 || result == BB_ERR_FORMAT));
  if (result > 0) {
    check(bb_modbus_exception_pack(out, request->function, (uint8_t)result) == (int)len);
  } else if (result == 0) {
    check(response.data == NULL || response.data + response.data_len == pdu + len);
    int packed = bb_modbus_response_pack(out, request, response.data, response.data_len);
    check(packed == (int)len);
  }
  if (result >= 0) check(memcmp(out, pdu, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bb_modbus_request request;
  if (size == 0 || data[0] > size - 1) return 0;
  if (bb_modbus_request_unpack(&request, data + 1, data[0]) != 0) return 0;
  size_t len = size - 1 - data[0];
  /* A copy, so that the sanitizer sees what is read before or behind it. */
  uint8_t *pdu = malloc(len > 0 ? len : 1);
  if (pdu == NULL) return 0;
  memcpy(pdu, data + 1 + data[0], len);
  answer(&request, pdu, len);
  free(pdu);
  return 0;
}
