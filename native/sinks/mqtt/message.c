/* SPDX-License-Identifier: Apache-2.0 */
/* See sink.h. Messages that a client made: what the broker could object to is kept away from it, since it
 * would close the connection, and all that waits behind with it. */
#include "base/err.h"
#include "io/mqtt_property.h"
#include "io/mqtt_text.h"
#include "sinks/mqtt/sink.h"

int bb_mqtt_check_message(const bb_message *message, bb_reason *reason) {
  const char *fault = bb_mqtt_property_fault(message->properties, message->properties_len);
  if (message->topic_len == 0) {
    bb_reason_set(reason, BB_ERR_INVALID, 0, "the message has no topic");
  } else if (!bb_mqtt_text_is_topic(message->topic, message->topic_len)) {
    bb_reason_set(reason, BB_ERR_INVALID, 0,
                  "the topic %.*s cannot be published to; allowed: UTF-8 without +, # and control "
                  "characters",
                  message->topic_len > 80 ? 80 : (int)message->topic_len, message->topic);
  } else if (fault != NULL) {
    bb_reason_set(reason, BB_ERR_INVALID, 0, "the message's properties cannot be sent: %s", fault);
  } else {
    return 0;
  }
  return reason->code;
}

/* Whole seconds since it was made, as far as is known. */
static uint64_t waited_s(const bb_mqtt_sink *own, const bb_batch *batch) {
  int64_t now_ns = bb_clock_utc_ns(own->sink.clock);
  if ((batch->flags & BB_BATCH_CLOCK_UNSET) != 0 || now_ns <= batch->time_ns) return 0;
  return (uint64_t)(now_ns - batch->time_ns) / BB_NS_PER_S;
}

int bb_mqtt_fill_message(bb_mqtt_sink *own, bb_mqtt_record *record, bb_buf *payload,
                         bb_mqtt_message *out) {
  bb_message message;
  bb_reason reason;
  int err = bb_message_unpack(record->batch, &message);
  if (err == 0) err = bb_mqtt_check_message(&message, &reason);
  if (err < 0) return BB_ERR_INVALID;
  out->topic = message.topic;
  if (message.properties_len > 0 && own->options.version == BB_MQTT_5) {
    bb_buf_clear(&own->properties);
    err = bb_buf_append(&own->properties, message.properties, message.properties_len);
    if (err == 0) {
      err = bb_mqtt_property_age(own->properties.bytes, message.properties_len,
                                 waited_s(own, record->batch), &record->expiry_s);
    }
    out->properties = own->properties.bytes;
    out->properties_len = message.properties_len;
  }
  return err < 0 ? err : bb_buf_append(payload, message.payload, message.payload_len);
}
