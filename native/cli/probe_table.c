/* SPDX-License-Identifier: Apache-2.0 */
/* See probe_table.h. */
#include "cli/probe_table.h"

#include "cli/table.h"
#include "encode/number.h"

const bb_profile_point *bb_probe_table_point(const bb_probe *probe, uint16_t place) {
  return &probe->device->profile->points[probe->points[place]];
}

static void put_number(bb_buf *out, bb_value value) {
  char text[BB_NUMBER_F64_MAX];
  size_t len = 0;
  if (value.type == BB_TYPE_F32) {
    len = bb_number_f32(text, value.v.f);
  } else if (value.type == BB_TYPE_F64) {
    len = bb_number_f64(text, value.v.d);
  } else if (bb_type_is_signed(value.type)) {
    len = bb_number_i64(text, value.v.i);
  } else {
    len = bb_number_u64(text, value.v.u);
  }
  bb_buf_append(out, text, len);
}

/* The names of the bits that are set. */
static void put_bits(bb_buf *out, const bb_point *point, uint64_t value) {
  const char *before = " (";
  for (uint16_t i = 0; i < point->n_labels; i++) {
    const bb_label *label = &point->labels[i];
    if (label->value > 63 || (value >> label->value & 1) == 0) continue;
    bb_buf_printf(out, "%s%s", before, label->name);
    before = ", ";
  }
  if (before[0] == ',') bb_buf_byte(out, ')');
}

static void put_label(bb_buf *out, const bb_point *point, bb_value value) {
  double number = bb_value_double(value);
  if (point->labels_kind == BB_LABELS_NONE || !(number >= 0 && number < 0x1p63)) return;
  uint64_t whole = (uint64_t)number;
  if (point->labels_kind == BB_LABELS_BITS) {
    put_bits(out, point, whole);
    return;
  }
  const char *name = bb_point_label(point, whole);
  if (name != NULL) bb_buf_printf(out, " (%s)", name);
}

void bb_probe_table_value(bb_buf *out, const bb_point *point, const uint8_t *slot) {
  bb_value value = bb_value_load(point->type, slot);
  if (value.type == BB_TYPE_TEXT) {
    bb_buf_append(out, value.v.text.bytes, value.v.text.len);
    return;
  }
  if (value.type == BB_TYPE_BOOL) {
    bb_buf_text(out, value.v.b ? "true" : "false");
  } else {
    put_number(out, value);
  }
  put_label(out, point, value);
}

static void put_quality(bb_buf *out, uint8_t quality, uint8_t code) {
  const char *text = bb_quality_text(quality);
  bb_buf_text(out, bb_quality_name(quality));
  if (*text != 0) bb_buf_printf(out, ": %s", text);
  if (code != 0) bb_buf_printf(out, " (exception %u)", code);
}

/* "4366 8000": a group a register. */
static void put_raw(bb_buf *out, const uint8_t *raw, const bb_codec *codec) {
  uint16_t n = codec->raw_bytes < BB_DRAFT_RAW ? codec->raw_bytes : BB_DRAFT_RAW;
  for (uint16_t i = 0; i < n; i++) {
    bb_buf_printf(out, "%s%02x", i > 0 && i % 2 == 0 ? " " : "", raw[i]);
  }
  if (codec->raw_bytes > n) bb_buf_text(out, " …");
}

int bb_probe_table_print(const bb_probe *probe, FILE *out) {
  static const char *const heads[] = {"POINT", ">VALUE", "UNIT", "QUALITY", "RAW"};
  const bb_draft *draft = &probe->draft;
  bb_table table;
  bb_buf cell;
  bb_table_init(&table, heads, 5);
  bb_buf_init(&cell, 1u << 16);
  for (uint16_t i = 0; i < probe->shape->n_points; i++) {
    const bb_point *point = &probe->shape->points[i];
    const bb_codec *codec = &bb_probe_table_point(probe, i)->codec;
    uint8_t quality = draft->quality[i];
    bb_table_cell(&table, point->name);
    bb_buf_clear(&cell);
    if (bb_quality_has_value(quality)) {
      bb_probe_table_value(&cell, point, draft->values + probe->shape->offsets[i]);
    }
    bb_table_cell(&table, bb_buf_string(&cell));
    bb_table_cell(&table, point->unit);
    bb_buf_clear(&cell);
    put_quality(&cell, quality, draft->codes[i]);
    bb_table_cell(&table, bb_buf_string(&cell));
    bb_buf_clear(&cell);
    if (bb_draft_has_raw(quality, codec)) {
      put_raw(&cell, draft->raw + (size_t)i * BB_DRAFT_RAW, codec);
    }
    bb_table_cell(&table, bb_buf_string(&cell));
  }
  int err = bb_table_print(&table, out);
  bb_table_close(&table);
  bb_buf_close(&cell);
  return err;
}
