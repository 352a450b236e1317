/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a command; see write.h. How it ends: write_end.c. */
#include "drivers/modbus/write.h"

#include <stdlib.h>

#include "base/err.h"
#include "drivers/modbus/decode.h"
#include "drivers/modbus/device.h"
#include "drivers/modbus/write_end.h"

#define CHECKS 3
#define CHECK_PAUSE_MS 100

static bb_modbus_write *write_of(bb_modbus_job *job) {
  return (bb_modbus_write *)job;
}

static const bb_profile *profile_of(const bb_modbus_write *write) {
  return write->device->base.profile;
}

/* The place of the scale factor that the point to be encoded next has, or -1. */
static int16_t scale_of(const bb_modbus_write *write) {
  return profile_of(write)->points[write->command->points[write->encode]].scale_from;
}

static bool is_register(const bb_profile_point *point) {
  return point->space == BB_SPACE_INPUT || point->space == BB_SPACE_HOLDING;
}

/* Puts values into the image until all are in it or one needs a scale factor. False: the write has
 * ended. */
static bool encode(bb_modbus_write *write) {
  bb_modbus_group *group = &write->group;
  for (; write->encode < group->first + group->n; write->encode++) {
    uint16_t i = write->encode;
    int16_t scale = scale_of(write);
    write->powers[i] = BB_POWER_NONE;
    if (scale >= 0 && scale != write->scale) {
      write->step = BB_MODBUS_STEP_SCALE;
      if (is_register(&profile_of(write)->points[scale])) return true;
      write->scale_power = BB_POWER_MISSING;
    }
    if (scale >= 0) write->powers[i] = write->scale_power;
    int err = bb_modbus_group_encode(group, profile_of(write), write->command, i, write->powers[i]);
    if (err < 0) {
      bb_modbus_write_unfit(write, i, err);
      return false;
    }
  }
  bb_modbus_request request;
  bool may_mask = !write->device->no_mask_write;
  int err = bb_modbus_group_request(group, profile_of(write), write->command, may_mask, &request);
  write->step = err == 0 ? BB_MODBUS_STEP_SEND : BB_MODBUS_STEP_IMAGE;
  return true;
}

/* False: the write has ended. */
static bool begin_group(bb_modbus_write *write, uint16_t first) {
  int err = bb_modbus_group_form(&write->group, profile_of(write), write->command, first);
  write->encode = first;
  write->checks = 0;
  if (err == 0) return encode(write);
  bb_modbus_write_unfit(write, first, err);
  return false;
}

static bool wants_check(const bb_modbus_write *write) {
  const bb_modbus_group *group = &write->group;
  for (uint16_t i = group->first; i < group->first + group->n; i++) {
    if (profile_of(write)->points[write->command->points[i]].read_back) return true;
  }
  return false;
}

/* The group is written, and checked as far as it was to be. */
static void finish_group(bb_modbus_write *write) {
  uint16_t next = (uint16_t)(write->group.first + write->group.n);
  if (next == write->command->n) {
    bb_modbus_write_confirm(write);
  } else if (begin_group(write, next)) {
    bb_modbus_line_write_on(&write->job);
  }
}

static void request_scale(const bb_modbus_write *write, bb_modbus_request *request) {
  const bb_profile_point *scale = &profile_of(write)->points[scale_of(write)];
  *request = (bb_modbus_request){
      .function = scale->space == BB_SPACE_INPUT ? BB_MODBUS_READ_INPUT_REGISTERS
                                                 : BB_MODBUS_READ_HOLDING_REGISTERS,
      .address = (uint16_t)scale->address,
      .quantity = scale->length,
  };
}

static bool next(bb_modbus_job *job, bb_modbus_request *request, uint16_t *tag) {
  bb_modbus_write *write = write_of(job);
  uint64_t not_after_ns = write->command->not_after_ns;
  *tag = 0;
  job->more = false;
  if (!write->sent && not_after_ns != 0 && write->device->line->now_ns > not_after_ns) {
    bb_modbus_write_expire(write);
    return false;
  }
  switch ((bb_modbus_step)write->step) {
  case BB_MODBUS_STEP_SCALE:
    request_scale(write, request);
    break;
  case BB_MODBUS_STEP_SEND:
    bb_modbus_group_request(&write->group, profile_of(write), write->command,
                            !write->device->no_mask_write, request);
    write->masked = request->function == BB_MODBUS_MASK_WRITE_REGISTER;
    write->sent = true;
    break;
  default:
    bb_modbus_group_read(&write->group, request);
  }
  write->in_flight = true;
  return true;
}

/* The values of the group as the device has them now. */
static void check(bb_modbus_write *write, const uint8_t *now) {
  const bb_modbus_group *group = &write->group;
  int differs = -1;
  for (uint16_t i = group->first; i < group->first + group->n; i++) {
    uint16_t place = write->command->points[i];
    bool is_text = profile_of(write)->points[place].point.type == BB_TYPE_TEXT;
    if (is_text && write->text_of < 0) write->text_of = (int16_t)i;
    uint8_t *text = write->text_of == (int16_t)i ? write->text : NULL;
    bool is_same = bb_modbus_group_verify(group, profile_of(write), write->command, i,
                                          write->powers[i], now, text);
    if (!is_same && differs < 0 && profile_of(write)->points[place].read_back) differs = i;
  }
  if (differs < 0) {
    finish_group(write);
  } else if (++write->checks < CHECKS) {
    bb_modbus_unit_rest(write->job.unit, CHECK_PAUSE_MS);
    bb_modbus_line_write_on(&write->job);
  } else {
    bb_modbus_write_differ(write, (uint16_t)differs);
  }
}

static void take(bb_modbus_write *write, const bb_modbus_response *response) {
  bool goes_on = true;
  switch ((bb_modbus_step)write->step) {
  case BB_MODBUS_STEP_IMAGE:
    bb_modbus_group_fill(&write->group, response->data);
    write->step = BB_MODBUS_STEP_SEND;
    break;
  case BB_MODBUS_STEP_SCALE:
    write->scale = scale_of(write);
    write->scale_power =
        bb_modbus_power_of(&profile_of(write)->points[write->scale], response->data);
    goes_on = encode(write);
    break;
  case BB_MODBUS_STEP_SEND:
    if (!wants_check(write)) {
      finish_group(write);
      return;
    }
    write->step = BB_MODBUS_STEP_CHECK;
    break;
  case BB_MODBUS_STEP_CHECK:
    check(write, response->data);
    return;
  }
  if (goes_on) bb_modbus_line_write_on(&write->job);
}

static void answered(bb_modbus_job *job, uint16_t tag, uint8_t exception,
                     const bb_modbus_response *response) {
  bb_modbus_write *write = write_of(job);
  (void)tag;
  write->in_flight = false;
  if (exception == 0) {
    write->device->delivered = true;
    take(write, response);
    return;
  }
  bool cannot_mask = exception == BB_MODBUS_ILLEGAL_FUNCTION && write->masked &&
                     write->step == BB_MODBUS_STEP_SEND &&
                     !bb_modbus_group_must_mask(&write->group, profile_of(write), write->command);
  if (!cannot_mask) {
    bb_modbus_write_refuse(write, exception);
    return;
  }
  write->device->no_mask_write = true;
  write->masked = false;
  write->step =
      bb_modbus_group_is_whole(&write->group) ? BB_MODBUS_STEP_SEND : BB_MODBUS_STEP_IMAGE;
  bb_modbus_line_write_on(job);
}

static void failed(bb_modbus_job *job, uint16_t tag, int status) {
  (void)tag;
  bb_modbus_write_fail(write_of(job), status);
}

static void dropped(bb_modbus_job *job, int status) {
  bb_modbus_write_fail(write_of(job), status);
}

static const bb_modbus_job_type type = {next, answered, failed, dropped};

int bb_modbus_write_start(struct bb_modbus_device *device, bb_command *command) {
  if (command->n == 0 || command->n > BB_MAX_COMMAND_POINTS) return BB_ERR_INVALID;
  bb_modbus_write *write = calloc(1, sizeof(*write));
  if (write == NULL) return BB_ERR_NOMEM;
  write->job.type = &type;
  write->job.unit = device->unit;
  write->device = device;
  write->command = command;
  write->scale = write->text_of = -1;
  bb_list_init(&write->job.node);
  int err = bb_modbus_line_write(&write->job);
  if (err < 0 && err != BB_ERR_CLOSED) {
    free(write);
    return err;
  }
  command->driver = write;
  command->has_measured = 0;
  bb_list_append(&device->writes, &write->node);
  if (err < 0) {
    bb_modbus_write_fail(write, err);
  } else {
    begin_group(write, 0);
  }
  return 0;
}
