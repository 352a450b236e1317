/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the MQTT library does for us: one connection, from CONNECT to its end. The only place that
 * knows the library is io/mqtt_paho.c; another one would replace that file.
 *
 * All functions are called on the feeder's thread, and none of them waits for the network. What
 * happens comes back through the inbox.
 */
#ifndef BB_IO_MQTT_SESSION_H
#define BB_IO_MQTT_SESSION_H

#include <stdatomic.h>
#include <sys/socket.h>

#include "io/mqtt.h"
#include "io/mqtt_feeder.h"
#include "io/mqtt_inbox.h"

/* Reused for one connection after the other. */
typedef struct bb_mqtt_session {
  /* set by the loop before connect */
  const bb_mqtt_config *config; /* all defaults filled in */
  bb_mqtt_inbox *inbox;
  bb_mqtt_login *login;            /* wiped and freed by connect */
  struct sockaddr_storage address; /* of the broker */
  uint16_t keepalive_s;
  char place[80]; /* "broker:1883", for sentences */
  /* private: of the library */
  void *handle;
  atomic_int fd; /* its socket; 0: not looked for yet, -1: not found */
  char tls_error[80];
} bb_mqtt_session;

/* Places in the burst's bytes. */
typedef struct bb_mqtt_entry {
  uint32_t topic; /* terminated */
  uint32_t payload;
  uint32_t len;
  uint32_t properties;
  uint16_t properties_len;
  uint16_t slot;
  uint8_t qos;
  bool retain;
} bb_mqtt_entry;

/* Messages in one piece of memory, which is used again and again. */
typedef struct bb_mqtt_burst {
  bb_mqtt_job job;
  bb_mqtt_session *session;
  bb_buf bytes;
  uint32_t n;
  bool busy; /* with the feeder; under the inbox's lock */
  bb_mqtt_entry entries[BB_MQTT_MAX_BURST];
} bb_mqtt_burst;

/* An UP or a FAULT follows. */
void bb_mqtt_session_connect(bb_mqtt_session *session);

/* The library copies: the burst is free afterwards. An end for each message follows. */
void bb_mqtt_session_send(bb_mqtt_session *session, const bb_mqtt_burst *burst);

/* Sends a DISCONNECT if there is a connection, and forgets everything. Nothing follows. */
void bb_mqtt_session_end(bb_mqtt_session *session);

#endif
