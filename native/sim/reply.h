/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to the bytes of its answer, right or spoilt. Pure. */
#ifndef BB_SIM_REPLY_H
#define BB_SIM_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/fault.h"
#include "sim/registers.h"
#include "wire/modbus/request.h"

/* Room for any frame. */
#define BB_SIM_FRAME_MAX BB_MODBUS_TCP_MAX

/* What a frame bears besides its PDU. */
typedef struct bb_sim_head {
  bool rtu;
  uint8_t unit;
  uint16_t transaction; /* not with RTU */
} bb_sim_head;

/* Where the PDU stands in a frame. */
size_t bb_sim_head_len(const bb_sim_head *head);

/* The request's addresses, as faults look at them; no space for diagnostics. */
void bb_sim_reply_describe(const bb_modbus_request *request, bb_fault_request *out);

/*
 * Does what the request asks and packs its answer, or the exception that refuses it, into `pdu`
 * (BB_MODBUS_PDU_MAX bytes). Returns the length.
 */
size_t bb_sim_reply_pdu(bb_registers *registers, const bb_modbus_request *request, int64_t utc_ns,
                        uint8_t *pdu);

/*
 * Puts the PDU that stands in `frame` behind the head's length into its frame, and spoils what the
 * plan says of the bytes: ids, function, lengths. Returns the length of what is to be sent.
 */
size_t bb_sim_reply_frame(uint8_t *frame, const bb_sim_head *head, size_t pdu_len,
                          const bb_fault_plan *plan);

#endif
