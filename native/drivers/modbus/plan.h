/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which reads bring the points of a scan. Pure: it talks to nobody and the time is passed in.
 *
 * A plan is a list of blocks, each one read of one of the four tables (application protocol 1.1b3,
 * sections 6.1 to 6.4). They are as few as the limits of the device allow: each joins as many
 * neighbours as fit into one request, reading along gaps up to max_gap registers (16 bits each
 * where the table holds bits), and never an unreadable range. A value is never split over two
 * blocks, and the point that a value has its scale from is read in the value's own block, a second
 * time if need be.
 *
 * Devices allow less than their documents say, so a plan learns from refusals (exceptions):
 *  - 2, illegal data address: the block is halved, at a gap if it has one, and the halves come under
 *    suspicion, until what is refused is one point, which is then left out and keeps its refusal;
 *  - 3, illegal data value: the request was too long. The limit of the device is halved for good,
 *    and every longer block of that table divided; the pieces of the refused one come under suspicion
 *    until one of them is accepted;
 *  - 1, illegal function: the block is left out as a whole.
 * In one poll at most one block under suspicion is read; the good ones go on. What is left out comes
 * under suspicion again after an hour, and when told (bb_modbus_plan_forgive). If nothing is left to
 * be read, one block a poll is tried in turn.
 */
#ifndef BB_DRIVERS_MODBUS_PLAN_H
#define BB_DRIVERS_MODBUS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "model/profile.h"

#define BB_MODBUS_RETRY_NS (3600ull * 1000000000ull) /* until what is left out is tried again */
#define BB_MODBUS_NO_SCALE 0xFFFF /* the scale factor is not in the item's block */
#define BB_MODBUS_NO_BLOCK 0xFFFF

/* What one device allows; shared by its plans, which make it smaller as they learn. */
typedef struct bb_modbus_limits {
  /* read-only */
  uint16_t most[BB_SPACE_HOLDING + 1]; /* registers or bits in one read, by table */
  uint16_t gap;                        /* registers */
  uint16_t version;                    /* counts the changes */
  const bb_range *unreadable;
  uint32_t n_unreadable;
} bb_modbus_limits;

/* Where a point lies in the answer to its block: bytes from the first, or for a coil or discrete
 * input the number of its bit. */
typedef struct bb_modbus_item {
  uint16_t place; /* in the scan */
  uint16_t at;
  uint16_t scale_at; /* of its scale factor, or BB_MODBUS_NO_SCALE */
  bool is_float;     /* its codec is a plain float32 (model/codec_float.h) of this order */
  uint8_t order;     /* bb_order */
} bb_modbus_item;

typedef enum bb_modbus_trust {
  BB_MODBUS_TRUSTED,   /* read in each poll */
  BB_MODBUS_SUSPECTED, /* may hold what the device refuses */
  BB_MODBUS_LEFT_OUT,  /* refused */
} bb_modbus_trust;

typedef struct bb_modbus_block {
  /* read-only */
  uint16_t address;
  uint16_t count; /* registers or bits */
  uint16_t first; /* of its items */
  uint16_t n;
  uint8_t space;   /* bb_space: one of the four tables */
  uint8_t trust;   /* bb_modbus_trust */
  uint8_t code;    /* the exception that made it suspected or left out; 0: none */
  uint8_t verdict; /* private: what came of it in this poll */
} bb_modbus_block;

typedef struct bb_modbus_plan {
  /* read-only */
  bb_modbus_block *blocks;
  bb_modbus_item *items; /* in the order of their blocks */
  uint16_t n_blocks;
  uint16_t n_items;   /* points of the scan that lie in the four tables */
  uint16_t unsettled; /* blocks that are not trusted */
  uint16_t probe;     /* the block under suspicion that this poll may read, or BB_MODBUS_NO_BLOCK */
  /* private */
  uint16_t cap_blocks;
  uint16_t turn;
  uint16_t version; /* of the limits that it keeps to */
  bool judged;      /* some block has a verdict */
  uint64_t retry_ns;
  const bb_profile *profile;
  const uint16_t *points;
  bb_modbus_limits *limits;
} bb_modbus_plan;

/* As the profile says. Its memory is used until the end. */
void bb_modbus_limits_init(bb_modbus_limits *limits, const bb_profile *profile);

/* True if nothing from `first` to before `end` is marked as unreadable. */
bool bb_modbus_limits_allow(const bb_modbus_limits *limits, bb_space space, uint32_t first,
                            uint32_t end);

/* True if the scale factor of that point, if it has one, can be read together with it. */
bool bb_modbus_limits_scale(bb_modbus_limits *limits, const bb_profile *profile, uint16_t point);

/*
 * Makes the plan of `n_points` points, places in the profile. All arguments are used until close. 0
 * or BB_ERR_NOMEM.
 */
int bb_modbus_plan_init(bb_modbus_plan *plan, const bb_profile *profile, const uint16_t *points,
                        uint16_t n_points, bb_modbus_limits *limits);

/* Harmless on an all-zero plan. */
void bb_modbus_plan_close(bb_modbus_plan *plan);

/* A poll begins: divides the blocks that are longer than what another plan of the device has learnt,
 * and chooses the block that may be probed. */
void bb_modbus_plan_begin(bb_modbus_plan *plan, uint64_t now_ns);

/* True if this poll reads the block. */
static inline bool bb_modbus_plan_reads(const bb_modbus_plan *plan, uint16_t block) {
  return plan->blocks[block].trust == BB_MODBUS_TRUSTED || block == plan->probe;
}

/* What came of a block in this poll; the plan itself stays as it is until bb_modbus_plan_learn. */
void bb_modbus_plan_accepted(bb_modbus_plan *plan, uint16_t block);
void bb_modbus_plan_refused(bb_modbus_plan *plan, uint16_t block, uint8_t exception);

/*
 * A poll is over: changes the plan by what came of its blocks. True if it changed. Where memory is
 * lacking for more blocks it stays as it was and learns next time.
 */
bool bb_modbus_plan_learn(bb_modbus_plan *plan, uint64_t now_ns);

/* What is left out comes under suspicion again: the device may be another one now. */
void bb_modbus_plan_forgive(bb_modbus_plan *plan);

#endif
