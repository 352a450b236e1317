/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include "support/expect.h"

typedef struct {
  int before;
  bb_list node;
  char name;
} item;

static const char *names_of(const bb_list *list, char *out) {
  size_t n = 0;
  for (bb_list *node = list->next; node != list; node = node->next) {
    out[n++] = BB_LIST_ITEM(node, item, node)->name;
  }
  for (bb_list *node = list->prev; node != list; node = node->prev) {
    expect_int("the way back", BB_LIST_ITEM(node, item, node)->name, out[--n]);
  }
  for (bb_list *node = list->next; node != list; node = node->next) n++;
  out[n] = 0;
  return out;
}

static void test_list_empty(void **state) {
  (void)state;
  bb_list list;
  bb_list_init(&list);
  expect_true("empty", bb_list_empty(&list));
  expect_true("no first", bb_list_first(&list) == NULL);
  bb_list_remove(&list);
  expect_true("still empty", bb_list_empty(&list));
}

static void test_list_removing_twice_is_harmless(void **state) {
  (void)state;
  char names[8];
  bb_list list;
  item a = {.name = 'a'}, b = {.name = 'b'};
  bb_list_init(&list);
  bb_list_append(&list, &a.node);
  bb_list_append(&list, &b.node);
  bb_list_remove(&a.node);
  bb_list_remove(&a.node);
  expect_text("the other stays", names_of(&list, names), "b");
  bb_list_prepend(&list, &a.node);
  expect_text("it can come back", names_of(&list, names), "ab");
}

static void test_list_order(void **state) {
  static const struct {
    const char *row;
    const char
        *steps; /* a letter is appended, "<" and a letter prepended, "-" and a letter removed */
    const char *expected;
  } rows[] = {
      {"appended", "abc", "abc"},
      {"prepended", "<a<b<c", "cba"},
      {"both", "a<bc<d", "dbac"},
      {"first removed", "abc-a", "bc"},
      {"middle removed", "abc-b", "ac"},
      {"last removed", "abc-c", "ab"},
      {"moved to the end", "abc-aa", "bca"},
      {"all removed", "ab-a-b", ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_list list;
    item items[4];
    char names[8];
    bb_list_init(&list);
    for (const char *p = rows[i].steps; *p != 0; p++) {
      char how = *p == '<' || *p == '-' ? *p++ : '+';
      item *at = &items[*p - 'a'];
      at->name = *p;
      if (how == '+') bb_list_append(&list, &at->node);
      if (how == '<') bb_list_prepend(&list, &at->node);
      if (how == '-') bb_list_remove(&at->node);
    }
    expect_text(rows[i].row, names_of(&list, names), rows[i].expected);
    expect_int(rows[i].row, bb_list_empty(&list), rows[i].expected[0] == 0);
    bb_list *first = bb_list_first(&list);
    char name = first != NULL ? BB_LIST_ITEM(first, item, node)->name : 0;
    expect_int(rows[i].row, name, rows[i].expected[0]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_list_empty),
      cmocka_unit_test(test_list_removing_twice_is_harmless),
      cmocka_unit_test(test_list_order),
  };
  return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
