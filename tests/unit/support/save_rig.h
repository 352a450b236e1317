/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runtime that saves: the device "m", whose scan "fast" the test pushes, and mostly one sink, "bus".
 * A batch is known by its first value.
 */
#ifndef BB_TEST_SAVE_RIG_H
#define BB_TEST_SAVE_RIG_H

#include "support/runtime_rig.h"

/* Parts of the config: `store` is what is said of the runtime's store, `options` are those of what the
 * macro is named for. */
#define SAVE_RUNTIME(options)                                                                      \
  "busbar: 1\nruntime: { " options " }\n"                                                          \
  "connections:\n  - { id: a, cyclic: { port: 1 } }\n"                                             \
  "devices:\n" RIG_PUSHED("m", "a")
#define SAVE_HEAD(store) SAVE_RUNTIME("store: { " store " }")
#define SAVE_SINK(id, options) "  - { id: " id ", session: { " options " } }\n"
#define SAVE_PLANT(store, options) SAVE_HEAD(store) "sinks:\n" SAVE_SINK("bus", options)
#define SAVE_FAST "sync: 40ms"
#define SAVE_MANUAL "manual: true"

typedef struct save_rig {
  rig r;
  fake_device *device; /* NULL, like the sink: the config has none */
  fake_sink *sink;
} save_rig;

void save_rig_open(save_rig *s, const char *text);
void save_rig_close(save_rig *s);

/* The same plant with batches of about 800 bytes on the disk. Valid until the next call. */
const char *save_rig_wide(const char *runtime, const char *sinks);

/* Applies another config. */
void save_rig_begin(save_rig *s, const char *text);

/* A second life on the same data directory. */
void save_rig_restart(save_rig *s, const char *text);

void save_push(save_rig *s, double from, double to);
void save_push_quietly(save_rig *s, double value); /* the journal has no room for thousands */

bb_save *save_of(save_rig *s);
bb_outlet *save_bus(const save_rig *s);
bool save_log_has(save_rig *s, const char *text);

/* The batches that the sink has without a verdict begin with these values, in this order. */
void save_expect_values(save_rig *s, double from, double to);
void save_ack_all(save_rig *s);

#endif
