/* SPDX-License-Identifier: Apache-2.0 */
/* See device.h. */
#include "drivers/modbus/device.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "drivers/modbus/write.h"

static bb_modbus_device *device_of(bb_attachment *attachment) {
  return (bb_modbus_device *)attachment;
}

static void free_reads(bb_modbus_device *device) {
  for (uint32_t i = 0; i < device->base.n_scans; i++) bb_modbus_read_close(&device->reads[i]);
  free(device->reads);
  device->reads = NULL;
}

static int make_reads(bb_modbus_device *device) {
  uint32_t n = device->base.n_scans;
  device->reads = calloc(n + (size_t)1, sizeof(*device->reads));
  if (device->reads == NULL) return BB_ERR_NOMEM;
  for (uint32_t i = 0; i < n; i++) {
    if (bb_modbus_read_init(&device->reads[i], device, i) == 0) continue;
    free_reads(device);
    return BB_ERR_NOMEM;
  }
  return 0;
}

static void drop_shapes(bb_shape **shapes, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) bb_shape_unref(shapes[i]);
}

static int make_shapes(const bb_attachment *attachment, bb_shape **shapes) {
  for (uint32_t i = 0; i < attachment->n_scans; i++) {
    shapes[i] = bb_scan_shape(attachment->profile, &attachment->scans[i]);
    if (shapes[i] != NULL) continue;
    drop_shapes(shapes, i);
    return BB_ERR_NOMEM;
  }
  return 0;
}

/* A guest shares no unit with the devices of the line. */
static int take_unit(bb_modbus_device *device, uint8_t id) {
  const bb_profile_modbus *modbus = &device->base.profile->modbus;
  return device->base.apart
             ? bb_modbus_unit_take_apart(device->line, id, modbus->min_interval_ms, &device->unit)
             : bb_modbus_unit_take(device->line, id, modbus->max_in_flight, modbus->min_interval_ms,
                                   &device->unit);
}

int bb_modbus_attach(bb_attachment *attachment, const bb_schema *schema) {
  bb_modbus_device *device = device_of(attachment);
  bb_modbus_line *line = (bb_modbus_line *)attachment->conn;
  bb_shape *shapes[BB_MAX_SCANS];
  assert(attachment->n_scans <= BB_MAX_SCANS);
  device->line = line;
  bb_list_init(&device->writes);
  bb_list_init(&device->leaving);
  bb_modbus_limits_init(&device->limits, attachment->profile);
  int err = make_shapes(attachment, shapes);
  if (err < 0) return err;
  err = take_unit(device, bb_modbus_unit_read(schema, attachment->options));
  if (err < 0) goto out;
  err = make_reads(device);
  if (err < 0) {
    bb_modbus_unit_give(device->unit);
    goto out;
  }
  bb_modbus_hint_init(&device->hint, device);
  bb_list_append(&device->unit->devices, &device->node);
  attachment->up = true;
  for (uint32_t i = 0; i < attachment->n_scans; i++) {
    line->base.host->on_shape(attachment, i, shapes[i], BB_SCAN_POLLED);
  }
  return 0;
out:
  drop_shapes(shapes, attachment->n_scans);
  return err;
}

int bb_modbus_poll(bb_attachment *attachment, uint32_t scan) {
  bb_modbus_device *device = device_of(attachment);
  bb_modbus_read *read = &device->reads[scan];
  if (device->left || read->busy) return BB_ERR_STATE;
  bb_modbus_line_enter(device->line);
  bb_modbus_read_start(read);
  bb_modbus_line_leave(device->line);
  return 0;
}

int bb_modbus_write_command(bb_attachment *attachment, bb_command *command) {
  bb_modbus_device *device = device_of(attachment);
  if (device->left) return BB_ERR_STATE;
  bb_modbus_line_enter(device->line);
  int err = bb_modbus_write_start(device, command);
  bb_modbus_line_leave(device->line);
  return err;
}

void bb_modbus_detach(bb_attachment *attachment) {
  bb_modbus_device *device = device_of(attachment);
  bb_modbus_line *line = device->line;
  bb_modbus_line_enter(line);
  device->left = true;
  bb_modbus_line_let_go(line, &device->leaving);
  bb_modbus_line_leave(line);
}

static void on_leave(bb_list *node) {
  bb_modbus_device *device = BB_LIST_ITEM(node, bb_modbus_device, leaving);
  const bb_driver_host *host = device->line->base.host;
  bb_list *first;
  for (uint32_t i = 0; i < device->base.n_scans; i++) {
    bb_modbus_read_end(&device->reads[i], BB_ERR_CLOSED);
  }
  bb_modbus_hint_close(&device->hint);
  while ((first = bb_list_first(&device->writes)) != NULL) {
    bb_modbus_write_abandon(BB_LIST_ITEM(first, bb_modbus_write, node));
  }
  free_reads(device);
  bb_list_remove(&device->node);
  bb_modbus_unit_give(device->unit);
  host->on_detached(&device->base);
}

/* Also when the connection is back and the device still does not answer: that is another loss. */
static bool is_news(const bb_modbus_device *device, bool up, bool with_line) {
  if (device->left) return false;
  if (!device->told || device->base.up != up) return true;
  return !up && device->lost_with_line && !with_line;
}

static void on_unit(bb_modbus_unit *unit, bool up, const bb_reason *reason) {
  bool with_line = !up && unit->line->down;
  for (bb_list *node = unit->devices.next; node != &unit->devices; node = node->next) {
    bb_modbus_device *device = BB_LIST_ITEM(node, bb_modbus_device, node);
    if (!is_news(device, up, with_line)) continue;
    device->told = true;
    device->lost_with_line = with_line;
    device->base.up = up;
    unit->line->base.host->on_device(&device->base, up, reason);
  }
}

static void on_back(bb_modbus_unit *unit) {
  for (bb_list *node = unit->devices.next; node != &unit->devices; node = node->next) {
    bb_modbus_device *device = BB_LIST_ITEM(node, bb_modbus_device, node);
    for (uint32_t i = 0; i < device->base.n_scans; i++) {
      bb_modbus_plan_forgive(&device->reads[i].plan);
    }
    device->no_mask_write = false;
    bb_modbus_hint_renew(&device->hint);
  }
}

const bb_modbus_line_events bb_modbus_device_events = {on_unit, on_back, on_leave};
