/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Modbus connection over a serial line: the line of line.h above, the thread of rtu_thread.h below.
 * The port is opened by the thread, at once and, when that fails or the port goes away (an adapter
 * that is unplugged), again with a back-off up to reconnect_max. Time-outs are the thread's.
 */
#ifndef BB_DRIVERS_MODBUS_RTU_H
#define BB_DRIVERS_MODBUS_RTU_H

#include <uv.h>

#include "drivers/modbus/line.h"
#include "drivers/modbus/rtu_thread.h"
#include "io/backoff.h"

typedef enum bb_modbus_rtu_state {
  BB_MODBUS_RTU_SHUT,    /* until retry_ns */
  BB_MODBUS_RTU_OPENING, /* with the thread */
  BB_MODBUS_RTU_READY,
  BB_MODBUS_RTU_CLOSING, /* the thread closes what does not work any more */
  BB_MODBUS_RTU_ENDED,   /* by bb_driver.close */
} bb_modbus_rtu_state;

typedef struct bb_modbus_rtu_line {
  /* private */
  bb_modbus_line line; /* first */
  bb_modbus_rtu_options options;
  bb_modbus_thread thread;
  uv_timer_t timer;
  bb_backoff backoff;
  uint64_t timer_ns; /* when the timer fires; 0: it is not armed */
  uint64_t retry_ns;
  uint8_t state;  /* bb_modbus_rtu_state */
  uint8_t n_ends; /* of timer and thread, still to come */
} bb_modbus_rtu_line;

#endif
