/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes as a newcomer makes them: each is told once, at its place, with what to do, and neither
 * hides another one nor brings others with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/config.h"
#include "support/expect.h"
#include "support/failmalloc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define HEAD "busbar: 1\n"
#define PM500 "rockwell/powermonitor-500"
#define LINE "connections:\n  - { id: line, modbus-tcp: { host: 10.0.0.1 } }\n"
#define METER "devices:\n  - { id: m, connection: line, profile: " PM500 " }\n"
#define KINDS                                                                                      \
  "unknown key; allowed: id, modbus-tcp, modbus-rtu, external; options stand below the kind\n"

typedef struct mistake_row {
  const char *row, *text, *expected;
} mistake_row;

static void expect_report(const mistake_row *row) {
  bb_config *config;
  bb_report report;
  bb_buf out;
  bb_report_init(&report);
  bb_buf_init(&out, 1u << 16);
  int err = bb_config_parse(&config, "s", row->text, strlen(row->text), &bb_kinds_all, &report);
  bb_report_print(&report, &out);
  expect_text(row->row, bb_buf_string(&out), row->expected);
  expect_int(row->row, err, BB_ERR_CONFIG);
  expect_true(row->row, config == NULL);
  bb_buf_close(&out);
  bb_report_close(&report);
}

/* The devices of each document refer to what is broken in it. */
static const mistake_row misplaced[] = {
    {"options beside an empty kind",
     HEAD "connections:\n  - id: line\n    modbus-tcp:\n    host: 10.0.0.1\n    port: 502\n" METER,
     "s:5: connections[line].host: host and port belong below modbus-tcp; indent them by two more "
     "spaces\n"},
    {"one option", HEAD "connections:\n  - id: line\n    modbus-tcp:\n    host: 10.0.0.1\n" METER,
     "s:5: connections[line].host: host belongs below modbus-tcp; indent it by two more spaces\n"},
    {"three, above and below, and a value that is wrong",
     HEAD "connections:\n  - id: line\n    timeout: 3\n    modbus-tcp:\n    host: 10.0.0.1\n"
          "    port: 502\n" METER,
     "s:4: connections[line].timeout: timeout, host and port belong below modbus-tcp; indent them "
     "by two more spaces\n"
     "s:4: connections[line].modbus-tcp.timeout: \"3\" does not fit; allowed: a duration such as "
     "250ms, 5s, 1min, from 10 ms to 1 min\n"},
    {"beside a kind that has options",
     HEAD
     "connections:\n  - id: line\n    modbus-tcp:\n      host: 10.0.0.1\n    port: 502\n" METER,
     "s:6: connections[line].port: port belongs below modbus-tcp; indent it by two more spaces\n"},
    {"beside braces",
     HEAD "connections:\n  - { id: line, modbus-tcp: { host: a }, port: 502 }\n" METER,
     "s:3: connections[line].port: port belongs into the braces of modbus-tcp: { port: ... }\n"},
    {"within braces", HEAD "connections:\n  - { id: line, modbus-tcp: , host: a }\n" METER,
     "s:3: connections[line].host: host belongs into the braces of modbus-tcp: { host: ... }\n"},
    {"without the kind", HEAD "connections:\n  - id: line\n    path: /dev/ttyUSB0\n" METER,
     "s:4: connections[line].path: path is an option of a kind that is missing; write the kind, "
     "such as \"modbus-rtu:\", on a line above and indent it by two more spaces\n"},
    {"a sink",
     HEAD "sinks:\n  - id: bus\n    mqtt:\n    url: mqtt://b\nroutes:\n  - { sink: bus }\n",
     "s:5: sinks[bus].url: url belongs below mqtt; indent it by two more spaces\n"},
    {"a value in place of the options",
     HEAD "connections:\n  - { id: line, modbus-tcp: 10.0.0.1 }\n" METER,
     "s:3: connections[line].modbus-tcp: options of modbus-tcp stand below it, such as \"host: "
     "...\"\n"},
};

static void test_config_says_where_misplaced_options_belong(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(misplaced); i++) expect_report(&misplaced[i]);
}

/* What refers to an entry that could not be read is no mistake of its own. */
static const mistake_row followers[] = {
    {"a connection without a kind", HEAD "connections:\n  - { id: line }\n" METER,
     "s:3: connections[line]: its kind is missing: one of modbus-tcp, modbus-rtu, external\n"},
    {"of a kind that is not known", HEAD "connections:\n  - { id: line, profinet: {} }\n" METER,
     "s:3: connections[line].profinet: " KINDS},
    {"of a kind that is cut short",
     HEAD "connections:\n  - { id: line, modbus: { hots: a, host: b } }\n" METER,
     "s:3: connections[line].modbus: unknown key; did you mean \"modbus-tcp\"? allowed: id, "
     "modbus-tcp, modbus-rtu, external; options stand below the kind\n"
     "s:3: connections[line].modbus.hots: unknown key; did you mean \"host\"? allowed: host, port, "
     "framing, max_in_flight, connect_timeout, pause_after_connect, close_after_poll, keepalive, "
     "timeout, pause_between_requests, min_interval, reconnect_max\n"},
    {"a connection without an id", HEAD "connections:\n  - { modbus-tcp: { host: a } }\n" METER,
     "s:3: connections[0]: \"id\" is missing: the name by which others refer to it\n"},
    {"an id that is none", HEAD "connections:\n  - { id: .l, modbus-tcp: { host: a } }\n" METER,
     "s:3: connections[.l].id: \".l\" is no id; allowed: 1 to 64 of letters, digits, - _ . and not "
     "starting with . or -\n"
     "s:5: devices[m].connection: there is no connection \"line\"; allowed: an id of "
     "`connections`\n"},
    {"connections that are no list",
     HEAD "connections:\n  line: { modbus-tcp: { host: a } }\n" METER,
     "s:2: connections: a map stands here; allowed: list\n"},
    {"connections misspelt", HEAD "conections:\n  - { id: line }\n" METER,
     "s:2: conections: unknown key; did you mean \"connections\"? allowed: busbar, site, "
     "connections, devices, sinks, routes, runtime\n"},
    {"a sink without a kind", HEAD "sinks:\n  - { id: bus }\nroutes:\n  - { sink: bus }\n",
     "s:3: sinks[bus]: its kind is missing: one of mqtt, influxdb\n"},
    {"a device without a connection",
     HEAD LINE "devices:\n  - { id: m, profile: " PM500 " }\n"
               "sinks:\n  - { id: bus, mqtt: { url: \"mqtt://b\" }, devices: [m] }\n",
     "s:5: devices[m]: \"connection\" is missing: id of the connection it is reached by\n"},
    {"a device without an id",
     HEAD LINE "devices:\n  - { connection: line, profile: " PM500 " }\n"
               "sinks:\n  - { id: bus, mqtt: { url: \"mqtt://b\" }, devices: [m] }\n",
     "s:5: devices[0]: \"id\" is missing: name of the device: `{device}` in topics, and tag "
     "`asset` "
     "unless it has one\n"},
    {"a profile that is not there",
     HEAD LINE "devices:\n  - { id: m, connection: line, profile: acme/none-such }\n"
               "sinks:\n  - { id: bus, mqtt: { url: \"mqtt://b\" } }\n"
               "routes:\n  - { sink: bus, points: [power/*] }\n",
     "s:5: devices[m].profile: there is no profile \"acme/none-such\"; `busbar profiles` lists the "
     "bundled ones, a path is taken from this document's folder\n"},
    {"the site's tags, with two devices",
     HEAD "site: { tags: { a b: x } }\n" LINE METER
          "  - { id: n, connection: line, unit: 2, profile: " PM500 " }\n",
     "s:2: site.tags.a b: no name for a tag; allowed: letters, digits, - _ . / :\n"},
};

static void test_config_tells_nothing_twice(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(followers); i++) expect_report(&followers[i]);
}

static const mistake_row hidden[] = {
    {"a device with everything wrong",
     HEAD LINE "devices:\n  - id: m\n    connection: lime\n    profile: generic/modbus-60\n"
               "    unti: 3\n    enabled: [true]\n    tags: { a: [1] }\n"
               "    scan: { fast: 5ms, slwo: 1s }\n",
     "s:6: devices[m].connection: there is no connection \"lime\"; did you mean \"line\"?\n"
     "s:8: devices[m].unti: unknown key; did you mean \"unit\"? allowed: id, connection, profile, "
     "tags, scan, enabled, unit\n"
     "s:9: devices[m].enabled: a list stands here; allowed: true or false\n"
     "s:10: devices[m].tags.a: a list stands here; allowed: a text of at most 1024 bytes\n"
     "s:11: devices[m].scan.fast: \"5ms\" does not fit; allowed: off, on-request, or a duration "
     "such as 250ms, "
     "5s, 1min, from 10 ms to 7 d\n"
     "s:11: devices[m].scan.slwo: the profile has no such scan; allowed: fast, slow, energy\n"},
    {"a device without an id",
     HEAD LINE "devices:\n  - { connection: line, profile: generic/modbus-60, unit: 300, scan: { "
               "fast: 1 } }\n",
     "s:5: devices[0]: \"id\" is missing: name of the device: `{device}` in topics, and tag "
     "`asset` "
     "unless it has one\n"
     "s:5: devices[0].unit: \"300\" does not fit; allowed: whole number from 0 to 255\n"
     "s:5: devices[0].scan.fast: \"1\" does not fit; allowed: off, on-request, or a duration such "
     "as 250ms, "
     "5s, "
     "1min, from 10 ms to 7 d\n"},
    {"periods of a profile that is not there",
     HEAD LINE
     "devices:\n  - { id: m, connection: line, profile: pm500, scan: { fast: 1 hour } }\n",
     "s:5: devices[m].profile: there is no profile \"pm500\"; did you mean \"" PM500 "\"?\n"
     "s:5: devices[m].scan.fast: \"1 hour\" does not fit; allowed: off, on-request, or a duration "
     "such as "
     "250ms, "
     "5s, 1min, from 10 ms to 7 d\n"},
    {"a connection without an id, and its options",
     HEAD
     "connections:\n  - { modbus-rtu: { path: /dev/x, baud: 1201, parity: odd, stopbits: 1 } }\n",
     "s:3: connections[0]: \"id\" is missing: the name by which others refer to it\n"
     "s:3: connections[0].modbus-rtu.stopbits: unknown key; did you mean \"stop_bits\"? allowed: "
     "path, baud, parity, data_bits, stop_bits, mode, rts, timeout, pause_between_requests, "
     "min_interval, reconnect_max\n"
     "s:3: connections[0].modbus-rtu.baud: 1201 is no rate of a serial port; allowed: 1200, 2400, "
     "4800, 9600, 19200, 38400, 57600, 115200 and other standard ones\n"},
    {"two kinds, and the options of the first",
     HEAD "connections:\n  - { id: a, modbus-tcp: { host: x, port: 0 }, external: {} }\n",
     "s:3: connections[a].external: a second kind; keep modbus-tcp or external\n"
     "s:3: connections[a].modbus-tcp.port: \"0\" does not fit; allowed: whole number from 1 to "
     "65535\n"},
    {"what the schema and what the sink itself finds",
     HEAD "sinks:\n  - { id: bus, enabled: [false], mqtt: { url: http://b, qos: 3, retain: 1 } }\n",
     "s:3: sinks[bus].enabled: a list stands here; allowed: true or false\n"
     "s:3: sinks[bus].mqtt.qos: \"3\" does not fit; allowed: whole number from 0 to 2\n"
     "s:3: sinks[bus].mqtt.retain: \"1\" does not fit; allowed: true or false\n"
     "s:3: sinks[bus].mqtt.url: no URL of a broker; allowed: mqtt://host:port, "
     "mqtts://host:port\n"},
    {"a route without a sink",
     HEAD LINE METER "sinks:\n  - { id: bus, mqtt: { url: \"mqtt://b\" } }\n"
                     "routes:\n  - { devices: [x], aggregate: mean, every: 1 }\n"
                     "  - { sink: bsu }\n",
     "s:9: routes[0]: \"sink\" is missing: id of the sink that is fed\n"
     "s:9: routes[0].every: \"1\" does not fit; allowed: a duration such as 250ms, 5s, 1min, from "
     "0 "
     "ms to 7 d\n"
     "s:9: routes[0].devices[0]: no device fits \"x\"; allowed: ids of `devices`, with * for any "
     "characters\n"
     "s:9: routes[0].aggregate: an aggregate needs its period: `every`, such as 1min\n"
     "s:10: routes[1].sink: there is no sink \"bsu\"; did you mean \"bus\"?\n"},
    {"two connections to one place",
     HEAD LINE "  - { id: again, modbus-tcp: { host: 10.0.0.1 } }\n"
               "  - { id: a, modbus-rtu: { path: /dev/x } }\n"
               "  - { id: b, modbus-rtu: { path: /dev/x } }\n",
     "s:4: connections[again]: 10.0.0.1:502 is already the end of connection line; put its devices "
     "on that one, as a socket has one owner\n"
     "s:6: connections[b]: /dev/x is already the end of connection a; put its devices on that one, "
     "as a socket has one owner\n"},
};

static void test_config_hides_no_mistake_behind_another(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(hidden); i++) expect_report(&hidden[i]);
}

static void test_config_suggests_the_nearest_profile(void **state) {
  static const struct {
    const char *given, *nearest;
  } names[] = {
      {"powermonitor-500", PM500},         {"Rockwell/PowerMonitor-500", PM500},
      {"POWERMONITOR500", PM500},          {"pm500", PM500},
      {"rockwel/powermonitor-500", PM500}, {"allen-bradley/powermonitor-500", PM500},
      {"sdm-630", "eastron/sdm630"},       {"SDM630", "eastron/sdm630"},
      {"schneider", "schneider/iem3155"},  {"modbus", "generic/modbus"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(names); i++) {
    char text[512], expected[512];
    snprintf(text, sizeof(text),
             HEAD LINE "devices:\n  - { id: m, connection: line, profile: %s }\n", names[i].given);
    snprintf(expected, sizeof(expected),
             "s:5: devices[m].profile: there is no profile \"%s\"; did you mean \"%s\"?\n",
             names[i].given, names[i].nearest);
    expect_report(&(mistake_row){names[i].given, text, expected});
  }
}

static int parse_row(void *user) {
  const mistake_row *row = user;
  bb_config *config;
  bb_report report;
  bb_report_init(&report);
  int err = bb_config_parse(&config, "s", row->text, strlen(row->text), &bb_kinds_all, &report);
  expect_true("no config", config == NULL);
  expect_true("a reason", err == BB_ERR_NOMEM || !bb_report_ok(&report));
  bb_report_close(&report);
  return 0;
}

static void test_config_mistakes_without_memory(void **state) {
  (void)state;
  failmalloc_each_survives(parse_row, (void *)&misplaced[2]);
  failmalloc_each_survives(parse_row, (void *)&followers[2]);
  failmalloc_each_survives(parse_row, (void *)&hidden[2]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_config_says_where_misplaced_options_belong),
      cmocka_unit_test(test_config_tells_nothing_twice),
      cmocka_unit_test(test_config_hides_no_mistake_behind_another),
      cmocka_unit_test(test_config_suggests_the_nearest_profile),
      cmocka_unit_test(test_config_mistakes_without_memory),
  };
  setenv("BUSBAR_PROFILES", BB_REPO_DIR "/profiles", 1);
  return cmocka_run_group_tests_name("config_mistakes", tests, NULL, NULL);
}
