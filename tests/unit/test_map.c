/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/random.h"

#define KEYS 400

/* key_text[i] is the key of number i; its value is its own address. */
static char key_text[KEYS][16];

static int make_keys(void **state) {
  (void)state;
  for (int i = 0; i < KEYS; i++) snprintf(key_text[i], sizeof(key_text[i]), "k%d", i);
  return 0;
}

static void test_map_empty(void **state) {
  (void)state;
  bb_map map = {0};
  expect_true("get", bb_map_get(&map, "a") == NULL);
  expect_true("remove", bb_map_remove(&map, "a") == NULL);
  bb_map_close(&map);
  bb_map_close(&map);
}

static void test_map_add_refuses_a_second_of_the_key(void **state) {
  (void)state;
  bb_map map = {0};
  char same[] = "a";
  int one, two;
  expect_int("first", bb_map_add(&map, "a", &one), 0);
  expect_int("second", bb_map_add(&map, same, &two), BB_ERR_EXISTS);
  expect_true("the first stays", bb_map_get(&map, same) == &one);
  expect_uint("number", map.n, 1);
  expect_true("no prefix of a key", bb_map_get(&map, "") == NULL);
  expect_int("the empty key is one too", bb_map_add(&map, "", &two), 0);
  expect_true("found", bb_map_get(&map, "") == &two);
  bb_map_close(&map);
}

static void test_map_remove_gives_the_value_back(void **state) {
  (void)state;
  bb_map map = {0};
  int one;
  bb_map_add(&map, "a", &one);
  expect_true("another key", bb_map_remove(&map, "b") == NULL);
  expect_true("removed", bb_map_remove(&map, "a") == &one);
  expect_true("twice", bb_map_remove(&map, "a") == NULL);
  expect_int("added again", bb_map_add(&map, "a", &one), 0);
  expect_uint("number", map.n, 1);
  bb_map_close(&map);
}

static void check_against(const bb_map *map, const bool *there) {
  size_t n = 0, walked = 0;
  for (int i = 0; i < KEYS; i++) {
    void *value = bb_map_get(map, key_text[i]);
    expect_true(key_text[i], value == (there[i] ? key_text[i] : NULL));
    n += there[i];
  }
  for (size_t i = 0; i < map->cap; i++) walked += map->entries[i].key != NULL;
  expect_uint("number", map->n, n);
  expect_uint("entries on a walk", walked, n);
  expect_true("three quarters full at most", map->n <= map->cap / 4 * 3);
}

/* Adding and removing at random against a plain table, also with so few keys that the table stays
 * small and runs of entries pass its end. */
static void test_map_agrees_with_a_plain_table(void **state) {
  static const uint32_t spans[] = {10, 13, 50, KEYS};
  (void)state;
  uint64_t seed = 1;
  for (size_t s = 0; s < sizeof(spans) / sizeof(spans[0]); s++) {
    bb_map map = {0};
    bool there[KEYS] = {false};
    for (int step = 0; step < 20000; step++) {
      uint32_t i = random_below(&seed, spans[s]);
      if (random_below(&seed, 2) == 0) {
        expect_int(key_text[i], bb_map_add(&map, key_text[i], key_text[i]),
                   there[i] ? BB_ERR_EXISTS : 0);
        there[i] = true;
      } else {
        expect_true(key_text[i],
                    bb_map_remove(&map, key_text[i]) == (there[i] ? key_text[i] : NULL));
        there[i] = false;
      }
      if (step % 100 == 0) check_against(&map, there);
    }
    check_against(&map, there);
    bb_map_close(&map);
  }
}

static int add_all(void *user) {
  bb_map map = {0};
  bool there[KEYS] = {false};
  int err = 0;
  (void)user;
  for (int i = 0; i < KEYS && err == 0; i++) {
    err = bb_map_add(&map, key_text[i], key_text[i]);
    there[i] = err == 0;
  }
  check_against(&map, there);
  bb_map_close(&map);
  return err;
}

static void test_map_without_memory_keeps_what_it_has(void **state) {
  (void)state;
  failmalloc_each(add_all, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_map_empty),
      cmocka_unit_test(test_map_add_refuses_a_second_of_the_key),
      cmocka_unit_test(test_map_remove_gives_the_value_back),
      cmocka_unit_test(test_map_agrees_with_a_plain_table),
      cmocka_unit_test(test_map_without_memory_keeps_what_it_has),
  };
  return cmocka_run_group_tests_name("map", tests, make_keys, NULL);
}
