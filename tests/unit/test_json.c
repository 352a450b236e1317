/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/sample.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "encode/json.h"

#define MAX (1u << 16)
#define BAD_NO_ANSWER (BB_QUALITY_BAD | BB_CAUSE_NO_ANSWER)
#define STALE_NO_ANSWER (BB_QUALITY_STALE | BB_CAUSE_NO_ANSWER)
#define UNCERTAIN_RANGE (BB_QUALITY_UNCERTAIN | BB_CAUSE_OUT_OF_RANGE)
#define TIME 1763688000123456789

static void test_json_string_escapes(void **state) {
  /* Expected values: RFC 8259 section 7, Unicode 15 table 3-7 for what is no UTF-8. */
  static const struct {
    const char *text;
    size_t len;
    const char *expected;
  } rows[] = {
      {"", 0, "\"\""},
      {"voltage/l1-n", 12, "\"voltage/l1-n\""},
      {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
      {"0123456789abcdef\"x", 18, "\"0123456789abcdef\\\"x\""},
      {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
      {"a\0b", 3, "\"a\\u0000b\""},
      {"\x01\x1f\x7f", 3, "\"\\u0001\\u001f\x7f\""},
      {"B\xc3\xbcro \xe2\x82\xac \xf0\x9f\x94\x8c", 14,
       "\"B\xc3\xbcro \xe2\x82\xac \xf0\x9f\x94\x8c\""},
      {"\xff", 1, "\"\xef\xbf\xbd\""},
      {"x\xc3", 2, "\"x\xef\xbf\xbd\""},
      {"\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong NUL */
      {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* surrogate */
      {"\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_buf out;
    bb_buf_init(&out, MAX);
    expect_int(rows[i].expected, bb_json_string(&out, rows[i].text, rows[i].len), 0);
    expect_text(rows[i].expected, bb_buf_string(&out), rows[i].expected);
    bb_buf_close(&out);
  }
}

static void test_json_value_by_type(void **state) {
  const struct {
    bb_value value;
    const char *expected; /* NULL: cannot be written */
  } rows[] = {
      {SAMPLE_F32(0.1f), "0.1"},
      {SAMPLE_F32(230.1f), "230.1"},
      {SAMPLE_F64(0.1), "0.1"},
      {SAMPLE_F64((double)0.1f), "0.10000000149011612"},
      {SAMPLE_F64(-0.0), "0"},
      {SAMPLE_F64(1e21), "1e+21"},
      {SAMPLE_F32(NAN), NULL},
      {SAMPLE_F32(INFINITY), NULL},
      {SAMPLE_F64(-INFINITY), NULL},
      {SAMPLE_BOOL(true), "true"},
      {SAMPLE_BOOL(false), "false"},
      {SAMPLE_INT(I8, -128), "-128"},
      {SAMPLE_UINT(U16, 65535), "65535"},
      {SAMPLE_INT(I64, 9007199254740991), "9007199254740991"},
      {SAMPLE_INT(I64, -9007199254740991), "-9007199254740991"},
      {SAMPLE_INT(I64, 9007199254740992), "\"9007199254740992\""},
      {SAMPLE_INT(I64, -9007199254740993), "\"-9007199254740993\""},
      {SAMPLE_INT(I64, INT64_MIN), "\"-9223372036854775808\""},
      {SAMPLE_UINT(U64, UINT64_MAX), "\"18446744073709551615\""},
      {SAMPLE_TEXT("say \"hi\""), "\"say \\\"hi\\\"\""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_buf out;
    const char *row = rows[i].expected != NULL ? rows[i].expected : "no number";
    bb_buf_init(&out, MAX);
    expect_int(row, bb_json_value(&out, rows[i].value),
               rows[i].expected != NULL ? 0 : BB_ERR_RANGE);
    expect_text(row, bb_buf_string(&out), rows[i].expected != NULL ? rows[i].expected : "");
    bb_buf_close(&out);
  }
}

#define HEAD "{\"timestamp\":1763688000123,\"boot\":3,\"seq\":118"

typedef struct {
  const char *name;
  sample_point points[6];
  bb_json_options options;
  int left_out;
  const char *expected;
} batch_row;

static const batch_row batch_rows[] = {
    {"all good",
     {{"voltage/l1-n", SAMPLE_F32(230.1f), 0, "V"}, {"starts", SAMPLE_UINT(U32, 7), 0, NULL}},
     {false, false},
     0,
     HEAD ",\"device\":\"meter-1\",\"scan\":\"fast\","
          "\"values\":{\"voltage/l1-n\":230.1,\"starts\":7}}"},
    {"each class",
     {{"a", SAMPLE_F32(1), BAD_NO_ANSWER, NULL},
      {"b", SAMPLE_F32(2), UNCERTAIN_RANGE, NULL},
      {"c", SAMPLE_F32(3), STALE_NO_ANSWER, NULL},
      {"d", SAMPLE_F32(4), BB_QUALITY_ABSENT, NULL},
      {"e", SAMPLE_F32(5), 0, NULL},
      {"f", SAMPLE_F32(6), BB_QUALITY_UNCERTAIN, NULL}},
     {false, false},
     0,
     HEAD
     ",\"device\":\"meter-1\",\"scan\":\"fast\","
     "\"values\":{\"b\":2,\"e\":5,\"f\":6},"
     "\"quality\":{\"a\":\"bad, no answer\",\"b\":\"uncertain, outside the point's valid range\","
     "\"c\":\"stale, no answer\",\"f\":\"uncertain\"}}"},
    {"no numbers",
     {{"x", SAMPLE_F32(NAN), 0, NULL},
      {"y", SAMPLE_F64(INFINITY), BB_QUALITY_UNCERTAIN, NULL},
      {"z", SAMPLE_F32(1), 0, NULL}},
     {false, false},
     2,
     HEAD ",\"device\":\"meter-1\",\"scan\":\"fast\",\"values\":{\"z\":1},"
          "\"quality\":{\"x\":\"bad, not a number\",\"y\":\"uncertain\"}}"},
    {"nothing at all",
     {{"x", SAMPLE_F32(1), BB_QUALITY_ABSENT, NULL}},
     {false, false},
     0,
     HEAD ",\"device\":\"meter-1\",\"scan\":\"fast\",\"values\":{}}"},
    {"options, odd names",
     {{"a \"b\"\n", SAMPLE_BOOL(true), 0, NULL}},
     {true, true},
     0,
     HEAD ",\"device\":\"meter-1\",\"scan\":\"fast\",\"site\":\"plant-7\","
          "\"tags\":{\"area\":\"B\xc3\xbcro\",\"line\":\"\"},\"historical\":true,"
          "\"values\":{\"a \\\"b\\\"\\n\":true}}"},
};

static bb_device *new_device(void) {
  bb_tag tags[] = {{"line", ""}, {"area", "B\xc3\xbcro"}};
  return bb_device_new("meter-1", "plant-7", "rockwell/powermonitor-500", tags, 2);
}

static void test_json_batch_by_quality(void **state) {
  (void)state;
  bb_device *device = new_device();
  for (size_t i = 0; i < sizeof(batch_rows) / sizeof(batch_rows[0]); i++) {
    const batch_row *row = &batch_rows[i];
    sample s;
    bb_buf out;
    sample_open(&s, device, "fast", row->points, 6, TIME);
    bb_buf_init(&out, MAX);
    expect_int(row->name, bb_json_batch(&out, &s.batch, &row->options), row->left_out);
    expect_text(row->name, bb_buf_string(&out), row->expected);
    bb_buf_close(&out);
    sample_close(&s);
  }
  bb_device_unref(device);
}

/* Names and texts of all kinds, of all lengths around the steps in which names are copied, and each
 * type at its ends: as RFC 8259 section 7 and ECMA-262 Number::toString have them. */
static const sample_point odd_points[] = {
    {"", SAMPLE_BOOL(false), 0, NULL},
    {"say \"hi\"", SAMPLE_INT(I8, -128), 0, "\"\xc2\xb0\\"},
    {"back\\slash\x01", SAMPLE_UINT(U8, 255), 0, "\t"},
    {"k\xc3\xbchlung/\xe2\x82\xac/\xf0\x9f\x94\x8c", SAMPLE_INT(I16, -32768), 0, "\xff"},
    {"\xff\xc3", SAMPLE_UINT(U16, 65535), 0, NULL},
    {"25-bytes-of-a-name/l1-l2-l3", SAMPLE_INT(I32, INT32_MIN), 0, NULL},
    {"28-bytes-of-a-name/l1-l2-l3xx", SAMPLE_UINT(U32, UINT32_MAX), 0, NULL},
    {"29-bytes-of-a-name/l1-l2-l3-xx", SAMPLE_INT(I64, INT64_MIN), 0, NULL},
    {"more-than-64-bytes-of-a-name/0123456789/0123456789/0123456789/0123456789/\n",
     SAMPLE_UINT(U64, UINT64_MAX), 0, NULL},
    {"f32", SAMPLE_F32(-3.4028235e38f), 0, NULL},
    {"smallest", SAMPLE_F32(1e-45f), 0, NULL},
    {"f64", SAMPLE_F64(-2.2250738585072014e-308), 0, NULL},
    {"text", SAMPLE_TEXT("\"\\\b\f\n\r\t\x01\x1f \xc3\xbc\xe2\x82\xac\xff"), 0, NULL},
    {"empty", SAMPLE_TEXT(""), 0, NULL},
    {"inf \"1\"", SAMPLE_F32(-INFINITY), 0, NULL},
    {"bad \"2\"", SAMPLE_F64(1), BAD_NO_ANSWER, NULL},
    {"gone", SAMPLE_TEXT("x"), BB_QUALITY_ABSENT, NULL},
    {"last", SAMPLE_UINT(U64, 9007199254740991), UNCERTAIN_RANGE, NULL},
};

#define N_ODD (sizeof(odd_points) / sizeof(odd_points[0]))

static const char *const odd_values[N_ODD] = {
    "\"\":false",
    "\"say \\\"hi\\\"\":-128",
    "\"back\\\\slash\\u0001\":255",
    "\"k\xc3\xbchlung/\xe2\x82\xac/\xf0\x9f\x94\x8c\":-32768",
    "\"\xef\xbf\xbd\xef\xbf\xbd\":65535",
    "\"25-bytes-of-a-name/l1-l2-l3\":-2147483648",
    "\"28-bytes-of-a-name/l1-l2-l3xx\":4294967295",
    "\"29-bytes-of-a-name/l1-l2-l3-xx\":\"-9223372036854775808\"",
    "\"more-than-64-bytes-of-a-name/0123456789/0123456789/0123456789/0123456789/\\n\":"
    "\"18446744073709551615\"",
    "\"f32\":-3.4028235e+38",
    "\"smallest\":1e-45",
    "\"f64\":-2.2250738585072014e-308",
    "\"text\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f \xc3\xbc\xe2\x82\xac\xef\xbf\xbd\"",
    "\"empty\":\"\"",
    NULL,
    NULL,
    NULL,
    "\"last\":9007199254740991",
};

static void test_json_batch_of_all_types_and_odd_names(void **state) {
  static const char qualities[] =
      "\"quality\":{\"inf \\\"1\\\"\":\"bad, not a number\",\"bad \\\"2\\\"\":\"bad, no answer\","
      "\"last\":\"uncertain, outside the point's valid range\"}}";
  bb_json_options options = {false, false};
  (void)state;
  bb_device *device = bb_device_new("meter \"1\"", "", "p", NULL, 0);
  bb_buf out, expected;
  sample s;
  bb_buf_init(&out, MAX);
  bb_buf_init(&expected, MAX);
  bb_buf_text(&expected, HEAD ",\"device\":\"meter \\\"1\\\"\",\"scan\":\"f\\u001f\",\"values\":{");
  for (size_t i = 0; i < N_ODD; i++) {
    if (odd_values[i] == NULL) continue;
    bb_buf_printf(&expected, "%s%s", i > 0 ? "," : "", odd_values[i]);
  }
  bb_buf_printf(&expected, "},%s", qualities);
  sample_open(&s, device, "f\x1f", odd_points, N_ODD, TIME);
  expect_int("left out", bb_json_batch(&out, &s.batch, &options), 1);
  expect_text("batch", bb_buf_string(&out), bb_buf_string(&expected));
  sample_close(&s);
  bb_buf_close(&out);
  bb_buf_close(&expected);
  bb_device_unref(device);
}

static void test_json_point_of_all_types_and_odd_units(void **state) {
  static const char *const units[] = {NULL, "\"\\\"\xc2\xb0\\\\\"", "\"\\t\"", "\"\xef\xbf\xbd\""};
  bb_json_options options = {false, true};
  (void)state;
  bb_device *device = new_device();
  bb_buf out, expected;
  sample s;
  bb_buf_init(&out, MAX);
  bb_buf_init(&expected, MAX);
  sample_open(&s, device, "fast", odd_points, N_ODD, TIME);
  for (uint16_t i = 0; i < N_ODD; i++) {
    if (odd_values[i] == NULL || odd_points[i].quality != 0) continue;
    const char *value = strstr(odd_values[i], "\":") + 2;
    const char *unit = i < 4 ? units[i] : NULL;
    bb_buf_clear(&expected);
    bb_buf_printf(&expected, HEAD ",\"value\":%s", value);
    if (unit != NULL) bb_buf_printf(&expected, ",\"unit\":%s", unit);
    bb_buf_text(&expected, ",\"historical\":true}");
    bb_buf_clear(&out);
    expect_int(odd_points[i].name, bb_json_point(&out, &s.batch, i, &options), 0);
    expect_text(odd_points[i].name, bb_buf_string(&out), bb_buf_string(&expected));
  }
  sample_close(&s);
  bb_buf_close(&out);
  bb_buf_close(&expected);
  bb_device_unref(device);
}

static void test_json_batch_of_event(void **state) {
  static const char text[] = "meter-1: \"lost\", not terminated";
  (void)state;
  bb_device *device = new_device();
  bb_batch event = {.device = device,
                    .time_ns = -1, /* rounds down, also before 1970 */
                    .boot = UINT32_MAX,
                    .seq = 9007199254740992, /* 2^53: as a text, like all integers past it */
                    .kind = BB_BATCH_EVENT,
                    .text = text,
                    .text_len = 15};
  bb_json_options options = {false, false};
  bb_buf out;
  bb_buf_init(&out, MAX);
  expect_int("event", bb_json_batch(&out, &event, &options), 0);
  expect_text("event", bb_buf_string(&out),
              "{\"timestamp\":-1,\"boot\":4294967295,\"seq\":\"9007199254740992\","
              "\"device\":\"meter-1\",\"event\":\"meter-1: \\\"lost\\\"\"}");
  event.kind = BB_BATCH_OUTCOME;
  bb_buf_clear(&out);
  options.historical = true;
  expect_int("outcome", bb_json_batch(&out, &event, &options), 0);
  expect_text("outcome", bb_buf_string(&out),
              "{\"timestamp\":-1,\"boot\":4294967295,\"seq\":\"9007199254740992\","
              "\"device\":\"meter-1\",\"historical\":true,"
              "\"outcome\":\"meter-1: \\\"lost\\\"\"}");
  bb_buf_close(&out);
  bb_device_unref(device);
}

static void test_json_point(void **state) {
  static const sample_point points[] = {
      {"v", SAMPLE_F32(230.1f), 0, "V"},
      {"n", SAMPLE_UINT(U16, 3), BB_QUALITY_UNCERTAIN | BB_CAUSE_SOURCE, NULL},
      {"b", SAMPLE_F32(1), BAD_NO_ANSWER, "W"},
      {"x", SAMPLE_F64(NAN), 0, "W"},
  };
  static const struct {
    int left_out;
    const char *expected;
  } rows[] = {
      {0, HEAD ",\"value\":230.1,\"unit\":\"V\"}"},
      {0, HEAD ",\"value\":3,\"quality\":\"uncertain, marked so by its "
               "source\"}"},
      {0, HEAD ",\"unit\":\"W\",\"quality\":\"bad, no answer\"}"},
      {1, HEAD ",\"unit\":\"W\",\"quality\":\"bad, not a number\"}"},
  };
  (void)state;
  bb_device *device = new_device();
  sample s;
  sample_open(&s, device, "fast", points, 4, TIME);
  for (uint16_t i = 0; i < 4; i++) {
    bb_json_options options = {false, false};
    bb_buf out;
    bb_buf_init(&out, MAX);
    expect_int(points[i].name, bb_json_point(&out, &s.batch, i, &options), rows[i].left_out);
    expect_text(points[i].name, bb_buf_string(&out), rows[i].expected);
    bb_buf_close(&out);
  }
  sample_close(&s);
  bb_device_unref(device);
}

/* Whatever the room, a batch is appended whole or not at all. */
/* A repeat is a flag, too, and no word about the clock. */
static void test_json_of_a_clock_that_was_not_set(void **state) {
  static const struct {
    uint8_t flags;
    const char *batch, *point;
  } rows[] = {
      {BB_BATCH_CLOCK_UNSET | BB_BATCH_REPEAT,
       HEAD ",\"device\":\"meter-1\",\"scan\":\"fast\",\"historical\":true,"
            "\"clock\":\"unset\",\"values\":{\"x\":1}}",
       HEAD ",\"value\":1,\"historical\":true,\"clock\":\"unset\"}"},
      {BB_BATCH_REPEAT,
       HEAD ",\"device\":\"meter-1\",\"scan\":\"fast\",\"historical\":true,"
            "\"values\":{\"x\":1}}",
       HEAD ",\"value\":1,\"historical\":true}"},
  };
  static const sample_point points[] = {{"x", SAMPLE_F32(1), 0, NULL}};
  bb_json_options options = {.historical = true};
  (void)state;
  bb_device *device = new_device();
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    sample s;
    bb_buf out;
    sample_open(&s, device, "fast", points, 1, TIME);
    s.batch.flags = rows[i].flags;
    bb_buf_init(&out, MAX);
    expect_int("batch", bb_json_batch(&out, &s.batch, &options), 0);
    expect_text("batch", bb_buf_string(&out), rows[i].batch);
    bb_buf_clear(&out);
    expect_int("point", bb_json_point(&out, &s.batch, 0, &options), 0);
    expect_text("point", bb_buf_string(&out), rows[i].point);
    bb_buf_close(&out);
    sample_close(&s);
  }
  bb_device_unref(device);
}

static void test_json_batch_without_room_appends_nothing(void **state) {
  (void)state;
  bb_device *device = new_device();
  sample s;
  bb_json_options options = {true, true};
  sample_open(&s, device, "fast", batch_rows[1].points, 6, TIME);
  for (size_t max = 1;; max++) {
    bb_buf out;
    bb_buf_init(&out, max);
    bb_buf_byte(&out, '[');
    int result = bb_json_batch(&out, &s.batch, &options);
    if (result < 0) expect_uint("length after failure", out.len, 1);
    bb_buf_close(&out);
    if (result >= 0) break;
    expect_int("result", result, BB_ERR_LIMIT);
    assert_true(max < MAX);
  }
  sample_close(&s);
  bb_device_unref(device);
}

static int write_batch(void *user) {
  bb_json_options options = {true, true};
  bb_buf out;
  bb_buf_init(&out, MAX);
  int result = bb_json_batch(&out, &((sample *)user)->batch, &options);
  bb_buf_close(&out);
  return result < 0 ? result : 0;
}

static void test_json_batch_without_memory(void **state) {
  (void)state;
  bb_device *device = new_device();
  sample s;
  sample_open(&s, device, "fast", batch_rows[1].points, 6, TIME);
  failmalloc_each(write_batch, &s);
  sample_close(&s);
  bb_device_unref(device);
}

static void test_json_writer_nests(void **state) {
  (void)state;
  bb_json_writer json;
  bb_buf out;
  bb_buf_init(&out, MAX);
  bb_json_writer_init(&json, &out);
  bb_json_writer_map(&json, NULL);
  bb_json_writer_text(&json, "id", "meter-1");
  bb_json_writer_text(&json, "why", NULL);
  bb_json_writer_list(&json, "sinks");
  bb_json_writer_map(&json, NULL);
  bb_json_writer_end(&json);
  bb_json_writer_map(&json, NULL);
  bb_json_writer_bool(&json, "up", true);
  bb_json_writer_int(&json, "offset", -5);
  bb_json_writer_uint(&json, "sent", UINT64_MAX);
  bb_json_writer_end(&json);
  bb_json_writer_list(&json, NULL);
  bb_json_writer_end(&json);
  bb_json_writer_number(&json, NULL, 0.5);
  bb_json_writer_number(&json, NULL, NAN);
  bb_json_writer_end(&json);
  bb_json_writer_number(&json, "lag", 1.25);
  bb_json_writer_end(&json);
  expect_int("finish", bb_json_writer_finish(&json), 0);
  expect_text("document", bb_buf_string(&out),
              "{\"id\":\"meter-1\",\"why\":null,\"sinks\":[{},{\"up\":true,\"offset\":-5,"
              "\"sent\":\"18446744073709551615\"},[],0.5,null],\"lag\":1.25}");
  bb_buf_close(&out);
}

static void test_json_writer_at_its_depth(void **state) {
  (void)state;
  bb_json_writer json;
  bb_buf out;
  bb_buf_init(&out, MAX);
  bb_json_writer_init(&json, &out);
  for (int i = 0; i < BB_JSON_DEPTH; i++) bb_json_writer_list(&json, NULL);
  bb_json_writer_int(&json, NULL, 1);
  bb_json_writer_int(&json, NULL, 2);
  for (int i = 0; i < BB_JSON_DEPTH; i++) bb_json_writer_end(&json);
  expect_int("finish", bb_json_writer_finish(&json), 0);
  expect_uint("length", out.len, 2 * BB_JSON_DEPTH + 3);
  bb_buf_close(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_json_string_escapes),
      cmocka_unit_test(test_json_value_by_type),
      cmocka_unit_test(test_json_batch_by_quality),
      cmocka_unit_test(test_json_batch_of_all_types_and_odd_names),
      cmocka_unit_test(test_json_point_of_all_types_and_odd_units),
      cmocka_unit_test(test_json_batch_of_event),
      cmocka_unit_test(test_json_point),
      cmocka_unit_test(test_json_of_a_clock_that_was_not_set),
      cmocka_unit_test(test_json_batch_without_room_appends_nothing),
      cmocka_unit_test(test_json_batch_without_memory),
      cmocka_unit_test(test_json_writer_nests),
      cmocka_unit_test(test_json_writer_at_its_depth),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
