/* SPDX-License-Identifier: Apache-2.0 */
/* Values that sinks must remember, as they lie in memory; test_save.c brings them to the disk. */
#include "runtime/keep.h"

#include <string.h>

#include "base/err.h"
#include "support/expect.h"

static void expect_kept(bb_keep *keep, const char *key, const char *expected) {
  char text[16] = "";
  int n = bb_keep_get(keep, "bus", key, text, sizeof(text));
  expect_int(key, n, (int)strlen(expected));
  expect_text(key, text, expected);
}

static int put(bb_keep *keep, const char *key, const char *text) {
  return bb_keep_put(keep, "bus", key, text, strlen(text));
}

static void test_keep_gives_what_was_put_last(void **state) {
  (void)state;
  bb_keep keep = {0};
  char two[3] = "";
  expect_int("nothing yet", bb_keep_get(&keep, "bus", "bdseq", NULL, 0), BB_ERR_NOTFOUND);
  expect_int("put", put(&keep, "bdseq", "41"), 0);
  expect_int("another owner", bb_keep_put(&keep, "bus.b", "bdseq", "7", 1), 0);
  expect_int("put again", put(&keep, "bdseq", "42"), 0);
  expect_int("empty", put(&keep, "none", ""), 0);
  expect_kept(&keep, "bdseq", "42");
  expect_kept(&keep, "none", "");
  expect_int("put", put(&keep, "key", "abcdef"), 0);
  expect_int("as there is room for", bb_keep_get(&keep, "bus", "key", two, 2), 2);
  expect_text("cut", two, "ab");
  bb_keep_close(&keep);
}

static void test_keep_refuses_what_is_too_long_or_no_id(void **state) {
  (void)state;
  static const char *const bad[] = {"", "a b", "a/b", "a+b", "../a"};
  static char much[BB_KEEP_MAX + 1];
  bb_keep keep = {0};
  expect_int("longest", bb_keep_put(&keep, "bus", "key", much, BB_KEEP_MAX), 0);
  expect_int("too long", bb_keep_put(&keep, "bus", "key", much, BB_KEEP_MAX + 1), BB_ERR_LIMIT);
  expect_int("stays", bb_keep_get(&keep, "bus", "key", much, sizeof(much)), BB_KEEP_MAX);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    expect_int(bad[i], bb_keep_put(&keep, "bus", bad[i], "x", 1), BB_ERR_INVALID);
    expect_int(bad[i], bb_keep_put(&keep, bad[i], "key", "x", 1), BB_ERR_INVALID);
    expect_int(bad[i], bb_keep_get(&keep, bad[i], "key", much, 1), BB_ERR_INVALID);
  }
  bb_keep_close(&keep);
}

/* The names of what is not saved, joined. */
static void expect_unsaved(const bb_keep *keep, size_t n) {
  bb_kept kept;
  size_t at = 0, found = 0;
  while (bb_keep_unsaved(keep, &at, &kept)) found++;
  expect_uint("unsaved", found, n);
}

static void test_keep_knows_what_is_saved(void **state) {
  (void)state;
  bb_keep keep = {0};
  put(&keep, "a", "1");
  put(&keep, "b", "2");
  uint64_t puts = keep.puts;
  put(&keep, "a", "3"); /* while these two are written */
  expect_unsaved(&keep, 2);
  bb_keep_saved(&keep, puts);
  expect_unsaved(&keep, 1);
  bb_keep_saved(&keep, keep.puts);
  expect_unsaved(&keep, 0);
  bb_keep_lost(&keep);
  expect_unsaved(&keep, 2);
  bb_keep_close(&keep);
}

static void test_keep_takes_values_from_the_store(void **state) {
  (void)state;
  static const char *const bad[] = {"", "age", "+a", "bus+", "bus+a b", "a+b+c"};
  bb_keep keep = {0};
  expect_int("restored", bb_keep_restore(&keep, "bus+bdseq", "42", 2), 0);
  expect_kept(&keep, "bdseq", "42");
  expect_unsaved(&keep, 0);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    expect_int(bad[i], bb_keep_restore(&keep, bad[i], "x", 1), BB_ERR_INVALID);
  }
  bb_keep_close(&keep);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keep_gives_what_was_put_last),
      cmocka_unit_test(test_keep_refuses_what_is_too_long_or_no_id),
      cmocka_unit_test(test_keep_knows_what_is_saved),
      cmocka_unit_test(test_keep_takes_values_from_the_store),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
