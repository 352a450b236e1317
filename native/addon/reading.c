/* SPDX-License-Identifier: Apache-2.0 */
/* See reading.h. */
#include "addon/reading.h"

#include <stdlib.h>
#include <string.h>

#include "addon/document.h"
#include "base/err.h"
#include "control/rails.h"
#include "encode/json_writer.h"
#include "model/profile.h"
#include "model/quality.h"

struct bb_reading {
  bb_profile *profile;
  bb_shape *shape; /* of all points */
  bb_run *runs;
  uint32_t n_runs;
};

static int make_shape(bb_reading *reading) {
  const bb_profile *profile = reading->profile;
  const bb_point **points = calloc(profile->n_points + (size_t)1, sizeof(*points));
  if (points == NULL) return BB_ERR_NOMEM;
  for (uint32_t i = 0; i < profile->n_points; i++) points[i] = &profile->points[i].point;
  reading->shape = bb_shape_new("all", points, (uint16_t)profile->n_points);
  free(points);
  if (reading->shape != NULL) reading->runs = bb_runs_new(reading->shape, &reading->n_runs);
  return reading->runs != NULL ? 0 : BB_ERR_NOMEM;
}

static int read_profile(bb_profile **out, const char *name, const char *text, size_t len,
                        bb_report *report) {
  bb_doc_tree tree;
  int err = bb_document_open(&tree, name, text, len, report);
  if (err < 0) return err == BB_ERR_NOMEM ? err : BB_ERR_CONFIG;
  const char *file = bb_report_file(report, name);
  err = bb_profile_read(out, tree.root, "profile", report);
  bb_report_file(report, file);
  bb_doc_close(&tree);
  return err;
}

int bb_reading_open(bb_reading **out, const char *name, const char *text, size_t len,
                    bb_report *report) {
  bb_reading *reading = calloc(1, sizeof(*reading));
  if (reading == NULL) return BB_ERR_NOMEM;
  int err = read_profile(&reading->profile, name, text, len, report);
  if (err == 0) err = make_shape(reading);
  if (err < 0) {
    bb_reading_close(reading);
    return err;
  }
  *out = reading;
  return 0;
}

void bb_reading_close(bb_reading *reading) {
  if (reading == NULL) return;
  bb_profile_unref(reading->profile);
  bb_shape_unref(reading->shape);
  free(reading->runs);
  free(reading);
}

uint16_t bb_reading_points(const bb_reading *reading) {
  return reading->shape->n_points;
}

size_t bb_reading_bytes(const bb_reading *reading) {
  return reading->shape->value_bytes;
}

static void describe_limits(bb_json_writer *json, const bb_profile_point *point) {
  char allowed[BB_RAILS_TEXT];
  bb_rail rail;
  bb_rails_limits(point, &rail);
  if (rail.has_min) bb_json_writer_number(json, "min", rail.min);
  if (rail.has_max) bb_json_writer_number(json, "max", rail.max);
  if (rail.step > 0) bb_json_writer_number(json, "step", rail.step);
  bb_json_writer_text(json, "allowed", bb_rails_allowed(point, allowed, sizeof(allowed)));
}

static void describe_point(bb_json_writer *json, const bb_profile *profile,
                           const bb_profile_point *point, uint32_t offset) {
  static const char *const kinds[] = {"none", "enum", "bits"};
  const bb_point *p = &point->point;
  bb_json_writer_map(json, NULL);
  bb_json_writer_text(json, "name", p->name);
  bb_json_writer_text(json, "type", bb_type_name(p->type));
  bb_json_writer_uint(json, "size", p->size);
  bb_json_writer_uint(json, "offset", offset);
  bb_json_writer_text(json, "unit", p->unit);
  bb_json_writer_text(json, "description", p->description);
  bb_json_writer_text(json, "scan", profile->scans[point->scan].name);
  bb_json_writer_text(json, "table", bb_space_name(point->space));
  bb_json_writer_uint(json, "address", point->address);
  bb_json_writer_uint(json, "length", point->length);
  bb_json_writer_bool(json, "writable", p->writable);
  if (p->writable) describe_limits(json, point);
  bb_json_writer_text(json, "labelsKind", kinds[p->labels_kind]);
  bb_json_writer_list(json, "labels");
  for (uint16_t i = 0; i < p->n_labels; i++) {
    bb_json_writer_map(json, NULL);
    bb_json_writer_uint(json, "value", p->labels[i].value);
    bb_json_writer_text(json, "name", p->labels[i].name);
    bb_json_writer_end(json);
  }
  bb_json_writer_end(json);
  bb_json_writer_end(json);
}

int bb_reading_describe(const bb_reading *reading, bb_buf *out) {
  const bb_profile *profile = reading->profile;
  bb_json_writer json;
  bb_json_writer_init(&json, out);
  bb_json_writer_map(&json, NULL);
  bb_json_writer_text(&json, "id", profile->id);
  bb_json_writer_text(&json, "name", profile->name);
  bb_json_writer_text(&json, "measurement", profile->measurement);
  bb_json_writer_list(&json, "points");
  for (uint32_t i = 0; i < profile->n_points; i++) {
    describe_point(&json, profile, &profile->points[i], reading->shape->offsets[i]);
  }
  bb_json_writer_end(&json);
  bb_json_writer_end(&json);
  return bb_json_writer_finish(&json);
}

/* Where a point begins among what was read, in registers or bits; -1: not all of it was. */
static int64_t place_of(const bb_profile_point *point, const bb_registers *registers) {
  if ((int)point->space != registers->space || point->address < registers->address) return -1;
  uint32_t at = point->address - registers->address;
  bool whole = at < registers->n && point->length <= registers->n - at;
  return whole ? (int64_t)at : -1;
}

/* The power of ten that a scale factor among what was read gives. */
static int32_t power_of(const bb_reading *reading, const bb_profile_point *point,
                        const bb_registers *registers) {
  uint8_t slot[8];
  bb_value power;
  if (point->scale_from < 0) return BB_POWER_NONE;
  const bb_profile_point *from = &reading->profile->points[point->scale_from];
  int64_t at = place_of(from, registers);
  if (at < 0 || from->point.type == BB_TYPE_TEXT) return BB_POWER_MISSING;
  uint8_t quality =
      bb_codec_decode(&from->codec, registers->bytes + 2 * at, BB_POWER_NONE, slot, sizeof(slot));
  if (!bb_quality_has_value(quality)) return BB_POWER_MISSING;
  if (bb_value_convert(bb_value_load(from->point.type, slot), BB_TYPE_I16, &power) < 0 ||
      power.v.i > BB_POWER_MAX || power.v.i < -BB_POWER_MAX) {
    return BB_POWER_MISSING;
  }
  return (int32_t)power.v.i;
}

static uint8_t decode_point(const bb_reading *reading, const bb_profile_point *point,
                            const bb_registers *registers, uint8_t *slot) {
  int64_t at = place_of(point, registers);
  if (at < 0) return BB_QUALITY_ABSENT;
  if (registers->space <= BB_SPACE_DISCRETE) {
    uint8_t bit = registers->bytes[at / 8] >> at % 8 & 1;
    return bb_codec_decode(&point->codec, &bit, BB_POWER_NONE, slot, point->point.size);
  }
  int32_t power = power_of(reading, point, registers);
  return bb_codec_decode(&point->codec, registers->bytes + 2 * at, power, slot, point->point.size);
}

/* Where the slots go: behind the numbers of `n` points. */
static uint8_t *slots_of(const bb_columns *columns, size_t n, size_t bytes) {
  size_t size = bb_columns_size(n);
  if (columns->n < size || columns->n - size < (bytes + 7) / 8) return NULL;
  return (uint8_t *)(columns->doubles + size);
}

static void put_values_at(const bb_columns *columns, const uint8_t *slots) {
  columns->doubles[BB_COLUMN_VALUES] = (double)(slots - (uint8_t *)columns->doubles);
}

int bb_reading_decode(const bb_reading *reading, const bb_registers *registers,
                      const bb_columns *columns) {
  const bb_shape *shape = reading->shape;
  uint8_t quality[BB_MAX_POINTS];
  uint8_t *slots = slots_of(columns, shape->n_points, shape->value_bytes);
  if (slots == NULL) return BB_ERR_RANGE;
  memset(slots, 0, shape->value_bytes);
  for (uint16_t i = 0; i < shape->n_points; i++) {
    quality[i] =
        decode_point(reading, &reading->profile->points[i], registers, slots + shape->offsets[i]);
  }
  put_values_at(columns, slots);
  bb_columns_fill(columns, reading->runs, reading->n_runs, quality, slots,
                  (size_t)(slots - (uint8_t *)columns->doubles));
  return 0;
}

int bb_reading_repeat(const bb_reading *reading, const uint8_t *bytes, size_t len, size_t at,
                      size_t most, const bb_columns *columns) {
  const bb_profile_point *point = reading->profile->points;
  uint8_t quality[BB_MAX_POINTS];
  if (reading->shape->n_points == 0 || point->codec.raw_bytes == 0) return 0;
  size_t raw = point->codec.raw_bytes, size = point->point.size;
  size_t n = at < len ? (len - at) / raw : 0;
  if (n > most) n = most;
  if (n > BB_MAX_POINTS) n = BB_MAX_POINTS;
  bb_run run = {.type = point->point.type, .size = (uint16_t)size, .n = (uint16_t)n};
  uint8_t *slots = slots_of(columns, n, n * size);
  if (slots == NULL) return BB_ERR_RANGE;
  memset(slots, 0, n * size);
  for (size_t i = 0; i < n; i++) {
    quality[i] = bb_codec_decode(&point->codec, bytes + at + i * raw, BB_POWER_NONE,
                                 slots + i * size, (unsigned)size);
  }
  put_values_at(columns, slots);
  bb_columns_fill(columns, &run, 1, quality, slots, (size_t)(slots - (uint8_t *)columns->doubles));
  return (int)n;
}

int bb_reading_check(const bb_reading *reading, uint16_t point, bb_value given, bb_value *out,
                     char *why, size_t cap) {
  return bb_rails_check(&reading->profile->points[point], given, out, why, cap);
}
