/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges are written as text: "0-3 5-7" is what holds 0, 1, 2, 5 and 6. */
#include "base/span.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/expect.h"

#define MAX 4

typedef struct list {
  bb_span ranges[MAX];
  uint32_t n;
} list;

static list list_of(const char *text) {
  list l = {.n = 0};
  for (const char *at = text; *at != 0;) {
    char *end;
    l.ranges[l.n].from = strtoull(at, &end, 10);
    l.ranges[l.n].to = strtoull(end + 1, &end, 10);
    l.n++;
    at = *end == ' ' ? end + 1 : end;
  }
  return l;
}

static const char *text_of(const list *l) {
  static char text[256];
  size_t len = 0;
  text[0] = 0;
  for (uint32_t i = 0; i < l->n; i++) {
    len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%llu-%llu", i > 0 ? " " : "",
                            (unsigned long long)l->ranges[i].from,
                            (unsigned long long)l->ranges[i].to);
  }
  return text;
}

static void test_span_add_keeps_them_ascending_and_apart(void **state) {
  (void)state;
  static const struct {
    const char *before;
    uint64_t from, to;
    const char *after;
  } rows[] = {
      {"", 5, 5, ""},
      {"", 6, 5, ""},
      {"", 5, 7, "5-7"},
      {"5-7", 9, 10, "5-7 9-10"},
      {"5-7", 1, 2, "1-2 5-7"},
      {"5-7", 7, 9, "5-9"},
      {"5-7", 3, 5, "3-7"},
      {"5-7", 5, 7, "5-7"},
      {"5-9", 6, 7, "5-9"},
      {"5-7", 4, 8, "4-8"},
      {"1-2 5-7", 2, 5, "1-7"},
      {"1-2 5-7 9-10", 0, 20, "0-20"},
      {"1-2 5-7 9-10", 6, 9, "1-2 5-10"},
      {"1-2 5-7 9-10", 3, 4, "1-2 3-4 5-7 9-10"},
      /* The list is full. */
      {"1-2 4-5 7-8 10-11", 20, 21, "1-5 7-8 10-11 20-21"},
      {"1-2 4-5 7-8 10-11", 13, 14, "1-5 7-8 10-11 13-14"},
      {"1-2 4-5 8-9 12-13", 6, 7, "1-5 6-7 8-9 12-13"},
      {"3-4 6-7 9-10 12-13", 0, 1, "0-4 6-7 9-10 12-13"},
      {"1-2 5-6 8-9 11-12", 3, 4, "1-4 5-6 8-9 11-12"},
      {"1-2 4-5 7-8 10-11", 8, 9, "1-2 4-5 7-9 10-11"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char row[96];
    list l = list_of(rows[i].before);
    snprintf(row, sizeof(row), "\"%s\" and %u-%u", rows[i].before, (unsigned)rows[i].from,
             (unsigned)rows[i].to);
    l.n = bb_span_add(l.ranges, l.n, MAX, rows[i].from, rows[i].to);
    expect_text(row, text_of(&l), rows[i].after);
  }
}

static void test_span_clip_takes_out_what_is_below(void **state) {
  (void)state;
  static const struct {
    const char *before;
    uint64_t floor, removed;
    const char *after;
  } rows[] = {
      {"", 5, 0, ""},           {"5-7", 5, 0, "5-7"},        {"5-7", 6, 1, "6-7"},
      {"5-7", 7, 2, ""},        {"5-7", 99, 2, ""},          {"1-2 5-7 9-10", 5, 1, "5-7 9-10"},
      {"1-2 5-7", 6, 2, "6-7"}, {"1-2 5-7 9-10", 99, 4, ""},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    list l = list_of(rows[i].before);
    uint64_t removed = 100;
    l.n = bb_span_clip(l.ranges, l.n, rows[i].floor, &removed);
    expect_text(rows[i].before, text_of(&l), rows[i].after);
    expect_uint(rows[i].before, removed, 100 + rows[i].removed);
  }
}

static void test_span_cut_takes_out_what_is_between(void **state) {
  (void)state;
  static const struct {
    const char *before;
    uint64_t from, to, removed;
    const char *after;
  } rows[] = {
      {"", 1, 9, 0, ""},
      {"5-7", 1, 5, 0, "5-7"},
      {"5-7", 5, 7, 2, ""},
      {"5-9", 0, 7, 2, "7-9"},
      {"5-9", 7, 20, 2, "5-7"},
      {"5-9", 6, 7, 1, "5-6 7-9"},
      {"1-3 5-7 9-12", 2, 10, 4, "1-2 10-12"},
      /* The list is full. */
      {"1-2 4-5 7-8 10-15", 11, 12, 1, "1-5 7-8 10-11 12-15"},
      {"1-2 4-5 7-10 15-16", 8, 9, 1, "1-5 7-8 9-10 15-16"},
      {"1-2 4-9 12-13 15-16", 6, 7, 1, "1-6 7-9 12-13 15-16"},
      {"1-5 7-8 10-11 13-14", 2, 4, 2, "1-2 4-8 10-11 13-14"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    list l = list_of(rows[i].before);
    uint64_t removed = 100;
    l.n = bb_span_cut(l.ranges, l.n, MAX, rows[i].from, rows[i].to, &removed);
    expect_text(rows[i].before, text_of(&l), rows[i].after);
    expect_uint(rows[i].before, removed, 100 + rows[i].removed);
  }
}

static void test_span_count_adds_them_up(void **state) {
  (void)state;
  list none = list_of(""), some = list_of("1-2 5-9");
  expect_uint("none", bb_span_count(none.ranges, none.n), 0);
  expect_uint("some", bb_span_count(some.ranges, some.n), 5);
}

/* Whatever is added, nothing that was added is missing, up to the gaps that a full list covers. */
static void test_span_add_loses_nothing(void **state) {
  (void)state;
  enum { RECORDS = 64, ROUNDS = 2000 };
  uint32_t random = 1;
  for (int round = 0; round < ROUNDS; round++) {
    bool added[RECORDS + 8] = {false};
    list l = {.n = 0};
    for (int i = 0; i < 12; i++) {
      random = random * 1664525u + 1013904223u;
      uint64_t from = (random >> 16) % RECORDS, to = from + (random >> 8) % 5;
      for (uint64_t r = from; r < to; r++) added[r] = true;
      l.n = bb_span_add(l.ranges, l.n, MAX, from, to);
      expect_true("at most so many", l.n <= MAX);
    }
    for (uint32_t i = 0; i < l.n; i++) {
      expect_true("not empty", l.ranges[i].from < l.ranges[i].to);
      if (i > 0) expect_true("apart", l.ranges[i - 1].to < l.ranges[i].from);
      for (uint64_t r = l.ranges[i].from; r < l.ranges[i].to; r++) added[r] = false;
    }
    for (int r = 0; r < RECORDS; r++) expect_true("held", !added[r]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_span_add_keeps_them_ascending_and_apart),
      cmocka_unit_test(test_span_clip_takes_out_what_is_below),
      cmocka_unit_test(test_span_cut_takes_out_what_is_between),
      cmocka_unit_test(test_span_count_adds_them_up),
      cmocka_unit_test(test_span_add_loses_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
