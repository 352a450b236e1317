/* SPDX-License-Identifier: Apache-2.0 */
#include "model/device.h"

#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_device_without_tags(void **state) {
  (void)state;
  bb_device *device = bb_device_new("m", "", "", NULL, 0);
  assert_non_null(device);
  expect_text("id", device->id, "m");
  expect_text("site", device->site, "");
  expect_text("profile", device->profile, "");
  expect_uint("tags", device->n_tags, 0);
  expect_text("a tag", bb_device_tag(device, "asset"), NULL);
  bb_device_unref(device);
  bb_device_unref(NULL);
}

static void test_device_tags_are_sorted_and_the_last_of_a_key_holds(void **state) {
  static const struct {
    const char *row;
    bb_tag given[4];
    uint32_t n;
    const char *keys, *values;
  } rows[] = {
      {"one", {{"a", "1"}}, 1, "a", "1"},
      {"in order", {{"a", "1"}, {"b", "2"}, {"c", "3"}}, 3, "abc", "123"},
      {"in reverse", {{"c", "3"}, {"b", "2"}, {"a", "1"}}, 3, "abc", "123"},
      {"repeated", {{"b", "1"}, {"a", "2"}, {"b", "3"}, {"a", "4"}}, 4, "ab", "43"},
      {"all the same", {{"a", "1"}, {"a", "2"}, {"a", "3"}}, 3, "a", "3"},
      {"capitals first", {{"a", "1"}, {"Z", "2"}}, 2, "Za", "21"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_device *device = bb_device_new("m", "s", "p", rows[i].given, rows[i].n);
    assert_non_null(device);
    expect_uint(rows[i].row, device->n_tags, strlen(rows[i].keys));
    for (uint32_t k = 0; k < device->n_tags; k++) {
      char key[] = {rows[i].keys[k], 0}, value[] = {rows[i].values[k], 0};
      expect_text(rows[i].row, device->tags[k].key, key);
      expect_text(rows[i].row, device->tags[k].value, value);
      expect_text(rows[i].row, bb_device_tag(device, key), value);
    }
    bb_device_unref(device);
  }
}

static void test_device_owns_its_text(void **state) {
  (void)state;
  char id[] = "meter-1", site[] = "plant", profile[] = "generic", key[] = "asset", value[] = "x";
  bb_tag tag = {key, value};
  bb_device *device = bb_device_new(id, site, profile, &tag, 1);
  assert_non_null(device);
  memset(id, '-', strlen(id));
  memset(site, '-', strlen(site));
  memset(profile, '-', strlen(profile));
  memset(key, '-', strlen(key));
  memset(value, '-', strlen(value));
  expect_text("id", device->id, "meter-1");
  expect_text("site", device->site, "plant");
  expect_text("profile", device->profile, "generic");
  expect_text("tag", bb_device_tag(device, "asset"), "x");
  bb_device_unref(device);
}

static void test_device_hash_is_of_all_its_content(void **state) {
  static const struct {
    const char *id, *site, *profile;
    bb_tag tags[2];
    uint32_t n;
    bool same;
  } rows[] = {
      {"m1", "s", "p", {{"a", "1"}, {"b", "2"}}, 2, true},
      {"m1", "s", "p", {{"b", "2"}, {"a", "1"}}, 2, true},
      {"m2", "s", "p", {{"a", "1"}, {"b", "2"}}, 2, false},
      {"m1s", "", "p", {{"a", "1"}, {"b", "2"}}, 2, false},
      {"m1", "", "sp", {{"a", "1"}, {"b", "2"}}, 2, false},
      {"m1", "s", "q", {{"a", "1"}, {"b", "2"}}, 2, false},
      {"m1", "s", "p", {{"a", "1"}}, 1, false},
      {"m1", "s", "p", {{"a", "1b"}, {"", "2"}}, 2, false},
      {"m1", "s", "p", {{"a", "2"}, {"b", "1"}}, 2, false},
  };
  (void)state;
  uint64_t first = 0;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bb_device *device =
        bb_device_new(rows[i].id, rows[i].site, rows[i].profile, rows[i].tags, rows[i].n);
    assert_non_null(device);
    if (i == 0) first = device->hash;
    expect_int(rows[i].id, device->hash == first, rows[i].same);
    bb_device_unref(device);
  }
}

static void test_device_lives_until_its_last_reference_goes(void **state) {
  (void)state;
  bb_device *device = bb_device_new("m", "s", "p", NULL, 0);
  assert_non_null(device);
  expect_true("the same", bb_device_ref(device) == device);
  bb_device_unref(device);
  expect_text("still there", device->id, "m");
  bb_device_unref(device);
}

static int make(void *user) {
  static const bb_tag tag = {"a", "1"};
  (void)user;
  bb_device *device = bb_device_new("m", "s", "p", &tag, 1);
  if (device == NULL) return BB_ERR_NOMEM;
  bb_device_unref(device);
  return 0;
}

static void test_device_without_memory(void **state) {
  (void)state;
  expect_uint("one allocation", failmalloc_each(make, NULL), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_device_without_tags),
      cmocka_unit_test(test_device_tags_are_sorted_and_the_last_of_a_key_holds),
      cmocka_unit_test(test_device_owns_its_text),
      cmocka_unit_test(test_device_hash_is_of_all_its_content),
      cmocka_unit_test(test_device_lives_until_its_last_reference_goes),
      cmocka_unit_test(test_device_without_memory),
  };
  return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
