/* SPDX-License-Identifier: Apache-2.0 */
/* The driver `external` at a small host: what a source pushes, and what the host then sees. */
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/profile.h"

#include "base/bytes.h"
#include "base/err.h"
#include "drivers/external/device.h"

#define TIME 1763688000123000000
#define SLOTS 64

static const char profile_text[] = "profile: 1\n"
                                   "id: weather\n"
                                   "name: Weather station\n"
                                   "external: true\n"
                                   "points:\n"
                                   "  - {name: temperature, type: float32, unit: C}\n"
                                   "  - {name: wind, type: uint16}\n"
                                   "  - {name: door, type: bool}\n";

/* What the driver is attached to, and what it said last. */
typedef struct fixture {
  bb_external_conn conn;
  bb_external_device device;
  bb_clock clock;
  bb_profile *profile;
  bb_scan scan;
  uint16_t places[3];
  bb_shape *shape; /* of the host */
  bb_scan_mode mode;
  bb_draft draft;
  uint8_t quality[SLOTS], codes[SLOTS], values[SLOTS];
  bool no_room, lent, up, detached, closed;
  int n_shapes, n_batches, n_link, n_device;
  bb_reason reason; /* of the last loss, link or device */
  int n_events;
  int64_t event_ns;
  uint8_t event_flags;
  char event[16]; /* more is too long */
} fixture;

static fixture *of(bb_attachment *attachment) {
  return attachment->owner;
}

static void on_link(bb_conn *conn, bool up, const bb_reason *reason) {
  fixture *f = conn->owner;
  expect_int("conn->up", conn->up, up);
  f->n_link++;
  if (!up) f->reason = *reason;
}

static void on_device(bb_attachment *attachment, bool up, const bb_reason *reason) {
  fixture *f = of(attachment);
  expect_true("on_device only on change", f->n_device == 0 || f->up != up);
  f->up = up;
  f->n_device++;
  if (!up) f->reason = *reason;
}

static void on_shape(bb_attachment *attachment, uint32_t scan, bb_shape *shape, bb_scan_mode mode) {
  fixture *f = of(attachment);
  expect_uint("scan", scan, 0);
  bb_shape_unref(f->shape);
  f->shape = shape;
  f->mode = mode;
  f->n_shapes++;
}

static bb_draft *take(bb_attachment *attachment, uint32_t scan) {
  fixture *f = of(attachment);
  expect_uint("scan", scan, 0);
  if (f->no_room) return NULL;
  expect_true("shape comes first", f->shape != NULL && !f->lent);
  f->lent = true;
  memset(f->values, 0x55, sizeof(f->values));
  memset(f->quality, BB_QUALITY_BAD, sizeof(f->quality));
  memset(f->codes, 0, sizeof(f->codes));
  f->draft = (bb_draft){.time_ns = 1,
                        .quality = f->quality,
                        .codes = f->codes,
                        .values = f->values,
                        .shape = f->shape};
  return &f->draft;
}

static void on_batch(bb_attachment *attachment, uint32_t scan, bb_draft *draft) {
  fixture *f = of(attachment);
  expect_true("the draft that was lent", f->lent && draft == &f->draft && scan == 0);
  expect_true("up before its batch", f->up);
  f->lent = false;
  f->n_batches++;
}

static int on_event(bb_attachment *attachment, int64_t time_ns, uint8_t flags, const char *text,
                    uint16_t len) {
  fixture *f = of(attachment);
  expect_true("up before its event", f->up);
  if (len > sizeof(f->event) - 1) return BB_ERR_LIMIT;
  f->n_events++;
  f->event_ns = time_ns;
  f->event_flags = flags;
  memcpy(f->event, text, len);
  f->event[len] = 0;
  return 0;
}

static void on_detached(bb_attachment *attachment) {
  of(attachment)->detached = true;
}

static void on_closed(bb_conn *conn) {
  ((fixture *)conn->owner)->closed = true;
}

static const bb_driver_host host = {.on_link = on_link,
                                    .on_device = on_device,
                                    .on_shape = on_shape,
                                    .take = take,
                                    .on_batch = on_batch,
                                    .on_event = on_event,
                                    .on_detached = on_detached,
                                    .on_closed = on_closed};

/* Attaches; with a profile of `text`, or one that brings its own points. */
static int open_fixture(fixture *f, bb_profile *profile) {
  memset(f, 0, sizeof(*f));
  f->clock = bb_clock_system();
  f->conn.base = (bb_conn){.id = "outside",
                           .driver = &bb_driver_external,
                           .host = &host,
                           .clock = &f->clock,
                           .owner = f};
  f->profile = profile;
  for (uint16_t i = 0; i < 3; i++) f->places[i] = i;
  f->scan =
      profile != NULL ? (bb_scan){"fast", 1000, f->places, 3} : (bb_scan){"values", 0, NULL, 0};
  f->device.base = (bb_attachment){
      .conn = &f->conn.base, .profile = profile, .scans = &f->scan, .n_scans = 1, .owner = f};
  expect_int("open", bb_driver_external.open(&f->conn.base, NULL), 0);
  return bb_driver_external.attach(&f->device.base);
}

static void close_fixture(fixture *f) {
  bb_driver_external.detach(&f->device.base);
  expect_true("detached", f->detached);
  bb_driver_external.close(&f->conn.base);
  expect_true("closed", f->closed);
  bb_shape_unref(f->shape);
}

static bb_shape *shape_of(const char *scan, const char *const *names, const bb_type *types,
                          uint16_t n) {
  bb_point points[4];
  const bb_point *list[4];
  for (uint16_t i = 0; i < n; i++) {
    uint16_t size = types[i] == BB_TYPE_TEXT ? 8 : (uint16_t)bb_type_size(types[i]);
    points[i] =
        (bb_point){.name = names[i], .unit = "", .description = "", .type = types[i], .size = size};
    list[i] = &points[i];
  }
  bb_shape *shape = bb_shape_new(scan, list, n);
  expect_true("memory of the test", shape != NULL);
  return shape;
}

static bb_batch batch_of(const bb_shape *shape, const uint8_t *quality, const uint8_t *values) {
  return (bb_batch){.shape = shape, .time_ns = TIME, .quality = quality, .values = values};
}

static int push(fixture *f, const void *source, const bb_batch *batch) {
  bb_reason reason = {0};
  int err = bb_external_push_batch(&f->device.base, source, batch, &reason);
  expect_int("code and reason agree", reason.code, err);
  expect_true("a refusal has a sentence", (err < 0) == (reason.text[0] != 0));
  return err;
}

static const char *const two_names[] = {"wind", "temperature"};
static const bb_type two_types[] = {BB_TYPE_I32, BB_TYPE_F64};

/* wind, int32; temperature, float64 */
static void put_two(uint8_t *values, int32_t wind, double temperature) {
  uint64_t bits;
  memcpy(&bits, &temperature, 8);
  bb_put_le32(values, (uint32_t)wind);
  bb_put_le64(values + 4, bits);
}

static void test_external_without_profile_takes_the_shape_of_its_source(void **state) {
  fixture f;
  uint8_t quality[] = {0, BB_QUALITY_UNCERTAIN}, codes[] = {0, 7}, values[12];
  (void)state;
  expect_int("attach", open_fixture(&f, NULL), 0);
  expect_int("no shape yet", f.n_shapes, 0);
  bb_shape *shape = shape_of("values", two_names, two_types, 2);
  put_two(values, -5, 21.5);
  bb_batch batch = batch_of(shape, quality, values);
  batch.codes = codes;
  batch.flags = BB_BATCH_CLOCK_UNSET;
  expect_int("push", push(&f, "a", &batch), 0);
  expect_int("push", push(&f, "a", &batch), 0);
  expect_int("one shape", f.n_shapes, 1);
  expect_uint("its hash", f.shape->hash, shape->hash);
  expect_int("pushed", f.mode, BB_SCAN_PUSHED);
  expect_int("batches", f.n_batches, 2);
  expect_int("on_link", f.n_link, 1);
  expect_int("on_device", f.n_device, 1);
  expect_int("time", f.draft.time_ns, TIME);
  expect_uint("flags", f.draft.flags, BB_BATCH_CLOCK_UNSET);
  expect_bytes("values", f.values, sizeof(values), values, sizeof(values));
  expect_bytes("quality", f.quality, 2, quality, 2);
  expect_bytes("codes", f.codes, 2, codes, 2);
  expect_true("has_codes", f.draft.has_codes);
  batch.time_ns = 0;
  expect_int("push", push(&f, "a", &batch), 0);
  expect_int("time 0 is now", f.draft.time_ns, 1);
  bb_shape_unref(shape);
  close_fixture(&f);
}

static void test_external_takes_another_shape_when_its_source_changes_it(void **state) {
  fixture f;
  uint8_t quality[2] = {0}, values[12] = {0};
  (void)state;
  expect_int("attach", open_fixture(&f, NULL), 0);
  bb_shape *both = shape_of("values", two_names, two_types, 2);
  bb_shape *one = shape_of("values", two_names, two_types, 1);
  bb_batch long_one = batch_of(both, quality, values), short_one = batch_of(one, quality, values);
  expect_int("both", push(&f, "a", &long_one), 0);
  expect_int("one", push(&f, "a", &short_one), 0);
  expect_uint("the host has it", f.shape->n_points, 1);
  expect_int("both again", push(&f, "a", &long_one), 0);
  expect_int("shapes", f.n_shapes, 3);
  bb_shape_unref(both);
  bb_shape_unref(one);
  close_fixture(&f);
}

static void test_external_with_profile_puts_values_into_its_points(void **state) {
  fixture f;
  uint8_t quality[] = {0, 0}, values[12];
  (void)state;
  bb_profile *profile = profile_of(profile_text);
  expect_int("attach", open_fixture(&f, profile), 0);
  expect_int("shape from attach on", f.n_shapes, 1);
  bb_shape *shape = shape_of("fast", two_names, two_types, 2);
  bb_batch batch = batch_of(shape, quality, values);
  put_two(values, 12, 21.5);
  expect_int("push", push(&f, "a", &batch), 0);
  expect_int("the profile's shape stays", f.n_shapes, 1);
  bb_batch seen = {.shape = f.shape, .quality = f.quality, .values = f.values};
  expect_double("temperature", bb_value_double(bb_batch_value(&seen, 0)), 21.5);
  expect_double("wind", bb_value_double(bb_batch_value(&seen, 1)), 12);
  expect_uint("no door", f.quality[2], BB_QUALITY_ABSENT);
  put_two(values, -1, 1e300);
  expect_int("push", push(&f, "a", &batch), 0);
  expect_uint("too large", f.quality[0], BB_QUALITY_BAD | BB_CAUSE_OUT_OF_RANGE);
  expect_uint("below 0", f.quality[1], BB_QUALITY_BAD | BB_CAUSE_OUT_OF_RANGE);
  quality[0] = BB_QUALITY_BAD | BB_CAUSE_SOURCE;
  put_two(values, 12, 20);
  expect_int("push", push(&f, "a", &batch), 0);
  expect_uint("the source's own quality", f.quality[1], BB_QUALITY_BAD | BB_CAUSE_SOURCE);
  expect_uint("the other is good again", f.quality[0], 0);
  bb_shape_unref(shape);
  close_fixture(&f);
  bb_profile_unref(profile);
}

static const struct {
  const char *name, *scan;
  const char *points[2];
  bb_type types[2];
  bool with_profile;
  int expected;
} refusals[] = {
    {"no such scan", "slow", {"wind", "door"}, {BB_TYPE_U16, BB_TYPE_BOOL}, true, BB_ERR_NOTFOUND},
    {"no such scan", "fast", {"wind", "door"}, {BB_TYPE_U16, BB_TYPE_BOOL}, false, BB_ERR_NOTFOUND},
    {"no such point", "fast", {"wind", "rain"}, {BB_TYPE_U16, BB_TYPE_U8}, true, BB_ERR_NOTFOUND},
    {"a text", "fast", {"wind", "door"}, {BB_TYPE_TEXT, BB_TYPE_BOOL}, true, BB_ERR_TYPE},
};

static void test_external_refuses_what_does_not_fit(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
    fixture f;
    uint8_t quality[2] = {0}, values[SLOTS] = {0};
    bb_reason reason = {0};
    bb_profile *profile = refusals[i].with_profile ? profile_of(profile_text) : NULL;
    expect_int("attach", open_fixture(&f, profile), 0);
    bb_shape *shape = shape_of(refusals[i].scan, refusals[i].points, refusals[i].types, 2);
    bb_batch batch = batch_of(shape, quality, values);
    int err = bb_external_push_shape(&f.device.base, "a", shape, &reason);
    expect_int(refusals[i].name, err, refusals[i].expected);
    expect_int(refusals[i].name, push(&f, "a", &batch), refusals[i].expected);
    expect_int(refusals[i].name, f.n_batches, 0);
    expect_uint("counted", f.conn.base.counters.malformed, 2);
    bb_shape_unref(shape);
    close_fixture(&f);
    bb_profile_unref(profile);
  }
}

static void test_external_hands_on_events(void **state) {
  fixture f;
  (void)state;
  expect_int("attach", open_fixture(&f, NULL), 0);
  bb_batch event = {.kind = BB_BATCH_EVENT,
                    .time_ns = TIME,
                    .flags = BB_BATCH_CLOCK_UNSET | BB_BATCH_REPEAT,
                    .text = "door opened, more",
                    .text_len = 11};
  expect_int("without a shape", push(&f, "a", &event), 0);
  expect_text("text", f.event, "door opened");
  expect_int("time", f.event_ns, TIME);
  expect_uint("the clock's flag only", f.event_flags, BB_BATCH_CLOCK_UNSET);
  expect_int("its source is there", f.n_link + f.n_device, 2);
  expect_int("of another source", push(&f, "b", &event), BB_ERR_BUSY);
  event.text_len = 17;
  expect_int("too long", push(&f, "a", &event), BB_ERR_LIMIT);
  event.text_len = 0;
  expect_int("without a text", push(&f, "a", &event), BB_ERR_INVALID);
  event.kind = BB_BATCH_OUTCOME;
  event.text_len = 11;
  expect_int("an outcome", push(&f, "a", &event), BB_ERR_UNSUPPORTED);
  expect_int("once", f.n_events, 1);
  expect_uint("refusals are counted", f.conn.base.counters.malformed, 3);
  close_fixture(&f);
}

static void test_external_waits_for_room(void **state) {
  fixture f;
  uint8_t quality[2] = {0}, values[12] = {0};
  (void)state;
  expect_int("attach", open_fixture(&f, NULL), 0);
  bb_shape *shape = shape_of("values", two_names, two_types, 2);
  bb_batch batch = batch_of(shape, quality, values);
  f.no_room = true;
  expect_int("no draft", push(&f, "a", &batch), BB_ERR_AGAIN);
  f.no_room = false;
  expect_int("then it works", push(&f, "a", &batch), 0);
  bb_shape_unref(shape);
  close_fixture(&f);
}

static void test_external_device_has_one_source_and_is_lost_with_it(void **state) {
  fixture f;
  uint8_t quality[2] = {0}, values[12] = {0};
  (void)state;
  expect_int("attach", open_fixture(&f, NULL), 0);
  bb_shape *shape = shape_of("values", two_names, two_types, 2);
  bb_batch batch = batch_of(shape, quality, values);
  expect_int("a", push(&f, "a", &batch), 0);
  expect_int("b", push(&f, "b", &batch), BB_ERR_BUSY);
  bb_external_leave(&f.device.base, "b");
  expect_true("b was not its source", f.up);
  bb_external_leave(&f.device.base, "a");
  expect_true("lost", !f.up && !f.device.base.up && !f.conn.base.up);
  expect_text("why", f.reason.text, "its source disconnected");
  bb_external_leave(&f.device.base, "a");
  expect_int("said once", f.n_device, 2);
  expect_int("b now", push(&f, "b", &batch), 0);
  expect_true("back", f.up && f.conn.base.up);
  bb_shape_unref(shape);
  close_fixture(&f);
}

static int attach_and_push(void *user) {
  fixture f;
  uint8_t quality[2] = {0}, values[12] = {0};
  bb_reason reason = {0};
  bb_profile *profile = user;
  int err = open_fixture(&f, profile);
  if (err < 0) return err;
  bb_point wind = {.name = "wind", .unit = "", .description = "", .type = BB_TYPE_U8, .size = 1};
  const bb_point *points[] = {&wind};
  bb_shape *shape = bb_shape_new(f.scan.name, points, 1);
  err = BB_ERR_NOMEM;
  if (shape != NULL) {
    bb_batch batch = batch_of(shape, quality, values);
    err = bb_external_push_batch(&f.device.base, "a", &batch, &reason);
  }
  bb_shape_unref(shape);
  close_fixture(&f);
  return err;
}

static void test_external_survives_lack_of_memory(void **state) {
  bb_profile *profile = profile_of(profile_text);
  (void)state;
  failmalloc_each(attach_and_push, profile);
  failmalloc_each(attach_and_push, NULL);
  bb_profile_unref(profile);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_external_without_profile_takes_the_shape_of_its_source),
      cmocka_unit_test(test_external_takes_another_shape_when_its_source_changes_it),
      cmocka_unit_test(test_external_with_profile_puts_values_into_its_points),
      cmocka_unit_test(test_external_refuses_what_does_not_fit),
      cmocka_unit_test(test_external_hands_on_events),
      cmocka_unit_test(test_external_waits_for_room),
      cmocka_unit_test(test_external_device_has_one_source_and_is_lost_with_it),
      cmocka_unit_test(test_external_survives_lack_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
