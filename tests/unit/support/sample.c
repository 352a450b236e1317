/* SPDX-License-Identifier: Apache-2.0 */
/* See sample.h. */
#include "support/sample.h"

#include <stdlib.h>

#define MAX_POINTS 128

void sample_open(sample *s, const bb_device *device, const char *scan, const sample_point *points,
                 size_t n, int64_t time_ns) {
  bb_point all[MAX_POINTS];
  const bb_point *list[MAX_POINTS];
  uint16_t count = 0;
  while (count < n && count < MAX_POINTS && points[count].name != NULL) {
    const sample_point *own = &points[count];
    bool is_text = own->value.type == BB_TYPE_TEXT;
    all[count] = (bb_point){
        .name = own->name,
        .unit = own->unit != NULL ? own->unit : "",
        .description = "",
        .type = own->value.type,
        .size = (uint16_t)(is_text ? own->value.v.text.len + 1u : bb_type_size(own->value.type)),
    };
    list[count] = &all[count];
    count++;
  }
  s->shape = bb_shape_new(scan, list, count);
  s->bytes = calloc(1, count + s->shape->value_bytes + (size_t)1);
  uint8_t *values = s->bytes + count;
  for (uint16_t i = 0; i < count; i++) {
    s->bytes[i] = points[i].quality;
    bb_value_store(points[i].value, values + s->shape->offsets[i], all[i].size);
  }
  s->batch = (bb_batch){.device = device,
                        .shape = s->shape,
                        .time_ns = time_ns,
                        .boot = 3,
                        .seq = 118,
                        .kind = BB_BATCH_SAMPLES,
                        .quality = s->bytes,
                        .values = values};
}

void sample_close(sample *s) {
  bb_shape_unref(s->shape);
  free(s->bytes);
}
