/* SPDX-License-Identifier: Apache-2.0 */
/* See write_end.h. */
#include "drivers/modbus/write_end.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "drivers/modbus/device.h"

static void end(bb_modbus_write *write, bb_outcome outcome, const bb_reason *reason) {
  bb_attachment *attachment = &write->device->base;
  bb_command *command = write->command;
  bb_modbus_line_write_end(&write->job);
  bb_list_remove(&write->node);
  command->driver = NULL;
  attachment->conn->host->on_write_done(attachment, command, outcome, reason);
  /* Measured texts lie in the write, so it goes last. */
  free(write);
}

static const bb_profile_point *point_of(const bb_modbus_write *write, uint16_t i) {
  return &write->device->base.profile->points[write->command->points[i]];
}

/* "setpoint (holding 100)". */
static const char *name(const bb_modbus_write *write, uint16_t i, char out[96]) {
  const bb_profile_point *point = point_of(write, i);
  snprintf(out, 96, "%.60s (%s %u)", point->point.name, bb_space_name(point->space),
           point->address);
  return out;
}

/* "; 2 of 3 points were written before", or "". */
static const char *progress(const bb_modbus_write *write, char out[64]) {
  unsigned done = write->group.first;
  out[0] = 0;
  if (done > 0) snprintf(out, 64, "; %u of %u points were written before", done, write->command->n);
  return out;
}

void bb_modbus_write_confirm(bb_modbus_write *write) {
  bb_reason reason;
  bool checked = write->command->has_measured != 0;
  end(write, BB_OUTCOME_CONFIRMED,
      bb_reason_set(&reason, 0, 0, checked ? "written and read back" : "written"));
}

void bb_modbus_write_expire(bb_modbus_write *write) {
  bb_reason reason;
  end(write, BB_OUTCOME_EXPIRED,
      bb_reason_set(&reason, BB_ERR_TIMEOUT, 0,
                    "not sent: its time was over before its turn came"));
}

/* The exceptions after which the value may have arrived all the same (application protocol 1.1b3,
 * section 7): begun but not finished, or lost behind a gateway. */
static bool is_uncertain(const bb_modbus_write *write, uint8_t exception) {
  return write->step == BB_MODBUS_STEP_CHECK ||
         (write->step == BB_MODBUS_STEP_SEND &&
          (exception == BB_MODBUS_ACKNOWLEDGE || exception == BB_MODBUS_GATEWAY_TARGET_FAILED));
}

void bb_modbus_write_refuse(bb_modbus_write *write, uint8_t exception) {
  static const char *const while_doing[] = {" when read before writing", " for its scale factor",
                                            "", ", written, when read back"};
  const char *text = bb_modbus_exception_text(exception);
  char point[96], before[64];
  bb_reason reason;
  bool uncertain = is_uncertain(write, exception);
  bb_reason_set(&reason, BB_ERR_REFUSED, exception, "%s%s: %s (exception %u)%s",
                name(write, write->group.first, point), while_doing[write->step],
                text != NULL ? text : "refused by the device", exception, progress(write, before));
  end(write, uncertain ? BB_OUTCOME_UNKNOWN : BB_OUTCOME_REFUSED, &reason);
}

void bb_modbus_write_unfit(bb_modbus_write *write, uint16_t i, int err) {
  char point[96], before[64];
  bb_reason reason;
  const char *why = err == BB_ERR_UNSUPPORTED ? "cannot be written over Modbus"
                    : err == BB_ERR_LIMIT     ? "its write block is longer than one request"
                    : err == BB_ERR_INVALID ? "the device would read this as \"not available\", or "
                                              "has no scale factor for it"
                    : err == BB_ERR_TYPE    ? "the value has the wrong type"
                                            : "the device cannot hold this value";
  bb_reason_set(&reason, err, 0, "%s: %s%s", name(write, i, point), why, progress(write, before));
  end(write, BB_OUTCOME_REFUSED, &reason);
}

void bb_modbus_write_differ(bb_modbus_write *write, uint16_t i) {
  char point[96], before[64];
  bb_reason reason;
  const bb_command *command = write->command;
  bool measured = (command->has_measured >> i & 1) != 0;
  bool is_number = point_of(write, i)->point.type != BB_TYPE_TEXT;
  if (measured && is_number) {
    bb_reason_set(&reason, BB_ERR_REFUSED, 0,
                  "%s: the device took %.9g without an error, but it reads %.9g%s",
                  name(write, i, point), bb_value_double(command->values[i]),
                  bb_value_double(command->measured[i]), progress(write, before));
  } else {
    bb_reason_set(&reason, BB_ERR_REFUSED, 0,
                  "%s: the device took the value without an error, but reads otherwise%s",
                  name(write, i, point), progress(write, before));
  }
  end(write, BB_OUTCOME_REFUSED, &reason);
}

void bb_modbus_write_fail(bb_modbus_write *write, int status) {
  char point[96], before[64];
  bb_reason reason;
  const bb_modbus_line *line = write->device->line;
  const char *why = status == BB_ERR_CLOSED   ? "the connection is down"
                    : status == BB_ERR_FORMAT ? "an answer that makes no sense"
                                              : "no answer";
  bool was_sent = write->in_flight && write->step == BB_MODBUS_STEP_SEND;
  bool was_taken = write->step == BB_MODBUS_STEP_CHECK;
  const char *what = was_taken  ? "written, but not read back"
                     : was_sent ? "sent, and may have been written"
                                : "not written";
  bb_reason_set(&reason, status, 0, "%s: %s: %s (%s, unit %u)%s",
                name(write, write->group.first, point), what, why, line->place, write->job.unit->id,
                progress(write, before));
  end(write, was_taken || was_sent ? BB_OUTCOME_UNKNOWN : BB_OUTCOME_REFUSED, &reason);
}

void bb_modbus_write_abandon(bb_modbus_write *write) {
  bb_modbus_line_forget(&write->job);
  bb_modbus_write_fail(write, BB_ERR_CLOSED);
}
