/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the sink `mqtt`, for its three files: mqtt.c (connection, state topic, life), deliver.c
 * (from runs to messages to verdicts) and message.c (messages that a client made).
 */
#ifndef BB_SINKS_MQTT_SINK_H
#define BB_SINKS_MQTT_SINK_H

#include <uv.h>

#include "base/list.h"
#include "base/secret_file.h"
#include "io/mqtt.h"
#include "plug/sink.h"
#include "sinks/mqtt/options.h"
#include "sinks/mqtt/topic_cache.h"

/* Tags of messages: the place of their record, or one of these. */
#define BB_MQTT_TAG_BIRTH UINT64_MAX
#define BB_MQTT_TAG_DEATH (UINT64_MAX - 1)

/* A batch that waits for its verdict. */
typedef struct bb_mqtt_record {
  bb_list node; /* in free, queue or ended; in none while its messages are under way */
  const bb_batch *batch;
  uint64_t ticket;
  uint32_t pending;    /* messages without an end */
  uint16_t next_point; /* with a message a point */
  bool history;
  bool sent;          /* all its messages were handed over */
  bb_verdict verdict; /* so far; the worst one counts */
  int code;
  uint8_t reason;    /* the broker's */
  uint32_t bytes;    /* of the message that was too large */
  uint32_t expiry_s; /* of the message that waited longer */
} bb_mqtt_record;

typedef struct bb_mqtt_sink {
  bb_sink sink; /* first */
  bb_mqtt_options options;
  char client_id[BB_MQTT_MAX_CLIENT_ID + 1];
  bb_buf state_topic; /* terminated; "" when off */
  bb_topic topic;
  bb_topic_cache topics;
  bb_buf point_topic;
  bb_buf properties;            /* of the message that is being sent */
  bb_secret_file ca, cert, key; /* of TLS */
  bb_mqtt mqtt;
  bool ready; /* on_ready was called */
  bool closing;
  bool renewing;    /* this connection was made with secrets that have changed */
  bool dying;       /* the last state is on its way, or will not be sent */
  uint64_t mark;    /* of the secrets of the last connection (bb_secret_mark) */
  uv_timer_t later; /* verdicts that must not come inside deliver */
  uv_timer_t drain;
  unsigned handles;
  bb_mqtt_record *records;
  uint32_t n_records;
  uint32_t n_free;
  bb_list free;
  bb_list queue; /* not yet, or not wholly, handed over */
  bb_list ended; /* have a verdict to be told */
} bb_mqtt_sink;

/* message.c */

/* The sink's check_message. */
int bb_mqtt_check_message(const bb_message *message, bb_reason *reason);

/* Appends the record's payload; its topic and properties go into `out`, valid until the next one. 0,
 * BB_ERR_INVALID, BB_ERR_TIMEOUT (it waited longer than it says that it may) or BB_ERR_NOMEM. */
int bb_mqtt_fill_message(bb_mqtt_sink *own, bb_mqtt_record *record, bb_buf *payload,
                         bb_mqtt_message *out);

/* deliver.c */

int bb_mqtt_deliver_init(bb_mqtt_sink *own, uint32_t n_records);
void bb_mqtt_deliver_close(bb_mqtt_sink *own);

/* The sink's deliver. */
int bb_mqtt_deliver(bb_sink *sink, const bb_run *run);

/* Hands over as many messages as there is room for. */
void bb_mqtt_pump(bb_mqtt_sink *own);

/* A message of a record has ended. */
void bb_mqtt_message_done(bb_mqtt_sink *own, const bb_mqtt_done *done);

/* Tells the verdicts of all records that have ended. */
void bb_mqtt_tell_verdicts(bb_mqtt_sink *own);

/* The same, and the end of a sink that is closing once it has nothing left. */
void bb_mqtt_settle(bb_mqtt_sink *own);

/* Every record is free again, untold: the host counts them as RETRY. */
void bb_mqtt_forget_records(bb_mqtt_sink *own);

/* The same, told. */
void bb_mqtt_return_records(bb_mqtt_sink *own);

#endif
