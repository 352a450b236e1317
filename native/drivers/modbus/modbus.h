/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Modbus drivers: TCP (also RTU framing over TCP), our own asynchronous client, and RTU on a
 * serial line, by libmodbus on a thread of its own. Both put polls and writes through the same code:
 *
 *   device   a device attached to a connection: its plans, polls and writes
 *   plan     which reads bring the points of a scan
 *   read     one poll          write   one command
 *   hint     a word in the log about a profile whose points lie in the other table
 *   line     the requests of one connection: whose turn it is, what is under way, what is late
 *   breaker  keeps dead units from taking the line
 *   tcp, rtu the wire
 *
 * on_device tells of the first answer too. A device that is attached to a unit which is known not to
 * answer hears of that with the next probe.
 *
 * A poll may end inside bb_driver.poll, and a detach inside bb_driver.detach: when the connection is
 * down, or the unit does not answer, on_batch (all points bad, with the cause) and on_poll_done come
 * before poll returns. Functions of the driver may be called from every callback of the host.
 */
#ifndef BB_DRIVERS_MODBUS_MODBUS_H
#define BB_DRIVERS_MODBUS_MODBUS_H

#include "plug/driver.h"

extern const bb_driver bb_driver_modbus_tcp;
extern const bb_driver bb_driver_modbus_rtu;

#endif
