/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a serial stream. The lowest bit of the first byte says whether of requests or of
 * responses; the next one asks for a CRC behind the rest, because none is hit by chance. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "wire/modbus/rtu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth) {
  if (!truth) abort();
}

static int unpack(bb_modbus_rtu *frame, int asks, const uint8_t *bytes, size_t len) {
  return asks ? bb_modbus_rtu_unpack_request(frame, bytes, len)
              : bb_modbus_rtu_unpack_response(frame, bytes, len);
}

static void check_frame(const bb_modbus_rtu *frame, int asks, const uint8_t *bytes, size_t len) {
  uint8_t out[BB_MODBUS_RTU_MAX];
  bb_modbus_rtu again;
  check(len <= BB_MODBUS_RTU_MAX && frame->pdu_len <= BB_MODBUS_PDU_MAX);
  for (size_t cut = 0; cut < len; cut++) check(unpack(&again, asks, bytes, cut) == 0);
  memcpy(out + BB_MODBUS_RTU_HEAD, frame->pdu, frame->pdu_len);
  check(bb_modbus_rtu_pack(out, frame->unit, frame->pdu_len) == len);
  check(memcmp(out, bytes, len) == 0);
}

static void read_stream(int asks, const uint8_t *bytes, size_t len) {
  for (;;) {
    bb_modbus_rtu frame;
    int used = unpack(&frame, asks, bytes, len);
    check(used >= 0 || used == BB_ERR_FORMAT || used == BB_ERR_INVALID);
    if (used <= 0) return;
    check((size_t)used <= len);
    check_frame(&frame, asks, bytes, (size_t)used);
    bytes += used;
    len -= (size_t)used;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  int asks = data[0] & 1, sealed = data[0] >> 1 & 1;
  size_t len = size - 1;
  uint8_t *stream = malloc(len + BB_MODBUS_CRC_LEN);
  if (stream == NULL) return 0;
  memcpy(stream, data + 1, len);
  bb_put_le16(stream + len, bb_modbus_crc(stream, len));
  read_stream(asks, stream, sealed ? len + BB_MODBUS_CRC_LEN : len);
  free(stream);
  return 0;
}
