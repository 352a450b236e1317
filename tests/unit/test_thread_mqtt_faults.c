/* SPDX-License-Identifier: Apache-2.0 */
/* tsan: yes */
/* What can go wrong with a broker: each in words, recovered from without help, and without a
 * message lost sight of. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "io/mqtt_name.h"
#include "support/broker.h"
#include "support/expect.h"
#include "support/mqtt_watch.h"

static uv_loop_t loop;
static broker b;
static mqtt_watch *w;

static int set_up(void **state) {
  (void)state;
  w = calloc(1, sizeof(*w));
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

/* A port that accepts connections (the kernel does) and never answers. */
static int open_silent(uint16_t *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  expect_int("bind", bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
  expect_int("listen", listen(fd, 16), 0);
  getsockname(fd, (struct sockaddr *)&address, &len);
  *port = ntohs(address.sin_port);
  return fd;
}

static void expect_fault(const char *row, int code, bool lasting, const char *part) {
  expect_part(row, w->fault.text, part);
  expect_int(row, w->fault.code, code);
  expect_int(row, w->fault.lasting, lasting);
  expect_true(row, w->fault.retry_ms > 0);
}

static void test_mqtt_says_that_the_password_is_wrong(void **state) {
  (void)state;
  static const bb_mqtt_version versions[] = {BB_MQTT_3_1_1, BB_MQTT_5};
  broker_make_folder(&b);
  char command[256];
  snprintf(command, sizeof(command), "mosquitto_passwd -b -c %s/passwords alice right", b.folder);
  expect_int(command, system(command), 0);
  broker_start(&b, "allow_anonymous false\npassword_file FOLDER/passwords");
  for (size_t v = 0; v < 2; v++) {
    *w = (mqtt_watch){.user = "alice", .password = "wrong"};
    mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port, .version = versions[v]});
    mqtt_watch_until(&loop, "refusals", &w->downs, 1);
    expect_part("in words", w->fault.text, "refused the connection: ");
    expect_fault("refused", BB_ERR_REFUSED, true, "not authorized");
    w->password = "right"; /* as a rotated file: the next try takes it */
    mqtt_watch_until_up(w, &loop);
    mqtt_watch_close(w, &loop);
  }
}

static void test_mqtt_says_that_there_is_no_login(void **state) {
  (void)state;
  broker_start(&b, NULL);
  w->refuse_login = "the environment variable MQTT_PASSWORD is not set";
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port});
  mqtt_watch_until(&loop, "downs", &w->downs, 1);
  expect_text("why", w->fault.text, w->refuse_login);
  w->refuse_login = NULL;
  mqtt_watch_until_up(w, &loop);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_says_that_nothing_listens_and_comes_back(void **state) {
  (void)state;
  char text[64];
  broker_start(&b, NULL);
  broker_kill(&b);
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port});
  mqtt_watch_until(&loop, "downs", &w->downs, 2);
  snprintf(text, sizeof(text), "no connection to 127.0.0.1:%u: connection refused", b.port);
  expect_text("why", w->fault.text, text);
  broker_restart(&b);
  mqtt_watch_until_up(w, &loop);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_says_that_the_name_is_unknown(void **state) {
  (void)state;
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.host = "no-such-broker.invalid"});
  mqtt_watch_until(&loop, "downs", &w->downs, 1);
  expect_part("why", w->fault.text, "the name no-such-broker.invalid");
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_gives_up_on_a_broker_that_never_answers(void **state) {
  (void)state;
  uint16_t port;
  int fd = open_silent(&port);
  uint64_t begun_ns = uv_hrtime();
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = port, .connect_timeout_ms = 500});
  mqtt_watch_until(&loop, "downs", &w->downs, 1);
  uint64_t took_ms = (uv_hrtime() - begun_ns) / 1000000;
  expect_true("after half a second", took_ms >= 490 && took_ms < 3000);
  expect_fault("timeout", BB_ERR_TIMEOUT, false, "no answer from 127.0.0.1:");
  expect_part("how long", w->fault.text, " for 500 ms");
  mqtt_watch_until(&loop, "downs", &w->downs, 3);
  mqtt_watch_close(w, &loop);
  close(fd);
}

static void test_mqtt_closes_at_once_whatever_it_waits_for(void **state) {
  (void)state;
  uint16_t port;
  int fd = open_silent(&port);
  static const struct {
    const char *row, *host;
    uint64_t run_ms;
  } rows[] = {{"before the first try", "127.0.0.1", 0},
              {"while the name is looked up", "no-such-broker.invalid", 0},
              {"while the broker is silent", "127.0.0.1", 200}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    *w = (mqtt_watch){.user = NULL};
    mqtt_watch_open(w, &loop, (bb_mqtt_config){.host = rows[i].host, .port = port});
    if (rows[i].run_ms > 0) mqtt_watch_run(&loop, rows[i].run_ms);
    if (i == 1) uv_run(&loop, UV_RUN_NOWAIT);
    unsigned downs = w->downs;
    uint64_t begun_ns = uv_hrtime();
    mqtt_watch_close(w, &loop);
    uint64_t took_ms = (uv_hrtime() - begun_ns) / 1000000;
    if (took_ms > 1000) fail_msg("%s: closed after %u ms", rows[i].row, (unsigned)took_ms);
    expect_uint(rows[i].row, w->downs, downs);
  }
  close(fd);
}

static void test_mqtt_ends_each_message_once_when_the_broker_dies(void **state) {
  (void)state;
  uint32_t first = 0;
  broker_start(&b, NULL);
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port, .max_in_flight = 500});
  for (int round = 0; round < 4; round++) {
    unsigned downs = w->downs;
    mqtt_watch_until_up(w, &loop);
    /* Nothing of the second half can be acknowledged. */
    mqtt_watch_publish(w, first, 100, (uint8_t)(round % 3));
    if (round > 0) broker_pause(&b, true);
    mqtt_watch_publish(w, first + 100, 200, 1);
    if (round == 2) mqtt_watch_run(&loop, 20);
    broker_kill(&b);
    mqtt_watch_until(&loop, "downs", &w->downs, downs + 1);
    first += 300;
    expect_uint("ends at on_down", w->n_ended, first);
    expect_uint("in flight", w->mqtt.in_flight, 0);
    broker_restart(&b);
  }
  mqtt_watch_until_up(w, &loop);
  mqtt_watch_publish(w, first, 50, 1);
  mqtt_watch_until(&loop, "ends", &w->n_ended, first + 50);
  mqtt_watch_expect_once(w, 0, first + 50);
  expect_true("some were lost", w->n_closed >= 400);
  mqtt_watch_close(w, &loop);
}

static void test_mqtt_ends_each_message_once_on_close(void **state) {
  (void)state;
  broker_start(&b, NULL);
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port, .max_in_flight = 500});
  mqtt_watch_until_up(w, &loop);
  broker_pause(&b, true);
  mqtt_watch_publish(w, 0, 300, 1);
  bb_buf_text(bb_mqtt_payload(&w->mqtt), "added, but not flushed");
  expect_int("add", bb_mqtt_add(&w->mqtt, &(bb_mqtt_message){.topic = "t", .qos = 1, .tag = 300}),
             0);
  mqtt_watch_close(w, &loop);
  mqtt_watch_expect_once(w, 0, 301);
  expect_uint("closed", w->n_closed, 301);
  expect_uint("downs", w->downs, 0);
}

static void test_mqtt_notices_a_broker_that_stalls(void **state) {
  (void)state;
  broker_start(&b, NULL);
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port, .keepalive_s = 1});
  mqtt_watch_until_up(w, &loop);
  broker_pause(&b, true);
  mqtt_watch_publish(w, 0, 20, 1);
  mqtt_watch_until(&loop, "downs", &w->downs, 1);
  mqtt_watch_expect_once(w, 0, 20);
  broker_pause(&b, false);
  mqtt_watch_until_up(w, &loop);
  mqtt_watch_close(w, &loop);
}

/* A broker that gives every client the same answer, and answers pings. */
static struct {
  const char *bytes;
  size_t len;
  bool hang_up;
} answer;

static void on_free(uv_handle_t *handle) {
  free(handle);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf) {
  static char room[1024];
  (void)handle, (void)size;
  *buf = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  uv_buf_t out = uv_buf_init((char *)(uintptr_t)answer.bytes, (unsigned)answer.len);
  uv_buf_t pong = uv_buf_init((char *)(uintptr_t) "\xd0", 2); /* and the terminator: length 0 */
  bool is_connect = n > 0 && buf->base[0] == 0x10;
  if (is_connect && answer.len > 0) uv_try_write(stream, &out, 1);
  if (n >= 2 && buf->base[n - 2] == (char)0xc0) uv_try_write(stream, &pong, 1);
  if (n < 0 || (is_connect && answer.hang_up)) uv_close((uv_handle_t *)stream, on_free);
}

static void on_client(uv_stream_t *listener, int status) {
  uv_tcp_t *client = calloc(1, sizeof(*client));
  expect_int("client", status, 0);
  uv_tcp_init(&loop, client);
  uv_accept(listener, (uv_stream_t *)client);
  uv_read_start((uv_stream_t *)client, on_alloc, on_read);
}

static uv_tcp_t server;

static uint16_t start_fake(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int len = sizeof(address);
  uv_tcp_init(&loop, &server);
  expect_int("bind", uv_tcp_bind(&server, (struct sockaddr *)&address, 0), 0);
  expect_int("listen", uv_listen((uv_stream_t *)&server, 16, on_client), 0);
  uv_tcp_getsockname(&server, (struct sockaddr *)&address, &len);
  return ntohs(address.sin_port);
}

static void test_mqtt_repeats_what_the_broker_says(void **state) {
  (void)state;
#define BYTES(text) text, sizeof(text) - 1
  static const struct {
    const char *bytes;
    size_t len;
    bb_mqtt_version version;
    bool hang_up;
    int code;
    uint8_t raw;
    bool lasting;
    const char *text;
  } rows[] = {
      {BYTES("\x20\x02\x00\x01"), BB_MQTT_3_1_1, false, BB_ERR_REFUSED, 1, true,
       "refused the connection: this version of MQTT is not supported"},
      {BYTES("\x20\x02\x00\x03"), BB_MQTT_3_1_1, false, BB_ERR_REFUSED, 3, false,
       "refused the connection: the server is unavailable"},
      {BYTES("\x20\x02\x00\x04"), BB_MQTT_3_1_1, false, BB_ERR_REFUSED, 4, true,
       "refused the connection: bad user name or password"},
      {BYTES("\x20\x03\x00\x86\x00"), BB_MQTT_5, false, BB_ERR_REFUSED, 0x86, true,
       "refused the connection: bad user name or password"},
      {BYTES("\x20\x03\x00\x97\x00"), BB_MQTT_5, false, BB_ERR_REFUSED, 0x97, false,
       "refused the connection: quota exceeded"},
      {BYTES("\x20\x03\x00\x00\x00\xe0\x02\x8e\x00"), BB_MQTT_5, false, BB_ERR_CLOSED, 0x8e, false,
       "ended the connection: another client came with the same client id"},
      {BYTES("\x20\x02\x00\x00"), BB_MQTT_3_1_1, true, BB_ERR_CLOSED, 0, false, "broke"},
      {BYTES(""), BB_MQTT_3_1_1, true, BB_ERR_CLOSED, 0, false,
       "closed the connection before it answered"},
      {BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), BB_MQTT_3_1_1, true, BB_ERR_CLOSED, 0, false,
       "closed the connection before it answered"},
  };
  uint16_t port = start_fake();
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    *w = (mqtt_watch){.user = NULL};
    answer.bytes = rows[i].bytes;
    answer.len = rows[i].len;
    answer.hang_up = rows[i].hang_up;
    mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = port, .version = rows[i].version});
    mqtt_watch_until(&loop, rows[i].text, &w->downs, 1);
    expect_fault(rows[i].text, rows[i].code, rows[i].lasting, rows[i].text);
    expect_uint(rows[i].text, w->fault.raw, rows[i].raw);
    mqtt_watch_close(w, &loop);
  }
  uv_close((uv_handle_t *)&server, NULL);
}

static void on_up_works(bb_mqtt *mqtt) {
  w->ups++;
  bb_mqtt_works(mqtt);
}

/* A broker that lets it in and hangs up, again and again: it is left alone for longer and longer, unless
 * it took what was to be delivered. */
static void test_mqtt_comes_back_sooner_to_a_broker_that_works(void **state) {
  (void)state;
  static const struct {
    const char *name, *bytes;
    size_t len;
    bb_mqtt_version version;
    bool works;
    uint32_t least_ms, most_ms; /* before the seventh try; 20 ms and ±20 % at first */
  } rows[] = {
      {"took nothing", BYTES("\x20\x02\x00\x00"), BB_MQTT_3_1_1, false, 1024, 1536},
      {"works", BYTES("\x20\x02\x00\x00"), BB_MQTT_3_1_1, true, 16, 48},
      {"works, but says no", BYTES("\x20\x03\x00\x00\x00\xe0\x02\x8e\x00"), BB_MQTT_5, true, 1024,
       1536},
  };
  uint16_t port = start_fake();
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    *w = (mqtt_watch){.user = NULL};
    answer.bytes = rows[i].bytes;
    answer.len = rows[i].len;
    answer.hang_up = rows[i].version == BB_MQTT_3_1_1;
    mqtt_watch_open(w, &loop,
                    (bb_mqtt_config){.port = port,
                                     .version = rows[i].version,
                                     .first_retry_ms = 20,
                                     .longest_retry_ms = 60000});
    if (rows[i].works) w->mqtt.on_up = on_up_works;
    mqtt_watch_until(&loop, rows[i].name, &w->downs, 7);
    expect_true(rows[i].name, w->ups >= 6); /* a last word may come before the first */
    expect_true(rows[i].name, w->fault.retry_ms >= rows[i].least_ms);
    expect_true(rows[i].name, w->fault.retry_ms <= rows[i].most_ms);
    mqtt_watch_close(w, &loop);
  }
  uv_close((uv_handle_t *)&server, NULL);
}

static void test_mqtt_leaves_a_broker_that_acknowledges_nothing(void **state) {
  (void)state;
  answer.bytes = "\x20\x02\x00\x00";
  answer.len = 4;
  answer.hang_up = false;
  uint16_t port = start_fake();
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = port, .keepalive_s = 1});
  mqtt_watch_until_up(w, &loop);
  mqtt_watch_publish(w, 0, 5, 1);
  mqtt_watch_until(&loop, "downs", &w->downs, 1);
  expect_part("why", w->fault.text, "acknowledges nothing any more");
  expect_uint("ends", w->n_closed, 5);
  mqtt_watch_close(w, &loop);
  uv_close((uv_handle_t *)&server, NULL);
}

/* How long a burst of 10 takes at the 90th percentile of 40, in µs. */
static uint64_t measure(mqtt_watch *healthy) {
  uint64_t took[40];
  for (uint32_t i = 0; i < 40; i++) {
    uint32_t before = healthy->n_ok;
    uint64_t begun_ns = uv_hrtime();
    mqtt_watch_publish(healthy, before, 10, 1);
    mqtt_watch_until(&loop, "ends", &healthy->n_ok, before + 10);
    took[i] = (healthy->last_ns - begun_ns) / 1000;
    mqtt_watch_run(&loop, 5);
    for (uint32_t j = i; j > 0 && took[j] < took[j - 1]; j--) {
      uint64_t swap = took[j];
      took[j] = took[j - 1];
      took[j - 1] = swap;
    }
  }
  return took[35];
}

/* The largest step of a 1 ms timer, in µs. */
static uint64_t lag_us;
static uint64_t lag_before_ns;

static void on_lag(uv_timer_t *timer) {
  uint64_t now_ns = uv_hrtime();
  (void)timer;
  if (lag_before_ns > 0 && (now_ns - lag_before_ns) / 1000 > lag_us) {
    lag_us = (now_ns - lag_before_ns) / 1000;
  }
  lag_before_ns = now_ns;
}

static void test_mqtt_leaves_a_healthy_client_alone_while_others_hang(void **state) {
  (void)state;
  enum { N = 4 };
  static const char *const hosts[N] = {"127.0.0.1", "no-such-broker.invalid", "192.0.2.1",
                                       "127.0.0.1"};
  uint16_t silent_port;
  int fd = open_silent(&silent_port);
  mqtt_watch *hanging = calloc(N, sizeof(*hanging));
  uv_timer_t timer;
  broker_start(&b, NULL);
  mqtt_watch_open(w, &loop, (bb_mqtt_config){.port = b.port});
  mqtt_watch_until_up(w, &loop);
  uint64_t alone_us = measure(w);
  for (int i = 0; i < N; i++) {
    mqtt_watch_open(&hanging[i], &loop,
                    (bb_mqtt_config){.host = hosts[i],
                                     .port = silent_port,
                                     .tls = i == 3,
                                     .connect_timeout_ms = 400,
                                     .client_id = "hanging"});
  }
  mqtt_watch_run(&loop, 100);
  uv_timer_init(&loop, &timer);
  uv_timer_start(&timer, on_lag, 1, 1);
  uint64_t beside_us = measure(w);
  uv_close((uv_handle_t *)&timer, NULL);
  printf("# burst of 10: %u us alone, %u us beside; loop lag %u us\n", (unsigned)alone_us,
         (unsigned)beside_us, (unsigned)lag_us);
  /* Generous: a machine that tests many things at once. A stall would be 400 ms and more. */
  expect_true("latency", beside_us < 10 * alone_us + 50000);
  expect_true("loop lag", lag_us < 100000);
  for (int i = 0; i < N; i++) {
    expect_true("it did hang", hanging[i].ups == 0);
    mqtt_watch_close(&hanging[i], &loop);
  }
  mqtt_watch_close(w, &loop);
  free(hanging);
  close(fd);
}

/* The name is known to nobody but io/mqtt_name. */
static void test_mqtt_name_answers_from_memory_while_held(void **state) {
  (void)state;
  static const char name[] = "broker.busbar-test.invalid";
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000015)};
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
  struct addrinfo *found = NULL;
  bb_mqtt_name held = {.held = false};
  expect_true("before", getaddrinfo(name, NULL, &hints, &found) != 0);
  bb_mqtt_name_hold(&held, name, (struct sockaddr *)&address);
  expect_int("held", getaddrinfo(name, NULL, &hints, &found), 0);
  struct sockaddr_in *got = (struct sockaddr_in *)(void *)found->ai_addr;
  expect_uint("address", ntohl(got->sin_addr.s_addr), 0x0a000015);
  freeaddrinfo(found);
  expect_int("others", getaddrinfo("127.0.0.1", NULL, &hints, &found), 0);
  freeaddrinfo(found);
  bb_mqtt_name_release(&held);
  bb_mqtt_name_release(&held);
  expect_true("after", getaddrinfo(name, NULL, &hints, &found) != 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
      TEST(test_mqtt_says_that_the_password_is_wrong),
      TEST(test_mqtt_says_that_there_is_no_login),
      TEST(test_mqtt_says_that_nothing_listens_and_comes_back),
      TEST(test_mqtt_says_that_the_name_is_unknown),
      TEST(test_mqtt_gives_up_on_a_broker_that_never_answers),
      TEST(test_mqtt_closes_at_once_whatever_it_waits_for),
      TEST(test_mqtt_ends_each_message_once_when_the_broker_dies),
      TEST(test_mqtt_ends_each_message_once_on_close),
      TEST(test_mqtt_notices_a_broker_that_stalls),
      TEST(test_mqtt_repeats_what_the_broker_says),
      TEST(test_mqtt_comes_back_sooner_to_a_broker_that_works),
      TEST(test_mqtt_leaves_a_broker_that_acknowledges_nothing),
      TEST(test_mqtt_leaves_a_healthy_client_alone_while_others_hang),
      TEST(test_mqtt_name_answers_from_memory_while_held),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
