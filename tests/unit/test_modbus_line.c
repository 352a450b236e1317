/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is on a line: units, pipelining, pauses, and a serial line's frames over TCP. */
#include <stdio.h>
#include <string.h>

#include "support/expect.h"
#include "support/modbus_rig.h"

#define MS BB_NS_PER_MS

static uint64_t now_ns(const modbus_rig *rig) {
  return bb_clock_mono_ns(&rig->host.clock);
}

/* Keeps requests until there are so many, then answers all of them in one send, the last one first. */
typedef struct {
  modbus_peer_request kept[16];
  unsigned n, until;
} keeper;

static void keep(modbus_peer *peer, const modbus_peer_request *request) {
  keeper *k = peer->user;
  k->kept[k->n++] = *request;
  if (k->n < k->until) return;
  uint8_t all[1024];
  size_t len = 0;
  while (k->n > 0) len += modbus_peer_build(peer, &k->kept[--k->n], all + len);
  modbus_peer_send(request->client, all, len);
}

static const char four_blocks[] = "profile: 1\n"
                                  "id: x\n"
                                  "modbus: { max_in_flight: 4 }\n"
                                  "points:\n"
                                  "  - { name: a, type: uint16, holding: 100 }\n"
                                  "  - { name: b, type: uint16, holding: 200 }\n"
                                  "  - { name: c, type: uint16, holding: 300 }\n"
                                  "  - { name: d, type: uint16, holding: 400 }\n";

static void expect_four(const modbus_rig *rig) {
  static const char *const names[] = {"a", "b", "c", "d"};
  for (int i = 0; i < 4; i++) {
    expect_uint(names[i], driver_device_quality(&rig->device, names[i]), RIG_GOOD);
    expect_double(names[i], driver_device_value(&rig->device, names[i]), 1100 + 100 * i);
  }
}

static void test_line_pipelines_as_the_profile_allows(void **state) {
  (void)state;
  keeper k = {.until = 4};
  modbus_rig rig = {.peer = {.on_request = keep, .user = &k}};
  modbus_rig_open(&rig, "", four_blocks);
  expect_int("status", driver_device_poll(&rig.device, 0), 0);
  expect_four(&rig);
  modbus_rig_close(&rig);
}

static void test_line_keeps_to_the_limit(void **state) {
  (void)state;
  keeper k = {.until = 2};
  modbus_rig rig = {.peer = {.on_request = keep, .user = &k}};
  modbus_rig_open(&rig, ", max_in_flight: 3", four_blocks);
  driver_device_start(&rig.device, 0);
  k.until = 16;
  driver_host_run(&rig.host, 30);
  expect_uint("under way", k.n, 3);
  k.until = 4;
  modbus_peer_request last = k.kept[--k.n];
  modbus_peer_answer(&rig.peer, &last);
  driver_host_wait_count(&rig.host, "the fourth", &rig.peer.n_requests, 4);
  k.until = 0;
  while (k.n > 0) {
    last = k.kept[--k.n];
    modbus_peer_answer(&rig.peer, &last);
  }
  driver_host_wait_count(&rig.host, "done", &rig.device.scans[0].n_done, 1);
  expect_four(&rig);
  modbus_rig_close(&rig);
}

/* The order of units in which requests came. */
typedef struct {
  uint8_t units[256];
  unsigned n;
} order;

static void note(modbus_peer *peer, const modbus_peer_request *request) {
  order *o = peer->user;
  if (o->n < sizeof(o->units)) o->units[o->n++] = request->unit;
  modbus_peer_answer(peer, request);
}

static void test_line_is_fair_over_units(void **state) {
  (void)state;
  order o = {.n = 0};
  modbus_rig rig = {.peer = {.on_request = note, .user = &o}};
  driver_device two, three;
  modbus_rig_open(&rig, ", max_in_flight: 1", four_blocks);
  driver_device_attach(&two, &rig.conn, "two", rig.profile, "{unit: 2}");
  driver_device_attach(&three, &rig.conn, "three", rig.profile, "{unit: 3}");
  driver_device_start(&rig.device, 0);
  driver_device_start(&two, 0);
  driver_device_start(&three, 0);
  driver_host_wait_count(&rig.host, "done", &three.scans[0].n_done, 1);
  static const uint8_t expected[] = {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3};
  expect_bytes("order", o.units, o.n, expected, sizeof(expected));
  driver_device_detach(&two);
  driver_device_detach(&three);
  modbus_rig_close(&rig);
}

/* When requests came. */
typedef struct {
  uint64_t at[64];
  unsigned n;
} times;

static modbus_rig *timed;

static void note_time(modbus_peer *peer, const modbus_peer_request *request) {
  times *t = peer->user;
  if (t->n < 64) t->at[t->n++] = now_ns(timed);
  modbus_peer_answer(peer, request);
}

static void expect_apart(const char *row, const times *t, uint64_t least_ns) {
  for (unsigned i = 1; i < t->n; i++) {
    char text[96];
    uint64_t apart = t->at[i] - t->at[i - 1];
    snprintf(text, sizeof(text), "%s: request %u came after %.2f ms", row, i, (double)apart / 1e6);
    expect_true(text, apart + MS / 2 >= least_ns);
  }
}

static void test_line_pauses_between_requests(void **state) {
  (void)state;
  times t = {.n = 0};
  modbus_rig rig = {.peer = {.on_request = note_time, .user = &t}};
  timed = &rig;
  modbus_rig_open(&rig, ", max_in_flight: 1, pause_between_requests: 20ms", four_blocks);
  expect_int("poll", driver_device_poll(&rig.device, 0), 0);
  expect_int("poll", driver_device_poll(&rig.device, 0), 0);
  expect_uint("requests", t.n, 8);
  expect_apart("pause", &t, 20 * MS);
  modbus_rig_close(&rig);
}

static void test_line_pauses_after_connect(void **state) {
  (void)state;
  times t = {.n = 0};
  modbus_rig rig = {.peer = {.on_request = note_time, .user = &t}};
  timed = &rig;
  modbus_rig_open(&rig, ", pause_after_connect: 60ms", modbus_rig_profile);
  driver_host_wait_count(&rig.host, "up", &rig.conn.n_up, 1);
  uint64_t connected = now_ns(&rig);
  expect_int("poll", driver_device_poll(&rig.device, 0), 0);
  expect_true("60 ms later", t.at[0] - connected + MS >= 60 * MS);
  modbus_rig_close(&rig);
}

/* Two scans that are due together: the second poll waits, its own blocks do not. */
static void test_line_keeps_the_interval_between_polls(void **state) {
  (void)state;
  times t = {.n = 0};
  modbus_rig rig = {.peer = {.on_request = note_time, .user = &t}};
  timed = &rig;
  modbus_rig_open(&rig, "",
                  "profile: 1\n"
                  "id: x\n"
                  "modbus: { min_interval: 50ms }\n"
                  "points:\n"
                  "  - { name: a, type: uint16, holding: 100 }\n"
                  "  - { name: b, type: uint16, holding: 200 }\n"
                  "  - { name: c, type: uint16, holding: 300, scan: slow }\n");
  driver_device_start(&rig.device, 0);
  driver_device_start(&rig.device, 1);
  driver_host_wait_count(&rig.host, "slow", &rig.device.scans[1].n_done, 1);
  expect_uint("fast is done", rig.device.scans[0].n_done, 1);
  expect_uint("requests", t.n, 3);
  expect_true("blocks of one poll follow at once", t.at[1] - t.at[0] < 40 * MS);
  expect_true("the next poll waits", t.at[2] - t.at[0] + MS >= 50 * MS);
  modbus_rig_close(&rig);
}

static const char one_block[] = "profile: 1\n"
                                "id: x\n"
                                "points: [{ name: a, type: uint16, holding: 100 }]\n";

/* A device that comes when its unit is known to be dead is up until a probe has told otherwise. */
static void test_line_tells_a_device_that_comes_late(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = true};
  driver_device late;
  modbus_rig_open(&rig, ", timeout: 20ms", one_block);
  while (rig.device.up) driver_device_poll(&rig.device, 0);
  driver_device_attach(&late, &rig.conn, "late", rig.profile, "{}");
  expect_int("at once", driver_device_poll(&late, 0), BB_ERR_TIMEOUT);
  expect_true("not told yet", late.attachment->up);
  for (int i = 0; i < 100 && late.up; i++) {
    driver_device_poll(&late, 0);
    driver_host_run(&rig.host, 30);
  }
  expect_true("told", !late.up && late.n_down == 1 && rig.device.n_down == 1);
  driver_device_detach(&late);
  modbus_rig_close(&rig);
}

static void detach_itself(driver_device *device, uint32_t scan) {
  (void)scan;
  device->on_done = NULL;
  device->conn->conn->driver->detach(device->attachment);
  expect_true("not inside its own callback", !device->detached);
}

/* Whatever a callback calls, the line is in order: here a device leaves inside its own on_poll_done,
 * while others wait. */
static void test_line_lets_go_from_inside_a_callback(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  driver_device two, three;
  modbus_rig_open(&rig, "", four_blocks);
  driver_device_attach(&two, &rig.conn, "two", rig.profile, "{unit: 2}");
  driver_device_attach(&three, &rig.conn, "three", rig.profile, "{unit: 2}");
  two.on_done = detach_itself;
  driver_device_start(&rig.device, 0);
  driver_device_start(&two, 0);
  driver_device_start(&three, 0);
  driver_host_wait_flag(&rig.host, "detached", &two.detached);
  driver_host_wait_count(&rig.host, "others", &three.scans[0].n_done, 1);
  driver_host_wait_count(&rig.host, "others", &rig.device.scans[0].n_done, 1);
  expect_four(&rig);
  expect_four(&(modbus_rig){.device = three});
  driver_device_free(&two);
  driver_device_detach(&three);
  modbus_rig_close(&rig);
}

static void test_line_rtu_over_tcp(void **state) {
  (void)state;
  modbus_rig rig = {.peer.rtu = true};
  modbus_rig_open(&rig, ", framing: rtu, max_in_flight: 8", four_blocks);
  expect_int("status", driver_device_poll(&rig.device, 0), 0);
  expect_four(&rig);
  modbus_rig_close(&rig);
}

/* Answers the first request late, with values of its own; the next must not take them. */
static void late_once(modbus_peer *peer, const modbus_peer_request *request) {
  uint8_t out[300];
  if (peer->n_requests > 1) {
    modbus_peer_answer(peer, request);
    return;
  }
  modbus_peer_request other = *request;
  other.address = 5000;
  size_t len = modbus_peer_build(peer, &other, out);
  modbus_peer_send_later(request->client, out, len, *(uint32_t *)peer->user, 0);
}

static void test_line_rtu_over_tcp_throws_late_answers_away(void **state) {
  (void)state;
  static uint32_t delays_ms[] = {130, 170};
  for (size_t i = 0; i < 2; i++) {
    modbus_rig rig = {.peer = {.rtu = true, .on_request = late_once, .user = &delays_ms[i]}};
    driver_device two;
    modbus_rig_open(&rig, ", framing: rtu, timeout: 100ms", one_block);
    driver_device_attach(&two, &rig.conn, "two", rig.profile, "{unit: 2}");
    expect_int("late", driver_device_poll(&rig.device, 0), BB_ERR_TIMEOUT);
    /* Another unit goes on at once; the same one waits for the late answer to pass. */
    expect_int("another unit", driver_device_poll(&two, 0), 0);
    expect_double("its value", driver_device_value(&two, "a"), 1100);
    expect_int("the same unit", driver_device_poll(&rig.device, 0), 0);
    expect_double("its value", driver_device_value(&rig.device, "a"), 1100);
    driver_host_run(&rig.host, 100);
    expect_uint("discarded", rig.conn.conn->counters.discarded, 1);
    expect_int("and again", driver_device_poll(&rig.device, 0), 0);
    expect_double("its value", driver_device_value(&rig.device, "a"), 1100);
    driver_device_detach(&two);
    modbus_rig_close(&rig);
  }
}

static void spoil_once(modbus_peer *peer, const modbus_peer_request *request) {
  uint8_t out[300];
  size_t len = modbus_peer_build(peer, request, out);
  if (peer->n_requests == 1) out[len - 1] ^= 1;
  modbus_peer_send(request->client, out, len);
}

static void test_line_rtu_over_tcp_checks_the_crc(void **state) {
  (void)state;
  modbus_rig rig = {.peer = {.rtu = true, .on_request = spoil_once}};
  modbus_rig_open(&rig, ", framing: rtu, timeout: 50ms", one_block);
  expect_int("spoilt", driver_device_poll(&rig.device, 0), BB_ERR_FORMAT);
  expect_uint("quality", driver_device_quality(&rig.device, "a"), RIG_BAD(FORMAT));
  expect_uint("malformed", rig.conn.conn->counters.malformed, 1);
  expect_uint("no time-out", rig.conn.conn->counters.timeouts, 0);
  expect_int("then well", driver_device_poll(&rig.device, 0), 0);
  expect_uint("quality", driver_device_quality(&rig.device, "a"), RIG_GOOD);
  modbus_rig_close(&rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_line_pipelines_as_the_profile_allows),
      cmocka_unit_test(test_line_keeps_to_the_limit),
      cmocka_unit_test(test_line_is_fair_over_units),
      cmocka_unit_test(test_line_pauses_between_requests),
      cmocka_unit_test(test_line_pauses_after_connect),
      cmocka_unit_test(test_line_keeps_the_interval_between_polls),
      cmocka_unit_test(test_line_tells_a_device_that_comes_late),
      cmocka_unit_test(test_line_lets_go_from_inside_a_callback),
      cmocka_unit_test(test_line_rtu_over_tcp),
      cmocka_unit_test(test_line_rtu_over_tcp_throws_late_answers_away),
      cmocka_unit_test(test_line_rtu_over_tcp_checks_the_crc),
  };
  return DRIVER_HOST_RUN_TWICE("modbus line", tests);
}
