/* SPDX-License-Identifier: Apache-2.0 */
/* See runtime_rig.h. */
#include "support/runtime_rig.h"

#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/failure.h"

static const bb_driver *const drivers[] = {&bb_driver_fake, NULL};
static const bb_sink_kind *const sinks[] = {&bb_sink_fake, NULL};
const bb_kinds rig_kinds = {drivers, sinks};

static uint64_t mono(void *user) {
  bb_clock clock = bb_clock_system();
  return bb_clock_mono_ns(&clock) + ((rig *)user)->ahead_ns;
}

static int64_t utc(void *user) {
  bb_clock clock = bb_clock_system();
  return bb_clock_utc_ns(&clock) + ((rig *)user)->utc_ahead_ns;
}

static void on_applied(bb_watch *watch) {
  ((rig *)watch->user)->applied++;
}

static void on_wake(uv_timer_t *timer) {
  (void)timer;
}

void rig_reopen(rig *r) {
  char why[BB_STORE_WHY];
  failure_begin_threads();
  expect_int("loop", uv_loop_init(&r->loop), 0);
  r->stopped = false;
  r->applied = 0;
  r->runtime = (bb_runtime){.loop = &r->loop,
                            .log = &r->folder.log,
                            .kinds = &rig_kinds,
                            .data_dir = r->folder.path,
                            .user = r,
                            .clock = {mono, utc, r}};
  expect_int("init", bb_runtime_init(&r->runtime, why), 0);
  r->watch = (bb_watch){.user = r, .on_applied = on_applied};
  bb_runtime_watch(&r->runtime, &r->watch);
  uv_timer_init(&r->loop, &r->wake);
  uv_timer_start(&r->wake, on_wake, 10, 10);
  uv_unref((uv_handle_t *)&r->wake);
}

void rig_open(rig *r) {
  memset(r, 0, sizeof(*r));
  journal_clear();
  folder_open(&r->folder);
  rig_reopen(r);
}

static void on_stopped(bb_runtime *runtime) {
  ((rig *)runtime->user)->stopped = true;
}

void rig_end_runtime(rig *r) {
  if (!r->runtime.stopping) bb_runtime_stop(&r->runtime, 100, on_stopped);
  rig_until(r, r->stopped);
  uv_close((uv_handle_t *)&r->wake, NULL);
  uv_run(&r->loop, UV_RUN_DEFAULT);
  expect_int("nothing left on the loop", uv_loop_close(&r->loop), 0);
  failure_end_threads();
}

void rig_close(rig *r) {
  rig_end_runtime(r);
  folder_close(&r->folder);
}

bb_config *rig_config(const char *text) {
  bb_config *config;
  bb_report report;
  bb_buf mistakes;
  bb_report_init(&report);
  bb_buf_init(&mistakes, 1 << 16);
  int err = bb_config_parse(&config, "test.yaml", text, strlen(text), &rig_kinds, &report);
  bb_report_print(&report, &mistakes);
  expect_text("mistakes", bb_buf_string(&mistakes), "");
  expect_int("config", err, 0);
  bb_buf_close(&mistakes);
  bb_report_close(&report);
  return config;
}

void rig_apply_soon(rig *r, const char *text) {
  expect_int("apply", bb_runtime_apply(&r->runtime, rig_config(text)), 0);
}

void rig_apply(rig *r, const char *text) {
  unsigned before = r->applied;
  rig_apply_soon(r, text);
  rig_until(r, r->applied > before);
  rig_turn(r);
}

fake_device *rig_device(const rig *r, const char *id) {
  const bb_station *station = bb_runtime_station(&r->runtime, id);
  expect_true(id, station != NULL);
  return (fake_device *)station->attachment;
}

fake_sink *rig_sink(const rig *r, const char *id) {
  const bb_outlet *outlet = bb_runtime_outlet(&r->runtime, id);
  expect_true(id, outlet != NULL);
  return (fake_sink *)outlet->sink;
}

void rig_step(rig *r, uint64_t end_ns, const char *condition, const char *file, int line) {
  if (uv_hrtime() >= end_ns) {
    print_error("got nothing for 10 s, expected %s\n", condition);
    _fail(file, line);
  }
  uv_run(&r->loop, UV_RUN_ONCE);
}

void rig_turn(rig *r) {
  for (int i = 0; i < 8; i++) {
    uv_update_time(&r->loop);
    uv_run(&r->loop, UV_RUN_NOWAIT);
  }
}
