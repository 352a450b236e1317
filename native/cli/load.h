/* SPDX-License-Identifier: Apache-2.0 */
/* A config document for a subcommand: read, checked, its mistakes told. */
#ifndef BB_CLI_LOAD_H
#define BB_CLI_LOAD_H

#include "runtime/config.h"

/* `name`: "busbar check". BB_EXIT_DONE with a reference in *out; else the exit code, after all
 * mistakes went to stderr, one line each. */
int bb_cli_load(bb_config **out, const char *name, const char *path);

#endif
