/* SPDX-License-Identifier: Apache-2.0 */
/* Several units on one connection: what is theirs and what is the connection's. Pauses, intervals, a
 * connection that is closed after each poll, and what is told of a loss. */
#include <stdio.h>
#include <string.h>

#include "support/expect.h"
#include "support/free_port.h"
#include "support/modbus_rig.h"

#define UNITS 3
#define MS BB_NS_PER_MS

static const char two_blocks[] = "profile: 1\n"
                                 "id: x\n"
                                 "points:\n"
                                 "  - { name: a, type: uint16, holding: 100, write: true }\n"
                                 "  - { name: b, type: uint16, holding: 200 }\n";

/* Requests as they came. */
typedef struct {
  uint64_t at_ns;
  uint8_t unit;
  uint16_t address;
} seen;

typedef struct {
  modbus_rig rig; /* with unit 1 */
  driver_device more[UNITS - 1];
  driver_device *devices[UNITS];
  seen seen[64];
  unsigned n_seen;
  uint8_t silent; /* this unit */
} site;

static void note(modbus_peer *peer, const modbus_peer_request *request) {
  site *s = peer->user;
  if (s->n_seen < 64) {
    s->seen[s->n_seen++] = (seen){uv_hrtime(), request->unit, request->address};
  }
  if (request->unit != s->silent) modbus_peer_answer(peer, request);
}

static void open_site(site *s, const char *options, const char *profile) {
  memset(s, 0, sizeof(*s));
  s->rig.peer.on_request = note;
  s->rig.peer.port = free_port();
  s->rig.peer.user = s;
  modbus_rig_open(&s->rig, options, profile);
  s->devices[0] = &s->rig.device;
  for (int i = 0; i < UNITS - 1; i++) {
    char unit[32];
    snprintf(unit, sizeof(unit), "{unit: %d}", i + 2);
    expect_int(unit, driver_device_attach(&s->more[i], &s->rig.conn, "m", s->rig.profile, unit), 0);
    s->devices[i + 1] = &s->more[i];
  }
}

static void close_site(site *s) {
  for (int i = 0; i < UNITS - 1; i++) driver_device_detach(&s->more[i]);
  modbus_rig_close(&s->rig);
}

/* Polls all of them together. */
static void poll_all(site *s) {
  unsigned done[UNITS];
  for (int i = 0; i < UNITS; i++) {
    done[i] = s->devices[i]->scans[0].n_done;
    driver_device_start(s->devices[i], 0);
  }
  for (int i = 0; i < UNITS; i++) {
    driver_host_wait_count(&s->rig.host, "done", &s->devices[i]->scans[0].n_done, done[i] + 1);
  }
}

static void expect_all_good(const char *row, const site *s) {
  for (int i = 0; i < UNITS; i++) {
    expect_int(row, s->devices[i]->scans[0].status, 0);
    expect_double(row, driver_device_value(s->devices[i], "a"), 1100);
  }
}

static void expect_apart(const char *what, uint64_t from_ns, uint64_t to_ns, uint64_t least_ms) {
  char row[96];
  snprintf(row, sizeof(row), "%s: %.2f ms apart", what, (double)(to_ns - from_ns) / 1e6);
  expect_true(row, to_ns - from_ns + MS >= least_ms * MS);
}

/* A gateway that needs silence needs it whatever unit comes next. */
static void test_units_share_the_pause_between_requests(void **state) {
  (void)state;
  site s;
  open_site(&s, ", pause_between_requests: 20ms", two_blocks);
  poll_all(&s);
  expect_all_good("paused", &s);
  expect_uint("requests", s.n_seen, 2 * UNITS);
  for (unsigned i = 1; i < s.n_seen; i++) {
    expect_apart("pause", s.seen[i - 1].at_ns, s.seen[i].at_ns, 20);
  }
  close_site(&s);
}

/* Each unit has an interval of its own: the others do not wait for it. */
static void test_units_have_their_own_interval(void **state) {
  (void)state;
  site s;
  uint64_t last_ns[UNITS + 1] = {0};
  open_site(&s, ", min_interval: 200ms", two_blocks);
  uint64_t began_ns = uv_hrtime();
  poll_all(&s);
  char row[64];
  snprintf(row, sizeof(row), "first round in %.1f ms", (double)(uv_hrtime() - began_ns) / 1e6);
  expect_true(row, uv_hrtime() - began_ns < 200 * MS);
  poll_all(&s);
  expect_all_good("second round", &s);
  for (unsigned i = 0; i < s.n_seen; i++) {
    const seen *request = &s.seen[i];
    if (request->address != 100) continue;
    if (last_ns[request->unit] != 0) {
      expect_apart("polls of one unit", last_ns[request->unit], request->at_ns, 200);
    }
    last_ns[request->unit] = request->at_ns;
  }
  close_site(&s);
}

/* Polls that are due together share the connection; it ends when the last has what it wants. */
static void test_units_share_a_connection_that_is_closed_after_polls(void **state) {
  (void)state;
  site s;
  open_site(&s, ", close_after_poll: true, pause_between_requests: 5ms", two_blocks);
  for (unsigned round = 1; round <= 3; round++) {
    poll_all(&s);
    expect_all_good("round", &s);
    expect_uint("one connection a round", s.rig.peer.n_accepted, round);
    driver_host_run(&s.rig.host, 5);
    expect_uint("closed", s.rig.peer.n_open, 0);
  }
  expect_uint("no loss", s.rig.conn.n_down + s.rig.conn.conn->counters.disconnects, 0);
  expect_uint("requests", s.n_seen, 3 * 2 * UNITS);
  /* A command and what it reads back have one too. */
  expect_int("write", driver_device_write(s.devices[1], "a", 1100), BB_OUTCOME_CONFIRMED);
  expect_uint("connections", s.rig.peer.n_accepted, 4);
  close_site(&s);
}

/* It stays open while a poll waits for its interval, instead of being made twice. */
static void test_units_keep_the_connection_while_a_poll_waits(void **state) {
  (void)state;
  site s;
  open_site(&s, ", close_after_poll: true, min_interval: 60ms", two_blocks);
  poll_all(&s);
  expect_uint("connections", s.rig.peer.n_accepted, 1);
  driver_host_run(&s.rig.host, 5);
  poll_all(&s);
  expect_all_good("both", &s);
  expect_uint("connections", s.rig.peer.n_accepted, 2);
  close_site(&s);
}

/* With a unit that is silent the connection is closed all the same, and the others are served. */
static void test_units_silent_one_does_not_hold_the_connection(void **state) {
  (void)state;
  site s;
  open_site(&s, ", close_after_poll: true, timeout: 30ms", two_blocks);
  s.silent = 2;
  for (unsigned round = 1; round <= 3; round++) {
    poll_all(&s);
    expect_int("first", s.devices[0]->scans[0].status, 0);
    expect_int("silent", s.devices[1]->scans[0].status, BB_ERR_TIMEOUT);
    expect_int("third", s.devices[2]->scans[0].status, 0);
    driver_host_run(&s.rig.host, 5);
    expect_uint("closed", s.rig.peer.n_open, 0);
  }
  expect_true("lost alone", s.devices[0]->up && !s.devices[1]->up && s.devices[2]->up);
  close_site(&s);
}

/* The loss of the connection is told before that of the devices, in the same words; a device that
 * stays silent when the connection is back is told once more, with its own cause. */
static void test_units_loss_is_told_with_its_cause(void **state) {
  (void)state;
  site s;
  open_site(&s, ", timeout: 30ms", two_blocks);
  poll_all(&s);
  uint16_t port = s.rig.peer.port;
  modbus_peer_close(&s.rig.peer);
  driver_host_wait_count(&s.rig.host, "down", &s.rig.conn.n_down, 1);
  for (int i = 0; i < UNITS; i++) {
    expect_uint("lost with it", s.devices[i]->n_down, 1);
    expect_text("the same words", s.devices[i]->reason.text, s.rig.conn.reason.text);
  }
  s.silent = 2;
  driver_host_run(&s.rig.host, 1);
  s.rig.peer = (modbus_peer){.port = port, .on_request = note, .user = &s};
  modbus_peer_open(&s.rig.peer, &s.rig.host.loop);
  driver_host_wait_count(&s.rig.host, "up", &s.rig.conn.n_up, 2);
  for (int i = 0; i < 3; i++) poll_all(&s);
  expect_true("back", s.devices[0]->up && s.devices[2]->up);
  expect_uint("two of them", s.devices[0]->n_up + s.devices[2]->n_up, 4);
  expect_uint("another loss", s.devices[1]->n_down, 2);
  expect_part("its own words", s.devices[1]->reason.text, "no answer from 127.0.0.1:");
  /* The next loss of the connection is no news of it. */
  modbus_peer_close(&s.rig.peer);
  driver_host_wait_count(&s.rig.host, "down", &s.rig.conn.n_down, 2);
  expect_uint("told already", s.devices[1]->n_down, 2);
  expect_uint("news of the others", s.devices[0]->n_down + s.devices[2]->n_down, 4);
  close_site(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_units_share_the_pause_between_requests),
      cmocka_unit_test(test_units_have_their_own_interval),
      cmocka_unit_test(test_units_share_a_connection_that_is_closed_after_polls),
      cmocka_unit_test(test_units_keep_the_connection_while_a_poll_waits),
      cmocka_unit_test(test_units_silent_one_does_not_hold_the_connection),
      cmocka_unit_test(test_units_loss_is_told_with_its_cause),
  };
  return DRIVER_HOST_RUN_TWICE("modbus units", tests);
}
