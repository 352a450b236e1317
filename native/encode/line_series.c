/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a device's lines: measurement and sorted tags. See line.h. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "encode/line_plan.h"
#include "encode/line_text.h"

#define MAX_HEAD_BYTES (1u << 20)

/* The tags from all sides, in falling order of who holds when keys are equal. */
typedef struct {
  const bb_tag *tags;
  uint32_t n;
} source;

#define N_SOURCES 3

/* The tag with the smallest key above `last` (NULL: the smallest of all). */
static const bb_tag *next_tag(const source *sources, const char *last) {
  const bb_tag *best = NULL;
  for (size_t s = 0; s < N_SOURCES; s++) {
    for (uint32_t i = 0; i < sources[s].n; i++) {
      const bb_tag *tag = &sources[s].tags[i];
      if (last != NULL && strcmp(tag->key, last) <= 0) continue;
      if (best == NULL || strcmp(tag->key, best->key) < 0) best = tag;
    }
  }
  return best;
}

static bool is_reserved(const char *key) {
  return *key == 0 || strcmp(key, "time") == 0 || strcmp(key, "_field") == 0 ||
         strcmp(key, "_measurement") == 0;
}

/* Appends ",key=value", unless that key is there already: two may become the same by what is
 * replaced in them. Commas and equals signs inside values are escaped, so the search is exact. */
static void put_tag(bb_buf *out, size_t start, const bb_tag *tag) {
  size_t before = out->len;
  bb_buf_byte(out, ',');
  bb_line_text_tag(out, tag->key);
  bb_buf_byte(out, '=');
  size_t key_len = out->len - before;
  if (out->failed == 0 &&
      memmem(out->bytes + start, before - start, out->bytes + before, key_len)) {
    out->len = before;
    return;
  }
  bb_line_text_tag(out, tag->value);
}

void bb_line_series_put(bb_buf *out, const char *measurement, const bb_device *device,
                        const bb_line_options *options, const char *layout_tag, size_t *cut) {
  bb_tag own[2] = {{"asset", device->id}, {"site", device->site}};
  source sources[N_SOURCES] = {
      {device->tags, device->n_tags}, {own, 2}, {options->tags, options->n_tags}};
  size_t start = out->len;
  bb_line_text_measurement(out, measurement);
  *cut = out->len;
  const char *last = NULL;
  for (const bb_tag *tag; (tag = next_tag(sources, last)) != NULL; last = tag->key) {
    if (*tag->value == 0 || is_reserved(tag->key) || strcmp(tag->key, layout_tag) == 0) continue;
    put_tag(out, start, tag);
    if (strcmp(tag->key, layout_tag) < 0) *cut = out->len;
  }
}

const char *bb_line_layout_tag(bb_line_layout layout) {
  static const char *const tags[] = {"", "phase", "point"};
  return tags[layout];
}

/* The last part of the profile's id, '_' for '-'; `out` has room for BB_MAX_TEXT. */
static const char *measurement_of(const bb_device *device, const bb_line_options *options,
                                  char *out) {
  if (options->measurement != NULL) return options->measurement;
  const char *slash = strrchr(device->profile, '/');
  const char *name = slash != NULL ? slash + 1 : device->profile;
  size_t len = strnlen(name, BB_MAX_TEXT - 1);
  if (len == 0) return "busbar";
  for (size_t i = 0; i < len; i++) out[i] = name[i] == '-' ? '_' : name[i];
  out[len] = 0;
  return out;
}

bb_line_series *bb_line_series_new(const bb_device *device, const bb_line_options *options) {
  char name[BB_MAX_TEXT];
  bb_buf text;
  size_t cut;
  bb_buf_init(&text, MAX_HEAD_BYTES);
  bb_line_series_put(&text, measurement_of(device, options, name), device, options,
                     bb_line_layout_tag(options->layout), &cut);
  bb_line_series *series = text.failed == 0 ? malloc(sizeof(*series) + text.len) : NULL;
  if (series != NULL) {
    series->len = text.len;
    series->cut = options->layout == BB_LINE_WIDE ? text.len : cut;
    memcpy(series->text, text.bytes, text.len);
  }
  bb_buf_close(&text);
  return series;
}

void bb_line_series_free(bb_line_series *series) {
  free(series);
}
