/* SPDX-License-Identifier: Apache-2.0 */
/* The sorted table of the control socket. */
#include "support/expect.h"
#include "support/failmalloc.h"

#include "base/err.h"
#include "runtime/ledger.h"

static int values[100];

static void test_ledger_finds_what_was_added_in_any_order(void **state) {
  bb_ledger ledger = {.max = 100};
  (void)state;
  for (uint64_t i = 0; i < 100; i++) {
    uint64_t key = i * 37 % 100 * 0x0123456789ABCDull;
    expect_int("add", bb_ledger_add(&ledger, key, &values[i * 37 % 100]), 0);
  }
  for (uint64_t i = 0; i < 100; i++) {
    expect_true("get", bb_ledger_get(&ledger, i * 0x0123456789ABCDull) == &values[i]);
    if (i > 0) expect_true("sorted", ledger.entries[i - 1].key < ledger.entries[i].key);
  }
  expect_true("none", bb_ledger_find(&ledger, 1) == NULL);
  expect_true("none", bb_ledger_get(&ledger, UINT64_MAX) == NULL);
  expect_int("twice", bb_ledger_add(&ledger, 0, NULL), BB_ERR_EXISTS);
  expect_int("too many", bb_ledger_add(&ledger, 1, NULL), BB_ERR_LIMIT);
  bb_ledger_close(&ledger, NULL);
  expect_uint("empty", ledger.n, 0);
  expect_int("again", bb_ledger_add(&ledger, 1, NULL), 0);
  bb_ledger_close(&ledger, NULL);
}

static int fill(void *user) {
  bb_ledger ledger = {.max = 100};
  int err = 0;
  (void)user;
  for (uint64_t i = 0; i < 40 && err == 0; i++) err = bb_ledger_add(&ledger, i, NULL);
  bb_ledger_close(&ledger, NULL);
  return err;
}

static void test_ledger_survives_lack_of_memory(void **state) {
  (void)state;
  failmalloc_each(fill, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ledger_finds_what_was_added_in_any_order),
      cmocka_unit_test(test_ledger_survives_lack_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
