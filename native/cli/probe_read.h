/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a device once, by its driver and without a runtime: opens its connection, attaches it with
 * one scan, polls, detaches, closes. It is the driver's host meanwhile.
 *
 * A device that refuses an address within a read is polled again until the driver has found out which
 * points it refuses and which it gives; one that does not answer is asked again until the driver
 * gives it up and says why.
 */
#ifndef BB_CLI_PROBE_READ_H
#define BB_CLI_PROBE_READ_H

#include <stdbool.h>
#include <uv.h>

#include "plug/driver.h"
#include "runtime/config.h"

#define BB_PROBE_ROUNDS 64 /* polls at most */
#define BB_PROBE_STILL 8 /* polls that changed nothing, after which there is nothing to find out */

typedef struct bb_probe {
  /* public: set before bb_probe_run, else zero */
  const bb_config_device *device; /* has a profile */
  const uint16_t *points;         /* places in the profile */
  uint16_t n_points;
  uint32_t timeout_ms; /* of each poll, the connection's coming about included */
  /* read-only: after it */
  bool answered;      /* there is a batch */
  bb_shape *shape;    /* referenced */
  bb_draft draft;     /* of the last poll; with raw bytes, all zero where none were read */
  bb_reason reason;   /* why there is none */
  uint32_t rounds;    /* polls */
  uint32_t waited_ms; /* from the first poll to the end */
  bool linked;        /* the connection is not known to be down */
  bool overdue;       /* ended by timeout_ms */
  /* private */
  uv_loop_t loop;
  uv_timer_t timer, step;
  bb_log log;
  bb_clock clock;
  bb_conn *conn;
  bb_attachment *attachment;
  bb_scan scan;
  uint8_t *former; /* quality of each point in the poll before */
  uint64_t asked_ns;
  uint32_t still;
  bool lent, told, ending, attached;
} bb_probe;

/* Runs to its end. 0: `answered` says how it went; else a code, with `reason`. */
int bb_probe_run(bb_probe *probe);

void bb_probe_close(bb_probe *probe);

#endif
