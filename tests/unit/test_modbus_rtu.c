/* SPDX-License-Identifier: Apache-2.0 */
/* The driver modbus-rtu over a pseudo terminal: against a libmodbus server, and against a peer that
 * misbehaves as told. */
/* tsan: yes */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/driver_host.h"
#include "support/expect.h"
#include "support/many_fds.h"
#include "support/modbus_peer.h"
#include "support/modbus_server.h"
#include "support/profile.h"
#include "support/serial_line.h"

#include "base/err.h"
#include "drivers/modbus/modbus.h"
#include "io/low_fd.h"
#include "model/quality.h"

#define GOOD BB_QUALITY_GOOD
#define BAD(cause) (BB_QUALITY_BAD | BB_CAUSE_##cause)

static const char profile_text[] = "profile: 1\n"
                                   "id: x\n"
                                   "points:\n"
                                   "  - { name: a, type: uint16, holding: 100, write: true }\n"
                                   "  - { name: b, type: float32, holding: 101, order: CDAB }\n"
                                   "  - { name: c, type: bit, coil: 7, write: true }\n"
                                   "  - { name: i, type: int32, input: 200 }\n";

typedef struct {
  serial_line line;
  modbus_server server;
  modbus_peer peer;
  driver_host host;
  driver_conn conn;
  driver_device device;
  bb_profile *profile;
  bool scripted;
} fixture;

#define FAST "baud: 115200, timeout: 100ms"

static void open_driver(fixture *f, const char *settings, const char *profile) {
  char options[256];
  f->profile = profile_of(profile);
  snprintf(options, sizeof(options), "{path: %s, %s}", f->line.path, settings);
  expect_int("open", driver_conn_open(&f->conn, &f->host, &bb_driver_modbus_rtu, "bus-1", options),
             0);
  expect_int("attach", driver_device_attach(&f->device, &f->conn, "meter-1", f->profile, "{}"), 0);
}

static void open_served(fixture *f, const char *settings) {
  memset(f, 0, sizeof(*f));
  serial_line_open(&f->line);
  modbus_server_open_rtu(&f->server, f->line.far, 1);
  driver_host_init(&f->host);
  open_driver(f, settings, profile_text);
}

static void open_scripted(fixture *f, const char *settings, const char *profile) {
  serial_line_open(&f->line);
  driver_host_init(&f->host);
  modbus_peer_open_serial(&f->peer, &f->host.loop, f->line.far);
  f->line.far = -1;
  f->scripted = true;
  open_driver(f, settings, profile);
}

static void close_all(fixture *f) {
  driver_device_detach(&f->device);
  driver_conn_close(&f->conn);
  if (f->scripted) {
    modbus_peer_close(&f->peer);
  } else {
    modbus_server_close(&f->server);
  }
  driver_host_close(&f->host);
  bb_profile_unref(f->profile);
  serial_line_close(&f->line);
}

static void test_rtu_reads_and_writes(void **state) {
  (void)state;
  fixture f;
  open_served(&f, FAST);
  modbus_server_set(&f.server, 'h', 100, 4711);
  modbus_server_set(&f.server, 'h', 101, 0x199A); /* 230.1 */
  modbus_server_set(&f.server, 'h', 102, 0x4366);
  modbus_server_set(&f.server, 'c', 7, 1);
  modbus_server_set(&f.server, 'i', 200, 0xFFFF);
  modbus_server_set(&f.server, 'i', 201, 0xFFFE);
  for (int i = 0; i < 3; i++) {
    expect_int("status", driver_device_poll(&f.device, 0), 0);
    expect_double("a", driver_device_value(&f.device, "a"), 4711);
    expect_double("b", driver_device_value(&f.device, "b"), (double)230.1f);
    expect_double("c", driver_device_value(&f.device, "c"), 1);
    expect_double("i", driver_device_value(&f.device, "i"), -2);
  }
  expect_int("write", driver_device_write(&f.device, "a", 4712), BB_OUTCOME_CONFIRMED);
  expect_uint("written", modbus_server_get(&f.server, 'h', 100), 4712);
  expect_int("write", driver_device_write(&f.device, "c", 0), BB_OUTCOME_CONFIRMED);
  expect_uint("written", modbus_server_get(&f.server, 'c', 7), 0);
  expect_uint("requests", f.conn.conn->counters.requests, 13);
  expect_uint("time-outs", f.conn.conn->counters.timeouts, 0);
  expect_true("up", f.conn.up && f.conn.n_up == 1);
  close_all(&f);
}

static void test_rtu_refusals_become_qualities(void **state) {
  (void)state;
  fixture f;
  memset(&f, 0, sizeof(f));
  serial_line_open(&f.line);
  modbus_server_open_rtu(&f.server, f.line.far, 1);
  driver_host_init(&f.host);
  open_driver(&f, FAST,
              "profile: 1\n"
              "id: x\n"
              "points:\n"
              "  - { name: a, type: uint16, holding: 0 }\n"
              "  - { name: far, type: uint16, holding: 9000 }\n");
  expect_int("status", driver_device_poll(&f.device, 0), 0);
  expect_uint("a", driver_device_quality(&f.device, "a"), GOOD);
  expect_uint("far", driver_device_quality(&f.device, "far"), BAD(REFUSED));
  expect_uint("far", driver_device_code(&f.device, "far"), 2);
  close_all(&f);
}

static const char one_point[] = "profile: 1\n"
                                "id: x\n"
                                "points: [{ name: a, type: uint16, holding: 100 }]\n";

typedef enum { SILENT, LATE, SPOILT, OTHER_UNIT, OTHER_LENGTH, PIECES, NOISE_BEFORE } fault;

/* The first request gets the fault, the others are answered. */
static void misbehave(modbus_peer *peer, const modbus_peer_request *request) {
  uint8_t out[300];
  modbus_peer_request other = *request;
  size_t len = modbus_peer_build(peer, request, out);
  fault what = *(fault *)peer->user;
  if (peer->n_requests > 1) {
    modbus_peer_send(request->client, out, len);
    return;
  }
  switch (what) {
  case SILENT:
    break;
  case LATE: /* an answer that would fit the next request, but for its value */
    other.address = 5000;
    len = modbus_peer_build(peer, &other, out);
    modbus_peer_send_later(request->client, out, len, 130, 0);
    break;
  case SPOILT:
    out[3] ^= 0x10;
    modbus_peer_send(request->client, out, len);
    break;
  case OTHER_UNIT:
    other.unit = 9;
    other.address = 5000;
    modbus_peer_send(request->client, out, modbus_peer_build(peer, &other, out));
    modbus_peer_send_later(request->client, out, modbus_peer_build(peer, request, out), 20, 0);
    break;
  case OTHER_LENGTH:
    other.count = 2;
    modbus_peer_send(request->client, out, modbus_peer_build(peer, &other, out));
    modbus_peer_send_later(request->client, out, modbus_peer_build(peer, request, out), 20, 0);
    break;
  case PIECES:
    modbus_peer_send_later(request->client, out, len, 1, 2);
    break;
  case NOISE_BEFORE: /* arrives while nobody asks; thrown away before the next request */
    modbus_peer_send(request->client, out, len);
    modbus_peer_send_later(request->client, (const uint8_t *)"\xFF\x00\x81", 3, 15, 0);
    break;
  }
}

typedef struct {
  const char *name;
  fault what;
  int status;
  uint8_t quality;
  unsigned timeouts, malformed, discarded;
} fault_row;

static const fault_row faults[] = {
    {"silent", SILENT, BB_ERR_TIMEOUT, BAD(NO_ANSWER), 1, 0, 0},
    {"late", LATE, BB_ERR_TIMEOUT, BAD(NO_ANSWER), 1, 0, 0},
    {"spoilt", SPOILT, BB_ERR_FORMAT, BAD(FORMAT), 0, 1, 0},
    {"another unit's", OTHER_UNIT, 0, GOOD, 0, 0, 1},
    {"another length", OTHER_LENGTH, 0, GOOD, 0, 0, 1},
    {"in pieces", PIECES, 0, GOOD, 0, 0, 0},
    {"noise", NOISE_BEFORE, 0, GOOD, 0, 0, 0},
};

static void test_rtu_faults(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
    const fault_row *row = &faults[i];
    fault what = row->what;
    fixture f = {.peer = {.on_request = misbehave, .user = &what}};
    open_scripted(&f, FAST, one_point);
    expect_int(row->name, driver_device_poll(&f.device, 0), row->status);
    expect_uint(row->name, driver_device_quality(&f.device, "a"), row->quality);
    for (int again = 0; again < 3; again++) {
      expect_int(row->name, driver_device_poll(&f.device, 0), 0);
      expect_double(row->name, driver_device_value(&f.device, "a"), 1100);
      driver_host_run(&f.host, 30);
    }
    const bb_conn_counters *counters = &f.conn.conn->counters;
    expect_uint(row->name, counters->timeouts, row->timeouts);
    expect_uint(row->name, counters->malformed, row->malformed);
    expect_uint(row->name, counters->discarded, row->discarded);
    expect_uint("the port stayed open", counters->disconnects, 0);
    close_all(&f);
  }
}

static void answer_unit_two(modbus_peer *peer, const modbus_peer_request *request) {
  if (request->unit == 2) modbus_peer_answer(peer, request);
}

static void test_rtu_units_share_the_line(void **state) {
  (void)state;
  fixture f = {.peer.on_request = answer_unit_two};
  driver_device two;
  open_scripted(&f, FAST, one_point);
  driver_device_attach(&two, &f.conn, "two", f.profile, "{unit: 2}");
  for (int i = 0; i < 5; i++) {
    driver_device_start(&f.device, 0);
    expect_int("the live one", driver_device_poll(&two, 0), 0);
    driver_host_wait_count(&f.host, "the dead one", &f.device.scans[0].n_done, (unsigned)i + 1);
    expect_int("the dead one", f.device.scans[0].status, BB_ERR_TIMEOUT);
  }
  expect_true("known", !f.device.up && two.up);
  expect_part("words", f.device.reason.text, "no answer from /dev/");
  expect_uint("asked no more", f.conn.conn->counters.timeouts, 2);
  driver_device_detach(&two);
  close_all(&f);
}

static void spoil_unit_one(modbus_peer *peer, const modbus_peer_request *request) {
  uint8_t out[300];
  size_t len = modbus_peer_build(peer, request, out);
  if (request->unit == 1 && *(const bool *)peer->user) out[len - 1] ^= 1;
  modbus_peer_send(request->client, out, len);
}

/* A wrong CRC each time is no better than silence, and is told as what it is. */
static void test_rtu_spoilt_answers_lose_the_unit(void **state) {
  (void)state;
  bool spoils = true;
  fixture f = {.peer = {.on_request = spoil_unit_one, .user = &spoils}};
  driver_device two;
  open_scripted(&f, FAST, one_point);
  driver_device_attach(&two, &f.conn, "two", f.profile, "{unit: 2}");
  for (int i = 0; i < 2; i++) {
    expect_true("not yet", f.device.up);
    expect_int("spoilt", driver_device_poll(&f.device, 0), BB_ERR_FORMAT);
    expect_uint("quality", driver_device_quality(&f.device, "a"), BAD(FORMAT));
    expect_int("the other one", driver_device_poll(&two, 0), 0);
  }
  expect_true("lost alone", !f.device.up && two.up && f.conn.n_down == 0);
  expect_part("words", f.device.reason.text, "malformed answers from /dev/");
  expect_part("words", f.device.reason.text, " (unit 1); next try in ");
  expect_int("without the wire", driver_device_poll(&f.device, 0), BB_ERR_TIMEOUT);
  expect_uint("with the cause", driver_device_quality(&f.device, "a"), BAD(FORMAT));
  expect_uint("malformed", f.conn.conn->counters.malformed, 2);
  spoils = false;
  for (int i = 0; i < 500 && !f.device.up; i++) {
    driver_device_poll(&f.device, 0);
    driver_host_run(&f.host, 20);
  }
  expect_true("back by itself", f.device.up);
  expect_int("well", driver_device_poll(&f.device, 0), 0);
  driver_device_detach(&two);
  close_all(&f);
}

/* 3.5 characters of 10 bits at 1,200 baud are 29 ms. */
static uint64_t answered_ns, least_gap_ns;

static void note_gap(modbus_peer *peer, const modbus_peer_request *request) {
  uint64_t now = uv_hrtime();
  if (answered_ns != 0 && now - answered_ns < least_gap_ns) least_gap_ns = now - answered_ns;
  modbus_peer_answer(peer, request);
  answered_ns = uv_hrtime();
}

static void test_rtu_keeps_silence_between_frames(void **state) {
  (void)state;
  fixture f = {.peer.on_request = note_gap};
  answered_ns = 0;
  least_gap_ns = UINT64_MAX;
  open_scripted(&f, "baud: 1200, timeout: 1s", one_point);
  for (int i = 0; i < 4; i++) expect_int("poll", driver_device_poll(&f.device, 0), 0);
  char row[64];
  snprintf(row, sizeof(row), "least gap %.2f ms", (double)least_gap_ns / 1e6);
  expect_true(row, least_gap_ns >= 29 * BB_NS_PER_MS);
  close_all(&f);
}

static void test_rtu_unplugged(void **state) {
  (void)state;
  fixture f = {.peer.mute = false};
  open_scripted(&f, FAST, one_point);
  expect_int("before", driver_device_poll(&f.device, 0), 0);
  modbus_peer_drop_all(&f.peer, false);
  int status = 0;
  for (int i = 0; i < 20 && status == 0; i++) status = driver_device_poll(&f.device, 0);
  expect_int("unplugged", status, BB_ERR_CLOSED);
  expect_uint("quality", driver_device_quality(&f.device, "a"), BAD(NOT_CONNECTED));
  expect_true("down", !f.conn.up && !f.device.up);
  expect_part("words", f.conn.reason.text, " does not work any more: ");
  expect_part("words", f.conn.reason.text, "; next try in ");
  close_all(&f);
}

/* The port appears later, as a link that is put there. */
static void test_rtu_port_that_comes_later(void **state) {
  (void)state;
  fixture f = {.peer.mute = false};
  char folder[] = "/tmp/bb-rtu-XXXXXX", path[64], real[64];
  expect_true("folder", mkdtemp(folder) != NULL);
  serial_line_open(&f.line);
  memcpy(real, f.line.path, sizeof(real));
  snprintf(path, sizeof(path), "%s/port", folder);
  memcpy(f.line.path, path, sizeof(path));
  driver_host_init(&f.host);
  modbus_peer_open_serial(&f.peer, &f.host.loop, f.line.far);
  f.line.far = -1;
  f.scripted = true;
  open_driver(&f, FAST, one_point);
  driver_host_wait_count(&f.host, "down", &f.conn.n_down, 1);
  expect_part("words", f.conn.reason.text, "there is no /tmp/bb-rtu-");
  expect_part("words", f.conn.reason.text, "is the adapter plugged in?; next try in ");
  expect_int("poll", driver_device_poll(&f.device, 0), BB_ERR_CLOSED);
  expect_int("link", symlink(real, path), 0);
  driver_host_wait_count(&f.host, "up", &f.conn.n_up, 1);
  expect_int("poll", driver_device_poll(&f.device, 0), 0);
  close_all(&f);
  unlink(path);
  rmdir(folder);
}

static void test_rtu_without_permission(void **state) {
  (void)state;
  fixture f = {.peer.mute = false};
  char path[] = "/tmp/bb-rtu-XXXXXX";
  int fd = mkstemp(path);
  expect_true("file", fd >= 0 && fchmod(fd, 0) == 0);
  close(fd);
  /* Root may open anything. */
  uid_t self = geteuid();
  if (self == 0) expect_int("seteuid", seteuid(65534), 0);
  driver_host_init(&f.host);
  snprintf(f.line.path, sizeof(f.line.path), "%s", path);
  open_driver(&f, FAST, one_point);
  driver_host_wait_count(&f.host, "down", &f.conn.n_down, 1);
  expect_part("path", f.conn.reason.text, "no permission to open /tmp/bb-rtu-");
  expect_part("what to do", f.conn.reason.text, "; add this user to the group ");
  driver_device_detach(&f.device);
  driver_conn_close(&f.conn);
  driver_host_close(&f.host);
  bb_profile_unref(f.profile);
  if (self == 0) expect_int("seteuid", seteuid(self), 0);
  unlink(path);
}

static void test_rtu_what_is_no_serial_port(void **state) {
  (void)state;
  fixture f = {.peer.mute = false};
  driver_host_init(&f.host);
  snprintf(f.line.path, sizeof(f.line.path), "/dev/null");
  open_driver(&f, FAST, one_point);
  driver_host_wait_count(&f.host, "down", &f.conn.n_down, 1);
  expect_part("words", f.conn.reason.text, "/dev/null is no serial port");
  driver_device_detach(&f.device);
  driver_conn_close(&f.conn);
  driver_host_close(&f.host);
  bb_profile_unref(f.profile);
}

/* Closing does not wait for an answer that is ten seconds away. */
static void test_rtu_closes_while_waiting(void **state) {
  (void)state;
  fixture f = {.peer.mute = true};
  open_scripted(&f, "baud: 115200, timeout: 10s", one_point);
  driver_device_start(&f.device, 0);
  driver_host_wait_count(&f.host, "asked", &f.peer.n_requests, 1);
  uint64_t before = uv_hrtime();
  close_all(&f);
  expect_true("within a second", uv_hrtime() - before < BB_NS_PER_S);
}

/* libmodbus ends the process if it has to wait for a descriptor of 1,024 or more. */
static void test_rtu_beside_two_thousand_sockets(void **state) {
  (void)state;
  static many_fds many;
  fixture f;
  expect_int("reserve", bb_low_fd_reserve(1), 1);
  many_fds_open(&many);
  for (int i = 0; i < 2; i++) {
    f = (fixture){.peer.mute = false};
    open_scripted(&f, FAST, one_point);
    expect_int("poll", driver_device_poll(&f.device, 0), 0);
    expect_double("a", driver_device_value(&f.device, "a"), 1100);
    /* There is one reserved number, so a second line has to do without. */
    serial_line other;
    driver_conn conn;
    char options[128];
    serial_line_open(&other);
    snprintf(options, sizeof(options), "{path: %s}", other.path);
    driver_conn_open(&conn, &f.host, &bb_driver_modbus_rtu, "bus-2", options);
    driver_host_wait_count(&f.host, "down", &conn.n_down, 1);
    expect_part("words", conn.reason.text, "no descriptor below 1024 is left");
    driver_conn_close(&conn);
    serial_line_close(&other);
    close_all(&f);
  }
  many_fds_close(&many);
}

static void test_rtu_without_memory(void **state) {
  (void)state;
  fixture f = {.peer.mute = false};
  driver_conn conn;
  open_scripted(&f, FAST, one_point);
  int err = BB_ERR_NOMEM;
  size_t n = 0;
  while (err == BB_ERR_NOMEM) {
    f.host.fail_open = ++n;
    err = driver_conn_open(&conn, &f.host, &bb_driver_modbus_rtu, "d", "{path: /dev/null}");
  }
  expect_int("open in the end", err, 0);
  expect_true("open allocates", n > 1);
  driver_conn_close(&conn);
  close_all(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rtu_reads_and_writes),
      cmocka_unit_test(test_rtu_refusals_become_qualities),
      cmocka_unit_test(test_rtu_faults),
      cmocka_unit_test(test_rtu_units_share_the_line),
      cmocka_unit_test(test_rtu_spoilt_answers_lose_the_unit),
      cmocka_unit_test(test_rtu_keeps_silence_between_frames),
      cmocka_unit_test(test_rtu_unplugged),
      cmocka_unit_test(test_rtu_port_that_comes_later),
      cmocka_unit_test(test_rtu_without_permission),
      cmocka_unit_test(test_rtu_what_is_no_serial_port),
      cmocka_unit_test(test_rtu_closes_while_waiting),
      cmocka_unit_test(test_rtu_beside_two_thousand_sockets),
      cmocka_unit_test(test_rtu_without_memory),
  };
  return cmocka_run_group_tests_name("modbus rtu", tests, NULL, NULL);
}
