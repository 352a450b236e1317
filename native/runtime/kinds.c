/* SPDX-License-Identifier: Apache-2.0 */
/* See kinds.h. */
#include "runtime/kinds.h"

#include <string.h>

#include "drivers/external/external.h"
#include "drivers/modbus/modbus.h"
#include "sinks/influxdb/influxdb.h"
#include "sinks/mqtt/mqtt.h"

static const bb_driver *const drivers[] = {
    &bb_driver_modbus_tcp,
    &bb_driver_modbus_rtu,
    &bb_driver_external,
    NULL,
};

static const bb_sink_kind *const sinks[] = {
    &bb_sink_mqtt,
    &bb_sink_influxdb,
    NULL,
};

const bb_kinds bb_kinds_all = {drivers, sinks};

const bb_driver *bb_kinds_driver(const bb_kinds *kinds, const char *kind) {
  for (const bb_driver *const *driver = kinds->drivers; *driver != NULL; driver++) {
    if (strcmp((*driver)->kind, kind) == 0) return *driver;
  }
  return NULL;
}

const bb_sink_kind *bb_kinds_sink(const bb_kinds *kinds, const char *kind) {
  for (const bb_sink_kind *const *sink = kinds->sinks; *sink != NULL; sink++) {
    if (strcmp((*sink)->kind, kind) == 0) return *sink;
  }
  return NULL;
}
