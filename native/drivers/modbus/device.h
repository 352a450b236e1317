/* SPDX-License-Identifier: Apache-2.0 */
/* A device attached to a Modbus connection of either kind: the functions of bb_driver for it. */
#ifndef BB_DRIVERS_MODBUS_DEVICE_H
#define BB_DRIVERS_MODBUS_DEVICE_H

#include "drivers/modbus/hint.h"
#include "drivers/modbus/line.h"
#include "drivers/modbus/plan.h"
#include "drivers/modbus/read.h"

typedef struct bb_modbus_device {
  bb_attachment base; /* first */
  /* private: shared by the files of the driver */
  bb_modbus_line *line;
  bb_modbus_unit *unit;
  bb_list node;    /* in unit->devices */
  bb_list leaving; /* in line->leaving */
  bb_list writes;  /* bb_modbus_write.node: its commands */
  bb_modbus_limits limits;
  bb_modbus_read *reads; /* one a scan */
  bb_modbus_hint hint;
  bool told;           /* on_device was called */
  bool lost_with_line; /* it said that the connection is down, not that the device is silent */
  bool delivered;      /* some request was answered with more than a refusal */
  bool left;           /* detach was called */
  bool no_mask_write;  /* it does not know function 22 */
} bb_modbus_device;

int bb_modbus_attach(bb_attachment *attachment, const bb_schema *schema);
int bb_modbus_poll(bb_attachment *attachment, uint32_t scan);
int bb_modbus_write_command(bb_attachment *attachment, bb_command *command);
void bb_modbus_detach(bb_attachment *attachment);

extern const bb_modbus_line_events bb_modbus_device_events;

#endif
