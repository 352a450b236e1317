/* SPDX-License-Identifier: Apache-2.0 */
/* A runtime whose drivers and sinks are the fake ones, on a loop that the test runs. */
#ifndef BB_TEST_RUNTIME_RIG_H
#define BB_TEST_RUNTIME_RIG_H

#include "runtime/runtime.h"
#include "support/fake_driver.h"
#include "support/fake_sink.h"
#include "support/folder.h"
#include "support/journal.h"

/* "cyclic" and "session". */
extern const bb_kinds rig_kinds;

typedef struct rig {
  uv_loop_t loop;
  bb_runtime runtime;
  folder folder;    /* its data directory and log */
  unsigned applied; /* how often on_applied was called */
  bool stopped;
  /* public */
  uint64_t ahead_ns;    /* the runtime's clock is so much later than the real one */
  int64_t utc_ahead_ns; /* and its wall clock, which may go back */
  /* private */
  bb_watch watch;
  uv_timer_t wake;
} rig;

/* Two devices, "meter-1" and "meter-2" at the connections "a" and "b", with the pushed scan "fast"
 * (power, count, limit) and the polled scan "slow" (energy). */
#define RIG_PROFILE                                                                                \
  "{ profile: 1, id: acme/cyclic, scans: { fast: 1s, slow: 20ms }, points: ["                      \
  "{ name: power, type: float64, holding: 0, unit: W, deadband: 1 }, "                             \
  "{ name: count, type: uint32, holding: 4 }, "                                                    \
  "{ name: limit, type: uint16, holding: 6, write: { min: 0, max: 100 } }, "                       \
  "{ name: energy, type: float64, holding: 8, scan: slow } ] }"
#define RIG_CONNECTIONS                                                                            \
  "busbar: 1\n"                                                                                    \
  "runtime: { write_interval: 0s }\n"                                                              \
  "connections:\n"                                                                                 \
  "  - { id: a, cyclic: { port: 1 } }\n"                                                           \
  "  - { id: b, cyclic: { port: 2 } }\n"
#define RIG_DEVICE(id, connection)                                                                 \
  "  - { id: " id ", connection: " connection ", profile: " RIG_PROFILE " }\n"
/* One that only the test moves: without the polled scan. */
#define RIG_PUSHED(id, connection)                                                                 \
  "  - { id: " id ", connection: " connection ", scan: { slow: off }, profile: " RIG_PROFILE " }"  \
  "\n"
#define RIG_DEVICES "devices:\n" RIG_DEVICE("meter-1", "a") RIG_DEVICE("meter-2", "b")
#define RIG_SINK "sinks:\n  - { id: bus, session: {} }\n"
#define RIG_TWO_SINKS RIG_SINK "  - { id: hist, session: { window: 9 } }\n"
#define RIG_PLANT RIG_CONNECTIONS RIG_DEVICES RIG_SINK

void rig_open(rig *r);

/* A second life on the same data directory. */
void rig_reopen(rig *r);

/* Stops the runtime, waits, frees everything; the loop must be empty then. */
void rig_close(rig *r);
void rig_end_runtime(rig *r); /* the same without the folder, for rig_reopen */

/* A document without mistakes. */
bb_config *rig_config(const char *text);
void rig_apply_soon(rig *r, const char *text);
void rig_apply(rig *r, const char *text); /* and waits until it has been applied */

fake_device *rig_device(const rig *r, const char *id);
fake_sink *rig_sink(const rig *r, const char *id);

/* Runs the loop until the condition holds; the test fails after 10 s. */
#define rig_until(r, condition)                                                                    \
  for (uint64_t rig_end = uv_hrtime() + 10 * BB_NS_PER_S; !(condition);)                           \
  rig_step((r), rig_end, #condition, __FILE__, __LINE__)
void rig_step(rig *r, uint64_t end_ns, const char *condition, const char *file, int line);

/* Lets everything happen that is due now: some turns of the loop without waiting. */
void rig_turn(rig *r);

#endif
