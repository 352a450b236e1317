/* SPDX-License-Identifier: Apache-2.0 */
/* What a config says that is allowed and hardly meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/config.h"
#include "support/expect.h"
#include "support/failmalloc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define HEAD "busbar: 1\nconnections:\n  - { id: a, modbus-tcp: { host: x } }\n"
#define DEVICE(id, more) "  - { id: " id ", connection: a, profile: generic/modbus" more " }\n"
#define DEVICES HEAD "devices:\n" DEVICE("m1", "") DEVICE("m2", ", unit: 2")
#define EDITOR "runtime: { owner: editor }\n"
#define MQTT(id, more) "  - { id: " id ", mqtt: { url: \"mqtt://b\"" more " }"

#define ROUTED(of_sink) DEVICES "sinks:\n" MQTT("bus", "") ", " of_sink " }\nroutes:\n"

typedef struct warning_row {
  const char *row, *text, *expected;
} warning_row;

static const warning_row rows[] = {
    {"nothing to warn of", DEVICES "sinks:\n" MQTT("bus", "") " }\n", ""},
    {"nothing at all", "busbar: 1\n", ""},
    {"no sink", DEVICES,
     "s: warning: nothing is delivered, as there is no sink; add one below `sinks`, such as mqtt "
     "or "
     "influxdb\n"},
    {"no sink that is on", DEVICES "sinks:\n" MQTT("bus", "") ", enabled: false }\n",
     "s: warning: nothing is delivered, as every sink has \"enabled: false\"; switch one on\n"},
    {"two devices of one unit",
     HEAD "devices:\n" DEVICE("m1", "") DEVICE("m2", ", unit: 0x01") DEVICE("m3", ", unit: 2")
         DEVICE("m4", ", unit: 2, enabled: false") "sinks:\n" MQTT("bus", "") " }\n",
     "s:6: devices[m2]: warning: unit 1 on connection a is device m1 in line 5 as well, so both "
     "read the same; give each its own\n"},
    {"a device that no route carries", DEVICES "sinks:\n" MQTT("bus", "") ", devices: [m1] }\n",
     "s:6: devices[m2]: warning: no route takes it to a sink; name it in `devices` of a sink or "
     "route, or set \"enabled: false\"\n"},
    {"a device of which no point is carried",
     HEAD "devices:\n" DEVICE("m1", "") "  - { id: n, connection: a, unit: 2, profile: "
                                        "generic/modbus-60 }\nsinks:\n" MQTT(
                                            "bus", "") " }\nroutes:\n  - { sink: bus, points: "
                                                       "[count] }\n",
     "s:6: devices[n]: warning: no route takes it to a sink; name it in `devices` of a sink or "
     "route, or set \"enabled: false\"\n"},
    {"a device that only a sink would take that is off",
     DEVICES "sinks:\n" MQTT("bus", "") ", devices: [m1] }\n" MQTT(
         "old", "") ", enabled: false, devices: [m2] }\n",
     "s:6: devices[m2]: warning: no route takes it to a sink; name it in `devices` of a sink or "
     "route, or set \"enabled: false\"\n"},
    {"a sink that no route uses",
     DEVICES "sinks:\n" MQTT("bus", "") " }\n" MQTT("none", "") ", devices: [] }\n",
     "s:9: sinks[none]: warning: nothing is delivered to it, as its routes take no device that is "
     "read; look at their `devices`, `scans` and `points`\n"},
    {"a sink that is fed by its routes only",
     DEVICES "sinks:\n" MQTT("bus", "") ", devices: [] }\nroutes:\n  - { sink: bus }\n", ""},
    {"a sink that gets events alone",
     DEVICES "sinks:\n" MQTT("bus", "") " }\nroutes:\n  - { sink: bus, scans: [], events: true }\n",
     ""},
    {"a sink that gets nothing at all",
     DEVICES "sinks:\n" MQTT("hist", "") " }\n" MQTT(
         "bus", "") " }\nroutes:\n  - { sink: bus, scans: [] }\n",
     "s:9: sinks[bus]: warning: nothing is delivered to it, as its routes take no device that is "
     "read; look at their `devices`, `scans` and `points`\n"},
    {"what a client reads and brings by itself",
     DEVICES "sinks:\n" MQTT("bus", "") ", devices: [] }\n" EDITOR, ""},
    {"a client's devices without a sink", DEVICES EDITOR, ""},
    {"a client's route that takes nothing",
     DEVICES "sinks:\n" MQTT("bus", "") ", devices: [] }\nroutes:\n  - { sink: bus, devices: [] "
                                        "}\n" EDITOR,
     "s:8: sinks[bus]: warning: nothing is delivered to it, as its routes take no device that is "
     "read; look at their `devices`, `scans` and `points`\n"},
    {"a scan that is switched off",
     HEAD "devices:\n" DEVICE("m1", ", scan: { fast: off, slow: off, energy: off, info: off }")
         DEVICE("m2", ", unit: 2") "sinks:\n" MQTT("bus", "") ", devices: [m2] }\n",
     ""},
    {"two devices on one topic", DEVICES "sinks:\n" MQTT("bus", ", topic: \"plant/{scan}\"") " }\n",
     "s:8: sinks[bus].mqtt.topic: warning: devices m1 and m2 are published on the same topic, "
     "plant/fast; put {device} into it, or give them tags that differ\n"},
    {"three devices with one asset, in two sinks of one broker",
     HEAD "devices:\n" DEVICE("m1", ", tags: { asset: x }")
         DEVICE("m2", ", unit: 2, tags: { asset: "
                      "x }")
             DEVICE("m3", ", unit: 3, tags: { asset: x }") "sinks:\n" MQTT(
                 "one", ", topic: \"{asset}\", linger: 0s") ", devices: [m1] }\n" MQTT("two",
                                                                                       ", topic: "
                                                                                       "\"{asset}"
                                                                                       "\"") ", "
                                                                                             "devic"
                                                                                             "es: "
                                                                                             "[m2, "
                                                                                             "m3] "
                                                                                             "}\n",
     "s:10: sinks[two].mqtt.topic: warning: devices m1 and m2 and others are published on the same "
     "topic, x; put {device} into it, or give them tags that differ\n"},
    {"one topic at two brokers",
     DEVICES
     "sinks:\n" MQTT("one", ", topic: \"{scan}\"") ", devices: [m1] }\n"
                                                   "  - { id: two, mqtt: { url: \"mqtt://c\", "
                                                   "topic: \"{scan}\" }, devices: [m2] }\n",
     ""},
    {"a message a point, with points that differ",
     HEAD "devices:\n" DEVICE("m1", "") "  - { id: n, connection: a, unit: 2, profile: "
                                        "generic/modbus-60 }\nsinks:\n" MQTT(
                                            "bus", ", payload: point, topic: \"{point}\"") " }\n",
     ""},
    {"a message a point, with the same points",
     DEVICES "sinks:\n" MQTT("bus", ", payload: point, topic: \"all/{point}\"") " }\n",
     "s:8: sinks[bus].mqtt.topic: warning: devices m1 and m2 are published on the same topic, "
     "all/{point}; put {device} into it, or give them tags that differ\n"},
    {"a route beside the sink's own devices",
     ROUTED("devices: [\"*\"]") "  - { sink: bus, devices: [m1], scans: [fast] }\n",
     "s:10: routes[0]: warning: `devices` of the sink in line 8 sends all of this to bus already, "
     "so this adds nothing; take it away\n"},
    {"the sink's own devices beside a route", ROUTED("devices: [m1]") "  - { sink: bus }\n",
     "s:8: sinks[bus].devices: warning: routes[0] in line 10 sends all of this to bus already, so "
     "this adds nothing; take it away\n"},
    {"two routes that are alike, and one of them again",
     ROUTED("devices: []") "  - { sink: bus, report: changes }\n"
                           "  - { sink: bus, report: changes, devices: [m*] }\n"
                           "  - { sink: bus, report: changes, devices: [m2] }\n",
     "s:11: routes[1]: warning: routes[0] in line 10 sends all of this to bus already, so this "
     "adds nothing; take it away\n"
     "s:12: routes[2]: warning: routes[0] in line 10 sends all of this to bus already, so this "
     "adds nothing; take it away\n"},
    {"points that are sent twice",
     ROUTED("devices: []") "  - { sink: bus, devices: [m2], points: [count] }\n"
                           "  - { sink: bus, report: changes }\n",
     "s:10: routes[0]: warning: routes[1] in line 11 sends all of these points to bus as well, so "
     "they are delivered twice; take one of the two away, or leave these points out of it\n"},
    {"routes that share a part, or go to two sinks",
     DEVICES "sinks:\n" MQTT("bus", "") ", devices: [] }\n" MQTT(
         "two", ", topic: \"two/{device}/{scan}\"") ", devices: [] }\nroutes:\n"
                                                    "  - { sink: bus, scans: [fast, slow] }\n"
                                                    "  - { sink: bus, scans: [slow, energy] }\n"
                                                    "  - { sink: two, scans: [slow] }\n",
     ""},
    {"events that the other route does not bring",
     ROUTED("devices: [\"*\"]") "  - { sink: bus, devices: [m1], events: true }\n", ""},
    {"events that the other route brings too",
     ROUTED("devices: [\"*\"], events: true") "  - { sink: bus, scans: [], events: true }\n",
     "s:10: routes[0]: warning: `devices` of the sink in line 8 sends all of this to bus already, "
     "so this adds nothing; take it away\n"},
    {"secrets",
     DEVICES "sinks:\n" MQTT("bus", ", user: u, password_env: BB_TEST_NONE") " }\n" MQTT(
         "set",
         ", user: u, password_env: BB_TEST_SET") " }\n"
                                                 "  - { id: hist, influxdb: { url: \"http://x\", "
                                                 "org: o, bucket: b, token_file: "
                                                 "/nowhere/token } }\n"
                                                 "  - { id: old, enabled: false, influxdb: { url: "
                                                 "\"http://x\", org: o, bucket: b, "
                                                 "token_env: BB_TEST_NONE } }\n"
                                                 "  - { id: void, influxdb: { url: \"http://x\", "
                                                 "org: o, bucket: b, token_file: "
                                                 "/dev/null } }\n",
     "s:8: sinks[bus].mqtt.password_env: warning: the environment variable BB_TEST_NONE is not set "
     "here; `run` needs it\n"
     "s:10: sinks[hist].influxdb.token_file: warning: the file /nowhere/token cannot be read here "
     "(No "
     "such file or directory); `run` needs it\n"
     "s:12: sinks[void].influxdb.token_file: warning: the file /dev/null is empty; `run` needs "
     "what "
     "it is to hold\n"},
};

static int parse(const char *text, bb_report *report, bool wants_warnings) {
  bb_config *config;
  bb_report_init(report);
  report->wants_warnings = wants_warnings;
  int err = bb_config_parse(&config, "s", text, strlen(text), &bb_kinds_all, report);
  bb_config_unref(config);
  return err;
}

static void test_config_warns_of_what_is_hardly_meant(void **state) {
  (void)state;
  bb_buf out;
  bb_buf_init(&out, 1u << 16);
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_report report;
    expect_int(rows[i].row, parse(rows[i].text, &report, true), 0);
    bb_buf_clear(&out);
    bb_report_print(&report, &out);
    expect_text(rows[i].row, bb_buf_string(&out), rows[i].expected);
    expect_uint(rows[i].row, report.n, report.n_warnings);
    bb_report_close(&report);
    expect_int(rows[i].row, parse(rows[i].text, &report, false), 0);
    expect_uint("only who wants warnings gets any", report.n, 0);
    bb_report_close(&report);
  }
  bb_buf_close(&out);
}

/* What a config is like that has mistakes is not known yet. */
static void test_config_with_mistakes_is_not_warned_of(void **state) {
  (void)state;
  bb_report report;
  expect_int("mistakes", parse(DEVICES "rutes: []\n", &report, true), BB_ERR_CONFIG);
  expect_uint("one", report.n, 1);
  expect_uint("no warning", report.n_warnings, 0);
  bb_report_close(&report);
}

static int parse_row(void *user) {
  bb_report report;
  int err = parse(((const warning_row *)user)->text, &report, true);
  bb_report_close(&report);
  expect_true("nothing is wrong with it", err == 0 || err == BB_ERR_NOMEM);
  return 0;
}

static void test_config_warnings_without_memory(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i += 3) {
    failmalloc_each_survives(parse_row, (void *)&rows[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_config_warns_of_what_is_hardly_meant),
      cmocka_unit_test(test_config_with_mistakes_is_not_warned_of),
      cmocka_unit_test(test_config_warnings_without_memory),
  };
  setenv("BUSBAR_PROFILES", BB_REPO_DIR "/profiles", 1);
  setenv("BB_TEST_SET", "x", 1);
  unsetenv("BB_TEST_NONE");
  return cmocka_run_group_tests_name("config_warnings", tests, NULL, NULL);
}
