/* SPDX-License-Identifier: Apache-2.0 */
/* See rails_text.h, and rails.h for bb_rails_allowed. */
#include "control/rails_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/rails.h"

#define SHOWN_TEXT 32 /* bytes */

const char *bb_rails_number(double number, bb_type type, char out[BB_RAILS_NUMBER]) {
  bool is_single = type == BB_TYPE_F32;
  if (isnan(number)) return memcpy(out, "NaN", 4);
  if (isinf(number)) return number < 0 ? memcpy(out, "-infinity", 10) : memcpy(out, "infinity", 9);
  if (number == 0) number = 0; /* of two zeros the one without a sign */
  for (int digits = is_single ? 6 : 15; digits <= 17; digits++) {
    snprintf(out, BB_RAILS_NUMBER, "%.*g", digits, number);
    double again = strtod(out, NULL);
    if (is_single ? (float)again == (float)number : again == number) break;
  }
  return out;
}

/* The end of the last whole character before `room`. */
static int cut(const char *bytes, size_t len, size_t room) {
  if (len <= room) return (int)len;
  while (room > 0 && ((unsigned char)bytes[room] & 0xC0) == 0x80) room--;
  return (int)room;
}

const char *bb_rails_value(bb_value value, char out[BB_RAILS_VALUE]) {
  char number[BB_RAILS_NUMBER];
  if (value.type == BB_TYPE_TEXT) {
    int shown = cut(value.v.text.bytes, value.v.text.len, SHOWN_TEXT);
    snprintf(out, BB_RAILS_VALUE, "\"%.*s%s\"", shown, shown > 0 ? value.v.text.bytes : "",
             shown < value.v.text.len ? "..." : "");
  } else if (value.type == BB_TYPE_BOOL) {
    snprintf(out, BB_RAILS_VALUE, "%s", value.v.b ? "true" : "false");
  } else if (bb_type_is_float(value.type)) {
    snprintf(out, BB_RAILS_VALUE, "%s",
             bb_rails_number(bb_value_double(value), value.type, number));
  } else if (bb_type_is_signed(value.type)) {
    snprintf(out, BB_RAILS_VALUE, "%" PRId64, value.v.i);
  } else {
    snprintf(out, BB_RAILS_VALUE, "%" PRIu64, value.v.u);
  }
  return out;
}

/* "0 off, 1 on"; those that find no room become "...". */
static void list_labels(const bb_point *point, char *out, size_t cap) {
  size_t len = 0;
  for (uint16_t i = 0; i < point->n_labels; i++) {
    const char *name = point->labels[i].name;
    char item[SHOWN_TEXT + 32];
    int n = snprintf(item, sizeof(item), "%s%" PRIu32 " %.*s", i > 0 ? ", " : "",
                     point->labels[i].value, cut(name, strlen(name), SHOWN_TEXT), name);
    size_t spare = i + 1 < point->n_labels ? sizeof(", ...") : 1;
    if (len + (size_t)n + spare > cap) {
      snprintf(out + len, cap - len, "%s...", i > 0 ? ", " : "");
      return;
    }
    memcpy(out + len, item, (size_t)n + 1);
    len += (size_t)n;
  }
}

static void show_limits(const bb_profile_point *point, char *out, size_t cap) {
  char low[BB_RAILS_NUMBER], high[BB_RAILS_NUMBER], step[BB_RAILS_NUMBER], unit[24], steps[64];
  const char *name = point->point.unit;
  bool whole = bb_type_is_integer(point->point.type);
  bb_rail rail;
  bb_rails_limits(point, &rail);
  bb_rails_number(rail.min, BB_TYPE_F64, low);
  bb_rails_number(rail.max, BB_TYPE_F64, high);
  bb_rails_number(rail.step, BB_TYPE_F64, step);
  snprintf(unit, sizeof(unit), "%s%.*s", name[0] != 0 ? " " : "", cut(name, strlen(name), 16),
           name);
  snprintf(steps, sizeof(steps), "%s%s", rail.step > 0 ? " in steps of " : "",
           rail.step > 0 ? step : "");
  if (rail.has_min && rail.has_max) {
    snprintf(out, cap, "%s to %s%s%s", low, high, unit, steps);
  } else if (rail.has_min) {
    snprintf(out, cap, "from %s%s up%s", low, unit, steps);
  } else if (rail.has_max) {
    snprintf(out, cap, "up to %s%s%s", high, unit, steps);
  } else {
    snprintf(out, cap, "%s%s", whole ? "a whole number" : "a number", steps);
  }
}

const char *bb_rails_allowed(const bb_profile_point *point, char *out, size_t cap) {
  if (!point->point.writable) {
    snprintf(out, cap, "nothing");
  } else if (point->point.labels_kind == BB_LABELS_ENUM) {
    list_labels(&point->point, out, cap);
  } else if (point->point.type == BB_TYPE_BOOL) {
    snprintf(out, cap, "true or false");
  } else if (point->point.type == BB_TYPE_TEXT) {
    unsigned room = point->codec.raw == BB_RAW_TEXT && point->codec.raw_bytes > 0
                        ? point->codec.raw_bytes
                        : point->point.size - 1u;
    snprintf(out, cap, "a text of up to %u bytes", room);
  } else {
    show_limits(point, out, cap);
  }
  return out;
}
