/* SPDX-License-Identifier: Apache-2.0 */
/* Probes that are refused, cancelled, or end with something else: a config, the runtime, their time. */
#include <string.h>

#include "base/err.h"
#include "runtime/probe.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/probe_rig.h"

static void test_probe_ends_in_time(void **state) {
  (void)state;
  rig r;
  probe_asked a;
  probe_rig_open(&r);
  bb_runtime_probe_wish wish = probe_wish(rig_config(PROBE_GUEST("port: 1")), PROBE_SLOW);
  wish.limit_ms = 20;
  expect_int("start", probe_ask_for(&r, &a, wish), 0);
  a.device->holds_polls = true;
  probe_wait(&r, &a);
  expect_true("nothing", a.status == 0 && !a.answered);
  expect_text("why", a.reason.text, "not all was read within 20 ms");
  expect_order("meter-9 poll slow", "meter-9 detach");
  rig_close(&r);
}

static void test_probe_refused(void **state) {
  (void)state;
  rig r;
  probe_asked a[BB_RUNTIME_PROBES + 1];
  static const char *const texts[] = {PROBE_GUEST("port: 1"), PROBE_GUEST("port: 2"),
                                      PROBE_GUEST("port: 5"), PROBE_GUEST("port: 6"),
                                      PROBE_GUEST("port: 8")};
  probe_rig_open(&r);
  for (int i = 0; i < BB_RUNTIME_PROBES; i++) {
    probe_ask_well(&r, &a[i], texts[i], PROBE_SLOW);
    a[i].device->holds_polls = true;
    expect_int("one a connection", probe_ask(&r, &a[BB_RUNTIME_PROBES], texts[i], PROBE_SLOW),
               BB_ERR_BUSY);
    expect_part(texts[i], a[BB_RUNTIME_PROBES].reason.text, "meter-9 on the same connection");
  }
  expect_int("too many", probe_ask(&r, &a[BB_RUNTIME_PROBES], texts[4], PROBE_SLOW), BB_ERR_BUSY);
  expect_part("too many", a[BB_RUNTIME_PROBES].reason.text, "4 devices");
  rig_turn(&r);
  for (int i = 0; i < BB_RUNTIME_PROBES; i++) {
    fake_device_end_poll(a[i].device);
    probe_wait(&r, &a[i]);
    expect_true("answered", a[i].answered);
  }

  bb_config *config = rig_config(texts[4]);
  bb_config_device without = config->devices[0];
  without.profile = NULL;
  bb_runtime_probe_wish wish = {.config = config, .device = &without, .scans = 1};
  bb_reason reason = {0};
  bb_runtime_probe *probe;
  expect_int("nobody to ask", bb_runtime_probe_start(&r.runtime, &wish, &probe, &reason),
             BB_ERR_UNSUPPORTED);
  expect_part("nobody to ask", reason.text, "meter-9 cannot be asked");

  static const char fails[] = PROBE_GUEST("port: 5, fails: true");
  expect_int("open fails", probe_ask(&r, &a[0], fails, PROBE_SLOW), UV_EACCES);
  expect_text("why", a[0].reason.text, "the connection cannot be opened: permission denied");
  static const char lost[] = "busbar: 1\nconnections:\n  - { id: x, cyclic: { port: 5 } }\n"
                             "devices:\n  - { id: meter-9, connection: x, fails: true, "
                             "profile: " RIG_PROFILE " }\n";
  expect_int("attach fails", probe_ask(&r, &a[0], lost, PROBE_SLOW), BB_ERR_NOMEM);
  rig_turn(&r);
  expect_order("x open", "x close");

  rig_apply_soon(&r, "busbar: 1\n"); /* devices are detached by the loop */
  expect_int("during an apply", probe_ask(&r, &a[0], texts[2], PROBE_SLOW), BB_ERR_AGAIN);
  expect_int("its connection closes", probe_ask(&r, &a[0], texts[0], PROBE_SLOW), BB_ERR_CLOSED);
  rig_end_runtime(&r);
  expect_int("after the end", probe_ask(&r, &a[0], texts[2], PROBE_SLOW), BB_ERR_CLOSED);
  folder_close(&r.folder);
}

/* A probe through a connection that runs, and one by its own; neither has an answer. */
static void open_two(rig *r, probe_asked *guest, probe_asked *own) {
  probe_rig_open(r);
  probe_ask_well(r, guest, PROBE_GUEST("port: 1"), PROBE_SLOW);
  probe_ask_well(r, own, PROBE_GUEST("port: 5"), PROBE_SLOW);
  guest->device->holds_polls = own->device->holds_polls = true;
  rig_turn(r);
}

static void test_probe_goes_on_while_a_config_is_applied(void **state) {
  (void)state;
  rig r;
  probe_asked a, b;
  open_two(&r, &a, &b);
  /* The device that it is a guest beside is another one then; the connection stays. */
  rig_apply(&r, RIG_CONNECTIONS "devices:\n" RIG_DEVICE("meter-7", "a"));
  expect_uint("none told", a.n_done + b.n_done, 0);
  expect_uint("both are there", probe_link(&r, "a")->n_stations, 2);
  fake_device_end_poll(a.device);
  fake_device_end_poll(b.device);
  probe_wait(&r, &a);
  probe_wait(&r, &b);
  expect_true("answered", a.answered && b.answered);
  rig_close(&r);
}

static void test_probe_makes_way_for_a_config(void **state) {
  (void)state;
  rig r;
  probe_asked a, b;
  open_two(&r, &a, &b);
  rig_apply(&r, "busbar: 1\nconnections:\n  - { id: y, cyclic: { port: 5 } }\n"
                "devices:\n" RIG_DEVICE("meter-5", "y"));
  expect_uint("both told", a.n_done + b.n_done, 2);
  expect_int("its connection closed", a.status, BB_ERR_CLOSED);
  expect_part("its connection closed", a.reason.text, "closes connection a");
  expect_int("the owner came", b.status, BB_ERR_CLOSED);
  expect_part("the owner came", b.reason.text, "connects to the same device");
  expect_order("meter-9 detach", "a close", "y open");
  expect_order("x close", "y open");
  expect_true("no trace", bb_list_empty(&r.runtime.probes));
  rig_close(&r);
}

static void test_probe_ends_with_the_runtime(void **state) {
  (void)state;
  rig r;
  probe_asked a, b;
  open_two(&r, &a, &b);
  rig_end_runtime(&r);
  expect_uint("both told", a.n_done + b.n_done, 2);
  expect_int("status", a.status, BB_ERR_CLOSED);
  expect_text("why", b.reason.text, "the runtime is stopping");
  expect_order("meter-9 detach", "a close");
  folder_close(&r.folder);

  probe_rig_open(&r); /* and right after its start */
  probe_ask_well(&r, &a, PROBE_GUEST("port: 1"), PROBE_SLOW);
  probe_ask_well(&r, &b, PROBE_GUEST("port: 5"), PROBE_SLOW);
  rig_end_runtime(&r);
  expect_uint("both told", a.n_done + b.n_done, 2);
  folder_close(&r.folder);
}

static void test_probe_cancelled(void **state) {
  (void)state;
  static const char *const texts[] = {PROBE_GUEST("port: 1"), PROBE_GUEST("port: 5")};
  for (int i = 0; i < 4; i++) {
    rig r;
    probe_asked a;
    probe_rig_open(&r);
    probe_ask_well(&r, &a, texts[i % 2], PROBE_SLOW);
    a.device->holds_polls = true;
    if (i >= 2) rig_turn(&r); /* the poll is under way */
    bb_runtime_probe_cancel(a.probe);
    probe_wait(&r, &a);
    expect_int(texts[i % 2], a.status, UV_ECANCELED);
    probe_ask_well(&r, &a, texts[i % 2], PROBE_SLOW);
    probe_wait(&r, &a);
    expect_true("the next one", a.answered);
    rig_close(&r);
  }
}

typedef struct {
  rig *r;
  bb_config *config;
} scarce;

static int probe_once(void *user) {
  scarce *s = user;
  probe_asked a;
  int err = probe_ask_for(s->r, &a, probe_wish(bb_config_ref(s->config), PROBE_SLOW));
  if (err == 0) rig_until(s->r, a.n_done > 0);
  rig_until(s->r, bb_list_empty(&s->r->runtime.probes));
  if (err == 0) err = a.status;
  expect_true("answered, or why not", (err == 0) == a.answered);
  if (err < 0)
    expect_text("out of memory", strstr(a.reason.text, "out of memory"), "out of memory");
  return err;
}

static void test_probe_without_memory(void **state) {
  (void)state;
  static const char *const texts[] = {PROBE_GUEST("port: 1"), PROBE_GUEST("port: 5")};
  for (int i = 0; i < 2; i++) {
    rig r;
    probe_rig_open(&r);
    scarce s = {&r, rig_config(texts[i])};
    failmalloc_each(probe_once, &s);
    expect_uint("guests left", probe_link(&r, "a")->n_stations, 1);
    bb_config_unref(s.config);
    rig_close(&r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_probe_ends_in_time),
      cmocka_unit_test(test_probe_refused),
      cmocka_unit_test(test_probe_goes_on_while_a_config_is_applied),
      cmocka_unit_test(test_probe_makes_way_for_a_config),
      cmocka_unit_test(test_probe_ends_with_the_runtime),
      cmocka_unit_test(test_probe_cancelled),
      cmocka_unit_test(test_probe_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
