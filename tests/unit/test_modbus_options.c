/* SPDX-License-Identifier: Apache-2.0 */
/* The config of Modbus connections and devices: defaults, mistakes, endpoints. */
#include <stdio.h>
#include <string.h>

#include "support/expect.h"
#include "support/profile.h"

#include "base/err.h"
#include "drivers/modbus/modbus.h"
#include "drivers/modbus/options.h"

static void parse(bb_doc_tree *tree, const char *text) {
  bb_report report;
  bb_report_init(&report);
  expect_int(text, bb_doc_parse(tree, "site.yaml", text, strlen(text), &report), 0);
  bb_report_close(&report);
}

static void test_options_tcp_defaults(void **state) {
  (void)state;
  bb_doc_tree tree;
  bb_modbus_tcp_options o;
  parse(&tree, "{host: 10.0.0.21}");
  bb_modbus_tcp_options_read(&o, tree.root);
  expect_text("host", o.host, "10.0.0.21");
  expect_uint("port", o.port, 502);
  expect_int("framing", o.framing, BB_MODBUS_FRAMING_TCP);
  expect_uint("timeout", o.line.timeout_ms, 1000);
  expect_uint("max_in_flight", o.max_in_flight, 0);
  expect_uint("connect_timeout", o.connect_timeout_ms, 5000);
  expect_uint("pauses", o.line.pause_ms + o.pause_after_connect_ms + o.line.min_interval_ms, 0);
  expect_true("close_after_poll", !o.close_after_poll);
  expect_uint("keepalive", o.keepalive_ms, 60000);
  expect_uint("reconnect_max", o.reconnect_max_ms, 60000);
  bb_doc_close(&tree);
}

static void test_options_rtu_defaults(void **state) {
  (void)state;
  bb_doc_tree tree;
  bb_modbus_rtu_options o;
  parse(&tree, "{path: /dev/ttyUSB0}");
  bb_modbus_rtu_options_read(&o, tree.root);
  expect_text("path", o.path, "/dev/ttyUSB0");
  expect_uint("baud", o.baud, 9600);
  expect_int("parity", o.parity, BB_MODBUS_NONE);
  expect_uint("bits", o.data_bits * 10 + o.stop_bits, 81);
  expect_int("mode", o.mode, BB_MODBUS_RS232);
  expect_int("rts", o.rts, BB_MODBUS_RTS_NONE);
  bb_doc_close(&tree);
}

typedef struct {
  const bb_driver *driver;
  const char *text;
  const char *mistake; /* "": none */
} check_row;

static const check_row checks[] = {
    {&bb_driver_modbus_tcp, "{host: a}", ""},
    {&bb_driver_modbus_tcp, "{}", "\"host\" is missing"},
    {&bb_driver_modbus_tcp, "{host: a, max_in_flight: 17}", "from 1 to 16"},
    {&bb_driver_modbus_tcp, "{host: a, port: 0}", "from 1 to 65535"},
    {&bb_driver_modbus_tcp, "{host: a, timeout: 1ms}", "from 10 ms"},
    {&bb_driver_modbus_tcp, "{host: a, prot: 502}", "did you mean \"port\"?"},
    {&bb_driver_modbus_tcp, "{host: a, framing: ascii}", "allowed: tcp, rtu"},
    {&bb_driver_modbus_rtu, "{path: /dev/ttyS0}", ""},
    {&bb_driver_modbus_rtu, "{path: /dev/ttyS0, mode: rs485}", ""},
    {&bb_driver_modbus_rtu, "{path: /dev/ttyS0, baud: 9601}", "9601 is no rate"},
    {&bb_driver_modbus_rtu, "{path: /dev/ttyS0, mode: rs485, rts: up}", "does not go with mode"},
    {&bb_driver_modbus_rtu, "{path: /dev/ttyS0, data_bits: 9}", "from 7 to 8"},
};

static void test_options_mistakes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
    const check_row *row = &checks[i];
    bb_doc_tree tree;
    bb_report report;
    bb_buf text;
    uint64_t options[32]; /* room enough for either struct */
    bb_report_init(&report);
    bb_buf_init(&text, 4096);
    parse(&tree, row->text);
    int err = bb_schema_read(row->driver->options, tree.root, options, &report);
    if (err == 0 && row->driver->check != NULL) err = row->driver->check(tree.root, &report);
    bb_report_print(&report, &text);
    expect_int(row->text, err, row->mistake[0] == 0 ? 0 : BB_ERR_CONFIG);
    expect_part(row->text, bb_buf_string(&text), row->mistake);
    bb_buf_close(&text);
    bb_report_close(&report);
    bb_doc_close(&tree);
  }
}

typedef struct {
  const bb_driver *driver;
  const char *text, *endpoint;
} endpoint_row;

static const endpoint_row endpoints[] = {
    {&bb_driver_modbus_tcp, "{host: 10.0.0.21}", "tcp:10.0.0.21:502"},
    {&bb_driver_modbus_tcp, "{host: Meter-1.Plant, port: 1502}", "tcp:meter-1.plant:1502"},
    {&bb_driver_modbus_tcp, "{host: 'FE80::1'}", "tcp:[fe80::1]:502"},
    {&bb_driver_modbus_rtu, "{path: /dev/ttyUSB0, baud: 19200}", "serial:/dev/ttyUSB0"},
};

static void test_options_endpoints(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
    const endpoint_row *row = &endpoints[i];
    bb_doc_tree tree;
    char name[64];
    parse(&tree, row->text);
    expect_int(row->text, row->driver->endpoint(tree.root, name, sizeof(name)), 0);
    expect_text(row->text, name, row->endpoint);
    expect_int("no room", row->driver->endpoint(tree.root, name, 8), BB_ERR_LIMIT);
    bb_doc_close(&tree);
  }
}

static void test_options_unit(void **state) {
  (void)state;
  static const struct {
    const bb_schema *schema;
    const char *text;
    unsigned unit;
    int err;
  } rows[] = {{&bb_modbus_tcp_device_schema, "{}", 1, 0},
              {&bb_modbus_tcp_device_schema, "{unit: 0}", 0, 0},
              {&bb_modbus_tcp_device_schema, "{unit: 255}", 255, 0},
              {&bb_modbus_tcp_device_schema, "{unit: 256}", 1, BB_ERR_CONFIG},
              {&bb_modbus_rtu_device_schema, "{unit: 247}", 247, 0},
              {&bb_modbus_rtu_device_schema, "{unit: 0}", 1, BB_ERR_CONFIG},
              {&bb_modbus_rtu_device_schema, "{unit: 248}", 1, BB_ERR_CONFIG}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_doc_tree tree;
    bb_report report;
    uint32_t unit;
    bb_report_init(&report);
    parse(&tree, rows[i].text);
    expect_int(rows[i].text, bb_schema_read(rows[i].schema, tree.root, &unit, &report),
               rows[i].err);
    expect_uint(rows[i].text, bb_modbus_unit_read(rows[i].schema, tree.root), rows[i].unit);
    bb_report_close(&report);
    bb_doc_close(&tree);
  }
}

static void test_options_gap(void **state) {
  (void)state;
  /* 3.5 characters: of 11 bits at 9,600 baud 4.010 ms, of 10 bits at 1,200 baud 29.167 ms. */
  static const struct {
    uint32_t baud, stop_bits;
    int parity;
    uint32_t us;
  } rows[] = {{9600, 1, BB_MODBUS_EVEN, 4011},  {9600, 2, BB_MODBUS_NONE, 4011},
              {1200, 1, BB_MODBUS_NONE, 29167}, {19200, 1, BB_MODBUS_EVEN, 2006},
              {38400, 1, BB_MODBUS_EVEN, 1750}, {115200, 1, BB_MODBUS_NONE, 1750}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_modbus_rtu_options o = {.baud = rows[i].baud,
                               .parity = rows[i].parity,
                               .data_bits = 8,
                               .stop_bits = rows[i].stop_bits};
    char row[32];
    snprintf(row, sizeof(row), "%u baud", o.baud);
    expect_uint(row, bb_modbus_rtu_gap_us(&o), rows[i].us);
  }
}

static void test_options_device_without_modbus_points(void **state) {
  (void)state;
  bb_profile *enip = profile_of("{profile: 1, id: x, points: ["
                                "{name: a, type: float32, assembly: 101, offset: 0}]}");
  bb_profile *modbus = profile_of("{profile: 1, id: x, points: ["
                                  "{name: a, type: float32, input: 101}]}");
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  parse(&tree, "{id: meter-1}");
  expect_int("modbus", bb_driver_modbus_tcp.check_device(tree.root, modbus, &report), 0);
  expect_int("enip", bb_driver_modbus_tcp.check_device(tree.root, enip, &report), BB_ERR_CONFIG);
  expect_part("words", report.mistakes[0].text, "profile x has no point with a Modbus address");
  bb_report_close(&report);
  bb_doc_close(&tree);
  bb_profile_unref(enip);
  bb_profile_unref(modbus);
}

static void test_options_device_with_a_scale_factor_out_of_reach(void **state) {
  (void)state;
  static const struct {
    const char *points, *mistake;
  } rows[] = {
      {"{name: sf, type: int16, input: 0}, {name: a, type: int16, input: 9, scale_from: sf}", ""},
      {"{name: sf, type: int16, input: 0}, {name: a, type: int16, input: 200, scale_from: sf}",
       "a and its scale factor sf do not fit into one read; allowed: the same table, at most 125"},
      {"{name: sf, type: int16, holding: 0}, {name: a, type: int16, input: 1, scale_from: sf}",
       "a and its scale factor sf do not fit into one read"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char text[256];
    bb_doc_tree tree;
    bb_report report;
    snprintf(text, sizeof(text), "{profile: 1, id: x, points: [%s]}", rows[i].points);
    bb_profile *profile = profile_of(text);
    bb_report_init(&report);
    parse(&tree, "{id: meter-1}");
    bool fits = rows[i].mistake[0] == 0;
    expect_int(text, bb_driver_modbus_tcp.check_device(tree.root, profile, &report),
               fits ? 0 : BB_ERR_CONFIG);
    if (!fits) expect_part(text, report.mistakes[0].text, rows[i].mistake);
    bb_report_close(&report);
    bb_doc_close(&tree);
    bb_profile_unref(profile);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_options_tcp_defaults),
      cmocka_unit_test(test_options_rtu_defaults),
      cmocka_unit_test(test_options_mistakes),
      cmocka_unit_test(test_options_endpoints),
      cmocka_unit_test(test_options_unit),
      cmocka_unit_test(test_options_gap),
      cmocka_unit_test(test_options_device_without_modbus_points),
      cmocka_unit_test(test_options_device_with_a_scale_factor_out_of_reach),
  };
  return cmocka_run_group_tests_name("modbus options", tests, NULL, NULL);
}
