/* SPDX-License-Identifier: Apache-2.0 */
/* See table.h. */
#include "cli/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define GAP 2 /* between two columns */

/* Bytes of the character, which takes one place; a control character (C0, DEL, C1) and what is no
 * UTF-8 count as '?'. A combining mark takes none (U+0300 to U+036F). */
static unsigned look(const char *text, size_t len, bool *shown, bool *wide) {
  unsigned n = bb_text_utf8(text, len);
  const unsigned char *c = (const unsigned char *)text;
  *shown = n > 0 && c[0] >= 0x20 && c[0] != 0x7f && !(c[0] == 0xc2 && c[1] < 0xa0);
  *wide = !(n == 2 && (c[0] == 0xcc || (c[0] == 0xcd && c[1] < 0xb0)));
  return n > 0 ? n : 1;
}

/* Adds the text with its terminator; its width. */
static uint32_t put(bb_buf *out, const char *text) {
  uint32_t width = 0;
  for (size_t len = strlen(text); len > 0;) {
    bool shown, wide;
    unsigned n = look(text, len, &shown, &wide);
    if (shown) {
      bb_buf_append(out, text, n);
    } else {
      bb_buf_byte(out, '?');
    }
    width += wide;
    text += n;
    len -= n;
  }
  bb_buf_byte(out, 0);
  return width;
}

void bb_table_init(bb_table *table, const char *const *heads, uint32_t n_columns) {
  memset(table, 0, sizeof(*table));
  table->n_columns = n_columns;
  bb_buf_init(&table->text, BB_TABLE_MAX_BYTES);
  for (uint32_t i = 0; i < n_columns; i++) {
    bool right = heads[i][0] == '>';
    if (right) table->right |= 1u << i;
    bb_table_cell(table, heads[i] + right);
  }
}

void bb_table_close(bb_table *table) {
  bb_buf_close(&table->text);
}

void bb_table_cell(bb_table *table, const char *text) {
  uint32_t column = table->n_cells++ % table->n_columns;
  uint32_t width = put(&table->text, text);
  if (width > table->widths[column]) table->widths[column] = width;
}

void bb_table_cell_format(bb_table *table, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  bb_table_cell(table, text);
}

static uint32_t width_of(const char *text) {
  uint32_t width = 0;
  for (size_t len = strlen(text); len > 0;) {
    bool shown, wide;
    unsigned n = look(text, len, &shown, &wide);
    width += wide;
    text += n;
    len -= n;
  }
  return width;
}

int bb_table_print(const bb_table *table, FILE *out) {
  if (table->text.failed < 0) return table->text.failed;
  const char *cell = (const char *)table->text.bytes;
  uint32_t behind = 0; /* blanks that are due before the next cell, so that no line ends in any */
  for (uint32_t i = 0; i < table->n_cells; i++) {
    uint32_t column = i % table->n_columns;
    uint32_t pad = table->widths[column] - width_of(cell);
    bool right = (table->right >> column & 1) != 0;
    if (*cell != 0) {
      fprintf(out, "%*s%s", (int)(behind + (right ? pad : 0)), "", cell);
      behind = GAP + (right ? 0 : pad);
    } else {
      behind += GAP + pad;
    }
    if (column + 1 == table->n_columns) {
      fputc('\n', out);
      behind = 0;
    }
    cell += strlen(cell) + 1;
  }
  return 0;
}
