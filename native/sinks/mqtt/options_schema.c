/* SPDX-License-Identifier: Apache-2.0 */
/* See options.h. */
#include "sinks/mqtt/options.h"

static const char *const versions[] = {"3.1.1", "5", NULL};
static const char *const payloads[] = {"batch", "point", NULL};

/* clang-format off */
#define AT(field) offsetof(bb_mqtt_options, field)
static const bb_field fields[] = {
    {"url", BB_FIELD_TEXT, AT(url), .required = true,
     .help = "The broker: mqtt://host:port (1883), or with TLS mqtts://host:port (8883)."},
    {"version", BB_FIELD_CHOICE, AT(version), .choices = versions, .fallback = "3.1.1",
     .help = "The version of MQTT. Every broker speaks 3.1.1; with 5 it can say why it refuses a "
             "message."},
    {"client_id", BB_FIELD_TEXT, AT(client_id),
     .help = "The name at the broker. Default: busbar-, the id of the sink, and eight digits that "
             "stand for this machine."},
    {"user", BB_FIELD_TEXT, AT(user),
     .help = "The user name."},
    {"password_env", BB_FIELD_TEXT, AT(password_env),
     .help = "The environment variable that holds the password."},
    {"password_file", BB_FIELD_TEXT, AT(password_file),
     .help = "The file that holds the password; read for each connection."},
    {"ca_file", BB_FIELD_TEXT, AT(ca_file),
     .help = "PEM file of the authorities that may sign the certificate of the broker, or "
             "secret:NAME, as for each of these. Default: those of the system."},
    {"cert_file", BB_FIELD_TEXT, AT(cert_file),
     .help = "PEM file of the own certificate and what it is signed by."},
    {"key_file", BB_FIELD_TEXT, AT(key_file),
     .help = "PEM file of its key. Default: in cert_file."},
    {"key_password_env", BB_FIELD_TEXT, AT(key_password_env),
     .help = "The environment variable that holds the password of the key."},
    {"key_password_file", BB_FIELD_TEXT, AT(key_password_file),
     .help = "The file that holds it."},
    {"verify", BB_FIELD_BOOL, AT(verify), .fallback = "true",
     .help = "Whether the certificate of the broker must be valid and for the host of the URL."},
    {"topic", BB_FIELD_TEXT, AT(topic), .fallback = "{site}/{device}/{scan}",
     .help = "The topic, with {site}, {device}, {asset} (that tag, else the device), {scan}, "
             "{point}, {profile} and names of tags."},
    {"payload", BB_FIELD_CHOICE, AT(payload), .choices = payloads, .fallback = "batch",
     .help = "One message a batch, or one a point; then the topic needs {point}."},
    {"qos", BB_FIELD_U32, AT(qos), .min = 0, .max = 2, .fallback = "1",
     .help = "0: sent once, lost when the connection breaks; 1: confirmed by the broker; 2: the "
             "same in two steps."},
    {"retain", BB_FIELD_BOOL, AT(retain), .fallback = "false",
     .help = "Whether the broker keeps the newest message of each topic for later subscribers. "
             "Never of history."},
    {"tags", BB_FIELD_BOOL, AT(tags), .fallback = "false",
     .help = "Whether each message carries the site and the tags of the device."},
    {"keepalive", BB_FIELD_DURATION, AT(keepalive_ms), .min = 5000, .max = 65535000,
     .fallback = "60s",
     .help = "How long nothing may be sent before the connection is probed; without an answer it "
             "is given up within the same time."},
    {"connect_timeout", BB_FIELD_DURATION, AT(connect_timeout_ms), .min = 500, .max = 300000,
     .fallback = "10s",
     .help = "How long the lookup of the name may take, and connecting to each of its addresses, to "
             "the answer of the broker."},
    {"max_in_flight", BB_FIELD_U32, AT(max_in_flight), .min = 1, .max = 1000, .fallback = "100",
     .help = "Messages without the confirmation of the broker at most. The broker may ask for "
             "less."},
    {"linger", BB_FIELD_DURATION, AT(linger_ms), .min = 0, .max = 5000, .fallback = "50ms",
     .help = "How long a batch may wait for others to leave together with; saves processor time."},
    {"state_topic", BB_FIELD_TEXT, AT(state_topic), .fallback = "busbar/{client_id}/state",
     .help = "The topic that tells, retained, whether this sink is connected; off: none."},
};
#undef AT
/* clang-format on */

const bb_schema bb_mqtt_options_schema = BB_SCHEMA("mqtt sink", fields);
