/* SPDX-License-Identifier: Apache-2.0 */
/* See probe_orders.h. */
#include "cli/probe_orders.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/probe_table.h"
#include "cli/table.h"
#include "encode/number.h"

#define GAPS 10        /* between six columns */
#define LEAST_WHOLE 8  /* "*1.08e18" */
#define LEAST_FLOAT 10 /* "*-5.77e-27" */

typedef struct {
  const bb_probe *probe;
  uint16_t raw_bytes; /* of the points of this table */
  size_t name, value; /* columns at most */
  bb_table table;
  bb_buf cell;
} sheet;

static bool is_shown(const sheet *s, uint16_t place) {
  const bb_codec *codec = &bb_probe_table_point(s->probe, place)->codec;
  return codec->raw_bytes == s->raw_bytes && codec->raw != BB_RAW_TEXT &&
         bb_draft_has_raw(s->probe->draft.quality[place], codec);
}

/* The power of ten that the device gives for this point. */
static int32_t power_of(const bb_probe *probe, const bb_profile_point *point) {
  if (point->scale_from < 0) return BB_POWER_NONE;
  for (uint16_t i = 0; i < probe->n_points; i++) {
    if (probe->points[i] != point->scale_from) continue;
    if (!bb_quality_has_value(probe->draft.quality[i])) return BB_POWER_MISSING;
    const uint8_t *slot = probe->draft.values + probe->shape->offsets[i];
    double power = bb_value_double(bb_value_load(probe->shape->points[i].type, slot));
    return fabs(power) <= BB_POWER_MAX ? (int32_t)power : BB_POWER_MISSING;
  }
  return BB_POWER_MISSING;
}

/* "1.5e+07" and "1.5e-07" as "1.5e7" and "1.5e-7". */
static void shorten_exponent(char *text) {
  char *from = strchr(text, 'e');
  if (from == NULL) return;
  char *to = ++from;
  if (*from == '-') *to++ = '-';
  if (*from == '-' || *from == '+') from++;
  while (*from == '0' && from[1] != 0) from++;
  memmove(to, from, strlen(from) + 1);
}

/* All digits where they fit, else as many as do. */
static void put_number(bb_buf *out, bb_value value, size_t width) {
  char text[BB_NUMBER_F64_MAX + 1];
  size_t len;
  if (value.type == BB_TYPE_F32) {
    len = bb_number_f32(text, value.v.f);
  } else if (value.type == BB_TYPE_F64) {
    len = bb_number_f64(text, value.v.d);
  } else if (bb_type_is_signed(value.type)) {
    len = bb_number_i64(text, value.v.i);
  } else {
    len = bb_number_u64(text, value.v.u);
  }
  text[len] = 0;
  for (int digits = 9; len > width && digits > 0; digits--) {
    snprintf(text, sizeof(text), "%.*g", digits, bb_value_double(value));
    shorten_exponent(text);
    len = strlen(text);
  }
  bb_buf_text(out, text);
}

static void put_order(sheet *s, uint16_t place, bb_order order) {
  const bb_profile_point *point = bb_probe_table_point(s->probe, place);
  const uint8_t *raw = s->probe->draft.raw + (size_t)place * BB_DRAFT_RAW;
  bb_codec codec = point->codec;
  uint8_t slot[8];
  codec.order = order;
  uint8_t quality = bb_codec_decode(&codec, raw, power_of(s->probe, point), slot, sizeof(slot));
  bb_buf_clear(&s->cell);
  if (order == point->codec.order) bb_buf_byte(&s->cell, '*');
  if (bb_quality_has_value(quality)) {
    put_number(&s->cell, bb_value_load(point->point.type, slot), s->value - 1);
  } else {
    bool none = (quality & BB_CAUSE_MASK) == BB_CAUSE_NOT_A_NUMBER;
    bb_buf_text(&s->cell, none ? "NaN" : "no value");
  }
  bb_table_cell(&s->table, bb_buf_string(&s->cell));
}

/* The end of a name tells more than its beginning. Names are ASCII. */
static void put_name(sheet *s, const char *name) {
  size_t len = strlen(name);
  bb_buf_clear(&s->cell);
  if (len > s->name) bb_buf_text(&s->cell, "…");
  bb_buf_text(&s->cell, len > s->name ? name + len - (s->name - 1) : name);
  bb_table_cell(&s->table, bb_buf_string(&s->cell));
}

static void put_raw(sheet *s, uint16_t place) {
  const uint8_t *raw = s->probe->draft.raw + (size_t)place * BB_DRAFT_RAW;
  uint16_t group = s->raw_bytes / 2; /* in two, so that eight bytes leave room for the name */
  bb_buf_clear(&s->cell);
  for (uint16_t i = 0; i < s->raw_bytes; i++) {
    bb_buf_printf(&s->cell, "%s%02x", i == group ? " " : "", raw[i]);
  }
  bb_table_cell(&s->table, bb_buf_string(&s->cell));
}

/* Shares the width out between names and values. */
static void set_widths(sheet *s, uint32_t width) {
  size_t room = width - GAPS - (2u * s->raw_bytes + 1), least = LEAST_WHOLE;
  s->name = sizeof("POINT") - 1;
  for (uint16_t i = 0; i < s->probe->shape->n_points; i++) {
    const bb_point *point = &s->probe->shape->points[i];
    if (!is_shown(s, i)) continue;
    if (strlen(point->name) > s->name) s->name = strlen(point->name);
    if (point->type == BB_TYPE_F32 || point->type == BB_TYPE_F64) least = LEAST_FLOAT;
  }
  if (s->name + BB_ORDER_COUNT * least > room) s->name = room - BB_ORDER_COUNT * least;
  s->value = (room - s->name) / BB_ORDER_COUNT;
}

static int print_sheet(const bb_probe *probe, uint16_t raw_bytes, uint32_t width, bool *any,
                       FILE *out) {
  static const char *const heads[] = {"POINT", "RAW", ">ABCD", ">CDAB", ">BADC", ">DCBA"};
  sheet s = {.probe = probe, .raw_bytes = raw_bytes};
  set_widths(&s, width);
  bb_table_init(&s.table, heads, 6);
  bb_buf_init(&s.cell, 4096);
  for (uint16_t i = 0; i < probe->shape->n_points; i++) {
    if (!is_shown(&s, i)) continue;
    put_name(&s, probe->shape->points[i].name);
    put_raw(&s, i);
    for (int order = 0; order < BB_ORDER_COUNT; order++) put_order(&s, i, (bb_order)order);
  }
  int err = 0;
  if (s.table.n_cells > s.table.n_columns) {
    if (*any) fputc('\n', out);
    *any = true;
    err = bb_table_print(&s.table, out);
  }
  bb_table_close(&s.table);
  bb_buf_close(&s.cell);
  return err;
}

int bb_probe_orders_print(const bb_probe *probe, uint32_t width, FILE *out) {
  bool any = false;
  if (width < BB_PROBE_ORDERS_LEAST) width = BB_PROBE_ORDERS_LEAST;
  int err = print_sheet(probe, 4, width, &any, out);
  if (err == 0) err = print_sheet(probe, 8, width, &any, out);
  if (err < 0) return err;
  fputs(any ? "\n* the order that the profile says; the right one gives values that can be true.\n"
            : "No number of more than one register was read, so there is no word order to see.\n",
        out);
  return 0;
}

uint32_t bb_probe_orders_width(FILE *out) {
  struct winsize size = {0};
  const char *columns = getenv("COLUMNS");
  unsigned long width = columns != NULL ? strtoul(columns, NULL, 10) : 0;
  if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) width = size.ws_col;
  if (width == 0 && isatty(fileno(out))) width = BB_PROBE_ORDERS_LEAST;
  return width > 0 && width < BB_PROBE_ORDERS_MOST ? (uint32_t)width : BB_PROBE_ORDERS_MOST;
}
