/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps units that do not answer from taking the line away from those that do. Pure: the time is
 * passed in.
 *
 * Each unit of a line has a breaker, all of a line share one budget. A breaker opens after
 * BB_MODBUS_OPEN_AFTER requests in a row without an answer that makes sense. While it is open, polls
 * of the unit end without the wire, but for a probe now and then: a request that may show that the
 * unit is back. One answer, also a refusal, closes it.
 *
 * A probe needs two things. Its back-off must be over: 1 s after the breaker opened, then doubling
 * up to 60 s, spread by ±20 %. And as long as other units of the line answer, the budget must hold
 * its worst case: the line earns 4 % of the time that passes for probes, at most one worst case
 * ahead. What a probe really took is charged; the time that opened the breaker is charged too, so
 * that a unit that comes and goes stays inside the budget. Hence, with a time-out of 1 s, dead units
 * get together one probe in 25 s, and the others keep 96 % of the line.
 */
#ifndef BB_DRIVERS_MODBUS_BREAKER_H
#define BB_DRIVERS_MODBUS_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "io/backoff.h"

#define BB_MODBUS_OPEN_AFTER 2        /* requests in a row without a sound answer */
#define BB_MODBUS_PROBE_FIRST_MS 1000 /* the first back-off */
#define BB_MODBUS_PROBE_LONGEST_MS 60000
#define BB_MODBUS_PROBE_SHARE 25 /* one part in so many of the line's time */

/* The time that a line has for probes. All zero: none, as of time 0. */
typedef struct bb_modbus_budget {
  /* private */
  int64_t credit_ns;
  uint64_t at_ns;
} bb_modbus_budget;

typedef enum bb_modbus_pass {
  BB_MODBUS_PASS_GO,    /* the unit is not known to be dead */
  BB_MODBUS_PASS_PROBE, /* one request; its end must be told */
  BB_MODBUS_PASS_STOP,  /* not now */
} bb_modbus_pass;

typedef struct bb_modbus_breaker {
  /* read-only */
  bool open;
  bool probing;    /* a probe is under way */
  uint64_t due_ns; /* while open: no probe before */
  /* private */
  uint8_t failures; /* in a row, while closed */
  bb_backoff backoff;
} bb_modbus_breaker;

/* Closed. `seed` differs between units. */
void bb_modbus_breaker_init(bb_modbus_breaker *breaker, uint64_t seed);

/*
 * May the unit be asked now? `worst_ns`: what a request costs the line if no answer comes. `shared`:
 * other units of the line answer, so that the budget counts. After PROBE one of the following
 * functions must be called.
 */
bb_modbus_pass bb_modbus_breaker_ask(bb_modbus_breaker *breaker, bb_modbus_budget *budget,
                                     uint64_t now_ns, uint64_t worst_ns, bool shared);

/* The unit answered, after `took_ns`. True if that closed the breaker. */
bool bb_modbus_breaker_answered(bb_modbus_breaker *breaker, bb_modbus_budget *budget,
                                uint64_t took_ns);

/* It did not, or the gateway said so, and the line lost `took_ns`. `n_dead`: units that share the
 * budget now, this one included; 0 if the budget does not count. True if that opened the breaker. */
bool bb_modbus_breaker_failed(bb_modbus_breaker *breaker, bb_modbus_budget *budget, uint64_t now_ns,
                              uint64_t took_ns, uint32_t n_dead);

/* The request ended without telling anything about the unit: it was never sent, or the line broke. */
void bb_modbus_breaker_cancelled(bb_modbus_breaker *breaker);

/* Something has changed (a new connection, another unit is back): an open breaker may probe at once,
 * if the budget lets it. */
void bb_modbus_breaker_hurry(bb_modbus_breaker *breaker, uint64_t now_ns);

#endif
