/* SPDX-License-Identifier: Apache-2.0 */
/* See put.h. */
#include "runtime/put.h"

#include "base/err.h"

/* Who the batches of the outlet's messages come from. */
static const bb_device *sender_of(bb_outlet *outlet) {
  if (outlet->sender == NULL) {
    outlet->sender = bb_device_new(outlet->id, outlet->owner->site, "", NULL, 0);
  }
  return outlet->sender;
}

static uint32_t bytes_of(const bb_message *content) {
  return content->topic_len + content->properties_len + content->payload_len;
}

static int check(const bb_outlet *outlet, const bb_message *content, bb_reason *reason) {
  uint32_t bytes = bytes_of(content);
  if (bytes > BB_PUT_MAX_MESSAGE) {
    bb_reason_set(reason, BB_ERR_LIMIT, 0, "a message of %u bytes is too long; at most %u", bytes,
                  BB_PUT_MAX_MESSAGE);
    return BB_ERR_LIMIT;
  }
  return outlet->config->kind->check_message(content, reason);
}

static uint8_t flags_of(const bb_put_message *message) {
  unsigned flags = message->flags << BB_BATCH_QOS_SHIFT & (BB_BATCH_QOS | BB_BATCH_RETAIN);
  return (uint8_t)(flags | (message->content.properties_len > 0 ? BB_BATCH_PROPERTIES : 0));
}

static int append(bb_runtime *runtime, bb_outlet *outlet, const bb_put_message *message,
                  bb_put_place *place) {
  char text[BB_PUT_MAX_MESSAGE + BB_MESSAGE_MAX_FRAME];
  const bb_device *sender = sender_of(outlet);
  uint64_t sinks = 1ull << outlet->place;
  bb_stream *stream = sender != NULL ? bb_runtime_stream(runtime, sinks, BB_STORE_TELEMETRY) : NULL;
  if (stream == NULL || bb_outlet_join(outlet, stream) < 0) return BB_ERR_NOMEM;
  size_t text_len = bb_message_pack(&message->content, text);
  bb_batch batch = {.device = sender,
                    .time_ns = bb_clock_utc_ns(&runtime->clock),
                    .mono_ns = bb_clock_mono_ns(&runtime->clock),
                    .boot = runtime->boot,
                    .kind = BB_BATCH_MESSAGE,
                    .flags = flags_of(message),
                    .text_len = (uint16_t)text_len,
                    .text = text};
  bb_runtime_stamp(runtime, &batch);
  /* Who made it can be told, so that nothing that waits has to go for it. */
  if (!bb_stream_has_room(stream, &batch)) return BB_ERR_AGAIN;
  *place = (bb_put_place){.stream = stream, .record = stream->next};
  int err = bb_stream_append(stream, &batch);
  if (err < 0) return err;
  runtime->wake_set |= sinks;
  bb_save_appended(&runtime->save, batch.text_len);
  return 0;
}

int bb_runtime_put(bb_runtime *runtime, const char *sink, const bb_put_message *message,
                   bb_put_place *place, bb_reason *reason) {
  bb_outlet *outlet = bb_runtime_outlet(runtime, sink);
  if (outlet == NULL || outlet->closing || runtime->stopping) {
    bb_reason_set(reason, BB_ERR_NOTFOUND, 0, "there is no sink %s in the config that runs", sink);
    return BB_ERR_NOTFOUND;
  }
  int err = check(outlet, &message->content, reason);
  if (err < 0) return err;
  err = append(runtime, outlet, message, place);
  if (err == BB_ERR_AGAIN) {
    bb_reason_set(reason, err, 0,
                  "the runtime has no room for more messages while %s does not take them", sink);
  } else if (err < 0)
    bb_reason_set(reason, err, 0, "%s", bb_err_text(err));
  return err;
}
