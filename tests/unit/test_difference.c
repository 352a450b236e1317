/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/difference.h"

#include <stdio.h>
#include <string.h>

#include "support/expect.h"
#include "support/runtime_rig.h"

#define PLANT RIG_CONNECTIONS RIG_DEVICES RIG_TWO_SINKS
#define HEAD "busbar: 1\nruntime: { write_interval: 0s }\n"
#define CONNECTION_A "connections:\n  - { id: a, cyclic: { port: 1 } }\n"
#define DEVICE(id, connection, more)                                                               \
  "  - { id: " id ", connection: " connection ", " more "profile: " RIG_PROFILE " }\n"

static void expect_difference(const char *row, const char *from, const char *to,
                              const char *expected) {
  char text[BB_DIFFERENCE_TEXT];
  bb_config *a = from != NULL ? rig_config(from) : NULL, *b = rig_config(to);
  bb_difference difference = bb_difference_of(a, b);
  expect_text(row, bb_difference_text(&difference, text, sizeof(text)), expected);
  bb_config_unref(a);
  bb_config_unref(b);
}

static void test_difference_in_words(void **state) {
  static const struct {
    const char *row, *from, *to, *expected;
  } rows[] = {
      {"the same", PLANT, PLANT, "unchanged"},
      {"the first", NULL, PLANT,
       "connections: 2 new; devices: 2 new; sinks: 2 new; runtime settings changed"},
      {"everything goes", PLANT, HEAD, "connections: 2 gone; devices: 2 gone; sinks: 2 gone"},
      {"another order", PLANT,
       HEAD "sinks:\n  - { session: { window: 9 }, id: hist }\n  - { id: bus, session: {} }\n"
            "connections:\n  - { id: b, cyclic: { port: 2 } }\n  - { id: a, cyclic: { port: 1 } }\n"
            "devices:\n" DEVICE("meter-2", "b", "") DEVICE("meter-1", "a", ""),
       "unchanged"},
      {"one device", PLANT,
       RIG_CONNECTIONS "devices:\n" DEVICE("meter-1", "a", "tags: { line: l1 }, ")
           DEVICE("meter-3", "a", "") DEVICE("meter-4", "b", "") RIG_TWO_SINKS,
       "devices: 2 new, 1 changed, 1 gone"},
      {"a connection, and so its device", PLANT,
       HEAD "connections:\n  - { id: a, cyclic: { port: 3 } }\n"
            "  - { id: b, cyclic: { port: 2 } }\n" RIG_DEVICES RIG_TWO_SINKS,
       "connections: 1 changed; devices: 1 changed"},
      {"a connection that nobody uses", PLANT,
       RIG_CONNECTIONS "  - { id: c, cyclic: { port: 3 } }\n" RIG_DEVICES RIG_TWO_SINKS,
       "unchanged"},
      {"disabled is gone", PLANT,
       RIG_CONNECTIONS "devices:\n" DEVICE("meter-1", "a", "")
           DEVICE("meter-2", "b", "enabled: false, ") RIG_TWO_SINKS,
       "connections: 1 gone; devices: 1 gone"},
      {"enabled is new",
       RIG_CONNECTIONS "devices:\n" DEVICE("meter-1", "a", "enabled: false, ")
           DEVICE("meter-2", "b", "") RIG_TWO_SINKS,
       PLANT, "connections: 1 new; devices: 1 new"},
      {"one sink", PLANT,
       RIG_CONNECTIONS RIG_DEVICES "sinks:\n  - { id: bus, session: { window: 5 } }\n",
       "sinks: 1 changed, 1 gone"},
      {"a sink disabled", PLANT,
       RIG_CONNECTIONS RIG_DEVICES "sinks:\n  - { id: bus, session: {}, enabled: false }\n  - { "
                                   "id: hist, session: { window: 9 } }\n",
       "sinks: 1 gone"},
      {"a tag of the site", PLANT, PLANT "site: { tags: { area: north } }\n",
       "devices: 2 changed; site changed"},
      {"the site's name", PLANT, PLANT "site: { id: plant-7 }\n",
       "devices: 2 changed; sinks: 2 changed; site changed"},
      {"routes", PLANT, PLANT "routes:\n  - { sink: bus, scans: [fast] }\n", "routes changed"},
      {"settings", PLANT,
       "busbar: 1\nruntime: { write_interval: 0s, log: { level: warn } }\n"
       "connections:\n  - { id: a, cyclic: { port: 1 } }\n  - { id: b, cyclic: { port: 2 } "
       "}\n" RIG_DEVICES RIG_TWO_SINKS,
       "runtime settings changed"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_difference(rows[i].row, rows[i].from, rows[i].to, rows[i].expected);
  }
}

/* The document says the same, but what it names does not. */
static void test_difference_sees_a_profile_that_changed(void **state) {
  (void)state;
  folder f;
  char text[1024];
  bb_config *configs[2];
  static const char *const types[] = {"float64", "uint32"};
  folder_open(&f);
  const char *path = folder_path(&f, "own.yaml");
  snprintf(text, sizeof(text),
           HEAD CONNECTION_A "devices:\n  - { id: meter-1, connection: a, profile: %s }\n", path);
  for (size_t i = 0; i < 2; i++) {
    FILE *file = fopen(path, "w");
    fprintf(file, "profile: 1\npoints:\n  - { name: power, type: %s, holding: 0 }\n", types[i]);
    fclose(file);
    configs[i] = rig_config(text);
  }
  bb_difference difference = bb_difference_of(configs[0], configs[1]);
  expect_uint("devices", difference.devices.changed, 1);
  expect_uint("connections", difference.connections.changed, 0);
  bb_config_unref(configs[0]);
  bb_config_unref(configs[1]);
  folder_close(&f);
}

static void test_difference_as_json(void **state) {
  (void)state;
  bb_difference difference = {
      .devices = {2, 1, 3}, .sinks = {.changed = 1}, .routes = true, .runtime = true};
  bb_json_writer json;
  bb_buf out;
  bb_buf_init(&out, 4096);
  bb_json_writer_init(&json, &out);
  bb_difference_put(&difference, &json, NULL);
  expect_int("json", bb_json_writer_finish(&json), 0);
  expect_text("json", bb_buf_string(&out),
              "{\"connections\":{\"new\":0,\"changed\":0,\"gone\":0},"
              "\"devices\":{\"new\":2,\"changed\":1,\"gone\":3},"
              "\"sinks\":{\"new\":0,\"changed\":1,\"gone\":0},"
              "\"routes\":true,\"site\":false,\"runtime\":true}");
  bb_buf_close(&out);
}

/* The longest sentence has room; a shorter room cuts it. */
static void test_difference_has_room(void **state) {
  (void)state;
  char text[BB_DIFFERENCE_TEXT], small[12];
  const bb_difference_part most = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
  bb_difference difference = {most, most, most, true, true, true};
  bb_difference_text(&difference, text, sizeof(text));
  expect_part("whole", text, "; runtime settings changed");
  expect_text("cut", bb_difference_text(&difference, small, sizeof(small)), "connections");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_difference_in_words),
      cmocka_unit_test(test_difference_sees_a_profile_that_changed),
      cmocka_unit_test(test_difference_as_json),
      cmocka_unit_test(test_difference_has_room),
  };
  return cmocka_run_group_tests_name("difference", tests, NULL, NULL);
}
