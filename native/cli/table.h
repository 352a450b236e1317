/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for people: a head, then rows of cells, columns as wide as their widest cell. Text is UTF-8;
 * what would move the cursor (a device's own text may hold anything) is shown as '?'.
 */
#ifndef BB_CLI_TABLE_H
#define BB_CLI_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

#define BB_TABLE_COLUMNS 8
#define BB_TABLE_MAX_BYTES (16u << 20) /* of text in one table */

typedef struct bb_table {
  /* read-only */
  uint32_t n_columns;
  uint32_t n_cells; /* the head's included */
  /* private */
  uint32_t widths[BB_TABLE_COLUMNS];
  uint32_t right; /* bit i: column i stands at its right edge */
  bb_buf text;    /* the cells, each with its terminator */
} bb_table;

/* `heads`: a name for each column. A name that begins with '>' has its column at the right edge. */
void bb_table_init(bb_table *table, const char *const *heads, uint32_t n_columns);
void bb_table_close(bb_table *table);

/* The next cell, row by row. What there is no memory for is told by bb_table_print. */
void bb_table_cell(bb_table *table, const char *text);
void bb_table_cell_format(bb_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* 0, BB_ERR_NOMEM or BB_ERR_LIMIT with nothing printed. */
int bb_table_print(const bb_table *table, FILE *out);

#endif
