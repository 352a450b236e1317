/* SPDX-License-Identifier: Apache-2.0 */
/* See model.h. */
#include "support/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "support/expect.h"
#include "support/vector.h"

static const char *text_at(const bb_doc *doc, const char *key) {
  const char *text = bb_doc_get_text(doc, key);
  if (text == NULL) fail_msg("line %u: \"%s\" is missing", doc->line, key);
  return text;
}

static uint64_t uint_of(const char *text) {
  return strtoull(text, NULL, 10);
}

static bool is_true(const char *text) {
  return strcmp(text, "true") == 0;
}

static const bb_doc *list_at(const bb_doc *doc, const char *key) {
  const bb_doc *list = bb_doc_get(doc, key);
  return list != NULL && list->kind == BB_DOC_LIST ? list : NULL;
}

bb_device *model_device(const bb_doc *doc) {
  bb_tag tags[BB_MAX_TAGS];
  uint32_t n = 0;
  for (const bb_doc *tag = list_at(doc, "tags")->first; tag != NULL; tag = tag->next) {
    tags[n++] = (bb_tag){tag->first->text, tag->first->next->text};
  }
  bb_device *device =
      bb_device_new(text_at(doc, "id"), text_at(doc, "site"), text_at(doc, "profile"), tags, n);
  assert_non_null(device);
  return device;
}

static int place_of(const char *word, const char *const *words, int n) {
  for (int i = 0; i < n; i++) {
    if (strcmp(words[i], word) == 0) return i;
  }
  fail_msg("\"%s\" is none of the known words", word);
  return 0;
}

static bb_type type_of(const char *name) {
  const char *names[BB_TYPE_COUNT];
  for (int i = 0; i < BB_TYPE_COUNT; i++) names[i] = bb_type_name((bb_type)i);
  return (bb_type)place_of(name, names, BB_TYPE_COUNT);
}

static bool limit_of(const bb_doc *doc, const char *key, double *out) {
  const bb_doc *limit = bb_doc_get(doc, key);
  *out = bb_doc_is_null(limit) ? 0 : strtod(limit->text, NULL);
  return !bb_doc_is_null(limit);
}

/* `labels` is filled. */
static bb_point point_of(const bb_doc *doc, bb_label *labels) {
  static const char *const kinds[] = {"none", "enum", "bits"};
  bb_point point = {
      .name = text_at(doc, "name"),
      .unit = text_at(doc, "unit"),
      .description = text_at(doc, "description"),
      .type = type_of(text_at(doc, "type")),
      .size = (uint16_t)uint_of(text_at(doc, "size")),
      .labels_kind = (bb_labels)place_of(text_at(doc, "labels_kind"), kinds, 3),
      .labels = labels,
      .deadband = strtod(text_at(doc, "deadband"), NULL),
      .writable = is_true(text_at(doc, "writable")),
      .step = strtod(text_at(doc, "step"), NULL),
  };
  for (const bb_doc *label = list_at(doc, "labels")->first; label != NULL; label = label->next) {
    labels[point.n_labels++] =
        (bb_label){(uint32_t)uint_of(label->first->text), label->first->next->text};
  }
  point.has_min = limit_of(doc, "min", &point.min);
  point.has_max = limit_of(doc, "max", &point.max);
  return point;
}

bb_shape *model_shape(const bb_doc *doc) {
  enum { MAX_POINTS = 32, MAX_LABELS = 8 };
  bb_point points[MAX_POINTS];
  bb_label labels[MAX_POINTS][MAX_LABELS];
  const bb_point *list[MAX_POINTS];
  uint16_t n = 0;
  for (const bb_doc *point = list_at(doc, "points")->first; point != NULL; point = point->next) {
    assert_true(n < MAX_POINTS && list_at(point, "labels")->n <= MAX_LABELS);
    points[n] = point_of(point, labels[n]);
    list[n] = &points[n];
    n++;
  }
  bb_shape *shape = bb_shape_new(text_at(doc, "scan"), list, n);
  assert_non_null(shape);
  return shape;
}

bb_shape *model_shape_of(const bb_doc *name) {
  if (name == NULL || bb_doc_is_null(name)) return NULL;
  char path[256];
  bb_doc_tree tree;
  snprintf(path, sizeof(path), "frame/%s.json", name->text);
  vector_read_json(path, &tree);
  bb_shape *shape = model_shape(tree.root);
  bb_doc_close(&tree);
  return shape;
}

static bb_value value_of(bb_type type, const char *text) {
  bb_value value = {.type = type};
  if (type == BB_TYPE_BOOL) {
    value.v.b = is_true(text);
  } else if (type == BB_TYPE_F32) {
    value.v.f = strtof(text, NULL);
  } else if (type == BB_TYPE_F64) {
    value.v.d = strtod(text, NULL);
  } else if (type == BB_TYPE_TEXT) {
    value.v.text.bytes = text;
    value.v.text.len = (uint8_t)strlen(text);
  } else if (bb_type_is_signed(type)) {
    value.v.i = strtoll(text, NULL, 10);
  } else {
    value.v.u = uint_of(text);
  }
  return value;
}

/* NULL where there is no such list. */
static const uint8_t *bytes_at(const bb_doc *doc, const char *key, uint8_t *out) {
  const bb_doc *list = list_at(doc, key);
  if (list == NULL) return NULL;
  for (const bb_doc *item = list->first; item != NULL; item = item->next) {
    out[item->index] = (uint8_t)uint_of(item->text);
  }
  return out;
}

void model_batch_open(model_batch *out, const bb_doc *doc, const bb_shape *shape) {
  static const char *const kinds[] = {"samples", "event", "outcome", "message"};
  size_t n = shape != NULL ? shape->n_points : 0, bytes = shape != NULL ? shape->value_bytes : 0;
  *out = (model_batch){.device_number = (uint32_t)uint_of(text_at(doc, "device"))};
  out->memory = calloc(1, 2 * n + bytes + 1);
  assert_non_null(out->memory);
  const char *text = text_at(doc, "text");
  bb_batch *batch = &out->batch;
  batch->shape = shape;
  batch->time_ns = strtoll(text_at(doc, "time_ns"), NULL, 10);
  batch->mono_ns = uint_of(text_at(doc, "mono_ns"));
  batch->boot = (uint32_t)uint_of(text_at(doc, "boot"));
  batch->seq = uint_of(text_at(doc, "seq"));
  batch->kind = (uint8_t)place_of(text_at(doc, "batch_kind"), kinds, 4);
  batch->flags = (uint8_t)uint_of(text_at(doc, "flags"));
  batch->text_len = (uint16_t)strlen(text);
  batch->text = text;
  batch->quality = out->memory;
  bytes_at(doc, "quality", out->memory);
  batch->codes = bytes_at(doc, "codes", out->memory + n);
  batch->values = out->memory + 2 * n;
  if (shape == NULL) return;
  for (const bb_doc *item = list_at(doc, "values")->first; item != NULL; item = item->next) {
    const bb_point *point = &shape->points[item->index];
    bb_value_store(value_of(point->type, item->text),
                   out->memory + 2 * n + shape->offsets[item->index], point->size);
  }
}

void model_batch_close(model_batch *batch) {
  free(batch->memory);
}

void model_expect_batch(const char *row, const bb_batch *actual, const bb_batch *expected) {
  const bb_shape *shape = expected->shape;
  size_t n = shape != NULL ? shape->n_points : 0, bytes = shape != NULL ? shape->value_bytes : 0;
  expect_true(row, actual->shape == shape);
  expect_int(row, actual->time_ns, expected->time_ns);
  expect_uint(row, actual->mono_ns, expected->mono_ns);
  expect_uint(row, actual->boot, expected->boot);
  expect_uint(row, actual->seq, expected->seq);
  expect_uint(row, actual->kind, expected->kind);
  expect_uint(row, actual->flags, expected->flags);
  expect_bytes(row, actual->text, actual->text_len, expected->text, expected->text_len);
  expect_bytes(row, actual->quality, n, expected->quality, n);
  for (size_t i = 0; i < n; i++) {
    expect_uint(row, actual->codes != NULL ? actual->codes[i] : 0,
                expected->codes != NULL ? expected->codes[i] : 0);
  }
  expect_bytes(row, actual->values, bytes, expected->values, bytes);
}
