/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a name's addresses is in turn. Lookups are answered by the test, in libuv's place. */
#include <stdio.h>
#include <string.h>

#include "support/expect.h"

#include "base/err.h"
#include "io/resolver.h"

#define MOST 12

typedef struct {
  bb_resolve resolve;
  uv_loop_t loop;
  unsigned n_answers;
  int status;
  bb_resolve_address address; /* of the last answer */
} fixture;

static uv_getaddrinfo_t *asked;
static uv_getaddrinfo_cb on_done;
static int start_status;

int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb done,
                   const char *name, const char *service, const struct addrinfo *hints) {
  (void)loop;
  (void)service;
  expect_text("name", name, "meter.test");
  expect_int("any family", hints->ai_family, AF_UNSPEC);
  asked = request;
  on_done = done;
  return start_status;
}

void uv_freeaddrinfo(struct addrinfo *found) {
  (void)found; /* the test's own memory */
}

static void on_resolved(bb_resolve *resolve, int status, const struct sockaddr *address) {
  fixture *f = resolve->user;
  f->n_answers++;
  f->status = status;
  if (address == NULL) return;
  bool v6 = address->sa_family == AF_INET6;
  memcpy(&f->address, address, v6 ? sizeof(f->address.v6) : sizeof(f->address.v4));
}

/* "10.0.0.1 fd00::1 local": a blank between, "local" is of a family that nobody connects to. */
static void answer(const char *text) {
  static struct addrinfo infos[MOST];
  static bb_resolve_address addresses[MOST];
  char word[64];
  int n = 0, used = 0;
  memset(infos, 0, sizeof(infos));
  memset(addresses, 0, sizeof(addresses));
  for (; sscanf(text, "%63s%n", word, &used) == 1; text += used, n++) {
    bool v4 = uv_ip4_addr(word, 0, &addresses[n].v4) == 0;
    bool v6 = !v4 && uv_ip6_addr(word, 0, &addresses[n].v6) == 0;
    infos[n].ai_family = v4 ? AF_INET : v6 ? AF_INET6 : AF_UNIX;
    infos[n].ai_addr = &addresses[n].any;
    infos[n].ai_addrlen = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (n > 0) infos[n - 1].ai_next = &infos[n];
  }
  on_done(asked, 0, infos);
}

static void look_up(fixture *f, const char *found) {
  expect_int("start", bb_resolve_start(&f->resolve, &f->loop, "meter.test", 502, on_resolved), 0);
  expect_true("busy", f->resolve.busy);
  answer(found);
  expect_true("not busy", !f->resolve.busy);
}

static void init(fixture *f) {
  memset(f, 0, sizeof(*f));
  f->resolve.user = f;
  start_status = 0;
}

/* "10.0.0.1:502"; "none". */
static const char *show(const struct sockaddr *address, char out[64]) {
  const bb_resolve_address *a = (const bb_resolve_address *)address;
  char host[48];
  snprintf(out, 64, "none");
  if (address == NULL) return out;
  bool v6 = address->sa_family == AF_INET6;
  if (v6) {
    uv_ip6_name(&a->v6, host, sizeof(host));
  } else {
    uv_ip4_name(&a->v4, host, sizeof(host));
  }
  snprintf(out, 64, "%s:%u", host, ntohs(v6 ? a->v6.sin6_port : a->v4.sin_port));
  return out;
}

static void expect_turn(const char *row, const fixture *f, const char *expected) {
  char text[64];
  expect_text(row, show(bb_resolve_turn(&f->resolve), text), expected);
}

typedef struct {
  const char *name, *found, *turns;
  int status;
} row;

static const row rows[] = {
    {"one", "10.0.0.1", "10.0.0.1:502", 0},
    {"both families, in the system's order", "fd00::1 10.0.0.1", "fd00::1:502 10.0.0.1:502", 0},
    {"the same one twice", "10.0.0.1 fd00::1 10.0.0.1 fd00::1 10.0.0.2",
     "10.0.0.1:502 fd00::1:502 10.0.0.2:502", 0},
    {"another family", "local 10.0.0.1", "10.0.0.1:502", 0},
    {"only another family", "local", "", UV_EAI_NODATA},
    {"more than are kept",
     "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 "
     "10.0.0.9",
     "10.0.0.1:502 10.0.0.2:502 10.0.0.3:502 10.0.0.4:502 10.0.0.5:502 10.0.0.6:502 10.0.0.7:502 "
     "10.0.0.8:502",
     0},
};

static void test_resolver_gives_addresses_in_turn(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fixture f;
    char turns[256] = "", one[64];
    size_t len = 0;
    init(&f);
    look_up(&f, rows[i].found);
    expect_int(rows[i].name, f.status, rows[i].status);
    expect_uint(rows[i].name, f.n_answers, 1);
    if (f.status == 0) expect_turn(rows[i].name, &f, show(&f.address.any, one));
    while (bb_resolve_turn(&f.resolve) != NULL) {
      len += (size_t)snprintf(turns + len, sizeof(turns) - len, "%s%s", len > 0 ? " " : "",
                              show(bb_resolve_turn(&f.resolve), one));
      bb_resolve_pass(&f.resolve);
    }
    expect_text(rows[i].name, turns, rows[i].turns);
  }
}

static void test_resolver_keeps_the_one_that_works(void **state) {
  (void)state;
  fixture f;
  init(&f);
  expect_turn("nothing is known", &f, "none");
  expect_true("nor passed over", !bb_resolve_pass(&f.resolve));
  bb_resolve_keep(&f.resolve);
  expect_turn("nor kept", &f, "none");
  look_up(&f, "10.0.0.1 10.0.0.2 10.0.0.3");
  expect_true("two are left", bb_resolve_pass(&f.resolve));
  bb_resolve_keep(&f.resolve);
  expect_turn("the second works", &f, "10.0.0.2:502");
  expect_true("then fails", bb_resolve_pass(&f.resolve));
  expect_turn("the third", &f, "10.0.0.3:502");
  expect_true("fails", bb_resolve_pass(&f.resolve));
  expect_turn("and round", &f, "10.0.0.1:502");
  expect_true("was the last", !bb_resolve_pass(&f.resolve));
  expect_turn("look up", &f, "none");
  look_up(&f, "10.0.0.3 10.0.0.2");
  expect_turn("what worked comes first", &f, "10.0.0.2:502");
  bb_resolve_pass(&f.resolve);
  expect_turn("then the others", &f, "10.0.0.3:502");
  look_up(&f, "10.0.0.9 10.0.0.8");
  expect_turn("others now", &f, "10.0.0.9:502");
}

static void test_resolver_that_fails_leaves_what_is_known(void **state) {
  (void)state;
  fixture f;
  init(&f);
  look_up(&f, "10.0.0.1 10.0.0.2");
  bb_resolve_start(&f.resolve, &f.loop, "meter.test", 502, on_resolved);
  on_done(asked, UV_EAI_AGAIN, NULL);
  expect_int("status", f.status, UV_EAI_AGAIN);
  expect_turn("as before", &f, "10.0.0.1:502");
  start_status = UV_ENOMEM;
  expect_int("not started", bb_resolve_start(&f.resolve, &f.loop, "meter.test", 502, on_resolved),
             UV_ENOMEM);
  expect_true("not busy", !f.resolve.busy);
  expect_uint("no answer to that", f.n_answers, 2);
  expect_turn("as before", &f, "10.0.0.1:502");
}

static void test_resolver_literal(void **state) {
  (void)state;
  struct sockaddr_storage address;
  char text[64];
  expect_true("IPv4", bb_resolve_literal("10.0.0.21", 502, &address));
  expect_text("IPv4", show((struct sockaddr *)&address, text), "10.0.0.21:502");
  expect_true("IPv6", bb_resolve_literal("fd00::21", 502, &address));
  expect_text("IPv6", show((struct sockaddr *)&address, text), "fd00::21:502");
  expect_true("a name", !bb_resolve_literal("meter-1", 502, &address));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_resolver_gives_addresses_in_turn),
      cmocka_unit_test(test_resolver_keeps_the_one_that_works),
      cmocka_unit_test(test_resolver_that_fails_leaves_what_is_known),
      cmocka_unit_test(test_resolver_literal),
  };
  return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
