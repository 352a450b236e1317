/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/err.h"
#include "io/bundled.h"
#include "support/expect.h"

static void test_bundled_profile_is_found_by_id(void **state) {
  (void)state;
  static const struct {
    const char *id;
    int result;
    const char *path;
  } rows[] = {
      {"generic/modbus", 0, BB_REPO_DIR "/profiles/generic/modbus.yaml"},
      {"rockwell/powermonitor-500", 0, BB_REPO_DIR "/profiles/rockwell/powermonitor-500.yaml"},
      {"generic/modbus.yaml", BB_ERR_NOTFOUND, ""},
      {"generic", BB_ERR_NOTFOUND, ""},
      {"no/such", BB_ERR_NOTFOUND, ""},
      {"", BB_ERR_NOTFOUND, ""},
      {"/etc/passwd", BB_ERR_NOTFOUND, ""},
      {"../profiles/generic/modbus", BB_ERR_NOTFOUND, ""},
      {"generic/../generic/modbus", BB_ERR_NOTFOUND, ""},
  };
  setenv("BUSBAR_PROFILES", BB_REPO_DIR "/profiles", 1);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char path[4096];
    expect_int(rows[i].id, bb_bundled_profile(rows[i].id, path, sizeof(path)), rows[i].result);
    if (rows[i].result == 0) expect_text(rows[i].id, path, rows[i].path);
  }
  char small[8];
  expect_int("small", bb_bundled_profile("generic/modbus", small, sizeof(small)), BB_ERR_LIMIT);
}

static void test_bundled_folder_that_is_named_must_exist(void **state) {
  (void)state;
  char path[4096];
  setenv("BUSBAR_PROFILES", BB_REPO_DIR "/no-such-folder", 1);
  expect_int("folder", bb_bundled_folder(path, sizeof(path)), BB_ERR_NOTFOUND);
  expect_int("profile", bb_bundled_profile("generic/modbus", path, sizeof(path)), BB_ERR_NOTFOUND);
  setenv("BUSBAR_PROFILES", BB_REPO_DIR "/profiles", 1);
  expect_int("folder", bb_bundled_folder(path, sizeof(path)), 0);
  expect_text("folder", path, BB_REPO_DIR "/profiles");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bundled_profile_is_found_by_id),
      cmocka_unit_test(test_bundled_folder_that_is_named_must_exist),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
