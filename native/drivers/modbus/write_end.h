/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of a command, in words; private to the write. Each gives the command back to the host,
 * and the write is gone afterwards. */
#ifndef BB_DRIVERS_MODBUS_WRITE_END_H
#define BB_DRIVERS_MODBUS_WRITE_END_H

#include "drivers/modbus/write.h"

/* All of it is written. */
void bb_modbus_write_confirm(bb_modbus_write *write);

/* Its time was over before anything was sent. */
void bb_modbus_write_expire(bb_modbus_write *write);

/* The device answered with an exception. */
void bb_modbus_write_refuse(bb_modbus_write *write, uint8_t exception);

/* The value of the command's point `i` cannot be sent. */
void bb_modbus_write_unfit(bb_modbus_write *write, uint16_t i, int err);

/* The command's point `i` was taken, but reads otherwise. */
void bb_modbus_write_differ(bb_modbus_write *write, uint16_t i);

/* No answer, or no connection. */
void bb_modbus_write_fail(bb_modbus_write *write, int status);

#endif
