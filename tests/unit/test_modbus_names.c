/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host that is named, and has several addresses: which of them modbus-tcp connects to. The names
 * are looked up in a table of the test, in libuv's place. Nobody listens on 127.0.0.2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/modbus_rig.h"
#include "support/profile.h"

#include "io/resolver.h"

#define NOBODY "127.0.0.2"
#define HERE "127.0.0.3"
#define ELSEWHERE "127.0.0.4"
#define FILLERS 8

typedef struct {
  uv_timer_t later;
  uv_getaddrinfo_t *request;
  uv_getaddrinfo_cb on_done;
} lookup;

/* What the name means now: addresses with blanks between; NULL: there is no such name. */
static const char *meaning;
static unsigned n_lookups;
static int start_status;
static bool hangs;
static lookup *hanging;

static void on_freed(uv_handle_t *handle) {
  free(handle->data);
}

static void answer(const lookup *l) {
  static struct addrinfo infos[4];
  static bb_resolve_address addresses[4];
  char word[64];
  int n = 0, used = 0;
  const char *text = meaning != NULL ? meaning : "";
  memset(infos, 0, sizeof(infos));
  for (; sscanf(text, "%63s%n", word, &used) == 1; text += used, n++) {
    bool v4 = uv_ip4_addr(word, 0, &addresses[n].v4) == 0;
    if (!v4) expect_int(word, uv_ip6_addr(word, 0, &addresses[n].v6), 0);
    infos[n].ai_family = v4 ? AF_INET : AF_INET6;
    infos[n].ai_addr = &addresses[n].any;
    if (n > 0) infos[n - 1].ai_next = &infos[n];
  }
  l->on_done(l->request, n > 0 ? 0 : UV_EAI_NONAME, n > 0 ? infos : NULL);
}

static void on_later(uv_timer_t *timer) {
  lookup *l = timer->data;
  uv_close((uv_handle_t *)timer, on_freed);
  answer(l);
}

static void on_nothing(uv_timer_t *timer) {
  (void)timer;
}

int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb on_done,
                   const char *name, const char *service, const struct addrinfo *hints) {
  (void)service;
  (void)hints;
  expect_text("name", name, "meter.test");
  n_lookups++;
  if (start_status < 0) return start_status;
  lookup *l = calloc(1, sizeof(*l));
  expect_true("memory of the test", l != NULL);
  l->request = request;
  l->on_done = on_done;
  l->later.data = l;
  uv_timer_init(loop, &l->later);
  if (hangs) hanging = l;
  uv_timer_start(&l->later, hangs ? on_nothing : on_later, 1, 0);
  return 0;
}

void uv_freeaddrinfo(struct addrinfo *found) {
  (void)found; /* the test's own memory */
}

/* The clock of the driver, which the test can put forward. */
static uint64_t ahead_ns;

static uint64_t shifted_ns(void *user) {
  (void)user;
  return uv_hrtime() + ahead_ns;
}

static const char one_point[] = "profile: 1\n"
                                "id: x\n"
                                "points: [{ name: a, type: uint16, holding: 100 }]\n";

/* The peer listens on `host`, the connection is to meter.test, which means `names`. */
static void open_named(modbus_rig *rig, const char *host, const char *names, const char *options) {
  char all[160];
  meaning = names;
  n_lookups = 0;
  start_status = 0;
  hangs = false;
  hanging = NULL;
  ahead_ns = 0;
  driver_host_init(&rig->host);
  rig->host.clock.mono_ns = shifted_ns;
  rig->peer.host = host;
  modbus_peer_open(&rig->peer, &rig->host.loop);
  rig->profile = profile_of(one_point);
  snprintf(all, sizeof(all), "{host: meter.test, port: %u, reconnect_max: 1s%s}", rig->peer.port,
           options);
  expect_int("open", driver_conn_open(&rig->conn, &rig->host, &bb_driver_modbus_tcp, "mdb-a", all),
             0);
  expect_int("attach",
             driver_device_attach(&rig->device, &rig->conn, "meter-1", rig->profile, "{}"), 0);
}

static void expect_good(const char *row, modbus_rig *rig) {
  expect_int(row, driver_device_poll(&rig->device, 0), 0);
  expect_double(row, driver_device_value(&rig->device, "a"), 1100);
}

static void recover(modbus_rig *rig) {
  unsigned n = 0;
  while (driver_device_poll(&rig->device, 0) != 0 && n++ < 500) driver_host_run(&rig->host, 20);
  expect_good("recovered", rig);
}

/* Some machines, and most containers, are without. */
static bool can_listen_on(const char *host) {
  struct sockaddr_in6 address;
  if (uv_ip6_addr(host, 0, &address) < 0) return true;
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  bool can = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
  if (fd >= 0) close(fd);
  return can;
}

static void test_names_the_second_address_serves(void **state) {
  (void)state;
  static const struct {
    const char *name, *host, *names;
  } rows[] = {
      {"IPv4 twice", HERE, NOBODY " " HERE},
      {"the third", HERE, NOBODY " 127.0.0.5 " HERE},
      {"IPv6, then IPv4", HERE, "::1 " HERE},
      {"IPv4, then IPv6", "::1", NOBODY " ::1"},
      {"unreachable, then IPv4", HERE, "255.255.255.255 " HERE},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    modbus_rig rig = {.peer.mute = false};
    if (!can_listen_on(rows[i].host)) continue;
    open_named(&rig, rows[i].host, rows[i].names, "");
    expect_good(rows[i].name, &rig);
    expect_uint("nobody was told of the first", rig.conn.n_down + rig.device.n_down, 0);
    expect_uint("up", rig.conn.n_up, 1);
    expect_uint("lookups", n_lookups, 1);
    modbus_rig_close(&rig);
  }
}

static void test_names_the_address_that_worked_comes_first(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  modbus_peer other = {.host = NOBODY};
  open_named(&rig, HERE, NOBODY " " HERE, "");
  expect_good("before", &rig);
  /* From now on the first one listens too. */
  other.port = rig.peer.port;
  modbus_peer_open(&other, &rig.host.loop);
  for (unsigned i = 2; i <= 3; i++) {
    modbus_peer_drop_all(&rig.peer, false);
    driver_host_wait_count(&rig.host, "again", &rig.peer.n_accepted, i);
    expect_good("again", &rig);
  }
  expect_uint("the first is left alone", other.n_accepted, 0);
  modbus_peer_close(&rig.peer);
  driver_host_wait_count(&rig.host, "now the first", &other.n_accepted, 1);
  expect_good("the first", &rig);
  expect_uint("without another lookup", n_lookups, 1);
  expect_uint("nobody was told", rig.conn.n_down, 0);
  modbus_peer_close(&other);
  modbus_rig_close(&rig);
}

static void test_names_are_looked_up_again_when_all_addresses_have_failed(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_named(&rig, HERE, NOBODY " 127.0.0.5", "");
  driver_host_wait_count(&rig.host, "down", &rig.conn.n_down, 1);
  expect_part("words", rig.conn.reason.text, "no connection to meter.test:");
  expect_part("words", rig.conn.reason.text, " (2 addresses): connection refused; next try in ");
  expect_uint("one lookup", n_lookups, 1);
  meaning = NOBODY " " HERE;
  recover(&rig);
  expect_uint("a second one", n_lookups, 2);
  expect_uint("down once", rig.conn.n_down, 1);
  modbus_rig_close(&rig);
}

/* Takes no connection and refuses none: its queue is full. */
typedef struct {
  int fds[FILLERS + 1];
} silent_host;

static void open_silent(silent_host *silent, uint16_t port) {
  struct sockaddr_in address;
  uv_ip4_addr(NOBODY, port, &address);
  for (int i = 0; i <= FILLERS; i++) {
    silent->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (i > 0) {
      connect(silent->fds[i], (struct sockaddr *)&address, sizeof(address));
    } else {
      expect_int("bind", bind(silent->fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
      expect_int("listen", listen(silent->fds[i], 0), 0);
    }
  }
}

static void test_names_a_silent_address_costs_one_try(void **state) {
  (void)state;
  silent_host silent;
  modbus_rig rig = {.peer.mute = false};
  open_named(&rig, HERE, NOBODY " " HERE, ", connect_timeout: 200ms");
  open_silent(&silent, rig.peer.port);
  driver_host_wait_count(&rig.host, "down", &rig.conn.n_down, 1);
  expect_part("words", rig.conn.reason.text, " (2 addresses): no answer in time; next try in ");
  recover(&rig);
  expect_uint("its turn came with the next try", rig.conn.n_down, 1);
  expect_uint("without another lookup", n_lookups, 1);
  for (int i = 0; i <= FILLERS; i++) close(silent.fds[i]);
  modbus_rig_close(&rig);
}

/* Somebody else's server on the first address. */
static void test_names_an_address_that_gives_no_answer_is_passed_over(void **state) {
  (void)state;
  for (int closes = 0; closes < 2; closes++) {
    modbus_rig rig = {.peer.mute = false};
    modbus_peer other = {.host = ELSEWHERE, .mute = true, .close_at_once = closes != 0};
    open_named(&rig, HERE, ELSEWHERE " " HERE, ", timeout: 30ms");
    other.port = rig.peer.port;
    modbus_peer_open(&other, &rig.host.loop);
    recover(&rig);
    expect_uint("one try", other.n_accepted, 1);
    expect_uint("lookups", n_lookups, 1);
    modbus_peer_close(&other);
    modbus_rig_close(&rig);
  }
}

static void test_names_are_looked_up_once_a_minute_at_most(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_named(&rig, HERE, NOBODY " " HERE, ", close_after_poll: true");
  for (unsigned i = 1; i <= 5; i++) {
    expect_good("each poll", &rig);
    expect_uint("has its connection", rig.peer.n_accepted, i);
  }
  expect_uint("lookups", n_lookups, 1);
  ahead_ns += 61 * BB_NS_PER_S;
  expect_good("a minute later", &rig);
  expect_uint("lookups", n_lookups, 2);
  /* The name server is gone: what is known serves on. */
  ahead_ns += 61 * BB_NS_PER_S;
  meaning = NULL;
  expect_good("without a name server", &rig);
  expect_uint("asked all the same", n_lookups, 3);
  expect_uint("nobody was told", rig.conn.n_down, 0);
  modbus_rig_close(&rig);
}

static void test_names_lookup_that_cannot_start(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_named(&rig, HERE, HERE, "");
  start_status = UV_ENOMEM;
  driver_host_wait_count(&rig.host, "down", &rig.conn.n_down, 1);
  expect_part("words", rig.conn.reason.text, "the address of meter.test was not found: ");
  expect_int("code", rig.conn.reason.code, UV_ENOMEM);
  start_status = 0;
  recover(&rig);
  modbus_rig_close(&rig);
}

static void test_names_close_while_a_lookup_hangs(void **state) {
  (void)state;
  modbus_rig rig = {.peer.mute = false};
  open_named(&rig, HERE, HERE, "");
  hangs = true;
  driver_host_wait_count(&rig.host, "asked", &n_lookups, 1);
  driver_device_detach(&rig.device);
  rig.conn.conn->driver->close(rig.conn.conn);
  driver_host_run(&rig.host, 20);
  expect_true("its memory is in use", !rig.conn.closed);
  uv_timer_start(&hanging->later, on_later, 0, 0);
  driver_host_wait_flag(&rig.host, "closed", &rig.conn.closed);
  driver_conn_free(&rig.conn);
  modbus_peer_close(&rig.peer);
  driver_host_close(&rig.host);
  bb_profile_unref(rig.profile);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names_the_second_address_serves),
      cmocka_unit_test(test_names_the_address_that_worked_comes_first),
      cmocka_unit_test(test_names_are_looked_up_again_when_all_addresses_have_failed),
      cmocka_unit_test(test_names_a_silent_address_costs_one_try),
      cmocka_unit_test(test_names_an_address_that_gives_no_answer_is_passed_over),
      cmocka_unit_test(test_names_are_looked_up_once_a_minute_at_most),
      cmocka_unit_test(test_names_lookup_that_cannot_start),
      cmocka_unit_test(test_names_close_while_a_lookup_hangs),
  };
  return DRIVER_HOST_RUN_TWICE("modbus names", tests);
}
