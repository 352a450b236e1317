/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "support/expect.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Eight times, then 64 times, the letter. */
#define A8 "aaaaaaaa"
#define A64 A8 A8 A8 A8 A8 A8 A8 A8

static void test_text_match(void **state) {
  static const struct {
    const char *pattern;
    const char *text;
    bool expected;
  } rows[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"**", "", true},
      {"a", "", false},
      {"a", "a", true},
      {"a", "ab", false},
      {"ab", "a", false},
      {"*", "any/thing", true},
      {"power/*", "power/total", true},
      {"power/*", "power/", true},
      {"power/*", "power", false},
      {"*/total", "power/l1/total", true},
      {"*/total", "power/l1/totals", false},
      {"a*b*c", "a-b-b-c", true},
      {"a*b*c", "a-c-b", false},
      {"*ab", "aab", true},
      {"a*a", "a", false},
      {"?", "a", false},
      {"[a]", "[a]", true},
      {"a**b", "ab", true},
      {"*a*a*a*a*a*a*a*a*b", A64, false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    expect_int(rows[i].pattern, bb_text_match(rows[i].pattern, rows[i].text), rows[i].expected);
  }
}

static void test_text_is_id_and_is_name(void **state) {
  static const struct {
    const char *text;
    bool id, name;
  } rows[] = {
      {"", false, false},          {".", false, false},        {".hidden", false, false},
      {"-flag", false, false},     {"a b", false, false},      {"a\n", false, false},
      {"a#", false, false},        {"a+", false, false},       {"a*", false, false},
      {"a\"", false, false},       {"\xc3\xa9", false, false}, {"\xff", false, false},
      {A64, true, true},           {A64 "a", false, true},     {A64 A64, false, true},
      {A64 A64 "a", false, false}, {"a", true, true},          {"0", true, true},
      {"_a", true, true},          {"a.b-c_D9", true, true},   {"power/l1", false, true},
      {"/a", false, true},         {"ns:a[3]", false, true},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    expect_int(rows[i].text, bb_text_is_id(rows[i].text), rows[i].id);
    expect_int(rows[i].text, bb_text_is_name(rows[i].text), rows[i].name);
  }
}

/* RFC 3629, section 4, and the borders around each of its ranges. */
static void test_text_utf8(void **state) {
  static const struct {
    const char *bytes;
    size_t len;
    unsigned expected;
  } rows[] = {
      {"", 0, 0},
      {"\x80", 1, 0},
      {"\xbf", 1, 0},
      {"\xc0\x80", 2, 0},
      {"\xc1\xbf", 2, 0},
      {"\xc2", 1, 0},
      {"\xc2\x7f", 2, 0},
      {"\xc2\xc0", 2, 0},
      {"\xe0\x9f\xbf", 3, 0},
      {"\xe2\x82", 2, 0},
      {"\xe2\x82\x28", 3, 0},
      {"\xed\xa0\x80", 3, 0},
      {"\xed\xbf\xbf", 3, 0},
      {"\xf0\x8f\xbf\xbf", 4, 0},
      {"\xf0\x9f\x98", 3, 0},
      {"\xf4\x90\x80\x80", 4, 0},
      {"\xf5\x80\x80\x80", 4, 0},
      {"\xff", 1, 0},
      {"\0", 1, 1},
      {"a", 1, 1},
      {"\x7f", 1, 1},
      {"ab", 2, 1},
      {"\xc2\x80", 2, 2},
      {"\xdf\xbf", 2, 2},
      {"\xe0\xa0\x80", 3, 3},
      {"\xed\x9f\xbf", 3, 3},
      {"\xee\x80\x80", 3, 3},
      {"\xef\xbf\xbf", 3, 3},
      {"\xf0\x90\x80\x80", 4, 4},
      {"\xf0\x9f\x98\x80", 4, 4},
      {"\xf4\x8f\xbf\xbf", 4, 4},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    expect_uint(rows[i].bytes, bb_text_utf8(rows[i].bytes, rows[i].len), rows[i].expected);
  }
  expect_true("nothing", bb_text_is_utf8("", 0));
  expect_true("mixed", bb_text_is_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10));
  expect_true("torn at the end", !bb_text_is_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9));
  expect_true("Latin-1", !bb_text_is_utf8("\xb0 C", 3));
}

static void test_text_duration(void **state) {
  static const struct {
    const char *text;
    int err;
    uint64_t ms;
  } rows[] = {
      {"", BB_ERR_FORMAT, 0},
      {"1", BB_ERR_FORMAT, 0},
      {"s", BB_ERR_FORMAT, 0},
      {"-1s", BB_ERR_FORMAT, 0},
      {"+1s", BB_ERR_FORMAT, 0},
      {" 1s", BB_ERR_FORMAT, 0},
      {"1s ", BB_ERR_FORMAT, 0},
      {"1.5.5s", BB_ERR_FORMAT, 0},
      {"1S", BB_ERR_FORMAT, 0},
      {"1sec", BB_ERR_FORMAT, 0},
      {"1e3s", BB_ERR_FORMAT, 0},
      {"1s500ms", BB_ERR_FORMAT, 0},
      {"10000000000000000s", BB_ERR_RANGE, 0},
      {"1234567890123456789ms", BB_ERR_RANGE, 0},
      {"00000000000000000000000000000000001s", BB_ERR_FORMAT, 0},
      {"0s", 0, 0},
      {"0.4ms", 0, 0},
      {"1ms", 0, 1},
      {"250ms", 0, 250},
      {"0.25s", 0, 250},
      {".5s", 0, 500},
      {"1.001s", 0, 1001},
      {"1s", 0, 1000},
      {"1 s", 0, 1000},
      {"1.5s", 0, 1500},
      {"5min", 0, 300000},
      {"5m", 0, 300000},
      {"1h", 0, 3600000},
      {"1.5h", 0, 5400000},
      {"7d", 0, 604800000},
      {"0.1d", 0, 8640000},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    uint64_t ms = 0;
    expect_int(rows[i].text, bb_text_duration_ms(rows[i].text, &ms), rows[i].err);
    expect_uint(rows[i].text, ms, rows[i].ms);
  }
}

static void test_text_bytes(void **state) {
  static const struct {
    const char *text;
    int err;
    uint64_t bytes;
  } rows[] = {
      {"", BB_ERR_FORMAT, 0},
      {"MiB", BB_ERR_FORMAT, 0},
      {"1Mib", BB_ERR_FORMAT, 0},
      {"1 Tib", BB_ERR_FORMAT, 0},
      {"-1", BB_ERR_FORMAT, 0},
      {"9000001GiB", BB_ERR_RANGE, 0},
      {"8500TiB", BB_ERR_RANGE, 0},
      {"0", 0, 0},
      {"4096", 0, 4096},
      {"1B", 0, 1},
      {"64KiB", 0, 65536},
      {"16MiB", 0, 16777216},
      {"1GiB", 0, 1073741824},
      {"1.5KiB", 0, 1536},
      {"1kB", 0, 1000},
      {"2 MB", 0, 2000000},
      {"3GB", 0, 3000000000},
      {"1TiB", 0, 1099511627776},
      {"2TB", 0, 2000000000000},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    uint64_t bytes = 0;
    expect_int(rows[i].text, bb_text_bytes(rows[i].text, &bytes), rows[i].err);
    expect_uint(rows[i].text, bytes, rows[i].bytes);
  }
}

static void test_text_show_ms(void **state) {
  static const struct {
    uint64_t ms;
    const char *expected;
  } rows[] = {
      {0, "0 ms"},         {1, "1 ms"},        {999, "999 ms"},     {1000, "1 s"},
      {1499, "1.5 s"},     {3500, "3.5 s"},    {7000, "7 s"},       {12345, "12 s"},
      {59600, "60 s"},     {60000, "1 min"},   {90000, "90 s"},     {119000, "119 s"},
      {120000, "2 min"},   {3600000, "1 h"},   {3601000, "60 min"}, {5400000, "90 min"},
      {7200000, "2 h"},    {7201234, "2 h"},   {86400000, "1 d"},   {129600000, "36 h"},
      {172799999, "47 h"}, {172800001, "2 d"}, {604800000, "7 d"},  {3888000000, "45 d"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    char out[32];
    expect_text(rows[i].expected, bb_text_show_ms(out, sizeof(out), rows[i].ms), rows[i].expected);
  }
  char small[4];
  expect_text("cut", bb_text_show_ms(small, sizeof(small), UINT64_MAX), "213");
}

static void test_text_show_bytes(void **state) {
  static const struct {
    uint64_t bytes;
    const char *expected;
  } rows[] = {
      {0, "0 B"},
      {1, "1 B"},
      {1000, "1000 B"},
      {1023, "1023 B"},
      {1024, "1 KiB"},
      {1025, "1.0 KiB"},
      {1536, "1.5 KiB"},
      {65536, "64 KiB"},
      {1023 * 1024 + 512, "1.0 MiB"},
      {4928307, "4.7 MiB"},
      {16777216, "16 MiB"},
      {1073741824, "1 GiB"},
      {1610612736, "1.5 GiB"},
      {1099511627776, "1 TiB"},
      {UINT64_MAX, "16777216.0 TiB"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    char out[32];
    expect_text(rows[i].expected, bb_text_show_bytes(out, sizeof(out), rows[i].bytes),
                rows[i].expected);
  }
}

static void test_text_counts_and_asks(void **state) {
  (void)state;
  char out[BB_TEXT_COUNT], ask[BB_TEXT_ASK];
  expect_text("none", bb_text_count(out, 0, "batch waits", "batches wait"), "0 batches wait");
  expect_text("one", bb_text_count(out, 1, "batch waits", "batches wait"), "1 batch waits");
  expect_text("many", bb_text_count(out, 21, "batch waits", "batches wait"), "21 batches wait");
  expect_text("near", bb_text_ask(ask, "hist", ";"), "; did you mean hist?");
  expect_text("nothing near", bb_text_ask(ask, NULL, ";"), ";");
}

static void test_text_distance(void **state) {
  static const struct {
    const char *a, *b;
    unsigned most, expected;
  } rows[] = {
      {"", "", 0, 0},
      {"", "abc", 5, 3},
      {"abc", "", 5, 3},
      {"abc", "abc", 0, 0},
      {"abc", "abd", 0, 1},
      {"abc", "abd", 1, 1},
      {"kitten", "sitting", 9, 3},
      {"flaw", "lawn", 9, 2},
      {"kitten", "sitting", 2, 3},
      {"aaaa", "bbbb", 2, 3},
      {A64 A64 A64, "a", 3, 4},
      {"a", A64 A64 A64, 3, 4},
      {A64 A64 A64, A64 A64, 200, 64},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    expect_uint(rows[i].a, bb_text_distance(rows[i].a, rows[i].b, rows[i].most), rows[i].expected);
  }
}

static void test_text_nearest(void **state) {
  static const char *const keys[] = {"connection", "profile", "unit", "scan", "tags", "id"};
  static const struct {
    const char *word;
    const char *expected;
  } rows[] = {
      {"conection", "connection"},
      {"Connection", "connection"},
      {"profil", "profile"},
      {"units", "unit"},
      {"unit", "unit"},
      {"tag", "tags"},
      {"ID", NULL},
      {"temperature", NULL},
      {"x", NULL},
      {A64 A64 A64 A64, NULL},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    expect_text(rows[i].word, bb_text_nearest(rows[i].word, keys, COUNT(keys)), rows[i].expected);
  }
  expect_text("no candidates", bb_text_nearest("unit", keys, 0), NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_match),      cmocka_unit_test(test_text_is_id_and_is_name),
      cmocka_unit_test(test_text_utf8),       cmocka_unit_test(test_text_duration),
      cmocka_unit_test(test_text_bytes),      cmocka_unit_test(test_text_show_ms),
      cmocka_unit_test(test_text_show_bytes), cmocka_unit_test(test_text_counts_and_asks),
      cmocka_unit_test(test_text_distance),   cmocka_unit_test(test_text_nearest),
  };
  return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
