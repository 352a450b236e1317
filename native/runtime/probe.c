/* SPDX-License-Identifier: Apache-2.0 */
/* How a probe begins and ends; see probe.h. What the driver calls is in probe_host.c. */
#include "runtime/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "io/error.h"
#include "runtime/probe_host.h"
#include "runtime/runtime.h"

static bb_runtime_probe *probe_at(bb_list *node) {
  return BB_LIST_ITEM(node, bb_runtime_probe, node);
}

static const bb_config_connection *connection_of(const bb_runtime_probe *probe) {
  return probe->wish.device->connection;
}

/* --- the end --- */

static void free_probe(bb_runtime_probe *probe) {
  bb_runtime *runtime = probe->runtime;
  bool awaited = probe->awaited;
  for (uint32_t i = 0; i < probe->n_scans; i++) {
    bb_shape_unref(probe->scans[i].shape);
    free(probe->scans[i].memory);
  }
  bb_list_remove(&probe->node);
  bb_config_unref(probe->wish.config);
  free(probe->attachment);
  free(probe->conn);
  free(probe);
  if (awaited) bb_runtime_probe_closed(runtime);
}

static void on_handle_closed(uv_handle_t *handle) {
  bb_runtime_probe *probe = handle->data;
  if (--probe->handles == 0) free_probe(probe);
}

static void tell(bb_runtime_probe *probe) {
  void (*on_done)(bb_runtime_probe *) = probe->wish.on_done;
  probe->wish.on_done = NULL;
  if (on_done != NULL) on_done(probe);
}

void bb_runtime_probe_release(bb_runtime_probe *probe) {
  probe->released = true;
  tell(probe);
  uv_close((uv_handle_t *)&probe->step, on_handle_closed);
  uv_close((uv_handle_t *)&probe->deadline, on_handle_closed);
}

void bb_runtime_probe_leave(bb_runtime_probe *probe) {
  if (probe->conn != NULL) {
    probe->conn->driver->close(probe->conn);
  } else {
    bb_runtime_probe_release(probe);
  }
}

/* A driver that does not let go soon (a serial line that waits, a lookup) holds up no answer. */
static void on_deadline(uv_timer_t *timer) {
  bb_runtime_probe *probe = timer->data;
  if (probe->ending) {
    tell(probe);
  } else {
    bb_runtime_probe_conclude(probe, true);
    bb_runtime_probe_end(probe);
  }
}

void bb_runtime_probe_end(bb_runtime_probe *probe) {
  if (probe->ending) return;
  probe->ending = true;
  probe->took_ns = bb_clock_mono_ns(&probe->runtime->clock) - probe->started_ns;
  uv_timer_stop(&probe->step);
  uv_timer_start(&probe->deadline, on_deadline, BB_RUNTIME_PROBE_LET_GO_MS, 0);
  if (probe->attached) {
    connection_of(probe)->driver->detach(probe->attachment);
  } else {
    bb_runtime_probe_leave(probe);
  }
}

static void interrupt(bb_runtime_probe *probe, int status) {
  if (!probe->ending) probe->status = status;
  bb_runtime_probe_end(probe);
}

void bb_runtime_probe_cancel(bb_runtime_probe *probe) {
  interrupt(probe, UV_ECANCELED);
}

static bool is_in_the_way(const bb_runtime_probe *probe, const bb_config *config) {
  if (config == NULL) return true;
  if (probe->link != NULL) return probe->link->closing;
  if (probe->conn == NULL || probe->released) return false;
  for (uint32_t i = 0; i < config->n_connections; i++) {
    const bb_config_connection *wanted = &config->connections[i];
    if (!wanted->used || wanted->endpoint == NULL) continue;
    if (strcmp(wanted->endpoint, connection_of(probe)->endpoint) == 0) return true;
  }
  return false;
}

static void explain_yield(bb_runtime_probe *probe, bool stopping) {
  if (stopping) {
    bb_reason_set(&probe->reason, BB_ERR_CLOSED, 0, "the runtime is stopping");
  } else if (probe->link != NULL) {
    bb_reason_set(&probe->reason, BB_ERR_CLOSED, 0,
                  "the config that is being applied closes connection %s; ask again",
                  probe->link->id);
  } else {
    bb_reason_set(&probe->reason, BB_ERR_CLOSED, 0,
                  "the config that is being applied connects to the same device; ask again");
  }
}

void bb_runtime_probes_yield(bb_runtime *runtime, const bb_config *config) {
  for (bb_list *node = runtime->probes.next; node != &runtime->probes; node = node->next) {
    bb_runtime_probe *probe = probe_at(node);
    if (probe->awaited || !is_in_the_way(probe, config)) continue;
    probe->awaited = true;
    runtime->closing++;
  }
  /* Only when all are counted: the end of the first must not look like the end of all. */
  for (bb_list *node = runtime->probes.next; node != &runtime->probes; node = node->next) {
    bb_runtime_probe *probe = probe_at(node);
    if (!probe->awaited || probe->ending) continue;
    explain_yield(probe, config == NULL);
    interrupt(probe, BB_ERR_CLOSED);
  }
}

/* --- the beginning --- */

static bb_link *find_link(const bb_runtime *runtime, const char *endpoint) {
  for (size_t i = 0; i < runtime->links.cap; i++) {
    bb_link *link = runtime->links.entries[i].value;
    if (runtime->links.entries[i].key == NULL || link->config->endpoint == NULL) continue;
    if (strcmp(link->config->endpoint, endpoint) == 0) return link;
  }
  return NULL;
}

/* One for an endpoint, so also for a running connection. */
static int check_others(const bb_runtime *runtime, const bb_config_connection *wanted,
                        bb_reason *reason) {
  unsigned n = 0;
  for (bb_list *node = runtime->probes.next; node != &runtime->probes; node = node->next) {
    const bb_runtime_probe *other = probe_at(node);
    if (other->released) continue;
    n++;
    if (strcmp(connection_of(other)->endpoint, wanted->endpoint) != 0) continue;
    bb_reason_set(reason, BB_ERR_BUSY, 0, "%s on the same connection is just being read; ask again",
                  other->wish.device->id);
    return BB_ERR_BUSY;
  }
  if (n < BB_RUNTIME_PROBES) return 0;
  bb_reason_set(reason, BB_ERR_BUSY, 0, "%u devices are just being read so; ask again", n);
  return BB_ERR_BUSY;
}

static int check(const bb_runtime *runtime, const bb_config_device *device, const bb_link *link,
                 bb_reason *reason) {
  const bb_config_connection *wanted = device->connection;
  if (runtime->stopping || (link != NULL && link->closing)) {
    bb_reason_set(reason, BB_ERR_CLOSED, 0,
                  runtime->stopping ? "the runtime is stopping"
                                    : "the connection to the device is being closed; ask again");
  } else if (runtime->next != NULL) {
    bb_reason_set(reason, BB_ERR_AGAIN, 0, "a config is just being applied; ask again");
  } else if (link != NULL && link->config->driver != wanted->driver) {
    bb_reason_set(reason, BB_ERR_BUSY, 0,
                  "connection %s is at the same place and speaks %s, which does not go with %s",
                  link->id, link->config->driver->kind, wanted->driver->kind);
  } else {
    return check_others(runtime, wanted, reason);
  }
  return reason->code;
}

static uint32_t choose_scans(bb_runtime_probe *probe) {
  const bb_config_device *device = probe->wish.device;
  uint32_t n = 0;
  for (uint32_t i = 0; i < device->n_scans; i++) {
    if (probe->wish.scans >> i & 1) probe->list[n++] = device->scans[i];
  }
  return n;
}

static bb_runtime_probe *new_probe(bb_runtime *runtime, const bb_runtime_probe_wish *wish) {
  const bb_config_device *device = wish->device;
  bb_runtime_probe *probe =
      calloc(1, sizeof(*probe) + device->n_scans * sizeof(bb_runtime_probe_scan));
  bb_attachment *attachment = calloc(1, device->connection->driver->attachment_bytes);
  if (probe == NULL || attachment == NULL) {
    free(probe);
    free(attachment);
    return NULL;
  }
  probe->wish = *wish;
  if (wish->limit_ms == 0) probe->wish.limit_ms = BB_RUNTIME_PROBE_MS;
  probe->runtime = runtime;
  probe->n_scans = choose_scans(probe);
  probe->started_ns = bb_clock_mono_ns(&runtime->clock);
  probe->attachment = attachment;
  attachment->device = device->device;
  attachment->profile = device->profile;
  attachment->options = device->doc;
  attachment->scans = probe->list;
  attachment->n_scans = probe->n_scans;
  attachment->apart = true;
  attachment->owner = probe;
  uv_timer_init(runtime->loop, &probe->step);
  uv_timer_init(runtime->loop, &probe->deadline);
  probe->step.data = probe->deadline.data = probe;
  probe->handles = 2;
  bb_list_append(&runtime->probes, &probe->node);
  return probe;
}

static int open_own(bb_runtime_probe *probe) {
  const bb_config_connection *config = connection_of(probe);
  bb_runtime *runtime = probe->runtime;
  bb_conn *conn = calloc(1, config->driver->conn_bytes);
  if (conn == NULL) return BB_ERR_NOMEM;
  conn->id = config->id;
  conn->driver = config->driver;
  conn->host = &bb_runtime_probe_host;
  conn->loop = runtime->loop;
  conn->log = runtime->log;
  conn->clock = &runtime->clock;
  conn->seed = bb_hash_string(runtime->seed + BB_HASH_START, config->id);
  conn->owner = probe;
  int err = config->driver->open(conn, config->options);
  if (err < 0) {
    free(conn);
    return err;
  }
  probe->conn = conn;
  return 0;
}

static int attach(bb_runtime_probe *probe, bb_link *link) {
  probe->attachment->conn = link != NULL ? link->conn : probe->conn;
  int err = connection_of(probe)->driver->attach(probe->attachment);
  if (err < 0) return err;
  probe->attached = true;
  if (link == NULL) return 0;
  probe->link = link;
  link->n_stations++;
  snprintf(probe->through, sizeof(probe->through), "%s", link->id);
  probe->other_options = !bb_doc_equal(link->config->options, connection_of(probe)->options);
  return 0;
}

static int start(bb_runtime_probe *probe, bb_link *link, bb_reason *reason) {
  int err = link == NULL ? open_own(probe) : 0;
  if (err < 0) {
    bb_reason_set(reason, err, 0, "the connection cannot be opened: %s", bb_error_text(err));
    return err;
  }
  err = attach(probe, link);
  if (err < 0) {
    bb_reason_set(reason, err, 0, "the device cannot be attached: %s", bb_error_text(err));
    return err;
  }
  bb_runtime_probe_go_on(probe);
  uv_timer_start(&probe->deadline, on_deadline, probe->wish.limit_ms, 0);
  return 0;
}

int bb_runtime_probe_start(bb_runtime *runtime, const bb_runtime_probe_wish *wish,
                           bb_runtime_probe **out, bb_reason *reason) {
  const bb_config_device *device = wish->device;
  const char *endpoint = device->profile != NULL ? device->connection->endpoint : NULL;
  bb_link *link = endpoint != NULL ? find_link(runtime, endpoint) : NULL;
  bb_runtime_probe *probe = NULL;
  *out = NULL;
  int err = BB_ERR_UNSUPPORTED;
  if (endpoint == NULL) {
    bb_reason_set(reason, err, 0, "%s cannot be asked: a client sends its values", device->id);
  } else {
    err = check(runtime, device, link, reason);
  }
  if (err == 0) {
    probe = new_probe(runtime, wish);
    err = probe != NULL ? start(probe, link, reason) : BB_ERR_NOMEM;
  }
  if (probe == NULL) {
    if (err == BB_ERR_NOMEM) bb_reason_set(reason, err, 0, "out of memory");
    bb_config_unref(wish->config);
    return err;
  }
  if (err < 0) {
    probe->wish.on_done = NULL;
    bb_runtime_probe_end(probe);
    return err;
  }
  *out = probe;
  return 0;
}
