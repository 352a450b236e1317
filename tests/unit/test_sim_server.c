/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* The simulator on a loop in one thread, read by libmodbus in another. */
#include <errno.h>
#include <math.h>
#include <modbus.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "sim/server.h"
#include "support/expect.h"
#include "support/failmalloc.h"

static bb_profile *load(const char *name) {
  char path[512];
  bb_profile *profile = NULL;
  bb_report report;
  snprintf(path, sizeof(path), "%s/profiles/%s.yaml", BB_REPO_DIR, name);
  bb_report_init(&report);
  int err = bb_profile_load(&profile, path, &report);
  if (err < 0) fail_msg("%s: %s", path, report.n > 0 ? report.mistakes[0].text : "?");
  bb_report_close(&report);
  return profile;
}

typedef struct {
  bb_sim sim;
  uv_async_t done;
  void (*client)(int port);
} fixture;

static void on_closed(bb_sim *sim) {
  *(bool *)sim->user = true;
}

static void ignore_close(bb_sim *sim) {
  (void)sim;
}

static void on_done(uv_async_t *async) {
  fixture *f = async->data;
  uv_close((uv_handle_t *)async, NULL);
  bb_sim_close(&f->sim, on_closed);
}

static void run_client(void *user) {
  fixture *f = user;
  f->client(f->sim.ports[0].number);
  uv_async_send(&f->done);
}

/* Runs `client` beside a simulator of that profile, and ends both. */
static void with_sim(const char *name, void (*client)(int port)) {
  fixture *f = calloc(1, sizeof(*f));
  bb_profile *profile = load(name);
  bool closed = false;
  bb_sim_config config;
  uv_loop_t loop;
  uv_thread_t thread;
  bb_sim_config_init(&config, profile);
  expect_int("loop", uv_loop_init(&loop), 0);
  f->sim.user = &closed;
  expect_int("open", bb_sim_open(&f->sim, &loop, &config, NULL), 0);
  f->client = client;
  f->done.data = f;
  expect_int("async", uv_async_init(&loop, &f->done, on_done), 0);
  expect_int("thread", uv_thread_create(&thread, run_client, f), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_thread_join(&thread);
  expect_true("closed", closed);
  expect_int("nothing is left on the loop", uv_loop_close(&loop), 0);
  bb_profile_unref(profile);
  free(f);
}

static modbus_t *connect_to(int port) {
  modbus_t *client = modbus_new_tcp("127.0.0.1", port);
  if (modbus_connect(client) != 0) fail_msg("connect: %s", modbus_strerror(errno));
  modbus_set_slave(client, 1);
  return client;
}

/* Assertions in a thread would leave it by a long jump, so it notes what it saw. */
static struct {
  int n, code;
  float volts, hertz;
  uint16_t words[4];
  uint8_t bits[2];
} seen;

static void read_meter(int port) {
  uint16_t words[64];
  modbus_t *client = connect_to(port);
  seen.n = modbus_read_input_registers(client, 0x50, 64, words);
  /* Low word first; libmodbus has the words in the host's order. */
  uint32_t bits = (uint32_t)words[1] << 16 | words[0];
  memcpy(&seen.volts, &bits, sizeof(bits));
  bits = (uint32_t)words[0x39] << 16 | words[0x38];
  memcpy(&seen.hertz, &bits, sizeof(bits));
  modbus_read_registers(client, 0x1001, 1, seen.words);
  modbus_read_registers(client, 0x2000, 1, words);
  seen.code = errno;
  modbus_close(client);
  modbus_free(client);
}

static void test_sim_server_is_read_by_libmodbus(void **state) {
  (void)state;
  with_sim("rockwell/powermonitor-500", read_meter);
  expect_int("registers", seen.n, 64);
  if (!(seen.volts > 215 && seen.volts < 245)) fail_msg("%g V", (double)seen.volts);
  if (!(fabsf(seen.hertz - 50) < 0.2f)) fail_msg("%g Hz", (double)seen.hertz);
  expect_int("set up as 3PN", seen.words[0], 5);
  expect_int("illegal address", seen.code, EMBXILADD);
}

static void write_all(int port) {
  const uint16_t schedule[4] = {60, 1380, 0xffff, 0xff00};
  const uint8_t relays[2] = {1, 1};
  modbus_t *client = connect_to(port);
  seen.n = modbus_write_registers(client, 210, 4, schedule) == 4;
  seen.n += modbus_write_register(client, 200, 1000) == 1;
  seen.n += modbus_mask_write_register(client, 200, 0xfff0, 0x0005) == 1;
  seen.n += modbus_write_bits(client, 0, 2, relays) == 2;
  seen.n += modbus_write_bit(client, 1, 0) == 1;
  seen.n += modbus_read_registers(client, 210, 4, seen.words) == 4;
  seen.n += modbus_read_bits(client, 0, 2, seen.bits) == 2;
  modbus_write_register(client, 200, 1001);
  seen.code = errno;
  seen.n += modbus_read_registers(client, 200, 1, seen.words) == 1;
  modbus_close(client);
  modbus_free(client);
}

static void test_sim_server_is_written_by_libmodbus(void **state) {
  (void)state;
  with_sim("generic/modbus", write_all);
  expect_int("calls that did all they should", seen.n, 8);
  expect_int("above the limit", seen.code, EMBXILVAL);
  /* 1000 is 0x3e8. */
  expect_int("the register as masked", seen.words[0], 0x3e5);
  expect_int("the schedule", seen.words[3], 0xff00);
  expect_bytes("relays", seen.bits, 2, "\1\0", 2);
}

static int open_and_close(void *user) {
  bb_sim sim = {0};
  bb_sim_config config;
  uv_loop_t loop;
  bb_sim_config_init(&config, user);
  config.n_ports = 2;
  config.n_units = 3;
  if (uv_loop_init(&loop) < 0) return UV_ENOMEM;
  int err = bb_sim_open(&sim, &loop, &config, NULL);
  bb_sim_close(&sim, ignore_close);
  uv_run(&loop, UV_RUN_DEFAULT);
  int left = uv_loop_close(&loop);
  return err < 0 ? err : left;
}

static void test_sim_server_survives_a_lack_of_memory(void **state) {
  (void)state;
  bb_profile *profile = load("generic/modbus");
  failmalloc_each(open_and_close, profile);
  bb_profile_unref(profile);
}

static void test_sim_server_says_which_port_is_taken(void **state) {
  (void)state;
  bb_sim first = {0}, second = {0};
  bb_sim_config config;
  uv_loop_t loop;
  uint16_t bad = 0;
  bb_profile *profile = load("generic/modbus");
  bb_sim_config_init(&config, profile);
  uv_loop_init(&loop);
  expect_int("first", bb_sim_open(&first, &loop, &config, NULL), 0);
  config.first_port = first.ports[0].number;
  expect_int("second", bb_sim_open(&second, &loop, &config, &bad), UV_EADDRINUSE);
  expect_int("port", bad, first.ports[0].number);
  bb_sim_close(&first, ignore_close);
  bb_sim_close(&second, ignore_close);
  uv_run(&loop, UV_RUN_DEFAULT);
  expect_int("nothing is left on the loop", uv_loop_close(&loop), 0);
  bb_profile_unref(profile);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sim_server_is_read_by_libmodbus),
      cmocka_unit_test(test_sim_server_is_written_by_libmodbus),
      cmocka_unit_test(test_sim_server_survives_a_lack_of_memory),
      cmocka_unit_test(test_sim_server_says_which_port_is_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
