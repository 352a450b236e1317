/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person or a test tells a running simulator, one line a command:
 *
 *   fault delay 500ms            see sim/fault.h
 *   fault none [unit U] [port P]
 *   set POINT VALUE [unit U] [port P]
 *   status
 *   quit
 */
#ifndef BB_SIM_COMMAND_H
#define BB_SIM_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/server.h"

/*
 * Does what the line says and writes the answer into `out`, without a line end: "ok", "ok " and what
 * was asked for, or "error: " and a sentence. True if the simulator is to end.
 */
bool bb_sim_command(bb_sim *sim, const char *line, char *out, size_t cap);

/* The commands and faults as text for --help. */
extern const char *const bb_sim_command_help;

#endif
