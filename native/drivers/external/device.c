/* SPDX-License-Identifier: Apache-2.0 */
/* From the source's points to those of the device; see device.h. */
#include "drivers/external/device.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static int find_scan(const bb_external_device *device, const char *name, bb_reason *reason) {
  const bb_attachment *base = &device->base;
  for (uint32_t i = 0; i < base->n_scans; i++) {
    if (strcmp(base->scans[i].name, name) == 0) return (int)i;
  }
  bb_reason_set(reason, BB_ERR_NOTFOUND, 0, "there is no scan %s; allowed: %s%s", name,
                base->n_scans > 0 ? base->scans[0].name : "none",
                base->n_scans > 1 ? " and the others of its profile" : "");
  return BB_ERR_NOTFOUND;
}

/* Each point of the source has a place in the device, and a value of it can become one of that. */
static int check_points(const bb_shape *own, const bb_shape *from, bb_reason *reason) {
  for (uint16_t i = 0; i < from->n_points; i++) {
    const bb_point *point = &from->points[i];
    int place = bb_shape_find(own, point->name);
    if (place < 0) {
      bb_reason_set(reason, BB_ERR_NOTFOUND, 0, "its profile has no point %.60s in scan %.40s",
                    point->name, own->scan);
      return BB_ERR_NOTFOUND;
    }
    bb_type type = own->points[place].type;
    if ((type == BB_TYPE_TEXT) != (point->type == BB_TYPE_TEXT)) {
      bb_reason_set(reason, BB_ERR_TYPE, 0, "point %.60s is %s; its profile says %s", point->name,
                    bb_type_name(point->type), bb_type_name(type));
      return BB_ERR_TYPE;
    }
  }
  return 0;
}

/* The device has a profile: where its points lie in the source's shape. */
static int learn_places(bb_external_scan *scan, const bb_shape *shape, bb_reason *reason) {
  int err = check_points(scan->shape, shape, reason);
  if (err < 0) return err;
  if (shape->hash != scan->shape->hash && scan->places == NULL) {
    scan->places = calloc(scan->shape->n_points + 1u, sizeof(*scan->places));
    if (scan->places == NULL) {
      bb_reason_set(reason, BB_ERR_NOMEM, 0, "out of memory");
      return BB_ERR_NOMEM;
    }
  }
  for (uint16_t i = 0; scan->places != NULL && i < scan->shape->n_points; i++) {
    int place = bb_shape_find(shape, scan->shape->points[i].name);
    scan->places[i] = place < 0 ? BB_EXTERNAL_ABSENT : (uint16_t)place;
  }
  scan->from = shape->hash;
  return 0;
}

int bb_external_learn(bb_external_device *device, const bb_shape *shape, bb_reason *reason) {
  int place = find_scan(device, shape->scan, reason);
  if (place < 0) return place;
  bb_external_scan *scan = &device->scans[place];
  if (scan->from == shape->hash) return place;
  if (device->base.profile != NULL) {
    int err = learn_places(scan, shape, reason);
    return err < 0 ? err : place;
  }
  bb_shape_unref(scan->shape);
  scan->shape = bb_shape_ref(shape);
  scan->from = shape->hash;
  device->base.conn->host->on_shape(&device->base, (uint32_t)place, bb_shape_ref(shape),
                                    BB_SCAN_PUSHED);
  return place;
}

/* One sample as the type of the device's point. */
static void fill_point(const bb_shape *shape, const bb_batch *batch, uint16_t to, uint16_t from,
                       bb_draft *draft) {
  const bb_point *point = &shape->points[to];
  uint8_t *slot = draft->values + shape->offsets[to];
  bb_value value;
  draft->quality[to] = batch->quality[from];
  if (batch->codes != NULL) draft->codes[to] = batch->codes[from];
  if (!bb_quality_has_value(batch->quality[from])) {
    memset(slot, 0, point->size);
    return;
  }
  if (bb_value_convert(bb_batch_value(batch, from), point->type, &value) < 0) {
    draft->quality[to] = BB_QUALITY_BAD | BB_CAUSE_OUT_OF_RANGE;
    memset(slot, 0, point->size);
    return;
  }
  bb_value_store(value, slot, point->size);
}

void bb_external_fill(const bb_external_scan *scan, const bb_batch *batch, bb_draft *draft) {
  const bb_shape *shape = scan->shape;
  assert(draft->shape->hash == shape->hash);
  if (batch->time_ns != 0) draft->time_ns = batch->time_ns;
  draft->flags = batch->flags & BB_BATCH_CLOCK_UNSET; /* repeats are ours to mark */
  if (scan->places != NULL) {
    for (uint16_t i = 0; i < shape->n_points; i++) {
      if (scan->places[i] == BB_EXTERNAL_ABSENT) {
        draft->quality[i] = BB_QUALITY_ABSENT;
        memset(draft->values + shape->offsets[i], 0, shape->points[i].size);
      } else {
        fill_point(shape, batch, i, scan->places[i], draft);
      }
    }
  } else {
    memcpy(draft->quality, batch->quality, shape->n_points);
    memcpy(draft->values, batch->values, shape->value_bytes);
    if (batch->codes != NULL) memcpy(draft->codes, batch->codes, shape->n_points);
  }
  draft->has_codes = batch->codes != NULL;
}
