/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of more than one register in all four word orders, side by side. */
#ifndef BB_CLI_PROBE_ORDERS_H
#define BB_CLI_PROBE_ORDERS_H

#include <stdio.h>

#include "cli/probe_read.h"

#define BB_PROBE_ORDERS_WIDTH 80 /* of a table that goes to no terminal */

/* Point, raw bytes, and what they are in each order; a star marks the profile's own. Numbers and names
 * are shortened so that a line has at most `width` columns (80 at least). 0 or as bb_table_print. */
int bb_probe_orders_print(const bb_probe *probe, uint32_t width, FILE *out);

/* The columns of the terminal that `out` is; of what is none, those that COLUMNS says, or
 * BB_PROBE_ORDERS_WIDTH. */
uint32_t bb_probe_orders_width(FILE *out);

#endif
