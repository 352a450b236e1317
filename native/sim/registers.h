/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers of one simulated device: its feeder, its image, what was written to it.
 *
 * Nothing is computed until somebody reads; then the whole image is made anew at most every
 * BB_REGISTERS_REFRESH_NS, as in a meter, so that one read shows values of one moment. Functions
 * that stand for a request return 0 or the Modbus exception that answers it: 2 (no such address, or
 * not to be written), 3 (a value that the point does not take, too many addresses at once).
 */
#ifndef BB_SIM_REGISTERS_H
#define BB_SIM_REGISTERS_H

#include <stdint.h>

#include "sim/plant.h"
#include "sim/register_map.h"

#define BB_REGISTERS_REFRESH_NS 100000000

typedef struct bb_registers {
  /* read-only */
  const bb_register_map *map; /* must outlive this */
  bb_plant plant;
  /* private */
  uint8_t *image;
  uint8_t *held; /* one bit a point: its value was set by hand and stays */
  int64_t refreshed_ns;
} bb_registers;

/* 0 or BB_ERR_NOMEM. */
int bb_registers_init(bb_registers *registers, const bb_register_map *map, uint64_t seed);
void bb_registers_close(bb_registers *registers); /* harmless on all zero */

/*
 * The `n` registers, coils or discrete inputs of `space` from `first` on, as they were at that
 * time. Registers into `out` with two bytes each, bits with one byte each.
 */
int bb_registers_read(bb_registers *registers, bb_space space, uint32_t first, uint32_t n,
                      int64_t utc_ns, uint8_t *out);

/*
 * Writes coils or holding registers, in the same form. All addresses must belong to writable
 * points; if one of these would then hold what it does not take, nothing is written.
 */
int bb_registers_write(bb_registers *registers, bb_space space, uint32_t first, uint32_t n,
                       const uint8_t *bytes);

/* Function 22: register = (register AND and_mask) OR (or_mask AND NOT and_mask). */
int bb_registers_mask(bb_registers *registers, uint32_t address, uint16_t and_mask,
                      uint16_t or_mask);

/*
 * Gives a point a value by hand, as text (see bb_register_put_written), which it keeps; "auto" sets
 * it free again. 0, BB_ERR_NOTFOUND, BB_ERR_FORMAT or an error of bb_codec_encode.
 */
int bb_registers_set(bb_registers *registers, const char *name, const char *value);

#endif
