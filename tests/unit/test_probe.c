/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that are read once beside what runs: through a running connection, and by one of their own. */
#include "runtime/probe.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/runtime_rig.h"

#define BUS "sinks:\n  - { id: bus, session: {} }\n"
#define PLANT RIG_CONNECTIONS RIG_DEVICES BUS
#define GUEST(options)                                                                             \
  "busbar: 1\nconnections:\n  - { id: x, cyclic: { " options                                       \
  " } }\ndevices:\n" RIG_DEVICE("meter-9", "x")
#define FAST 1u /* bits of the scans */
#define SLOW 2u

/* A probe as its end told of it. */
typedef struct asked {
  bb_runtime_probe *probe; /* until its end */
  fake_device *device;
  unsigned n_done;
  int status;
  bool answered, other_options;
  char through[BB_MAX_ID + 1];
  bb_reason reason;
  bool fresh[2], has_batch[2];
  double value[2]; /* of the first point of each scan */
  uint8_t raw[2];  /* its first byte */
} asked;

static void on_done(bb_runtime_probe *probe) {
  asked *a = probe->wish.user;
  a->n_done++;
  a->probe = NULL;
  a->device = NULL;
  a->status = probe->status;
  a->answered = probe->answered;
  a->other_options = probe->other_options;
  a->reason = probe->reason;
  memcpy(a->through, probe->through, sizeof(a->through));
  for (uint32_t i = 0; i < probe->n_scans; i++) {
    const bb_runtime_probe_scan *scan = &probe->scans[i];
    a->fresh[i] = scan->fresh;
    a->has_batch[i] = scan->has_batch;
    if (!scan->has_batch) continue;
    a->value[i] = bb_value_double(bb_batch_value(&scan->batch, 0));
    a->raw[i] = scan->raw[0];
  }
}

static bb_runtime_probe_wish wish_for(bb_config *config, uint32_t scans) {
  return (bb_runtime_probe_wish){.config = config, .device = &config->devices[0], .scans = scans};
}

static int ask_for(rig *r, asked *a, bb_runtime_probe_wish wish) {
  memset(a, 0, sizeof(*a));
  wish.user = a;
  wish.on_done = on_done;
  int err = bb_runtime_probe_start(&r->runtime, &wish, &a->probe, &a->reason);
  if (err == 0) a->device = (fake_device *)a->probe->attachment;
  return err;
}

static int ask(rig *r, asked *a, const char *text, uint32_t scans) {
  return ask_for(r, a, wish_for(rig_config(text), scans));
}

static void ask_well(rig *r, asked *a, const char *text, uint32_t scans) {
  expect_int(text, ask(r, a, text, scans), 0);
  expect_uint("nothing inside", a->n_done, 0);
  a->device->value = 42;
}

static void wait_done(rig *r, const asked *a) {
  rig_until(r, a->n_done > 0);
  rig_turn(r);
  expect_uint("told once", a->n_done, 1);
}

/* The journal is of the probe alone from here on. */
static void open_plant(rig *r) {
  rig_open(r);
  rig_apply(r, PLANT);
  bb_runtime_pause(&r->runtime, true);
  rig_turn(r);
  journal_clear();
}

static bb_link *link_of(const rig *r, const char *id) {
  bb_link *link = bb_map_get(&r->runtime.links, id);
  expect_true(id, link != NULL);
  return link;
}

static unsigned n_told;

static void on_station(bb_watch *watch, const bb_station *station, bool gone) {
  (void)watch;
  (void)station;
  (void)gone;
  n_told++;
}

static void on_batch(bb_watch *watch, const bb_station_scan *scan, const bb_batch *batch) {
  (void)watch;
  (void)scan;
  (void)batch;
  n_told++;
}

static void on_shape(bb_watch *watch, const bb_station_scan *scan) {
  (void)watch;
  (void)scan;
  n_told++;
}

static void test_probe_goes_through_the_running_connection(void **state) {
  (void)state;
  rig r;
  asked a;
  open_plant(&r);
  bb_watch watch = {.on_batch = on_batch, .on_shape = on_shape, .on_station = on_station};
  bb_runtime_watch(&r.runtime, &watch);
  n_told = 0;
  const bb_conn *conn = link_of(&r, "a")->conn;
  uint64_t seq = r.runtime.seq;
  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  expect_true("on the connection that runs", a.device->base.conn == conn);
  expect_uint("its guest", link_of(&r, "a")->n_stations, 2);
  wait_done(&r, &a);
  expect_int("status", a.status, 0);
  expect_true("answered", a.answered && a.fresh[0]);
  expect_double("value", a.value[0], 42);
  expect_uint("raw", a.raw[0], 1);
  expect_text("through", a.through, "a");
  expect_true("same options", !a.other_options);
  expect_text("no reason", a.reason.text, "");
  expect_order("meter-9 attach", "meter-9 poll slow", "meter-9 detach");
  expect_uint("no connection", journal_count("x open") + journal_count("a close"), 0);
  expect_uint("no sink knows", journal_count("bus *"), 0);
  expect_uint("no watch knows", n_told, 0);
  expect_uint("no batch of the runtime", r.runtime.seq, seq);
  expect_uint("no guest any more", link_of(&r, "a")->n_stations, 1);
  expect_true("no device", bb_runtime_station(&r.runtime, "meter-9") == NULL);
  expect_true("no trace", bb_list_empty(&r.runtime.probes));
  bb_runtime_unwatch(&watch);
  rig_close(&r);
}

static void test_probe_says_that_other_options_hold(void **state) {
  (void)state;
  rig r;
  asked a;
  open_plant(&r);
  ask_well(&r, &a, GUEST("port: 1, fails: true"), SLOW);
  wait_done(&r, &a);
  expect_true("answered", a.answered);
  expect_true("other options", a.other_options);
  rig_close(&r);
}

static void test_probe_opens_and_closes_its_own_connection(void **state) {
  (void)state;
  rig r;
  asked a;
  open_plant(&r);
  ask_well(&r, &a, GUEST("port: 5"), SLOW);
  wait_done(&r, &a);
  expect_true("answered", a.status == 0 && a.answered);
  expect_text("through none", a.through, "");
  expect_order("x open", "meter-9 attach", "meter-9 poll slow", "meter-9 detach", "x close");
  expect_true("no connection", bb_map_get(&r.runtime.links, "x") == NULL);
  rig_close(&r);
  rig_open(&r); /* before anything was applied */
  ask_well(&r, &a, GUEST("port: 5"), SLOW);
  wait_done(&r, &a);
  expect_double("value", a.value[0], 42);
  rig_close(&r);
}

static void test_probe_waits_for_what_the_device_pushes(void **state) {
  (void)state;
  rig r;
  asked a;
  open_plant(&r);
  ask_well(&r, &a, GUEST("port: 1"), FAST | SLOW);
  rig_turn(&r);
  expect_uint("in order", journal_count("meter-9 poll slow"), 0);
  expect_true("pushed", fake_device_push(a.device, 0, 7));
  wait_done(&r, &a);
  expect_true("both", a.fresh[0] && a.fresh[1]);
  expect_double("pushed", a.value[0], 7);
  expect_double("polled", a.value[1], 7);
  rig_close(&r);
}

static void test_probe_follows_a_layout_that_changes(void **state) {
  (void)state;
  rig r;
  asked a;
  open_plant(&r);
  ask_well(&r, &a, GUEST("port: 1"), FAST);
  rig_turn(&r);
  fake_device_layout(a.device, 0, 2);
  expect_true("pushed", fake_device_push(a.device, 0, 8));
  wait_done(&r, &a);
  expect_double("value", a.value[0], 8);
  rig_close(&r);
}

static void test_probe_tells_why_nothing_came(void **state) {
  (void)state;
  rig r;
  asked a;
  open_plant(&r);
  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  a.device->poll_status = BB_ERR_TIMEOUT;
  wait_done(&r, &a);
  expect_true("an answer all the same", a.status == 0 && !a.answered && !a.fresh[0]);
  expect_int("code", a.reason.code, BB_ERR_TIMEOUT);
  expect_text("words", a.reason.text, "no answer in time");

  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  a.device->poll_status = BB_ERR_TIMEOUT;
  fake_device_state(a.device, false, "no answer from 10.0.0.21 (unit 3)");
  wait_done(&r, &a);
  expect_text("the driver's", a.reason.text, "no answer from 10.0.0.21 (unit 3)");

  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  fake_device_state(a.device, false, "half of it is not reached");
  wait_done(&r, &a);
  expect_true("answered", a.answered && a.fresh[0]);
  expect_text("what it told last", a.reason.text, "half of it is not reached");

  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  fake_device_state(a.device, false, "no answer");
  fake_device_state(a.device, true, NULL);
  wait_done(&r, &a);
  expect_text("it is back", a.reason.text, "");

  fake_conn_state((fake_conn *)link_of(&r, "a")->conn, false, "a is down; next try in 4 s");
  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  a.device->poll_status = BB_ERR_CLOSED;
  wait_done(&r, &a);
  expect_text("the connection's", a.reason.text, "a is down; next try in 4 s");

  ask_well(&r, &a, GUEST("port: 5"), SLOW);
  a.device->holds_polls = true;
  rig_turn(&r);
  fake_conn_state((fake_conn *)a.device->base.conn, false, "no connection; next try in 4 s");
  a.device->poll_status = BB_ERR_CLOSED;
  fake_device_end_poll(a.device);
  wait_done(&r, &a);
  expect_text("its own is not tried again", a.reason.text, "no connection");
  rig_close(&r);
}

static void test_probe_ends_in_time(void **state) {
  (void)state;
  rig r;
  asked a;
  open_plant(&r);
  bb_runtime_probe_wish wish = wish_for(rig_config(GUEST("port: 1")), SLOW);
  wish.limit_ms = 20;
  expect_int("start", ask_for(&r, &a, wish), 0);
  a.device->holds_polls = true;
  wait_done(&r, &a);
  expect_true("nothing", a.status == 0 && !a.answered);
  expect_text("why", a.reason.text, "not all was read within 20 ms");
  expect_order("meter-9 poll slow", "meter-9 detach");
  rig_close(&r);
}

static void refuse_all(fake_device *device) {
  device->quality = BB_QUALITY_BAD | BB_CAUSE_REFUSED;
  device->code = 2;
}

static void test_probe_learns_as_long_as_something_is_new(void **state) {
  (void)state;
  rig r;
  asked a;
  open_plant(&r);
  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  refuse_all(a.device);
  wait_done(&r, &a);
  expect_uint("unasked", journal_count("meter-9 poll slow"), 1);
  expect_true("a refusal is an answer", a.answered && a.fresh[0]);

  journal_clear();
  bb_runtime_probe_wish wish = wish_for(rig_config(GUEST("port: 1")), SLOW);
  wish.learn = true;
  expect_int("start", ask_for(&r, &a, wish), 0);
  refuse_all(a.device);
  wait_done(&r, &a);
  expect_uint("polls", journal_count("meter-9 poll slow"), 1 + BB_RUNTIME_PROBE_STILL);
  expect_true("read", a.fresh[0] && a.has_batch[0]);

  journal_clear();
  wish = wish_for(rig_config(GUEST("port: 1")), SLOW);
  wish.learn = true;
  wish.limit_ms = 40;
  expect_int("start", ask_for(&r, &a, wish), 0);
  refuse_all(a.device);
  a.device->holds_polls = true;
  rig_until(&r, a.device->polling);
  fake_device_end_poll(a.device);
  rig_until(&r, a.device->polling);
  expect_true("a draft is out", bb_runtime_probe_host.take(&a.device->base, 0) != NULL);
  wait_done(&r, &a);
  expect_true("no half of a batch", !a.fresh[0] && !a.has_batch[0]);
  rig_close(&r);
}

static void test_probe_refused(void **state) {
  (void)state;
  rig r;
  asked a[BB_RUNTIME_PROBES + 1];
  static const char *const texts[] = {GUEST("port: 1"), GUEST("port: 2"), GUEST("port: 5"),
                                      GUEST("port: 6"), GUEST("port: 8")};
  open_plant(&r);
  for (int i = 0; i < BB_RUNTIME_PROBES; i++) {
    ask_well(&r, &a[i], texts[i], SLOW);
    a[i].device->holds_polls = true;
    expect_int("one a connection", ask(&r, &a[BB_RUNTIME_PROBES], texts[i], SLOW), BB_ERR_BUSY);
    expect_part(texts[i], a[BB_RUNTIME_PROBES].reason.text, "meter-9 on the same connection");
  }
  expect_int("too many", ask(&r, &a[BB_RUNTIME_PROBES], texts[4], SLOW), BB_ERR_BUSY);
  expect_part("too many", a[BB_RUNTIME_PROBES].reason.text, "4 devices");
  rig_turn(&r);
  for (int i = 0; i < BB_RUNTIME_PROBES; i++) {
    fake_device_end_poll(a[i].device);
    wait_done(&r, &a[i]);
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

  static const char fails[] = GUEST("port: 5, fails: true");
  expect_int("open fails", ask(&r, &a[0], fails, SLOW), UV_EACCES);
  expect_text("why", a[0].reason.text, "the connection cannot be opened: permission denied");
  static const char lost[] = "busbar: 1\nconnections:\n  - { id: x, cyclic: { port: 5 } }\n"
                             "devices:\n  - { id: meter-9, connection: x, fails: true, "
                             "profile: " RIG_PROFILE " }\n";
  expect_int("attach fails", ask(&r, &a[0], lost, SLOW), BB_ERR_NOMEM);
  rig_turn(&r);
  expect_order("x open", "x close");

  rig_apply_soon(&r, "busbar: 1\n"); /* devices are detached by the loop */
  expect_int("during an apply", ask(&r, &a[0], texts[2], SLOW), BB_ERR_AGAIN);
  expect_int("its connection closes", ask(&r, &a[0], texts[0], SLOW), BB_ERR_CLOSED);
  rig_end_runtime(&r);
  expect_int("after the end", ask(&r, &a[0], texts[2], SLOW), BB_ERR_CLOSED);
  folder_close(&r.folder);
}

static void test_probe_goes_on_while_a_config_is_applied(void **state) {
  (void)state;
  rig r;
  asked a, b;
  open_plant(&r);
  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  ask_well(&r, &b, GUEST("port: 5"), SLOW);
  a.device->holds_polls = b.device->holds_polls = true;
  rig_turn(&r);
  /* The device that it is a guest beside is another one then; the connection stays. */
  rig_apply(&r, RIG_CONNECTIONS "devices:\n" RIG_DEVICE("meter-7", "a"));
  expect_uint("none told", a.n_done + b.n_done, 0);
  expect_uint("both are there", link_of(&r, "a")->n_stations, 2);
  fake_device_end_poll(a.device);
  fake_device_end_poll(b.device);
  wait_done(&r, &a);
  wait_done(&r, &b);
  expect_true("answered", a.answered && b.answered);
  rig_close(&r);
}

static void test_probe_makes_way_for_a_config(void **state) {
  (void)state;
  rig r;
  asked a, b;
  open_plant(&r);
  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  ask_well(&r, &b, GUEST("port: 5"), SLOW);
  a.device->holds_polls = b.device->holds_polls = true;
  rig_turn(&r);
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
  asked a, b;
  open_plant(&r);
  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  ask_well(&r, &b, GUEST("port: 5"), SLOW);
  a.device->holds_polls = b.device->holds_polls = true;
  rig_turn(&r);
  rig_end_runtime(&r);
  expect_uint("both told", a.n_done + b.n_done, 2);
  expect_int("status", a.status, BB_ERR_CLOSED);
  expect_text("why", b.reason.text, "the runtime is stopping");
  expect_order("meter-9 detach", "a close");
  folder_close(&r.folder);

  open_plant(&r); /* and right after its start */
  ask_well(&r, &a, GUEST("port: 1"), SLOW);
  ask_well(&r, &b, GUEST("port: 5"), SLOW);
  rig_end_runtime(&r);
  expect_uint("both told", a.n_done + b.n_done, 2);
  folder_close(&r.folder);
}

static void test_probe_cancelled(void **state) {
  (void)state;
  static const char *const texts[] = {GUEST("port: 1"), GUEST("port: 5")};
  for (int i = 0; i < 4; i++) {
    rig r;
    asked a;
    open_plant(&r);
    ask_well(&r, &a, texts[i % 2], SLOW);
    a.device->holds_polls = true;
    if (i >= 2) rig_turn(&r); /* the poll is under way */
    bb_runtime_probe_cancel(a.probe);
    wait_done(&r, &a);
    expect_int(texts[i % 2], a.status, UV_ECANCELED);
    ask_well(&r, &a, texts[i % 2], SLOW);
    wait_done(&r, &a);
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
  asked a;
  int err = ask_for(s->r, &a, wish_for(bb_config_ref(s->config), SLOW));
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
  static const char *const texts[] = {GUEST("port: 1"), GUEST("port: 5")};
  for (int i = 0; i < 2; i++) {
    rig r;
    open_plant(&r);
    scarce s = {&r, rig_config(texts[i])};
    failmalloc_each(probe_once, &s);
    expect_uint("guests left", link_of(&r, "a")->n_stations, 1);
    bb_config_unref(s.config);
    rig_close(&r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_probe_goes_through_the_running_connection),
      cmocka_unit_test(test_probe_says_that_other_options_hold),
      cmocka_unit_test(test_probe_opens_and_closes_its_own_connection),
      cmocka_unit_test(test_probe_waits_for_what_the_device_pushes),
      cmocka_unit_test(test_probe_follows_a_layout_that_changes),
      cmocka_unit_test(test_probe_tells_why_nothing_came),
      cmocka_unit_test(test_probe_ends_in_time),
      cmocka_unit_test(test_probe_learns_as_long_as_something_is_new),
      cmocka_unit_test(test_probe_refused),
      cmocka_unit_test(test_probe_goes_on_while_a_config_is_applied),
      cmocka_unit_test(test_probe_makes_way_for_a_config),
      cmocka_unit_test(test_probe_ends_with_the_runtime),
      cmocka_unit_test(test_probe_cancelled),
      cmocka_unit_test(test_probe_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
