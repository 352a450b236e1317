/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_driver.h. */
#include "support/fake_driver.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "support/journal.h"

#define POLLED "slow"

typedef struct {
  uint32_t port;
  bool fails;
} conn_options;

static const bb_field conn_fields[] = {
    {"port", BB_FIELD_U32, offsetof(conn_options, port), true, 1, 65535, NULL, NULL, "its port"},
    {"fails", BB_FIELD_BOOL, offsetof(conn_options, fails), false, 0, 0, NULL, "false",
     "open fails"},
};
static const bb_schema conn_schema = BB_SCHEMA("cyclic", conn_fields);

typedef struct {
  uint32_t slot;
  bool fails;
} device_options;

static const bb_field device_fields[] = {
    {"slot", BB_FIELD_U32, offsetof(device_options, slot), false, 0, 15, NULL, NULL, "its slot"},
    {"fails", BB_FIELD_BOOL, offsetof(device_options, fails), false, 0, 0, NULL, "false",
     "attach fails"},
};
static const bb_schema device_schema = BB_SCHEMA("cyclic device", device_fields);

static bool says(const bb_doc *options, const char *key, const char *text) {
  const char *found = bb_doc_get_text(options, key);
  return found != NULL && strcmp(found, text) == 0;
}

static int check(const bb_doc *options, bb_report *report) {
  if (!says(options, "port", "7")) return 0;
  bb_report_add(report, bb_doc_get(options, "port"), "7 is the echo; allowed: any other");
  return BB_ERR_CONFIG;
}

static int check_device(const bb_doc *options, const bb_profile *profile, bb_report *report) {
  (void)profile;
  if (!says(options, "slot", "13")) return 0;
  bb_report_add(report, bb_doc_get(options, "slot"), "there is no slot 13; allowed: any other");
  return BB_ERR_CONFIG;
}

static int endpoint(const bb_doc *options, char *out, size_t cap) {
  snprintf(out, cap, "fake:%s", bb_doc_get_text(options, "port"));
  return 0;
}

static void on_connected(uv_timer_t *timer) {
  fake_conn_state(timer->data, true, NULL);
}

static int open_conn(bb_conn *base, const bb_doc *options) {
  fake_conn *conn = (fake_conn *)base;
  if (says(options, "fails", "true")) return UV_EACCES;
  journal_add("%s open", base->id);
  uv_timer_init(base->loop, &conn->later);
  conn->later.data = conn;
  uv_timer_start(&conn->later, on_connected, 0, 0);
  return 0;
}

static void on_conn_closed(uv_handle_t *handle) {
  fake_conn *conn = handle->data;
  conn->base.host->on_closed(&conn->base);
}

static void close_conn(bb_conn *base) {
  fake_conn *conn = (fake_conn *)base;
  journal_add("%s close", base->id);
  uv_close((uv_handle_t *)&conn->later, on_conn_closed);
}

static bb_scan_mode mode_of(const bb_scan *scan) {
  return strcmp(scan->name, POLLED) == 0 ? BB_SCAN_POLLED : BB_SCAN_PUSHED;
}

static void announce(fake_device *device, uint32_t place) {
  const bb_scan *scan = &device->base.scans[place];
  bb_shape *shape = bb_scan_shape(device->base.profile, scan);
  device->base.conn->host->on_shape(&device->base, place, shape, mode_of(scan));
}

static void fill(fake_device *device, bb_draft *draft) {
  const bb_shape *shape = draft->shape;
  for (uint16_t i = 0; i < shape->n_points; i++) {
    bb_value number = {.type = BB_TYPE_F64, .v.d = device->value + i}, value;
    if (bb_value_convert(number, shape->points[i].type, &value) < 0) continue;
    bb_value_store(value, draft->values + shape->offsets[i], shape->points[i].size);
    draft->quality[i] = device->quality;
    draft->codes[i] = device->code;
    draft->has_codes = device->code != 0;
    if (draft->raw != NULL) memset(draft->raw + (size_t)i * BB_DRAFT_RAW, i + 1, BB_DRAFT_RAW);
  }
}

static bool push(fake_device *device, uint32_t scan) {
  const bb_driver_host *host = device->base.conn->host;
  bb_draft *draft = host->take(&device->base, scan);
  if (draft == NULL) {
    device->refused++;
    return false;
  }
  fill(device, draft);
  host->on_batch(&device->base, scan, draft);
  return true;
}

static void end_write(fake_device *device, bb_outcome outcome, const char *text) {
  bb_command *command = device->command;
  bb_reason reason = {0};
  if (command == NULL) return;
  device->command = NULL;
  if (text != NULL) bb_reason_set(&reason, BB_ERR_REFUSED, 5, "%s", text);
  for (uint16_t i = 0; outcome == BB_OUTCOME_CONFIRMED && i < command->n; i++) {
    command->measured[i] = command->values[i];
    command->has_measured |= 1ull << i;
  }
  device->base.conn->host->on_write_done(&device->base, command, outcome, &reason);
}

static void end_poll(fake_device *device, int status) {
  if (!device->polling) return;
  device->polling = device->ends = false;
  if (status == 0) push(device, device->polled);
  device->base.conn->host->on_poll_done(&device->base, device->polled, status);
}

static void on_detached(uv_handle_t *handle) {
  fake_device *device = handle->data;
  ((fake_conn *)device->base.conn)->n_devices--;
  device->base.conn->host->on_detached(&device->base);
}

/* From the loop: all that a call has begun. */
static void on_later(uv_timer_t *timer) {
  fake_device *device = timer->data;
  if (device->leaving) {
    end_poll(device, UV_ECANCELED);
    end_write(device, BB_OUTCOME_UNKNOWN, "the device was removed");
    uv_close((uv_handle_t *)timer, on_detached);
    return;
  }
  for (uint32_t i = 0; !device->announced && i < device->base.n_scans; i++) {
    if (mode_of(&device->base.scans[i]) == BB_SCAN_PUSHED) announce(device, i);
  }
  device->announced = true;
  if (device->ends) end_poll(device, device->poll_status);
  if (!device->holds_writes) end_write(device, device->outcome, device->outcome_text);
}

static void soon(fake_device *device) {
  uv_timer_start(&device->later, on_later, 0, 0);
}

/* Polled scans are known at once, pushed ones once the device was asked: both are allowed. */
static int attach(bb_attachment *base) {
  fake_device *device = (fake_device *)base;
  if (says(base->options, "fails", "true")) return BB_ERR_NOMEM;
  journal_add("%s attach", base->device->id);
  uv_timer_init(base->conn->loop, &device->later);
  device->later.data = device;
  ((fake_conn *)base->conn)->n_devices++;
  for (uint32_t i = 0; i < base->n_scans; i++) {
    if (mode_of(&base->scans[i]) == BB_SCAN_POLLED) announce(device, i);
  }
  soon(device);
  return 0;
}

static int poll_scan(bb_attachment *base, uint32_t scan) {
  fake_device *device = (fake_device *)base;
  journal_add("%s poll %s", base->device->id, base->scans[scan].name);
  device->polling = true;
  device->polled = scan;
  if (device->holds_polls) return 0;
  device->ends = true;
  soon(device);
  return 0;
}

static int write_points(bb_attachment *base, bb_command *command) {
  fake_device *device = (fake_device *)base;
  if (device->write_status < 0) return device->write_status;
  journal_add("%s write %s", base->device->id, command->id);
  device->command = command;
  soon(device);
  return 0;
}

static void detach(bb_attachment *base) {
  fake_device *device = (fake_device *)base;
  journal_add("%s detach", base->device->id);
  device->leaving = true;
  soon(device);
}

bool fake_device_push(fake_device *device, uint32_t scan, double value) {
  device->value = value;
  return push(device, scan);
}

void fake_device_end_poll(fake_device *device) {
  end_poll(device, device->poll_status);
}

void fake_device_state(fake_device *device, bool up, const char *why) {
  bb_reason reason = {0};
  if (!up) bb_reason_set(&reason, BB_ERR_TIMEOUT, 0, "%s", why);
  device->base.up = up;
  device->base.conn->host->on_device(&device->base, up, &reason);
}

void fake_device_layout(fake_device *device, uint32_t place, uint16_t n) {
  bb_scan scan = device->base.scans[place];
  scan.n_points = n;
  bb_shape *shape = bb_scan_shape(device->base.profile, &scan);
  device->base.conn->host->on_shape(&device->base, place, shape, mode_of(&scan));
}

void fake_conn_state(fake_conn *conn, bool up, const char *why) {
  bb_reason reason = {0};
  if (!up) bb_reason_set(&reason, BB_ERR_CLOSED, 0, "%s", why);
  conn->base.up = up;
  conn->base.host->on_link(&conn->base, up, &reason);
}

const bb_driver bb_driver_fake = {
    .kind = "cyclic",
    .conn_bytes = sizeof(fake_conn),
    .attachment_bytes = sizeof(fake_device),
    .options = &conn_schema,
    .device_options = &device_schema,
    .check = check,
    .check_device = check_device,
    .endpoint = endpoint,
    .open = open_conn,
    .attach = attach,
    .poll = poll_scan,
    .write = write_points,
    .detach = detach,
    .close = close_conn,
};
