/* SPDX-License-Identifier: Apache-2.0 */
/* What a client has subscribed to: events, and the devices, shapes and batches as frames. A device
 * and a shape are sent once, before the first batch that names them. See client.h. */
#include <stdlib.h>
#include <string.h>

#include "model/frame.h"
#include "runtime/client.h"
#include "runtime/store_state.h"

/* A device as the client knows it. */
typedef struct seen {
  char id[BB_MAX_ID + 1];
  bool wanted;
  uint32_t number;               /* by which batches name it; 0: not sent yet */
  uint64_t device;               /* hash of what was sent */
  uint64_t shapes[BB_MAX_SCANS]; /* hashes, by scan, of those sent last */
} seen;

bool bb_client_wants(const bb_client *client, const char *device) {
  return client->subscribed && bb_config_matches(client->devices, device);
}

bool bb_client_wants_events(const bb_client *client, const char *device) {
  return client->events && (client->all_events || bb_client_wants(client, device));
}

static seen *see(bb_client *client, const char *id) {
  seen *device = bb_map_get(&client->seen, id);
  if (device != NULL) return device;
  device = calloc(1, sizeof(*device));
  if (device == NULL) return NULL;
  strncpy(device->id, id, BB_MAX_ID);
  device->wanted = bb_client_wants(client, id);
  if (bb_map_add(&client->seen, device->id, device) == 0) return device;
  free(device);
  return NULL;
}

static int send_device(bb_client *client, const bb_device *identity, seen *device) {
  bb_buf *frame = &client->socket->scratch;
  if (device->number != 0 && device->device == identity->hash) return 0;
  bb_buf_clear(frame);
  int err = bb_frame_pack_device(frame, client->numbers + 1, identity);
  if (err < 0) return err;
  device->number = ++client->numbers;
  device->device = identity->hash;
  bb_client_send_frame(client, frame);
  return 0;
}

static int send_shape(bb_client *client, const bb_shape *shape, uint64_t *last) {
  bb_buf *frame = &client->socket->scratch;
  if (*last == shape->hash) return 0;
  if (bb_ledger_find(&client->shapes, shape->hash) == NULL) {
    bb_buf_clear(frame);
    int err = bb_frame_pack_shape(frame, shape);
    if (err < 0) return err;
    bb_client_send_frame(client, frame);
    /* Forgetting only means that shapes are sent again. */
    if (client->shapes.n == client->shapes.max) bb_ledger_close(&client->shapes, NULL);
    bb_ledger_add(&client->shapes, shape->hash, NULL);
  }
  *last = shape->hash;
  return 0;
}

/* Sends what a batch of that scan needs. Its device, or NULL: not wanted, or no memory. */
static const seen *introduce(bb_client *client, const bb_station_scan *scan) {
  const bb_station *station = scan->station;
  if (!client->subscribed || scan->shape == NULL) return NULL;
  seen *device = see(client, station->id);
  if (device == NULL || !device->wanted) return NULL;
  if (send_device(client, station->config->device, device) < 0) return NULL;
  size_t place = (size_t)(scan - station->scans);
  if (send_shape(client, scan->shape, &device->shapes[place]) < 0) return NULL;
  return device;
}

static bb_client *next_client(bb_socket *socket, bb_list **node) {
  bb_list *at = *node == NULL ? socket->clients.next : *node;
  if (at == &socket->clients) return NULL;
  *node = at->next;
  return BB_LIST_ITEM(at, bb_client, link);
}

static void on_batch(bb_watch *watch, const bb_station_scan *scan, const bb_batch *batch) {
  bb_list *node = NULL;
  bb_client *client;
  while ((client = next_client(watch->user, &node)) != NULL) {
    const seen *device = introduce(client, scan);
    if (device != NULL) bb_client_send_batch(client, device->number, batch);
  }
}

static void on_shape(bb_watch *watch, const bb_station_scan *scan) {
  bb_list *node = NULL;
  bb_client *client;
  while ((client = next_client(watch->user, &node)) != NULL) introduce(client, scan);
}

static bb_json_writer device_event(bb_socket *socket, const bb_station *station, bool gone) {
  bb_json_writer json = bb_client_begin(socket);
  bb_json_writer_text(&json, "event", "device");
  bb_json_writer_text(&json, "device", station->id);
  if (gone) {
    bb_json_writer_bool(&json, "gone", true);
  } else {
    if (station->known) bb_json_writer_bool(&json, "up", station->up);
    bb_client_put_time(&json, "since", station->since_ns);
    bb_client_put_reason(&json, &station->reason);
  }
  return json;
}

static bb_json_writer sink_event(bb_socket *socket, const bb_outlet *outlet, bool gone) {
  bb_json_writer json = bb_client_begin(socket);
  bb_json_writer_text(&json, "event", "sink");
  bb_json_writer_text(&json, "sink", outlet->id);
  if (gone) {
    bb_json_writer_bool(&json, "gone", true);
  } else {
    bb_json_writer_bool(&json, "ready", outlet->ready);
    bb_client_put_time(&json, "since", outlet->since_ns);
    bb_client_put_reason(&json, &outlet->reason);
  }
  return json;
}

static bb_json_writer store_event(bb_socket *socket) {
  bb_json_writer json = bb_client_begin(socket);
  bb_json_writer_text(&json, "event", "store");
  bb_store_state_put(socket->runtime, &json);
  return json;
}

static void on_station(bb_watch *watch, const bb_station *station, bool gone) {
  bb_socket *socket = watch->user;
  bb_json_writer json = device_event(socket, station, gone);
  bb_client_end_event(socket, &json, station->id);
  bb_list *node = NULL;
  bb_client *client;
  while (gone && (client = next_client(socket, &node)) != NULL) {
    free(bb_map_remove(&client->seen, station->id));
  }
}

static void on_outlet(bb_watch *watch, const bb_outlet *outlet, bool gone) {
  bb_json_writer json = sink_event(watch->user, outlet, gone);
  bb_client_end_event(watch->user, &json, NULL);
}

static void on_applied(bb_watch *watch) {
  bb_socket *socket = watch->user;
  bb_json_writer json = bb_client_begin(socket);
  bb_json_writer_text(&json, "event", "applied");
  bb_json_writer_uint(&json, "applied", socket->runtime->applied);
  bb_client_end_event(socket, &json, NULL);
}

static void on_store(bb_watch *watch) {
  bb_json_writer json = store_event(watch->user);
  bb_client_end_event(watch->user, &json, NULL);
}

void bb_client_watch_init(bb_socket *socket) {
  socket->watch = (bb_watch){.user = socket,
                             .on_batch = on_batch,
                             .on_shape = on_shape,
                             .on_station = on_station,
                             .on_outlet = on_outlet,
                             .on_applied = on_applied,
                             .on_store = on_store};
  bb_runtime_watch(socket->runtime, &socket->watch);
}

void bb_client_unsubscribe(bb_client *client) {
  for (size_t i = 0; i < client->seen.cap; i++) {
    if (client->seen.entries[i].key != NULL) free(client->seen.entries[i].value);
  }
  bb_map_close(&client->seen);
  bb_ledger_close(&client->shapes, NULL);
  bb_doc_close(&client->wish);
  client->wish = (bb_doc_tree){0};
  client->devices = NULL;
  client->subscribed = client->events = client->all_events = false;
}

void bb_client_subscribe(bb_client *client, bb_doc_tree *wish, const bb_doc *devices, bool events,
                         bool all_events) {
  bb_client_unsubscribe(client);
  client->wish = *wish;
  *wish = (bb_doc_tree){0};
  client->devices = devices;
  client->subscribed = true;
  client->events = events;
  client->all_events = all_events;
}

static void show_station(bb_client *client, const bb_station *station) {
  if (bb_client_wants_events(client, station->id)) {
    bb_json_writer json = device_event(client->socket, station, false);
    bb_client_end(client, BB_SOCKET_EVENT, &json);
  }
  if (!bb_client_wants(client, station->id)) return;
  for (uint32_t i = 0; i < station->n_scans; i++) {
    const bb_station_scan *scan = &station->scans[i];
    const seen *device = introduce(client, scan);
    if (device == NULL || !scan->has_latest) continue;
    bb_batch latest = scan->latest;
    latest.flags |= BB_BATCH_REPEAT;
    bb_client_send_batch(client, device->number, &latest);
  }
}

void bb_client_snapshot(bb_client *client) {
  const bb_runtime *runtime = client->socket->runtime;
  for (size_t i = 0; i < runtime->outlets.cap && client->events; i++) {
    if (runtime->outlets.entries[i].key == NULL) continue;
    bb_json_writer json = sink_event(client->socket, runtime->outlets.entries[i].value, false);
    bb_client_end(client, BB_SOCKET_EVENT, &json);
  }
  if (client->events) {
    bb_json_writer json = store_event(client->socket);
    bb_client_end(client, BB_SOCKET_EVENT, &json);
  }
  for (size_t i = 0; i < runtime->stations.cap; i++) {
    if (runtime->stations.entries[i].key == NULL) continue;
    show_station(client, runtime->stations.entries[i].value);
  }
}
