/* SPDX-License-Identifier: Apache-2.0 */
/* Which line and which key each point of a shape gets. See line.h. */
#include "encode/line_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"
#include "encode/line_text.h"
#include "encode/number.h"

#define MAX_TEXT_BYTES (64u << 20)
#define MAX_TIME_BYTES (BB_NUMBER_I64_MAX + 2) /* with the space before and the line end behind */

/* Where a point goes, before its text is written. */
typedef struct {
  uint32_t group;
  const char *key; /* NULL: nowhere */
} place;

typedef struct {
  const bb_shape *shape;
  const bb_line_options *options;
  place *places;     /* of the points */
  const char **tags; /* of the groups: the value of their tag, NULL for none */
  uint32_t n_groups;
  bb_map taken; /* "group key" of what has been given out */
  bb_arena arena;
  bool failed;
} draft;

/* The phase that the last part of a name means, or NULL. */
static const char *phase_of(const char *part) {
  static const char *const phases[] = {"l1", "l2", "l3", "n", "total"};
  size_t len = strlen(part);
  if (len > 2 && strcmp(part + len - 2, "-n") == 0) len -= 2;
  for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
    if (strlen(phases[i]) != len || memcmp(part, phases[i], len) != 0) continue;
    return part[len] == 0 || part[0] == 'l' ? phases[i] : NULL;
  }
  return NULL;
}

static uint32_t group_of(draft *d, const char *tag) {
  for (uint32_t i = 0; i < d->n_groups && d->options->layout != BB_LINE_PER_POINT; i++) {
    if (tag == d->tags[i]) return i;
  }
  d->tags[d->n_groups] = tag;
  return d->n_groups++;
}

/* The name as a key: '/' and '-' replaced where that is wanted, "time" avoided. */
static const char *key_of(draft *d, const char *name, size_t len, bool words_only) {
  bool avoid = len == 0 || (len == 4 && memcmp(name, "time", 4) == 0);
  char *key = bb_arena_take(&d->arena, len + 2);
  if (key == NULL) return NULL;
  for (size_t i = 0; i < len; i++) {
    key[i] = words_only && (name[i] == '/' || name[i] == '-') ? '_' : name[i];
  }
  if (avoid) key[len] = '_';
  return key;
}

/* Gives the key to the point, unless another point of that line has it. */
static bool claim(draft *d, uint16_t point, uint32_t group, const char *key) {
  char *entry = key != NULL ? bb_arena_take(&d->arena, strlen(key) + 12) : NULL;
  if (entry == NULL) {
    d->failed = true;
    return false;
  }
  snprintf(entry, strlen(key) + 12, "%u %s", group, key);
  if (bb_map_get(&d->taken, entry) != NULL) return false;
  d->failed |= bb_map_add(&d->taken, entry, d) < 0;
  d->places[point] = (place){group, key};
  return true;
}

/* `plain`: only those points whose name is their key as it is; they come first, so that no other
 * takes their key. */
static void place_point(draft *d, uint16_t point, bool plain) {
  const char *name = d->shape->points[point].name;
  if (d->options->layout == BB_LINE_PER_POINT) {
    bool text = d->shape->points[point].type == BB_TYPE_TEXT;
    if (plain) claim(d, point, group_of(d, name), text ? "text" : "value");
    return;
  }
  const char *slash = strrchr(name, '/');
  const char *phase = d->options->layout == BB_LINE_PER_PHASE && slash != NULL && slash > name
                          ? phase_of(slash + 1)
                          : NULL;
  size_t len = phase != NULL ? (size_t)(slash - name) : strlen(name);
  const char *key = key_of(d, name, len, !d->options->names_as_is);
  if (key == NULL) {
    d->failed = true;
    return;
  }
  if (plain != (strcmp(key, name) == 0)) return;
  if (claim(d, point, group_of(d, phase), key)) return;
  if (d->failed) return;
  uint32_t rest = group_of(d, NULL);
  if (claim(d, point, rest, key_of(d, name, strlen(name), !d->options->names_as_is))) return;
  claim(d, point, rest, key_of(d, name, strlen(name), false));
}

static void place_points(draft *d) {
  for (int plain = 1; plain >= 0; plain--) {
    for (uint16_t i = 0; i < d->shape->n_points && !d->failed; i++) place_point(d, i, plain);
  }
}

static bb_line_form form_of(bb_type type, bb_line_layout layout) {
  switch (type) {
  case BB_TYPE_F32:
    return BB_LINE_F32;
  case BB_TYPE_F64:
    return BB_LINE_F64;
  case BB_TYPE_BOOL:
    return layout == BB_LINE_PER_POINT ? BB_LINE_BIT : BB_LINE_BOOL;
  case BB_TYPE_TEXT:
    return BB_LINE_STRING;
  default:
    return bb_type_is_signed(type) ? BB_LINE_SIGNED : BB_LINE_UNSIGNED;
  }
}

static char suffix_of(bb_type type, const bb_line_options *options) {
  bool is_float = options->all_float || options->layout == BB_LINE_PER_POINT;
  if (!bb_type_is_integer(type) || is_float) return 0;
  return options->unsigned_type && !bb_type_is_signed(type) ? 'u' : 'i';
}

static size_t value_bytes(const bb_point *point) {
  if (point->type == BB_TYPE_TEXT) return BB_LINE_TEXT_STRING_MAX((size_t)point->size);
  return BB_NUMBER_F64_MAX;
}

/* Fields and groups in their order, their text into `text`, whose places are offsets until it has
 * its final size. */
static void write_group(draft *d, bb_line_plan *plan, bb_buf *text, size_t *keys, size_t *tags,
                        uint32_t g) {
  bb_line_group *group = &plan->groups[plan->n_groups];
  *group = (bb_line_group){.first = plan->n_fields};
  tags[plan->n_groups] = text->len;
  if (d->tags[g] != NULL) {
    bb_buf_byte(text, ',');
    bb_buf_text(text, bb_line_layout_tag(plan->layout));
    bb_buf_byte(text, '=');
    bb_line_text_tag(text, *d->tags[g] != 0 ? d->tags[g] : "_");
    group->tag_len = (uint32_t)(text->len - tags[plan->n_groups]);
  }
  for (uint16_t i = 0; i < d->shape->n_points; i++) {
    if (d->places[i].key == NULL || d->places[i].group != g) continue;
    const bb_point *point = &d->shape->points[i];
    bb_line_field *field = &plan->fields[plan->n_fields];
    size_t start = keys[plan->n_fields++] = text->len;
    bb_buf_byte(text, ',');
    bb_line_text_key(text, d->places[i].key);
    bb_buf_byte(text, '=');
    *field = (bb_line_field){.key_len = (uint32_t)(text->len - start),
                             .offset = d->shape->offsets[i],
                             .point = i,
                             .form = (uint8_t)form_of(point->type, plan->layout),
                             .type = (uint8_t)point->type,
                             .suffix = suffix_of(point->type, d->options)};
    plan->max_bytes += field->key_len + value_bytes(point);
    group->n++;
  }
  if (group->n == 0) return;
  plan->max_bytes += group->tag_len + MAX_TIME_BYTES;
  plan->n_groups++;
}

static void write_groups(draft *d, bb_line_plan *plan) {
  bb_buf text;
  bb_buf_init(&text, MAX_TEXT_BYTES);
  size_t *places = calloc(d->shape->n_points + d->n_groups + (size_t)1, sizeof(*places));
  if (places == NULL) {
    d->failed = true;
    return;
  }
  size_t *tags = places + d->shape->n_points;
  for (uint32_t g = 0; g < d->n_groups; g++) write_group(d, plan, &text, places, tags, g);
  if (text.len > 0) bb_buf_append(&text, (char[BB_LINE_STRIDE]){0}, BB_LINE_STRIDE);
  plan->text = (char *)text.bytes;
  d->failed |= text.failed != 0;
  for (uint32_t i = 0; i < plan->n_fields && !d->failed; i++) {
    plan->fields[i].key = plan->text + places[i];
  }
  for (uint32_t i = 0; i < plan->n_groups && !d->failed; i++) {
    plan->groups[i].tag = plan->text + tags[i];
  }
  free(places);
}

bb_line_plan *bb_line_plan_new(const bb_shape *shape, const bb_line_options *options) {
  size_t n = shape->n_points;
  draft d = {.shape = shape, .options = options};
  bb_arena_init(&d.arena, MAX_TEXT_BYTES);
  d.places = calloc(n + 1, sizeof(*d.places));
  d.tags = calloc(n + 2, sizeof(*d.tags));
  bb_line_plan *plan = calloc(1, sizeof(*plan));
  if (plan != NULL) {
    plan->layout = options->layout;
    plan->precision = options->precision;
    plan->groups = calloc(n + 2, sizeof(*plan->groups));
    plan->fields = calloc(n + 1, sizeof(*plan->fields));
  }
  d.failed = d.places == NULL || d.tags == NULL || plan == NULL || plan->groups == NULL ||
             plan->fields == NULL;
  if (!d.failed) place_points(&d);
  if (!d.failed) write_groups(&d, plan);
  bb_map_close(&d.taken);
  bb_arena_close(&d.arena);
  free(d.places);
  free(d.tags);
  if (!d.failed) {
    plan->dropped = (uint32_t)n - plan->n_fields;
    return plan;
  }
  bb_line_plan_free(plan);
  return NULL;
}

void bb_line_plan_free(bb_line_plan *plan) {
  if (plan == NULL) return;
  free(plan->groups);
  free(plan->fields);
  free(plan->text);
  free(plan);
}
