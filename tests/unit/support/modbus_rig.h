/* SPDX-License-Identifier: Apache-2.0 */
/* The driver modbus-tcp against a scripted peer on one loop: what its tests begin and end with. */
#ifndef BB_TEST_MODBUS_RIG_H
#define BB_TEST_MODBUS_RIG_H

#include "support/driver_host.h"
#include "support/modbus_peer.h"

#include "base/err.h"
#include "drivers/modbus/modbus.h"
#include "model/quality.h"

#define RIG_GOOD BB_QUALITY_GOOD
#define RIG_BAD(cause) (BB_QUALITY_BAD | BB_CAUSE_##cause)

typedef struct modbus_rig {
  modbus_peer peer;
  driver_host host;
  driver_conn conn;
  driver_device device;
  bb_profile *profile;
} modbus_rig;

/* Three registers: a at 10, b at 11, far at 100, so that a poll is two reads. */
extern const char modbus_rig_profile[];

/* Makes host, peer, profile, and a connection with `options` beside host and port, such as
 * ", timeout: 50ms", and one device, unit 1. The peer may be set up before. */
void modbus_rig_open(modbus_rig *rig, const char *options, const char *profile);
void modbus_rig_close(modbus_rig *rig);

/* Ends what modbus_rig_open began for the driver; the peer goes on. */
void modbus_rig_close_driver(modbus_rig *rig);

#endif
