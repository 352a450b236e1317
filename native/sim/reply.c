/* SPDX-License-Identifier: Apache-2.0 */
/* See reply.h. */
#include "sim/reply.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/modbus/mbap.h"
#include "wire/modbus/response.h"
#include "wire/modbus/rtu.h"

#define OVERSIZE 0x1000 /* far above the 254 that a length may be */

size_t bb_sim_head_len(const bb_sim_head *head) {
  return head->rtu ? BB_MODBUS_RTU_HEAD : BB_MODBUS_MBAP_LEN;
}

static int32_t space_of(uint8_t function) {
  switch (function) {
  case BB_MODBUS_READ_COILS:
  case BB_MODBUS_WRITE_SINGLE_COIL:
  case BB_MODBUS_WRITE_MULTIPLE_COILS:
    return BB_SPACE_COIL;
  case BB_MODBUS_READ_DISCRETE_INPUTS:
    return BB_SPACE_DISCRETE;
  case BB_MODBUS_READ_INPUT_REGISTERS:
    return BB_SPACE_INPUT;
  case BB_MODBUS_DIAGNOSTICS:
    return BB_FAULT_ANY;
  default:
    return BB_SPACE_HOLDING;
  }
}

void bb_sim_reply_describe(const bb_modbus_request *request, bb_fault_request *out) {
  out->space = space_of(request->function);
  out->first = request->address;
  out->n = request->quantity;
}

/* The answer to a read: 0 and its data, or the exception. */
static int read_data(bb_registers *registers, const bb_modbus_request *request, int64_t utc_ns,
                     uint8_t *out, size_t *len) {
  uint8_t bits[BB_MODBUS_READ_BITS_MAX];
  bb_space space = (bb_space)space_of(request->function);
  *len = bb_modbus_data_bytes(request->function, request->quantity);
  if (bb_register_bytes(space) == 2) {
    return bb_registers_read(registers, space, request->address, request->quantity, utc_ns, out);
  }
  int exception =
      bb_registers_read(registers, space, request->address, request->quantity, utc_ns, bits);
  if (exception != 0) return exception;
  memset(out, 0, *len);
  for (uint32_t i = 0; i < request->quantity; i++) {
    if (bits[i] != 0) out[i / 8] = (uint8_t)(out[i / 8] | 1u << i % 8);
  }
  return 0;
}

/* 0 or the exception. */
static int write_data(bb_registers *registers, const bb_modbus_request *request) {
  uint8_t bits[BB_MODBUS_WRITE_BITS_MAX];
  bb_space space = (bb_space)space_of(request->function);
  if (request->function == BB_MODBUS_MASK_WRITE_REGISTER) {
    return bb_registers_mask(registers, request->address, request->and_mask, request->or_mask);
  }
  if (space == BB_SPACE_HOLDING) {
    return bb_registers_write(registers, space, request->address, request->quantity, request->data);
  }
  for (uint32_t i = 0; i < request->quantity; i++) bits[i] = request->data[i / 8] >> i % 8 & 1;
  return bb_registers_write(registers, space, request->address, request->quantity, bits);
}

size_t bb_sim_reply_pdu(bb_registers *registers, const bb_modbus_request *request, int64_t utc_ns,
                        uint8_t *pdu) {
  uint8_t bytes[BB_MODBUS_PDU_MAX];
  const uint8_t *data = NULL;
  size_t len = 0;
  int exception = 0;
  switch (request->function) {
  case BB_MODBUS_READ_COILS:
  case BB_MODBUS_READ_DISCRETE_INPUTS:
  case BB_MODBUS_READ_HOLDING_REGISTERS:
  case BB_MODBUS_READ_INPUT_REGISTERS:
    data = bytes;
    exception = read_data(registers, request, utc_ns, bytes, &len);
    break;
  case BB_MODBUS_DIAGNOSTICS:
    if (request->address != BB_MODBUS_QUERY_DATA) exception = BB_MODBUS_ILLEGAL_FUNCTION;
    data = request->data;
    len = request->data_len;
    break;
  default:
    exception = write_data(registers, request);
  }
  int packed = exception == 0 ? bb_modbus_response_pack(pdu, request, data, len) : exception;
  if (exception != 0) packed = bb_modbus_exception_pack(pdu, request->function, (uint8_t)exception);
  return (size_t)packed;
}

static size_t pack_frame(uint8_t *frame, const bb_sim_head *head, size_t pdu_len) {
  return head->rtu ? bb_modbus_rtu_pack(frame, head->unit, pdu_len)
                   : bb_modbus_mbap_pack(frame, head->transaction, head->unit, pdu_len);
}

size_t bb_sim_reply_frame(uint8_t *frame, const bb_sim_head *head, size_t pdu_len,
                          const bb_fault_plan *plan) {
  bb_sim_head own = *head;
  uint8_t *pdu = frame + bb_sim_head_len(head);
  if (plan->wrong_transaction) own.transaction = (uint16_t)(own.transaction + 0x1111);
  if (plan->foreign_unit) own.unit++;
  if (plan->wrong_function) pdu[0] ^= 1;
  if (plan->short_frame) pdu_len -= pdu_len > 3 ? 2 : 1;
  size_t len = pack_frame(frame, &own, pdu_len);
  if (plan->oversize && !head->rtu) bb_put_be16(frame + 4, OVERSIZE);
  if (plan->oversize && head->rtu) pdu[1] = 0xff; /* the byte count of a read */
  if (plan->cut) {
    size_t keep = plan->cut_bytes > 0 ? plan->cut_bytes : len / 2;
    if (keep < len) len = keep;
  }
  return len;
}
