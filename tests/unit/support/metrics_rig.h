/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runtime that is put together by hand, with known counters: a connection "line", devices "m0", "m1", …
 * behind it, and a sink "bus". It polls nothing and has no loop.
 */
#ifndef BB_TEST_METRICS_RIG_H
#define BB_TEST_METRICS_RIG_H

#include "runtime/runtime.h"

typedef struct metrics_rig {
  bb_runtime runtime;
  bb_log log;
  bb_config *config;
  bb_link link;
  bb_conn conn;
  bb_outlet outlet;
} metrics_rig;

metrics_rig *metrics_rig_open(unsigned devices);
void metrics_rig_close(metrics_rig *r);

/* Takes a device out of the runtime, not out of the config. */
void metrics_rig_remove(metrics_rig *r, const char *id);

#endif
