/* SPDX-License-Identifier: Apache-2.0 */
/* What a probe has read, as tables for people. */
#ifndef BB_CLI_PROBE_TABLE_H
#define BB_CLI_PROBE_TABLE_H

#include <stdio.h>

#include "base/buf.h"
#include "cli/probe_read.h"

/* Point, value, unit, quality, raw bytes. 0 or as bb_table_print. */
int bb_probe_table_print(const bb_probe *probe, FILE *out);

/* The point at that place of what was read, as its profile has it. */
const bb_profile_point *bb_probe_table_point(const bb_probe *probe, uint16_t place);

/* The value as a person reads it: "231.4", "2 (automatic)", "3 (overload, phase-loss)". */
void bb_probe_table_value(bb_buf *out, const bb_point *point, const uint8_t *slot);

#endif
