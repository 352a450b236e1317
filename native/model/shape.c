/* SPDX-License-Identifier: Apache-2.0 */
/* See shape.h. */
#include "model/shape.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json_text.h"
#include "base/limits.h"

/* Where the parts of the one allocation go: the struct, points, labels, members, offsets, text, names
 * as JSON. */
typedef struct {
  bb_label *labels;
  char *text;
} rooms;

static size_t member_bytes(const bb_point *point) {
  return bb_json_text_bytes(point->name, strlen(point->name)) + strlen(",:");
}

static void put_member(bb_shape *shape, bb_shape_member *member, const bb_point *point) {
  char *start = (char *)shape->json + shape->json_bytes, *at = start;
  *at++ = ',';
  at = bb_json_text_put(at, point->name, strlen(point->name));
  *at++ = ':';
  *member = (bb_shape_member){.at = shape->json_bytes,
                              .len = (uint32_t)(at - start),
                              .offset = shape->value_bytes,
                              .type = (uint8_t)point->type};
  shape->json_bytes += member->len;
  if (point->type == BB_TYPE_TEXT) shape->text_bytes += point->size;
}

static size_t text_bytes(const bb_point *point) {
  size_t len = strlen(point->name) + strlen(point->unit) + strlen(point->description) + 3;
  for (uint16_t i = 0; i < point->n_labels; i++) len += strlen(point->labels[i].name) + 1;
  return len;
}

static const char *put(rooms *room, const char *text) {
  char *copy = room->text;
  size_t len = strlen(text) + 1;
  memcpy(copy, text, len);
  room->text += len;
  return copy;
}

static void copy_point(bb_point *out, const bb_point *point, rooms *room) {
  *out = *point;
  out->name = put(room, point->name);
  out->unit = put(room, point->unit);
  out->description = put(room, point->description);
  out->labels = room->labels;
  for (uint16_t i = 0; i < point->n_labels; i++) {
    room->labels[i] = (bb_label){point->labels[i].value, put(room, point->labels[i].name)};
  }
  room->labels += point->n_labels;
}

static uint64_t hash_point(uint64_t hash, const bb_point *point) {
  hash = bb_hash_string(hash, point->name);
  hash = bb_hash_string(hash, point->unit);
  hash = bb_hash_string(hash, point->description);
  uint32_t numbers[] = {(uint32_t)point->type, point->size,     (uint32_t)point->labels_kind,
                        point->n_labels,       point->writable, point->has_min,
                        point->has_max};
  double reals[] = {point->deadband, point->has_min ? point->min : 0,
                    point->has_max ? point->max : 0, point->step};
  hash = bb_hash_add(hash, numbers, sizeof(numbers));
  hash = bb_hash_add(hash, reals, sizeof(reals));
  for (uint16_t i = 0; i < point->n_labels; i++) {
    hash = bb_hash_add(hash, &point->labels[i].value, sizeof(point->labels[i].value));
    hash = bb_hash_string(hash, point->labels[i].name);
  }
  return hash;
}

bb_shape *bb_shape_new(const char *scan, const bb_point *const *points, uint16_t n_points) {
  assert(n_points <= BB_MAX_POINTS);
  size_t labels = 0, text = strlen(scan) + 1, json = BB_SHAPE_STRIDE;
  for (uint16_t i = 0; i < n_points; i++) {
    labels += points[i]->n_labels;
    text += text_bytes(points[i]);
    json += member_bytes(points[i]);
  }
  /* In the order of falling alignment: pointers, then 32-bit, then bytes. */
  size_t bytes = sizeof(bb_shape) + n_points * sizeof(bb_point) + labels * sizeof(bb_label) +
                 n_points * (sizeof(bb_shape_member) + sizeof(uint32_t)) + text + json;
  bb_shape *shape = calloc(1, bytes);
  if (shape == NULL) return NULL;
  bb_point *own = (bb_point *)(shape + 1);
  rooms room = {.labels = (bb_label *)(own + n_points)};
  bb_shape_member *members = (bb_shape_member *)(room.labels + labels);
  uint32_t *offsets = (uint32_t *)(members + n_points);
  room.text = (char *)(offsets + n_points);

  shape->refs = 1;
  shape->scan = put(&room, scan);
  shape->points = own;
  shape->offsets = offsets;
  shape->members = members;
  shape->json = room.text + text;
  shape->n_points = n_points;
  shape->hash = bb_hash_string(BB_HASH_START, scan);
  for (uint16_t i = 0; i < n_points; i++) {
    copy_point(&own[i], points[i], &room);
    put_member(shape, &members[i], &own[i]);
    offsets[i] = shape->value_bytes;
    shape->value_bytes += own[i].size;
    shape->hash = hash_point(shape->hash, &own[i]);
  }
  return shape;
}

bb_shape *bb_shape_ref(const bb_shape *shape) {
  bb_shape *own = (bb_shape *)shape;
  own->refs++;
  return own;
}

void bb_shape_unref(const bb_shape *shape) {
  bb_shape *own = (bb_shape *)shape;
  if (own != NULL && --own->refs == 0) free(own);
}

int bb_shape_find(const bb_shape *shape, const char *name) {
  for (uint16_t i = 0; i < shape->n_points; i++) {
    if (strcmp(shape->points[i].name, name) == 0) return i;
  }
  return -1;
}
