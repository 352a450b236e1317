/* SPDX-License-Identifier: Apache-2.0 */
/* Which answers wait for the beat, and what is seen of the peer meanwhile. The faults of the other tests
 * are run at the beat too, by themselves. */
#include <string.h>
#include <time.h>

#include "support/expect.h"
#include "support/modbus_rig.h"

#include "drivers/modbus/tcp.h"

#define GAP_MS (5 * BB_BEAT_MS) /* longer than what counts as one poll after the other */

static const char one_read[] = "profile: 1\n"
                               "id: x\n"
                               "points:\n"
                               "  - { name: a, type: uint16, holding: 10, write: true }\n";

static bb_modbus_tcp *tcp_of(const modbus_rig *rig) {
  return (bb_modbus_tcp *)rig->conn.conn;
}

static bool is_patient(const modbus_rig *rig) {
  return tcp_of(rig)->patient;
}

static const bb_conn_counters *counters(const modbus_rig *rig) {
  return &rig->conn.conn->counters;
}

static void open_rig(modbus_rig *rig, const char *options, const char *profile) {
  driver_host_has_beat = true;
  modbus_rig_open(rig, options, profile);
  rig->host.beat.always = false;
}

static void expect_good(const char *row, modbus_rig *rig) {
  expect_int(row, driver_device_poll(&rig->device, 0), 0);
  expect_double(row, driver_device_value(&rig->device, "a"), 1010);
}

static void poll_calmly(modbus_rig *rig, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    expect_good("calm", rig);
    driver_host_run(&rig->host, GAP_MS);
  }
}

static void open_patient(modbus_rig *rig, const char *options) {
  open_rig(rig, options, one_read);
  poll_calmly(rig, 3);
  expect_true("not before it has been calm for a while", !is_patient(rig));
  poll_calmly(rig, 9);
  expect_true("patient", is_patient(rig));
}

static void note_beat(driver_device *device, uint32_t scan) {
  (void)scan;
  *(bool *)device->user = device->conn->host->beat.beating;
}

static void test_modbus_beat_takes_the_answer(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_patient(&rig, ", timeout: 10s");
  bool beating = false;
  rig.device.user = &beating;
  rig.device.on_done = note_beat;
  for (int i = 0; i < 5; i++) {
    expect_good("poll", &rig);
    expect_true("taken by the beat", beating);
    driver_host_run(&rig.host, GAP_MS);
  }
  expect_uint("connections", rig.peer.n_accepted, 1);
  modbus_rig_close(&rig);
}

static void test_modbus_beat_of_rtu_over_tcp(void **state) {
  (void)state;
  modbus_rig rig = {.peer.rtu = true};
  open_patient(&rig, ", framing: rtu");
  expect_good("poll", &rig);
  modbus_rig_close(&rig);
}

static void test_modbus_beat_closed_while_idle(void **state) {
  (void)state;
  for (int hard = 0; hard < 2; hard++) {
    modbus_rig rig = {.peer.mute = false};
    open_patient(&rig, "");
    unsigned requests = rig.peer.n_requests;
    modbus_peer_drop_all(&rig.peer, hard);
    driver_host_wait_count(&rig.host, "seen without a poll", &rig.peer.n_accepted, 2);
    expect_good("on a new connection", &rig);
    expect_uint("requests", counters(&rig)->requests, requests + 1);
    expect_uint("disconnects", counters(&rig)->disconnects, 1);
    expect_uint("connections", rig.peer.n_accepted, 2);
    expect_true("which begins prompt", !is_patient(&rig));
    expect_uint("nobody was told", rig.conn.n_down + rig.device.n_down, 0);
    modbus_rig_close(&rig);
  }
}

static void drop(modbus_peer *peer, const modbus_peer_request *request) {
  modbus_peer_drop(request->client, *(bool *)peer->user);
}

static void test_modbus_beat_closed_while_waiting(void **state) {
  (void)state;
  for (int hard = 0; hard < 2; hard++) {
    bool reset = hard;
    modbus_rig rig = {.peer.user = &reset};
    open_patient(&rig, "");
    rig.peer.on_request = drop;
    expect_int("status", driver_device_poll(&rig.device, 0), BB_ERR_CLOSED);
    rig.peer.on_request = NULL;
    expect_good("at once again", &rig);
    expect_uint("connections", rig.peer.n_accepted, 2);
    modbus_rig_close(&rig);
  }
}

static void send_pieces(modbus_peer *peer, const modbus_peer_request *request) {
  uint8_t out[300];
  size_t len = modbus_peer_build(peer, request, out);
  modbus_peer_send_later(request->client, out, len, 15, 1);
}

static void test_modbus_beat_half_frames(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_patient(&rig, "");
  rig.peer.on_request = send_pieces;
  uint64_t beats = rig.host.beat.n_beats;
  expect_good("byte by byte", &rig);
  expect_true("over several beats", rig.host.beat.n_beats - beats >= 2);
  expect_true("still patient", is_patient(&rig));
  expect_uint("malformed", counters(&rig)->malformed, 0);
  modbus_rig_close(&rig);
}

static void sleep_ms(long ms) {
  nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* The loop was held up: time-out and answer come together. */
static void test_modbus_beat_answer_before_the_time_out(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_patient(&rig, ", timeout: 100ms");
  rig.peer.mute = true;
  driver_device_start(&rig.device, 0);
  driver_host_wait_count(&rig.host, "asked", &rig.peer.n_requests, 13);
  modbus_peer_answer(&rig.peer, &rig.peer.last);
  sleep_ms(150);
  driver_host_wait_count(&rig.host, "done", &rig.device.scans[0].n_done, 13);
  expect_int("status", rig.device.scans[0].status, 0);
  expect_uint("timeouts", counters(&rig)->timeouts, 0);
  modbus_rig_close(&rig);
}

static void test_modbus_beat_time_out(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_patient(&rig, ", timeout: 50ms");
  rig.peer.mute = true;
  expect_int("status", driver_device_poll(&rig.device, 0), BB_ERR_TIMEOUT);
  modbus_peer_answer(&rig.peer, &rig.peer.last);
  rig.peer.mute = false;
  driver_host_run(&rig.host, GAP_MS);
  expect_good("the late answer is not taken for this one", &rig);
  expect_uint("timeouts", counters(&rig)->timeouts, 1);
  expect_uint("discarded", counters(&rig)->discarded, 1);
  modbus_rig_close(&rig);
}

/* What a client waits for never waits for the beat. */

static void test_modbus_beat_a_write_ends_patience(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  bool beating = true;
  bb_command command = {.n = 0};
  open_patient(&rig, "");
  rig.peer.mute = true;
  driver_device_start(&rig.device, 0);
  driver_host_wait_count(&rig.host, "asked", &rig.peer.n_requests, 13);
  expect_true("waits for the beat", is_patient(&rig));
  rig.device.user = &beating;
  rig.device.on_done = note_beat;
  driver_command_add(&command, &rig.device, "a", (bb_value){.type = BB_TYPE_U16, .v = {.u = 1010}});
  expect_int("write", bb_driver_modbus_tcp.write(rig.device.attachment, &command), 0);
  expect_true("prompt at once", !is_patient(&rig));
  rig.peer.mute = false;
  modbus_peer_answer(&rig.peer, &rig.peer.last);
  driver_host_wait_count(&rig.host, "written", &rig.device.n_written, 1);
  expect_int("outcome", rig.device.outcome, BB_OUTCOME_CONFIRMED);
  expect_true("the read was taken without the beat", !beating);
  rig.device.on_done = NULL;
  poll_calmly(&rig, 9);
  expect_true("patient again", is_patient(&rig));
  driver_device_write(&rig.device, "a", 1010);
  expect_true("a write while nothing is under way", !is_patient(&rig));
  modbus_rig_close(&rig);
}

static void test_modbus_beat_a_client_does_not_wait(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_patient(&rig, "");
  rig.device.attachment->awaited = true;
  expect_good("awaited", &rig);
  expect_true("prompt", !is_patient(&rig));
  rig.device.attachment->awaited = false;
  poll_calmly(&rig, 9);
  expect_true("patient again", is_patient(&rig));
  rig.device.list[0].period_ms = 0;
  driver_host_run(&rig.host, GAP_MS);
  expect_good("on request", &rig);
  expect_true("prompt", !is_patient(&rig));
  rig.device.list[0].period_ms = 1000;
  poll_calmly(&rig, 9);
  expect_true("patient again", is_patient(&rig));
  driver_device guest;
  rig.host.apart = true;
  expect_int("guest", driver_device_attach(&guest, &rig.conn, "g", rig.profile, "{}"), 0);
  expect_int("its read", driver_device_poll(&guest, 0), 0);
  expect_true("prompt", !is_patient(&rig));
  driver_device_detach(&guest);
  modbus_rig_close(&rig);
}

/* Where beats would cost time, there are none. */

static void test_modbus_beat_not_for_polls_of_several_reads(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_rig(&rig, "", modbus_rig_profile);
  poll_calmly(&rig, 15);
  expect_true("prompt", !is_patient(&rig));
  expect_uint("no beats", rig.host.beat.n_beats, 0);
  modbus_rig_close(&rig);
}

static void test_modbus_beat_not_at_full_speed(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_patient(&rig, "");
  rig.device.scans[0].again = true;
  driver_device_start(&rig.device, 0);
  unsigned *done = &rig.device.scans[0].n_done;
  driver_host_wait_count(&rig.host, "some", done, *done + 3);
  uint64_t beats = rig.host.beat.n_beats;
  expect_true("prompt", !is_patient(&rig));
  driver_host_wait_count(&rig.host, "many", done, *done + 200);
  expect_true("stays so", !is_patient(&rig) && rig.host.beat.n_beats <= beats + 1);
  rig.device.scans[0].again = false;
  driver_host_run(&rig.host, 20);
  modbus_rig_close(&rig);
}

static void test_modbus_beat_one_disturbance_is_forgiven(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_patient(&rig, "");
  expect_good("first", &rig);
  expect_good("right behind it", &rig);
  expect_true("patient", is_patient(&rig));
  modbus_rig_close(&rig);
}

/* What comes unasked. */

static const uint8_t foreign[] = {0x77, 0x77, 0, 0, 0, 5, 1, 3, 2, 0, 42};

static void test_modbus_beat_foreign_bytes_while_idle(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_patient(&rig, "");
  modbus_peer_send(rig.peer.last.client, foreign, sizeof(foreign));
  driver_host_run(&rig.host, 20);
  expect_good("after an answer to nobody", &rig);
  expect_uint("discarded", counters(&rig)->discarded, 1);
  expect_true("patient", is_patient(&rig));
  uint8_t flood[100 * sizeof(foreign)];
  for (size_t i = 0; i < 100; i++) memcpy(flood + i * sizeof(foreign), foreign, sizeof(foreign));
  driver_host_run(&rig.host, GAP_MS);
  modbus_peer_send(rig.peer.last.client, flood, sizeof(flood));
  driver_host_run(&rig.host, 20);
  expect_good("after a flood", &rig);
  expect_uint("discarded", counters(&rig)->discarded, 101);
  driver_host_run(&rig.host, GAP_MS);
  poll_calmly(&rig, 8);
  expect_true("patient", is_patient(&rig));
  modbus_peer_send(rig.peer.last.client, (const uint8_t *)"HTTP/1.1 400\r\n", 14);
  driver_host_run(&rig.host, 20);
  expect_int("what is not Modbus", driver_device_poll(&rig.device, 0), BB_ERR_FORMAT);
  expect_good("anew", &rig);
  expect_uint("connections", rig.peer.n_accepted, 2);
  expect_uint("malformed", counters(&rig)->malformed, 1);
  modbus_rig_close(&rig);
}

static void test_modbus_beat_closed_by_us(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_patient(&rig, "");
  rig.peer.mute = true;
  driver_device_start(&rig.device, 0);
  driver_host_wait_count(&rig.host, "asked", &rig.peer.n_requests, 13);
  modbus_rig_close(&rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_modbus_beat_takes_the_answer),
      cmocka_unit_test(test_modbus_beat_of_rtu_over_tcp),
      cmocka_unit_test(test_modbus_beat_closed_while_idle),
      cmocka_unit_test(test_modbus_beat_closed_while_waiting),
      cmocka_unit_test(test_modbus_beat_half_frames),
      cmocka_unit_test(test_modbus_beat_answer_before_the_time_out),
      cmocka_unit_test(test_modbus_beat_time_out),
      cmocka_unit_test(test_modbus_beat_a_write_ends_patience),
      cmocka_unit_test(test_modbus_beat_a_client_does_not_wait),
      cmocka_unit_test(test_modbus_beat_not_for_polls_of_several_reads),
      cmocka_unit_test(test_modbus_beat_not_at_full_speed),
      cmocka_unit_test(test_modbus_beat_one_disturbance_is_forgiven),
      cmocka_unit_test(test_modbus_beat_foreign_bytes_while_idle),
      cmocka_unit_test(test_modbus_beat_closed_by_us),
  };
  return cmocka_run_group_tests_name("modbus beat", tests, NULL, NULL);
}
