/* SPDX-License-Identifier: Apache-2.0 */
/* See modbus_meter.h. */
#include "support/modbus_meter.h"

#include <stdio.h>

#include "drivers/modbus/modbus.h"
#include "support/expect.h"
#include "support/profile.h"

void modbus_meter_open(modbus_meter *m, const char *options, const char *profile) {
  char all[256];
  modbus_server_open_tcp(&m->server);
  driver_host_init(&m->host);
  m->profile = profile_of(profile);
  snprintf(all, sizeof(all), "{host: 127.0.0.1, port: %u%s}", m->server.port, options);
  expect_int("open", driver_conn_open(&m->conn, &m->host, &bb_driver_modbus_tcp, "c", all), 0);
  expect_int("attach", driver_device_attach(&m->device, &m->conn, "meter-1", m->profile, "{}"), 0);
}

void modbus_meter_close(modbus_meter *m) {
  driver_device_detach(&m->device);
  driver_conn_close(&m->conn);
  driver_host_close(&m->host);
  bb_profile_unref(m->profile);
  modbus_server_close(&m->server);
}
