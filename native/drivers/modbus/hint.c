/* SPDX-License-Identifier: Apache-2.0 */
/* See hint.h. */
#include "drivers/modbus/hint.h"

#include "drivers/modbus/device.h"

static bb_modbus_hint *hint_of(bb_modbus_job *job) {
  return (bb_modbus_hint *)job;
}

static const bb_profile_point *point_of(const bb_modbus_hint *hint) {
  return &hint->device->base.profile->points[hint->point];
}

static bb_space other_table(bb_space space) {
  return space == BB_SPACE_HOLDING ? BB_SPACE_INPUT : BB_SPACE_HOLDING;
}

/* A scan without a period of its own is polled when somebody asks for it, perhaps never. */
static bool is_all_refused(const bb_modbus_device *device) {
  for (uint32_t i = 0; i < device->base.n_scans; i++) {
    const bb_modbus_read *read = &device->reads[i];
    if (read->plan.n_blocks == 0) continue;
    if (read->polled ? !read->unknown : device->base.scans[i].period_ms > 0) return false;
  }
  return true;
}

static bool can_ask(const bb_modbus_device *device, const bb_profile_point *point) {
  bb_space other = other_table(point->space);
  if (point->space != BB_SPACE_HOLDING && point->space != BB_SPACE_INPUT) return false;
  return point->length <= device->limits.most[other] &&
         bb_modbus_limits_allow(&device->limits, other, point->address,
                                point->address + point->length);
}

/* The first point that may be asked for in the other table. */
static bool choose(bb_modbus_hint *hint) {
  const bb_modbus_device *device = hint->device;
  for (uint32_t i = 0; i < device->base.n_scans; i++) {
    const bb_modbus_plan *plan = &device->reads[i].plan;
    for (uint16_t k = 0; k < plan->n_items; k++) {
      hint->point = plan->points[plan->items[k].place];
      if (can_ask(device, point_of(hint))) return true;
    }
  }
  return false;
}

static bool next(bb_modbus_job *job, bb_modbus_request *request, uint16_t *tag) {
  const bb_profile_point *point = point_of(hint_of(job));
  *request = (bb_modbus_request){
      .function = point->space == BB_SPACE_HOLDING ? BB_MODBUS_READ_INPUT_REGISTERS
                                                   : BB_MODBUS_READ_HOLDING_REGISTERS,
      .address = (uint16_t)point->address,
      .quantity = point->length,
  };
  *tag = 0;
  job->more = false;
  return true;
}

static void answered(bb_modbus_job *job, uint16_t tag, uint8_t exception,
                     const bb_modbus_response *response) {
  bb_modbus_hint *hint = hint_of(job);
  const bb_modbus_device *device = hint->device;
  const bb_profile_point *point = point_of(hint);
  const char *ours = bb_space_name(point->space), *other = bb_space_name(other_table(point->space));
  (void)tag;
  (void)response;
  if (exception != 0 || device->delivered) return;
  hint->told = true;
  bb_log_warn(
      device->line->base.log, device->base.device->id,
      "%s: %s register %u is refused, but %s register %u answers: this device seems to keep "
      "its values in the %s registers; in profile %s set `table: %s`, or write `%s` in place "
      "of `%s`",
      point->point.name, ours, point->address, other, point->address, other,
      device->base.profile->id, other, other, ours);
}

/* No answer tells nothing. */
static void failed(bb_modbus_job *job, uint16_t tag, int status) {
  (void)job;
  (void)tag;
  (void)status;
}

static void dropped(bb_modbus_job *job, int status) {
  (void)job;
  (void)status;
}

static const bb_modbus_job_type type = {next, answered, failed, dropped};

void bb_modbus_hint_init(bb_modbus_hint *hint, struct bb_modbus_device *device) {
  *hint = (bb_modbus_hint){.device = device};
  hint->job.type = &type;
  hint->job.unit = device->unit;
  bb_list_init(&hint->job.node);
}

void bb_modbus_hint_consider(bb_modbus_hint *hint) {
  const bb_modbus_device *device = hint->device;
  if (hint->asked || hint->told || device->delivered || device->left) return;
  if (device->base.apart) return; /* it may be of other settings than the device that is logged */
  if (!is_all_refused(device) || !choose(hint)) return;
  hint->asked = bb_modbus_line_read(&hint->job) == 0;
}

void bb_modbus_hint_renew(bb_modbus_hint *hint) {
  hint->asked = false;
}

void bb_modbus_hint_close(bb_modbus_hint *hint) {
  bb_modbus_line_forget(&hint->job);
}
