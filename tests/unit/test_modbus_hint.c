/* SPDX-License-Identifier: Apache-2.0 */
/* A device that refuses every read: when the other table is tried, what the log then says, and that
 * no value comes from there. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/modbus_rig.h"

#define ANY 0xFFFF

/* What the device does with reads; `answers`: this function only, `at` this address or any. */
typedef struct {
  uint8_t answers;
  uint16_t at;
  uint8_t exception; /* for the rest; 0: silence */
} habit;

typedef struct {
  modbus_rig rig;
  habit does;
  unsigned n_three, n_four; /* requests, by function */
  int log;
} fixture;

static void behave(modbus_peer *peer, const modbus_peer_request *request) {
  fixture *f = peer->user;
  const habit *h = &f->does;
  f->n_three += request->function == 3;
  f->n_four += request->function == 4;
  if (request->function == h->answers && (h->at == ANY || h->at == request->address)) {
    modbus_peer_answer(peer, request);
  } else if (h->exception != 0) {
    modbus_peer_refuse(peer, request, h->exception);
  }
}

static void open_all(fixture *f, habit does, const char *profile) {
  *f = (fixture){.does = does};
  f->rig.peer.on_request = behave;
  f->rig.peer.user = f;
  modbus_rig_open(&f->rig, ", timeout: 50ms", profile);
  f->log = memfd_create("log", MFD_CLOEXEC);
  expect_true("log", f->log >= 0);
  f->rig.host.log.fd = f->log;
  f->rig.host.log.level = BB_LOG_WARN;
}

static void close_all(fixture *f) {
  modbus_rig_close(&f->rig);
  close(f->log);
}

static const char *read_log(const fixture *f) {
  static char text[4096];
  ssize_t n = pread(f->log, text, sizeof(text) - 1, 0);
  expect_true("read", n >= 0);
  text[n] = 0;
  return text;
}

/* Polls all scans `times` times; what they bring is bad. */
static void poll_all(fixture *f, unsigned times) {
  driver_device *device = &f->rig.device;
  while (times-- > 0) {
    for (uint32_t i = 0; i < device->attachment->n_scans; i++) driver_device_poll(device, i);
  }
  driver_host_run(&f->rig.host, 5);
}

static const char holding[] = "profile: 1\n"
                              "id: acme/meter\n"
                              "points:\n"
                              "  - { name: voltage, type: float32, holding: 1 }\n"
                              "  - { name: current, type: float32, holding: 3 }\n"
                              "  - { name: state, type: uint16, holding: 90 }\n";

static const char input[] = "profile: 1\n"
                            "id: acme/meter\n"
                            "modbus: { table: input }\n"
                            "points: [{ name: voltage, type: float32, register: 30 }]\n";

static const char closed[] = "profile: 1\n"
                             "id: acme/meter\n"
                             "modbus: { unreadable: [input 0-4] }\n"
                             "points:\n"
                             "  - { name: voltage, type: float32, holding: 1 }\n"
                             "  - { name: state, type: uint16, holding: 90 }\n";

static const char coils[] = "profile: 1\n"
                            "id: acme/meter\n"
                            "points: [{ name: on, type: bit, coil: 1 }]\n";

typedef struct {
  const char *name, *profile;
  habit does;
  unsigned others; /* requests of the other function, after ten rounds */
  const char *words;
} hint_row;

static const hint_row rows[] = {
    {"input answers",
     holding,
     {4, ANY, 2},
     1,
     " meter-1: voltage: holding register 1 is refused, but input register 1 answers: this "
     "device seems to keep its values in the input registers; in profile acme/meter set `table: "
     "input`, or write `input` in place of `holding`\n"},
    {"holding answers",
     input,
     {3, ANY, 1},
     1,
     " meter-1: voltage: input register 30 is refused, but holding register 30 answers: this "
     "device seems to keep its values in the holding registers; in profile acme/meter set `table: "
     "holding`, or write `holding` in place of `input`\n"},
    {"what must not be read is not",
     closed,
     {4, ANY, 2},
     1,
     "state: holding register 90 is refused"},
    {"neither answers", holding, {0, 0, 2}, 1, ""},
    {"something answers", holding, {3, 90, 2}, 0, ""},
    {"too long", holding, {0, 0, 3}, 0, ""},
    {"fault", holding, {0, 0, 4}, 0, ""},
    {"busy", holding, {0, 0, 6}, 0, ""},
    {"the gateway's refusal", holding, {0, 0, 11}, 0, ""},
    {"silence", holding, {0, 0, 0}, 0, ""},
    {"coils have no other table", coils, {4, ANY, 1}, 0, ""},
};

static void test_hint_says_that_the_other_table_answers(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    const hint_row *row = &rows[i];
    fixture f;
    open_all(&f, row->does, row->profile);
    poll_all(&f, 10);
    unsigned others = row->profile == input ? f.n_three : f.n_four;
    expect_uint(row->name, others, row->others);
    const char *log = read_log(&f);
    if (row->words[0] == 0) {
      expect_text(row->name, log, "");
    } else {
      expect_part(row->name, log, row->words);
      expect_true("one line", strchr(log, '\n') == log + strlen(log) - 1);
    }
    if (row->does.answers == 4 && row->profile != coils) {
      expect_uint("no value", driver_device_quality(&f.rig.device, "voltage"), RIG_BAD(REFUSED));
    }
    close_all(&f);
  }
}

static const char two_scans[] = "profile: 1\n"
                                "id: acme/meter\n"
                                "points:\n"
                                "  - { name: voltage, type: float32, holding: 1 }\n"
                                "  - { name: energy, type: uint32, holding: 100, scan: slow }\n";

static void test_hint_waits_for_all_scans(void **state) {
  (void)state;
  fixture f;
  open_all(&f, (habit){4, ANY, 2}, two_scans);
  for (int i = 0; i < 5; i++) driver_device_poll(&f.rig.device, 0);
  expect_uint("not yet", f.n_four, 0);
  driver_device_poll(&f.rig.device, 1);
  driver_host_run(&f.rig.host, 3 * BB_BEAT_MS);
  expect_uint("now", f.n_four, 1);
  expect_part("words", read_log(&f), "voltage: holding register 1 is refused");
  close_all(&f);
  /* The second scan is well: nothing is wrong with the table. */
  open_all(&f, (habit){3, 100, 2}, two_scans);
  poll_all(&f, 5);
  expect_uint("well", f.n_four, 0);
  close_all(&f);
}

static void test_hint_never_for_a_device_that_once_answered(void **state) {
  (void)state;
  fixture f;
  open_all(&f, (habit){3, ANY, 2}, holding);
  poll_all(&f, 1);
  expect_uint("well", driver_device_quality(&f.rig.device, "voltage"), RIG_GOOD);
  f.does.answers = 4;
  poll_all(&f, 10);
  expect_uint("refused", driver_device_quality(&f.rig.device, "voltage"), RIG_BAD(REFUSED));
  expect_uint("the other table is left alone", f.n_four, 0);
  expect_text("log", read_log(&f), "");
  close_all(&f);
}

/* Down, and up again. */
static void reconnect(fixture *f, unsigned times) {
  f->rig.peer.close_at_once = true;
  modbus_peer_drop_all(&f->rig.peer, false);
  driver_host_wait_count(&f->rig.host, "down", &f->rig.conn.n_down, times);
  f->rig.peer.close_at_once = false;
  unsigned asked = f->n_three;
  while (f->n_three == asked) poll_all(f, 1);
}

static void test_hint_asks_once_a_connection_until_it_has_told(void **state) {
  (void)state;
  fixture f;
  open_all(&f, (habit){0, 0, 2}, holding);
  poll_all(&f, 5);
  expect_uint("first connection", f.n_four, 1);
  reconnect(&f, 1);
  poll_all(&f, 5);
  expect_uint("second", f.n_four, 2);
  f.does.answers = 4;
  f.does.at = ANY;
  poll_all(&f, 5);
  expect_text("not asked again before the next", read_log(&f), "");
  reconnect(&f, 2);
  poll_all(&f, 5);
  expect_uint("third", f.n_four, 3);
  size_t told = strlen(read_log(&f));
  expect_true("told", told > 0);
  reconnect(&f, 3);
  poll_all(&f, 5);
  expect_uint("no more", f.n_four, 3);
  expect_uint("once", strlen(read_log(&f)), told);
  close_all(&f);
}

/* The device leaves while the other table is being asked. */
static void test_hint_is_forgotten_with_its_device(void **state) {
  (void)state;
  fixture f;
  open_all(&f, (habit){4, ANY, 2}, holding);
  f.rig.peer.mute = true;
  driver_device_start(&f.rig.device, 0);
  driver_host_wait_count(&f.rig.host, "first", &f.rig.peer.n_requests, 1);
  modbus_peer_refuse(&f.rig.peer, &f.rig.peer.last, 2);
  driver_host_wait_count(&f.rig.host, "second", &f.rig.peer.n_requests, 2);
  modbus_peer_refuse(&f.rig.peer, &f.rig.peer.last, 2);
  driver_host_wait_count(&f.rig.host, "the other table", &f.rig.peer.n_requests, 3);
  expect_uint("function", f.rig.peer.last.function, 4);
  expect_uint("the poll did not wait for it", f.rig.device.scans[0].n_done, 1);
  f.rig.device.conn->conn->driver->detach(f.rig.device.attachment);
  driver_host_wait_flag(&f.rig.host, "detached", &f.rig.device.detached);
  modbus_peer_answer(&f.rig.peer, &f.rig.peer.last);
  driver_host_run(&f.rig.host, 10);
  expect_text("log", read_log(&f), "");
  f.rig.conn.conn->driver->close(f.rig.conn.conn);
  driver_host_wait_flag(&f.rig.host, "closed", &f.rig.conn.closed);
  driver_device_free(&f.rig.device);
  driver_conn_free(&f.rig.conn);
  modbus_peer_close(&f.rig.peer);
  driver_host_close(&f.rig.host);
  bb_profile_unref(f.rig.profile);
  close(f.log);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hint_says_that_the_other_table_answers),
      cmocka_unit_test(test_hint_waits_for_all_scans),
      cmocka_unit_test(test_hint_never_for_a_device_that_once_answered),
      cmocka_unit_test(test_hint_asks_once_a_connection_until_it_has_told),
      cmocka_unit_test(test_hint_is_forgotten_with_its_device),
  };
  return DRIVER_HOST_RUN_TWICE("modbus hint", tests);
}
