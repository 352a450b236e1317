/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd hears of the runtime, on a socket of the test. */
#include "runtime/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/folder.h"

typedef struct {
  folder folder;
  uv_loop_t loop;
  bb_notify notify;
  int fd; /* systemd's */
  char heard[64];
} rig;

static void open_rig(rig *r, const char *name) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  char address[sizeof(at.sun_path)];
  memset(r, 0, sizeof(*r));
  folder_open(&r->folder);
  snprintf(address, sizeof(address), name[0] == '@' ? "%s-%d" : "%s/notify",
           name[0] == '@' ? name : r->folder.path, (int)getpid());
  size_t len = strlen(address);
  memcpy(at.sun_path, address, len);
  if (name[0] == '@') at.sun_path[0] = 0;
  socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
  r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  expect_int(address, bind(r->fd, (const struct sockaddr *)&at, bytes), 0);
  setenv("NOTIFY_SOCKET", address, 1);
  unsetenv("WATCHDOG_USEC");
  unsetenv("WATCHDOG_PID");
  uv_loop_init(&r->loop);
  r->notify.loop = &r->loop;
  r->notify.log = &r->folder.log;
}

static void close_rig(rig *r) {
  bb_notify_close(&r->notify);
  uv_run(&r->loop, UV_RUN_DEFAULT);
  expect_int("left on the loop", uv_loop_close(&r->loop), 0);
  close(r->fd);
  folder_close(&r->folder);
}

/* The next message, or NULL. */
static const char *hear(rig *r) {
  ssize_t len = recv(r->fd, r->heard, sizeof(r->heard) - 1, 0);
  if (len < 0) return NULL;
  r->heard[len] = 0;
  return r->heard;
}

static void on_over(uv_timer_t *timer) {
  uv_stop(timer->loop);
}

static void run_ms(rig *r, uint64_t ms) {
  uv_timer_t over;
  uv_timer_init(&r->loop, &over);
  uv_timer_start(&over, on_over, ms, 0);
  uv_run(&r->loop, UV_RUN_DEFAULT);
  uv_close((uv_handle_t *)&over, NULL);
  uv_run(&r->loop, UV_RUN_NOWAIT);
}

static void test_notify_tells_start_and_end(void **state) {
  static const char *const names[] = {"a path", "@busbar-test"};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    rig r;
    open_rig(&r, names[i]);
    bb_notify_init(&r.notify);
    expect_true("taken out of the environment", getenv("NOTIFY_SOCKET") == NULL);
    expect_text("nothing yet", hear(&r), NULL);
    bb_notify_ready(&r.notify);
    expect_text(names[i], hear(&r), "READY=1");
    run_ms(&r, 20);
    expect_text("no watchdog was asked for", hear(&r), NULL);
    bb_notify_stopping(&r.notify);
    expect_text(names[i], hear(&r), "STOPPING=1");
    close_rig(&r);
  }
}

static void test_notify_beats_twice_in_the_time_while_the_loop_runs(void **state) {
  (void)state;
  rig r;
  char pid[16];
  unsigned beats = 0;
  open_rig(&r, "a path");
  snprintf(pid, sizeof(pid), "%d", (int)getpid());
  setenv("WATCHDOG_USEC", "100000", 1);
  setenv("WATCHDOG_PID", pid, 1);
  bb_notify_init(&r.notify);
  expect_uint("half of it", r.notify.beat_ms, 50);
  expect_true("taken out of the environment", getenv("WATCHDOG_USEC") == NULL);
  run_ms(&r, 60);
  expect_text("not before it is ready", hear(&r), NULL);
  bb_notify_ready(&r.notify);
  expect_text("ready", hear(&r), "READY=1");
  run_ms(&r, 520);
  while (hear(&r) != NULL) {
    expect_text("beat", r.heard, "WATCHDOG=1");
    beats++;
  }
  expect_true("about eleven", beats >= 4 && beats <= 11);
  usleep(200000); /* the loop hangs */
  expect_text("silence", hear(&r), NULL);
  close_rig(&r);
}

static void test_notify_beats_only_where_it_was_asked_to(void **state) {
  static const struct {
    const char *usec, *pid;
    uint64_t beat_ms;
  } rows[] = {
      {"30000000", NULL, 15000}, {"1", NULL, 1},  {"30000000", "1", 0},
      {"soon", NULL, 0},         {"-1", NULL, 0}, {"99999999999999999999999", NULL, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    rig r;
    open_rig(&r, "a path");
    setenv("WATCHDOG_USEC", rows[i].usec, 1);
    if (rows[i].pid != NULL) setenv("WATCHDOG_PID", rows[i].pid, 1);
    bb_notify_init(&r.notify);
    expect_uint(rows[i].usec, r.notify.beat_ms, rows[i].beat_ms);
    close_rig(&r);
  }
}

static void test_notify_leaves_what_is_not_meant_for_it(void **state) {
  (void)state;
  rig r;
  open_rig(&r, "a path");
  setenv("WATCHDOG_USEC", "100000", 1);
  r.notify.ignored = true;
  bb_notify_init(&r.notify);
  bb_notify_ready(&r.notify);
  run_ms(&r, 20);
  expect_text("its parent's", hear(&r), NULL);
  close_rig(&r);
  static const char *const addresses[] = {"", "@", "relative", "tcp:1"};
  for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
    open_rig(&r, "a path");
    setenv("NOTIFY_SOCKET", addresses[i], 1);
    bb_notify_init(&r.notify);
    bb_notify_ready(&r.notify);
    bb_notify_stopping(&r.notify);
    expect_text(addresses[i], hear(&r), NULL);
    if (addresses[i][0] != 0) expect_part("told", folder_log(&r.folder), "which is no address");
    close_rig(&r);
  }
}

static void test_notify_goes_on_when_nobody_listens(void **state) {
  (void)state;
  rig r;
  open_rig(&r, "a path");
  setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
  bb_notify_init(&r.notify);
  bb_notify_ready(&r.notify);
  bb_notify_stopping(&r.notify);
  const char *told = strstr(folder_log(&r.folder), "it cannot be told how the runtime is: No such");
  expect_true("told", told != NULL);
  expect_true("once", strstr(told + 1, "it cannot be told") == NULL);
  close_rig(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_notify_tells_start_and_end),
      cmocka_unit_test(test_notify_beats_twice_in_the_time_while_the_loop_runs),
      cmocka_unit_test(test_notify_beats_only_where_it_was_asked_to),
      cmocka_unit_test(test_notify_leaves_what_is_not_meant_for_it),
      cmocka_unit_test(test_notify_goes_on_when_nobody_listens),
  };
  return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
