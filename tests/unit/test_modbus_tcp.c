/* SPDX-License-Identifier: Apache-2.0 */
/* The driver modbus-tcp against libmodbus: values of all tables and types, refusals, writes. */
/* tsan: yes */
#include <stdio.h>
#include <string.h>

#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/many_fds.h"
#include "support/modbus_meter.h"
#include "support/modbus_rig.h"

#include "base/err.h"
#include "drivers/modbus/modbus.h"
#include "model/quality.h"

#define GOOD BB_QUALITY_GOOD
#define REFUSED (BB_QUALITY_BAD | BB_CAUSE_REFUSED)

static const char all_tables[] = "profile: 1\n"
                                 "id: x\n"
                                 "points:\n"
                                 "  - { name: u16, type: uint16, holding: 0 }\n"
                                 "  - { name: i16, type: int16, holding: 1 }\n"
                                 "  - { name: f32, type: float32, holding: 2 }\n"
                                 "  - { name: f32w, type: float32, holding: 4, order: CDAB }\n"
                                 "  - { name: bit3, type: bit, holding: 6, bit: 3 }\n"
                                 "  - { name: bit4, type: bit, holding: 6, bit: 4, alias: true }\n"
                                 "  - { name: scaled, type: int16, holding: 7, scale: 0.1 }\n"
                                 "  - { name: sf, type: int16, holding: 9 }\n"
                                 "  - { name: sunspec, type: int16, holding: 8, scale_from: sf }\n"
                                 "  - { name: in, type: uint16, input: 17 }\n"
                                 "  - { name: coil0, type: bit, coil: 0 }\n"
                                 "  - { name: coil9, type: bit, coil: 9 }\n"
                                 "  - { name: coil10, type: bit, coil: 10 }\n"
                                 "  - { name: disc, type: bit, discrete: 5 }\n"
                                 "  - { name: far, type: uint32, input: 400 }\n";

static void test_tcp_reads_all_tables(void **state) {
  (void)state;
  modbus_meter f;
  modbus_meter_open(&f, "", all_tables);
  static const struct {
    char table;
    unsigned address;
    uint16_t value;
  } set[] = {{'h', 0, 65535},  {'h', 1, 0xFFFE}, {'h', 2, 0x4366}, {'h', 3, 0x199A},
             {'h', 4, 0x199A}, {'h', 5, 0x4366}, {'h', 6, 0x0008}, {'h', 7, 2301},
             {'h', 8, 1234},   {'h', 9, 0xFFFE}, {'i', 17, 4711},  {'c', 0, 1},
             {'c', 9, 1},      {'d', 5, 1},      {'i', 400, 1},    {'i', 401, 2}};
  for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
    modbus_server_set(&f.server, set[i].table, set[i].address, set[i].value);
  }
  expect_int("status", driver_device_poll(&f.device, 0), 0);
  /* 0x4366199A is 230.1 in float32. */
  static const struct {
    const char *point;
    double value;
  } rows[] = {{"u16", 65535},
              {"i16", -2},
              {"f32", (double)230.1f},
              {"f32w", (double)230.1f},
              {"bit3", 1},
              {"bit4", 0},
              {"scaled", 230.1},
              {"sf", -2},
              {"sunspec", 12.34},
              {"in", 4711},
              {"coil0", 1},
              {"coil9", 1},
              {"coil10", 0},
              {"disc", 1},
              {"far", 65538}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_uint(rows[i].point, driver_device_quality(&f.device, rows[i].point), GOOD);
    expect_double(rows[i].point, driver_device_value(&f.device, rows[i].point), rows[i].value);
  }
  /* One read each of coils and discrete inputs, two of input registers, one of holding ones. */
  expect_uint("requests", f.conn.conn->counters.requests, 5);
  expect_uint("answers", f.conn.conn->counters.answers, 5);
  expect_uint("latencies", f.host.latency.count, 5);
  expect_uint("batches", f.device.scans[0].n_batches, 1);
  expect_true("up", f.conn.up && f.device.up);
  expect_uint("told of the first answer", f.device.n_up, 1);
  modbus_meter_close(&f);
}

static void test_tcp_keeps_raw_bytes_for_a_probe(void **state) {
  (void)state;
  modbus_meter f;
  modbus_meter_open(&f, "", all_tables);
  modbus_server_set(&f.server, 'h', 2, 0x4366);
  modbus_server_set(&f.server, 'h', 3, 0x199A);
  driver_device_poll(&f.device, 0);
  static const uint8_t expected[BB_DRAFT_RAW] = {0x43, 0x66, 0x19, 0x9A};
  int place = bb_shape_find(f.device.scans[0].shape, "f32");
  expect_bytes("raw", f.device.scans[0].raw + place * BB_DRAFT_RAW, BB_DRAFT_RAW, expected,
               BB_DRAFT_RAW);
  modbus_meter_close(&f);
}

/* libmodbus refuses what passes its 500 places: the plan finds out, one probe a poll. */
static void test_tcp_finds_refused_points(void **state) {
  (void)state;
  modbus_meter f;
  modbus_meter_open(&f, "",
                    "profile: 1\n"
                    "id: x\n"
                    "points:\n"
                    "  - { name: a, type: uint16, holding: 496 }\n"
                    "  - { name: b, type: uint16, holding: 497 }\n"
                    "  - { name: c, type: uint16, holding: 499 }\n"
                    "  - { name: d, type: uint16, holding: 500 }\n");
  modbus_server_set(&f.server, 'h', 499, 7);
  expect_int("refused is an answer", driver_device_poll(&f.device, 0), 0);
  expect_uint("all refused at first", driver_device_quality(&f.device, "a"), REFUSED);
  expect_uint("its code", driver_device_code(&f.device, "a"), 2);
  expect_true("has codes", f.device.scans[0].draft.has_codes);
  for (int i = 0; i < 8; i++) driver_device_poll(&f.device, 0);
  expect_uint("a", driver_device_quality(&f.device, "a"), GOOD);
  expect_uint("b", driver_device_quality(&f.device, "b"), GOOD);
  expect_uint("c", driver_device_quality(&f.device, "c"), GOOD);
  expect_double("c", driver_device_value(&f.device, "c"), 7);
  expect_uint("d", driver_device_quality(&f.device, "d"), REFUSED);
  expect_uint("its code", driver_device_code(&f.device, "d"), 2);
  uint64_t refusals = f.conn.conn->counters.refusals;
  for (int i = 0; i < 5; i++) driver_device_poll(&f.device, 0);
  expect_uint("not asked for any more", f.conn.conn->counters.refusals, refusals);
  modbus_meter_close(&f);
}

static void test_tcp_scans_do_not_wait_for_each_other(void **state) {
  (void)state;
  modbus_meter f;
  modbus_meter_open(&f, ", max_in_flight: 4",
                    "profile: 1\n"
                    "id: x\n"
                    "points:\n"
                    "  - { name: a, type: uint16, holding: 1 }\n"
                    "  - { name: b, type: uint16, holding: 100 }\n"
                    "  - { name: c, type: uint16, holding: 200 }\n"
                    "  - { name: d, type: uint16, holding: 300 }\n"
                    "  - { name: e, type: uint16, holding: 400 }\n"
                    "  - { name: f, type: uint16, holding: 1, scan: slow, alias: true }\n");
  modbus_server_set(&f.server, 'h', 1, 11);
  driver_device_start(&f.device, 0);
  driver_device_start(&f.device, 1);
  driver_host_wait_count(&f.host, "fast", &f.device.scans[0].n_done, 1);
  driver_host_wait_count(&f.host, "slow", &f.device.scans[1].n_done, 1);
  expect_double("a", driver_device_value(&f.device, "a"), 11);
  expect_double("f", driver_device_value(&f.device, "f"), 11);
  expect_uint("requests", f.conn.conn->counters.requests, 6);
  modbus_meter_close(&f);
}

static void test_tcp_polls_again_from_inside_a_callback(void **state) {
  (void)state;
  modbus_meter f;
  modbus_meter_open(&f, "", all_tables);
  f.device.scans[0].again = true;
  driver_device_start(&f.device, 0);
  driver_host_wait_count(&f.host, "polls", &f.device.scans[0].n_done, 30);
  f.device.scans[0].again = false;
  driver_host_wait_count(&f.host, "batches", &f.device.scans[0].n_batches, 31);
  expect_uint("no time-outs", f.conn.conn->counters.timeouts, 0);
  modbus_meter_close(&f);
}

static void test_tcp_without_a_draft(void **state) {
  (void)state;
  modbus_meter f;
  modbus_meter_open(&f, "", all_tables);
  f.device.scans[0].refuse_draft = true;
  expect_int("status", driver_device_poll(&f.device, 0), BB_ERR_AGAIN);
  expect_uint("batches", f.device.scans[0].n_batches, 0);
  f.device.scans[0].refuse_draft = false;
  expect_int("status", driver_device_poll(&f.device, 0), 0);
  modbus_meter_close(&f);
}

static void test_tcp_close_after_poll(void **state) {
  (void)state;
  modbus_meter f;
  modbus_meter_open(&f, ", close_after_poll: true", all_tables);
  for (unsigned i = 1; i <= 3; i++) {
    expect_int("status", driver_device_poll(&f.device, 0), 0);
    expect_uint("connects", f.conn.conn->counters.connects, i);
  }
  expect_uint("never called down", f.conn.n_down, 0);
  expect_uint("no loss", f.conn.conn->counters.disconnects, 0);
  modbus_meter_close(&f);
}

/* Each allocation of open and attach fails once; nothing is left behind (ASan sees to that). */
static void test_tcp_without_memory(void **state) {
  (void)state;
  modbus_meter f;
  driver_conn conn;
  driver_device device;
  modbus_meter_open(&f, "", all_tables);
  char options[64];
  snprintf(options, sizeof(options), "{host: 127.0.0.1, port: %u}", f.server.port);
  int err = BB_ERR_NOMEM;
  size_t n = 0;
  while (err == BB_ERR_NOMEM) {
    f.host.fail_open = ++n;
    err = driver_conn_open(&conn, &f.host, &bb_driver_modbus_tcp, "d", options);
  }
  expect_int("open in the end", err, 0);
  expect_true("open allocates", n > 1);
  err = BB_ERR_NOMEM;
  n = 0;
  while (err == BB_ERR_NOMEM) {
    f.host.fail_attach = ++n;
    err = driver_device_attach(&device, &conn, "meter-2", f.profile, "{unit: 2}");
    /* Shrinking the list of blocks may fail without harm, and then all is well already. */
    if (err == 0 && f.host.allocations >= n) {
      driver_device_detach(&device);
      err = BB_ERR_NOMEM;
    }
  }
  expect_int("attach in the end", err, 0);
  expect_true("attach allocates", n > 5);
  expect_int("and works", driver_device_poll(&device, 0), 0);
  driver_device_detach(&device);
  driver_conn_close(&conn);
  modbus_meter_close(&f);
}

static void test_tcp_allocates_nothing_while_polling(void **state) {
  (void)state;
  modbus_meter f;
  modbus_meter_open(&f, "", all_tables);
  expect_int("first", driver_device_poll(&f.device, 0), 0);
  failmalloc_start(0);
  for (int i = 0; i < 20; i++) expect_int("poll", driver_device_poll(&f.device, 0), 0);
  expect_uint("allocations", failmalloc_stop(), 0);
  modbus_meter_close(&f);
}

/* The peer is a scripted one: libmodbus waits by select(), which ends there. */
static void test_tcp_beside_two_thousand_sockets(void **state) {
  (void)state;
  static many_fds many;
  many_fds_open(&many);
  modbus_rig rig = {.peer.mute = false};
  modbus_rig_open(&rig, ", close_after_poll: true", modbus_rig_profile);
  for (unsigned i = 1; i <= 3; i++) {
    expect_int("poll", driver_device_poll(&rig.device, 0), 0);
    expect_double("a", driver_device_value(&rig.device, "a"), 1010);
    expect_double("far", driver_device_value(&rig.device, "far"), 1100);
    expect_uint("a connection for each", rig.peer.n_accepted, i);
  }
  modbus_rig_close(&rig);
  many_fds_close(&many);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tcp_reads_all_tables),
      cmocka_unit_test(test_tcp_keeps_raw_bytes_for_a_probe),
      cmocka_unit_test(test_tcp_finds_refused_points),
      cmocka_unit_test(test_tcp_scans_do_not_wait_for_each_other),
      cmocka_unit_test(test_tcp_polls_again_from_inside_a_callback),
      cmocka_unit_test(test_tcp_without_a_draft),
      cmocka_unit_test(test_tcp_close_after_poll),
      cmocka_unit_test(test_tcp_without_memory),
      cmocka_unit_test(test_tcp_allocates_nothing_while_polling),
      cmocka_unit_test(test_tcp_beside_two_thousand_sockets),
  };
  return DRIVER_HOST_RUN_TWICE("modbus tcp", tests);
}
