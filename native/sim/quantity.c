/* SPDX-License-Identifier: Apache-2.0 */
/* See quantity.h. */
#include "sim/quantity.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"

typedef enum {
  VOLTAGE,
  CURRENT,
  ACTIVE,
  REACTIVE,
  APPARENT,
  FACTOR,
  FREQUENCY,
  ACTIVE_ENERGY,
  REACTIVE_ENERGY,
  APPARENT_ENERGY,
  HOURS,
  ANGLE,
  THD,
} measure;

static const struct {
  const char *unit;
  measure measure;
  double factor;
} units[] = {
    {"V", VOLTAGE, 1},
    {"kV", VOLTAGE, 1e-3},
    {"A", CURRENT, 1},
    {"mA", CURRENT, 1e3},
    {"W", ACTIVE, 1},
    {"kW", ACTIVE, 1e-3},
    {"MW", ACTIVE, 1e-6},
    {"var", REACTIVE, 1},
    {"kvar", REACTIVE, 1e-3},
    {"VA", APPARENT, 1},
    {"kVA", APPARENT, 1e-3},
    {"Hz", FREQUENCY, 1},
    {"Wh", ACTIVE_ENERGY, 1},
    {"kWh", ACTIVE_ENERGY, 1e-3},
    {"MWh", ACTIVE_ENERGY, 1e-6},
    {"varh", REACTIVE_ENERGY, 1},
    {"kvarh", REACTIVE_ENERGY, 1e-3},
    {"VAh", APPARENT_ENERGY, 1},
    {"kVAh", APPARENT_ENERGY, 1e-3},
    {"h", HOURS, 1},
    {"deg", ANGLE, 1},
    {"°", ANGLE, 1},
};

#define SETTINGS " setup nominal rated limit threshold setpoint ratio sequence identity firmware "

/* The words of a name, each in blanks and small letters: " voltage l1 n ". */
typedef struct {
  char text[BB_MAX_NAME + 3];
} words;

static void split(words *out, const char *name) {
  size_t len = 0;
  out->text[len++] = ' ';
  for (; *name != 0 && len < sizeof(out->text) - 2; name++) {
    bool inside = isalnum((unsigned char)*name) != 0;
    if (inside) out->text[len++] = (char)tolower((unsigned char)*name);
    if (!inside && out->text[len - 1] != ' ') out->text[len++] = ' ';
  }
  out->text[len++] = ' ';
  out->text[len] = 0;
}

/* `list`: words in blanks, " max maximum peak ". True if one of them is there. */
static bool has(const words *w, const char *list) {
  for (const char *at = list; at[1] != 0;) {
    size_t len = strcspn(at + 1, " ") + 2;
    char one[24];
    memcpy(one, at, len);
    one[len] = 0;
    if (strstr(w->text, one) != NULL) return true;
    at += len - 1;
  }
  return false;
}

/* 0 to 2 for a phase, 3 for none. */
static unsigned phase_of(const words *w) {
  static const char *const names[] = {" l1 p1 phase1 ", " l2 p2 phase2 ", " l3 p3 phase3 "};
  for (unsigned i = 0; i < 3; i++) {
    if (has(w, names[i])) return i;
  }
  return 3;
}

/* 0 to 2 for L1-L2, L2-L3, L3-L1; 3 for none of them. */
static unsigned pair_of(const words *w) {
  bool one = has(w, " l1 "), two = has(w, " l2 "), three = has(w, " l3 ");
  if (one + two + three != 2) return 3;
  return !three ? 0 : !one ? 1 : 2;
}

static bool measure_of(const words *w, const char *unit, measure *out, double *factor) {
  *factor = 1;
  if (has(w, SETTINGS)) return false;
  if (has(w, " thd ")) {
    *out = THD;
    return true;
  }
  if (has(w, " pf factor cos cosphi ")) {
    *out = FACTOR;
    if (strcmp(unit, "%") == 0) *factor = 100;
    return true;
  }
  if (*unit == 0 && has(w, " operating ")) {
    *out = HOURS;
    return true;
  }
  for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
    if (strcmp(unit, units[i].unit) != 0) continue;
    *out = units[i].measure;
    *factor = units[i].factor;
    return true;
  }
  return false;
}

#define SET(field) offsetof(bb_plant_set, field)
#define COUNT(field) (offsetof(bb_plant_reading, energy) + offsetof(bb_plant_energy, field))

static size_t place_in_set(const words *w, measure kind) {
  unsigned phase = phase_of(w), pair = pair_of(w);
  size_t at = phase * sizeof(double);
  switch (kind) {
  case VOLTAGE:
    if (pair < 3) return SET(line_line) + pair * sizeof(double);
    if (phase == 3 && has(w, " ll line ") && !has(w, " neutral ")) return SET(line_line[3]);
    return phase == 3 && strstr(w->text, " l l ") != NULL ? SET(line_line[3])
                                                          : SET(line_neutral) + at;
  case CURRENT:
    if (phase < 3) return SET(current) + at;
    if (has(w, " n neutral ")) return SET(current[3]);
    return has(w, " sum total ") ? SET(sum_current) : SET(mean_current);
  case ACTIVE:
    return SET(active) + at;
  case REACTIVE:
    return SET(reactive) + at;
  case APPARENT:
    return SET(apparent) + at;
  case FACTOR:
    return SET(factor) + at;
  case ANGLE:
    return SET(angle) + at;
  case THD:
    return (has(w, " current i ") ? SET(thd_current) : SET(thd_voltage)) + at;
  default:
    return SET(frequency);
  }
}

static size_t place_of_counter(const words *w, measure kind, const char *unit) {
  bool export = has(w, " export exported generated returned negative reverse ");
  bool total = has(w, " total ") && !has(w, " import ") && !export;
  size_t at = phase_of(w) * sizeof(double);
  switch (kind) {
  case ACTIVE_ENERGY:
    if (total) return COUNT(active_total) + at;
    return (export ? COUNT(active_export) : COUNT(active_import)) + at;
  case REACTIVE_ENERGY:
    if (total) return COUNT(reactive_total) + at;
    return (export ? COUNT(reactive_export) : COUNT(reactive_import)) + at;
  case APPARENT_ENERGY:
    return COUNT(apparent);
  default:
    return *unit == 0 ? COUNT(hours_minutes) : COUNT(hours);
  }
}

/* Which of the sets of a reading. */
static size_t set_of(const words *w) {
  bool max = has(w, " max maximum peak ");
  if (has(w, " demand dmd ")) {
    return max ? offsetof(bb_plant_reading, demand_max) : offsetof(bb_plant_reading, demand);
  }
  return max ? offsetof(bb_plant_reading, max) : offsetof(bb_plant_reading, now);
}

int bb_quantity_find(bb_quantity *out, const char *name, const char *unit) {
  words w;
  measure kind;
  split(&w, name);
  *out = (bb_quantity){0};
  if (!measure_of(&w, unit, &kind, &out->factor)) return BB_ERR_NOTFOUND;
  out->counter = kind >= ACTIVE_ENERGY && kind <= HOURS;
  size_t offset =
      out->counter ? place_of_counter(&w, kind, unit) : set_of(&w) + place_in_set(&w, kind);
  out->offset = (uint16_t)offset;
  return 0;
}

bool bb_quantity_is_setting(const char *name) {
  words w;
  split(&w, name);
  return has(&w, SETTINGS);
}

double bb_quantity_value(const bb_quantity *quantity, const bb_plant_reading *reading) {
  double value;
  memcpy(&value, (const char *)reading + quantity->offset, sizeof(value));
  return value * quantity->factor;
}
