/* SPDX-License-Identifier: Apache-2.0 */
/* A plant, and devices that are read once beside it. */
#ifndef BB_TEST_PROBE_RIG_H
#define BB_TEST_PROBE_RIG_H

#include "runtime/probe.h"
#include "support/runtime_rig.h"

/* The document of the device "meter-9" at a connection with these options. */
#define PROBE_GUEST(options)                                                                       \
  "busbar: 1\nconnections:\n  - { id: x, cyclic: { " options                                       \
  " } }\ndevices:\n" RIG_DEVICE("meter-9", "x")
#define PROBE_FAST 1u /* bits of the scans */
#define PROBE_SLOW 2u

/* A probe as its end told of it. */
typedef struct probe_asked {
  bb_runtime_probe *probe; /* until its end */
  fake_device *device;
  unsigned n_done;
  int status;
  bool answered, other_options;
  char through[BB_MAX_ID + 1];
  bb_reason reason;
  bool fresh[2], has_batch[2];
  double value[2]; /* of the first point of each scan */
  uint8_t raw[2];  /* its first byte */
} probe_asked;

/* RIG_PLANT, paused; the journal is of the probe alone from here on. */
void probe_rig_open(rig *r);

bb_link *probe_link(const rig *r, const char *id);

/* Takes the config over. */
bb_runtime_probe_wish probe_wish(bb_config *config, uint32_t scans);

/* What bb_runtime_probe_start says. */
int probe_ask_for(rig *r, probe_asked *a, bb_runtime_probe_wish wish);
int probe_ask(rig *r, probe_asked *a, const char *text, uint32_t scans);

/* A probe that starts, of a device whose values are 42. */
void probe_ask_well(rig *r, probe_asked *a, const char *text, uint32_t scans);
void probe_wait(rig *r, const probe_asked *a);

#endif
