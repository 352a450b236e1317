/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a device's refusals are remembered: over a connection that is made anew at once; what was
 * left out is tried again after the connection was down; and a device that is attached anew, because
 * its part of the document has changed, begins from nothing.
 */
#include <string.h>

#include "support/expect.h"
#include "support/modbus_rig.h"

/* Refuses reads that touch `refused` (exception 2) or are longer than `longest` (exception 3). */
typedef struct {
  unsigned refused, longest;
  unsigned n_refused;
} habit;

static void behave(modbus_peer *peer, const modbus_peer_request *request) {
  habit *h = peer->user;
  bool is_long = request->count > h->longest;
  bool is_absent =
      request->address <= h->refused && h->refused < request->address + (unsigned)request->count;
  h->n_refused += is_long || is_absent;
  if (is_long || is_absent) {
    modbus_peer_refuse(peer, request, is_long ? 3 : 2);
  } else {
    modbus_peer_answer(peer, request);
  }
}

static const char eight[] = "profile: 1\n"
                            "id: x\n"
                            "points:\n"
                            "  - { name: p0, type: uint16, holding: 0 }\n"
                            "  - { name: p1, type: uint16, holding: 1 }\n"
                            "  - { name: p2, type: uint16, holding: 2 }\n"
                            "  - { name: p3, type: uint16, holding: 3 }\n"
                            "  - { name: p4, type: uint16, holding: 4 }\n"
                            "  - { name: p5, type: uint16, holding: 5 }\n"
                            "  - { name: p6, type: uint16, holding: 6 }\n"
                            "  - { name: p7, type: uint16, holding: 7 }\n";

#define NONE 1000 /* no address of the profile */

static void poll(modbus_rig *rig, unsigned times) {
  while (times-- > 0) expect_int("poll", driver_device_poll(&rig->device, 0), 0);
}

/* Of the last poll, "g" for good and "r" for refused. */
static void expect_points(const char *row, const modbus_rig *rig, const char *expected) {
  char actual[9] = "", name[3] = "p0";
  for (int i = 0; i < 8; i++, name[1]++) {
    uint8_t quality = driver_device_quality(&rig->device, name);
    actual[i] = quality == RIG_GOOD ? 'g' : quality == RIG_BAD(REFUSED) ? 'r' : '?';
  }
  expect_text(row, actual, expected);
}

static void open_learnt(modbus_rig *rig, habit *h) {
  *rig = (modbus_rig){.peer = {.on_request = behave, .user = h}};
  modbus_rig_open(rig, "", eight);
  poll(rig, 20);
  h->n_refused = 0;
  poll(rig, 3);
  expect_uint("learnt", h->n_refused, 0);
}

static void lose(modbus_rig *rig, unsigned downs) {
  rig->peer.close_at_once = true;
  modbus_peer_drop_all(&rig->peer, false);
  driver_host_wait_count(&rig->host, "down", &rig->conn.n_down, downs);
  rig->peer.close_at_once = false;
  /* The next try is about a second away. */
  for (int i = 0; i < 500 && driver_device_poll(&rig->device, 0) == BB_ERR_CLOSED; i++) {
    driver_host_run(&rig->host, 20);
  }
}

static void test_learnt_refusals_outlive_a_connection(void **state) {
  (void)state;
  habit h = {.refused = 5, .longest = 125};
  modbus_rig rig;
  open_learnt(&rig, &h);
  expect_points("learnt", &rig, "gggggrgg");
  modbus_peer_drop_all(&rig.peer, false);
  driver_host_wait_count(&rig.host, "made anew", &rig.peer.n_accepted, 2);
  poll(&rig, 5);
  expect_uint("not asked again", h.n_refused, 0);
  expect_uint("nobody was told", rig.conn.n_down, 0);
  modbus_rig_close(&rig);
}

static void test_learnt_refusals_are_tried_again_after_a_loss(void **state) {
  (void)state;
  habit h = {.refused = 5, .longest = 125};
  modbus_rig rig;
  open_learnt(&rig, &h);
  lose(&rig, 1);
  expect_uint("asked again", h.n_refused, 1);
  expect_points("the others do not wait for that", &rig, "gggggrgg");
  poll(&rig, 5);
  expect_uint("once", h.n_refused, 1);
  h.refused = NONE;
  lose(&rig, 2);
  expect_points("another device now, perhaps", &rig, "gggggggg");
  modbus_rig_close(&rig);
}

static void test_learnt_length_outlives_a_loss(void **state) {
  (void)state;
  habit h = {.refused = NONE, .longest = 3};
  modbus_rig rig;
  open_learnt(&rig, &h);
  expect_points("learnt", &rig, "gggggggg");
  lose(&rig, 1);
  poll(&rig, 5);
  expect_uint("no read is too long", h.n_refused, 0);
  modbus_rig_close(&rig);
}

static void test_learnt_is_forgotten_with_the_device(void **state) {
  (void)state;
  static const habit habits[] = {{5, 125, 0}, {NONE, 3, 0}};
  for (size_t i = 0; i < 2; i++) {
    habit h = habits[i];
    modbus_rig rig;
    open_learnt(&rig, &h);
    driver_device_detach(&rig.device);
    h = (habit){NONE, 125, 0};
    unsigned asked = rig.peer.n_requests;
    expect_int("attach", driver_device_attach(&rig.device, &rig.conn, "meter-1", rig.profile, "{}"),
               0);
    poll(&rig, 1);
    expect_points("all of it", &rig, "gggggggg");
    expect_uint("in one read", rig.peer.n_requests, asked + 1);
    modbus_rig_close(&rig);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_learnt_refusals_outlive_a_connection),
      cmocka_unit_test(test_learnt_refusals_are_tried_again_after_a_loss),
      cmocka_unit_test(test_learnt_length_outlives_a_loss),
      cmocka_unit_test(test_learnt_is_forgotten_with_the_device),
  };
  return DRIVER_HOST_RUN_TWICE("modbus learnt", tests);
}
