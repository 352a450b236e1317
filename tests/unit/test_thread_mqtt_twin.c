/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* Two clients with one client id, as of boxes that were cloned. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/broker.h"
#include "support/expect.h"
#include "support/mqtt_watch.h"

static uv_loop_t loop;
static broker b;
static mqtt_watch *w, *other;

static int set_up(void **state) {
  (void)state;
  w = calloc(1, sizeof(*w));
  other = calloc(1, sizeof(*other));
  mqtt_watch_setup(&loop);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  mqtt_watch_teardown(&loop);
  broker_stop(&b);
  free(w);
  free(other);
  return 0;
}

/* mosquitto ends the older of the two without a word. */
static void test_mqtt_asks_whether_its_client_id_is_taken(void **state) {
  (void)state;
  static const char question[] = "broke (is another client connected with the id \"plant-7\"?)";
  bb_mqtt_config config = {.client_id = "plant-7", .longest_retry_ms = 4000};
  broker_start(&b, NULL);
  config.port = b.port;
  *w = *other = (mqtt_watch){.user = NULL};
  mqtt_watch_open(w, &loop, config);
  mqtt_watch_until_up(w, &loop);
  mqtt_watch_open(other, &loop, config);
  mqtt_watch_until(&loop, "the first break", &w->downs, 1);
  expect_true("one break says nothing", strstr(w->fault.text, "another client") == NULL);
  for (unsigned n = 2; n <= 10 && strstr(w->fault.text, question) == NULL; n++) {
    mqtt_watch_until(&loop, "another break", &w->downs, n);
  }
  expect_part("in words", w->fault.text, question);
  /* A connection that lasts, or a try that fails, begins anew. */
  mqtt_watch_close(other, &loop);
  mqtt_watch_until_up(w, &loop);
  broker_kill(&b);
  unsigned downs = w->downs;
  mqtt_watch_until(&loop, "the end of the broker, and a try", &w->downs, downs + 2);
  broker_restart(&b);
  mqtt_watch_until_up(w, &loop);
  downs = w->downs;
  broker_kill(&b);
  mqtt_watch_until(&loop, "its next end", &w->downs, downs + 1);
  expect_true("the count began anew", strstr(w->fault.text, "another client") == NULL);
  mqtt_watch_close(w, &loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_mqtt_asks_whether_its_client_id_is_taken, set_up,
                                      tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
