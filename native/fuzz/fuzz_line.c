/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever names, tags and values a device has, its lines are valid line protocol and hold as many
 * fields as were not left out. The input is cut into texts and values at will.
 */
#include <stdio.h>

#include "base/utf8.h"
#include "encode/line.h"
#include "fuzz/line_reader.h"

#define MAX_POINTS 24
#define MAX_TEXT 40

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

typedef struct {
  const uint8_t *at;
  size_t len;
} source;

static uint8_t next(source *in) {
  if (in->len == 0) return 0;
  in->len--;
  return *in->at++;
}

/* A terminated text of the input, as any C string without a NUL. */
static char *next_text(source *in, char *out) {
  size_t n = 0, want = next(in) % MAX_TEXT;
  while (n < want && in->len > 0) {
    char c = (char)next(in);
    if (c == 0) break;
    out[n++] = c;
  }
  out[n] = 0;
  return out;
}

static bool is_utf8(const char *text, size_t len) {
  for (size_t at = 0; at < len;) {
    unsigned n = bb_utf8_length(text + at, len - at);
    if (n == 0) return false;
    at += n;
  }
  return true;
}

static void require(bool condition, const char *what, const bb_buf *lines) {
  if (condition) return;
  fprintf(stderr, "%s:\n%.*s\n", what, (int)lines->len, (const char *)lines->bytes);
  abort();
}

static bb_shape *make_shape(source *in, char names[MAX_POINTS][MAX_TEXT]) {
  bb_point points[MAX_POINTS];
  const bb_point *list[MAX_POINTS];
  uint16_t n = next(in) % MAX_POINTS;
  for (uint16_t i = 0; i < n; i++) {
    bb_type type = (bb_type)(next(in) % BB_TYPE_COUNT);
    points[i] = (bb_point){.name = next_text(in, names[i]),
                           .unit = "",
                           .description = "",
                           .type = type,
                           .size = (uint16_t)bb_type_size(type)};
    if (type == BB_TYPE_TEXT) points[i].size = (uint16_t)(1 + next(in) % 60);
    list[i] = &points[i];
  }
  return bb_shape_new("fast", list, n);
}

/* Any bits are a value, but for the length of a text. */
static void fill(source *in, const bb_shape *shape, uint8_t *quality, uint8_t *values) {
  for (uint16_t i = 0; i < shape->n_points; i++) {
    quality[i] = next(in);
    uint8_t *slot = values + shape->offsets[i];
    for (uint16_t k = 0; k < shape->points[i].size; k++) slot[k] = next(in);
    if (shape->points[i].type == BB_TYPE_TEXT) slot[0] %= (uint8_t)shape->points[i].size;
  }
}

static unsigned count_current(const bb_batch *batch) {
  unsigned n = 0;
  for (uint16_t i = 0; i < batch->shape->n_points; i++) {
    uint8_t class = bb_quality_class(batch->quality[i]);
    n += class == BB_QUALITY_GOOD || class == BB_QUALITY_UNCERTAIN;
  }
  return n;
}

static void check_lines(const bb_buf *lines, int result, line_counts *counts) {
  const char *text = (const char *)lines->bytes;
  require(result >= 0, "failed", lines);
  require(line_read_all(text, lines->len, counts), "not valid", lines);
  require(is_utf8(text, lines->len), "not UTF-8", lines);
  require(counts->lines == (unsigned)result, "number of lines", lines);
}

static void check_batch(const bb_device *device, bb_batch *batch, const bb_line_options *options) {
  bb_line_series *series = bb_line_series_new(device, options);
  bb_line_plan *plan = bb_line_plan_new(batch->shape, options);
  line_counts counts;
  uint32_t left_out = 0;
  bb_buf lines;
  bb_buf_init(&lines, 1 << 20);
  if (series == NULL || plan == NULL) abort();
  int result = bb_line_batch(&lines, series, plan, batch, &left_out);
  check_lines(&lines, result, &counts);
  /* Points that share a name are left out whatever their quality, so there may be more of those. */
  unsigned current = count_current(batch);
  require(counts.fields <= current && counts.fields + left_out >= current, "fields", &lines);
  bb_buf_clear(&lines);
  check_lines(&lines, bb_line_event(&lines, batch, options), &counts);
  require(counts.fields == (batch->text != NULL), "fields of an event", &lines);
  bb_buf_close(&lines);
  bb_line_series_free(series);
  bb_line_plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  source in = {bytes, len};
  char names[MAX_POINTS][MAX_TEXT], id[MAX_TEXT], site[MAX_TEXT], profile[MAX_TEXT];
  char texts[9][MAX_TEXT];
  uint8_t flags = next(&in), more = next(&in);
  bb_tag tags[4];
  for (int i = 0; i < 4; i++) {
    tags[i] = (bb_tag){next_text(&in, texts[2 * i]), next_text(&in, texts[2 * i + 1])};
  }
  bb_line_options options = {.layout = (bb_line_layout)(flags % 3),
                             .precision = (bb_line_precision)(flags >> 2 & 3),
                             .all_float = flags & 16,
                             .unsigned_type = flags & 32,
                             .names_as_is = flags & 64,
                             .measurement = flags & 128 ? next_text(&in, texts[8]) : NULL,
                             .tags = tags,
                             .n_tags = more & 1};
  if (options.measurement != NULL && *options.measurement == 0) options.measurement = "m";
  next_text(&in, id);
  next_text(&in, site);
  next_text(&in, profile);
  bb_device *device = bb_device_new(id, site, profile, tags + 1, more >> 1 & 3);
  bb_shape *shape = make_shape(&in, names);
  if (device == NULL || shape == NULL) abort();
  uint8_t *room = calloc(1, shape->n_points + shape->value_bytes + (size_t)1);
  bb_batch batch = {.device = device,
                    .shape = shape,
                    .quality = room,
                    .values = room + shape->n_points,
                    .text = more & 8 ? (const char *)bytes : NULL,
                    .text_len = (uint16_t)(len < 200 ? len : 200)};
  for (int i = 0; i < 8; i++) batch.time_ns = (int64_t)((uint64_t)batch.time_ns << 8 | next(&in));
  fill(&in, shape, room, room + shape->n_points);
  check_batch(device, &batch, &options);
  free(room);
  bb_shape_unref(shape);
  bb_device_unref(device);
  return 0;
}
