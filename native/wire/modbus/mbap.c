/* SPDX-License-Identifier: Apache-2.0 */
/* See mbap.h. */
#include "wire/modbus/mbap.h"

#include <assert.h>

#include "base/bytes.h"
#include "base/err.h"

#define LENGTH_END 6 /* the length counts what stands behind it */

size_t bb_modbus_mbap_pack(uint8_t *frame, uint16_t transaction, uint8_t unit, size_t pdu_len) {
  assert(pdu_len > 0 && pdu_len <= BB_MODBUS_PDU_MAX);
  bb_put_be16(frame, transaction);
  bb_put_be16(frame + 2, 0);
  bb_put_be16(frame + 4, (uint16_t)(1 + pdu_len));
  frame[6] = unit;
  return BB_MODBUS_MBAP_LEN + pdu_len;
}

int bb_modbus_mbap_unpack(bb_modbus_mbap *out, const uint8_t *bytes, size_t len) {
  if (len >= 4 && bb_get_be16(bytes + 2) != 0) return BB_ERR_FORMAT;
  if (len < LENGTH_END) return 0;
  size_t counted = bb_get_be16(bytes + 4);
  if (counted < 2 || counted > 1 + BB_MODBUS_PDU_MAX) return BB_ERR_FORMAT;
  if (len < LENGTH_END + counted) return 0;
  *out = (bb_modbus_mbap){
      .transaction = bb_get_be16(bytes),
      .unit = bytes[6],
      .pdu = bytes + BB_MODBUS_MBAP_LEN,
      .pdu_len = counted - 1,
  };
  return (int)(LENGTH_END + counted);
}
