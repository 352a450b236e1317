/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of sockets that nobody reads. */
#include "io/hangup.h"

#include <sys/socket.h>
#include <unistd.h>

#include "support/expect.h"

#define PAIRS 100

typedef struct fixture fixture;

typedef struct end {
  bb_hangup_watch watch; /* first */
  fixture *f;
  int near, far;
  unsigned n;
  struct end *remove; /* whom its callback removes */
} end;

struct fixture {
  uv_loop_t loop;
  bb_hangup hangup;
  uv_timer_t timer;
  end ends[PAIRS];
  unsigned n, closed;
};

static void on_hangup(bb_hangup_watch *watch) {
  end *e = (end *)watch;
  e->n++;
  e->f->n++;
  if (e->remove != NULL) bb_hangup_remove(&e->f->hangup, &e->remove->watch);
}

static void on_closed(uv_handle_t *handle) {
  ((fixture *)handle->data)->closed++;
}

static void on_timer(uv_timer_t *timer) {
  uv_stop(timer->loop);
}

static void open_fixture(fixture *f) {
  *f = (fixture){.n = 0};
  expect_int("loop", uv_loop_init(&f->loop), 0);
  expect_int("init", bb_hangup_init(&f->hangup, &f->loop), 0);
  uv_timer_init(&f->loop, &f->timer);
  for (int i = 0; i < PAIRS; i++) {
    int pair[2];
    expect_int("pair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    f->ends[i] = (end){.watch.on_hangup = on_hangup, .f = f, .near = pair[0], .far = pair[1]};
    expect_int("add", bb_hangup_add(&f->hangup, &f->ends[i].watch, pair[0]), 0);
  }
}

/* A few turns of the loop: what has happened by now has been told of. */
static void turn(fixture *f) {
  uv_timer_start(&f->timer, on_timer, 5, 0);
  uv_run(&f->loop, UV_RUN_DEFAULT);
}

static void close_fixture(fixture *f) {
  bb_hangup_close(&f->hangup, f, on_closed);
  uv_close((uv_handle_t *)&f->timer, NULL);
  uv_run(&f->loop, UV_RUN_DEFAULT);
  expect_uint("closed", f->closed, 1);
  for (int i = 0; i < PAIRS; i++) {
    close(f->ends[i].near);
    if (f->ends[i].far >= 0) close(f->ends[i].far);
  }
  expect_int("nothing left", uv_loop_close(&f->loop), 0);
}

static void hang_up(end *e) {
  close(e->far);
  e->far = -1;
}

static void test_hangup_tells_of_the_end_only(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  expect_int("bytes", (int)write(f.ends[0].far, "x", 1), 1);
  turn(&f);
  expect_uint("of bytes nobody is told", f.n, 0);
  hang_up(&f.ends[0]);
  shutdown(f.ends[1].far, SHUT_WR);
  turn(&f);
  expect_uint("once", f.ends[0].n, 1);
  expect_uint("of a half close too", f.ends[1].n, 1);
  expect_uint("of no other", f.n, 2);
  expect_true("removed", !f.ends[0].watch.added);
  turn(&f);
  expect_uint("not again", f.n, 2);
  char byte;
  expect_int("what was sent before is still there", (int)read(f.ends[0].near, &byte, 1), 1);
  close_fixture(&f);
}

static void test_hangup_of_many_at_once(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  for (int i = 0; i < PAIRS; i++) hang_up(&f.ends[i]);
  turn(&f);
  for (int i = 0; i < PAIRS; i++) expect_uint("each once", f.ends[i].n, 1);
  close_fixture(&f);
}

static void test_hangup_removed_by_another(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  f.ends[0].remove = &f.ends[1];
  f.ends[1].remove = &f.ends[0];
  hang_up(&f.ends[0]);
  hang_up(&f.ends[1]);
  turn(&f);
  expect_uint("one of the two", f.n, 1);
  bb_hangup_remove(&f.hangup, &f.ends[1].watch); /* harmless again */
  close_fixture(&f);
}

static void test_hangup_added_after_the_end(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  bb_hangup_remove(&f.hangup, &f.ends[0].watch);
  hang_up(&f.ends[0]);
  turn(&f);
  expect_uint("not watched", f.n, 0);
  expect_int("again", bb_hangup_add(&f.hangup, &f.ends[0].watch, f.ends[0].near), 0);
  turn(&f);
  expect_uint("told at once", f.n, 1);
  expect_int("what is no socket", bb_hangup_add(&f.hangup, &f.ends[0].watch, -1), UV_EBADF);
  expect_true("is not watched", !f.ends[0].watch.added);
  close_fixture(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hangup_tells_of_the_end_only),
      cmocka_unit_test(test_hangup_of_many_at_once),
      cmocka_unit_test(test_hangup_removed_by_another),
      cmocka_unit_test(test_hangup_added_after_the_end),
  };
  return cmocka_run_group_tests_name("hangup", tests, NULL, NULL);
}
