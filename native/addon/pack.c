/* SPDX-License-Identifier: Apache-2.0 */
/* See pack.h. */
#include "addon/pack.h"

#include <stdlib.h>
#include <string.h>

#include "addon/document.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/schema.h"
#include "base/text.h"
#include "model/frame.h"

typedef struct {
  uint32_t number;
  const char *id, *site, *profile;
  const bb_doc *tags;
} device_keys;

#define AT(field) offsetof(device_keys, field)
static const bb_field device_fields[] = {
    {"number", BB_FIELD_U32, AT(number), .required = true, .max = UINT32_MAX,
     .help = "what batches name the device by"},
    {"id", BB_FIELD_ID, AT(id), .required = true, .help = "what the runtime knows the device by"},
    {"site", BB_FIELD_ID, AT(site), .help = "where it is"},
    {"profile", BB_FIELD_TEXT, AT(profile), .help = "what kind of device it is"},
    {"tags", BB_FIELD_MAP, AT(tags), .help = "names and texts"},
};
#undef AT
static const bb_schema device_schema = BB_SCHEMA("device", device_fields);

typedef struct {
  const char *scan;
  const bb_doc *points;
} shape_keys;

static const bb_field shape_fields[] = {
    {"scan", BB_FIELD_NAME, offsetof(shape_keys, scan), .required = true,
     .help = "what the points are read together as"},
    {"points", BB_FIELD_LIST, offsetof(shape_keys, points), .required = true,
     .help = "the list of points"},
};
static const bb_schema shape_schema = BB_SCHEMA("shape", shape_fields);

typedef struct {
  const char *name, *unit, *description;
  int type, labels_kind;
  uint32_t size;
  bool writable;
  double min, max, step, deadband;
  const bb_doc *labels;
} point_keys;

/* In the order of bb_type and bb_labels. */
static const char *const types[] = {"bool",    "int8",   "uint8", "int16",  "uint16",
                                    "int32",   "uint32", "int64", "uint64", "float32",
                                    "float64", "text",   NULL};
static const char *const label_kinds[] = {"none", "enum", "bits", NULL};

#define AT(field) offsetof(point_keys, field)
static const bb_field point_fields[] = {
    {"name", BB_FIELD_NAME, AT(name), .required = true, .help = "such as power/total"},
    {"type", BB_FIELD_CHOICE, AT(type), .required = true, .choices = types,
     .help = "such as float32"},
    {"unit", BB_FIELD_TEXT, AT(unit), .help = "unit of the value"},
    {"description", BB_FIELD_TEXT, AT(description), .help = "for people"},
    {"size", BB_FIELD_U32, AT(size), .min = 1, .max = BB_MAX_STRING_VALUE + 1,
     .help = "of a text: one byte more than its longest; else it follows from the type"},
    {"writable", BB_FIELD_BOOL, AT(writable), .help = "the point can be written"},
    {"min", BB_FIELD_NUMBER, AT(min), .help = "smallest value that may be written"},
    {"max", BB_FIELD_NUMBER, AT(max), .help = "largest value that may be written"},
    {"step", BB_FIELD_NUMBER, AT(step), .help = "written values lie on min + n times this"},
    {"deadband", BB_FIELD_NUMBER, AT(deadband), .help = "a change up to this much is none"},
    {"labelsKind", BB_FIELD_CHOICE, AT(labels_kind), .choices = label_kinds,
     .help = "what the labels name: values or bits"},
    {"labels", BB_FIELD_LIST, AT(labels), .help = "maps of value and name"},
};
#undef AT
static const bb_schema point_schema = BB_SCHEMA("point", point_fields);

typedef struct {
  uint32_t value;
  const char *name;
} label_keys;

static const bb_field label_fields[] = {
    {"value", BB_FIELD_U32, offsetof(label_keys, value), .required = true, .max = UINT32_MAX,
     .help = "the value, or the number of the bit"},
    {"name", BB_FIELD_TEXT, offsetof(label_keys, name), .help = "its name"},
};
static const bb_schema label_schema = BB_SCHEMA("label", label_fields);

static const char *or_empty(const char *text) {
  return text != NULL ? text : "";
}

static void check_text(bb_report *report, const bb_doc *doc, const char *text) {
  if (text != NULL && strlen(text) > BB_MAX_TEXT) {
    bb_report_add(report, doc, "the text is too long; allowed: %d bytes", BB_MAX_TEXT);
  }
}

/* The number of tags that are right. */
static uint32_t read_tags(const bb_doc *doc, bb_tag *tags, bb_report *report) {
  uint32_t n = 0;
  for (const bb_doc *tag = doc->first; tag != NULL; tag = tag->next) {
    if (!bb_text_is_name(tag->key)) {
      bb_report_add(report, tag,
                    "is no name for a tag; allowed: 1 to %d of letters, digits, - _ . "
                    "/ : [ ]",
                    BB_MAX_NAME);
    } else if (tag->kind != BB_DOC_SCALAR) {
      bb_report_add(report, tag, "is not a text");
    } else if (n == BB_MAX_TAGS) {
      bb_report_add(report, tag, "one tag too many; allowed: %d", BB_MAX_TAGS);
      return n;
    } else {
      check_text(report, tag, tag->text);
      tags[n++] = (bb_tag){tag->key, tag->text};
    }
  }
  return n;
}

static int pack_device(bb_buf *out, const bb_doc *doc, bb_report *report) {
  device_keys keys;
  bb_tag tags[BB_MAX_TAGS];
  uint32_t n = 0;
  bb_schema_read(&device_schema, doc, &keys, report);
  if (keys.tags != NULL) n = read_tags(keys.tags, tags, report);
  check_text(report, doc, keys.profile);
  if (!bb_report_ok(report)) return BB_ERR_CONFIG;
  bb_device *device = bb_device_new(keys.id, or_empty(keys.site), or_empty(keys.profile), tags, n);
  if (device == NULL) return BB_ERR_NOMEM;
  int err = bb_frame_pack_device(out, keys.number, device);
  bb_device_unref(device);
  return err;
}

int bb_pack_device(bb_buf *out, const char *text, size_t len, bb_report *report) {
  bb_doc_tree tree;
  int err = bb_document_open(&tree, "device", text, len, report);
  if (err < 0) return err == BB_ERR_NOMEM ? err : BB_ERR_CONFIG;
  err = pack_device(out, tree.root, report);
  bb_doc_close(&tree);
  return err;
}

static int read_labels(const bb_doc *list, bb_point *point, bb_arena *arena, bb_report *report) {
  bb_label *labels = bb_arena_take(arena, (list->n + (size_t)1) * sizeof(*labels));
  if (labels == NULL) return BB_ERR_NOMEM;
  point->labels = labels;
  if (list->n > UINT16_MAX) {
    bb_report_add(report, list, "too many; allowed: %u", UINT16_MAX);
    return 0;
  }
  for (const bb_doc *item = list->first; item != NULL; item = item->next) {
    label_keys keys;
    if (bb_schema_read(&label_schema, item, &keys, report) < 0) continue;
    check_text(report, item, keys.name);
    labels[point->n_labels++] = (bb_label){keys.value, or_empty(keys.name)};
  }
  return 0;
}

/* True if the document has the key, and not as null. */
static bool has(const bb_doc *doc, const char *key) {
  const bb_doc *child = bb_doc_get(doc, key);
  return child != NULL && !bb_doc_is_null(child);
}

static int read_point(const bb_doc *doc, bb_point *out, bb_arena *arena, bb_report *report) {
  point_keys keys;
  if (bb_schema_read(&point_schema, doc, &keys, report) < 0) return 0;
  bb_type type = (bb_type)keys.type;
  bool is_text = type == BB_TYPE_TEXT;
  *out = (bb_point){
      .name = keys.name,
      .unit = or_empty(keys.unit),
      .description = or_empty(keys.description),
      .type = type,
      .size = (uint16_t)bb_type_size(type),
      .labels_kind = (bb_labels)keys.labels_kind,
      .deadband = keys.deadband,
      .writable = keys.writable,
      .has_min = has(doc, "min"),
      .has_max = has(doc, "max"),
      .min = keys.min,
      .max = keys.max,
      .step = keys.step,
  };
  if (is_text) out->size = (uint16_t)(keys.size > 1 ? keys.size : BB_MAX_STRING_VALUE + 1);
  check_text(report, doc, keys.unit);
  check_text(report, doc, keys.description);
  if (keys.labels != NULL && keys.labels->n > 0 && keys.labels_kind == BB_LABELS_NONE) {
    bb_report_add(report, keys.labels, "needs \"labelsKind\": enum or bits");
  }
  return keys.labels != NULL ? read_labels(keys.labels, out, arena, report) : 0;
}

/* The shape as its own frame would be read. */
static int check_shape(const bb_shape *shape, const bb_doc *doc, bb_report *report) {
  char most[32];
  bb_buf frame;
  bb_shape *again;
  bb_buf_init(&frame, BB_MAX_FRAME_BYTES);
  int err = bb_frame_pack_shape(&frame, shape);
  if (err == 0) err = bb_frame_unpack_shape(frame.bytes, frame.len, &again);
  if (err == 0) bb_shape_unref(again);
  bb_buf_close(&frame);
  if (err == BB_ERR_FORMAT) {
    bb_report_add(report, doc,
                  "two points have one name, or the limits, deadband, step or labels of a point do "
                  "not go with each other or with its type");
  } else if (err == BB_ERR_LIMIT) {
    bb_report_add(report, doc, "is too large; allowed: %s",
                  bb_text_show_bytes(most, sizeof(most), BB_MAX_FRAME_BYTES));
  }
  return err == BB_ERR_NOMEM || err == 0 ? err : BB_ERR_CONFIG;
}

static int read_shape(bb_shape **out, const bb_doc *doc, bb_arena *arena, bb_report *report) {
  shape_keys keys;
  if (bb_schema_read(&shape_schema, doc, &keys, report) < 0) return BB_ERR_CONFIG;
  uint32_t n = keys.points->n;
  if (n > BB_MAX_POINTS) {
    bb_report_add(report, keys.points, "%u points are too many; allowed: %u", n, BB_MAX_POINTS);
    return BB_ERR_CONFIG;
  }
  bb_point *points = bb_arena_take(arena, (n + (size_t)1) * sizeof(*points));
  const bb_point **list = bb_arena_take(arena, (n + (size_t)1) * sizeof(*list));
  if (points == NULL || list == NULL) return BB_ERR_NOMEM;
  for (const bb_doc *item = keys.points->first; item != NULL; item = item->next) {
    list[item->index] = &points[item->index];
    int err = read_point(item, &points[item->index], arena, report);
    if (err < 0) return err;
  }
  if (!bb_report_ok(report)) return BB_ERR_CONFIG;
  bb_shape *shape = bb_shape_new(keys.scan, list, (uint16_t)n);
  if (shape == NULL) return BB_ERR_NOMEM;
  int err = check_shape(shape, doc, report);
  if (err < 0) {
    bb_shape_unref(shape);
    return err;
  }
  *out = shape;
  return 0;
}

int bb_pack_read_shape(bb_shape **out, const char *text, size_t len, bb_report *report) {
  bb_doc_tree tree;
  bb_arena arena;
  int err = bb_document_open(&tree, "shape", text, len, report);
  if (err < 0) return err == BB_ERR_NOMEM ? err : BB_ERR_CONFIG;
  bb_arena_init(&arena, 16u * BB_DOCUMENT_MAX_BYTES);
  err = read_shape(out, tree.root, &arena, report);
  bb_arena_close(&arena);
  bb_doc_close(&tree);
  return err;
}

int bb_pack_shape(bb_buf *out, const bb_shape *shape) {
  return bb_frame_pack_shape(out, shape);
}

int bb_pack_value(const bb_shape *shape, uint16_t point, bb_value value, uint8_t *values) {
  const bb_point *own = &shape->points[point];
  bb_value fitting;
  int err = bb_value_convert(value, own->type, &fitting);
  if (err < 0) return err;
  if (own->type == BB_TYPE_TEXT && fitting.v.text.len >= own->size) return BB_ERR_RANGE;
  bb_value_store(fitting, values + shape->offsets[point], own->size);
  return 0;
}

int bb_pack_batch(bb_buf *out, const bb_pack_head *head, const bb_shape *shape,
                  const uint8_t *quality, const uint8_t *values) {
  bb_batch batch = {
      .shape = shape,
      .time_ns = head->time_ns,
      .seq = head->seq,
      .flags = head->flags,
      .kind = BB_BATCH_SAMPLES,
      .quality = quality,
      .values = values,
  };
  return bb_frame_pack_batch(out, head->device, &batch);
}
