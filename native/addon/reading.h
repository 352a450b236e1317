/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device profile without a device: registers that somebody else has read become values by its
 * points, and what may be written is judged by the rails of the runtime.
 */
#ifndef BB_ADDON_READING_H
#define BB_ADDON_READING_H

#include <stddef.h>
#include <stdint.h>

#include "addon/columns.h"
#include "base/buf.h"
#include "base/report.h"
#include "model/value.h"

typedef struct bb_reading bb_reading;

/* Reads a profile from JSON text; a mistake goes to the report under `name`. 0, BB_ERR_CONFIG or
 * BB_ERR_NOMEM. */
int bb_reading_open(bb_reading **out, const char *name, const char *text, size_t len,
                    bb_report *report);

/* Harmless on NULL. */
void bb_reading_close(bb_reading *reading);

uint16_t bb_reading_points(const bb_reading *reading);

/* Bytes of the slots of all points, which lie behind the numbers in the columns. */
size_t bb_reading_bytes(const bb_reading *reading);

/* What the profile says, as JSON. 0, BB_ERR_NOMEM or BB_ERR_LIMIT. */
int bb_reading_describe(const bb_reading *reading, bb_buf *out);

/* What was read: `n` registers of two bytes each, the high one first, or `n` bits, packed from the
 * lowest one on, from `address` of a table on. */
typedef struct bb_registers {
  int space; /* bb_space */
  uint32_t address;
  uint32_t n;
  const uint8_t *bytes;
} bb_registers;

/*
 * The points that lie within what was read; all others are absent. Their slots are written behind
 * the numbers. 0, BB_ERR_RANGE (the columns have no room).
 */
int bb_reading_decode(const bb_reading *reading, const bb_registers *registers,
                      const bb_columns *columns);

/* The first point as often as it follows itself in `bytes` from `at` on, up to `most` and
 * BB_MAX_POINTS times. How often, or BB_ERR_RANGE. */
int bb_reading_repeat(const bb_reading *reading, const uint8_t *bytes, size_t len, size_t at,
                      size_t most, const bb_columns *columns);

/* bb_rails_check for the point of that place; on success *out is what would be written. */
int bb_reading_check(const bb_reading *reading, uint16_t point, bb_value given, bb_value *out,
                     char *why, size_t cap);

#endif
