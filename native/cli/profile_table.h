/* SPDX-License-Identifier: Apache-2.0 */
/* The points of a profile as a table for people. */
#ifndef BB_CLI_PROFILE_TABLE_H
#define BB_CLI_PROFILE_TABLE_H

#include <stdio.h>

#include "cli/table.h"
#include "model/profile.h"

/* What it is and where it comes from, then a row a point. 0 or as bb_table_print. */
int bb_profile_table_print(const bb_profile *profile, FILE *out);

/* "input 0x0050", "coil 3", "assembly 100+8", "" for a point without a place. Returns `out`. */
const char *bb_profile_table_address(const bb_profile_point *point, char *out, size_t cap);

#endif
