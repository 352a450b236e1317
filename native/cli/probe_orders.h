/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of more than one register in all four word orders, side by side. */
#ifndef BB_CLI_PROBE_ORDERS_H
#define BB_CLI_PROBE_ORDERS_H

#include <stdio.h>

#include "cli/probe_read.h"

#define BB_PROBE_ORDERS_LEAST 80
#define BB_PROBE_ORDERS_MOST 1000 /* enough for every name and digit */

/* Point, raw bytes, and what they are in each order; a star marks the profile's own. Numbers and names
 * are shortened so that a line has at most `width` columns. 0 or as bb_table_print. */
int bb_probe_orders_print(const bb_probe *probe, uint32_t width, FILE *out);

/* The columns of the terminal that `out` is, or what COLUMNS says. A file or a pipe has no edge. */
uint32_t bb_probe_orders_width(FILE *out);

#endif
