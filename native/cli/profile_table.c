/* SPDX-License-Identifier: Apache-2.0 */
/* See profile_table.h. */
#include "cli/profile_table.h"

#include "base/text.h"
#include "encode/number.h"

const char *bb_profile_table_address(const bb_profile_point *point, char *out, size_t cap) {
  const char *space = bb_space_name(point->space);
  switch (point->space) {
  case BB_SPACE_COIL:
  case BB_SPACE_DISCRETE:
    snprintf(out, cap, "%s %u", space, point->address);
    break;
  case BB_SPACE_INPUT:
  case BB_SPACE_HOLDING:
    snprintf(out, cap, "%s 0x%04x", space, point->address);
    break;
  case BB_SPACE_ASSEMBLY:
    snprintf(out, cap, "%s %u+%u", space, point->address, point->offset);
    break;
  default:
    if (cap > 0) *out = 0;
  }
  return out;
}

/* A note after the others. */
static void begin(bb_buf *notes) {
  if (notes->len > 0) bb_buf_text(notes, "; ");
}

static void put_number(bb_buf *out, double value) {
  char text[BB_NUMBER_F64_MAX];
  bb_buf_append(out, text, bb_number_f64(text, value));
}

static void note_number(bb_buf *notes, const char *what, double value) {
  begin(notes);
  bb_buf_text(notes, what);
  put_number(notes, value);
}

static void note_bits(bb_buf *notes, const bb_profile_point *point) {
  const bb_codec *codec = &point->codec;
  if (point->space != BB_SPACE_INPUT && point->space != BB_SPACE_HOLDING) return;
  if (codec->raw == BB_RAW_BIT) {
    begin(notes);
    bb_buf_printf(notes, "bit %u", codec->bit);
  } else if (codec->bits > 0) {
    begin(notes);
    bb_buf_printf(notes, "bits %u to %u", codec->bit, codec->bit + codec->bits - 1);
  } else if (codec->raw == BB_RAW_I8 || codec->raw == BB_RAW_U8) {
    begin(notes);
    bb_buf_text(notes, codec->high_byte ? "high byte" : "low byte");
  } else if (codec->raw_bytes > 2 && codec->raw != BB_RAW_TEXT) {
    begin(notes);
    bb_buf_text(notes, bb_order_name(codec->order));
  }
}

static void note_scale(bb_buf *notes, const bb_profile *profile, const bb_profile_point *point) {
  const bb_codec *codec = &point->codec;
  if (codec->scaled) {
    double scale = bb_decimal_double(codec->scale), offset = bb_decimal_double(codec->offset);
    if (scale != 1) note_number(notes, "× ", scale);
    if (offset != 0) note_number(notes, "+ ", offset);
  }
  if (point->scale_from >= 0) {
    begin(notes);
    bb_buf_printf(notes, "× 10^%s", profile->points[point->scale_from].point.name);
  }
  if (codec->negate) {
    begin(notes);
    bb_buf_text(notes, "sign turned");
  }
}

static void note_labels(bb_buf *notes, const bb_point *point) {
  for (uint16_t i = 0; i < point->n_labels; i++) {
    if (i == 0) begin(notes);
    bb_buf_printf(notes, "%s%u %s", i > 0 ? ", " : "", point->labels[i].value,
                  point->labels[i].name);
  }
}

static void note_write(bb_buf *notes, const bb_profile_point *point) {
  if (!point->point.writable) return;
  begin(notes);
  bb_buf_text(notes, "writable");
  if (point->point.has_min) {
    bb_buf_text(notes, " from ");
    put_number(notes, point->point.min);
  }
  if (point->point.has_max) {
    bb_buf_text(notes, " to ");
    put_number(notes, point->point.max);
  }
  if (point->point.step > 0) {
    bb_buf_text(notes, " in steps of ");
    put_number(notes, point->point.step);
  }
  if (point->write_block != NULL) bb_buf_printf(notes, " with block %s", point->write_block);
}

static void put_notes(bb_buf *notes, const bb_profile *profile, const bb_profile_point *point) {
  bb_buf_clear(notes);
  note_bits(notes, point);
  note_scale(notes, profile, point);
  note_labels(notes, &point->point);
  note_write(notes, point);
  if (point->inferred) {
    begin(notes);
    bb_buf_text(notes, "inferred");
  }
  if (point->point.description[0] != 0) {
    begin(notes);
    bb_buf_text(notes, point->point.description);
  }
}

static void print_head(const bb_profile *profile, FILE *out) {
  fprintf(out, "%s: %s\n", profile->id, profile->name);
  if (profile->source[0] != 0) fprintf(out, "source: %s\n", profile->source);
  fprintf(out, "verified: %s\n", profile->verified ? "yes" : "no");
  const char *before = "scans:";
  for (uint32_t i = 0; i < profile->n_scans; i++) {
    char period[32];
    const bb_profile_scan *scan = &profile->scans[i];
    if (scan->n_points == 0) continue;
    bb_text_show_ms(period, sizeof(period), scan->period_ms);
    fprintf(out, "%s %s (%u point%s, each %s)", before, scan->name, scan->n_points,
            scan->n_points == 1 ? "" : "s", period);
    before = ",";
  }
  fputs("\n\n", out);
}

int bb_profile_table_print(const bb_profile *profile, FILE *out) {
  static const char *const heads[] = {"POINT", "TYPE", "UNIT", "SCAN", "ADDRESS", "NOTES"};
  bb_table table;
  bb_buf notes;
  bb_table_init(&table, heads, 6);
  bb_buf_init(&notes, 1u << 20);
  for (uint32_t i = 0; i < profile->n_points; i++) {
    const bb_profile_point *point = &profile->points[i];
    char address[64];
    put_notes(&notes, profile, point);
    bb_table_cell(&table, point->point.name);
    bb_table_cell(&table, bb_raw_name(point->codec.raw));
    bb_table_cell(&table, point->point.unit);
    bb_table_cell(&table, profile->scans[point->scan].name);
    bb_table_cell(&table, bb_profile_table_address(point, address, sizeof(address)));
    bb_table_cell(&table, bb_buf_string(&notes));
  }
  print_head(profile, out);
  int err = bb_table_print(&table, out);
  bb_table_close(&table);
  bb_buf_close(&notes);
  return err;
}
