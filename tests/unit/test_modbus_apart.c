/* SPDX-License-Identifier: Apache-2.0 */
/* A guest on a connection: what becomes of its requests changes nothing for the devices of it. */
#include <string.h>

#include "drivers/modbus/line.h"
#include "support/expect.h"
#include "support/modbus_rig.h"
#include "support/profile.h"

/* Two registers of their own, so that the peer can tell the guest's requests. */
static const char guest_profile[] = "profile: 1\n"
                                    "id: y\n"
                                    "points:\n"
                                    "  - { name: c, type: uint32, holding: 300 }\n"
                                    "  - { name: d, type: uint16, holding: 500 }\n";

typedef struct {
  modbus_rig rig; /* with unit 1 */
  driver_device guest;
  bb_profile *profile; /* the guest's */
  bool mute_unit_1;    /* but for the guest's registers */
  bool mute_guest;
  bool wrong_names; /* answers name another unit than was asked */
  uint64_t asked_ns[8];
  unsigned n_asked; /* of unit 1 */
} visit;

static void serve(modbus_peer *peer, const modbus_peer_request *request) {
  visit *v = peer->user;
  bool is_guest = request->address >= 300;
  if (request->unit == 1 && v->n_asked < 8) v->asked_ns[v->n_asked++] = uv_hrtime();
  if (is_guest ? v->mute_guest : v->mute_unit_1) return;
  uint8_t out[300];
  size_t len = modbus_peer_build(peer, request, out);
  if (v->wrong_names) out[6] = 77;
  modbus_peer_send(request->client, out, len);
}

static void open_visit(visit *v, const char *options, const char *guest_options) {
  v->rig.peer.on_request = serve;
  v->rig.peer.user = v;
  modbus_rig_open(&v->rig, options, modbus_rig_profile);
  v->profile = profile_of(guest_profile);
  v->rig.host.apart = true;
  expect_int("guest",
             driver_device_attach(&v->guest, &v->rig.conn, "guest", v->profile, guest_options), 0);
}

static void close_visit(visit *v) {
  driver_device_detach(&v->guest);
  modbus_rig_close(&v->rig);
  bb_profile_unref(v->profile);
}

static void expect_well(visit *v, const char *row) {
  expect_int(row, driver_device_poll(&v->rig.device, 0), 0);
  expect_double(row, driver_device_value(&v->rig.device, "a"), 1010);
  expect_uint("no loss", v->rig.device.n_down + v->rig.conn.n_down, 0);
  expect_uint("one connection", v->rig.peer.n_accepted, 1);
}

static void test_apart_guest_is_read(void **state) {
  (void)state;
  visit v = {0};
  open_visit(&v, ", timeout: 200ms", "{unit: 9}");
  expect_int("guest", driver_device_poll(&v.guest, 0), 0);
  expect_double("its value", driver_device_value(&v.guest, "d"), 1500);
  expect_well(&v, "device");
  close_visit(&v);
}

/* As often as would otherwise make the connection start anew, and the unit count as dead. */
static void test_apart_silence_of_a_guest_is_its_own(void **state) {
  (void)state;
  static const char *const units[] = {"{unit: 9}", "{unit: 1}"};
  for (int i = 0; i < 2; i++) {
    visit v = {.mute_guest = true};
    open_visit(&v, ", timeout: 80ms", units[i]);
    expect_well(&v, units[i]);
    for (int n = 0; n < 2 * BB_MODBUS_MAX_SILENCE; n++) {
      expect_int("guest", driver_device_poll(&v.guest, 0), BB_ERR_TIMEOUT);
      expect_uint("it is told", v.guest.n_down, 1);
    }
    expect_part("why", v.guest.reason.text, i == 0 ? "(unit 9)" : "(unit 1)");
    expect_true("nobody tries again", strstr(v.guest.reason.text, "next try") == NULL);
    expect_uint("asked until it counts as dead, then not", v.guest.conn->conn->counters.timeouts,
                BB_MODBUS_OPEN_AFTER);
    expect_well(&v, units[i]);
    close_visit(&v);
  }
}

/* Each of them knows nothing of the former; together they would be silence enough for a new start. */
static void test_apart_guests_that_follow_each_other_end_no_connection(void **state) {
  (void)state;
  visit v = {.mute_guest = true};
  open_visit(&v, ", timeout: 80ms", "{unit: 9}");
  const bb_modbus_line *line = (const bb_modbus_line *)v.rig.conn.conn;
  for (int n = 0; n < BB_MODBUS_MAX_SILENCE; n++) {
    bb_modbus_budget before = line->budget;
    for (int i = 0; i < 2; i++) {
      expect_int("guest", driver_device_poll(&v.guest, 0), BB_ERR_TIMEOUT);
    }
    expect_int("no dead unit's share", line->budget.credit_ns, before.credit_ns);
    expect_uint("units", line->n_units, 1);
    expect_uint("dead ones", line->n_open, 0);
    driver_device_detach(&v.guest);
    expect_int("the next",
               driver_device_attach(&v.guest, &v.rig.conn, "guest", v.profile, "{unit: 9}"), 0);
  }
  expect_well(&v, "device");
  close_visit(&v);
}

/* A config is applied while the guest is there. */
static void test_apart_device_that_comes_later_has_a_unit_of_its_own(void **state) {
  (void)state;
  visit v = {.mute_guest = true};
  driver_device late;
  open_visit(&v, ", timeout: 80ms", "{unit: 9}");
  v.rig.host.apart = false;
  expect_int("late", driver_device_attach(&late, &v.rig.conn, "late", v.rig.profile, "{unit: 9}"),
             0);
  for (int n = 0; n < BB_MODBUS_OPEN_AFTER; n++) {
    expect_int("guest", driver_device_poll(&v.guest, 0), BB_ERR_TIMEOUT);
  }
  expect_int("late", driver_device_poll(&late, 0), 0);
  expect_uint("no loss", late.n_down, 0);
  driver_device_detach(&late);
  close_visit(&v);
}

static void test_apart_guest_asks_a_dead_unit_at_once(void **state) {
  (void)state;
  visit v = {.mute_unit_1 = true};
  open_visit(&v, ", timeout: 80ms", "{unit: 1}");
  for (int n = 0; n < BB_MODBUS_OPEN_AFTER; n++) driver_device_poll(&v.rig.device, 0);
  expect_uint("dead", v.rig.device.n_down, 1);
  unsigned before = v.rig.peer.n_requests;
  expect_int("guest", driver_device_poll(&v.guest, 0), 0);
  expect_uint("asked", v.rig.peer.n_requests, before + 2);
  expect_uint("it is known to the guest alone", v.rig.device.n_up, 0);
  expect_int("device", driver_device_poll(&v.rig.device, 0), BB_ERR_TIMEOUT);
  expect_uint("still waits for its own turn", v.rig.peer.n_requests, before + 2);
  close_visit(&v);
}

/* Such a device is alone on its connection; a guest beside it makes no gateway of it. */
static void test_apart_guest_makes_no_second_unit(void **state) {
  (void)state;
  visit v = {.wrong_names = true};
  open_visit(&v, ", timeout: 200ms", "{unit: 9}");
  expect_well(&v, "device");
  expect_int("guest", driver_device_poll(&v.guest, 0), 0);
  expect_well(&v, "device");
  close_visit(&v);
}

/* A device that needs rest between polls needs it whoever asks, and whenever that one came. */
static void test_apart_guest_keeps_the_interval(void **state) {
  (void)state;
  visit v = {0};
  open_visit(&v, ", min_interval: 150ms", "{unit: 1}");
  driver_device_detach(&v.guest);
  expect_well(&v, "device");
  expect_int("guest", driver_device_attach(&v.guest, &v.rig.conn, "guest", v.profile, "{unit: 1}"),
             0);
  expect_int("guest", driver_device_poll(&v.guest, 0), 0);
  expect_well(&v, "device");
  expect_uint("requests", v.n_asked, 6);
  for (int i = 2; i < 6; i += 2) {
    uint64_t apart_ns = v.asked_ns[i] - v.asked_ns[i - 2];
    /* The peer may have heard the first one late. */
    expect_true("about 150 ms apart", apart_ns > 75 * BB_NS_PER_MS);
  }
  close_visit(&v);
}

/* Without ids, what comes late could pass for the answer to the device's own request. */
static void test_apart_late_answers_are_waited_for(void **state) {
  (void)state;
  visit v = {.mute_guest = true, .rig = {.peer = {.rtu = true}}};
  open_visit(&v, ", framing: rtu, timeout: 100ms", "{unit: 1}");
  expect_well(&v, "device");
  driver_device_start(&v.guest, 0);
  driver_host_wait_count(&v.rig.host, "the guest's request", &v.rig.peer.n_requests, 3);
  driver_device_detach(&v.guest); /* its request is still under way */
  uint64_t left_ns = uv_hrtime();
  expect_well(&v, "device");
  expect_true("time-out and rest", v.asked_ns[3] - left_ns > 150 * BB_NS_PER_MS);
  v.mute_guest = false;
  expect_int("another guest",
             driver_device_attach(&v.guest, &v.rig.conn, "guest", v.profile, "{unit: 1}"), 0);
  expect_int("guest", driver_device_poll(&v.guest, 0), 0);
  close_visit(&v);
}

static void test_apart_guest_without_memory(void **state) {
  (void)state;
  visit v = {0};
  size_t nth = 0, refused = 0;
  open_visit(&v, "", "{unit: 9}");
  driver_device_detach(&v.guest);
  for (;;) {
    v.rig.host.fail_attach = ++nth;
    int err = driver_device_attach(&v.guest, &v.rig.conn, "guest", v.profile, "{unit: 1}");
    bool last = err == 0 && v.rig.host.allocations < nth;
    if (last) break;
    if (err == 0) driver_device_detach(&v.guest); /* a smaller list of blocks is no need */
    if (err < 0) expect_int("lack of memory", err, BB_ERR_NOMEM);
    refused += err < 0;
  }
  expect_true("attaching allocates", refused > 3);
  v.rig.host.fail_attach = 0;
  expect_int("guest", driver_device_poll(&v.guest, 0), 0);
  expect_well(&v, "device");
  close_visit(&v);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_apart_guest_is_read),
      cmocka_unit_test(test_apart_silence_of_a_guest_is_its_own),
      cmocka_unit_test(test_apart_guests_that_follow_each_other_end_no_connection),
      cmocka_unit_test(test_apart_device_that_comes_later_has_a_unit_of_its_own),
      cmocka_unit_test(test_apart_guest_asks_a_dead_unit_at_once),
      cmocka_unit_test(test_apart_guest_makes_no_second_unit),
      cmocka_unit_test(test_apart_guest_keeps_the_interval),
      cmocka_unit_test(test_apart_late_answers_are_waited_for),
      cmocka_unit_test(test_apart_guest_without_memory),
  };
  return DRIVER_HOST_RUN_TWICE("modbus apart", tests);
}
