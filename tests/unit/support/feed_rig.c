/* SPDX-License-Identifier: Apache-2.0 */
/* See feed_rig.h. */
#include "support/feed_rig.h"

#include <string.h>

#include "support/expect.h"

static bb_shape *make_shape(void) {
  static const bb_point power = {"power", "W", "", BB_TYPE_F64, 8, .deadband = 1};
  static const bb_point count = {"count", "", "", BB_TYPE_U32, 4, .deadband = 0};
  static const bb_point name = {"name", "", "", BB_TYPE_TEXT, FEED_TEXT_SIZE, .deadband = 0};
  static const bb_point *const points[] = {&power, &count, &name};
  return bb_shape_new("fast", points, 3);
}

void feed_parse(bb_doc_tree *tree, const char *text) {
  bb_report report;
  bb_report_init(&report);
  expect_int(text, bb_doc_parse(tree, "points", text, strlen(text), &report), 0);
  bb_report_close(&report);
}

void feed_rig_open(feed_rig *f, bb_config_route route, const char *points) {
  bool none;
  memset(f, 0, sizeof(*f));
  f->config.refs = 1;
  f->route = route;
  if (points != NULL) {
    feed_parse(&f->tree, points);
    f->route.points = f->tree.root;
  }
  f->device = bb_device_new("meter-1", "", "", NULL, 0);
  f->shape = make_shape();
  f->feed = bb_feed_new(&f->config, &f->route, f->shape, &none);
  expect_true("a feed", f->feed != NULL && !none);
  f->batch = (bb_batch){
      .device = f->device, .shape = f->shape, .quality = f->quality, .values = f->values};
}

void feed_rig_close(feed_rig *f) {
  bb_feed_free(f->feed);
  expect_uint("nobody keeps the config", f->config.refs, 1);
  expect_uint("nobody keeps the shape", f->shape->refs, 1);
  bb_shape_unref(f->shape);
  bb_device_unref(f->device);
  bb_doc_close(&f->tree);
}

void feed_set(feed_rig *f, double power, uint32_t count, const char *name) {
  bb_value text = {.type = BB_TYPE_TEXT, .v.text = {.bytes = name, .len = (uint8_t)strlen(name)}};
  bb_value_store((bb_value){.type = BB_TYPE_F64, .v.d = power}, f->values + f->shape->offsets[0],
                 8);
  bb_value_store((bb_value){.type = BB_TYPE_U32, .v.u = count}, f->values + f->shape->offsets[1],
                 4);
  bb_value_store(text, f->values + f->shape->offsets[2], FEED_TEXT_SIZE);
}

bool feed_report(feed_rig *f, uint64_t mono_ns) {
  f->batch.mono_ns = mono_ns;
  f->batch.seq++;
  return bb_feed_report(f->feed, &f->batch, &f->out);
}

const char *feed_qualities(const feed_rig *f) {
  static char text[8];
  for (uint16_t i = 0; i < f->out.shape->n_points; i++) {
    uint8_t quality = f->out.quality[i];
    text[i] = quality == FEED_ABSENT                        ? '-'
              : bb_quality_class(quality) == BB_QUALITY_BAD ? 'b'
              : bb_quality_class(quality) == FEED_GOOD      ? 'g'
                                                            : 's';
  }
  text[f->out.shape->n_points] = 0;
  return text;
}

double feed_number(const feed_rig *f, uint16_t point) {
  return bb_value_double(bb_batch_value(&f->out, point));
}
