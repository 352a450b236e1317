/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the sink `mqtt`, as they stand in the config document. */
#ifndef BB_SINKS_MQTT_OPTIONS_H
#define BB_SINKS_MQTT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/schema.h"
#include "sinks/mqtt/url.h"

#define BB_MQTT_MAX_CLIENT_ID 128

typedef enum bb_mqtt_payload_kind {
  BB_MQTT_PAYLOAD_BATCH,
  BB_MQTT_PAYLOAD_POINT,
} bb_mqtt_payload_kind;

/* Texts point into the document. NULL: not given. */
typedef struct bb_mqtt_options {
  const char *url;
  int version; /* bb_mqtt_version */
  const char *client_id;
  const char *user;
  const char *password_env, *password_file;
  const char *ca_file, *cert_file, *key_file;
  const char *key_password_env, *key_password_file;
  bool verify;
  const char *topic;
  int payload; /* bb_mqtt_payload_kind */
  uint32_t qos;
  bool retain;
  bool tags;
  uint32_t keepalive_ms;
  uint32_t connect_timeout_ms;
  uint32_t max_in_flight;
  uint32_t linger_ms;
  const char *state_topic;
  bb_mqtt_url broker; /* the url, parsed */
} bb_mqtt_options;

extern const bb_schema bb_mqtt_options_schema;

/* What the schema cannot say. 0 or BB_ERR_CONFIG (reported). */
int bb_mqtt_options_check(const bb_doc *doc, bb_report *report);

/* Of a checked document. */
void bb_mqtt_options_read(bb_mqtt_options *options, const bb_doc *doc);

/* "busbar-<sink id>-<8 hex digits>" where none is given: the digits stand for this machine and
 * site, and are the same with each start, so that no two boxes of one configuration push each other
 * out. */
void bb_mqtt_options_client_id(const bb_mqtt_options *options, const char *sink, const char *place,
                               char *out, size_t cap);

/* The topic of the sink's own state, {client_id} filled in; "" when it is off. 0, BB_ERR_LIMIT or
 * BB_ERR_NOMEM. */
int bb_mqtt_options_state_topic(const bb_mqtt_options *options, const char *client_id, bb_buf *out);

#endif
