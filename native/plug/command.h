/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command: values to be written to points of one device. There is one type for every writer
 * (socket client, later Sparkplug and fleet), and one door in the runtime, which applies the rails
 * before a driver sees it.
 *
 * The command belongs to whoever made it and must live until on_done, which is called exactly once
 * if the door accepted it. At most once: a command whose answer was lost is "unknown", never sent
 * again.
 */
#ifndef BB_PLUG_COMMAND_H
#define BB_PLUG_COMMAND_H

#include <stdint.h>

#include "base/limits.h"
#include "model/value.h"
#include "plug/reason.h"

typedef enum bb_outcome {
  BB_OUTCOME_CONFIRMED, /* written, and read back where the profile says so */
  BB_OUTCOME_REFUSED, /* by a rail or by the device; nothing was changed, or the reason says what */
  BB_OUTCOME_EXPIRED, /* not sent: its time was over */
  BB_OUTCOME_UNKNOWN, /* sent, but no answer came: it may have worked */
} bb_outcome;

/* "confirmed", "refused", "expired", "unknown". */
const char *bb_outcome_name(bb_outcome outcome);

typedef struct bb_command bb_command;

typedef void (*bb_command_done_cb)(bb_command *command, bb_outcome outcome,
                                   const bb_reason *reason);

struct bb_command {
  /* public */
  char id[40];                              /* the writer's own; comes back with the outcome */
  const char *device;                       /* id of the device */
  uint16_t n;                               /* 1 to BB_MAX_COMMAND_POINTS */
  uint16_t points[BB_MAX_COMMAND_POINTS];   /* places in the profile; written in this order */
  bb_value values[BB_MAX_COMMAND_POINTS];   /* of the points' types once through the rails */
  bb_value measured[BB_MAX_COMMAND_POINTS]; /* read back by the driver where has_measured says so */
  uint64_t has_measured;                    /* bit i: measured[i] is set */
  uint64_t not_after_ns;                    /* monotonic; 0: no limit */
  const char *origin;                       /* "socket", "sparkplug": who brought it */
  const char *principal;                    /* on whose behalf; may be NULL */
  bb_command_done_cb on_done;
  void *user;
  /* private: of the door and of the driver while they hold it */
  void *door;
  void *driver;
};

#endif
