/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/*
 * A broker that is named, and has several addresses: which of them is connected to. The name is looked
 * up in a table of the test, in libuv's place. The broker is at 127.0.0.1 only.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "io/resolver.h"
#include "support/broker.h"
#include "support/expect.h"
#include "support/mqtt_watch.h"

#define NAME "broker.test"
#define NOBODY "127.0.0.2"
#define HERE "127.0.0.1"

typedef struct {
  uv_timer_t later;
  uv_getaddrinfo_t *request;
  uv_getaddrinfo_cb on_done;
} lookup;

static uv_loop_t loop;
static broker b;
static mqtt_watch *w;
static const char *meaning; /* addresses with blanks between */
static unsigned n_lookups;

static void on_freed(uv_handle_t *handle) {
  free(handle->data);
}

static void on_later(uv_timer_t *timer) {
  static struct addrinfo infos[4];
  static bb_resolve_address addresses[4];
  const lookup *l = timer->data;
  const char *text = meaning;
  char word[64];
  int n = 0, used = 0;
  memset(infos, 0, sizeof(infos));
  for (; sscanf(text, "%63s%n", word, &used) == 1; text += used, n++) {
    expect_int(word, uv_ip4_addr(word, 0, &addresses[n].v4), 0);
    infos[n].ai_family = AF_INET;
    infos[n].ai_addr = &addresses[n].any;
    if (n > 0) infos[n - 1].ai_next = &infos[n];
  }
  uv_close((uv_handle_t *)timer, on_freed);
  l->on_done(l->request, 0, infos);
}

int uv_getaddrinfo(uv_loop_t *on, uv_getaddrinfo_t *request, uv_getaddrinfo_cb on_done,
                   const char *name, const char *service, const struct addrinfo *hints) {
  (void)service, (void)hints;
  expect_text("name", name, NAME);
  n_lookups++;
  lookup *l = calloc(1, sizeof(*l));
  l->request = request;
  l->on_done = on_done;
  l->later.data = l;
  uv_timer_init(on, &l->later);
  uv_timer_start(&l->later, on_later, 1, 0);
  return 0;
}

void uv_freeaddrinfo(struct addrinfo *found) {
  (void)found; /* the test's own memory */
}

static int set_up(void **state) {
  (void)state;
  w = calloc(1, sizeof(*w));
  n_lookups = 0;
  mqtt_watch_setup(&loop);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  mqtt_watch_teardown(&loop);
  broker_stop(&b);
  free(w);
  return 0;
}

static void open_watch(const char *addresses, bb_mqtt_config config) {
  meaning = addresses;
  config.host = NAME;
  config.port = b.port;
  mqtt_watch_open(w, &loop, config);
}

static void test_mqtt_tries_all_addresses_of_a_name(void **state) {
  (void)state;
  broker_start(&b, NULL);
  open_watch(NOBODY " 127.0.0.3 " HERE, (bb_mqtt_config){.port = 0});
  mqtt_watch_until_up(w, &loop);
  expect_text("no failure was told", w->downs > 0 ? w->fault.text : "", "");
  expect_uint("one lookup", n_lookups, 1);
  mqtt_watch_publish(w, 0, 3, 1);
  mqtt_watch_until(&loop, "ends", &w->n_ended, 3);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_begins_with_the_address_that_worked_last(void **state) {
  (void)state;
  broker_start(&b, NULL);
  open_watch(NOBODY " " HERE, (bb_mqtt_config){.port = 0});
  mqtt_watch_until_up(w, &loop);
  uint64_t begun_ns = uv_hrtime();
  bb_mqtt_renew(&w->mqtt, "to see how long it takes");
  mqtt_watch_until(&loop, "down", &w->downs, 1);
  expect_text("why", w->fault.text, "to see how long it takes");
  mqtt_watch_until(&loop, "up", &w->ups, 2);
  uint64_t first_ms = (uv_hrtime() - begun_ns) / 1000000;
  expect_true("without a detour", first_ms < 3000);
  expect_uint("looked up again", n_lookups, 2);
  expect_uint("nothing else failed", w->downs, 1);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_says_when_no_address_works(void **state) {
  (void)state;
  char text[96];
  broker_start(&b, NULL);
  open_watch(NOBODY " 127.0.0.3", (bb_mqtt_config){.port = 0});
  mqtt_watch_until(&loop, "downs", &w->downs, 2);
  snprintf(text, sizeof(text), "no connection to " NAME ":%u (2 addresses): connection refused",
           b.port);
  expect_text("why", w->fault.text, text);
  expect_uint("a lookup for each round", n_lookups, 2);
  meaning = NOBODY " 127.0.0.3 " HERE;
  mqtt_watch_until_up(w, &loop);
  mqtt_watch_close(w, &loop);
}

/* What keeps silent is told, and the next try begins behind it. */
static void test_mqtt_passes_an_address_that_keeps_silent(void **state) {
  (void)state;
  struct sockaddr_in address = {.sin_family = AF_INET};
  broker_start(&b, NULL);
  uv_ip4_addr(NOBODY, b.port, &address);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  expect_int("bind", bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
  expect_int("listen", listen(fd, 16), 0);
  open_watch(NOBODY " " HERE, (bb_mqtt_config){.connect_timeout_ms = 2500});
  mqtt_watch_until(&loop, "downs", &w->downs, 1);
  expect_part("why", w->fault.text, "no answer from " NAME);
  mqtt_watch_until_up(w, &loop);
  expect_uint("nothing else failed", w->downs, 1);
  mqtt_watch_close(w, &loop);
  close(fd);
}

static void test_mqtt_asks_no_other_address_when_the_broker_refuses(void **state) {
  (void)state;
  broker_start(&b, "allow_anonymous false");
  open_watch(HERE " " NOBODY, (bb_mqtt_config){.port = 0});
  mqtt_watch_until(&loop, "downs", &w->downs, 2);
  expect_part("why", w->fault.text, "refused the connection: ");
  expect_int("lasting", w->fault.lasting, 1);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_checks_the_name_at_each_address(void **state) {
  (void)state;
  char ca[96];
  broker_make_folder(&b);
  broker_make_certificates(&b, NAME);
  broker_start(&b, "allow_anonymous true\ncafile FOLDER/ca.pem\ncertfile FOLDER/server.pem\n"
                   "keyfile FOLDER/server.key");
  snprintf(ca, sizeof(ca), "%s/ca.pem", b.folder);
  open_watch(NOBODY " " HERE, (bb_mqtt_config){.tls = true, .ca_file = ca});
  mqtt_watch_until_up(w, &loop);
  expect_uint("no failure was told", w->downs, 0);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_closes_between_two_addresses(void **state) {
  (void)state;
  broker_start(&b, NULL);
  for (uint64_t ms = 0; ms < 1500; ms += 250) {
    open_watch(NOBODY " 127.0.0.3 127.0.0.4", (bb_mqtt_config){.port = 0});
    mqtt_watch_run(&loop, ms);
    mqtt_watch_close(w, &loop);
    *w = (mqtt_watch){.user = NULL};
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
      TEST(test_mqtt_tries_all_addresses_of_a_name),
      TEST(test_mqtt_begins_with_the_address_that_worked_last),
      TEST(test_mqtt_says_when_no_address_works),
      TEST(test_mqtt_passes_an_address_that_keeps_silent),
      TEST(test_mqtt_asks_no_other_address_when_the_broker_refuses),
      TEST(test_mqtt_checks_the_name_at_each_address),
      TEST(test_mqtt_closes_between_two_addresses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
