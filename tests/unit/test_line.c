/* SPDX-License-Identifier: Apache-2.0 */
/* Expected lines follow the line protocol reference; those with escapes were also written to InfluxDB
 * 1.6 and VictoriaMetrics and read back. */
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "encode/line.h"
#include "fuzz/line_reader.h"

#define MAX (1u << 20)
#define BAD (BB_QUALITY_BAD | BB_CAUSE_NO_ANSWER)
#define STALE (BB_QUALITY_STALE | BB_CAUSE_NO_ANSWER)
#define TIME 1763688000123456789

/* What a batch of the device with the options becomes. */
static char *encode(const bb_device *device, const bb_batch *batch, const bb_line_options *options,
                    int *lines, uint32_t *left_out) {
  bb_line_series *series = bb_line_series_new(device, options);
  bb_line_plan *plan = bb_line_plan_new(batch->shape, options);
  assert_non_null(series);
  assert_non_null(plan);
  bb_buf out;
  bb_buf_init(&out, MAX);
  *left_out = 0;
  *lines = bb_line_batch(&out, series, plan, batch, left_out);
  char *text = strdup(bb_buf_string(&out));
  bb_buf_close(&out);
  bb_line_series_free(series);
  bb_line_plan_free(plan);
  return text;
}

static const bb_tag meter_tags[] = {{"line", "l1"}, {"area", ""}};

static bb_device *new_meter(void) {
  return bb_device_new("meter-1", "plant-7", "rockwell/powermonitor-500", meter_tags, 2);
}

typedef struct {
  const char *name;
  bb_line_options options;
  sample_point points[8];
  int lines;
  uint32_t left_out;
  const char *expected;
} batch_row;

#define METER "powermonitor_500,asset=meter-1,line=l1,site=plant-7"

static const batch_row batch_rows[] = {
    {"types are kept",
     {.precision = BB_LINE_MS},
     {{"voltage/l1-n", SAMPLE_F32(230.1f), 0, NULL},
      {"energy", SAMPLE_F64(1234567.0625), 0, NULL},
      {"starts", SAMPLE_UINT(U16, 7), 0, NULL},
      {"balance", SAMPLE_INT(I32, -5), 0, NULL},
      {"closed", SAMPLE_BOOL(true), 0, NULL},
      {"open", SAMPLE_BOOL(false), 0, NULL},
      {"state", SAMPLE_TEXT("run \"fast\" \\ now\r\nagain"), 0, NULL}},
     1,
     0,
     METER " voltage_l1_n=230.1,energy=1234567.0625,starts=7i,balance=-5i,closed=true,open=false,"
           "state=\"run \\\"fast\\\" \\\\ now  again\" 1763688000123\n"},
    {"all numbers as floats",
     {.precision = BB_LINE_S, .all_float = true},
     {{"starts", SAMPLE_UINT(U16, 7), 0, NULL},
      {"balance", SAMPLE_INT(I8, -5), 0, NULL},
      {"total", SAMPLE_UINT(U64, UINT64_MAX), 0, NULL},
      {"closed", SAMPLE_BOOL(true), 0, NULL}},
     1,
     0,
     METER " starts=7,balance=-5,total=18446744073709551615,closed=true 1763688000\n"},
    {"integers at their limits",
     {.precision = BB_LINE_NS},
     {{"a", SAMPLE_INT(I64, INT64_MIN), 0, NULL},
      {"b", SAMPLE_INT(I64, INT64_MAX), 0, NULL},
      {"c", SAMPLE_UINT(U64, INT64_MAX), 0, NULL},
      {"d", SAMPLE_UINT(U64, (uint64_t)INT64_MAX + 1), 0, NULL}},
     1,
     1,
     METER " a=-9223372036854775808i,b=9223372036854775807i,c=9223372036854775807i "
           "1763688000123456789\n"},
    {"unsigned type",
     {.precision = BB_LINE_US, .unsigned_type = true},
     {{"d", SAMPLE_UINT(U64, UINT64_MAX), 0, NULL}, {"e", SAMPLE_INT(I16, 3), 0, NULL}},
     1,
     0,
     METER " d=18446744073709551615u,e=3i 1763688000123456\n"},
    {"no number, no field",
     {.precision = BB_LINE_S},
     {{"x", SAMPLE_F32(NAN), 0, NULL},
      {"y", SAMPLE_F32(1.5f), 0, NULL},
      {"z", SAMPLE_F64(-INFINITY), 0, NULL}},
     1,
     2,
     METER " y=1.5 1763688000\n"},
    {"only NaN", {.precision = BB_LINE_S}, {{"x", SAMPLE_F32(NAN), 0, NULL}}, 0, 1, ""},
    {"quality decides",
     {.precision = BB_LINE_S},
     {{"a", SAMPLE_F32(1), BAD, NULL},
      {"b", SAMPLE_F32(2), BB_QUALITY_UNCERTAIN, NULL},
      {"c", SAMPLE_F32(3), STALE, NULL},
      {"d", SAMPLE_F32(4), BB_QUALITY_ABSENT, NULL},
      {"e", SAMPLE_F32(5), 0, NULL}},
     1,
     0,
     METER " b=2,e=5 1763688000\n"},
    {"nothing good", {.precision = BB_LINE_S}, {{"a", SAMPLE_F32(1), STALE, NULL}}, 0, 0, ""},
    {"names as they are",
     {.precision = BB_LINE_S, .names_as_is = true},
     {{"voltage/l1-n", SAMPLE_F32(1), 0, NULL}},
     1,
     0,
     METER " voltage/l1-n=1 1763688000\n"},
    {"names that become the same",
     {.precision = BB_LINE_S},
     {{"a/b", SAMPLE_F32(1), 0, NULL},
      {"a-b", SAMPLE_F32(2), 0, NULL},
      {"a_b", SAMPLE_F32(3), 0, NULL},
      {"time", SAMPLE_F32(4), 0, NULL},
      {"a_b", SAMPLE_F32(5), 0, NULL}},
     1,
     1, /* the second a_b */
     METER " a/b=1,a-b=2,a_b=3,time_=4 1763688000\n"},
    {"names that need escapes",
     {.precision = BB_LINE_S},
     {{"a b", SAMPLE_F32(1), 0, NULL},
      {"c,d", SAMPLE_F32(2), 0, NULL},
      {"e=f", SAMPLE_F32(3), 0, NULL},
      {"g\"h", SAMPLE_F32(4), 0, NULL},
      {"i\nj", SAMPLE_F32(5), 0, NULL},
      {"k\\", SAMPLE_F32(6), 0, NULL},
      {"l\xc3\xbc\xff", SAMPLE_F32(7), 0, NULL},
      {"m\\n\\,o", SAMPLE_F32(8), 0, NULL}},
     1,
     0,
     METER " a\\ b=1,c\\,d=2,e\\=f=3,g'h=4,i\\ j=5,k/=6,l\xc3\xbc\xef\xbf\xbd=7,m\\n/\\,o=8 "
           "1763688000\n"},
    {"a key longer than a step",
     {.precision = BB_LINE_S},
     {{"power/reactive/total/demand/maximum/of/the/month", SAMPLE_F32(1), 0, NULL}},
     1,
     0,
     METER " power_reactive_total_demand_maximum_of_the_month=1 1763688000\n"},
    {"one line a phase",
     {.precision = BB_LINE_S, .layout = BB_LINE_PER_PHASE},
     {{"voltage/l1-n", SAMPLE_F32(1), 0, NULL},
      {"voltage/l2-n", SAMPLE_F32(2), 0, NULL},
      {"voltage/l1-l2", SAMPLE_F32(3), 0, NULL},
      {"current/l1", SAMPLE_F32(4), 0, NULL},
      {"current/n", SAMPLE_F32(5), 0, NULL},
      {"power/active/total", SAMPLE_F32(6), 0, NULL},
      {"frequency", SAMPLE_F32(7), 0, NULL},
      {"voltage/l1", SAMPLE_F32(8), 0, NULL}},
     5,
     0,
     METER " voltage_l1_l2=3,frequency=7,voltage_l1=8 1763688000\n"
           "powermonitor_500,asset=meter-1,line=l1,phase=l1,site=plant-7 voltage=1,current=4 "
           "1763688000\n"
           "powermonitor_500,asset=meter-1,line=l1,phase=l2,site=plant-7 voltage=2 1763688000\n"
           "powermonitor_500,asset=meter-1,line=l1,phase=n,site=plant-7 current=5 1763688000\n"
           "powermonitor_500,asset=meter-1,line=l1,phase=total,site=plant-7 power_active=6 "
           "1763688000\n"},
    {"a phase without a value has no line",
     {.precision = BB_LINE_S, .layout = BB_LINE_PER_PHASE},
     {{"voltage/l1", SAMPLE_F32(1), BAD, NULL}, {"voltage/l2", SAMPLE_F32(2), 0, NULL}},
     1,
     0,
     "powermonitor_500,asset=meter-1,line=l1,phase=l2,site=plant-7 voltage=2 1763688000\n"},
    {"one line a point, one type",
     {.precision = BB_LINE_S, .layout = BB_LINE_PER_POINT, .unsigned_type = true},
     {{"voltage/l1-n", SAMPLE_F32(1.5f), 0, NULL},
      {"starts", SAMPLE_UINT(U32, 7), 0, NULL},
      {"closed", SAMPLE_BOOL(true), 0, NULL},
      {"my state", SAMPLE_TEXT("on"), 0, NULL}},
     4,
     0,
     "powermonitor_500,asset=meter-1,line=l1,point=voltage/l1-n,site=plant-7 value=1.5 1763688000\n"
     "powermonitor_500,asset=meter-1,line=l1,point=starts,site=plant-7 value=7 1763688000\n"
     "powermonitor_500,asset=meter-1,line=l1,point=closed,site=plant-7 value=1 1763688000\n"
     "powermonitor_500,asset=meter-1,line=l1,point=my\\ state,site=plant-7 text=\"on\" "
     "1763688000\n"},
};

static void test_line_batch_by_layout_and_type(void **state) {
  (void)state;
  bb_device *device = new_meter();
  for (size_t i = 0; i < sizeof(batch_rows) / sizeof(batch_rows[0]); i++) {
    const batch_row *row = &batch_rows[i];
    sample s;
    int lines;
    uint32_t left_out;
    line_counts counts;
    sample_open(&s, device, "fast", row->points, 8, TIME);
    char *text = encode(device, &s.batch, &row->options, &lines, &left_out);
    expect_text(row->name, text, row->expected);
    expect_int(row->name, lines, row->lines);
    expect_uint(row->name, left_out, row->left_out);
    expect_true(row->name, line_read_all(text, strlen(text), &counts));
    free(text);
    sample_close(&s);
  }
  bb_device_unref(device);
}

typedef struct {
  const char *id, *site, *profile;
  bb_tag tags[4];
  uint32_t n_tags;
  bb_line_options options;
  const char *expected; /* up to the fields */
} head_row;

static const bb_tag further[] = {{"site", "elsewhere"}, {"zone", "a b"}, {"asset", "x"}};

static const head_row head_rows[] = {
    {"m1", "s", "rockwell/power-monitor-500", {{0}}, 0, {0}, "power_monitor_500,asset=m1,site=s"},
    {"m1", "s", "generic", {{0}}, 0, {0}, "generic,asset=m1,site=s"},
    {"m1", "", "", {{0}}, 0, {0}, "busbar,asset=m1"},
    {"m1", "", "a/", {{0}}, 0, {0}, "busbar,asset=m1"},
    {"m1",
     "s",
     "p",
     {{0}},
     0,
     {.measurement = "my power, 1=2"},
     "my\\ power\\,\\ 1=2,asset=m1,site=s"},
    {"m1", "s", "p", {{0}}, 0, {.measurement = "#1"}, "_1,asset=m1,site=s"},
    {"m1", "s", "p", {{0}}, 0, {.measurement = "a\\"}, "a/,asset=m1,site=s"},
    {"m1",
     "s",
     "p",
     {{"asset", "mdb-7"}, {"zz", "1"}, {"a", "2"}},
     3,
     {0},
     "p,a=2,asset=mdb-7,site=s,zz=1"},
    {"m1", "s", "p", {{"asset", ""}}, 1, {0}, "p,site=s"},
    {"m1",
     "s",
     "p",
     {{"site", "t"}},
     1,
     {.tags = further, .n_tags = 3},
     "p,asset=m1,site=t,zone=a\\ b"},
    {"m1",
     "s",
     "p",
     {{"time", "1"}, {"_field", "2"}, {"_measurement", "3"}, {"", "4"}},
     4,
     {0},
     "p,asset=m1,site=s"},
    {"m1",
     "s",
     "p",
     {{"a b", "c,d=e"}, {"C:\\x", "D:\\y\\"}},
     2,
     {0},
     "p,C:\\x=D:\\y/,a\\ b=c\\,d\\=e,asset=m1,site=s"},
    {"m1",
     "s",
     "p",
     {{"n", "a\nb\tc"}, {"q", "\"x\""}},
     2,
     {0},
     "p,asset=m1,n=a\\ b\\ c,q=\"x\",site=s"},
    {"m1", "s", "p", {{"n m", "1"}, {"n\nm", "2"}}, 2, {0}, "p,asset=m1,n\\ m=2,site=s"},
    {"m1",
     "s",
     "p",
     {{"phase", "x"}, {"ph", "1"}, {"phasf", "2"}},
     3,
     {.layout = BB_LINE_PER_PHASE},
     "p,asset=m1,ph=1,phasf=2,site=s"},
    {"B\xc3\xbcro \xf0\x9f\x94\x8c",
     "\xff",
     "p",
     {{0}},
     0,
     {0},
     "p,asset=B\xc3\xbcro\\ \xf0\x9f\x94\x8c,site=\xef\xbf\xbd"},
};

static void test_line_head_by_device(void **state) {
  static const sample_point points[] = {{"v", SAMPLE_F32(1), 0, NULL}};
  (void)state;
  for (size_t i = 0; i < sizeof(head_rows) / sizeof(head_rows[0]); i++) {
    const head_row *row = &head_rows[i];
    bb_device *device = bb_device_new(row->id, row->site, row->profile, row->tags, row->n_tags);
    sample s;
    int lines;
    uint32_t left_out;
    sample_open(&s, device, "fast", points, 1, 0);
    char *text = encode(device, &s.batch, &row->options, &lines, &left_out);
    char *fields = strstr(text, " v=1 0\n");
    assert_non_null(fields);
    *fields = 0;
    expect_text(row->expected, text, row->expected);
    free(text);
    sample_close(&s);
    bb_device_unref(device);
  }
}

static void test_line_time_is_rounded_down(void **state) {
  static const struct {
    int64_t time_ns;
    bb_line_precision precision;
    const char *expected;
  } rows[] = {
      {1999999999, BB_LINE_S, " v=1 1\n"},
      {-1, BB_LINE_S, " v=1 -1\n"},
      {-1000000, BB_LINE_MS, " v=1 -1\n"},
      {0, BB_LINE_NS, " v=1 0\n"},
      {INT64_MAX, BB_LINE_NS, " v=1 9223372036854775807\n"},
      {INT64_MIN, BB_LINE_US, " v=1 -9223372036854776\n"},
  };
  static const sample_point points[] = {{"v", SAMPLE_F32(1), 0, NULL}};
  (void)state;
  bb_device *device = bb_device_new("m", "", "p", NULL, 0);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_line_options options = {.precision = rows[i].precision};
    sample s;
    int lines;
    uint32_t left_out;
    sample_open(&s, device, "fast", points, 1, rows[i].time_ns);
    char *text = encode(device, &s.batch, &options, &lines, &left_out);
    expect_part(rows[i].expected, text, rows[i].expected);
    free(text);
    sample_close(&s);
  }
  bb_device_unref(device);
}

static void test_line_event(void **state) {
  static const struct {
    uint8_t kind;
    const char *text;
    const char *expected;
  } rows[] = {
      {BB_BATCH_EVENT, "lost: \"no answer\"\nagain",
       "events,asset=meter-1,kind=event,line=l1,site=plant-7 text=\"lost: \\\"no answer\\\" "
       "again\" "
       "1763688000123\n"},
      {BB_BATCH_OUTCOME, "",
       "events,asset=meter-1,kind=outcome,line=l1,site=plant-7 text=\"\" 1763688000123\n"},
      {BB_BATCH_EVENT, NULL, ""},
  };
  (void)state;
  bb_device *device = new_meter();
  bb_line_options options = {.precision = BB_LINE_MS, .layout = BB_LINE_PER_PHASE};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    const char *text = rows[i].text;
    bb_batch batch = {.device = device,
                      .time_ns = TIME,
                      .kind = rows[i].kind,
                      .text = text,
                      .text_len = (uint16_t)(text != NULL ? strlen(text) : 0)};
    bb_buf out;
    bb_buf_init(&out, MAX);
    expect_int(rows[i].expected, bb_line_event(&out, &batch, &options), text != NULL);
    expect_text(rows[i].expected, bb_buf_string(&out), rows[i].expected);
    bb_buf_close(&out);
  }
  bb_device_unref(device);
}

static void test_line_count_finds_what_a_database_names(void **state) {
  static const sample_point points[] = {
      {"voltage/l1", SAMPLE_F32(1), 0, NULL},   {"voltage/l2", SAMPLE_F32(2), 0, NULL},
      {"starts", SAMPLE_UINT(U16, 3), 0, NULL}, {"my state", SAMPLE_TEXT("on"), 0, NULL},
      {"closed", SAMPLE_BOOL(true), 0, NULL},
  };
  static const struct {
    const char *measurement, *field, *type;
    uint32_t expected;
  } rows[] = {
      {"my m", "voltage", "float", 2},       {"my m", "voltage", "integer", 0},
      {"my m", "starts", "integer", 1},      {"my m", "starts", "unsigned", 0},
      {"my m", "my state", "string", 1},     {"my m", "closed", "boolean", 1},
      {"my m", "volt", "float", 0},          {"my", "voltage", "float", 0},
      {"my m,asset", "voltage", "float", 0},
  };
  (void)state;
  bb_device *device = new_meter();
  bb_line_options options = {.measurement = "my m", .layout = BB_LINE_PER_PHASE};
  sample s;
  sample_open(&s, device, "fast", points, 5, TIME);
  bb_line_series *series = bb_line_series_new(device, &options);
  bb_line_plan *plan = bb_line_plan_new(s.batch.shape, &options);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint32_t n = bb_line_count(series, plan, rows[i].measurement, rows[i].field, rows[i].type);
    expect_uint(rows[i].field, n, rows[i].expected);
  }
  bb_line_series_free(series);
  bb_line_plan_free(plan);
  sample_close(&s);
  bb_device_unref(device);
}

static void test_line_without_room_appends_nothing(void **state) {
  static const sample_point points[] = {{"v", SAMPLE_F32(1), 0, NULL}};
  (void)state;
  bb_device *device = new_meter();
  bb_line_options options = {.precision = BB_LINE_MS};
  bb_line_series *series = bb_line_series_new(device, &options);
  sample s;
  sample_open(&s, device, "fast", points, 1, TIME);
  bb_line_plan *plan = bb_line_plan_new(s.batch.shape, &options);
  bb_buf out;
  uint32_t left_out = 0;
  bb_buf_init(&out, 64);
  bb_buf_byte(&out, 'x');
  expect_int("batch", bb_line_batch(&out, series, plan, &s.batch, &left_out), BB_ERR_LIMIT);
  expect_uint("batch", out.len, 1);
  bb_batch event = {.device = device, .text = "lost", .text_len = 4};
  expect_int("event", bb_line_event(&out, &event, &options), BB_ERR_LIMIT);
  expect_uint("event", out.len, 1);
  bb_buf_close(&out);
  bb_line_plan_free(plan);
  bb_line_series_free(series);
  sample_close(&s);
  bb_device_unref(device);
}

static int make_lines(void *user) {
  sample *s = user;
  bb_line_options options = {.precision = BB_LINE_MS, .layout = BB_LINE_PER_PHASE};
  bb_line_series *series = bb_line_series_new(s->batch.device, &options);
  bb_line_plan *plan = bb_line_plan_new(s->batch.shape, &options);
  uint32_t left_out = 0;
  bb_buf out;
  bb_buf_init(&out, MAX);
  int result = BB_ERR_NOMEM;
  if (series != NULL && plan != NULL) {
    result = bb_line_batch(&out, series, plan, &s->batch, &left_out);
  }
  bb_buf_close(&out);
  bb_line_series_free(series);
  bb_line_plan_free(plan);
  return result < 0 ? result : 0;
}

static void test_line_without_memory(void **state) {
  (void)state;
  bb_device *device = new_meter();
  sample s;
  sample_open(&s, device, "fast", batch_rows[12].points, 8, TIME);
  failmalloc_each(make_lines, &s);
  sample_close(&s);
  bb_device_unref(device);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_line_batch_by_layout_and_type),
      cmocka_unit_test(test_line_head_by_device),
      cmocka_unit_test(test_line_time_is_rounded_down),
      cmocka_unit_test(test_line_event),
      cmocka_unit_test(test_line_count_finds_what_a_database_names),
      cmocka_unit_test(test_line_without_room_appends_nothing),
      cmocka_unit_test(test_line_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
