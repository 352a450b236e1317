/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/runtime_rig.h"

#define PROFILE "{ profile: 1, id: acme/x, points: [{ name: power, type: float64, holding: 0 }] }"
#define CONNECTION "connections:\n  - { id: a, cyclic: { port: 1 } }\n"
#define DEVICE "devices:\n  - { id: m, connection: a, profile: " PROFILE " }\n"
#define HEAD "busbar: 1\n"

/* All mistakes of a text, one a line. Valid until the next call. */
static const char *mistakes_of(const char *text, const bb_kinds *kinds, int *err) {
  static char out[1 << 16];
  bb_config *config;
  bb_report report;
  bb_buf lines;
  bb_report_init(&report);
  bb_buf_init(&lines, sizeof(out) - 1);
  *err = bb_config_parse(&config, "site.yaml", text, strlen(text), kinds, &report);
  bb_report_print(&report, &lines);
  snprintf(out, sizeof(out), "%s", bb_buf_string(&lines));
  expect_true("nothing after a mistake", *err == 0 || config == NULL);
  bb_config_unref(config);
  bb_buf_close(&lines);
  bb_report_close(&report);
  return out;
}

static const char good[] =
    HEAD "site: { id: plant-7, tags: { area: utilities, line: l0 } }\n"
         "connections:\n"
         "  - { id: a, cyclic: { port: 1 } }\n"
         "  - { id: b, cyclic: { port: 2 } }\n"
         "  - { id: c, cyclic: { port: 3 } }\n"
         "devices:\n"
         "  - id: meter-1\n"
         "    connection: a\n"
         "    profile: generic/modbus-60\n"
         "    slot: 4\n"
         "    tags: { asset: main, line: l1 }\n"
         "    scan: { fast: 250ms, slow: off }\n"
         "  - { id: meter-2, connection: a, profile: generic/modbus-60, scan: { fast: off, slow: "
         "off } }\n"
         "  - { id: pump, connection: b, enabled: false, profile: " PROFILE " }\n"
         "sinks:\n"
         "  - { id: hist, session: { window: 5 }, devices: [meter-*], events: true }\n"
         "  - { id: bus, session: }\n"
         "  - { id: cloud, session: {}, enabled: false }\n"
         "routes:\n"
         "  - { sink: bus, devices: [meter-1], scans: fast, points: [pow*], report: changes, "
         "heartbeat: 60s, events: true }\n"
         "  - { sink: bus, every: 1min, aggregate: mean }\n"
         "runtime: { metrics: off, owner: editor, log: { level: debug, format: json }, "
         "queue_bytes: 2MiB, store: { max_age: 1h }, write_interval: 0s }\n";

static void test_config_reads_a_good_document(void **state) {
  (void)state;
  bb_config *config = rig_config(good);
  expect_text("site", config->site, "plant-7");
  expect_uint("connections", config->n_connections, 3);
  expect_text("endpoint", config->connections[0].endpoint, "fake:1");
  expect_true("driver", config->connections[0].driver == &bb_driver_fake);
  expect_true("used", config->connections[0].used);
  expect_true("only by one that is off", !config->connections[1].used);
  expect_true("by nobody", !config->connections[2].used);

  expect_uint("devices", config->n_devices, 3);
  const bb_config_device *one = &config->devices[0], *two = &config->devices[1];
  expect_true("connection", one->connection == &config->connections[0]);
  expect_true("one profile is read once", one->profile == two->profile);
  expect_text("profile", one->profile->id, "generic/modbus-60");
  expect_text("a tag of its own", bb_device_tag(one->device, "asset"), "main");
  expect_text("of the site", bb_device_tag(one->device, "area"), "utilities");
  expect_text("its own wins", bb_device_tag(one->device, "line"), "l1");
  expect_text("where it has one", bb_device_tag(two->device, "line"), "l0");
  expect_uint("scans", one->n_scans, 1);
  expect_text("name", one->scans[0].name, "fast");
  expect_uint("period", one->scans[0].period_ms, 250);
  expect_uint("points", one->scans[0].n_points, 60);
  expect_uint("none is left", two->n_scans, 0);
  expect_true("enabled", one->enabled && !config->devices[2].enabled);
  expect_text("inline", config->devices[2].profile->id, "acme/x");
  expect_uint("default period", config->devices[2].scans[0].period_ms, 1000);

  expect_uint("sinks", config->n_sinks, 3);
  expect_true("enabled", config->sinks[0].enabled && !config->sinks[2].enabled);
  expect_true("kind", config->sinks[1].kind == &bb_sink_fake);

  expect_text("metrics", config->runtime.metrics, "off");
  expect_int("owner", config->runtime.owner, BB_OWNER_EDITOR);
  expect_int("level", config->runtime.log_level, BB_LOG_DEBUG);
  expect_int("format", config->runtime.log_format, 1);
  expect_uint("bytes", config->runtime.queue_bytes, 2u << 20);
  expect_uint("age", config->runtime.store.max_age_ms, 3600000);
  expect_uint("interval", config->runtime.write_interval_ms, 0);
  bb_config_unref(config);
}

static void test_config_reads_how_often_the_store_is_synced(void **state) {
  static const struct {
    const char *text;
    uint32_t sync_ms;
  } rows[] = {
      {HEAD, 1000},
      {HEAD "runtime: { store: { sync: 0s } }\n", 0},
      {HEAD "runtime: { store: { sync: 60s } }\n", 60000},
      {HEAD "runtime: { store: { sync: 1min } }\n", 60000},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_config *config = rig_config(rows[i].text);
    expect_uint(rows[i].text, config->runtime.store.sync_ms, rows[i].sync_ms);
    bb_config_unref(config);
  }
}

static void test_config_makes_routes(void **state) {
  (void)state;
  bb_config *config = rig_config(good);
  /* Two that are written, the short form of hist, and all for cloud, which has none. */
  expect_uint("routes", config->n_routes, 4);
  const bb_config_route *changes = &config->routes[0], *mean = &config->routes[1];
  const bb_config_route *hist = &config->routes[2], *cloud = &config->routes[3];
  expect_text("sink", changes->sink->id, "bus");
  expect_int("report", changes->report, BB_REPORT_CHANGES);
  expect_uint("heartbeat", changes->heartbeat_ms, 60000);
  expect_int("aggregate", mean->aggregate, BB_AGGREGATE_MEAN);
  expect_uint("every", mean->every_ms, 60000);
  expect_text("short form", hist->sink->id, "hist");
  expect_true("who wants events", changes->events && hist->events);
  expect_true("the others do not", !mean->events && !cloud->events);
  expect_text("everything", cloud->sink->id, "cloud");
  static const struct {
    const char *device, *scan;
    bool changes, mean, hist;
  } rows[] = {
      {"meter-1", "fast", true, true, true},
      {"meter-1", "slow", false, true, true},
      {"meter-2", "fast", false, true, true},
      {"pump", "fast", false, true, false},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    const char *device = rows[i].device, *scan = rows[i].scan;
    expect_int(device, bb_config_route_takes(changes, device, scan), rows[i].changes);
    expect_int(device, bb_config_route_takes(mean, device, scan), rows[i].mean);
    expect_int(device, bb_config_route_takes(hist, device, scan), rows[i].hist);
    expect_true(device, bb_config_route_takes(cloud, device, scan));
  }
  bb_config_unref(config);
}

static void test_config_has_defaults(void **state) {
  (void)state;
  bb_config *config = rig_config(HEAD);
  expect_text("site", config->site, "");
  expect_text("metrics", config->runtime.metrics, "127.0.0.1:9464");
  expect_int("owner", config->runtime.owner, BB_OWNER_FILE);
  expect_int("level", config->runtime.log_level, BB_LOG_INFO);
  expect_uint("bytes", config->runtime.queue_bytes, 16u << 20);
  expect_uint("age", config->runtime.store.max_age_ms, 2592000000u);
  expect_uint("interval", config->runtime.write_interval_ms, 100);
  expect_uint("nothing to do",
              config->n_connections + config->n_devices + config->n_sinks + config->n_routes, 0);
  bb_config_unref(config);
}

static void test_config_takes_what_the_executable_has(void **state) {
  (void)state;
  static const char text[] =
      "{\"busbar\": 1,\n"
      " \"connections\": [{\"id\": \"mdb-a\", \"modbus-tcp\": {\"host\": \"10.0.0.21\"}},\n"
      "                 {\"id\": \"flow\", \"external\": {}}],\n"
      " \"devices\": [{\"id\": \"meter-1\", \"connection\": \"mdb-a\",\n"
      "              \"profile\": \"rockwell/powermonitor-500\", \"unit\": 1},\n"
      "             {\"id\": \"wired\", \"connection\": \"flow\"}],\n"
      " \"sinks\": [{\"id\": \"bus\", \"mqtt\": {\"url\": \"mqtt://broker:1883\"}}]}\n";
  int err;
  expect_text("mistakes", mistakes_of(text, &bb_kinds_all, &err), "");
  expect_int("err", err, 0);
}

typedef struct mistake_row {
  const char *text;
  const char *lines[8]; /* what stands in the report, each in a line of its own; no others */
} mistake_row;

static const mistake_row rows[] = {
    {"profile: 1\nid: x\npoints: []\n",
     {"site.yaml:1: profile: this is a profile, no config: `busbar profiles site.yaml` tells "
      "what"}},
    /* The document. */
    {"", {"site.yaml"}},
    {"[1]\n", {"site.yaml:1: "}},
    {"busbar: 1\n\tsite: {}\n", {"site.yaml:2: "}},
    {"site: {}\n", {"site.yaml:1: \"busbar\" is missing"}},
    {"busbar: 2\n", {"site.yaml:1: busbar: "}},
    {HEAD "devises: []\n", {"site.yaml:2: devises: unknown key; did you mean \"devices\"?"}},
    {HEAD "connections: {}\n", {"site.yaml:2: connections: a map stands here; allowed: list"}},
    {HEAD "site: { id: a b }\n", {"site.yaml:2: site.id: \"a b\" does not fit; allowed: 1 to 64"}},
    {HEAD "site: { tags: { a b: x } }\n" CONNECTION DEVICE, {"site.yaml:2: site.tags.a b: "}},
    /* The runtime. */
    {HEAD "runtime: { owner: nobody }\n", {"site.yaml:2: runtime.owner: \"nobody\" does not fit"}},
    {HEAD "runtime: { log: { levle: info } }\n",
     {"site.yaml:2: runtime.log.levle: unknown key; did you mean \"level\"?"}},
    {HEAD "runtime: { queue_bytes: 1KiB }\n", {"site.yaml:2: runtime.queue_bytes: "}},
    {HEAD "runtime: { store: { max_age: 46d } }\n", {"site.yaml:2: runtime.store.max_age: "}},
    {HEAD "runtime: { store: { sync: 61s } }\n",
     {"site.yaml:2: runtime.store.sync: \"61s\" does not fit; allowed: a duration such as 250ms, "
      "5s, 1min, from 0 ms to 1 min"}},
    {HEAD "runtime: { write_interval: 2h }\n", {"site.yaml:2: runtime.write_interval: "}},
    /* Connections. */
    {HEAD "connections:\n  - a\n", {"site.yaml:3: connections[0]: a connection is a map"}},
    {HEAD "connections:\n  - { cyclic: { port: 1 } }\n",
     {"site.yaml:3: connections[0]: \"id\" is missing"}},
    {HEAD "connections:\n  - { id: .a, cyclic: { port: 1 } }\n",
     {"site.yaml:3: connections[.a].id: \".a\" is no id; allowed: 1 to 64 of letters"}},
    {HEAD "connections:\n  - { id: a }\n",
     {"site.yaml:3: connections[a]: its kind is missing: one of cyclic"}},
    {HEAD "connections:\n  - { id: a, cyclc: { port: 1 } }\n",
     {"site.yaml:3: connections[a].cyclc: unknown key; did you mean \"cyclic\"?"}},
    {HEAD "connections:\n  - { id: a, cyclic: 7 }\n",
     {"site.yaml:3: connections[a].cyclic: options of cyclic stand below it, such as \"port: "
      "...\""}},
    {HEAD "connections:\n  - { id: a, cyclic: { prot: 1 } }\n",
     {"connections[a].cyclic.prot: unknown key; did you mean \"port\"?",
      "connections[a].cyclic: \"port\" is missing"}},
    {HEAD "connections:\n  - { id: a, cyclic: { port: 70000 } }\n",
     {"site.yaml:3: connections[a].cyclic.port: \"70000\" does not fit; allowed: whole number from "
      "1 to 65535"}},
    {HEAD "connections:\n  - { id: a, cyclic: { port: 7 } }\n",
     {"site.yaml:3: connections[a].cyclic.port: 7 is the echo"}},
    {HEAD CONNECTION "  - { id: a, cyclic: { port: 2 } }\n",
     {"site.yaml:4: connections[a].id: the id \"a\" is taken"}},
    {HEAD CONNECTION "  - { id: b, cyclic: { port: 1 } }\n",
     {"site.yaml:4: connections[b]: 1 is already the end of connection a"}},
    /* Devices. */
    {HEAD CONNECTION "devices:\n  - { connection: a, profile: " PROFILE " }\n",
     {"site.yaml:5: devices[0]: \"id\" is missing"}},
    {HEAD CONNECTION "devices:\n  - { id: m, profile: " PROFILE " }\n",
     {"site.yaml:5: devices[m]: \"connection\" is missing"}},
    {HEAD "devices:\n  - { id: m, connection: a, profile: " PROFILE " }\n",
     {"site.yaml:3: devices[m].connection: there is no connection \"a\""}},
    {HEAD CONNECTION "devices:\n  - { id: m, connection: a }\n",
     {"site.yaml:5: devices[m]: \"profile\" is missing"}},
    {HEAD CONNECTION "devices:\n  - { id: m, connection: a, profile: nobody/nothing }\n",
     {"site.yaml:5: devices[m].profile: there is no profile \"nobody/nothing\""}},
    {HEAD CONNECTION "devices:\n  - id: m\n    connection: a\n    profile:\n      profile: 1\n"
                     "      points:\n        - { name: power, type: flaot64, holding: 0 }\n",
     {"site.yaml:10: devices[m].profile.points[0].type: "}},
    {HEAD CONNECTION "devices:\n  - { id: m, connection: a, solt: 1, profile: " PROFILE " }\n",
     {"site.yaml:5: devices[m].solt: unknown key; did you mean \"slot\"?"}},
    {HEAD CONNECTION "devices:\n  - { id: m, conection: a, profile: " PROFILE " }\n",
     {"site.yaml:5: devices[m]: \"connection\" is missing",
      "site.yaml:5: devices[m].conection: unknown key; did you mean \"connection\"?"}},
    {HEAD CONNECTION "devices:\n  - { id: m, connection: a, slot: 99, profile: " PROFILE " }\n",
     {"site.yaml:5: devices[m].slot: \"99\" does not fit; allowed: whole number from 0 to 15"}},
    {HEAD CONNECTION "devices:\n  - { id: m, connection: a, slot: 13, profile: " PROFILE " }\n",
     {"site.yaml:5: devices[m].slot: there is no slot 13"}},
    {HEAD CONNECTION DEVICE "  - { id: m, connection: a, profile: " PROFILE " }\n",
     {"site.yaml:6: devices[m].id: the id \"m\" is taken"}},
    {HEAD CONNECTION "devices:\n  - { id: m, connection: a, scan: { fats: 1s }, profile: " PROFILE
                     " }\n",
     {"site.yaml:5: devices[m].scan.fats: the profile has no such scan; allowed: fast, slow, "
      "energy"}},
    {HEAD CONNECTION "devices:\n  - { id: m, connection: a, scan: { fast: 5ms }, profile: " PROFILE
                     " }\n",
     {"site.yaml:5: devices[m].scan.fast: \"5ms\" does not fit; allowed: off, on-request, or a "
      "duration such "
      "as "
      "250ms, 5s, 1min, from 10 ms to 7 d"}},
    {HEAD CONNECTION "devices:\n  - { id: m, connection: a, tags: { a: [1] }, profile: " PROFILE
                     " }\n",
     {"site.yaml:5: devices[m].tags.a: a list stands here; allowed: a text of at most 1024 bytes"}},
    /* Sinks. */
    {HEAD "sinks:\n  - { id: bus }\n",
     {"site.yaml:3: sinks[bus]: its kind is missing: one of session"}},
    {HEAD "sinks:\n  - { id: bus, sesion: {} }\n",
     {"site.yaml:3: sinks[bus].sesion: unknown key; did you mean \"session\"?"}},
    {HEAD "sinks:\n  - { id: bus, session: { widnow: 1 } }\n",
     {"site.yaml:3: sinks[bus].session.widnow: unknown key; did you mean \"window\"?"}},
    {HEAD "sinks:\n  - { id: bus, session: {}, enabled: maybe }\n",
     {"site.yaml:3: sinks[bus].enabled: \"maybe\" does not fit; allowed: true or false"}},
    {HEAD RIG_SINK "  - { id: bus, session: {} }\n",
     {"site.yaml:4: sinks[bus].id: the id \"bus\" is taken"}},
    {HEAD CONNECTION DEVICE "sinks:\n  - { id: bus, session: {}, devices: [x*] }\n",
     {"site.yaml:7: sinks[bus].devices[0]: no device fits \"x*\""}},
    {HEAD CONNECTION DEVICE "sinks:\n  - { id: bus, session: {}, devices: {} }\n",
     {"site.yaml:7: sinks[bus].devices: a pattern or a list of patterns"}},
    /* Routes. */
    {HEAD RIG_SINK "routes:\n  - { sink: bsu }\n",
     {"site.yaml:5: routes[0].sink: there is no sink \"bsu\""}},
    {HEAD RIG_SINK "routes:\n  - { devices: [\"*\"] }\n",
     {"site.yaml:5: routes[0]: \"sink\" is missing"}},
    {HEAD RIG_SINK "routes:\n  - bus\n", {"site.yaml:5: routes[0]: a route is a map"}},
    {HEAD CONNECTION DEVICE RIG_SINK "routes:\n  - { sink: bus, devices: [m, n] }\n",
     {"site.yaml:9: routes[0].devices[1]: no device fits \"n\""}},
    {HEAD RIG_SINK "routes:\n  - { sink: bus, points: [[a]] }\n",
     {"site.yaml:5: routes[0].points: a pattern or a list of patterns"}},
    {HEAD RIG_SINK "routes:\n  - { sink: bus, heartbeat: 1min }\n",
     {"site.yaml:5: routes[0].heartbeat: a heartbeat goes with `report: changes`"}},
    {HEAD RIG_SINK "routes:\n  - { sink: bus, aggregate: mean }\n",
     {"site.yaml:5: routes[0].aggregate: an aggregate needs its period"}},
    {HEAD RIG_SINK "routes:\n  - { sink: bus, aggregate: maen, every: 1s }\n",
     {"site.yaml:5: routes[0].aggregate: \"maen\" does not fit; allowed: none, last, mean, min, "
      "max"}},
    {HEAD "sinks:\n  - { id: bus, session: {}, events: true }\nroutes:\n  - { sink: bus }\n",
     {"site.yaml:3: sinks[bus].events: the sink is fed by `routes` alone; say \"events: true\" at "
      "one "
      "of them"}},
    {HEAD "sinks:\n  - { id: bus, session: {}, devices: [], events: true }\n",
     {"site.yaml:3: sinks[bus].events: the sink is fed by `routes` alone"}},
    {HEAD RIG_SINK "routes:\n  - { sink: bus, events: yes-please }\n",
     {"site.yaml:5: routes[0].events: \"yes-please\" does not fit; allowed: true or false"}},
    {HEAD RIG_SINK "routes:\n  - { sink: bus, evry: 1s }\n",
     {"site.yaml:5: routes[0].evry: unknown key; did you mean \"every\"?"}},
    /* All at once, in the order of their lines. */
    {"busbar: 1\nsite: { id: '' }\nconnections:\n  - { id: a, cyclic: { port: 0 } }\n"
     "devices:\n  - { id: m, connection: b, profile: " PROFILE " }\nsinks:\n  - { id: bus }\n"
     "runtime: { owner: me }\n",
     {"site.yaml:2: site.id", "site.yaml:4: connections[a].cyclic.port",
      "site.yaml:6: devices[m].connection", "site.yaml:8: sinks[bus]",
      "site.yaml:9: runtime.owner"}},
};

static unsigned count_lines(const char *text) {
  unsigned n = 0;
  for (; *text != 0; text++) n += *text == '\n';
  return n;
}

static void test_config_names_every_mistake(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    int err;
    unsigned n = 0;
    const char *report = mistakes_of(rows[i].text, &rig_kinds, &err), *from = report;
    expect_int(rows[i].text, err, BB_ERR_CONFIG);
    for (; rows[i].lines[n] != NULL; n++) {
      expect_part(rows[i].text, from, rows[i].lines[n]);
      bool ordered = strncmp(rows[i].lines[n], "site.yaml:", 10) == 0;
      if (ordered) from = strstr(from, rows[i].lines[n]);
    }
    if (count_lines(report) != n) fail_msg("%s\ngot:\n%s", rows[i].text, report);
  }
}

static void test_config_refuses_events_for_a_sink_that_cannot_carry_them(void **state) {
  (void)state;
  static bb_sink_kind plain;
  static const bb_sink_kind *const sinks[] = {&plain, NULL};
  bb_kinds kinds = rig_kinds;
  int err;
  plain = bb_sink_fake;
  plain.kind = "plain";
  plain.events = false;
  kinds.sinks = sinks;
  const char *expected =
      "site.yaml:3: sinks[s].events: sink s is of kind plain, which cannot carry "
      "events; leave this out\n";
  expect_text("short form",
              mistakes_of(HEAD "sinks:\n  - { id: s, plain: {}, events: true }\n", &kinds, &err),
              expected);
  expect_part("route",
              mistakes_of(HEAD "sinks:\n  - { id: s, plain: {} }\n"
                               "routes:\n  - { sink: s, events: true }\n",
                          &kinds, &err),
              "site.yaml:5: routes[0].events: sink s is of kind plain");
}

static void expect_too_many(const char *head, const char *item, unsigned n, const char *expected) {
  size_t cap = strlen(head) + n * (strlen(item) + 16) + 1;
  char *text = malloc(cap);
  size_t len = (size_t)snprintf(text, cap, "%s", head);
  int err;
  for (unsigned i = 0; i < n; i++) len += (size_t)snprintf(text + len, cap - len, item, i, i);
  expect_part(expected, mistakes_of(text, &rig_kinds, &err), expected);
  free(text);
}

static void test_config_has_limits(void **state) {
  (void)state;
  expect_too_many(HEAD "sinks:\n", "  - { id: s%u, session: {} }\n", BB_MAX_SINKS + 1,
                  "site.yaml:2: sinks: 65 sinks are too many; allowed: 64");
  expect_too_many(HEAD RIG_SINK "routes:\n", "  - { sink: bus }\n", BB_MAX_ROUTES + 1,
                  "site.yaml:4: routes: 4097 routes are too many; allowed: 4096");
  expect_too_many(HEAD "connections:\n", "  - { id: c%u, cyclic: { port: 1 } }\n",
                  BB_MAX_CONNECTIONS + 1, "connections: 20001 connections are too many");
  expect_too_many(HEAD CONNECTION "devices:\n  - id: m\n    connection: a\n    profile: " PROFILE
                                  "\n    tags:\n",
                  "      tag-%u: x\n", BB_MAX_TAGS + 1, "too many tags; allowed: 32");
}

static void test_config_finds_profiles_beside_the_document(void **state) {
  (void)state;
  folder f;
  folder_open(&f);
  const char *path = folder_path(&f, "site.yaml");
  FILE *file = fopen(folder_path(&f, "own.yaml"), "w");
  fputs("profile: 1\nid: my/own\npoints:\n  - { name: power, type: float64, holding: 0 }\n", file);
  fclose(file);
  file = fopen(path, "w");
  fputs(HEAD CONNECTION "devices:\n  - { id: m, connection: a, profile: own.yaml }\n"
                        "  - { id: n, connection: a, profile: own }\n",
        file);
  fclose(file);
  bb_report report;
  bb_config *config;
  bb_report_init(&report);
  expect_int("load", bb_config_load(&config, path, &rig_kinds, &report), 0);
  expect_text("with its ending", config->devices[0].profile->id, "my/own");
  expect_text("and without", config->devices[1].profile->id, "my/own");
  bb_config_unref(config);

  file = fopen(folder_path(&f, "own.yaml"), "w");
  fputs("profile: 1\nid: my/own\npoints:\n  - { name: power, type: float64, holdign: 0 }\n", file);
  fclose(file);
  expect_int("load", bb_config_load(&config, path, &rig_kinds, &report), BB_ERR_CONFIG);
  expect_part("in the profile's file", report.mistakes[0].file, "own.yaml");
  expect_uint("at its line", report.mistakes[0].line, 4);
  bb_report_close(&report);

  bb_report_init(&report);
  expect_int("no such file",
             bb_config_load(&config, folder_path(&f, "none.yaml"), &rig_kinds, &report),
             BB_ERR_CONFIG);
  expect_uint("told", report.n, 1);
  bb_report_close(&report);
  folder_close(&f);
}

static void test_config_is_counted(void **state) {
  (void)state;
  bb_config *config = rig_config(good);
  bb_config *again = bb_config_ref(config);
  bb_config_unref(config);
  expect_text("still there", again->site, "plant-7");
  bb_config_unref(again);
  bb_config_unref(NULL);
}

static int parse_good(void *user) {
  (void)user;
  bb_config *config;
  bb_report report;
  bb_report_init(&report);
  int err = bb_config_parse(&config, "site.yaml", good, strlen(good), &rig_kinds, &report);
  expect_true("all or nothing", (err == 0) == (config != NULL));
  bb_config_unref(config);
  bb_report_close(&report);
  return err;
}

static void test_config_without_memory(void **state) {
  (void)state;
  failmalloc_each(parse_good, NULL);
}

static void test_config_prints_its_reference(void **state) {
  (void)state;
  bb_buf out;
  bb_buf_init(&out, 1 << 18);
  bb_config_print_reference(&rig_kinds, &out);
  expect_true("it fits", !out.failed);
  static const char *const parts[] = {"`queue_bytes`", "### `cyclic`", "`slot`",
                                      "### `session`", "`heartbeat`",  "`level`"};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    expect_part(parts[i], bb_buf_string(&out), parts[i]);
  }
  bb_buf_close(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_config_reads_a_good_document),
      cmocka_unit_test(test_config_reads_how_often_the_store_is_synced),
      cmocka_unit_test(test_config_makes_routes),
      cmocka_unit_test(test_config_has_defaults),
      cmocka_unit_test(test_config_takes_what_the_executable_has),
      cmocka_unit_test(test_config_names_every_mistake),
      cmocka_unit_test(test_config_refuses_events_for_a_sink_that_cannot_carry_them),
      cmocka_unit_test(test_config_has_limits),
      cmocka_unit_test(test_config_finds_profiles_beside_the_document),
      cmocka_unit_test(test_config_is_counted),
      cmocka_unit_test(test_config_without_memory),
      cmocka_unit_test(test_config_prints_its_reference),
  };
  setenv("BUSBAR_PROFILES", BB_REPO_DIR "/profiles", 1);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
