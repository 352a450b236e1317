/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A serial port with Modbus RTU on it, by libmodbus. Everything here waits, so it belongs on the
 * thread of its line (rtu_thread.h).
 *
 * libmodbus sets the port up, frames and reads; its recovery flags stay off. Around it: the silence
 * between frames, waiting that another thread can end, and throwing away what is no answer: before
 * each request the input is emptied, and after a time-out or a broken frame not before the line has
 * been silent. libmodbus waits by select(), which ends the process with a descriptor of 1,024 or
 * more, so a high descriptor is moved to a reserved low one (io/low_fd.h).
 */
#ifndef BB_DRIVERS_MODBUS_RTU_PORT_H
#define BB_DRIVERS_MODBUS_RTU_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "drivers/modbus/options.h"
#include "wire/modbus/modbus.h"

typedef struct bb_modbus_port {
  /* public: set before open */
  const bb_modbus_rtu_options *options;
  int wake_fd; /* readable: whatever waits ends with BB_ERR_CLOSED */
  /* read-only */
  uint32_t discarded; /* frames that were thrown away since open */
  /* private */
  void *modbus; /* modbus_t; NULL: closed */
  bool unclean; /* something may still come in */
  uint64_t heard_ns;
} bb_modbus_port;

/* Opens it. 0, or a code of libuv with the sentence that says what to do in `words`. */
int bb_modbus_port_open(bb_modbus_port *port, char words[BB_MAX_REASON]);

/*
 * Sends `request` (unit and PDU) and waits for its answer, which has `expected` bytes of PDU unless
 * it is a refusal. Returns the length of the answer (unit and PDU) in `answer`; BB_ERR_TIMEOUT;
 * BB_ERR_FORMAT, a broken frame; BB_ERR_CLOSED; or a code of libuv: the port does not work any more.
 */
int bb_modbus_port_ask(bb_modbus_port *port, const uint8_t *request, size_t len, size_t expected,
                       uint8_t answer[BB_MODBUS_RTU_MAX]);

/* Harmless when it is closed. */
void bb_modbus_port_close(bb_modbus_port *port);

#endif
