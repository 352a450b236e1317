/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Line protocol of values that have no shape: a message in a flow. What names and escapes a field or
 * a tag is the encoder of the sinks (encode/line.h), by the same plans and series; they are made once
 * and kept by place. Texts of fields may be longer here than those of a point.
 */
#ifndef BB_ADDON_LINES_H
#define BB_ADDON_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/report.h"

#define BB_LINES_MAX_PLANS 1024
#define BB_LINES_MAX_SERIES 4096
#define BB_LINES_MAX_TAGS 64
#define BB_LINES_MAX_TEXT 65535u       /* bytes of one text */
#define BB_LINES_MAX_BYTES (16u << 20) /* bytes of the lines of one call */

typedef struct bb_lines bb_lines;

/* NULL without memory. */
bb_lines *bb_lines_new(void);

/* Harmless on NULL. */
void bb_lines_free(bb_lines *lines);

/*
 * {"fields":[{"name":"power","type":"float"},...],"layout":"wide","precision":"ns",
 *  "allFloat":false,"unsignedType":false,"namesAsIs":false}, types being float, integer, unsigned,
 * boolean and string. Its place, BB_ERR_CONFIG (reported), BB_ERR_LIMIT (as many plans as there can
 * be) or BB_ERR_NOMEM.
 */
int bb_lines_plan(bb_lines *lines, const char *text, size_t len, bb_report *report);

/* {"measurement":"power","tags":{"line":"l1"},"layout":"wide"}. Returns as above. */
int bb_lines_series(bb_lines *lines, const char *text, size_t len, bb_report *report);

/* How many fields that plan has; 0 when there is none of that place. */
uint32_t bb_lines_fields(const bb_lines *lines, uint32_t plan);

typedef struct bb_lines_text {
  const char *bytes;
  size_t len;
} bb_lines_text;

/* The fields of a plan, in its order. */
typedef struct bb_lines_record {
  const uint8_t
      *values; /* 8 bytes each: a double; an int64; 0 or 1, and the place of a text as doubles */
  const bb_lines_text *texts;
  size_t n_texts;
  int64_t time_ns;
} bb_lines_record;

/*
 * Appends the lines, each with its line end; NaN, infinities and unsigned values too large for `i`
 * are left out. How many lines, or BB_ERR_NOTFOUND (no such plan or series), BB_ERR_RANGE (a text of
 * no such place, or too long), BB_ERR_INVALID (plan and series differ in layout), BB_ERR_LIMIT,
 * BB_ERR_NOMEM; after an error nothing is appended.
 */
int bb_lines_encode(const bb_lines *lines, uint32_t plan, uint32_t series,
                    const bb_lines_record *record, bb_buf *out);

#endif
