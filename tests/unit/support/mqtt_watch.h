/* SPDX-License-Identifier: Apache-2.0 */
/* An MQTT client on a loop, and what it was told: for the tests of io/mqtt. */
#ifndef BB_TEST_MQTT_WATCH_H
#define BB_TEST_MQTT_WATCH_H

#include <uv.h>

#include "io/mqtt.h"

#define MQTT_WATCH_TAGS 100000

typedef struct mqtt_watch {
  /* public: before open */
  const char *user;
  const char *password;
  const char *key_password;
  bb_mqtt_message will;
  const char *refuse_login; /* why there is no login; NULL: there is one */
  /* read-only */
  bb_mqtt mqtt;
  unsigned ups, downs;
  bool closed;
  bb_mqtt_fault fault;           /* the last one */
  uint8_t ends[MQTT_WATCH_TAGS]; /* of each tag */
  bb_mqtt_done last;
  uint64_t last_ns;
  uint32_t n_ended, n_ok, n_closed, n_refused, n_calls;
} mqtt_watch;

/* A loop for the whole test. */
void mqtt_watch_setup(uv_loop_t *loop);
void mqtt_watch_teardown(uv_loop_t *loop); /* fails when something is left on it */

/* Where they are missing: 127.0.0.1, a client id, and short delays before the next try. */
void mqtt_watch_open(mqtt_watch *w, uv_loop_t *loop, bb_mqtt_config config);
void mqtt_watch_close(mqtt_watch *w, uv_loop_t *loop);

/* Runs the loop until the number is reached; fails the test after 15 s. */
void mqtt_watch_until(uv_loop_t *loop, const char *what, const unsigned *number, unsigned at_least);
void mqtt_watch_until_up(mqtt_watch *w, uv_loop_t *loop);
void mqtt_watch_run(uv_loop_t *loop, uint64_t ms);

/* Publishes n messages with the tags first.., in bursts. Fails the test when they are not taken. */
void mqtt_watch_publish(mqtt_watch *w, uint32_t first, uint32_t n, uint8_t qos);

/* Each of these tags has ended exactly once. */
void mqtt_watch_expect_once(const mqtt_watch *w, uint32_t first, uint32_t n);

#endif
