/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See mqtt_session.h. The connections of paho.mqtt.c (MQTTAsync), version 1.3.12.
 *
 * Each connection gets a handle of its own: a used one keeps commands, message ids and callbacks of
 * the connection before, and MQTTAsync_destroy is the only call that ends one which is still being
 * made. Its callbacks come on the library's threads with the library's lock held, so they only
 * write into the inbox; after MQTTAsync_destroy there are none.
 *
 * One handle that never connects is kept, because the library stops its two threads with the last
 * handle, sleeping for a second or more with its lock held.
 */
#include <MQTTAsync.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "io/mqtt_reason.h"
#include "io/mqtt_session.h"
#include "io/mqtt_socket.h"

/* The feeder's. */
static MQTTAsync anchor;

static void tell(bb_mqtt_session *session, int code, uint8_t raw, bool lasting, const char *format,
                 const char *what) __attribute__((format(printf, 5, 0)));

/* `format` takes the place and `what`. */
static void tell(bb_mqtt_session *session, int code, uint8_t raw, bool lasting, const char *format,
                 const char *what) {
  bb_mqtt_fault fault = {.code = code, .raw = raw, .lasting = lasting};
  snprintf(fault.text, sizeof(fault.text), format, session->place, what);
  bb_mqtt_inbox_fault(session->inbox, &fault);
}

static uint32_t number(MQTTProperties *properties, enum MQTTPropertyCodes code, uint32_t missing) {
  if (!MQTTProperties_hasProperty(properties, code)) return missing;
  return (uint32_t)MQTTProperties_getNumericValue(properties, code);
}

static void on_connected5(void *context, MQTTAsync_successData5 *data) {
  bb_mqtt_session *session = context;
  MQTTProperties *said = &data->properties;
  bb_mqtt_broker broker = {
      .receive_max = number(said, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM, UINT16_MAX),
      .max_packet_bytes = number(said, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, UINT32_MAX),
      .keepalive_s = (uint16_t)number(said, MQTTPROPERTY_CODE_SERVER_KEEP_ALIVE, 0),
      .max_qos = (uint8_t)number(said, MQTTPROPERTY_CODE_MAXIMUM_QOS, 2),
      .no_retain = number(said, MQTTPROPERTY_CODE_RETAIN_AVAILABLE, 1) == 0,
  };
  bb_mqtt_inbox_up(session->inbox, &broker);
}

static void on_connected(void *context, MQTTAsync_successData *data) {
  (void)data;
  bb_mqtt_session *session = context;
  bb_mqtt_broker broker = {.receive_max = UINT16_MAX, .max_packet_bytes = UINT32_MAX, .max_qos = 2};
  bb_mqtt_inbox_up(session->inbox, &broker);
}

/* `code` is a code of CONNACK if positive, else the library's. */
static void refuse(bb_mqtt_session *session, int code) {
  if (code > 0) {
    uint8_t raw = (uint8_t)code;
    tell(session, BB_ERR_REFUSED, raw, bb_mqtt_connack_lasting(raw),
         "%s refused the connection: %s", bb_mqtt_connack_text(raw));
  } else if (session->tls_error[0] != 0) {
    tell(session, BB_ERR_IO, 0, false, "TLS with %s failed: %s", session->tls_error);
  } else {
    /* The library does not say more; the loop finds out (io/mqtt_probe.h). */
    bb_mqtt_fault fault = {.code = BB_ERR_CLOSED, .vague = true};
    snprintf(fault.text, sizeof(fault.text), "%s closed the connection before it answered",
             session->place);
    bb_mqtt_inbox_fault(session->inbox, &fault);
  }
}

static void on_refused5(void *context, MQTTAsync_failureData5 *data) {
  refuse(context, data->code > 0              ? data->code
                  : (int)data->reasonCode > 0 ? (int)data->reasonCode
                                              : data->code);
}

static void on_refused(void *context, MQTTAsync_failureData *data) {
  refuse(context, data->code);
}

static void on_lost(void *context, char *cause) {
  (void)cause;
  tell(context, BB_ERR_CLOSED, 0, false, "the connection to %s broke%s", "");
}

/* MQTT 5 only: the broker says why it will close. */
static void on_disconnected(void *context, MQTTProperties *properties,
                            enum MQTTReasonCodes reason) {
  (void)properties;
  tell(context, BB_ERR_CLOSED, (uint8_t)reason, bb_mqtt_connack_lasting((uint8_t)reason),
       "%s ended the connection: %s", bb_mqtt_reason_text((uint8_t)reason));
}

/* Nothing is subscribed to yet. */
static int on_message(void *context, char *topic, int len, MQTTAsync_message *message) {
  (void)context;
  (void)len;
  MQTTAsync_freeMessage(&message);
  MQTTAsync_free(topic);
  return 1;
}

/* A line of OpenSSL's: thread:error:code:library:function:reason:file:line:more. Keeps the first
 * reason. */
static int on_tls_error(const char *line, size_t len, void *context) {
  bb_mqtt_session *session = context;
  const char *end = line + len;
  for (int field = 0; field < 5 && line != NULL; field++) {
    line = memchr(line, ':', (size_t)(end - line));
    if (line != NULL) line++;
  }
  if (line == NULL || session->tls_error[0] != 0) return 1;
  const char *stop = memchr(line, ':', (size_t)(end - line));
  if (stop == NULL) stop = end;
  snprintf(session->tls_error, sizeof(session->tls_error), "%.*s", (int)(stop - line), line);
  return 1;
}

/* False, and told: the library would only say that it failed. */
static bool check_file(bb_mqtt_session *session, const char *path) {
  if (path == NULL || access(path, R_OK) == 0) return true;
  char what[90];
  snprintf(what, sizeof(what), "%s: %s", path, strerror(errno));
  tell(session, BB_ERR_CONFIG, 0, true, "no TLS with %s: cannot read %s", what);
  return false;
}

/* An address in numbers; with TLS the name that its certificate must be for. */
static void write_url(const bb_mqtt_session *session, char *out, size_t cap) {
  const struct sockaddr *address = (const struct sockaddr *)&session->address;
  bool v6 = address->sa_family == AF_INET6;
  char host[NI_MAXHOST] = "";
  getnameinfo(address, v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), host,
              sizeof(host), NULL, 0, NI_NUMERICHOST);
  if (session->config->tls && strchr(session->config->host, ':') == NULL) {
    snprintf(out, cap, "ssl://%s:%u", session->config->host, session->config->port);
  } else {
    snprintf(out, cap, v6 ? "%s://[%s]:%u" : "%s://%s:%u", session->config->tls ? "ssl" : "tcp",
             host, session->config->port);
  }
}

static int create(bb_mqtt_session *session) {
  if (anchor == NULL) {
    /* Else it notes each call and each packet in a trace that nobody reads: over a quarter of its
     * work for a message. MQTT_C_CLIENT_TRACE_LEVEL in the environment still has its way. */
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
    MQTTAsync_create(&anchor, "tcp://127.0.0.1:1", "anchor", MQTTCLIENT_PERSISTENCE_NONE, NULL);
  }
  char url[NI_MAXHOST + 32];
  write_url(session, url, sizeof(url));
  bool v5 = session->config->version == BB_MQTT_5;
  MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
  options.MQTTVersion = v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  options.sendWhileDisconnected = 0;
  options.restoreMessages = 0;
  options.persistQoS0 = 0;
  /* It counts while connected too. Our own bound is lower. */
  options.maxBufferedMessages = 2 * BB_MQTT_MAX_IN_FLIGHT;
  int err = MQTTAsync_createWithOptions(&session->handle, url, session->config->client_id,
                                        MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
  if (err != 0) return err;
  MQTTAsync_setCallbacks(session->handle, session, on_lost, on_message, NULL);
  if (v5) MQTTAsync_setDisconnected(session->handle, session, on_disconnected);
  return 0;
}

static void fill_tls(bb_mqtt_session *session, MQTTAsync_SSLOptions *tls) {
  const bb_mqtt_config *config = session->config;
  tls->trustStore = config->ca_file;
  tls->keyStore = config->cert_file;
  tls->privateKey = config->key_file;
  if (session->login->key_password[0] != 0) tls->privateKeyPassword = session->login->key_password;
  tls->enableServerCertAuth = !config->no_verify;
  tls->verify = !config->no_verify;
  tls->ssl_error_cb = on_tls_error;
  tls->ssl_error_context = session;
}

static void fill_will(const bb_mqtt_message *will, MQTTAsync_willOptions *out) {
  out->topicName = will->topic;
  out->payload.data = will->payload;
  out->payload.len = (int)will->len;
  out->qos = will->qos;
  out->retained = will->retain;
}

static int begin(bb_mqtt_session *session) {
  const bb_mqtt_config *config = session->config;
  const bb_mqtt_login *login = session->login;
  bool v5 = config->version == BB_MQTT_5;
  MQTTAsync_connectOptions v3_options = MQTTAsync_connectOptions_initializer;
  MQTTAsync_connectOptions v5_options = MQTTAsync_connectOptions_initializer5;
  MQTTAsync_connectOptions options = v5 ? v5_options : v3_options;
  MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
  MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
  options.MQTTVersion = v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  options.keepAliveInterval = session->keepalive_s;
  options.maxInflight = UINT16_MAX; /* ours is lower */
  /* Ours ends sooner: the library looks at its own every 3 s only. */
  options.connectTimeout = (int)(config->connect_timeout_ms / 1000) + 30;
  options.automaticReconnect = 0;
  options.username = login->user;
  if (login->password_len > 0) {
    options.binarypwd.data = login->password;
    options.binarypwd.len = (int)login->password_len;
  }
  if (login->will.topic != NULL) {
    fill_will(&login->will, &will);
    options.will = &will;
  }
  if (config->tls) {
    fill_tls(session, &tls);
    options.ssl = &tls;
  }
  options.onSuccess = v5 ? NULL : on_connected;
  options.onFailure = v5 ? NULL : on_refused;
  options.onSuccess5 = v5 ? on_connected5 : NULL;
  options.onFailure5 = v5 ? on_refused5 : NULL;
  options.context = session;
  return MQTTAsync_connect(session->handle, &options);
}

void bb_mqtt_session_connect(bb_mqtt_session *session) {
  const bb_mqtt_config *config = session->config;
  session->tls_error[0] = 0;
  atomic_store(&session->fd, 0);
  if (!config->tls ||
      (check_file(session, config->ca_file) && check_file(session, config->cert_file) &&
       check_file(session, config->key_file))) {
    int err = create(session);
    if (err == 0) err = begin(session);
    if (err != 0) {
      tell(session, BB_ERR_INVALID, 0, true, "no connection to %s: %s", MQTTAsync_strerror(err));
    }
  }
  bb_secret_wipe(session->login, sizeof(*session->login));
  free(session->login);
  session->login = NULL;
}

void bb_mqtt_session_end(bb_mqtt_session *session) {
  if (session->handle != NULL) MQTTAsync_destroy(&session->handle);
  bb_mqtt_socket_release(atomic_exchange(&session->fd, 0));
}
