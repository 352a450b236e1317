/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"

#define ALIGN alignof(max_align_t)

static void test_arena_max_is_never_passed(void **state) {
  static const struct {
    const char *row;
    size_t max, first, second;
    bool first_fits, second_fits;
  } rows[] = {
      {"more than the maximum", 100, 101, 1, false, true},
      {"the maximum in two", 128, 64, 64, true, true},
      {"the maximum and a byte", 128, 128, 1, true, false},
      {"rounding counts", 64, 49, 1, true, false},
      {"a small maximum does not grow by a block", 32, 16, 32, true, false},
      {"nothing of nothing", 0, 1, 1, false, false},
      {"a size that wraps around", 1000, SIZE_MAX, SIZE_MAX - 7, false, false},
      {"past one block", 100000, 5000, 90000, true, true},
      {"past one block and the maximum", 100000, 5000, 96000, true, false},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_arena arena;
    bb_arena_init(&arena, rows[i].max);
    expect_int(rows[i].row, bb_arena_take(&arena, rows[i].first) != NULL, rows[i].first_fits);
    expect_int(rows[i].row, bb_arena_take(&arena, rows[i].second) != NULL, rows[i].second_fits);
    expect_true(rows[i].row, arena.total <= rows[i].max);
    bb_arena_close(&arena);
  }
}

static void test_arena_pieces_are_apart_aligned_and_zeroed(void **state) {
  static const size_t sizes[] = {0, 1, 7, 8, 15, 16, 17, 100, 4095, 4096, 4097, 300000};
  (void)state;
  bb_arena arena;
  bb_arena_init(&arena, 64u << 20);
  unsigned char *pieces[120];
  size_t lengths[120];
  for (size_t i = 0; i < 120; i++) {
    lengths[i] = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
    pieces[i] = bb_arena_take(&arena, lengths[i]);
    assert_non_null(pieces[i]);
    expect_uint("alignment", (uintptr_t)pieces[i] % ALIGN, 0);
    for (size_t k = 0; k < lengths[i]; k++) expect_uint("zeroed", pieces[i][k], 0);
    memset(pieces[i], (int)i + 1, lengths[i]);
  }
  for (size_t i = 0; i < 120; i++) {
    for (size_t k = 0; k < lengths[i]; k++) expect_uint("untouched", pieces[i][k], i + 1);
  }
  bb_arena_close(&arena);
}

static void test_arena_copies_are_terminated(void **state) {
  (void)state;
  bb_arena arena;
  bb_arena_init(&arena, 1000);
  expect_text("a part", bb_arena_copy(&arena, "abcdef", 3), "abc");
  expect_text("nothing", bb_arena_copy(&arena, "abcdef", 0), "");
  expect_text("a string", bb_arena_string(&arena, "abcdef"), "abcdef");
  bb_arena_close(&arena);
}

static void test_arena_is_as_new_after_close(void **state) {
  (void)state;
  bb_arena arena;
  bb_arena_init(&arena, 64);
  assert_non_null(bb_arena_take(&arena, 64));
  bb_arena_close(&arena);
  bb_arena_close(&arena);
  expect_true("all of it again", bb_arena_take(&arena, 64) != NULL);
  bb_arena_close(&arena);
}

static int take_many(void *user) {
  bb_arena arena;
  int err = 0;
  (void)user;
  bb_arena_init(&arena, 10u << 20);
  for (int i = 0; i < 200 && err == 0; i++) {
    if (bb_arena_take(&arena, 3000) == NULL) err = BB_ERR_NOMEM;
  }
  /* What failed once may work the next time. */
  if (err != 0) expect_true("it goes on", bb_arena_take(&arena, 3000) != NULL);
  bb_arena_close(&arena);
  return err;
}

static void test_arena_without_memory(void **state) {
  (void)state;
  failmalloc_each(take_many, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_arena_max_is_never_passed),
      cmocka_unit_test(test_arena_pieces_are_apart_aligned_and_zeroed),
      cmocka_unit_test(test_arena_copies_are_terminated),
      cmocka_unit_test(test_arena_is_as_new_after_close),
      cmocka_unit_test(test_arena_without_memory),
  };
  return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
