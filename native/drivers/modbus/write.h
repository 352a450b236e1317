/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command on its way to a device. Its points are written in their order, group by group; each
 * group takes up to four steps:
 *
 *   image    read what the group does not cover but has to write
 *   scale    read the scale factor of a point, once for neighbours that share it
 *   send     functions 5, 6, 15, 16, 22; never repeated, except that a device which does not know 22
 *            (exception 1) gets the whole register, read before, by 6, unless the profile asks for 22
 *            by name: between that read and the write another master may change the other bits
 *   check    read back where the profile says so; a device may take a moment until it shows the new
 *            value, so what differs is read up to three times, 100 ms apart
 *
 * Outcomes: confirmed; expired, its time was over before anything was sent; refused, by the device
 * or because it could not be sent, and the reason says what had been written until then; unknown,
 * sent without an answer, or taken without a way to check it.
 */
#ifndef BB_DRIVERS_MODBUS_WRITE_H
#define BB_DRIVERS_MODBUS_WRITE_H

#include "drivers/modbus/line.h"
#include "drivers/modbus/write_group.h"

struct bb_modbus_device;

typedef enum bb_modbus_step {
  BB_MODBUS_STEP_IMAGE,
  BB_MODBUS_STEP_SCALE,
  BB_MODBUS_STEP_SEND,
  BB_MODBUS_STEP_CHECK,
} bb_modbus_step;

typedef struct bb_modbus_write {
  /* private */
  bb_modbus_job job; /* first */
  bb_list node;      /* in device->writes */
  struct bb_modbus_device *device;
  bb_command *command;
  bb_modbus_group group;
  uint16_t encode; /* the command's point whose value comes next into the image */
  uint8_t step;    /* bb_modbus_step */
  uint8_t checks;
  bool sent;       /* something has been sent that writes */
  bool in_flight;  /* a request is under way */
  bool masked;     /* by function 22 */
  int16_t text_of; /* the command's point whose measured text `text` is, or -1 */
  int16_t scale;   /* place of the scale factor that was read last, or -1 */
  int32_t scale_power;
  int32_t powers[BB_MAX_COMMAND_POINTS];
  uint8_t text[BB_MODBUS_TEXT_ROOM];
} bb_modbus_write;

/* 0: on_write_done will follow. BB_ERR_NOMEM, BB_ERR_AGAIN (too many wait) or BB_ERR_INVALID (no
 * points). Inside enter and leave. */
int bb_modbus_write_start(struct bb_modbus_device *device, bb_command *command);

/* Ends it because the device leaves. */
void bb_modbus_write_abandon(bb_modbus_write *write);

#endif
