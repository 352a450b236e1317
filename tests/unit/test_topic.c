/* SPDX-License-Identifier: Apache-2.0 */
/* Topic templates and the URL and options around them: pure. */
#include "sinks/mqtt/topic.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sinks/mqtt/mqtt.h"
#include "sinks/mqtt/options.h"
#include "sinks/mqtt/topic_cache.h"
#include "support/expect.h"
#include "support/failmalloc.h"

static bb_device *make_device(const char *id, const char *site, const char *asset) {
  bb_tag tags[] = {{"line", "l1"}, {"asset", asset}, {"odd", "a+b/c#d\n\xff"}, {"empty", ""}};
  return bb_device_new(id, site, "rockwell/powermonitor-500", tags, 4);
}

static const char *render(const char *template, const bb_device *device, const char *point,
                          bb_buf *out) {
  bb_topic topic;
  bb_buf rendered;
  expect_int(template, bb_topic_compile(&topic, template), 0);
  bb_buf_init(&rendered, 1u << 20);
  bb_buf_clear(out);
  expect_int(template, bb_topic_render(&topic, device, "fast", &rendered), 0);
  expect_int(template, bb_topic_point((const char *)rendered.bytes, point, out), 0);
  bb_buf_close(&rendered);
  return (const char *)out->bytes;
}

static void test_topic_fills_in_values_made_safe(void **state) {
  (void)state;
  static const struct {
    const char *template, *expected;
  } rows[] = {
      {"fixed", "fixed"},
      {"{site}/{device}/{scan}", "plant-7/meter-1/fast"},
      {"/{asset}/{point}", "/pump/power/total"},
      {"{profile}", "rockwell_powermonitor-500"},
      {"{line}/x{tag:line}x", "l1/xl1x"},
      {"{odd}", "a_b_c_d__"},
      {"{empty}/{missing}", "_/_"},
      {"$aws/{device}", "$aws/meter-1"},
      {"a{device}{scan}b", "ameter-1fastb"},
      {"{point}/{point}", "power/total/power/total"},
      {"\xc3\xa4/{device}", "\xc3\xa4/meter-1"},
  };
  bb_device *device = make_device("meter-1", "plant-7", "pump");
  bb_buf out;
  bb_buf_init(&out, 1u << 20);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_text(rows[i].template, render(rows[i].template, device, "power/total", &out),
                rows[i].expected);
  }
  bb_device_unref(device);
  bb_buf_close(&out);
}

static void test_topic_makes_any_value_safe(void **state) {
  (void)state;
  static const struct {
    const char *value, *expected;
  } rows[] = {
      {"", "_"},
      {"a b", "a b"},
      {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"\x01\x1f\x7f", "___"},
      {"\xc2\x80\xc2\x9f\xc2\xa0", "__\xc2\xa0"}, /* C1 control characters, and the next one */
      {"\xef\xbf\xbf\xef\xb7\x90\xef\xbf\xbd",
       "__\xef\xbf\xbd"},        /* noncharacters, and one that is */
      {"\xf0\x9f\xbf\xbe", "_"}, /* U+1FFFE */
      {"\xed\xa0\x80", "___"},   /* a surrogate */
      {"\xe2\x82", "__"},        /* cut off */
      {"\xc0\xaf", "__"},        /* '/' written too long */
  };
  bb_buf out;
  bb_buf_init(&out, 1024);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_buf_clear(&out);
    expect_int(rows[i].expected, bb_topic_value(&out, rows[i].value), 0);
    expect_text(rows[i].expected, bb_buf_string(&out), rows[i].expected);
  }
  bb_buf_close(&out);
}

static void test_topic_without_asset_or_site_has_the_device(void **state) {
  (void)state;
  bb_device *device = bb_device_new("meter-1", "", "", NULL, 0);
  bb_buf out;
  bb_buf_init(&out, 1024);
  expect_text("site", render("{site}/{asset}/{scan}", device, "", &out), "_/meter-1/fast");
  expect_text("profile and point", render("{profile}/{point}", device, "", &out), "_/_");
  bb_device_unref(device);
  bb_buf_close(&out);
}

static void test_topic_from_a_value_never_begins_with_a_dollar(void **state) {
  (void)state;
  bb_tag tags[] = {{"line", "$SYS"}};
  bb_device *device = bb_device_new("meter-1", "", "", tags, 1);
  bb_buf out;
  bb_buf_init(&out, 1024);
  expect_text("first", render("{line}/{line}", device, "", &out), "_SYS/$SYS");
  bb_device_unref(device);
  bb_buf_close(&out);
}

static void test_topic_is_no_longer_than_the_wire_allows(void **state) {
  (void)state;
  char value[BB_TOPIC_MAX_BYTES + 2];
  memset(value, 'v', sizeof(value));
  bb_buf out;
  bb_topic topic;
  bb_buf_init(&out, 4 * BB_TOPIC_MAX_BYTES);
  bb_topic_compile(&topic, "{line}");
  for (size_t len = BB_TOPIC_MAX_BYTES; len <= BB_TOPIC_MAX_BYTES + 1; len++) {
    value[len] = 0;
    bb_tag tags[] = {{"line", value}};
    bb_device *device = bb_device_new("meter-1", "", "", tags, 1);
    bb_buf_clear(&out);
    expect_int("length", bb_topic_render(&topic, device, "fast", &out),
               len <= BB_TOPIC_MAX_BYTES ? 0 : BB_ERR_LIMIT);
    bb_device_unref(device);
    value[len] = 'v';
  }
  bb_buf_close(&out);
}

static void test_topic_template_must_be_whole(void **state) {
  (void)state;
  static const char *const rows[] = {"", "{", "}", "a{}", "{a", "a}", "{a{b}}", "{{a}}"};
  bb_topic topic;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_int(rows[i], bb_topic_compile(&topic, rows[i]), BB_ERR_FORMAT);
  }
  char many[2 * BB_TOPIC_MAX_PIECES * 3 + 1] = "";
  for (int i = 0; i <= BB_TOPIC_MAX_PIECES; i++) memcpy(many + 3 * i, "{a}", 4);
  expect_int("too many pieces", bb_topic_compile(&topic, many), BB_ERR_LIMIT);
}

static void test_topic_cache_gives_what_was_announced(void **state) {
  (void)state;
  bb_topic topic;
  bb_topic_cache cache;
  const char *got, *again;
  bb_device *device = make_device("meter-1", "plant-7", "pump");
  bb_device *changed = make_device("meter-1", "plant-7", "fan");
  bb_topic_compile(&topic, "{asset}/{scan}");
  bb_topic_cache_init(&cache, &topic);
  expect_int("put", bb_topic_cache_put(&cache, device, "fast"), 0);
  expect_int("get", bb_topic_cache_get(&cache, device, "fast", &got), 0);
  expect_text("announced", got, "pump/fast");
  bb_topic_cache_get(&cache, device, "fast", &again);
  expect_true("not rendered again", got == again);
  expect_int("get", bb_topic_cache_get(&cache, device, "slow", &got), 0);
  expect_text("never announced", got, "pump/slow");
  expect_int("get", bb_topic_cache_get(&cache, changed, "fast", &got), 0);
  expect_text("of a changed device", got, "fan/fast");
  expect_int("put", bb_topic_cache_put(&cache, changed, "fast"), 0);
  bb_topic_cache_get(&cache, changed, "fast", &got);
  expect_text("announced again", got, "fan/fast");
  bb_topic_cache_get(&cache, device, "fast", &got);
  expect_text("the old one's history", got, "pump/fast");
  bb_topic_cache_drop(&cache, changed, "fast");
  bb_topic_cache_drop(&cache, changed, "fast");
  bb_topic_cache_close(&cache);
  bb_device_unref(device);
  bb_device_unref(changed);
}

static int use_cache(void *user) {
  bb_topic topic;
  bb_topic_cache cache;
  const char *got;
  bb_topic_compile(&topic, "{site}/{device}/{scan}");
  bb_topic_cache_init(&cache, &topic);
  int err = bb_topic_cache_put(&cache, user, "fast");
  if (err == 0) err = bb_topic_cache_put(&cache, user, "slow");
  if (err == 0) err = bb_topic_cache_get(&cache, user, "never", &got);
  bb_topic_cache_close(&cache);
  return err;
}

static void test_topic_cache_survives_lack_of_memory(void **state) {
  (void)state;
  bb_device *device = make_device("meter-1", "plant-7", "pump");
  failmalloc_each(use_cache, device);
  bb_device_unref(device);
}

static void test_mqtt_url_is_taken_apart(void **state) {
  (void)state;
  static const struct {
    const char *text, *host;
    uint16_t port;
    bool tls;
  } rows[] = {{"mqtt://broker", "broker", 1883, false},
              {"mqtts://broker", "broker", 8883, true},
              {"mqtt://10.0.0.5:1884/", "10.0.0.5", 1884, false},
              {"mqtts://[fd00::5]:65535", "fd00::5", 65535, true},
              {"mqtt://[::1]", "::1", 1883, false},
              {"mqtt://a-b.c_d.example:1", "a-b.c_d.example", 1, false}};
  bb_mqtt_url url;
  char why[200];
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_int(rows[i].text, bb_mqtt_url_parse(&url, rows[i].text, why, sizeof(why)), 0);
    expect_text(rows[i].text, url.host, rows[i].host);
    expect_uint(rows[i].text, url.port, rows[i].port);
    expect_int(rows[i].text, url.tls, rows[i].tls);
  }
}

static void test_mqtt_url_says_what_is_wrong(void **state) {
  (void)state;
  static const struct {
    const char *text, *why;
  } rows[] = {{"broker:1883", "no URL of a broker"},
              {"http://broker", "no URL of a broker"},
              {"mqtt://alice:secret@broker", "give user, and password_env or password_file"},
              {"mqtt://", "no host in the URL"},
              {"mqtt://:1883", "no host in the URL"},
              {"mqtt://[fd00::5", "no host in the URL"},
              {"mqtt://bro ker", "no host in the URL"},
              {"mqtt://broker:", "no port in the URL"},
              {"mqtt://broker:0", "no port in the URL"},
              {"mqtt://broker:65536", "no port in the URL"},
              {"mqtt://broker:12ab", "no port in the URL"},
              {"mqtt://broker:1883/topic", "nothing may follow"},
              {"mqtt://broker?x=1", "nothing may follow"}};
  bb_mqtt_url url;
  char why[200];
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_int(rows[i].text, bb_mqtt_url_parse(&url, rows[i].text, why, sizeof(why)),
               BB_ERR_FORMAT);
    expect_part(rows[i].text, why, rows[i].why);
  }
}

/* The mistakes of a sink's options, one line each. */
static void check(const char *text, bb_buf *out) {
  bb_doc_tree tree = {.name = NULL};
  bb_report report;
  bb_report_init(&report);
  bb_buf_clear(out);
  expect_int(text, bb_doc_parse(&tree, "site.yaml", text, strlen(text), &report), 0);
  const bb_doc *sinks = bb_doc_get(tree.root, "sinks");
  const bb_doc *options = bb_doc_get(sinks->first, "mqtt");
  bb_mqtt_options read = {.url = NULL};
  bb_schema_read(bb_sink_mqtt.options, options, &read, &report);
  bb_sink_mqtt.check(options, &report);
  bb_report_sort(&report);
  bb_report_print(&report, out);
  bb_report_close(&report);
  bb_doc_close(&tree);
}

#define HEAD                                                                                       \
  "site: { id: plant-7, tags: { area: utilities } }\n"                                             \
  "devices: [ { id: meter-1, tags: { line: l1 } } ]\n"                                             \
  "sinks:\n"                                                                                       \
  "  - mqtt:\n"                                                                                    \
  "      url: "

static void test_mqtt_options_take_what_is_right(void **state) {
  (void)state;
  static const char *const rows[] = {
      HEAD "mqtt://broker",
      HEAD "mqtt://broker\n      topic: '{area}/{line}/{tag:anything}/{asset}'",
      HEAD "mqtt://broker\n      payload: point\n      topic: '{device}/{point}'",
      HEAD "mqtts://broker\n      ca_file: a\n      cert_file: b\n      key_file: c\n"
           "      key_password_env: D\n      user: u\n      password_file: f",
      HEAD "mqtt://broker\n      state_topic: off",
      HEAD "mqtt://broker\n      state_topic: 'a/{client_id}'\n      linger: 0ms\n      version: 5",
  };
  bb_buf out;
  bb_buf_init(&out, 1u << 16);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    check(rows[i], &out);
    expect_text(rows[i], bb_buf_string(&out), "");
  }
  bb_buf_close(&out);
}

static void test_mqtt_options_name_each_mistake(void **state) {
  (void)state;
  static const struct {
    const char *text, *mistake;
  } rows[] = {
      {HEAD "mqtt://a:b@broker",
       ":5: sinks[0].mqtt.url: no user name or password in the URL; give user, and "
       "password_env or password_file"},
      {HEAD "mqtt://broker\n      topic: 'a/+/b'",
       ":6: sinks[0].mqtt.topic: a topic to publish to has no wildcards; allowed: no + "
       "and no #"},
      {HEAD "mqtt://broker\n      topic: '{devise}/{scan}'",
       "unknown placeholder {devise}; did you mean {device}? allowed: {site}, "},
      {HEAD "mqtt://broker\n      topic: '{lien}'", "{lien}; did you mean {line}?"},
      {HEAD "mqtt://broker\n      topic: '{building}'", "{building}; allowed: "},
      {HEAD "mqtt://broker\n      topic: '{device'", "braces come in pairs"},
      {HEAD "mqtt://broker\n      payload: point", "the topic needs {point}"},
      {HEAD "mqtt://broker\n      topic: '{point}'", "{point} needs payload: point"},
      {HEAD "mqtt://broker\n      ca_file: ca.pem",
       "ca_file needs a URL that begins with mqtts://"},
      {HEAD "mqtts://broker\n      key_file: key.pem", "key_file needs cert_file"},
      {HEAD "mqtt://broker\n      password_env: P", "password_env needs user"},
      {HEAD "mqtt://broker\n      user: u\n      password_env: P\n      password_file: f",
       "password_env and password_file are both given"},
      {HEAD "mqtt://broker\n      state_topic: 'a/#'", "no wildcards"},
      {HEAD "mqtt://broker\n      state_topic: '{site}'", "only {client_id} may stand here"},
      {HEAD "mqtt://broker\n      qos: 3", "whole number from 0 to 2"},
      {HEAD "mqtt://broker\n      version: 4", "allowed: 3.1.1, 5"},
      {HEAD "mqtt://broker\n      passwort_file: f", "did you mean \"password_file\"?"},
  };
  bb_buf out;
  bb_buf_init(&out, 1u << 16);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    check(rows[i].text, &out);
    expect_part(rows[i].text, bb_buf_string(&out), rows[i].mistake);
  }
  check(HEAD "broker\n      topic: '{nothing}#'\n      qos: 9\n      password_env: P", &out);
  size_t lines = 0;
  for (size_t i = 0; i < out.len; i++) lines += out.bytes[i] == '\n';
  expect_uint("all at once", lines, 5);
  bb_buf_close(&out);
}

static void test_mqtt_client_id_is_stable_and_told_apart(void **state) {
  (void)state;
  bb_mqtt_options options = {.client_id = NULL};
  char a[64], b[64];
  bb_mqtt_options_client_id(&options, "bus", "plant-7", a, sizeof(a));
  bb_mqtt_options_client_id(&options, "bus", "plant-7", b, sizeof(b));
  expect_text("again", a, b);
  expect_uint("length", strlen(a), strlen("busbar-bus-") + 8);
  expect_bytes("form", a, 11, "busbar-bus-", 11);
  bb_mqtt_options_client_id(&options, "bus", "plant-8", b, sizeof(b));
  expect_true("another site", strcmp(a, b) != 0);
  options.client_id = "mine";
  bb_mqtt_options_client_id(&options, "bus", "plant-7", a, sizeof(a));
  expect_text("given", a, "mine");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_topic_fills_in_values_made_safe),
      cmocka_unit_test(test_topic_makes_any_value_safe),
      cmocka_unit_test(test_topic_without_asset_or_site_has_the_device),
      cmocka_unit_test(test_topic_from_a_value_never_begins_with_a_dollar),
      cmocka_unit_test(test_topic_is_no_longer_than_the_wire_allows),
      cmocka_unit_test(test_topic_template_must_be_whole),
      cmocka_unit_test(test_topic_cache_gives_what_was_announced),
      cmocka_unit_test(test_topic_cache_survives_lack_of_memory),
      cmocka_unit_test(test_mqtt_url_is_taken_apart),
      cmocka_unit_test(test_mqtt_url_says_what_is_wrong),
      cmocka_unit_test(test_mqtt_options_take_what_is_right),
      cmocka_unit_test(test_mqtt_options_name_each_mistake),
      cmocka_unit_test(test_mqtt_client_id_is_stable_and_told_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
