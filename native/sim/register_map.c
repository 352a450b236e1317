/* SPDX-License-Identifier: Apache-2.0 */
/* See register_map.h. */
#include "sim/register_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/register_value.h"

bb_space bb_register_map_space(const bb_register_map *map, bb_space space) {
  return map->config.same_tables && space == BB_SPACE_INPUT ? BB_SPACE_HOLDING : space;
}

const bb_register_extent *bb_register_map_find(const bb_register_map *map, bb_space space,
                                               uint32_t first, uint32_t n) {
  space = bb_register_map_space(map, space);
  for (uint32_t i = 0; i < map->n_extents; i++) {
    const bb_register_extent *extent = &map->extents[i];
    if (extent->space == space && first >= extent->first && first + n <= extent->end) return extent;
  }
  return NULL;
}

static int compare(const void *a, const void *b) {
  const bb_register_extent *x = a, *y = b;
  if (x->space != y->space) return x->space < y->space ? -1 : 1;
  return x->first < y->first ? -1 : x->first > y->first;
}

/* Whether a device would let through a read over the addresses between two points. */
static bool is_readable(const bb_register_map *map, bb_space space, uint32_t first, uint32_t end) {
  if (first >= end) return true;
  const bb_profile_modbus *limits = &map->profile->modbus;
  if (end - first > (map->config.strict_gaps ? 0 : limits->max_gap)) return false;
  for (uint32_t i = 0; i < limits->n_unreadable; i++) {
    const bb_range *range = &limits->unreadable[i];
    if (bb_register_map_space(map, range->space) != space) continue;
    if (range->first < end && range->last >= first) return false;
  }
  return true;
}

/* Joins what lies together and gives each extent its place in the image. */
static void join(bb_register_map *map) {
  uint32_t n = 0, bytes = 0;
  qsort(map->extents, map->n_extents, sizeof(*map->extents), compare);
  for (uint32_t i = 0; i < map->n_extents; i++) {
    bb_register_extent next = map->extents[i], *last = n > 0 ? &map->extents[n - 1] : NULL;
    if (last != NULL && last->space == next.space &&
        is_readable(map, next.space, last->end, next.first)) {
      if (next.end > last->end) last->end = next.end;
    } else {
      map->extents[n++] = next;
    }
  }
  map->n_extents = n;
  for (uint32_t i = 0; i < n; i++) {
    bb_register_extent *extent = &map->extents[i];
    extent->offset = bytes;
    bytes += (extent->end - extent->first) * bb_register_bytes(extent->space);
  }
  map->image_bytes = bytes;
}

static void place(bb_register_map *map) {
  for (uint32_t i = 0; i < map->profile->n_points; i++) {
    const bb_profile_point *point = &map->profile->points[i];
    const bb_register_extent *extent =
        point->space <= BB_SPACE_HOLDING
            ? bb_register_map_find(map, point->space, point->address, point->length)
            : NULL;
    map->offsets[i] = extent == NULL ? BB_REGISTER_NOWHERE
                                     : extent->offset + (point->address - extent->first) *
                                                            bb_register_bytes(extent->space);
  }
}

/* The point that has this one as its scale factor, or NULL. */
static const bb_profile_point *scaled_by(const bb_profile *profile, uint32_t place) {
  for (uint32_t i = 0; i < profile->n_points; i++) {
    if (profile->points[i].scale_from == (int32_t)place) return &profile->points[i];
  }
  return NULL;
}

/* A power of ten under which the plant's values fit 16 bits. */
static double power_for(const bb_profile_point *point) {
  static const struct {
    const char *unit;
    double power;
  } powers[] = {{"V", -1}, {"A", -2}, {"Hz", -2}, {"W", 1}, {"VA", 1}, {"var", 1}, {"", -2}};
  for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
    if (strcmp(point->point.unit, powers[i].unit) == 0) return powers[i].power;
  }
  return 0;
}

/* What a point holds that does not move: its first named value, 0 if it can be written, or 1. */
static double constant_of(const bb_profile *profile, uint32_t place) {
  const bb_profile_point *point = &profile->points[place], *user = scaled_by(profile, place);
  const bb_point *p = &point->point;
  if (user != NULL) return power_for(user);
  if (p->labels_kind == BB_LABELS_ENUM) return p->labels[0].value;
  if (p->labels_kind == BB_LABELS_BITS || point->codec.raw == BB_RAW_BIT) return 0;
  if (p->writable) return p->has_min && p->min > 0 ? p->min : p->has_max && p->max < 0 ? p->max : 0;
  if ((point->codec.has_valid & 1) != 0) return point->codec.valid_min;
  return strcmp(p->unit, "Hz") == 0 ? 50 : strcmp(p->unit, "V") == 0 ? 230 : 1;
}

static const char *text_of(const bb_profile *profile, const bb_profile_point *point) {
  const char *name = point->point.name;
  bool maker = strstr(name, "manufacturer") != NULL || strstr(name, "vendor") != NULL;
  return maker ? profile->vendor : strstr(name, "model") != NULL ? profile->name : "simulated";
}

/* What moves without the plant: numbers with a unit or a fraction that nobody sets. */
static bool find_wave(const bb_profile_point *point, bb_register_live *out) {
  const bb_codec *codec = &point->codec;
  bool fraction = bb_type_is_float(point->point.type);
  if ((point->point.unit[0] == 0 && !fraction) || codec->raw == BB_RAW_BIT) return false;
  if (point->point.labels_kind != BB_LABELS_NONE) return false;
  if (bb_quantity_is_setting(point->point.name)) return false;
  bool percent = strcmp(point->point.unit, "%") == 0;
  out->wave = true;
  out->low = percent ? 0 : 20;
  out->high = percent ? 5 : 60;
  if ((codec->has_valid & 1) != 0 && codec->valid_min > out->low) out->low = codec->valid_min;
  if ((codec->has_valid & 2) != 0 && codec->valid_max < out->high) out->high = codec->valid_max;
  if (out->low > out->high) out->low = out->high;
  return true;
}

/* Whether another point, which moves, reads the same registers. Parts of a register go together. */
static bool is_alias(const bb_register_map *map, uint32_t place) {
  const bb_profile_point *points = map->profile->points;
  uint32_t first = map->offsets[place], end = first + points[place].codec.raw_bytes;
  if (points[place].codec.bits > 0 || bb_raw_bits(points[place].codec.raw) == 8) return false;
  for (uint32_t i = 0; i < map->n_live; i++) {
    uint32_t other = map->live[i].point;
    if (map->offsets[other] < end && map->offsets[other] + points[other].codec.raw_bytes > first) {
      return true;
    }
  }
  return false;
}

static void fill_point(bb_register_map *map, uint32_t place) {
  const bb_profile_point *point = &map->profile->points[place];
  bb_register_live live = {.point = (uint16_t)place};
  uint8_t *raw = map->initial + map->offsets[place];
  if (is_alias(map, place)) return;
  if (point->codec.raw == BB_RAW_TEXT) {
    bb_register_put_text(point, text_of(map->profile, point), raw);
    return;
  }
  bool moves = !point->point.writable && scaled_by(map->profile, place) == NULL;
  if (moves && (bb_quantity_find(&live.quantity, point->point.name, point->point.unit) == 0 ||
                find_wave(point, &live))) {
    map->live[map->n_live++] = live;
  } else {
    bb_register_put(point, constant_of(map->profile, place), BB_POWER_NONE, raw);
  }
}

int bb_register_map_init(bb_register_map *map, const bb_profile *profile,
                         bb_register_map_config config) {
  uint32_t n = profile->n_points;
  *map = (bb_register_map){.profile = bb_profile_ref(profile), .config = config};
  map->extents = calloc(n + 1u, sizeof(*map->extents));
  map->live = calloc(n + 1u, sizeof(*map->live));
  map->offsets = calloc(n + 1u, sizeof(*map->offsets));
  if (map->extents == NULL || map->live == NULL || map->offsets == NULL) goto nomem;
  for (uint32_t i = 0; i < n; i++) {
    const bb_profile_point *point = &profile->points[i];
    if (point->space > BB_SPACE_HOLDING) continue;
    map->extents[map->n_extents++] =
        (bb_register_extent){.space = bb_register_map_space(map, point->space),
                             .first = point->address,
                             .end = point->address + point->length};
  }
  join(map);
  map->initial = calloc(map->image_bytes + 1u, 1);
  if (map->initial == NULL) goto nomem;
  place(map);
  for (uint32_t i = 0; i < n; i++) {
    if (map->offsets[i] != BB_REGISTER_NOWHERE) fill_point(map, i);
  }
  return 0;
nomem:
  bb_register_map_close(map);
  return BB_ERR_NOMEM;
}

void bb_register_map_close(bb_register_map *map) {
  bb_profile_unref(map->profile);
  free(map->extents);
  free(map->live);
  free(map->offsets);
  free(map->initial);
  *map = (bb_register_map){0};
}
