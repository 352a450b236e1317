/* SPDX-License-Identifier: Apache-2.0 */
/* The Modbus drivers while memory is short: each allocation of opening, attaching and learning fails
 * once, and connecting needs none. What is left behind ASan tells. */
/* tsan: yes */
#include <stdio.h>
#include <string.h>

#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/modbus_rig.h"
#include "support/modbus_server.h"
#include "support/profile.h"
#include "support/serial_line.h"

#include "drivers/modbus/plan.h"

static const char four_blocks[] = "profile: 1\n"
                                  "id: x\n"
                                  "modbus: { max_in_flight: 4 }\n"
                                  "points:\n"
                                  "  - { name: a, type: uint16, holding: 100 }\n"
                                  "  - { name: b, type: uint16, holding: 200, scan: slow }\n"
                                  "  - { name: c, type: uint16, input: 300 }\n"
                                  "  - { name: d, type: bit, coil: 400, scan: energy }\n";

/* Attaches once for each allocation, which fails, and a last time with enough. Returns how often it
 * was refused. */
static size_t attach_each(driver_device *device, driver_conn *conn, bb_profile *profile) {
  size_t nth = 0, refused = 0;
  for (;;) {
    conn->host->fail_attach = ++nth;
    int err = driver_device_attach(device, conn, "meter-1", profile, "{}");
    if (err < 0) {
      expect_int("lack of memory", err, BB_ERR_NOMEM);
      refused++;
      continue;
    }
    if (conn->host->allocations < nth) break;
    /* Shrinking the list of blocks may fail without harm. */
    driver_device_detach(device);
  }
  conn->host->fail_attach = 0;
  return refused;
}

static size_t open_each(driver_conn *conn, driver_host *host, const bb_driver *driver,
                        const char *options) {
  size_t nth = 0;
  do {
    host->fail_open = ++nth;
  } while (driver_conn_open(conn, host, driver, "c", options) == BB_ERR_NOMEM);
  host->fail_open = 0;
  expect_true("it was enough in the end", host->allocations < nth);
  return nth - 1;
}

static void test_memory_open_and_attach_over_tcp(void **state) {
  (void)state;
  modbus_server server;
  driver_host host;
  driver_conn conn;
  driver_device device;
  char options[96];
  modbus_server_open_tcp(&server);
  driver_host_init(&host);
  bb_profile *profile = profile_of(four_blocks);
  snprintf(options, sizeof(options), "{host: localhost, port: %u}", server.port);
  /* The text of the address, and the room for one request. */
  expect_uint("open", open_each(&conn, &host, &bb_driver_modbus_tcp, options), 2);
  /* Three shapes of one and a half allocations at least, room for four requests, the unit, the list
   * of scans, and two for each plan. */
  expect_true("attach", attach_each(&device, &conn, profile) >= 12);
  for (uint32_t scan = 0; scan < 3; scan++) {
    expect_int("poll", driver_device_poll(&device, scan), 0);
  }
  driver_device_detach(&device);
  driver_conn_close(&conn);
  driver_host_close(&host);
  bb_profile_unref(profile);
  modbus_server_close(&server);
}

static void test_memory_open_and_attach_over_a_serial_line(void **state) {
  (void)state;
  serial_line line;
  modbus_server server;
  driver_host host;
  driver_conn conn;
  driver_device device;
  char options[128];
  serial_line_open(&line);
  modbus_server_open_rtu(&server, line.far, 1);
  driver_host_init(&host);
  bb_profile *profile = profile_of(four_blocks);
  snprintf(options, sizeof(options), "{path: %s, baud: 115200}", line.path);
  expect_true("open", open_each(&conn, &host, &bb_driver_modbus_rtu, options) >= 1);
  expect_true("attach", attach_each(&device, &conn, profile) >= 11);
  for (uint32_t scan = 0; scan < 3; scan++) {
    expect_int("poll", driver_device_poll(&device, scan), 0);
  }
  driver_device_detach(&device);
  driver_conn_close(&conn);
  driver_host_close(&host);
  bb_profile_unref(profile);
  modbus_server_close(&server);
  serial_line_close(&line);
}

/* A connection that is lost and made anew asks for no memory, so none can be lacking then. */
static void test_memory_connecting_needs_none(void **state) {
  (void)state;
  modbus_server server;
  driver_host host;
  driver_conn conn;
  driver_device device;
  char options[96];
  modbus_server_open_tcp(&server);
  driver_host_init(&host);
  bb_profile *profile = profile_of(four_blocks);
  snprintf(options, sizeof(options), "{host: localhost, port: %u, close_after_poll: true}",
           server.port);
  expect_int("open", driver_conn_open(&conn, &host, &bb_driver_modbus_tcp, "c", options), 0);
  expect_int("attach", driver_device_attach(&device, &conn, "meter-1", profile, "{}"), 0);
  expect_int("first", driver_device_poll(&device, 0), 0);
  uint64_t connects = conn.conn->counters.connects;
  failmalloc_start(0);
  for (int i = 0; i < 10; i++) expect_int("poll", driver_device_poll(&device, 0), 0);
  expect_uint("allocations", failmalloc_stop(), 0);
  expect_uint("a connection each", conn.conn->counters.connects, connects + 10);
  driver_device_detach(&device);
  driver_conn_close(&conn);
  driver_host_close(&host);
  bb_profile_unref(profile);
  modbus_server_close(&server);
}

static const char eight[] = "profile: 1\n"
                            "id: x\n"
                            "points:\n"
                            "  - { name: p0, type: uint16, holding: 0 }\n"
                            "  - { name: p1, type: uint32, holding: 1 }\n"
                            "  - { name: p2, type: uint16, holding: 3 }\n"
                            "  - { name: p3, type: uint16, holding: 8 }\n"
                            "  - { name: p4, type: uint16, holding: 9 }\n"
                            "  - { name: p5, type: uint16, holding: 40 }\n"
                            "  - { name: p6, type: uint16, holding: 41 }\n"
                            "  - { name: p7, type: uint16, input: 0 }\n";

/* The device refuses holding register 3, and reads of more than 4 registers. */
static uint8_t exception_for(const bb_modbus_block *block) {
  if (block->count > 4) return 3;
  bool has_three = block->address <= 3 && 3 < block->address + block->count;
  return block->space == BB_SPACE_HOLDING && has_three ? 2 : 0;
}

static unsigned poll(bb_modbus_plan *plan, uint64_t now_ns) {
  unsigned good = 0;
  bb_modbus_plan_begin(plan, now_ns);
  for (uint16_t i = 0; i < plan->n_blocks; i++) {
    if (!bb_modbus_plan_reads(plan, i)) continue;
    uint8_t exception = exception_for(&plan->blocks[i]);
    if (exception == 0) {
      bb_modbus_plan_accepted(plan, i);
      good += plan->blocks[i].n;
    } else {
      bb_modbus_plan_refused(plan, i, exception);
    }
  }
  bb_modbus_plan_learn(plan, now_ns);
  return good;
}

/* Makes the plan and learns; what memory was lacking for is learnt later. */
static int learn(void *user) {
  const bb_profile *profile = user;
  static const uint16_t places[] = {0, 1, 2, 3, 4, 5, 6, 7};
  bb_modbus_limits limits;
  bb_modbus_plan plan;
  unsigned good = 0;
  bb_modbus_limits_init(&limits, profile);
  if (bb_modbus_plan_init(&plan, profile, places, 8, &limits) == BB_ERR_NOMEM) return 0;
  for (unsigned n = 0; n < 30; n++) good = poll(&plan, n);
  expect_uint("points that are read", good, 7);
  bb_modbus_plan_close(&plan);
  return 0;
}

static void test_memory_plan_learns_later(void **state) {
  (void)state;
  bb_profile *profile = profile_of(eight);
  /* Two for the plan, one for its end, and one at least for each refusal. */
  size_t n = failmalloc_each_survives(learn, profile);
  char row[64];
  snprintf(row, sizeof(row), "%zu allocations", n);
  expect_true(row, n >= 5);
  bb_profile_unref(profile);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory_open_and_attach_over_tcp),
      cmocka_unit_test(test_memory_open_and_attach_over_a_serial_line),
      cmocka_unit_test(test_memory_connecting_needs_none),
      cmocka_unit_test(test_memory_plan_learns_later),
  };
  return DRIVER_HOST_RUN_TWICE("modbus memory", tests);
}
