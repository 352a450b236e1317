/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers modbus-tcp and modbus-rtu on the same profile: the same requests, the same results. */
#include <stdio.h>
#include <string.h>

#include "support/driver_host.h"
#include "support/expect.h"
#include "support/modbus_peer.h"
#include "support/modbus_server.h"
#include "support/profile.h"
#include "support/serial_line.h"

#include "base/err.h"
#include "drivers/modbus/modbus.h"
#include "model/quality.h"

#define GOOD BB_QUALITY_GOOD
#define REFUSED (BB_QUALITY_BAD | BB_CAUSE_REFUSED)
#define POLLS 12 /* more than it takes to find the places that are refused */

typedef struct {
  bool serial;
  serial_line line;
  driver_host host;
  driver_conn conn;
  driver_device device;
  bb_profile *profile;
} way;

static const char *const names[] = {"tcp", "rtu"};

static void open_way(way *w, uint16_t port, const char *settings, const char *profile) {
  char options[256];
  const bb_driver *driver = w->serial ? &bb_driver_modbus_rtu : &bb_driver_modbus_tcp;
  w->profile = profile_of(profile);
  if (w->serial) {
    snprintf(options, sizeof(options), "{path: %s, baud: 115200%s}", w->line.path, settings);
  } else {
    snprintf(options, sizeof(options), "{host: 127.0.0.1, port: %u%s}", port, settings);
  }
  expect_int("open", driver_conn_open(&w->conn, &w->host, driver, "c", options), 0);
  expect_int("attach", driver_device_attach(&w->device, &w->conn, "m", w->profile, "{}"), 0);
}

static void close_way(way *w) {
  driver_device_detach(&w->device);
  driver_conn_close(&w->conn);
}

static void free_way(way *w) {
  driver_host_close(&w->host);
  bb_profile_unref(w->profile);
  if (w->serial) serial_line_close(&w->line);
}

/* --- the same results --- */

/* The server has places up to 499 and refuses what touches others with exception 2. */
static const struct {
  const char *point, *keys;
  uint8_t quality;
  double value;
} points[] = {
    {"u16", "type: uint16, holding: 0", GOOD, 65535},
    {"i16", "type: int16, holding: 1", GOOD, -2},
    {"f32", "type: float32, holding: 2", GOOD, (double)230.1f},
    {"f32w", "type: float32, holding: 4, order: CDAB", GOOD, (double)230.1f},
    {"bit3", "type: bit, holding: 6, bit: 3", GOOD, 1},
    {"scaled", "type: int16, holding: 7, scale: 0.1", GOOD, 230.1},
    {"in", "type: uint32, input: 17", GOOD, 65538},
    {"coil9", "type: bit, coil: 9", GOOD, 1},
    {"disc5", "type: bit, discrete: 5", GOOD, 1},
    {"last", "type: uint16, holding: 498", GOOD, 77},
    {"beyond", "type: uint16, holding: 500", REFUSED, 0},
    {"across", "type: uint32, holding: 501", REFUSED, 0},
    {"far", "type: uint16, input: 9000", REFUSED, 0},
};

#define N_POINTS (sizeof(points) / sizeof(points[0]))

static const struct {
  char table;
  unsigned address;
  uint16_t value;
} places[] = {{'h', 0, 65535},  {'h', 1, 0xFFFE}, {'h', 2, 0x4366}, {'h', 3, 0x199A},
              {'h', 4, 0x199A}, {'h', 5, 0x4366}, {'h', 6, 0x0008}, {'h', 7, 2301},
              {'i', 17, 1},     {'i', 18, 2},     {'c', 9, 1},      {'d', 5, 1},
              {'h', 498, 77}};

/* What a poll brought. */
typedef struct {
  int status;
  uint64_t requests, refusals; /* until then */
  uint8_t quality[N_POINTS], code[N_POINTS];
  double value[N_POINTS];
} result;

static void note(const way *w, result *out) {
  const bb_conn_counters *counters = &w->conn.conn->counters;
  out->requests = counters->requests;
  out->refusals = counters->refusals;
  for (size_t i = 0; i < N_POINTS; i++) {
    out->quality[i] = driver_device_quality(&w->device, points[i].point);
    out->code[i] = driver_device_code(&w->device, points[i].point);
    bool has_value = bb_quality_has_value(out->quality[i]);
    out->value[i] = has_value ? driver_device_value(&w->device, points[i].point) : 0;
  }
}

static void run_way(bool serial, const char *profile, result results[POLLS]) {
  way w = {.serial = serial};
  modbus_server server;
  memset(&server, 0, sizeof(server));
  if (serial) {
    serial_line_open(&w.line);
    modbus_server_open_rtu(&server, w.line.far, 1);
  } else {
    modbus_server_open_tcp(&server);
  }
  for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    modbus_server_set(&server, places[i].table, places[i].address, places[i].value);
  }
  driver_host_init(&w.host);
  open_way(&w, server.port, ", timeout: 5s", profile);
  for (int i = 0; i < POLLS; i++) {
    results[i].status = driver_device_poll(&w.device, 0);
    note(&w, &results[i]);
  }
  close_way(&w);
  modbus_server_close(&server);
  free_way(&w);
}

static void expect_same(const result *tcp, const result *rtu, int poll) {
  char row[32];
  snprintf(row, sizeof(row), "poll %d", poll);
  expect_int(row, rtu->status, tcp->status);
  expect_uint(row, rtu->requests, tcp->requests);
  expect_uint(row, rtu->refusals, tcp->refusals);
  for (size_t i = 0; i < N_POINTS; i++) {
    expect_uint(points[i].point, rtu->quality[i], tcp->quality[i]);
    expect_uint(points[i].point, rtu->code[i], tcp->code[i]);
    expect_double(points[i].point, rtu->value[i], tcp->value[i]);
  }
}

static void test_both_read_the_same(void **state) {
  static result results[2][POLLS];
  char profile[2048];
  int len = snprintf(profile, sizeof(profile), "profile: 1\nid: x\npoints:\n");
  (void)state;
  for (size_t i = 0; i < N_POINTS; i++) {
    len += snprintf(profile + len, sizeof(profile) - (size_t)len, "  - { name: %s, %s }\n",
                    points[i].point, points[i].keys);
  }
  for (int i = 0; i < 2; i++) run_way(i == 1, profile, results[i]);
  for (int i = 0; i < POLLS; i++) expect_same(&results[0][i], &results[1][i], i);
  for (int n = 0; n < 2; n++) {
    const result *last = &results[n][POLLS - 1];
    expect_true("the places that are refused had to be found",
                results[n][0].refusals < last->refusals);
    expect_uint("and are left alone then", last->refusals, results[n][POLLS - 2].refusals);
    for (size_t i = 0; i < N_POINTS; i++) {
      char row[64];
      snprintf(row, sizeof(row), "%s: %s", names[n], points[i].point);
      expect_uint(row, last->quality[i], points[i].quality);
      expect_uint(row, last->code[i], points[i].quality == REFUSED ? 2 : 0);
      expect_double(row, last->value[i], points[i].value);
    }
  }
}

/* --- the pause between requests --- */

#define PAUSE_MS 40

typedef struct {
  uint64_t answered_ns;
  uint64_t least_ns; /* from an answer to the next request */
} pauses;

static void answer_and_note(modbus_peer *peer, const modbus_peer_request *request) {
  pauses *p = peer->user;
  uint64_t now = uv_hrtime();
  if (p->answered_ns > 0 && now - p->answered_ns < p->least_ns) p->least_ns = now - p->answered_ns;
  p->answered_ns = now;
  modbus_peer_answer(peer, request);
}

static void test_both_pause_between_requests(void **state) {
  static const char two_blocks[] = "profile: 1\n"
                                   "id: x\n"
                                   "points:\n"
                                   "  - { name: a, type: uint16, holding: 10 }\n"
                                   "  - { name: far, type: uint16, holding: 400 }\n";
  char settings[64];
  snprintf(settings, sizeof(settings), ", pause_between_requests: %dms", PAUSE_MS);
  (void)state;
  for (int serial = 0; serial < 2; serial++) {
    pauses p = {.least_ns = UINT64_MAX};
    way w = {.serial = serial == 1};
    modbus_peer peer = {.on_request = answer_and_note, .user = &p};
    driver_host_init(&w.host);
    if (w.serial) {
      serial_line_open(&w.line);
      modbus_peer_open_serial(&peer, &w.host.loop, w.line.far);
      w.line.far = -1;
    } else {
      modbus_peer_open(&peer, &w.host.loop);
    }
    open_way(&w, peer.port, settings, two_blocks);
    for (int i = 0; i < 3; i++) {
      expect_int(names[serial], driver_device_poll(&w.device, 0), 0);
      expect_double(names[serial], driver_device_value(&w.device, "far"), 1400);
    }
    expect_uint(names[serial], peer.n_requests, 6);
    expect_true(names[serial], p.least_ns >= PAUSE_MS * BB_NS_PER_MS);
    close_way(&w);
    modbus_peer_close(&peer);
    free_way(&w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_both_read_the_same),
      cmocka_unit_test(test_both_pause_between_requests),
  };
  return cmocka_run_group_tests_name("modbus both", tests, NULL, NULL);
}
