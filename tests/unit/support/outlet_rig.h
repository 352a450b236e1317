/* SPDX-License-Identifier: Apache-2.0 */
/* A device that the test pushes, and the outlet to a sink that it judges. A batch is known by its
 * first value. */
#ifndef BB_TEST_OUTLET_RIG_H
#define BB_TEST_OUTLET_RIG_H

#include "support/runtime_rig.h"

/* The device "m" and the sink "bus" with these options; more sinks may follow. */
#define OUTLET_RIG(options)                                                                        \
  RIG_CONNECTIONS "devices:\n" RIG_PUSHED("m", "a") "sinks:\n  - { id: bus, session: { " options   \
                                                    " } }\n"
#define OUTLET_RIG_SECONDS(n) ((n)*BB_NS_PER_S)

typedef struct outlet_rig {
  rig r;
  /* read-only */
  fake_device *device;
  bb_outlet *outlet;
  fake_sink *sink;
} outlet_rig;

/* Connected, if the sink is one that the test judges. */
void outlet_rig_open(outlet_rig *f, const char *text);
void outlet_rig_close(outlet_rig *f);

void outlet_rig_push(outlet_rig *f, double from, double to);

/* The batches that the sink has without a verdict, by their values: exactly these. */
#define outlet_rig_expect(f, ...)                                                                  \
  outlet_rig_expect_at((f), (const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / 8,    \
                       __FILE__, __LINE__)
void outlet_rig_expect_at(outlet_rig *f, const double *values, size_t n, const char *file,
                          int line);

/* Acknowledges all that the sink has. */
void outlet_rig_ack(outlet_rig *f);

/* Pushes, and acknowledges it. */
void outlet_rig_deliver(outlet_rig *f, double from, double to);

#endif
