/* SPDX-License-Identifier: Apache-2.0 */
/* The escapes of line protocol; encode/line.h says what becomes of what it cannot carry. */
#ifndef BB_ENCODE_LINE_TEXT_H
#define BB_ENCODE_LINE_TEXT_H

#include <stddef.h>

#include "base/buf.h"

/* A measurement: comma and space are escaped. Failures stay in `out`. */
void bb_line_text_measurement(bb_buf *out, const char *text);

/* A tag key or tag value: the equals sign too. */
void bb_line_text_tag(bb_buf *out, const char *text);

/* A field key: the same, and single quotes for double ones. */
void bb_line_text_key(bb_buf *out, const char *text);

/* A string field: quotes around, quote and backslash escaped. Returns the place behind it; `at` has
 * room for BB_LINE_TEXT_STRING_MAX(len) bytes. */
char *bb_line_text_string(char *at, const char *text, size_t len);

#define BB_LINE_TEXT_STRING_MAX(len) (3 * (len) + 2)

#endif
