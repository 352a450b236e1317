/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `mqtt` between a host (sink_host.h) and a real broker, which a test starts with the lines
 * that it needs. */
#ifndef BB_TEST_MQTT_SINK_RIG_H
#define BB_TEST_MQTT_SINK_RIG_H

#include <uv.h>

#include "support/broker.h"
#include "support/sample.h"
#include "support/sink_host.h"

typedef struct mqtt_sink_rig {
  uv_loop_t loop;
  broker broker;
  subscriber subscriber;
  sink_host host;
  unsigned calls; /* of on_verdict */
  bb_device *device;
  sample fast; /* good, bad and absent points */
  sample big;  /* a text of 239 bytes */
} mqtt_sink_rig;

/* Of each test; *state is the rig. Nothing may be left on the loop at the end. */
int mqtt_sink_rig_set_up(void **state);
int mqtt_sink_rig_tear_down(void **state);

/* As the client "box"; `more`: lines of the options, each with a newline behind. */
void mqtt_sink_rig_open(mqtt_sink_rig *f, const char *more);

/* The result of deliver. */
int mqtt_sink_rig_deliver(mqtt_sink_rig *f, uint64_t ticket, const bb_batch *batches, uint32_t n,
                          bool history);

/* The next message of the subscriber: "<retained> <qos> <topic> <payload>". */
void mqtt_sink_rig_expect_next(mqtt_sink_rig *f, const char *row, const char *expected);

/* The ticket has had this verdict, and no other one. */
void mqtt_sink_rig_expect(const mqtt_sink_rig *f, const char *row, unsigned ticket,
                          bb_verdict verdict);

#endif
