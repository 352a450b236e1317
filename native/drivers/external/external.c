/* SPDX-License-Identifier: Apache-2.0 */
/* Who feeds which device, and what the host is told; see external.h. */
#include "drivers/external/external.h"

#include <stdlib.h>

#include "base/err.h"
#include "drivers/external/device.h"

static bb_external_device *device_of(bb_attachment *attachment) {
  return (bb_external_device *)attachment;
}

static bb_external_conn *conn_of(bb_attachment *attachment) {
  return (bb_external_conn *)attachment->conn;
}

static int endpoint(const bb_doc *options, char *out, size_t cap) {
  (void)options;
  if (cap > 0) out[0] = 0;
  return 0;
}

static int open_conn(bb_conn *conn, const bb_doc *options) {
  (void)conn;
  (void)options;
  return 0;
}

static void close_conn(bb_conn *conn) {
  conn->up = false;
  conn->host->on_closed(conn);
}

static void free_scans(bb_external_device *device) {
  for (uint32_t i = 0; i < device->base.n_scans; i++) {
    bb_shape_unref(device->scans[i].shape);
    free(device->scans[i].places);
    device->scans[i] = (bb_external_scan){0};
  }
}

static int attach(bb_attachment *attachment) {
  bb_external_device *device = device_of(attachment);
  uint32_t n = attachment->profile != NULL ? attachment->n_scans : 0;
  attachment->up = true;
  for (uint32_t i = 0; i < n; i++) {
    device->scans[i].shape = bb_scan_shape(attachment->profile, &attachment->scans[i]);
    if (device->scans[i].shape == NULL) {
      free_scans(device);
      return BB_ERR_NOMEM;
    }
  }
  for (uint32_t i = 0; i < n; i++) {
    bb_shape *shape = bb_shape_ref(device->scans[i].shape);
    attachment->conn->host->on_shape(attachment, i, shape, BB_SCAN_PUSHED);
  }
  return 0;
}

/* Scans are pushed, so nobody asks. */
static int poll_scan(bb_attachment *attachment, uint32_t scan) {
  (void)attachment;
  (void)scan;
  return BB_ERR_UNSUPPORTED;
}

static void drop_source(bb_external_device *device) {
  bb_attachment *attachment = &device->base;
  bb_external_conn *conn = conn_of(attachment);
  bb_reason reason;
  if (device->source == NULL) return;
  device->source = NULL;
  if (--conn->fed > 0) return;
  conn->base.up = false;
  conn->base.counters.disconnects++;
  bb_reason_set(&reason, BB_ERR_CLOSED, 0, "no client sends values for its devices");
  conn->base.host->on_link(&conn->base, false, &reason);
}

static int hold(bb_external_device *device, const void *source, bb_reason *reason) {
  bb_external_conn *conn = conn_of(&device->base);
  bb_reason none = {0};
  if (device->source == source) return 0;
  if (device->source != NULL) {
    bb_reason_set(reason, BB_ERR_BUSY, 0, "another client sends its values");
    return BB_ERR_BUSY;
  }
  device->source = source;
  if (conn->fed++ > 0) return 0;
  conn->base.up = true;
  conn->base.counters.connects++;
  conn->base.host->on_link(&conn->base, true, &none);
  return 0;
}

/* on_detached may free both the device and the connection. */
static void detach(bb_attachment *attachment) {
  bb_external_device *device = device_of(attachment);
  drop_source(device);
  free_scans(device);
  attachment->conn->host->on_detached(attachment);
}

static int refuse(bb_external_device *device, int err) {
  device->base.conn->counters.malformed++;
  return err;
}

int bb_external_push_shape(bb_attachment *attachment, const void *source, const bb_shape *shape,
                           bb_reason *reason) {
  bb_external_device *device = device_of(attachment);
  int err = hold(device, source, reason);
  if (err < 0) return err;
  int scan = bb_external_learn(device, shape, reason);
  return scan < 0 ? refuse(device, scan) : 0;
}

/* The first batch, and the first one after a loss, brings the device back. */
static void seen(bb_external_device *device) {
  bb_attachment *attachment = &device->base;
  bb_reason none = {0};
  if (attachment->up && device->heard) return;
  attachment->up = device->heard = true;
  attachment->conn->host->on_device(attachment, true, &none);
}

/* It needs no scan: a device may have nothing but events. */
static int push_event(bb_external_device *device, const bb_batch *batch, bb_reason *reason) {
  bb_attachment *attachment = &device->base;
  if (batch->text_len == 0) {
    bb_reason_set(reason, BB_ERR_INVALID, 0, "an event needs a text");
    return refuse(device, BB_ERR_INVALID);
  }
  seen(device);
  int err = attachment->conn->host->on_event(attachment, batch->time_ns,
                                             batch->flags & BB_BATCH_CLOCK_UNSET, batch->text,
                                             batch->text_len);
  if (err == BB_ERR_LIMIT) {
    bb_reason_set(reason, err, 0, "an event of %u bytes is too long; at most %d", batch->text_len,
                  BB_MAX_EVENT_TEXT);
    return refuse(device, err);
  }
  if (err < 0) {
    bb_reason_set(reason, err, 0, "no room for an event now");
    return err;
  }
  attachment->conn->counters.answers++;
  return 0;
}

int bb_external_push_batch(bb_attachment *attachment, const void *source, const bb_batch *batch,
                           bb_reason *reason) {
  bb_external_device *device = device_of(attachment);
  const bb_driver_host *host = attachment->conn->host;
  if (batch->kind != BB_BATCH_SAMPLES && batch->kind != BB_BATCH_EVENT) {
    bb_reason_set(reason, BB_ERR_UNSUPPORTED, 0,
                  "only samples and events are taken; outcomes are those of the runtime's own "
                  "writes");
    return refuse(device, BB_ERR_UNSUPPORTED);
  }
  int err = hold(device, source, reason);
  if (err < 0) return err;
  if (batch->kind == BB_BATCH_EVENT) return push_event(device, batch, reason);
  int scan = bb_external_learn(device, batch->shape, reason);
  if (scan < 0) return refuse(device, scan);
  bb_draft *draft = host->take(attachment, (uint32_t)scan);
  if (draft == NULL) {
    bb_reason_set(reason, BB_ERR_AGAIN, 0, "no room for scan %s now", batch->shape->scan);
    return BB_ERR_AGAIN;
  }
  bb_external_fill(&device->scans[scan], batch, draft);
  attachment->conn->counters.answers++;
  seen(device);
  host->on_batch(attachment, (uint32_t)scan, draft);
  return 0;
}

void bb_external_leave(bb_attachment *attachment, const void *source) {
  bb_external_device *device = device_of(attachment);
  bb_reason reason;
  if (device->source == NULL || device->source != source) return;
  drop_source(device);
  attachment->up = false;
  bb_reason_set(&reason, BB_ERR_CLOSED, 0, "its source disconnected");
  attachment->conn->host->on_device(attachment, false, &reason);
}

static const bb_schema options = {"external", NULL, 0};
static const bb_schema device_options = {"external device", NULL, 0};

const bb_driver bb_driver_external = {
    .kind = "external",
    .conn_bytes = sizeof(bb_external_conn),
    .attachment_bytes = sizeof(bb_external_device),
    .options = &options,
    .device_options = &device_options,
    .endpoint = endpoint,
    .open = open_conn,
    .attach = attach,
    .poll = poll_scan,
    .detach = detach,
    .close = close_conn,
};
