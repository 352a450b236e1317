/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one door for writes, whoever asks. It applies the rails (control/rails.h), the rate limit of
 * the device and the time limit of the command, hands it to the driver, and sees to it that each
 * accepted command ends exactly once: confirmed, refused, expired or unknown, and why.
 */
#ifndef BB_RUNTIME_DOOR_H
#define BB_RUNTIME_DOOR_H

#include <stdint.h>

#include "plug/command.h"

struct bb_runtime;
struct bb_attachment;

typedef struct bb_door {
  /* read-only */
  uint64_t outcomes[4]; /* by bb_outcome */
  uint32_t open;        /* commands under way */
  bool shut;            /* paused or stopping: everything is refused */
  /* private */
  struct bb_runtime *runtime;
} bb_door;

void bb_door_init(bb_door *door, struct bb_runtime *runtime);

/*
 * Takes the command: on_done is called exactly once, possibly before this returns. The command's
 * points are places in the device's profile; use bb_door_resolve for names.
 */
void bb_door_submit(bb_door *door, bb_command *command);

/* Turns a name and a value as it came (text "true", number) into the command's next point. 0, or
 * negative with `reason`: no such device, no such point. */
int bb_door_add(bb_door *door, bb_command *command, const char *point, bb_value value,
                bb_reason *reason);

/* The driver's answer; called by the host. */
void bb_door_done(bb_door *door, bb_command *command, bb_outcome outcome, const bb_reason *reason);

#endif
