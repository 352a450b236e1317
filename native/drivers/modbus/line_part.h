/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the line share. Private to them. */
#ifndef BB_DRIVERS_MODBUS_LINE_PART_H
#define BB_DRIVERS_MODBUS_LINE_PART_H

#include "drivers/modbus/line.h"

/* Room for so many requests at once. 0 or BB_ERR_NOMEM. */
int bb_modbus_line_allow(bb_modbus_line *line, uint16_t limit);

/* A read waits for its turn (again). */
void bb_modbus_line_queue(bb_modbus_job *job);

/* May the unit be asked? */
bb_modbus_pass bb_modbus_unit_ask(bb_modbus_unit *unit);

/* It answered, or did not: `cause` says how (BB_CAUSE_…). The request took `took_ns`. */
void bb_modbus_unit_answered(bb_modbus_unit *unit, uint64_t took_ns);
void bb_modbus_unit_failed(bb_modbus_unit *unit, uint8_t cause, uint64_t took_ns);

/* A poll of it has begun: the pause until the next one. */
void bb_modbus_unit_pace(bb_modbus_unit *unit);

/* All of them: the line is down, or up again. */
void bb_modbus_units_lost(bb_modbus_line *line, const bb_reason *reason);
void bb_modbus_units_back(bb_modbus_line *line);

/* Ends the reads of the unit that wait. */
void bb_modbus_unit_drop(bb_modbus_unit *unit, int status);

/* A slot of it is free again. The unit may be gone afterwards. */
void bb_modbus_unit_release(bb_modbus_unit *unit);

#endif
