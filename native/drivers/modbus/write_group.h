/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points of a command that are written by one request: one point, or neighbours in the command that
 * the profile puts into one write block. Pure.
 *
 * The group holds an image of the registers (or coils) from its first to its last point, and which
 * bits of it its points cover. Encoding a value once over zeros and once over ones tells both. What
 * no point covers (a hole, the rest of a register beside a bit field) has to come from the device,
 * or to be left alone by the function that masks.
 */
#ifndef BB_DRIVERS_MODBUS_WRITE_GROUP_H
#define BB_DRIVERS_MODBUS_WRITE_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/profile.h"
#include "plug/command.h"
#include "wire/modbus/request.h"

#define BB_MODBUS_IMAGE_MAX 250 /* bytes */
#define BB_MODBUS_TEXT_ROOM 256 /* bytes for a measured text */

typedef struct bb_modbus_group {
  /* read-only */
  uint16_t first; /* of the command's points */
  uint16_t n;
  bb_space space;
  uint16_t address;
  uint16_t count;                    /* registers or coils */
  uint8_t data[BB_MODBUS_IMAGE_MAX]; /* as in a request */
  uint8_t cover[BB_MODBUS_IMAGE_MAX];
} bb_modbus_group;

/* The group that begins at that point of the command, its image still empty. 0, BB_ERR_LIMIT (more
 * than one request can hold) or BB_ERR_UNSUPPORTED (the point cannot be written over Modbus). */
int bb_modbus_group_form(bb_modbus_group *group, const bb_profile *profile,
                         const bb_command *command, uint16_t first);

/* Puts the value of the command's point `i` into the image. Errors of bb_codec_encode. */
int bb_modbus_group_encode(bb_modbus_group *group, const bb_profile *profile,
                           const bb_command *command, uint16_t i, int32_t power);

/* True if the points cover all of it. */
bool bb_modbus_group_is_whole(const bb_modbus_group *group);

/* Takes what no point covers from what the device has now; then it is whole. */
void bb_modbus_group_fill(bb_modbus_group *group, const uint8_t *now);

/* True if the profile names function 22 for it: the rest of the register must not be touched. */
bool bb_modbus_group_must_mask(const bb_modbus_group *group, const bb_profile *profile,
                               const bb_command *command);

/* The request that writes the image, and the one that reads its registers. `mask`: the device may be
 * asked to mask, which counts where the profile does not name a function. If the image is not whole and cannot be masked: BB_ERR_STATE. */
int bb_modbus_group_request(const bb_modbus_group *group, const bb_profile *profile,
                            const bb_command *command, bool mask, bb_modbus_request *request);
void bb_modbus_group_read(const bb_modbus_group *group, bb_modbus_request *request);

/* Compares point `i` with what was read back, and puts it into the command's measured values; a text
 * is copied to `text`, or left out if that is NULL. True if it is what was written. */
bool bb_modbus_group_verify(const bb_modbus_group *group, const bb_profile *profile,
                            bb_command *command, uint16_t i, int32_t power, const uint8_t *now,
                            uint8_t *text);

#endif
