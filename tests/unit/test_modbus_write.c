/* SPDX-License-Identifier: Apache-2.0 */
/* Commands over Modbus: what reaches a libmodbus server, and each way in which one can end. */
/* tsan: yes */
#include <string.h>

#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/modbus_meter.h"
#include "support/modbus_rig.h"

static const char writable[] =
    "profile: 1\n"
    "id: x\n"
    "points:\n"
    "  - { name: u16, type: uint16, holding: 0, write: true }\n"
    "  - { name: f32, type: float32, holding: 2, order: CDAB, write: true }\n"
    "  - { name: percent, type: int16, holding: 4, scale: 0.1, write: { min: 0, max: 100 } }\n"
    "  - { name: mode, type: uint16, holding: 5, bit: 4, bits: 3, write: true }\n"
    "  - { name: flag, type: bit, holding: 5, bit: 0, alias: true, write: true }\n"
    "  - { name: low, type: uint8, holding: 6, write: true }\n"
    "  - { name: masked, type: uint8, holding: 7, write: { function: 22 } }\n"
    "  - { name: wide, type: uint32, holding: 8, bit: 8, bits: 16, write: true }\n"
    "  - { name: sf, type: int16, holding: 21 }\n"
    "  - { name: watts, type: int16, holding: 20, scale_from: sf, write: true }\n"
    "  - { name: coil, type: bit, coil: 7, write: true }\n"
    "  - { name: coil15, type: bit, coil: 8, write: { function: 15 } }\n"
    "  - { name: f16, type: uint16, holding: 30, write: { function: 16 } }\n"
    "  - { name: blind, type: uint16, holding: 31, write: { read_back: false } }\n"
    "  - { name: ba, type: uint16, holding: 40, write: { block: b } }\n"
    "  - { name: bb, type: uint16, holding: 41, write: { block: b } }\n"
    "  - { name: bc, type: uint16, holding: 42, write: { block: b } }\n"
    "  - { name: ca, type: bit, coil: 40, write: { block: c } }\n"
    "  - { name: cb, type: bit, coil: 41, write: { block: c } }\n"
    "  - { name: cc, type: bit, coil: 42, write: { block: c } }\n"
    "  - { name: name, type: text, length: 8, holding: 50, write: true }\n"
    "  - { name: absent, type: uint16, holding: 1000, write: true }\n";

typedef struct {
  const char *point;
  double value;
  char table;
  unsigned address;
  uint16_t before[2], after[2];
} row;

/* 0x4366199A is 230.1 in float32. */
static const row rows[] = {
    {"u16", 54321, 'h', 0, {1, 7}, {54321, 7}},
    {"f32", (double)230.1f, 'h', 2, {0, 0}, {0x199A, 0x4366}},
    {"percent", 12.3, 'h', 4, {0, 7}, {123, 7}},
    {"mode", 5, 'h', 5, {0xFFFF, 7}, {0xFFDF, 7}},
    {"mode", 2, 'h', 5, {0x0000, 7}, {0x0020, 7}},
    {"flag", 1, 'h', 5, {0x8000, 7}, {0x8001, 7}},
    {"flag", 0, 'h', 5, {0xFFFF, 7}, {0xFFFE, 7}},
    {"low", 0x34, 'h', 6, {0xAB12, 7}, {0xAB34, 7}},
    {"masked", 0x34, 'h', 7, {0xAB12, 7}, {0xAB34, 7}},
    {"wide", 0x1234, 'h', 8, {0xFFFF, 0xFFFF}, {0xFF12, 0x34FF}},
    {"coil", 1, 'c', 7, {0, 0}, {1, 0}},
    {"coil", 0, 'c', 7, {1, 1}, {0, 1}},
    {"coil15", 1, 'c', 8, {0, 0}, {1, 0}},
    {"f16", 99, 'h', 30, {1, 7}, {99, 7}},
    {"blind", 98, 'h', 31, {1, 7}, {98, 7}},
};

static void test_write_reaches_the_device(void **state) {
  (void)state;
  modbus_meter f;
  modbus_meter_open(&f, "", writable);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    const row *r = &rows[i];
    for (unsigned k = 0; k < 2; k++) {
      modbus_server_set(&f.server, r->table, r->address + k, r->before[k]);
    }
    expect_int(r->point, driver_device_write(&f.device, r->point, r->value), BB_OUTCOME_CONFIRMED);
    for (unsigned k = 0; k < 2; k++) {
      expect_uint(r->point, modbus_server_get(&f.server, r->table, r->address + k), r->after[k]);
    }
  }
  modbus_meter_close(&f);
}

static void add_u16(bb_command *command, const driver_device *device, const char *point,
                    uint64_t value) {
  driver_command_add(command, device, point, (bb_value){.type = BB_TYPE_U16, .v = {.u = value}});
}

static void test_write_uses_the_scale_factor_of_the_device(void **state) {
  (void)state;
  static const struct {
    int16_t factor;
    double watts;
    uint16_t raw;
  } scales[] = {{-1, 12.3, 123}, {2, 5000, 50}, {0, 7, 7}};
  modbus_meter f;
  modbus_meter_open(&f, "", writable);
  for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
    modbus_server_set(&f.server, 'h', 21, (uint16_t)scales[i].factor);
    expect_int("outcome", driver_device_write(&f.device, "watts", scales[i].watts),
               BB_OUTCOME_CONFIRMED);
    expect_uint("raw", modbus_server_get(&f.server, 'h', 20), scales[i].raw);
  }
  modbus_server_set(&f.server, 'h', 21, 0x8000);
  expect_int("no factor", driver_device_write(&f.device, "watts", 5), BB_OUTCOME_REFUSED);
  expect_part("words", f.device.why.text, "watts (holding 20): ");
  modbus_meter_close(&f);
}

static void test_write_block_is_one_request(void **state) {
  (void)state;
  modbus_meter f;
  bb_command command = {.n = 0};
  modbus_meter_open(&f, "", writable);
  uint64_t before = f.conn.conn->counters.requests;
  add_u16(&command, &f.device, "bc", 3);
  add_u16(&command, &f.device, "ba", 1);
  add_u16(&command, &f.device, "bb", 2);
  expect_int("outcome", driver_device_command(&f.device, &command), BB_OUTCOME_CONFIRMED);
  for (unsigned i = 0; i < 3; i++) {
    expect_uint("value", modbus_server_get(&f.server, 'h', 40 + i), i + 1);
  }
  expect_uint("a write and a read", f.conn.conn->counters.requests, before + 2);
  expect_uint("all measured", command.has_measured, 7);
  expect_uint("bc", command.measured[0].v.u, 3);
  modbus_meter_close(&f);
}

/* What a command leaves out of a block keeps its value. */
static void test_write_block_with_a_hole(void **state) {
  (void)state;
  modbus_meter f;
  bb_command command = {.n = 0};
  bb_value on = {.type = BB_TYPE_BOOL, .v = {.b = true}};
  modbus_meter_open(&f, "", writable);
  modbus_server_set(&f.server, 'h', 41, 777);
  modbus_server_set(&f.server, 'c', 41, 1);
  add_u16(&command, &f.device, "ba", 1);
  add_u16(&command, &f.device, "bc", 3);
  driver_command_add(&command, &f.device, "ca", on);
  driver_command_add(&command, &f.device, "cc", on);
  expect_int("outcome", driver_device_command(&f.device, &command), BB_OUTCOME_CONFIRMED);
  expect_uint("ba", modbus_server_get(&f.server, 'h', 40), 1);
  expect_uint("bb", modbus_server_get(&f.server, 'h', 41), 777);
  expect_uint("bc", modbus_server_get(&f.server, 'h', 42), 3);
  for (unsigned i = 40; i < 43; i++) expect_uint("coils", modbus_server_get(&f.server, 'c', i), 1);
  modbus_meter_close(&f);
}

static void test_write_text(void **state) {
  (void)state;
  modbus_meter f;
  bb_command command = {.n = 0};
  bb_value text = {.type = BB_TYPE_TEXT, .v = {.text = {"Busbar", 6}}};
  modbus_meter_open(&f, "", writable);
  driver_command_add(&command, &f.device, "name", text);
  expect_int("outcome", driver_device_command(&f.device, &command), BB_OUTCOME_CONFIRMED);
  expect_uint("Bu", modbus_server_get(&f.server, 'h', 50), 'B' << 8 | 'u');
  expect_uint("ar", modbus_server_get(&f.server, 'h', 52), 'a' << 8 | 'r');
  expect_uint("measured", command.has_measured, 1);
  modbus_meter_close(&f);
}

static void test_write_refused_by_the_device(void **state) {
  (void)state;
  modbus_meter f;
  bb_command command = {.n = 0};
  modbus_meter_open(&f, "", writable);
  expect_int("outcome", driver_device_write(&f.device, "absent", 1), BB_OUTCOME_REFUSED);
  expect_uint("code", f.device.why.raw, 2);
  expect_part("words", f.device.why.text, "absent (holding 1000): the device has no such address");
  expect_part("words", f.device.why.text, "(exception 2)");
  add_u16(&command, &f.device, "u16", 5);
  add_u16(&command, &f.device, "absent", 5);
  add_u16(&command, &f.device, "blind", 5);
  expect_int("outcome", driver_device_command(&f.device, &command), BB_OUTCOME_REFUSED);
  expect_part("words", f.device.why.text, "1 of 3 points were written before");
  expect_uint("written before", modbus_server_get(&f.server, 'h', 0), 5);
  expect_uint("not written behind", modbus_server_get(&f.server, 'h', 31), 0);
  modbus_meter_close(&f);
}

static void test_write_of_what_cannot_be_sent(void **state) {
  (void)state;
  modbus_meter f;
  modbus_meter_open(&f, "", writable);
  expect_int("too large", driver_device_write(&f.device, "percent", 5000), BB_OUTCOME_REFUSED);
  expect_part("words", f.device.why.text, "the device cannot hold this value");
  expect_uint("nothing was sent", f.conn.conn->counters.requests, 0);
  bb_command none = {.n = 0};
  expect_int("no points", f.conn.conn->driver->write(f.device.attachment, &none), BB_ERR_INVALID);
  modbus_meter_close(&f);
}

typedef enum { ALL, NO_MASK, MUTE_WRITES, MUTE_READS, CLAMP, SLOW, DROP, ACK, BEHIND } habit;

typedef struct {
  habit habit;
  uint16_t registers[64];
  unsigned reads, writes;
} plant;

static void store(plant *p, const modbus_peer_request *request) {
  if (request->function == 6) p->registers[request->address] = request->count;
}

static void answer_read(modbus_peer *peer, const modbus_peer_request *request,
                        const uint16_t *from) {
  uint8_t out[64];
  size_t len = modbus_peer_build(peer, request, out);
  for (unsigned i = 0; i < request->count; i++) {
    out[9 + 2 * i] = (uint8_t)(from[request->address + i] >> 8);
    out[10 + 2 * i] = (uint8_t)from[request->address + i];
  }
  modbus_peer_send(request->client, out, len);
}

static void behave(modbus_peer *peer, const modbus_peer_request *request) {
  plant *p = peer->user;
  if (request->function == 3) {
    p->reads++;
    static const uint16_t old[64];
    bool is_old = p->habit == SLOW && p->reads < 3;
    if (p->habit != MUTE_READS) answer_read(peer, request, is_old ? old : p->registers);
    return;
  }
  p->writes++;
  if (p->habit == NO_MASK && request->function == 22) {
    modbus_peer_refuse(peer, request, 1);
    return;
  }
  if (p->habit == ACK || p->habit == BEHIND) {
    modbus_peer_refuse(peer, request, p->habit == ACK ? 5 : 11);
    return;
  }
  store(p, request);
  if (p->habit == CLAMP) p->registers[request->address] = 40;
  if (p->habit == MUTE_WRITES) return;
  if (p->habit == DROP) {
    modbus_peer_drop(request->client, true);
    return;
  }
  modbus_peer_answer(peer, request);
}

typedef struct {
  const char *name;
  habit habit;
  const char *point;
  int outcome;
  const char *words;
  unsigned writes, reads;
  uint16_t after;
} habit_row;

static const habit_row habits[] = {
    {"well", ALL, "u16", BB_OUTCOME_CONFIRMED, "written and read back", 1, 1, 50},
    {"blind", ALL, "blind", BB_OUTCOME_CONFIRMED, "written", 1, 0, 0},
    {"no mask write", NO_MASK, "low", BB_OUTCOME_CONFIRMED, "written and read back", 2, 2, 0},
    {"only a mask write", NO_MASK, "masked", BB_OUTCOME_REFUSED,
     "masked (holding 7): the device does not know this function (exception 1)", 1, 0, 0},
    {"no answer", MUTE_WRITES, "u16", BB_OUTCOME_UNKNOWN,
     "u16 (holding 0): sent, and may have been written: no answer (127.0.0.1:", 1, 0, 50},
    {"not read back", MUTE_READS, "u16", BB_OUTCOME_UNKNOWN, "written, but not read back", 1, 1,
     50},
    {"clamped", CLAMP, "u16", BB_OUTCOME_REFUSED,
     "the device took 50 without an error, but it reads 40", 1, 3, 40},
    {"shown later", SLOW, "u16", BB_OUTCOME_CONFIRMED, "written and read back", 1, 3, 50},
    {"dropped", DROP, "u16", BB_OUTCOME_UNKNOWN, "the connection is down", 1, 0, 50},
    {"acknowledged", ACK, "u16", BB_OUTCOME_UNKNOWN, "(exception 5)", 1, 0, 0},
    {"behind a gateway", BEHIND, "u16", BB_OUTCOME_UNKNOWN, "(exception 11)", 1, 0, 0},
};

static void test_write_ends(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
    const habit_row *ending = &habits[i];
    plant p = {.habit = ending->habit};
    modbus_rig rig = {.peer = {.on_request = behave, .user = &p}};
    modbus_rig_open(&rig, ", timeout: 60ms", writable);
    expect_int(ending->name, driver_device_write(&rig.device, ending->point, 50), ending->outcome);
    expect_part(ending->name, rig.device.why.text, ending->words);
    driver_host_run(&rig.host, 80);
    expect_uint("never sent twice", p.writes, ending->writes);
    expect_uint(ending->name, p.reads, ending->reads);
    expect_uint(ending->name, p.registers[0], ending->after);
    modbus_rig_close(&rig);
  }
}

static void test_write_remembers_that_a_device_cannot_mask(void **state) {
  (void)state;
  plant p = {.habit = NO_MASK};
  p.registers[6] = 0xAB00;
  modbus_rig rig = {.peer = {.on_request = behave, .user = &p}};
  modbus_rig_open(&rig, "", writable);
  expect_int("first", driver_device_write(&rig.device, "low", 0x34), BB_OUTCOME_CONFIRMED);
  expect_uint("register", p.registers[6], 0xAB34);
  expect_uint("22, then 6", p.writes, 2);
  expect_int("second", driver_device_write(&rig.device, "low", 0x35), BB_OUTCOME_CONFIRMED);
  expect_uint("6 at once", p.writes, 3);
  /* The profile wants the rest of this register left alone, so 22 it stays. */
  p.registers[7] = 0xAB00;
  expect_int("another point", driver_device_write(&rig.device, "masked", 0x34), BB_OUTCOME_REFUSED);
  expect_uint("22", rig.peer.last.function, 22);
  expect_uint("and nothing else", p.writes, 4);
  expect_uint("register", p.registers[7], 0xAB00);
  modbus_rig_close(&rig);
}

static void test_write_without_connection(void **state) {
  (void)state;
  modbus_rig rig = {.peer.close_at_once = true};
  modbus_rig_open(&rig, "", writable);
  driver_host_wait_count(&rig.host, "down", &rig.conn.n_down, 1);
  expect_int("outcome", driver_device_write(&rig.device, "u16", 1), BB_OUTCOME_REFUSED);
  expect_part("words", rig.device.why.text, "not written: the connection is down (127.0.0.1:");
  modbus_rig_close(&rig);
}

static void test_write_expires_in_the_queue(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = true};
  bb_command command = {.n = 0};
  modbus_rig_open(&rig, ", timeout: 100ms", writable);
  driver_device_start(&rig.device, 0);
  driver_host_wait_count(&rig.host, "asked", &rig.peer.n_requests, 1);
  command.not_after_ns = bb_clock_mono_ns(&rig.host.clock) + 20 * BB_NS_PER_MS;
  add_u16(&command, &rig.device, "u16", 1);
  expect_int("outcome", driver_device_command(&rig.device, &command), BB_OUTCOME_EXPIRED);
  expect_uint("not sent", rig.peer.n_requests, 1);
  modbus_rig_close(&rig);
}

/* A poll of four reads is under way when the command comes: it is the second request, not the fifth. */
static void test_write_goes_before_waiting_reads(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = true};
  bb_command command = {.n = 0};
  modbus_rig_open(&rig, "", writable);
  driver_device_start(&rig.device, 0);
  driver_host_wait_count(&rig.host, "asked", &rig.peer.n_requests, 1);
  add_u16(&command, &rig.device, "blind", 1);
  rig.conn.conn->driver->write(rig.device.attachment, &command);
  modbus_peer_answer(&rig.peer, &rig.peer.last);
  driver_host_wait_count(&rig.host, "asked", &rig.peer.n_requests, 2);
  expect_uint("function", rig.peer.last.function, 6);
  rig.peer.mute = false;
  modbus_peer_answer(&rig.peer, &rig.peer.last);
  driver_host_wait_count(&rig.host, "written", &rig.device.n_written, 1);
  expect_int("outcome", rig.device.outcome, BB_OUTCOME_CONFIRMED);
  driver_host_wait_count(&rig.host, "read", &rig.device.scans[0].n_done, 1);
  modbus_rig_close(&rig);
}

static void test_write_queue_is_bounded(void **state) {
  (void)state;
  enum { MOST = 64 };
  static bb_command commands[MOST + 1];
  modbus_rig rig = {.peer.mute = true};
  memset(commands, 0, sizeof(commands));
  modbus_rig_open(&rig, ", timeout: 10s", writable);
  for (int i = 0; i <= MOST; i++) {
    add_u16(&commands[i], &rig.device, "u16", 1);
    expect_int("write", rig.conn.conn->driver->write(rig.device.attachment, &commands[i]),
               i < MOST ? 0 : BB_ERR_AGAIN);
  }
  driver_host_wait_count(&rig.host, "asked", &rig.peer.n_requests, 1);
  /* Detaching ends all of them; the first one was sent. */
  rig.conn.conn->driver->detach(rig.device.attachment);
  expect_uint("ended", rig.device.n_written, MOST);
  expect_int("the last was not sent", rig.device.outcome, BB_OUTCOME_REFUSED);
  driver_conn_close(&rig.conn);
  driver_device_free(&rig.device);
  modbus_peer_close(&rig.peer);
  driver_host_close(&rig.host);
  bb_profile_unref(rig.profile);
}

static void test_write_without_memory(void **state) {
  (void)state;
  modbus_meter f;
  bb_command command = {.n = 0};
  modbus_meter_open(&f, "", writable);
  add_u16(&command, &f.device, "u16", 1);
  failmalloc_start(1);
  int err = f.conn.conn->driver->write(f.device.attachment, &command);
  failmalloc_stop();
  expect_int("write", err, BB_ERR_NOMEM);
  expect_int("then", driver_device_command(&f.device, &command), BB_OUTCOME_CONFIRMED);
  modbus_meter_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_write_reaches_the_device),
      cmocka_unit_test(test_write_uses_the_scale_factor_of_the_device),
      cmocka_unit_test(test_write_block_is_one_request),
      cmocka_unit_test(test_write_block_with_a_hole),
      cmocka_unit_test(test_write_text),
      cmocka_unit_test(test_write_refused_by_the_device),
      cmocka_unit_test(test_write_of_what_cannot_be_sent),
      cmocka_unit_test(test_write_ends),
      cmocka_unit_test(test_write_remembers_that_a_device_cannot_mask),
      cmocka_unit_test(test_write_without_connection),
      cmocka_unit_test(test_write_expires_in_the_queue),
      cmocka_unit_test(test_write_goes_before_waiting_reads),
      cmocka_unit_test(test_write_queue_is_bounded),
      cmocka_unit_test(test_write_without_memory),
  };
  return DRIVER_HOST_RUN_TWICE("modbus write", tests);
}
