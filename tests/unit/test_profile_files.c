/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles from files: the bundled ones, their JSON schema, the reference, and lack of memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "model/profile_read.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/profile.h"

static const char *repo_path(char *out, size_t cap, const char *path) {
  snprintf(out, cap, "%s/%s", BB_REPO_DIR, path);
  return out;
}

static void test_profile_files_are_right(void **state) {
  (void)state;
  const struct {
    const char *id, *measurement;
    uint32_t fast, slow, energy;
  } rows[] = {
      {"rockwell/powermonitor-500", "powermonitor_500", 32, 10, 9},
      {"eastron/sdm630", "sdm630", 35, 24, 26},
      {"schneider/iem3155", "iem3155", 20, 1, 14},
      {"generic/modbus-60", "modbus_60", 60, 4, 0},
      {"generic/modbus", "modbus", 21, 5, 2},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_profile *p = profile_bundled(rows[i].id);
    expect_text(rows[i].id, p->id, rows[i].id);
    expect_text(rows[i].id, p->measurement, rows[i].measurement);
    expect_true(rows[i].id, !p->verified && p->source[0] != 0);
    expect_uint(rows[i].id, p->scans[0].n_points, rows[i].fast);
    expect_uint(rows[i].id, p->scans[1].n_points, rows[i].slow);
    expect_uint(rows[i].id, p->scans[2].n_points, rows[i].energy);
    bb_profile_unref(p);
  }
}

/* Addresses as the manuals print them: 3xxxxx and 4xxxxx count from 1, Schneider's too. */
static void test_profile_files_agree_with_the_manuals(void **state) {
  (void)state;
  const struct {
    const char *id, *point;
    bb_space space;
    uint32_t address, length;
    const char *unit;
    bool inferred;
  } rows[] = {
      {"rockwell/powermonitor-500", "voltage/l1-n", BB_SPACE_INPUT, 300081 - 300001, 2, "V", true},
      {"rockwell/powermonitor-500", "power/active/total", BB_SPACE_INPUT, 110, 2, "W", true},
      {"rockwell/powermonitor-500", "frequency", BB_SPACE_INPUT, 136, 2, "Hz", true},
      {"rockwell/powermonitor-500", "energy/active/import", BB_SPACE_INPUT, 301281 - 300001, 4,
       "Wh", false},
      {"rockwell/powermonitor-500", "energy/reactive/export", BB_SPACE_INPUT, 301293 - 300001, 4,
       "varh", false},
      {"rockwell/powermonitor-500", "operating-time", BB_SPACE_INPUT, 301313 - 300001, 4, "",
       false},
      {"rockwell/powermonitor-500", "setup/system", BB_SPACE_HOLDING, 304098 - 300001, 1, "",
       false},
      {"rockwell/powermonitor-500", "setup/ct-ratio", BB_SPACE_HOLDING, 304121 - 300001, 2, "",
       false},
      {"rockwell/powermonitor-500", "clock/second", BB_SPACE_INPUT, 304363 - 300001, 1, "", false},
      {"rockwell/powermonitor-500", "alarms", BB_SPACE_INPUT, 316385 - 300001, 1, "", false},
      {"rockwell/powermonitor-500", "identity/serial", BB_SPACE_INPUT, 300033 - 300001, 7, "",
       false},
      {"eastron/sdm630", "power/active/total", BB_SPACE_INPUT, 30053 - 30001, 2, "W", false},
      {"eastron/sdm630", "energy/active/import", BB_SPACE_INPUT, 30073 - 30001, 2, "Wh", false},
      {"eastron/sdm630", "thd/current/average", BB_SPACE_INPUT, 30251 - 30001, 2, "%", false},
      {"eastron/sdm630", "energy/reactive/total/l3", BB_SPACE_INPUT, 30381 - 30001, 2, "varh",
       false},
      {"eastron/sdm630", "setup/demand/period", BB_SPACE_HOLDING, 40003 - 40001, 2, "min", false},
      {"schneider/iem3155", "current/l1", BB_SPACE_HOLDING, 3000 - 1, 2, "A", false},
      {"schneider/iem3155", "power/active/total", BB_SPACE_HOLDING, 3060 - 1, 2, "W", false},
      {"schneider/iem3155", "energy/active/import", BB_SPACE_HOLDING, 3204 - 1, 4, "Wh", false},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_profile *p = profile_bundled(rows[i].id);
    const bb_profile_point *point = profile_point(p, rows[i].point);
    expect_int(rows[i].point, point->space, rows[i].space);
    expect_uint(rows[i].point, point->address, rows[i].address);
    expect_uint(rows[i].point, point->length, rows[i].length);
    expect_text(rows[i].point, point->point.unit, rows[i].unit);
    expect_int(rows[i].point, point->inferred, rows[i].inferred);
    bb_profile_unref(p);
  }
}

static void test_profile_files_keep_the_password_unread(void **state) {
  (void)state;
  const struct {
    const char *id;
    uint32_t address; /* of a holding register */
  } rows[] = {{"rockwell/powermonitor-500", 0x1000}, {"eastron/sdm630", 0x0018}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_profile *p = profile_bundled(rows[i].id);
    bool is_found = false;
    for (uint32_t k = 0; k < p->modbus.n_unreadable; k++) {
      const bb_range *range = &p->modbus.unreadable[k];
      is_found |= range->space == BB_SPACE_HOLDING && range->first <= rows[i].address &&
                  range->last >= rows[i].address;
    }
    expect_true(rows[i].id, is_found);
    bb_profile_unref(p);
  }
}

/* The same keys in the JSON schema and in the table, which is a part of it at `path`. */
static void expect_keys(const bb_doc *properties, const bb_schema *schema) {
  expect_true(schema->name, properties != NULL);
  expect_uint(schema->name, properties->n, schema->n);
  for (size_t i = 0; i < schema->n; i++) {
    expect_true(schema->fields[i].key, bb_doc_get(properties, schema->fields[i].key) != NULL);
  }
}

static void test_profile_files_have_a_schema_with_the_same_keys(void **state) {
  (void)state;
  char path[4096];
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  repo_path(path, sizeof(path), "profiles/profile.schema.json");
  expect_int(path, bb_doc_load(&tree, path, &report), 0);
  const bb_doc *defs = bb_doc_get(tree.root, "$defs");
  const bb_doc *point = bb_doc_get(bb_doc_get(defs, "point"), "properties");
  expect_keys(bb_doc_get(tree.root, "properties"), &bb_profile_top_schema);
  expect_keys(bb_doc_get(bb_doc_get(defs, "modbus"), "properties"), &bb_profile_modbus_schema);
  expect_keys(point, &bb_profile_point_schema);
  expect_keys(bb_doc_get(bb_doc_get(point, "valid"), "properties"), &bb_profile_valid_schema);
  expect_keys(bb_doc_get(bb_doc_get(defs, "write"), "properties"), &bb_profile_write_schema);
  bb_doc_close(&tree);
  bb_report_close(&report);
}

static void test_profile_files_have_a_reference(void **state) {
  (void)state;
  bb_buf out;
  bb_buf_init(&out, 65536);
  bb_profile_print_reference(&out);
  expect_int("no failure", out.failed, 0);
  expect_part("headings", bb_buf_string(&out), "### profile\n\n| key |");
  expect_part("headings", bb_buf_string(&out), "\n### point\n\n| key |");
  expect_part("keys", bb_buf_string(&out), "\n| `scale_from` |");
  bb_buf_close(&out);
}

static void test_profile_files_that_cannot_be_read_are_told(void **state) {
  (void)state;
  bb_profile *profile;
  bb_report report;
  bb_report_init(&report);
  expect_int("missing", bb_profile_load(&profile, "/nowhere/p.yaml", &report), BB_ERR_CONFIG);
  expect_true("missing", profile == NULL);
  expect_text("missing", report.mistakes[0].file, "/nowhere/p.yaml");
  expect_part("missing", report.mistakes[0].text, "No such file");
  bb_report_close(&report);
}

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  expect_true(path, file != NULL);
  fputs(text, file);
  fclose(file);
}

static void test_profile_files_give_a_name_to_those_without(void **state) {
  (void)state;
  char path[] = "/tmp/busbar-profile-XXXXXX.yaml";
  int fd = mkstemps(path, 5);
  expect_true(path, fd >= 0);
  close(fd);
  write_file(path, "profile: 1\npoints:\n  - { name: a, type: int16, holding: 0 }\n");
  bb_profile *profile;
  bb_report report;
  bb_report_init(&report);
  expect_int(path, bb_profile_load(&profile, path, &report), 0);
  unlink(path);
  char expected[64];
  snprintf(expected, sizeof(expected), "%.*s", (int)strlen(path) - 10, path + 5);
  expect_text(path, profile->id, expected);
  bb_profile_unref(profile);
  bb_report_close(&report);
}

static int read_mistaken(void *user) {
  bb_profile *profile;
  bb_report report;
  bb_report_init(&report);
  int err = bb_profile_read(&profile, user, NULL, &report);
  bool is_told = err == BB_ERR_NOMEM || (err == BB_ERR_CONFIG && !bb_report_ok(&report));
  bb_report_close(&report);
  return is_told && profile == NULL ? 0 : -1;
}

static void test_profile_files_with_mistakes_survive_lack_of_memory(void **state) {
  (void)state;
  static const char text[] = "profile: 1\n"
                             "id: x\n"
                             "scans: { slow: soon }\n"
                             "points:\n"
                             "  - { name: a, type: int16, holding: 0, enum: { 0: x, 70000: y } }\n"
                             "  - { name: a, type: int16, holding: 0, write: { block: b } }\n";
  bb_doc_tree tree;
  bb_report report;
  bb_report_init(&report);
  expect_int("parse", bb_doc_parse(&tree, "p", text, sizeof(text) - 1, &report), 0);
  failmalloc_each_survives(read_mistaken, tree.root);
  bb_doc_close(&tree);
  bb_report_close(&report);
}

static int load(void *user) {
  bb_profile *profile;
  bb_report report;
  bb_report_init(&report);
  int err = bb_profile_load(&profile, user, &report);
  bool is_right = err == 0 ? profile != NULL : profile == NULL;
  bb_profile_unref(profile);
  bb_report_close(&report);
  return is_right ? 0 : -1;
}

static void test_profile_files_survive_lack_of_memory(void **state) {
  (void)state;
  char path[4096];
  repo_path(path, sizeof(path), "profiles/generic/modbus.yaml");
  failmalloc_each_survives(load, path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_profile_files_are_right),
      cmocka_unit_test(test_profile_files_agree_with_the_manuals),
      cmocka_unit_test(test_profile_files_keep_the_password_unread),
      cmocka_unit_test(test_profile_files_have_a_schema_with_the_same_keys),
      cmocka_unit_test(test_profile_files_have_a_reference),
      cmocka_unit_test(test_profile_files_that_cannot_be_read_are_told),
      cmocka_unit_test(test_profile_files_give_a_name_to_those_without),
      cmocka_unit_test(test_profile_files_with_mistakes_survive_lack_of_memory),
      cmocka_unit_test(test_profile_files_survive_lack_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
