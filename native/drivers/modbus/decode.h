/* SPDX-License-Identifier: Apache-2.0 */
/* The answer to one block of a plan into a draft: values, qualities and, where a probe wants them,
 * the bytes as they stood on the wire. Pure. */
#ifndef BB_DRIVERS_MODBUS_DECODE_H
#define BB_DRIVERS_MODBUS_DECODE_H

#include "drivers/modbus/plan.h"
#include "plug/driver.h"

/* `data`: of a block of registers two bytes each, else packed bits. */
void bb_modbus_decode(const bb_modbus_plan *plan, uint16_t block, const uint8_t *data,
                      bb_draft *draft);

/* The power of ten that a scale factor gives; BB_POWER_MISSING if it gives none. */
int32_t bb_modbus_power_of(const bb_profile_point *scale, const uint8_t *raw);

#endif
