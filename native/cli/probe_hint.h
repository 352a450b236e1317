/* SPDX-License-Identifier: Apache-2.0 */
/* What a probe that did not go well may mean, and what to do. */
#ifndef BB_CLI_PROBE_HINT_H
#define BB_CLI_PROBE_HINT_H

#include <stdio.h>

#include "cli/probe_read.h"

/* Why there is no table: what was asked, how often, how long. */
void bb_probe_hint_silence(const bb_probe *probe, FILE *out);

/* Where most points were refused or make no sense: what is wrong then. Nothing where they are good.
 * `config`: the document, for the command that is proposed; `orders`: it was given already. */
void bb_probe_hint_points(const bb_probe *probe, const char *config, bool orders, FILE *out);

#endif
