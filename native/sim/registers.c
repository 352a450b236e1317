/* SPDX-License-Identifier: Apache-2.0 */
/* See registers.h. */
#include "sim/registers.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "model/quality.h"
#include "sim/register_value.h"

#define EXCEPTION_ADDRESS 2
#define EXCEPTION_VALUE 3
#define WAVE_NS 600000000000.0
#define MOST_BYTES 2000 /* as many coils, the largest request of all */

static bool is_held(const bb_registers *r, uint32_t point) {
  return (r->held[point / 8] >> point % 8 & 1) != 0;
}

static void hold(bb_registers *r, uint32_t point, bool on) {
  uint8_t bit = (uint8_t)(1u << point % 8);
  r->held[point / 8] = (uint8_t)(on ? r->held[point / 8] | bit : r->held[point / 8] & ~bit);
}

/* The power of ten that another point holds for this one. */
static int32_t power_of(const bb_registers *r, const bb_profile_point *point) {
  if (point->scale_from < 0) return BB_POWER_NONE;
  const bb_profile_point *from = &r->map->profile->points[point->scale_from];
  const uint8_t *raw = r->image + r->map->offsets[point->scale_from];
  uint8_t slot[8];
  uint8_t quality = bb_codec_decode(&from->codec, raw, BB_POWER_NONE, slot, sizeof(slot));
  if (!bb_quality_has_value(quality)) return BB_POWER_MISSING;
  return (int32_t)bb_value_double(bb_value_load(from->point.type, slot));
}

static void refresh(bb_registers *r, int64_t utc_ns) {
  int64_t age = utc_ns - r->refreshed_ns;
  if (age >= 0 && age < BB_REGISTERS_REFRESH_NS) return;
  bb_plant_reading reading;
  bb_plant_read(&r->plant, utc_ns, &reading);
  for (uint32_t i = 0; i < r->map->n_live; i++) {
    const bb_register_live *live = &r->map->live[i];
    if (is_held(r, live->point)) continue;
    const bb_profile_point *point = &r->map->profile->points[live->point];
    uint8_t *raw = r->image + r->map->offsets[live->point];
    int32_t power = power_of(r, point);
    if (live->wave) {
      double turns = (double)utc_ns / WAVE_NS + bb_plant_chance(r->plant.seed, live->point);
      double part = 0.5 + 0.4 * sin(6.283185307179586 * (turns - floor(turns)));
      bb_register_put(point, live->low + (live->high - live->low) * part, power, raw);
    } else if (live->quantity.counter) {
      bb_register_put_counter(point, bb_quantity_value(&live->quantity, &reading), power, raw);
    } else {
      bb_register_put(point, bb_quantity_value(&live->quantity, &reading), power, raw);
    }
  }
  r->refreshed_ns = utc_ns;
}

/* Each device has a serial number of its own. */
static void put_serial(bb_registers *r, uint64_t seed) {
  char serial[24];
  seed %= 10000000000u;
  snprintf(serial, sizeof(serial), "SIM%010" PRIu64, seed);
  for (uint32_t i = 0; i < r->map->profile->n_points; i++) {
    const bb_profile_point *point = &r->map->profile->points[i];
    if (strstr(point->point.name, "serial") == NULL) continue;
    if (r->map->offsets[i] == BB_REGISTER_NOWHERE) continue;
    uint8_t *raw = r->image + r->map->offsets[i];
    if (point->codec.raw == BB_RAW_TEXT) {
      bb_register_put_text(point, serial, raw);
    } else {
      bb_register_put_counter(point, (double)(10000 + seed), BB_POWER_NONE, raw);
    }
  }
}

int bb_registers_init(bb_registers *registers, const bb_register_map *map, uint64_t seed) {
  *registers = (bb_registers){.map = map, .refreshed_ns = INT64_MIN / 2};
  registers->image = calloc(map->image_bytes + (map->profile->n_points + 7u) / 8u + 1u, 1);
  if (registers->image == NULL) return BB_ERR_NOMEM;
  registers->held = registers->image + map->image_bytes;
  memcpy(registers->image, map->initial, map->image_bytes);
  bb_plant_init(&registers->plant, seed);
  put_serial(registers, seed);
  return 0;
}

void bb_registers_close(bb_registers *registers) {
  free(registers->image);
  registers->image = NULL;
}

/* The place of that address in the image; NULL if not all `n` can be read together. */
static uint8_t *find(const bb_registers *r, bb_space space, uint32_t first, uint32_t n) {
  const bb_register_extent *extent = bb_register_map_find(r->map, space, first, n);
  if (extent == NULL) return NULL;
  return r->image + extent->offset + (first - extent->first) * bb_register_bytes(space);
}

int bb_registers_read(bb_registers *registers, bb_space space, uint32_t first, uint32_t n,
                      int64_t utc_ns, uint8_t *out) {
  const bb_profile_modbus *limits = &registers->map->profile->modbus;
  uint32_t size = bb_register_bytes(space);
  if (n > (size == 2 ? limits->max_registers : limits->max_bits)) return EXCEPTION_VALUE;
  const uint8_t *from = find(registers, space, first, n);
  if (from == NULL) return EXCEPTION_ADDRESS;
  refresh(registers, utc_ns);
  memcpy(out, from, n * size);
  return 0;
}

/* Whether point `i` can be written and has some of the addresses. */
static bool touches(const bb_registers *r, uint32_t i, bb_space space, uint32_t first, uint32_t n) {
  const bb_profile_point *point = &r->map->profile->points[i];
  if (!point->point.writable || r->map->offsets[i] == BB_REGISTER_NOWHERE) return false;
  if (bb_register_map_space(r->map, point->space) != bb_register_map_space(r->map, space)) {
    return false;
  }
  return point->address < first + n && point->address + point->length > first;
}

static int check_write(const bb_registers *r, bb_space space, uint32_t first, uint32_t n) {
  uint8_t covered[MOST_BYTES] = {0};
  const bb_profile *profile = r->map->profile;
  for (uint32_t i = 0; i < profile->n_points; i++) {
    if (!touches(r, i, space, first, n)) continue;
    const bb_profile_point *point = &profile->points[i];
    if (!bb_register_accepts(point, power_of(r, point), r->image + r->map->offsets[i])) {
      return EXCEPTION_VALUE;
    }
    for (uint32_t k = 0; k < point->length; k++) {
      uint32_t address = point->address + k;
      if (address >= first && address < first + n) covered[address - first] = 1;
    }
  }
  return memchr(covered, 0, n) == NULL ? 0 : EXCEPTION_ADDRESS;
}

int bb_registers_write(bb_registers *registers, bb_space space, uint32_t first, uint32_t n,
                       const uint8_t *bytes) {
  uint8_t before[MOST_BYTES];
  size_t len = (size_t)n * bb_register_bytes(space);
  uint8_t *to = find(registers, space, first, n);
  if (n == 0 || len > sizeof(before)) return EXCEPTION_VALUE;
  if (to == NULL) return EXCEPTION_ADDRESS;
  memcpy(before, to, len);
  memcpy(to, bytes, len);
  int exception = check_write(registers, space, first, n);
  if (exception != 0) memcpy(to, before, len);
  return exception;
}

int bb_registers_mask(bb_registers *registers, uint32_t address, uint16_t and_mask,
                      uint16_t or_mask) {
  const uint8_t *raw = find(registers, BB_SPACE_HOLDING, address, 1);
  if (raw == NULL) return EXCEPTION_ADDRESS;
  unsigned masked = (bb_get_be16(raw) & and_mask) | (or_mask & ~(unsigned)and_mask);
  uint8_t bytes[2];
  bb_put_be16(bytes, (uint16_t)masked);
  return bb_registers_write(registers, BB_SPACE_HOLDING, address, 1, bytes);
}

/* Back to what stood there at first, leaving alone what shares its registers. */
static void reset(bb_registers *r, const bb_profile_point *point, uint32_t offset) {
  uint8_t slot[UINT8_MAX + 1];
  int32_t power = power_of(r, point);
  if (point->point.size > sizeof(slot)) return;
  uint8_t quality =
      bb_codec_decode(&point->codec, r->map->initial + offset, power, slot, point->point.size);
  if (!bb_quality_has_value(quality)) return;
  bb_codec_encode(&point->codec, bb_value_load(point->point.type, slot), power, r->image + offset);
}

int bb_registers_set(bb_registers *registers, const char *name, const char *value) {
  int place = bb_profile_find(registers->map->profile, name);
  if (place < 0 || registers->map->offsets[place] == BB_REGISTER_NOWHERE) return BB_ERR_NOTFOUND;
  uint32_t offset = registers->map->offsets[place];
  const bb_profile_point *point = &registers->map->profile->points[place];
  registers->refreshed_ns = INT64_MIN / 2;
  if (strcmp(value, "auto") == 0) {
    hold(registers, (uint32_t)place, false);
    reset(registers, point, offset);
    return 0;
  }
  int err =
      bb_register_put_written(point, value, power_of(registers, point), registers->image + offset);
  if (err == 0) hold(registers, (uint32_t)place, true);
  return err;
}
