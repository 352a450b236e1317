/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_session.h. Publishing with paho.mqtt.c; how the library is used stands in
 * io/mqtt_paho.c. */
#include <MQTTAsync.h>

#include "base/err.h"
#include "io/mqtt_property.h"
#include "io/mqtt_session.h"
#include "io/mqtt_socket.h"

/* The library's own code for it stands in none of its public headers. */
#define MEMORY_ERROR (-99)

/* The loop may use the slot again as soon as it has its end. */
static void succeed(const bb_mqtt_slot *slot) {
  bb_mqtt_session *session = slot->session;
  bool acknowledged = slot->qos > 0;
  uint32_t open = bb_mqtt_inbox_end(session->inbox, slot, 0, 0);
  if (acknowledged && open > 0) bb_mqtt_socket_hurry(atomic_load(&session->fd));
}

static void on_sent(void *context, MQTTAsync_successData *data) {
  (void)data;
  succeed(context);
}

static void on_sent5(void *context, MQTTAsync_successData5 *data) {
  (void)data;
  succeed(context);
}

static void on_failed(void *context, MQTTAsync_failureData *data) {
  (void)data;
  const bb_mqtt_slot *slot = context;
  bb_mqtt_inbox_end(slot->session->inbox, slot, BB_ERR_CLOSED, 0);
}

/* The library leaves the reason of a failed write (QoS 0) unset. */
static void on_failed5(void *context, MQTTAsync_failureData5 *data) {
  const bb_mqtt_slot *slot = context;
  bool refused = slot->qos > 0 && data->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR;
  bb_mqtt_inbox_end(slot->session->inbox, slot, refused ? BB_ERR_REFUSED : BB_ERR_CLOSED,
                    refused ? (uint8_t)data->reasonCode : 0);
}

static int translate(int code) {
  switch (code) {
  case MQTTASYNC_DISCONNECTED:
    return BB_ERR_CLOSED;
  case MQTTASYNC_BAD_UTF8_STRING:
    return BB_ERR_INVALID;
  case MEMORY_ERROR:
    return BB_ERR_NOMEM;
  default:
    return BB_ERR_IO;
  }
}

static int add_property(MQTTProperties *out, const bb_mqtt_property *property) {
  MQTTProperty one = {.identifier = (enum MQTTPropertyCodes)property->code};
  switch (property->code) {
  case BB_MQTT_PROPERTY_IS_TEXT:
    one.value.byte = (unsigned char)property->number;
    break;
  case BB_MQTT_PROPERTY_EXPIRY:
    one.value.integer4 = property->number;
    break;
  default:
    one.value.data = (MQTTLenString){property->len, (char *)(uintptr_t)property->data};
    one.value.value = (MQTTLenString){property->value_len, (char *)(uintptr_t)property->value};
    break;
  }
  return MQTTProperties_add(out, &one);
}

/* The library copies them. 0, or MEMORY_ERROR. */
static int read_properties(const uint8_t *bytes, size_t len, MQTTProperties *out) {
  bb_mqtt_property property;
  for (int used; (used = bb_mqtt_property_next(bytes, len, &property)) > 0; bytes += used) {
    if (add_property(out, &property) < 0) return MEMORY_ERROR;
    len -= (size_t)used;
  }
  return 0;
}

static int hand_over(const bb_mqtt_session *session, const bb_mqtt_burst *burst,
                     const bb_mqtt_entry *entry, MQTTAsync_responseOptions *options) {
  const uint8_t *bytes = burst->bytes.bytes;
  if (session->handle == NULL) return MQTTASYNC_DISCONNECTED;
  int err = read_properties(bytes + entry->properties, entry->properties_len, &options->properties);
  if (err == 0) {
    err = MQTTAsync_send(session->handle, (const char *)bytes + entry->topic, (int)entry->len,
                         bytes + entry->payload, entry->qos, entry->retain, options);
  }
  MQTTProperties_free(&options->properties);
  return err;
}

static void send_one(bb_mqtt_session *session, const bb_mqtt_burst *burst,
                     const bb_mqtt_entry *entry) {
  bb_mqtt_slot *slot = &session->inbox->slots[entry->slot];
  bool v5 = session->config->version == BB_MQTT_5;
  MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
  options.onSuccess = v5 ? NULL : on_sent;
  options.onFailure = v5 ? NULL : on_failed;
  options.onSuccess5 = v5 ? on_sent5 : NULL;
  options.onFailure5 = v5 ? on_failed5 : NULL;
  options.context = slot;
  int err = hand_over(session, burst, entry, &options);
  if (err != 0) bb_mqtt_inbox_end(session->inbox, slot, translate(err), 0);
}

void bb_mqtt_session_send(bb_mqtt_session *session, const bb_mqtt_burst *burst) {
  if (atomic_load(&session->fd) == 0) {
    atomic_store(&session->fd, bb_mqtt_socket_claim((const struct sockaddr *)&session->address));
  }
  for (uint32_t i = 0; i < burst->n; i++) send_one(session, burst, &burst->entries[i]);
}
