/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a TCP stream of Modbus frames, taken apart one after the other. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/modbus/mbap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth) {
  if (!truth) abort();
}

static void check_frame(const bb_modbus_mbap *frame, const uint8_t *bytes, size_t len) {
  uint8_t out[BB_MODBUS_TCP_MAX];
  bb_modbus_mbap again;
  check(len <= BB_MODBUS_TCP_MAX && frame->pdu + frame->pdu_len == bytes + len);
  for (size_t cut = 0; cut < len; cut++) check(bb_modbus_mbap_unpack(&again, bytes, cut) == 0);
  memcpy(out + BB_MODBUS_MBAP_LEN, frame->pdu, frame->pdu_len);
  check(bb_modbus_mbap_pack(out, frame->transaction, frame->unit, frame->pdu_len) == len);
  check(memcmp(out, bytes, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  for (;;) {
    bb_modbus_mbap frame;
    int used = bb_modbus_mbap_unpack(&frame, data, size);
    check(used >= 0 || used == BB_ERR_FORMAT);
    if (used <= 0) return 0;
    check((size_t)used <= size);
    check_frame(&frame, data, (size_t)used);
    data += used;
    size -= (size_t)used;
  }
}
