/* SPDX-License-Identifier: Apache-2.0 */
/* Units that answer, but only with what makes no sense: they are lost after as many requests as
 * silent ones, with that cause, take nobody else along, and are back with the first sound answer. */
#include <stdio.h>
#include <string.h>

#include "support/expect.h"
#include "support/modbus_rig.h"

#include "drivers/modbus/breaker.h"

typedef enum { WELL, SHORT, TEXT, CUT, CRC, NOISE } fault;

/* What unit 2 does; unit 1 is well. */
typedef struct {
  fault fault;
  unsigned spoilt;
} script;

static size_t spoil(fault what, uint8_t *out, size_t len) {
  static const uint8_t text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
  static const uint8_t noise[] = {2, 0x55, 0xAA, 0x55, 0xAA, 0x55, 0xAA};
  switch (what) {
  case SHORT: /* a frame of its own, but without the last register */
    out[5] = (uint8_t)(out[5] - 2);
    return len - 2;
  case TEXT:
    memcpy(out, text, sizeof(text) - 1);
    return sizeof(text) - 1;
  case CUT:
    return len - 1;
  case CRC:
    out[len - 1] ^= 1;
    return len;
  case NOISE:
    memcpy(out, noise, sizeof(noise));
    return sizeof(noise);
  default:
    return len;
  }
}

static void misbehave(modbus_peer *peer, const modbus_peer_request *request) {
  script *s = peer->user;
  uint8_t out[300];
  size_t len = modbus_peer_build(peer, request, out);
  if (request->unit == 2 && s->fault != WELL) {
    s->spoilt++;
    len = spoil(s->fault, out, len);
  }
  modbus_peer_send(request->client, out, len);
}

static const char one_point[] = "profile: 1\n"
                                "id: x\n"
                                "points: [{ name: a, type: uint16, holding: 100 }]\n";

typedef struct {
  const char *name;
  const char *options;
  fault fault;
} malformed_row;

static const malformed_row rows[] = {
    {"short", "", SHORT},
    {"no Modbus at all", "", TEXT},
    {"cut", "", CUT},
    {"RTU over TCP: wrong CRC", ", framing: rtu", CRC},
    {"RTU over TCP: cut", ", framing: rtu", CUT},
    {"RTU over TCP: noise", ", framing: rtu", NOISE},
};

typedef struct {
  modbus_rig rig;
  driver_device two;
  script script;
} gateway;

static void open_gateway(gateway *g, const malformed_row *row) {
  char options[64];
  memset(g, 0, sizeof(*g));
  g->script.fault = row->fault;
  g->rig.peer.on_request = misbehave;
  g->rig.peer.user = &g->script;
  g->rig.peer.rtu = row->options[0] != 0;
  snprintf(options, sizeof(options), ", timeout: 30ms%s", row->options);
  modbus_rig_open(&g->rig, options, one_point);
  expect_int(row->name,
             driver_device_attach(&g->two, &g->rig.conn, "two", g->rig.profile, "{unit: 2}"), 0);
}

static void close_gateway(gateway *g) {
  driver_device_detach(&g->two);
  modbus_rig_close(&g->rig);
}

static void test_malformed_unit_is_lost_alone(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    const malformed_row *row = &rows[i];
    gateway g;
    open_gateway(&g, row);
    for (int n = 1; n <= BB_MODBUS_OPEN_AFTER; n++) {
      expect_int(row->name, driver_device_poll(&g.rig.device, 0), 0);
      expect_true(row->name, g.two.up);
      expect_int(row->name, driver_device_poll(&g.two, 0), BB_ERR_FORMAT);
      expect_uint(row->name, driver_device_quality(&g.two, "a"), RIG_BAD(FORMAT));
    }
    expect_true(row->name, !g.two.up && g.two.n_down == 1);
    expect_int(row->name, g.two.reason.code, BB_ERR_FORMAT);
    expect_part(row->name, g.two.reason.text, "malformed answers from 127.0.0.1:");
    expect_part(row->name, g.two.reason.text, " (unit 2); next try in ");
    expect_uint(row->name, g.rig.conn.conn->counters.malformed, BB_MODBUS_OPEN_AFTER);
    expect_uint(row->name, g.rig.conn.conn->counters.timeouts, 0);
    for (int n = 0; n < 3; n++) {
      expect_int("without the wire", driver_device_poll(&g.two, 0), BB_ERR_TIMEOUT);
      expect_uint("with the cause", driver_device_quality(&g.two, "a"), RIG_BAD(FORMAT));
      expect_int("the other one", driver_device_poll(&g.rig.device, 0), 0);
    }
    expect_uint(row->name, g.script.spoilt, BB_MODBUS_OPEN_AFTER);
    expect_uint("the connection and the other one", g.rig.conn.n_down + g.rig.device.n_down, 0);
    g.script.fault = WELL;
    for (int n = 0; n < 300 && !g.two.up; n++) {
      driver_device_poll(&g.two, 0);
      driver_host_run(&g.rig.host, 20);
    }
    expect_true("back by itself", g.two.up && g.two.n_up == 1);
    expect_int(row->name, driver_device_poll(&g.two, 0), 0);
    expect_double(row->name, driver_device_value(&g.two, "a"), 1100);
    close_gateway(&g);
  }
}

/* The bad unit is asked all the time and the good one seldom: after each new connection the bad one
 * comes first, so that nobody knows yet that the peer speaks Modbus at all. */
static void test_malformed_unit_does_not_keep_the_connection_down(void **state) {
  (void)state;
  static const malformed_row text = {"no Modbus at all", "", TEXT};
  gateway g;
  unsigned good = 0;
  open_gateway(&g, &text);
  expect_int("first", driver_device_poll(&g.rig.device, 0), 0);
  for (int n = 0; n < 150; n++) {
    driver_device_poll(&g.two, 0);
    driver_host_run(&g.rig.host, 20);
    if (n % 10 == 9) good += driver_device_poll(&g.rig.device, 0) == 0;
  }
  expect_true("lost", !g.two.up);
  char row[64];
  snprintf(row, sizeof(row), "%u of 15 polls of the good unit in 3 s", good);
  expect_true(row, good >= 9);
  expect_int("then", driver_device_poll(&g.rig.device, 0), 0);
  close_gateway(&g);
}

/* One spoilt frame among good ones is no loss. */
static void test_malformed_answer_now_and_then_is_no_loss(void **state) {
  (void)state;
  gateway g;
  open_gateway(&g, &rows[0]);
  for (int n = 0; n < 10; n++) {
    g.script.fault = SHORT;
    expect_int("spoilt", driver_device_poll(&g.two, 0), BB_ERR_FORMAT);
    g.script.fault = WELL;
    expect_int("sound", driver_device_poll(&g.two, 0), 0);
  }
  expect_uint("never lost", g.two.n_down, 0);
  close_gateway(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_malformed_unit_is_lost_alone),
      cmocka_unit_test(test_malformed_unit_does_not_keep_the_connection_down),
      cmocka_unit_test(test_malformed_answer_now_and_then_is_no_loss),
  };
  return DRIVER_HOST_RUN_TWICE("modbus malformed", tests);
}
