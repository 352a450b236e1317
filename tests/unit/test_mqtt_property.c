/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of MQTT 5, byte by byte after the standard (2.2.2.2, 3.3.2.3). */
#include "io/mqtt_property.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/mqtt_text.h"
#include "support/expect.h"

/* One of each: text, an hour, "a/b", "r/t", two bytes, k=v. */
static const uint8_t all[] = {0x01, 1,                     //
                              0x02, 0, 0, 0x0e, 0x10,      //
                              0x03, 0, 3, 'a',  '/',  'b', //
                              0x08, 0, 3, 'r',  '/',  't', //
                              0x09, 0, 2, 0xff, 0x00,      //
                              0x26, 0, 1, 'k',  0,    1,   'v'};

static void test_mqtt_property_reads_each_kind(void **state) {
  static const struct {
    int used;
    unsigned code;
    uint32_t number;
    const char *data, *value;
    unsigned len, value_len;
  } rows[] = {{2, 0x01, 1, "", "", 0, 0},       {5, 0x02, 3600, "", "", 0, 0},
              {6, 0x03, 0, "a/b", "", 3, 0},    {6, 0x08, 0, "r/t", "", 3, 0},
              {5, 0x09, 0, "\xff\0", "", 2, 0}, {7, 0x26, 0, "k", "v", 1, 1}};
  const uint8_t *at = all;
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_mqtt_property property;
    size_t left = sizeof(all) - (size_t)(at - all);
    expect_int("used", bb_mqtt_property_next(at, left, &property), rows[i].used);
    expect_uint("code", property.code, rows[i].code);
    expect_uint("number", property.number, rows[i].number);
    expect_bytes("data", property.data, property.len, rows[i].data, rows[i].len);
    expect_bytes("value", property.value, property.value_len, rows[i].value, rows[i].value_len);
    at += rows[i].used;
  }
  expect_int("the end", bb_mqtt_property_next(at, 0, &(bb_mqtt_property){0}), 0);
  expect_true("no fault", bb_mqtt_property_fault(all, sizeof(all)) == NULL);
}

/* In memory of exactly that size, what is cut is refused, but where a property ends. */
static void test_mqtt_property_refuses_what_is_cut(void **state) {
  (void)state;
  for (size_t len = 0; len < sizeof(all); len++) {
    uint8_t *bytes = malloc(len + 1);
    memcpy(bytes, all, len);
    bool whole = len == 0 || len == 2 || len == 7 || len == 13 || len == 19 || len == 24;
    uint8_t *exact = realloc(bytes, len > 0 ? len : 1);
    expect_int("whole", bb_mqtt_property_fault(exact, len) == NULL, whole);
    free(exact);
  }
}

static void test_mqtt_property_names_the_fault(void **state) {
  static const struct {
    const char *row, *bytes;
    size_t len;
    const char *fault;
  } rows[] = {
      {"a code of another packet", "\x11\0\0\0\0", 5, "they are malformed"},
      {"a topic alias", "\x23\0\1", 3, "they are malformed"},
      {"twice", "\x03\0\0\x03\0\0", 6, "one is there twice"},
      {"user properties twice", "\x26\0\1k\0\1v\x26\0\1k\0\1v", 14, NULL},
      {"neither", "\x01\2", 2, "its payload is said to be neither text nor bytes"},
      {"a content type of no UTF-8", "\x03\0\1\xff", 4,
       "its content type is no text without control characters"},
      {"a wildcard", "\x08\0\1#", 4, "its response topic cannot be published to"},
      {"no response topic", "\x08\0\0", 3, "its response topic cannot be published to"},
      {"a line's end", "\x26\0\1k\0\1\n", 7,
       "a user property is no text without control characters"},
      {"U+FFFE as a key", "\x26\0\3\xef\xbf\xbe\0\0", 8,
       "a user property is no text without control characters"},
  };
  static const uint8_t long_bytes[BB_MQTT_PROPERTIES_MAX + 1];
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    const char *fault = bb_mqtt_property_fault((const uint8_t *)rows[i].bytes, rows[i].len);
    expect_text(rows[i].row, fault != NULL ? fault : "",
                rows[i].fault != NULL ? rows[i].fault : "");
  }
  expect_text("too long", bb_mqtt_property_fault(long_bytes, sizeof(long_bytes)),
              "they are too long; at most 8192 bytes");
}

static void test_mqtt_property_counts_the_waiting(void **state) {
  uint8_t bytes[sizeof(all)];
  uint32_t interval_s = 0;
  (void)state;
  memcpy(bytes, all, sizeof(all));
  expect_int("age", bb_mqtt_property_age(bytes, sizeof(bytes), 3599, &interval_s), 0);
  expect_bytes("a second is left", bytes + 2, 5, "\2\0\0\0\1", 5);
  expect_bytes("the rest is as it was", bytes + 7, sizeof(all) - 7, all + 7, sizeof(all) - 7);
  expect_int("over", bb_mqtt_property_age(bytes, sizeof(bytes), 2, &interval_s), BB_ERR_TIMEOUT);
  expect_uint("of", interval_s, 1);
  expect_bytes("unchanged", bytes + 2, 5, "\2\0\0\0\1", 5);
  expect_int("none", bb_mqtt_property_age(bytes + 7, sizeof(bytes) - 7, UINT64_MAX, &interval_s),
             0);
}

static void test_mqtt_text_that_may_be_sent(void **state) {
  static const struct {
    const char *text;
    size_t len;
    bool sound, topic;
  } rows[] = {{"", 0, true, false},
              {"a/b c", 5, true, true},
              {"a/+", 3, true, false},
              {"#", 1, true, false},
              {"\xc3\xa9", 2, true, true},
              {"a\0b", 3, false, false},
              {"a\tb", 3, false, false},
              {"\x7f", 1, false, false},
              {"\xc2\x85", 2, false, false},
              {"\xef\xb7\x90", 3, false, false},
              {"\xef\xbf\xbd", 3, true, true},
              {"\xf0\x9f\xbf\xbf", 4, false, false},
              {"\xc3", 1, false, false}};
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_int(rows[i].text, bb_mqtt_text_is_sound(rows[i].text, rows[i].len), rows[i].sound);
    expect_int(rows[i].text, bb_mqtt_text_is_topic(rows[i].text, rows[i].len), rows[i].topic);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mqtt_property_reads_each_kind),
      cmocka_unit_test(test_mqtt_property_refuses_what_is_cut),
      cmocka_unit_test(test_mqtt_property_names_the_fault),
      cmocka_unit_test(test_mqtt_property_counts_the_waiting),
      cmocka_unit_test(test_mqtt_text_that_may_be_sent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
