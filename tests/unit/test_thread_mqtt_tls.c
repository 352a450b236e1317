/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* TLS: who is let in, who is believed, and what is said when not. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/mqtt_name.h"
#include "support/broker.h"
#include "support/expect.h"
#include "support/mqtt_watch.h"

/* Known to nobody: the test itself holds the name, as a name server would. */
#define NAME "broker.busbar-test.invalid"

static uv_loop_t loop;
static broker b, stranger;
static bb_mqtt_name held;
static mqtt_watch *w;
static char ca[128], cert[128], key[128], locked[128], other_ca[128];

static void write_path(char *out, const broker *of, const char *name) {
  snprintf(out, 128, "%s/%s", of->folder, name);
}

static int set_up(void **state) {
  (void)state;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  broker_make_folder(&b);
  broker_make_folder(&stranger);
  broker_make_certificates(&b, NAME);
  broker_make_certificates(&stranger, NAME);
  write_path(ca, &b, "ca.pem");
  write_path(cert, &b, "client.pem");
  write_path(key, &b, "client.key");
  write_path(locked, &b, "locked.key");
  write_path(other_ca, &stranger, "ca.pem");
  broker_start(&b, "allow_anonymous true\ncafile FOLDER/ca.pem\ncertfile FOLDER/server.pem\n"
                   "keyfile FOLDER/server.key\nrequire_certificate true");
  bb_mqtt_name_hold(&held, NAME, (struct sockaddr *)&address);
  mqtt_watch_setup(&loop);
  w = calloc(1, sizeof(*w));
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  mqtt_watch_teardown(&loop);
  free(w);
  bb_mqtt_name_release(&held);
  broker_stop(&stranger);
  broker_stop(&b);
  return 0;
}

static void test_mqtt_tls_lets_the_right_one_in(void **state) {
  (void)state;
  static const struct {
    const char *row, *host, *ca, *key, *key_password;
    bool no_verify;
  } rows[] = {
      {"by name", NAME, ca, key, NULL, false},
      {"by address", "127.0.0.1", ca, key, NULL, false},
      {"with the key's password", NAME, ca, locked, "secret", false},
      {"unknown authority, not verified", NAME, other_ca, key, NULL, true},
      {"other name, not verified", "localhost", ca, key, NULL, true},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    *w = (mqtt_watch){.key_password = rows[i].key_password};
    mqtt_watch_open(w, &loop,
                    (bb_mqtt_config){.host = rows[i].host,
                                     .port = b.port,
                                     .version = i % 2 == 0 ? BB_MQTT_3_1_1 : BB_MQTT_5,
                                     .tls = true,
                                     .no_verify = rows[i].no_verify,
                                     .ca_file = rows[i].ca,
                                     .cert_file = cert,
                                     .key_file = rows[i].key});
    for (int waited = 0; !w->mqtt.up && w->downs == 0 && waited < 100; waited++) {
      mqtt_watch_run(&loop, 100);
    }
    if (!w->mqtt.up) fail_msg("%s: %s", rows[i].row, w->fault.text);
    mqtt_watch_publish(w, 0, 20, 1);
    mqtt_watch_until(&loop, "ends", &w->n_ok, 20);
    mqtt_watch_expect_once(w, 0, 20);
    mqtt_watch_close(w, &loop);
  }
}

static void test_mqtt_tls_says_what_is_wrong(void **state) {
  (void)state;
  static const struct {
    const char *row, *host, *ca, *cert, *key, *key_password, *text;
  } rows[] = {
      {"unknown authority", NAME, other_ca, cert, key, NULL, "certificate verify failed"},
      {"other name", "localhost", ca, cert, key, NULL, "its certificate is for another name"},
      {"no client certificate", NAME, ca, NULL, NULL, NULL, "broke off the TLS handshake"},
      {"no such file", NAME, "/no/ca.pem", cert, key, NULL,
       "cannot read /no/ca.pem: No such file or directory"},
      {"no file at all", NAME, ca, "/no/client.pem", NULL, NULL,
       "cannot read /no/client.pem: No such file or directory"},
      {"wrong password of the key", NAME, ca, cert, locked, "wrong", "bad decrypt"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    *w = (mqtt_watch){.key_password = rows[i].key_password};
    mqtt_watch_open(w, &loop,
                    (bb_mqtt_config){.host = rows[i].host,
                                     .port = b.port,
                                     .tls = true,
                                     .ca_file = rows[i].ca,
                                     .cert_file = rows[i].cert,
                                     .key_file = rows[i].key});
    mqtt_watch_until(&loop, rows[i].row, &w->downs, 1);
    expect_part(rows[i].row, w->fault.text, rows[i].text);
    expect_uint(rows[i].row, w->ups, 0);
    mqtt_watch_close(w, &loop);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mqtt_tls_lets_the_right_one_in),
      cmocka_unit_test(test_mqtt_tls_says_what_is_wrong),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
