/* SPDX-License-Identifier: Apache-2.0 */
/* See modbus_rig.h. */
#include "support/modbus_rig.h"

#include <stdio.h>
#include <string.h>

#include "support/expect.h"
#include "support/profile.h"

const char modbus_rig_profile[] = "profile: 1\n"
                                  "id: x\n"
                                  "points:\n"
                                  "  - { name: a, type: uint16, holding: 10 }\n"
                                  "  - { name: b, type: uint16, holding: 11 }\n"
                                  "  - { name: far, type: uint16, holding: 100 }\n";

void modbus_rig_open(modbus_rig *rig, const char *options, const char *profile) {
  char all[256];
  driver_host_init(&rig->host);
  modbus_peer_open(&rig->peer, &rig->host.loop);
  rig->profile = profile_of(profile);
  snprintf(all, sizeof(all), "{host: 127.0.0.1, port: %u%s}", rig->peer.port, options);
  expect_int("open", driver_conn_open(&rig->conn, &rig->host, &bb_driver_modbus_tcp, "mdb-a", all),
             0);
  expect_int("attach",
             driver_device_attach(&rig->device, &rig->conn, "meter-1", rig->profile, "{}"), 0);
}

void modbus_rig_close_driver(modbus_rig *rig) {
  driver_device_detach(&rig->device);
  driver_conn_close(&rig->conn);
}

void modbus_rig_close(modbus_rig *rig) {
  modbus_rig_close_driver(rig);
  modbus_peer_close(&rig->peer);
  driver_host_close(&rig->host);
  bb_profile_unref(rig->profile);
}
