/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A word to whoever wrote a profile for the wrong table. Many devices know either holding registers
 * (function 3) or input registers (function 4), and refuse every read of the others.
 *
 * Where a device has refused all that it was asked for (exceptions 1 and 2) since it was attached,
 * in every scan, one point is asked for in the other table. If that is answered, the log says so,
 * once. No value is ever taken from there. At most one such request a connection, none once a device
 * has given any value or has taken a write.
 */
#ifndef BB_DRIVERS_MODBUS_HINT_H
#define BB_DRIVERS_MODBUS_HINT_H

#include "drivers/modbus/line.h"

struct bb_modbus_device;

typedef struct bb_modbus_hint {
  /* private */
  bb_modbus_job job; /* first */
  struct bb_modbus_device *device;
  uint16_t point; /* that is asked for: place in the profile */
  bool asked;     /* on this connection */
  bool told;
} bb_modbus_hint;

/* The device has its unit. */
void bb_modbus_hint_init(bb_modbus_hint *hint, struct bb_modbus_device *device);

/* A poll has ended in which everything was refused. Inside enter and leave. */
void bb_modbus_hint_consider(bb_modbus_hint *hint);

/* The connection is new: it may ask once more. */
void bb_modbus_hint_renew(bb_modbus_hint *hint);

/* The device leaves. */
void bb_modbus_hint_close(bb_modbus_hint *hint);

#endif
