/* SPDX-License-Identifier: Apache-2.0 */
#include "base/heap.h"

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/random.h"

#define NODES 200

static void test_heap_empty(void **state) {
  (void)state;
  bb_heap heap = {0};
  bb_heap_node node = {0};
  expect_true("first", bb_heap_first(&heap) == NULL);
  bb_heap_remove(&heap, &node);
  expect_int("room for none", bb_heap_reserve(&heap, 0), 0);
  bb_heap_close(&heap);
  bb_heap_close(&heap);
}

static void test_heap_removing_twice_is_harmless(void **state) {
  (void)state;
  bb_heap heap = {0};
  bb_heap_node a = {.key = 1}, b = {.key = 2};
  expect_int("reserve", bb_heap_reserve(&heap, 2), 0);
  bb_heap_insert(&heap, &a);
  bb_heap_insert(&heap, &b);
  bb_heap_remove(&heap, &a);
  bb_heap_remove(&heap, &a);
  expect_true("the other is first", bb_heap_first(&heap) == &b);
  expect_uint("number", heap.n, 1);
  bb_heap_remove(&heap, &b);
  expect_true("none is first", bb_heap_first(&heap) == NULL);
  a.key = 5;
  bb_heap_insert(&heap, &a);
  expect_true("it can come back", bb_heap_first(&heap) == &a);
  bb_heap_close(&heap);
}

static void test_heap_gives_the_smallest_first(void **state) {
  static const uint64_t keys[] = {5, UINT64_MAX, 0, 5, 1, UINT64_MAX - 1, 5, 2, 0};
  static const uint64_t sorted[] = {0, 0, 1, 2, 5, 5, 5, UINT64_MAX - 1, UINT64_MAX};
  bb_heap_node nodes[9] = {{0}};
  (void)state;
  bb_heap heap = {0};
  expect_int("reserve", bb_heap_reserve(&heap, 9), 0);
  for (size_t i = 0; i < 9; i++) {
    nodes[i].key = keys[i];
    bb_heap_insert(&heap, &nodes[i]);
  }
  for (size_t i = 0; i < 9; i++) {
    expect_uint("order", bb_heap_first(&heap)->key, sorted[i]);
    bb_heap_remove(&heap, bb_heap_first(&heap));
  }
  bb_heap_close(&heap);
}

static void check_first(const bb_heap *heap, const bb_heap_node *nodes, const bool *in) {
  uint64_t smallest = UINT64_MAX;
  size_t n = 0;
  for (size_t i = 0; i < NODES; i++) {
    if (!in[i]) continue;
    n++;
    if (nodes[i].key < smallest) smallest = nodes[i].key;
  }
  expect_uint("number", heap->n, n);
  if (n > 0) expect_uint("smallest", bb_heap_first(heap)->key, smallest);
}

/* Due times that move: nodes go in and out at any place, keys repeat. */
static void test_heap_agrees_with_a_search(void **state) {
  static bb_heap_node nodes[NODES];
  static bool in[NODES];
  (void)state;
  uint64_t seed = 1;
  bb_heap heap = {0};
  expect_int("reserve", bb_heap_reserve(&heap, NODES), 0);
  for (int step = 0; step < 50000; step++) {
    uint32_t i = random_below(&seed, NODES);
    if (in[i]) {
      bb_heap_remove(&heap, &nodes[i]);
    } else {
      nodes[i].key = random_below(&seed, 100);
      bb_heap_insert(&heap, &nodes[i]);
    }
    in[i] = !in[i];
    if (step % 7 == 0) check_first(&heap, nodes, in);
  }
  uint64_t last = 0;
  while (bb_heap_first(&heap) != NULL) {
    expect_true("never smaller than the one before", bb_heap_first(&heap)->key >= last);
    last = bb_heap_first(&heap)->key;
    bb_heap_remove(&heap, bb_heap_first(&heap));
  }
  bb_heap_close(&heap);
}

static int reserve_more(void *user) {
  bb_heap heap = {0};
  bb_heap_node node = {.key = 3};
  (void)user;
  int err = bb_heap_reserve(&heap, 1);
  if (err == 0) {
    bb_heap_insert(&heap, &node);
    err = bb_heap_reserve(&heap, 100);
    expect_uint("what was in stays", bb_heap_first(&heap)->key, 3);
    expect_uint("room", heap.cap, err == 0 ? 100 : 1);
  }
  if (err == 0) expect_int("never shrinks", bb_heap_reserve(&heap, 50), 0);
  if (err == 0) expect_uint("room", heap.cap, 100);
  bb_heap_close(&heap);
  return err;
}

static void test_heap_without_memory(void **state) {
  (void)state;
  failmalloc_each(reserve_more, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_heap_empty),
      cmocka_unit_test(test_heap_removing_twice_is_harmless),
      cmocka_unit_test(test_heap_gives_the_smallest_first),
      cmocka_unit_test(test_heap_agrees_with_a_search),
      cmocka_unit_test(test_heap_without_memory),
  };
  return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
