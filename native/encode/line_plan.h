/* SPDX-License-Identifier: Apache-2.0 */
/* What a series and a plan are made of: for line_series.c and line_plan.c, which make them, and
 * line.c, which uses them. */
#ifndef BB_ENCODE_LINE_PLAN_H
#define BB_ENCODE_LINE_PLAN_H

#include "encode/line.h"

/* A line's head is text[0..cut), the tag of its layout, text[cut..len): tags are sorted by key. */
struct bb_line_series {
  size_t len;
  size_t cut;
  char text[];
};

/* How a value is written. */
typedef enum bb_line_form {
  BB_LINE_F32,
  BB_LINE_F64,
  BB_LINE_SIGNED,
  BB_LINE_UNSIGNED,
  BB_LINE_BOOL,
  BB_LINE_BIT, /* a boolean as 1 or 0 */
  BB_LINE_STRING,
} bb_line_form;

typedef struct bb_line_field {
  const char *key; /* ",voltage_l1_n=", and at least BB_LINE_STRIDE bytes to read from there */
  uint32_t key_len;
  uint32_t offset; /* of the value's slot */
  uint16_t point;
  uint8_t form; /* bb_line_form */
  uint8_t type; /* bb_type */
  char suffix;  /* 'i', 'u', or 0 for none */
} bb_line_field;

/* Keys are copied in steps of so many bytes, whatever their length. */
#define BB_LINE_STRIDE 32

/* The fields of one line. */
typedef struct bb_line_group {
  const char *tag; /* ",phase=l1", or "" */
  uint32_t tag_len;
  uint32_t first; /* field */
  uint32_t n;
} bb_line_group;

struct bb_line_plan {
  bb_line_group *groups;
  bb_line_field *fields;
  char *text; /* of keys and tags */
  uint32_t n_groups;
  uint32_t n_fields;
  uint32_t dropped; /* points that no name could be found for */
  bb_line_layout layout;
  bb_line_precision precision;
  size_t max_bytes; /* of all lines, without what the series adds */
};

/* The key of the tag that the layout adds: "phase", "point", "" for wide. */
const char *bb_line_layout_tag(bb_line_layout layout);

/* Appends `measurement` and the tags; where the tag `layout_tag` belongs is put into *cut. */
void bb_line_series_put(bb_buf *out, const char *measurement, const bb_device *device,
                        const bb_line_options *options, const char *layout_tag, size_t *cut);

#endif
