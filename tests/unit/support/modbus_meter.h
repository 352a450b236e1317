/* SPDX-License-Identifier: Apache-2.0 */
/* A server of libmodbus on a thread of its own, and the driver modbus-tcp with one device of it. */
#ifndef BB_TEST_MODBUS_METER_H
#define BB_TEST_MODBUS_METER_H

#include "support/driver_host.h"
#include "support/modbus_server.h"

typedef struct modbus_meter {
  modbus_server server;
  driver_host host;
  driver_conn conn;
  driver_device device;
  bb_profile *profile;
} modbus_meter;

/* `options` of the connection beside host and port, such as ", max_in_flight: 4". */
void modbus_meter_open(modbus_meter *m, const char *options, const char *profile);
void modbus_meter_close(modbus_meter *m);

#endif
