/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the registers of a simulated device lie in memory, made once from a profile and shared by all
 * devices that have it: which addresses exist, which points move, and what the rest holds at first.
 *
 * Points that lie together, or no further apart than the profile's max_gap, form an extent: a run
 * of addresses that can be read in one request. Everything outside is answered with exception 2.
 * In an image a register takes two bytes as they go over the wire, a coil or discrete input one.
 */
#ifndef BB_SIM_REGISTER_MAP_H
#define BB_SIM_REGISTER_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/profile.h"
#include "sim/quantity.h"

typedef struct bb_register_map_config {
  bool strict_gaps; /* what no point uses is never readable; default: as max_gap says */
  bool same_tables; /* input and holding registers are one table, as in many small meters */
} bb_register_map_config;

typedef struct bb_register_extent {
  bb_space space;
  uint32_t first, end; /* addresses; end is one past the last */
  uint32_t offset;     /* in the image */
} bb_register_extent;

/* A point whose value moves. */
typedef struct bb_register_live {
  uint16_t point; /* place in the profile */
  bool wave;      /* unknown to the plant: it swings slowly from low to high */
  bb_quantity quantity;
  double low, high;
} bb_register_live;

typedef struct bb_register_map {
  /* read-only */
  const bb_profile *profile; /* counted */
  bb_register_map_config config;
  bb_register_extent *extents; /* by space, then address */
  uint32_t n_extents;
  bb_register_live *live;
  uint32_t n_live;
  uint32_t *offsets; /* of each point in the image; BB_REGISTER_NOWHERE */
  uint8_t *initial;  /* an image with all that does not move */
  uint32_t image_bytes;
} bb_register_map;

#define BB_REGISTER_NOWHERE UINT32_MAX /* the point lies in no table of Modbus */

/* 0 or BB_ERR_NOMEM; after a failure the map is closed. */
int bb_register_map_init(bb_register_map *map, const bb_profile *profile,
                         bb_register_map_config config);
void bb_register_map_close(bb_register_map *map); /* harmless on an all-zero map */

/* The extent that has all of `n` addresses from `first` on, or NULL. */
const bb_register_extent *bb_register_map_find(const bb_register_map *map, bb_space space,
                                               uint32_t first, uint32_t n);

/* The table that stands for `space`: that of the holding registers for both if they are the same. */
bb_space bb_register_map_space(const bb_register_map *map, bb_space space);

/* Bytes of one address: 2 for registers, 1 for bits. */
static inline uint32_t bb_register_bytes(bb_space space) {
  return space == BB_SPACE_INPUT || space == BB_SPACE_HOLDING ? 2 : 1;
}

#endif
