/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that a client brings: device, shape and batch frames for devices of the driver `external`.
 * A frame that cannot be taken is refused with an event "refused", which is not said again until the
 * reason is another one; frames that are none cost the client its connection.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "drivers/external/external.h"
#include "model/frame.h"
#include "runtime/client.h"

static void free_device(void *device) {
  bb_device_unref(device);
}

static void free_shape(void *shape) {
  bb_shape_unref(shape);
}

static void refuse(bb_client *client, const char *device, const bb_reason *reason) {
  char refusal[sizeof(client->refusal)];
  client->refused++;
  snprintf(refusal, sizeof(refusal), "%s %s", device, reason->text);
  if (strcmp(refusal, client->refusal) == 0) return;
  memcpy(client->refusal, refusal, sizeof(refusal));
  bb_json_writer json = bb_client_begin(client->socket);
  bb_json_writer_text(&json, "event", "refused");
  bb_json_writer_text(&json, "device", device);
  bb_client_put_reason(&json, reason);
  bb_json_writer_uint(&json, "total", client->refused);
  bb_client_end(client, BB_SOCKET_EVENT, &json);
}

/* The device's attachment, or NULL with a reason. Looked up each time: an apply may replace it. */
static bb_attachment *attachment_of(bb_client *client, const bb_device *device, bb_reason *reason) {
  bb_station *station = bb_runtime_station(client->socket->runtime, device->id);
  if (station == NULL || station->leaving) {
    bb_reason_set(reason, BB_ERR_NOTFOUND, 0, "there is no such device in the config");
  } else if (!bb_external_is(station->attachment)) {
    bb_reason_set(reason, BB_ERR_UNSUPPORTED, 0,
                  "values can be sent only to a device on a connection of kind external");
  } else {
    return station->attachment;
  }
  return NULL;
}

/* A number that is given again names the new device. */
static int take_device(bb_client *client, const uint8_t *frame, size_t len) {
  uint32_t number;
  bb_device *device;
  bb_reason reason = {0};
  int err = bb_frame_unpack_device(frame, len, &number, &device);
  if (err < 0) return err;
  if (attachment_of(client, device, &reason) == NULL) refuse(client, device->id, &reason);
  bb_ledger_entry *entry = bb_ledger_find(&client->sources, number);
  if (entry != NULL) {
    bb_device_unref(entry->value);
    entry->value = device;
    return 0;
  }
  err = bb_ledger_add(&client->sources, number, device);
  if (err < 0) bb_device_unref(device);
  return err;
}

static int take_shape(bb_client *client, const uint8_t *frame, size_t len) {
  bb_shape *shape;
  int err = bb_frame_unpack_shape(frame, len, &shape);
  if (err < 0) return err;
  if (client->source_bytes + len > BB_CLIENT_MAX_SOURCE_BYTES) {
    err = BB_ERR_LIMIT;
  } else {
    err = bb_ledger_add(&client->source_shapes, shape->hash, shape);
  }
  if (err == 0) {
    client->source_bytes += len;
  } else {
    bb_shape_unref(shape);
  }
  return err == BB_ERR_EXISTS ? 0 : err;
}

static int take_batch(bb_client *client, const uint8_t *frame, size_t len) {
  bb_frame_names names;
  bb_batch batch;
  bb_reason reason = {0};
  int err = bb_frame_batch_names(frame, len, &names);
  if (err < 0) return err;
  const bb_device *device = bb_ledger_get(&client->sources, names.device_number);
  const bb_shape *shape = bb_ledger_get(&client->source_shapes, names.shape_hash);
  if (device == NULL || (shape == NULL && names.shape_hash != 0)) {
    bb_reason_set(&reason, BB_ERR_NOTFOUND, 0,
                  "a batch names a device or a shape that was not sent before it");
    refuse(client, device != NULL ? device->id : "", &reason);
    return 0;
  }
  err = bb_frame_unpack_batch(frame, len, device, shape, &batch);
  if (err < 0) return err;
  bb_attachment *attachment = attachment_of(client, device, &reason);
  if (attachment == NULL || bb_external_push_batch(attachment, client, &batch, &reason) < 0) {
    refuse(client, device->id, &reason);
  }
  return 0;
}

void bb_client_take_frames(bb_client *client, const uint8_t *bytes, size_t len) {
  int err = 0;
  while (len > 0 && err == 0 && !client->closing) {
    bb_frame_kind kind;
    int one = bb_frame_peek(bytes, len, &kind);
    if (one <= 0) {
      err = one < 0 ? one : BB_ERR_SHORT;
    } else if (kind == BB_FRAME_DEVICE) {
      err = take_device(client, bytes, (size_t)one);
    } else if (kind == BB_FRAME_SHAPE) {
      err = take_shape(client, bytes, (size_t)one);
    } else {
      err = take_batch(client, bytes, (size_t)one);
    }
    if (err < 0) break;
    bytes += one;
    len -= (size_t)one;
  }
  if (err < 0) bb_client_close(client, bb_err_text(err));
}

void bb_client_leave_devices(bb_client *client) {
  const bb_map *stations = &client->socket->runtime->stations;
  for (size_t i = 0; client->sources.n > 0 && i < stations->cap; i++) {
    if (stations->entries[i].key == NULL) continue;
    bb_station *station = stations->entries[i].value;
    if (bb_external_is(station->attachment)) bb_external_leave(station->attachment, client);
  }
  bb_ledger_close(&client->sources, free_device);
  bb_ledger_close(&client->source_shapes, free_shape);
}
