/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of a serial line: tasks and results cross over, and stopping ends whatever it waits
 * for. */
/* tsan: yes */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/modbus_server.h"
#include "support/serial_line.h"

#include "base/clock.h"
#include "base/err.h"
#include "drivers/modbus/rtu_thread.h"

typedef struct {
  uv_loop_t loop;
  serial_line line;
  bb_modbus_rtu_options options;
  bb_modbus_thread thread;
  bb_modbus_result result;
  unsigned n_results;
  bool stopped;
} fixture;

/* Function 3, one register at 7, unit 1. */
static const bb_modbus_task ask = {
    .kind = BB_MODBUS_TASK_ASK, .request = {1, 3, 0, 7, 0, 1}, .len = 6, .expected = 4};
static const bb_modbus_task open_port = {.kind = BB_MODBUS_TASK_OPEN};

static void on_result(bb_modbus_thread *thread, const bb_modbus_result *result) {
  fixture *f = thread->user;
  expect_true("not after the end", !f->stopped);
  f->result = *result;
  f->n_results++;
}

static void on_stopped(bb_modbus_thread *thread) {
  fixture *f = thread->user;
  f->stopped = true;
}

static void begin(fixture *f, uint32_t timeout_ms) {
  memset(f, 0, sizeof(*f));
  serial_line_open(&f->line);
  uv_loop_init(&f->loop);
  f->options = (bb_modbus_rtu_options){.line.timeout_ms = timeout_ms,
                                       .path = f->line.path,
                                       .baud = 115200,
                                       .data_bits = 8,
                                       .stop_bits = 1};
  f->thread.on_result = on_result;
  f->thread.on_stopped = on_stopped;
  f->thread.user = f;
  expect_int("start", bb_modbus_thread_start(&f->thread, &f->loop, &f->options), 0);
}

static void end(fixture *f) {
  bb_modbus_thread_stop(&f->thread);
  uv_run(&f->loop, UV_RUN_DEFAULT);
  expect_true("stopped", f->stopped);
  expect_int("nothing left on the loop", uv_loop_close(&f->loop), 0);
  serial_line_close(&f->line);
}

static const bb_modbus_result *perform(fixture *f, const bb_modbus_task *task) {
  unsigned before = f->n_results;
  bb_modbus_thread_post(&f->thread, task);
  while (f->n_results == before) uv_run(&f->loop, UV_RUN_ONCE);
  return &f->result;
}

static void test_thread_brings_results(void **state) {
  (void)state;
  fixture f;
  modbus_server server;
  begin(&f, 1000);
  modbus_server_open_rtu(&server, f.line.far, 1);
  expect_int("open", perform(&f, &open_port)->status, 0);
  for (uint16_t i = 0; i < 200; i++) {
    modbus_server_set(&server, 'h', 7, i);
    const bb_modbus_result *result = perform(&f, &ask);
    const uint8_t expected[] = {1, 3, 2, 0, (uint8_t)i};
    expect_int("length", result->status, sizeof(expected));
    expect_bytes("answer", result->answer, sizeof(expected), expected, sizeof(expected));
  }
  bb_modbus_task close_port = {.kind = BB_MODBUS_TASK_CLOSE};
  expect_int("close", perform(&f, &close_port)->status, 0);
  expect_int("and open again", perform(&f, &open_port)->status, 0);
  expect_int("and ask", perform(&f, &ask)->status, 5);
  modbus_server_close(&server);
  end(&f);
}

static void test_thread_times_out(void **state) {
  (void)state;
  fixture f;
  begin(&f, 50);
  expect_int("open", perform(&f, &open_port)->status, 0);
  uint64_t before = uv_hrtime();
  expect_int("silence", perform(&f, &ask)->status, BB_ERR_TIMEOUT);
  expect_true("not too early", uv_hrtime() - before >= 50 * BB_NS_PER_MS);
  serial_line_cut(&f.line);
  int status = BB_ERR_TIMEOUT;
  for (int i = 0; i < 5 && status == BB_ERR_TIMEOUT; i++) status = perform(&f, &ask)->status;
  expect_true("a code of libuv", status < 0 && status > BB_ERR_BASE);
  end(&f);
}

static void test_thread_stops_at_once(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++) {
    fixture f;
    begin(&f, 1000);
    if (i % 2 == 1) bb_modbus_thread_post(&f.thread, &open_port);
    end(&f);
  }
}

static void test_thread_stops_while_waiting(void **state) {
  (void)state;
  fixture f;
  uint8_t request[8];
  begin(&f, 60000);
  expect_int("open", perform(&f, &open_port)->status, 0);
  bb_modbus_thread_post(&f.thread, &ask);
  /* Once the request has arrived, the thread waits for its answer. */
  for (size_t got = 0; got < sizeof(request);) {
    struct pollfd fd = {.fd = f.line.far, .events = POLLIN};
    expect_int("request", poll(&fd, 1, 10000), 1);
    ssize_t n = read(f.line.far, request + got, sizeof(request) - got);
    expect_true("bytes", n > 0);
    got += (size_t)n;
  }
  uint64_t before = uv_hrtime();
  end(&f);
  expect_true("within a second", uv_hrtime() - before < BB_NS_PER_S);
  expect_uint("no result after that", f.n_results, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_thread_brings_results),
      cmocka_unit_test(test_thread_times_out),
      cmocka_unit_test(test_thread_stops_at_once),
      cmocka_unit_test(test_thread_stops_while_waiting),
  };
  return cmocka_run_group_tests_name("modbus rtu thread", tests, NULL, NULL);
}
