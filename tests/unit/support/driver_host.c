/* SPDX-License-Identifier: Apache-2.0 */
/* See driver_host.h. */
#include "support/driver_host.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/failmalloc.h"

bool driver_host_has_beat;

static driver_conn *conn_of(bb_conn *conn) {
  return conn->owner;
}

static driver_device *device_of(bb_attachment *attachment) {
  return attachment->owner;
}

static void on_link(bb_conn *conn, bool up, const bb_reason *reason) {
  driver_conn *own = conn_of(conn);
  expect_true("on_link only on change", own->n_up + own->n_down == 0 || own->up != up);
  expect_int("conn->up", conn->up, up);
  own->up = up;
  own->n_up += up;
  own->n_down += !up;
  own->reason = *reason;
}

static void on_device(bb_attachment *attachment, bool up, const bb_reason *reason) {
  driver_device *own = device_of(attachment);
  bool other_loss = !up && strcmp(own->reason.text, reason->text) != 0;
  expect_true("on_device only on change",
              own->n_up + own->n_down == 0 || own->up != up || other_loss);
  expect_int("attachment->up", attachment->up, up);
  own->up = up;
  own->n_up += up;
  own->n_down += !up;
  own->reason = *reason;
}

static void *zeroed(size_t len) {
  void *memory = calloc(1, len + 1);
  expect_true("memory of the test", memory != NULL);
  return memory;
}

static void on_shape(bb_attachment *attachment, uint32_t scan, bb_shape *shape, bb_scan_mode mode) {
  driver_scan *own = &device_of(attachment)->scans[scan];
  bb_shape_unref(own->shape);
  own->shape = shape;
  own->mode = mode;
}

/* Memory is made at the first batch, so that tests of lacking memory do not count it. */
static void make_draft(driver_scan *scan) {
  uint16_t n = scan->shape->n_points;
  scan->quality = zeroed(n);
  scan->codes = zeroed(n);
  scan->values = zeroed(scan->shape->value_bytes);
  scan->raw = zeroed((size_t)n * BB_DRAFT_RAW);
  scan->draft = (bb_draft){.quality = scan->quality,
                           .codes = scan->codes,
                           .values = scan->values,
                           .raw = scan->raw,
                           .shape = scan->shape};
}

static bb_draft *take(bb_attachment *attachment, uint32_t scan) {
  driver_scan *own = &device_of(attachment)->scans[scan];
  expect_true("one draft at a time", !own->lent);
  own->n_taken++;
  if (own->refuse_draft) return NULL;
  if (own->quality == NULL) make_draft(own);
  memset(own->quality, BB_QUALITY_BAD | BB_CAUSE_NOT_READ, own->shape->n_points);
  memset(own->codes, 0, own->shape->n_points);
  own->draft.time_ns = bb_clock_utc_ns(attachment->conn->clock);
  own->draft.has_codes = false;
  own->lent = true;
  return &own->draft;
}

static void on_batch(bb_attachment *attachment, uint32_t scan, bb_draft *draft) {
  driver_scan *own = &device_of(attachment)->scans[scan];
  expect_true("the draft that was lent", own->lent && draft == &own->draft);
  own->lent = false;
  own->n_batches++;
}

static void on_poll_done(bb_attachment *attachment, uint32_t scan, int status) {
  driver_device *device = device_of(attachment);
  driver_scan *own = &device->scans[scan];
  expect_true("the draft is back", !own->lent);
  expect_true("before on_detached", !device->detached);
  own->status = status;
  own->n_done++;
  own->n_good += status == 0;
  if (device->on_done != NULL) device->on_done(device, scan);
  if (own->again && status == 0) driver_device_start(device, scan);
}

static void on_write_done(bb_attachment *attachment, bb_command *command, bb_outcome outcome,
                          const bb_reason *reason) {
  driver_device *device = device_of(attachment);
  expect_true("before on_detached", !device->detached);
  device->outcome = outcome;
  device->why = *reason;
  device->n_written++;
  if (command->on_done != NULL) command->on_done(command, outcome, reason);
}

static void on_detached(bb_attachment *attachment) {
  driver_device *device = device_of(attachment);
  expect_true("once", !device->detached);
  device->detached = true;
}

static void on_closed(bb_conn *conn) {
  driver_conn *own = conn_of(conn);
  expect_true("once", !own->closed);
  own->closed = true;
}

static const bb_driver_host functions = {
    .on_link = on_link,
    .on_device = on_device,
    .on_shape = on_shape,
    .take = take,
    .on_batch = on_batch,
    .on_poll_done = on_poll_done,
    .on_write_done = on_write_done,
    .on_detached = on_detached,
    .on_closed = on_closed,
};

void driver_host_init(driver_host *host) {
  memset(host, 0, sizeof(*host));
  signal(SIGPIPE, SIG_IGN);
  expect_int("loop", uv_loop_init(&host->loop), 0);
  host->clock = bb_clock_system();
  host->beat.always = true;
  expect_int("beat", bb_beat_init(&host->beat, &host->loop, &host->clock), 0);
  bb_log_init(&host->log, 2);
  host->log.level = getenv("BB_TEST_LOG") != NULL ? BB_LOG_DEBUG : BB_LOG_ERROR;
}

int driver_host_run_twice(const char *name, const struct CMUnitTest *tests, size_t n) {
  char second[64];
  snprintf(second, sizeof(second), "%s at the beat", name);
  driver_host_has_beat = false;
  int failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
  driver_host_has_beat = true;
  return failed + _cmocka_run_group_tests(second, tests, n, NULL, NULL);
}

void driver_host_close(driver_host *host) {
  bb_beat_close(&host->beat, NULL);
  uv_run(&host->loop, UV_RUN_DEFAULT);
  expect_int("nothing left on the loop", uv_loop_close(&host->loop), 0);
}

static void parse(bb_doc_tree *tree, const char *text) {
  bb_report report;
  bb_report_init(&report);
  expect_int(text, bb_doc_parse(tree, "options.yaml", text, strlen(text), &report), 0);
  bb_report_close(&report);
}

int driver_conn_open(driver_conn *conn, driver_host *host, const bb_driver *driver, const char *id,
                     const char *options) {
  memset(conn, 0, sizeof(*conn));
  conn->host = host;
  parse(&conn->tree, options);
  conn->conn = zeroed(driver->conn_bytes);
  *conn->conn = (bb_conn){
      .id = id,
      .driver = driver,
      .host = &functions,
      .loop = &host->loop,
      .beat = driver_host_has_beat ? &host->beat : NULL,
      .log = &host->log,
      .clock = &host->clock,
      .latency = &host->latency,
      .seed = 1,
      .owner = conn,
  };
  failmalloc_start(host->fail_open);
  int err = driver->open(conn->conn, conn->tree.root);
  host->allocations = failmalloc_stop();
  if (err < 0) {
    free(conn->conn);
    bb_doc_close(&conn->tree);
  }
  return err;
}

void driver_conn_close(driver_conn *conn) {
  conn->conn->driver->close(conn->conn);
  driver_host_wait_flag(conn->host, "on_closed", &conn->closed);
  driver_conn_free(conn);
}

void driver_conn_free(driver_conn *conn) {
  free(conn->conn);
  bb_doc_close(&conn->tree);
}

static void make_scans(driver_device *device) {
  bb_profile *profile = device->profile;
  uint32_t n = 0;
  for (uint8_t s = 0; s < profile->n_scans; s++) {
    if (profile->scans[s].n_points == 0) continue;
    uint16_t *places = zeroed(profile->scans[s].n_points * sizeof(*places));
    uint16_t n_points = 0;
    for (uint16_t p = 0; p < profile->n_points; p++) {
      if (profile->points[p].scan == s) places[n_points++] = p;
    }
    device->scans[n].places = places;
    device->list[n++] = (bb_scan){profile->scans[s].name, 1000, places, n_points};
  }
  device->attachment->scans = device->list;
  device->attachment->n_scans = n;
}

void driver_device_free(driver_device *device) {
  for (uint32_t i = 0; i < device->attachment->n_scans; i++) {
    driver_scan *scan = &device->scans[i];
    bb_shape_unref(scan->shape);
    free(scan->places);
    free(scan->quality);
    free(scan->codes);
    free(scan->values);
    free(scan->raw);
  }
  bb_profile_unref(device->profile);
  bb_device_unref(device->identity);
  bb_doc_close(&device->tree);
  free(device->attachment);
}

int driver_device_attach(driver_device *device, driver_conn *conn, const char *id,
                         bb_profile *profile, const char *options) {
  const bb_driver *driver = conn->conn->driver;
  memset(device, 0, sizeof(*device));
  parse(&device->tree, options);
  device->conn = conn;
  device->profile = bb_profile_ref(profile);
  device->identity = bb_device_new(id, "", profile->id, NULL, 0);
  device->attachment = zeroed(driver->attachment_bytes);
  *device->attachment = (bb_attachment){
      .conn = conn->conn,
      .device = device->identity,
      .profile = profile,
      .options = device->tree.root,
      .apart = conn->host->apart,
      .owner = device,
  };
  device->up = true;
  make_scans(device);
  failmalloc_start(conn->host->fail_attach);
  int err = driver->attach(device->attachment);
  conn->host->allocations = failmalloc_stop();
  if (err < 0) driver_device_free(device);
  return err;
}

void driver_device_detach(driver_device *device) {
  device->conn->conn->driver->detach(device->attachment);
  driver_host_wait_flag(device->conn->host, "on_detached", &device->detached);
  driver_device_free(device);
}

void driver_device_start(driver_device *device, uint32_t scan) {
  expect_int("poll", device->conn->conn->driver->poll(device->attachment, scan), 0);
}

int driver_device_poll(driver_device *device, uint32_t scan) {
  unsigned before = device->scans[scan].n_done;
  driver_device_start(device, scan);
  driver_host_wait_count(device->conn->host, "on_poll_done", &device->scans[scan].n_done,
                         before + 1);
  return device->scans[scan].status;
}

void driver_command_add(bb_command *command, const driver_device *device, const char *point,
                        bb_value value) {
  int place = bb_profile_find(device->profile, point);
  expect_true(point, place >= 0);
  command->points[command->n] = (uint16_t)place;
  command->values[command->n] = value;
  command->n++;
}

bb_outcome driver_device_command(driver_device *device, bb_command *command) {
  unsigned before = device->n_written;
  expect_int("write", device->conn->conn->driver->write(device->attachment, command), 0);
  driver_host_wait_count(device->conn->host, "on_write_done", &device->n_written, before + 1);
  return device->outcome;
}

bb_outcome driver_device_write(driver_device *device, const char *point, double value) {
  bb_command command = {.n = 0};
  bb_value any = {.type = BB_TYPE_F64, .v = {.d = value}}, typed;
  int place = bb_profile_find(device->profile, point);
  expect_true(point, place >= 0);
  expect_int(point, bb_value_convert(any, device->profile->points[place].point.type, &typed), 0);
  driver_command_add(&command, device, point, typed);
  return driver_device_command(device, &command);
}

static const driver_scan *find(const driver_device *device, const char *point, int *place) {
  for (uint32_t i = 0; i < device->attachment->n_scans; i++) {
    *place = bb_shape_find(device->scans[i].shape, point);
    if (*place >= 0) return &device->scans[i];
  }
  fail_msg("no point %s", point);
  return NULL;
}

uint8_t driver_device_quality(const driver_device *device, const char *point) {
  int place;
  const driver_scan *scan = find(device, point, &place);
  return scan->quality != NULL ? scan->quality[place] : BB_QUALITY_ABSENT;
}

uint8_t driver_device_code(const driver_device *device, const char *point) {
  int place;
  const driver_scan *scan = find(device, point, &place);
  return scan->codes[place];
}

double driver_device_value(const driver_device *device, const char *point) {
  int place;
  const driver_scan *scan = find(device, point, &place);
  const bb_shape *shape = scan->shape;
  return bb_value_double(
      bb_value_load(shape->points[place].type, scan->values + shape->offsets[place]));
}

static void on_late(uv_timer_t *timer) {
  *(bool *)timer->data = true;
}

static void on_timer_closed(uv_handle_t *handle) {
  handle->data = NULL;
}

static void run(driver_host *host, uint32_t ms, driver_condition condition, void *user) {
  uv_timer_t timer;
  bool late = false;
  uv_update_time(&host->loop);
  uv_timer_init(&host->loop, &timer);
  timer.data = &late;
  uv_timer_start(&timer, on_late, ms, 0);
  while (!late && (condition == NULL || !condition(user))) uv_run(&host->loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&timer, on_timer_closed);
  while (timer.data != NULL) uv_run(&host->loop, UV_RUN_NOWAIT);
}

void driver_host_wait(driver_host *host, const char *what, driver_condition condition, void *user) {
  run(host, DRIVER_HOST_WAIT_MS, condition, user);
  if (!condition(user)) fail_msg("%s: not within %d ms", what, DRIVER_HOST_WAIT_MS);
}

static bool is_set(void *user) {
  return *(const bool *)user;
}

void driver_host_wait_flag(driver_host *host, const char *what, const bool *flag) {
  driver_host_wait(host, what, is_set, (void *)flag);
}

typedef struct {
  const unsigned *count;
  unsigned at_least;
} counted;

static bool has_counted(void *user) {
  const counted *c = user;
  return *c->count >= c->at_least;
}

void driver_host_wait_count(driver_host *host, const char *what, const unsigned *count,
                            unsigned at_least) {
  counted c = {count, at_least};
  driver_host_wait(host, what, has_counted, &c);
}

void driver_host_run(driver_host *host, uint32_t ms) {
  run(host, ms, NULL, NULL);
}
