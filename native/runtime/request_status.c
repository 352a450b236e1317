/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that only look: hello and status. Status is all that a person wants to see of a runtime;
 * it holds no secrets, because nothing that it is made of does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/request.h"
#include "runtime/store_state.h"

typedef struct hello_request {
  bb_request_head head;
  const bb_doc *protocol;
  const char *client;
} hello_request;

static const bb_field hello_fields[] = {
    BB_REQUEST_HEAD,
    {"protocol", BB_FIELD_LIST, offsetof(hello_request, protocol), .required = true,
     .help = "Oldest and newest protocol that the client speaks: [1, 2]."},
    {"client", BB_FIELD_ID, offsetof(hello_request, client),
     .help = "What the client calls itself, for the log."},
};
static const bb_schema hello_schema = BB_SCHEMA("hello", hello_fields);

static const char *owner_name(const bb_socket *socket) {
  return socket->file_owned ? "file" : "editor";
}

static void put_identity(bb_json_writer *json, const bb_socket *socket) {
  const bb_runtime *runtime = socket->runtime;
  bb_json_writer_text(json, "version", BB_VERSION);
  bb_json_writer_int(json, "pid", getpid());
  bb_json_writer_uint(json, "boot", runtime->boot);
  bb_json_writer_text(json, "owner", owner_name(socket));
  bb_client_put_time(json, "started", runtime->started_ns);
}

/* The newest protocol that both speak; 0: none. */
static unsigned negotiate(const bb_doc *range) {
  unsigned min, max;
  const bb_doc *first = range->first;
  if (range->n != 2 || first->kind != BB_DOC_SCALAR || first->next->kind != BB_DOC_SCALAR) return 0;
  if (sscanf(first->text, "%4u", &min) != 1 || sscanf(first->next->text, "%4u", &max) != 1)
    return 0;
  unsigned best = max < BB_SOCKET_PROTOCOL_MAX ? max : BB_SOCKET_PROTOCOL_MAX;
  return best >= min && best >= BB_SOCKET_PROTOCOL_MIN ? best : 0;
}

void bb_request_hello(bb_request *request) {
  bb_client *client = request->client;
  hello_request in;
  if (!bb_request_read(request, &hello_schema, &in)) return;
  unsigned protocol = negotiate(in.protocol);
  if (protocol == 0) {
    bb_request_refuse(client, request->id, BB_ERR_VERSION,
                      "busbar %s speaks protocol %d to %d; use a client of its version", BB_VERSION,
                      BB_SOCKET_PROTOCOL_MIN, BB_SOCKET_PROTOCOL_MAX);
    return;
  }
  client->greeted = true;
  if (in.client != NULL) snprintf(client->name, sizeof(client->name), "%s", in.client);
  bb_json_writer json = bb_request_answer(client, request->id);
  bb_json_writer_uint(&json, "protocol", protocol);
  put_identity(&json, client->socket);
  bb_request_put_lifeline(&json, client);
  bb_request_end(client, &json);
  bb_socket_client_came(client);
}

typedef struct status_request {
  bb_request_head head;
  const bb_doc *devices;
} status_request;

static const bb_field status_fields[] = {
    BB_REQUEST_HEAD,
    {"devices", BB_FIELD_LIST, offsetof(status_request, devices),
     .help = "Patterns of device ids; without it all, an empty list none."},
};
static const bb_schema status_schema = BB_SCHEMA("status", status_fields);

static void put_runtime(bb_json_writer *json, const bb_socket *socket) {
  const bb_runtime *runtime = socket->runtime;
  put_identity(json, socket);
  bb_client_put_time(json, "now", bb_clock_utc_ns(&runtime->clock));
  bb_json_writer_text(json, "site", runtime->config != NULL ? runtime->config->site : "");
  bb_json_writer_uint(json, "applied", runtime->applied);
  bb_json_writer_bool(json, "ready", bb_runtime_is_ready(runtime));
  bb_json_writer_bool(json, "paused", runtime->schedule.paused);
  bb_json_writer_bool(json, "stopping", runtime->stopping);
  bb_json_writer_bool(json, "clock_set", runtime->clock_set);
  bb_json_writer_uint(json, "loop_lag_max_us", runtime->loop_lag.max_ns / 1000);
  bb_json_writer_uint(json, "clients", socket->n_clients);
  bb_json_writer_uint(json, "clients_dropped", socket->dropped);
  bb_json_writer_map(json, "queue");
  bb_json_writer_uint(json, "bytes", runtime->queue.bytes);
  bb_json_writer_uint(json, "max_bytes", runtime->queue.max_bytes);
  bb_json_writer_end(json);
  bb_store_state_put(runtime, json);
  bb_json_writer_map(json, "writes");
  for (int i = 0; i < 4; i++) {
    bb_json_writer_uint(json, bb_outcome_name((bb_outcome)i), runtime->door.outcomes[i]);
  }
  bb_json_writer_uint(json, "open", runtime->door.open);
  bb_json_writer_end(json);
}

static void put_link(bb_json_writer *json, const bb_config_connection *config,
                     const bb_link *link) {
  bb_json_writer_map(json, NULL);
  bb_json_writer_text(json, "id", config->id);
  bb_json_writer_text(json, "kind", config->driver->kind);
  bb_json_writer_text(json, "endpoint", config->endpoint);
  bb_json_writer_bool(json, "open", link != NULL);
  if (link != NULL) {
    const bb_conn_counters *n = &link->conn->counters;
    if (link->since_ns != 0) bb_json_writer_bool(json, "up", link->conn->up);
    bb_client_put_time(json, "since", link->since_ns);
    bb_client_put_reason(json, &link->reason);
    bb_json_writer_uint(json, "requests", n->requests);
    bb_json_writer_uint(json, "answers", n->answers);
    bb_json_writer_uint(json, "refusals", n->refusals);
    bb_json_writer_uint(json, "timeouts", n->timeouts);
    bb_json_writer_uint(json, "malformed", n->malformed);
    bb_json_writer_uint(json, "discarded", n->discarded);
    bb_json_writer_uint(json, "connects", n->connects);
    bb_json_writer_uint(json, "disconnects", n->disconnects);
  }
  bb_json_writer_end(json);
}

static void put_scan(bb_json_writer *json, const bb_station_scan *scan) {
  const bb_scan_counters *n = &scan->counters;
  char shape[17];
  bb_json_writer_map(json, NULL);
  bb_json_writer_text(json, "scan", scan->scan->name);
  bb_json_writer_text(json, "mode", scan->mode == BB_SCAN_PUSHED ? "pushed" : "polled");
  if (scan->scan->period_ms > 0) {
    bb_json_writer_uint(json, "period_ms", scan->scan->period_ms);
  }
  if (scan->shape != NULL) {
    snprintf(shape, sizeof(shape), "%016llx", (unsigned long long)scan->shape->hash);
    bb_json_writer_text(json, "shape", shape);
    bb_json_writer_uint(json, "points", scan->shape->n_points);
  }
  if (scan->has_latest) {
    bb_client_put_time(json, "timestamp", scan->latest.time_ns);
    bb_json_writer_uint(json, "good", bb_batch_good(&scan->latest));
    bb_json_writer_bool(json, "stale", scan->stale);
  }
  bb_json_writer_uint(json, "polls", n->polls);
  bb_json_writer_uint(json, "done", n->done);
  bb_json_writer_uint(json, "failed", n->failed);
  bb_json_writer_uint(json, "skipped", n->skipped);
  bb_json_writer_uint(json, "late_max_us", n->late_ns_max / 1000);
  bb_json_writer_end(json);
}

static void put_device(bb_json_writer *json, const bb_config_device *config,
                       const bb_station *station) {
  bb_json_writer_map(json, NULL);
  bb_json_writer_text(json, "id", config->id);
  bb_json_writer_text(json, "connection", config->connection->id);
  if (config->profile != NULL) bb_json_writer_text(json, "profile", config->profile->id);
  bb_json_writer_bool(json, "enabled", config->enabled);
  bb_json_writer_map(json, "tags");
  for (uint32_t i = 0; i < config->device->n_tags; i++) {
    bb_json_writer_text(json, config->device->tags[i].key, config->device->tags[i].value);
  }
  bb_json_writer_end(json);
  if (station != NULL) {
    if (station->known) bb_json_writer_bool(json, "up", station->up);
    bb_client_put_time(json, "since", station->since_ns);
    bb_client_put_time(json, "heard", station->heard_ns);
    bb_client_put_reason(json, &station->reason);
    bb_json_writer_list(json, "scans");
    for (uint32_t i = 0; i < station->n_scans; i++) put_scan(json, &station->scans[i]);
    bb_json_writer_end(json);
  }
  bb_json_writer_end(json);
}

static void put_sink(bb_json_writer *json, const bb_config_sink *config, const bb_outlet *outlet) {
  bb_json_writer_map(json, NULL);
  bb_json_writer_text(json, "id", config->id);
  bb_json_writer_text(json, "kind", config->kind->kind);
  bb_json_writer_bool(json, "enabled", config->enabled);
  bb_json_writer_text(json, "store", config->store.mode == BB_CONFIG_DISK ? "disk" : "memory");
  if (outlet != NULL) {
    bb_json_writer_bool(json, "ready", outlet->ready);
    bb_client_put_time(json, "since", outlet->since_ns);
    bb_client_put_reason(json, &outlet->reason);
    bb_json_writer_uint(json, "waiting", bb_outlet_depth(outlet));
    bb_json_writer_uint(json, "saved", bb_outlet_saved(outlet));
    bb_json_writer_uint(json, "delivered", outlet->counters.delivered);
    bb_json_writer_uint(json, "retried", outlet->counters.retried);
    bb_json_writer_uint(json, "refused", outlet->counters.refused);
    bb_json_writer_uint(json, "dropped", outlet->counters.dropped);
    if (outlet->counters.refused > 0) {
      bb_json_writer_text(json, "refusal", outlet->refused.text);
    }
  }
  bb_json_writer_end(json);
}

/* What a status is about: all, or what was asked for, by places in the config. */
typedef struct status_choice {
  bool all;
  bool *devices, *connections;
} status_choice;

static void choose(const bb_config *config, size_t device, status_choice *out) {
  out->devices[device] = true;
  out->connections[config->devices[device].connection - config->connections] = true;
}

/* Clients ask for their devices by ids, a few of thousands at a time: only a pattern goes through all.
 * False: no memory. */
static bool choose_all(const bb_config *config, const bb_doc *patterns, status_choice *out) {
  *out = (status_choice){.all = patterns == NULL};
  if (out->all) return true;
  out->devices = calloc(config->n_devices + (size_t)config->n_connections + 1, sizeof(bool));
  if (out->devices == NULL) return false;
  out->connections = out->devices + config->n_devices;
  for (const bb_doc *item = patterns->first; item != NULL; item = item->next) {
    if (item->kind != BB_DOC_SCALAR) continue;
    const bb_config_device *known = bb_map_get(&config->devices_by_id, item->text);
    if (known != NULL) choose(config, (size_t)(known - config->devices), out);
    if (strchr(item->text, '*') == NULL) continue;
    for (uint32_t i = 0; i < config->n_devices; i++) {
      if (bb_text_match(item->text, config->devices[i].id)) choose(config, i, out);
    }
  }
  return true;
}

static void put_links(bb_json_writer *json, const bb_runtime *runtime, const bb_config *config,
                      const status_choice *choice) {
  bb_json_writer_list(json, "connections");
  for (uint32_t i = 0; i < config->n_connections; i++) {
    const bb_config_connection *connection = &config->connections[i];
    if (!choice->all && !choice->connections[i]) continue;
    put_link(json, connection, bb_map_get(&runtime->links, connection->id));
  }
  bb_json_writer_end(json);
}

static void put_devices(bb_json_writer *json, const bb_runtime *runtime, const bb_config *config,
                        const status_choice *choice) {
  bb_json_writer_list(json, "devices");
  for (uint32_t i = 0; i < config->n_devices; i++) {
    const bb_config_device *device = &config->devices[i];
    if (!choice->all && !choice->devices[i]) continue;
    put_device(json, device, bb_runtime_station(runtime, device->id));
  }
  bb_json_writer_end(json);
}

void bb_request_status(bb_request *request) {
  const bb_socket *socket = request->client->socket;
  const bb_runtime *runtime = socket->runtime;
  static const bb_config none = {0};
  const bb_config *config = runtime->config != NULL ? runtime->config : &none;
  status_request in;
  status_choice choice;
  if (!bb_request_read(request, &status_schema, &in)) return;
  if (!choose_all(config, in.devices, &choice)) {
    bb_request_refuse(request->client, request->id, BB_ERR_NOMEM, "out of memory");
    return;
  }
  bb_json_writer json = bb_request_answer(request->client, request->id);
  put_runtime(&json, socket);
  put_links(&json, runtime, config, &choice);
  put_devices(&json, runtime, config, &choice);
  free(choice.devices);
  bb_json_writer_list(&json, "sinks");
  for (uint32_t i = 0; i < config->n_sinks; i++) {
    const bb_config_sink *sink = &config->sinks[i];
    put_sink(&json, sink, bb_runtime_outlet(runtime, sink->id));
  }
  bb_json_writer_end(&json);
  bb_request_end(request->client, &json);
}
