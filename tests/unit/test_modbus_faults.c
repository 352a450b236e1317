/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver modbus-tcp makes of a peer that misbehaves: the quality of the points, what is
 * counted and said, and that it recovers by itself. */
#include <string.h>

#include "support/expect.h"
#include "support/free_port.h"
#include "support/modbus_rig.h"

static const bb_conn_counters *counters(const modbus_rig *rig) {
  return &rig->conn.conn->counters;
}

static void expect_quality(const char *row, const modbus_rig *rig, uint8_t a, uint8_t far) {
  expect_uint(row, driver_device_quality(&rig->device, "a"), a);
  expect_uint(row, driver_device_quality(&rig->device, "b"), a);
  expect_uint(row, driver_device_quality(&rig->device, "far"), far);
}

static void expect_good(const char *row, modbus_rig *rig) {
  expect_int(row, driver_device_poll(&rig->device, 0), 0);
  expect_quality(row, rig, RIG_GOOD, RIG_GOOD);
  expect_double(row, driver_device_value(&rig->device, "a"), 1010);
  expect_double(row, driver_device_value(&rig->device, "b"), 1011);
  expect_double(row, driver_device_value(&rig->device, "far"), 1100);
}

/* Polls until one ends well. Returns how many did not. */
static unsigned recover(modbus_rig *rig) {
  unsigned failed = 0;
  while (driver_device_poll(&rig->device, 0) != 0 && failed < 500) {
    failed++;
    driver_host_run(&rig->host, 20);
  }
  expect_good("recovered", rig);
  return failed;
}

static void test_faults_silence(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = true};
  modbus_rig_open(&rig, ", timeout: 50ms", modbus_rig_profile);
  expect_int("status", driver_device_poll(&rig.device, 0), BB_ERR_TIMEOUT);
  expect_quality("first", &rig, RIG_BAD(NO_ANSWER), RIG_BAD(NO_ANSWER));
  expect_uint("the rest of the poll is given up", rig.peer.n_requests, 1);
  expect_true("one is not enough", rig.device.up);
  expect_int("status", driver_device_poll(&rig.device, 0), BB_ERR_TIMEOUT);
  expect_uint("the second one opens the breaker", rig.device.n_down, 1);
  expect_part("words", rig.device.reason.text, "no answer from 127.0.0.1:");
  expect_part("words", rig.device.reason.text, " (unit 1); next try in ");
  unsigned requests = rig.peer.n_requests;
  for (int i = 0; i < 5; i++) {
    expect_int("at once", driver_device_poll(&rig.device, 0), BB_ERR_TIMEOUT);
    expect_quality("dead", &rig, RIG_BAD(NO_ANSWER), RIG_BAD(NO_ANSWER));
  }
  expect_uint("without the wire", rig.peer.n_requests, requests);
  expect_uint("a batch each", rig.device.scans[0].n_batches, 7);
  rig.peer.mute = false;
  recover(&rig);
  expect_true("back", rig.device.up && rig.device.n_up == 1 && rig.device.n_down == 1);
  expect_uint("the connection was never down", rig.conn.n_down, 0);
  expect_true("time-outs are counted", counters(&rig)->timeouts >= 2);
  modbus_rig_close(&rig);
}

typedef enum { ANSWER, LATE, WRONG_ID, SPLIT, TWICE, SHORT, WRONG_FUNCTION, WRONG_COUNT } fault;

/* The first request gets the fault, the others are answered. */
static void misbehave(modbus_peer *peer, const modbus_peer_request *request) {
  uint8_t out[300];
  size_t len = modbus_peer_build(peer, request, out);
  fault what = peer->n_requests == 1 ? *(fault *)peer->user : ANSWER;
  switch (what) {
  case ANSWER:
    modbus_peer_send(request->client, out, len);
    break;
  case LATE:
    memset(out + 9, 0xEE, len - 9);
    modbus_peer_send_later(request->client, out, len, 120, 0);
    break;
  case WRONG_ID:
    out[1]++;
    modbus_peer_send(request->client, out, len);
    break;
  case SPLIT:
    modbus_peer_send_later(request->client, out, len, 1, 1);
    break;
  case TWICE:
    modbus_peer_send(request->client, out, len);
    modbus_peer_send(request->client, out, len);
    break;
  case SHORT: /* a frame of its own, but without the last register */
    out[5] = (uint8_t)(out[5] - 2);
    modbus_peer_send(request->client, out, len - 2);
    break;
  case WRONG_FUNCTION:
    out[7] = 4;
    modbus_peer_send(request->client, out, len);
    break;
  case WRONG_COUNT:
    out[8] = (uint8_t)(out[8] + 2);
    modbus_peer_send(request->client, out, len);
    break;
  }
}

typedef struct {
  const char *name;
  fault what;
  int status;
  uint8_t a, far;
  unsigned timeouts, malformed, discarded;
} fault_row;

static const fault_row fault_rows[] = {
    {"late", LATE, BB_ERR_TIMEOUT, RIG_BAD(NO_ANSWER), RIG_BAD(NO_ANSWER), 1, 0, 1},
    {"wrong id", WRONG_ID, BB_ERR_TIMEOUT, RIG_BAD(NO_ANSWER), RIG_BAD(NO_ANSWER), 1, 0, 1},
    {"byte by byte", SPLIT, 0, RIG_GOOD, RIG_GOOD, 0, 0, 0},
    {"twice", TWICE, 0, RIG_GOOD, RIG_GOOD, 0, 0, 1},
    {"short", SHORT, BB_ERR_FORMAT, RIG_BAD(FORMAT), RIG_BAD(FORMAT), 0, 1, 0},
    {"function", WRONG_FUNCTION, BB_ERR_FORMAT, RIG_BAD(FORMAT), RIG_BAD(FORMAT), 0, 1, 0},
    {"byte count", WRONG_COUNT, BB_ERR_FORMAT, RIG_BAD(FORMAT), RIG_BAD(FORMAT), 0, 1, 0},
};

static void test_faults_of_one_answer(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(fault_rows) / sizeof(fault_rows[0]); i++) {
    const fault_row *row = &fault_rows[i];
    fault what = row->what;
    modbus_rig rig = {.peer = {.on_request = misbehave, .user = &what}};
    modbus_rig_open(&rig, ", timeout: 80ms", modbus_rig_profile);
    expect_int(row->name, driver_device_poll(&rig.device, 0), row->status);
    expect_quality(row->name, &rig, row->a, row->far);
    expect_good(row->name, &rig);
    driver_host_run(&rig.host, 100);
    expect_good(row->name, &rig);
    expect_uint(row->name, counters(&rig)->timeouts, row->timeouts);
    expect_uint(row->name, counters(&rig)->malformed, row->malformed);
    expect_uint(row->name, counters(&rig)->discarded, row->discarded);
    expect_uint("step was never lost", counters(&rig)->disconnects, 0);
    modbus_rig_close(&rig);
  }
}

typedef struct {
  const char *name;
  uint8_t exception;
  uint8_t a;
  int status;
} exception_row;

static const exception_row exception_rows[] = {
    {"illegal function", 1, RIG_BAD(REFUSED), 0}, {"illegal address", 2, RIG_BAD(REFUSED), 0},
    {"illegal value", 3, RIG_BAD(REFUSED), 0},    {"failure", 4, RIG_BAD(DEVICE_FAULT), 0},
    {"acknowledge", 5, RIG_BAD(BUSY), 0},         {"busy", 6, RIG_BAD(BUSY), 0},
    {"memory", 8, RIG_BAD(DEVICE_FAULT), 0},      {"invented", 99, RIG_BAD(REFUSED), 0},
};

static void refuse_low(modbus_peer *peer, const modbus_peer_request *request) {
  const uint8_t *exception = peer->user;
  if (request->address < 50 && *exception != 0) {
    modbus_peer_refuse(peer, request, *exception);
  } else {
    modbus_peer_answer(peer, request);
  }
}

static void test_faults_exceptions(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(exception_rows) / sizeof(exception_rows[0]); i++) {
    const exception_row *row = &exception_rows[i];
    uint8_t exception = row->exception;
    modbus_rig rig = {.peer = {.on_request = refuse_low, .user = &exception}};
    modbus_rig_open(&rig, "", modbus_rig_profile);
    expect_int(row->name, driver_device_poll(&rig.device, 0), row->status);
    expect_quality(row->name, &rig, row->a, RIG_GOOD);
    expect_uint(row->name, driver_device_code(&rig.device, "a"), row->exception);
    expect_uint(row->name, driver_device_code(&rig.device, "far"), 0);
    expect_double(row->name, driver_device_value(&rig.device, "far"), 1100);
    expect_true("the device answers", rig.device.up);
    expect_uint(row->name, counters(&rig)->refusals, 1);
    exception = 0;
    /* What a device was once refused for is asked again after an hour, so not here. */
    if (row->exception > 3) expect_good(row->name, &rig);
    modbus_rig_close(&rig);
  }
}

static void test_faults_gateway_reports_a_dead_unit(void **state) {
  (void)state;
  uint8_t exception = 11;
  modbus_rig rig = {.peer = {.on_request = refuse_low, .user = &exception}};
  modbus_rig_open(&rig, "", modbus_rig_profile);
  expect_int("status", driver_device_poll(&rig.device, 0), BB_ERR_TIMEOUT);
  expect_quality("first", &rig, RIG_BAD(GATEWAY), RIG_BAD(GATEWAY));
  expect_uint("code", driver_device_code(&rig.device, "a"), 11);
  expect_uint("the rest is given up", rig.peer.n_requests, 1);
  driver_device_poll(&rig.device, 0);
  expect_true("lost", !rig.device.up);
  expect_part("words", rig.device.reason.text, "has not reached unit 1 for");
  expect_int("without the wire", driver_device_poll(&rig.device, 0), BB_ERR_TIMEOUT);
  expect_quality("dead", &rig, RIG_BAD(GATEWAY), RIG_BAD(GATEWAY));
  expect_uint("requests", rig.peer.n_requests, 2);
  exception = 0;
  recover(&rig);
  modbus_rig_close(&rig);
}

static void send_bytes(modbus_peer *peer, const modbus_peer_request *request) {
  static const uint8_t garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
  static const uint8_t oversize[] = {0, 1, 0, 0, 0x10, 0, 1, 3, 4, 0, 0};
  int kind = *(int *)peer->user;
  if (kind == 0 || peer->n_requests < 3) {
    modbus_peer_answer(peer, request);
  } else if (kind == 1) {
    modbus_peer_send(request->client, garbage, sizeof(garbage) - 1);
  } else {
    modbus_peer_send(request->client, oversize, sizeof(oversize));
  }
}

static void test_faults_garbage_starts_the_connection_anew(void **state) {
  (void)state;
  for (int kind = 1; kind <= 2; kind++) {
    int now = kind;
    modbus_rig rig = {.peer = {.on_request = send_bytes, .user = &now}};
    modbus_rig_open(&rig, ", timeout: 500ms", modbus_rig_profile);
    expect_good("before", &rig);
    expect_int("status", driver_device_poll(&rig.device, 0), BB_ERR_FORMAT);
    expect_quality("garbage", &rig, RIG_BAD(FORMAT), RIG_BAD(FORMAT));
    expect_uint("malformed", counters(&rig)->malformed, 1);
    expect_uint("disconnects", counters(&rig)->disconnects, 1);
    now = 0;
    recover(&rig);
    expect_uint("connections", rig.peer.n_accepted, 2);
    expect_uint("nobody was told", rig.conn.n_down, 0);
    modbus_rig_close(&rig);
  }
}

static void test_faults_closing_at_once_backs_off(void **state) {
  (void)state;
  modbus_rig rig = {.peer.close_at_once = true};
  modbus_rig_open(&rig, ", timeout: 50ms", modbus_rig_profile);
  driver_host_wait_count(&rig.host, "down", &rig.conn.n_down, 1);
  expect_part("words", rig.conn.reason.text, "closes each connection");
  expect_part("words", rig.conn.reason.text, "; next try in ");
  expect_int("status", driver_device_poll(&rig.device, 0), BB_ERR_CLOSED);
  expect_quality("down", &rig, RIG_BAD(NOT_CONNECTED), RIG_BAD(NOT_CONNECTED));
  driver_host_run(&rig.host, 3000);
  /* Tries after 0, about 1, about 3 s. */
  expect_true("backs off", rig.peer.n_accepted >= 2 && rig.peer.n_accepted <= 3);
  expect_uint("called up once", rig.conn.n_up, 1);
  expect_uint("called down once", rig.conn.n_down, 1);
  expect_true("lost", !rig.device.up && rig.device.n_down == 1);
  rig.peer.close_at_once = false;
  recover(&rig);
  expect_true("up", rig.conn.up && rig.device.up);
  modbus_rig_close(&rig);
}

static unsigned random_bits(unsigned *seed) {
  *seed = *seed * 1103515245u + 12345u;
  return *seed >> 16;
}

/* Every third answer is spoilt in its head, cut, or followed by part of itself. */
static void spoil(modbus_peer *peer, const modbus_peer_request *request) {
  uint8_t out[600];
  unsigned *seed = peer->user;
  size_t len = modbus_peer_build(peer, request, out);
  if (peer->n_requests % 3 != 0) {
    modbus_peer_send(request->client, out, len);
    return;
  }
  switch (random_bits(seed) % 4) {
  case 0:
    out[random_bits(seed) % 9] ^= (uint8_t)(1u << random_bits(seed) % 8);
    break;
  case 1:
    len = random_bits(seed) % len;
    break;
  case 2:
    memcpy(out + len, out, len);
    len += random_bits(seed) % len;
    break;
  default:
    out[random_bits(seed) % 9] = (uint8_t)random_bits(seed);
  }
  modbus_peer_send(request->client, out, len);
}

static void test_faults_at_random_never_give_a_wrong_value(void **state) {
  (void)state;
  unsigned seed = 7, good = 0;
  modbus_rig rig = {.peer = {.on_request = spoil, .user = &seed}};
  modbus_rig_open(&rig, ", timeout: 10ms", modbus_rig_profile);
  for (int i = 0; i < 300; i++) {
    driver_device_poll(&rig.device, 0);
    if (driver_device_quality(&rig.device, "a") == RIG_GOOD) {
      expect_double("a", driver_device_value(&rig.device, "a"), 1010);
      good++;
    }
    if (driver_device_quality(&rig.device, "far") == RIG_GOOD) {
      expect_double("far", driver_device_value(&rig.device, "far"), 1100);
    }
  }
  expect_true("some were good", good > 100);
  expect_true("some were not", counters(&rig)->malformed > 20);
  rig.peer.on_request = NULL;
  recover(&rig);
  modbus_rig_close(&rig);
}

static void close_third(modbus_peer *peer, const modbus_peer_request *request) {
  if (peer->n_requests == 3) {
    modbus_peer_drop(request->client, *(bool *)peer->user);
  } else {
    modbus_peer_answer(peer, request);
  }
}

static void test_faults_closed_while_asking(void **state) {
  (void)state;
  for (int hard = 0; hard < 2; hard++) {
    bool reset = hard;
    modbus_rig rig = {.peer = {.on_request = close_third, .user = &reset}};
    modbus_rig_open(&rig, "", modbus_rig_profile);
    expect_good("before", &rig);
    expect_int("status", driver_device_poll(&rig.device, 0), BB_ERR_CLOSED);
    expect_quality("closed", &rig, RIG_BAD(NOT_CONNECTED), RIG_BAD(NOT_CONNECTED));
    expect_good("at once again", &rig);
    expect_uint("connections", rig.peer.n_accepted, 2);
    expect_uint("disconnects", counters(&rig)->disconnects, 1);
    modbus_rig_close(&rig);
  }
}

static void test_faults_closed_while_idle(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  modbus_rig_open(&rig, "", modbus_rig_profile);
  for (unsigned i = 1; i <= 3; i++) {
    expect_good("each time", &rig);
    modbus_peer_drop_all(&rig.peer, false);
    driver_host_wait_count(&rig.host, "again", &rig.peer.n_accepted, i + 1);
  }
  expect_uint("nobody was told", rig.conn.n_down + rig.device.n_down, 0);
  modbus_rig_close(&rig);
}

static void test_faults_half_open_connection_is_made_anew(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  modbus_rig_open(&rig, ", timeout: 30ms", modbus_rig_profile);
  expect_good("before", &rig);
  rig.peer.mute = true;
  unsigned asked = 0;
  while (rig.peer.n_accepted < 2 && asked++ < 200) {
    driver_device_poll(&rig.device, 0);
    driver_host_run(&rig.host, 20);
  }
  expect_uint("time-outs until then", counters(&rig)->timeouts, 3);
  rig.peer.mute = false;
  recover(&rig);
  modbus_rig_close(&rig);
}

static void test_faults_nobody_listens(void **state) {
  (void)state;
  modbus_rig rig = {.peer.port = free_port()};
  modbus_rig_open(&rig, "", modbus_rig_profile);
  uint16_t port = rig.peer.port;
  modbus_peer_close(&rig.peer);
  driver_host_wait_count(&rig.host, "down", &rig.conn.n_down, 1);
  expect_part("words", rig.conn.reason.text, "no connection to 127.0.0.1:");
  expect_part("words", rig.conn.reason.text, ": connection refused; next try in ");
  expect_int("status", driver_device_poll(&rig.device, 0), BB_ERR_CLOSED);
  driver_host_run(&rig.host, 1);
  rig.peer = (modbus_peer){.port = port};
  modbus_peer_open(&rig.peer, &rig.host.loop);
  recover(&rig);
  expect_true("up again", rig.conn.up && rig.device.up);
  expect_uint("down once", rig.conn.n_down, 1);
  modbus_rig_close(&rig);
}

static void test_faults_name_that_does_not_exist(void **state) {
  (void)state;
  driver_host host;
  driver_conn conn;
  driver_host_init(&host);
  expect_int(
      "open",
      driver_conn_open(&conn, &host, &bb_driver_modbus_tcp, "c", "{host: no-such-host.invalid}"),
      0);
  driver_host_wait_count(&host, "down", &conn.n_down, 1);
  expect_part("words", conn.reason.text, "the address of no-such-host.invalid was not found");
  driver_conn_close(&conn);
  driver_host_close(&host);
}

/* Whatever is under way ends before the device is let go. */
static void test_faults_detach_while_asking(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = true};
  modbus_rig_open(&rig, ", timeout: 5s", modbus_rig_profile);
  driver_device_start(&rig.device, 0);
  driver_host_wait_count(&rig.host, "asked", &rig.peer.n_requests, 1);
  rig.device.conn->conn->driver->detach(rig.device.attachment);
  expect_uint("ended", rig.device.scans[0].n_done, 1);
  expect_int("status", rig.device.scans[0].status, BB_ERR_CLOSED);
  driver_host_wait_flag(&rig.host, "detached", &rig.device.detached);
  /* Its slot is still taken: another device of the line has to wait for the answer. */
  driver_device other;
  expect_int("attach", driver_device_attach(&other, &rig.conn, "o", rig.profile, "{unit: 2}"), 0);
  driver_device_start(&other, 0);
  driver_host_run(&rig.host, 20);
  expect_uint("no second request", rig.peer.n_requests, 1);
  modbus_peer_answer(&rig.peer, &rig.peer.last);
  driver_host_wait_count(&rig.host, "now it is its turn", &rig.peer.n_requests, 2);
  driver_device_detach(&other);
  /* The memory of the first device is freed by detach, which must not be called twice. */
  rig.device.conn->conn->driver->close(rig.conn.conn);
  driver_host_wait_flag(&rig.host, "closed", &rig.conn.closed);
  driver_device_free(&rig.device);
  driver_conn_free(&rig.conn);
  modbus_peer_close(&rig.peer);
  driver_host_close(&rig.host);
  bb_profile_unref(rig.profile);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_faults_silence),
      cmocka_unit_test(test_faults_of_one_answer),
      cmocka_unit_test(test_faults_exceptions),
      cmocka_unit_test(test_faults_gateway_reports_a_dead_unit),
      cmocka_unit_test(test_faults_garbage_starts_the_connection_anew),
      cmocka_unit_test(test_faults_at_random_never_give_a_wrong_value),
      cmocka_unit_test(test_faults_closing_at_once_backs_off),
      cmocka_unit_test(test_faults_closed_while_asking),
      cmocka_unit_test(test_faults_closed_while_idle),
      cmocka_unit_test(test_faults_half_open_connection_is_made_anew),
      cmocka_unit_test(test_faults_nobody_listens),
      cmocka_unit_test(test_faults_name_that_does_not_exist),
      cmocka_unit_test(test_faults_detach_while_asking),
  };
  return DRIVER_HOST_RUN_TWICE("modbus faults", tests);
}
