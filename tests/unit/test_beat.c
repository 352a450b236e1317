/* SPDX-License-Identifier: Apache-2.0 */
/* The beat: who is called, when, and how often. */
#include "io/beat.h"

#include "support/expect.h"

#define WAITERS 4

typedef struct fixture fixture;

typedef struct waiter {
  bb_beat_wait wait; /* first */
  fixture *f;
  unsigned n;
  bool again;           /* joins inside its beat */
  struct waiter *leave; /* who leaves inside its beat */
  bool closes;          /* the beat, inside it */
} waiter;

struct fixture {
  uv_loop_t loop;
  bb_clock clock;
  bb_beat beat;
  waiter waiters[WAITERS];
  unsigned closed;
};

static void on_closed(uv_handle_t *handle);

static void on_beat(bb_beat_wait *wait) {
  waiter *w = (waiter *)wait;
  w->n++;
  if (w->closes) bb_beat_close(&w->f->beat, on_closed);
  if (w->again) bb_beat_join(&w->f->beat, &w->wait);
  if (w->leave != NULL) bb_beat_leave(&w->leave->wait);
}

static void on_closed(uv_handle_t *handle) {
  fixture *f = handle->data;
  f->closed++;
}

static void open_fixture(fixture *f) {
  *f = (fixture){.clock = bb_clock_system()};
  f->beat.user = f;
  expect_int("loop", uv_loop_init(&f->loop), 0);
  expect_int("init", bb_beat_init(&f->beat, &f->loop, &f->clock), 0);
  for (int i = 0; i < WAITERS; i++) f->waiters[i] = (waiter){.wait.on_beat = on_beat, .f = f};
}

static void end_fixture(fixture *f) {
  uv_run(&f->loop, UV_RUN_DEFAULT);
  expect_uint("closed", f->closed, 1);
  expect_int("nothing left", uv_loop_close(&f->loop), 0);
}

static void close_fixture(fixture *f) {
  bb_beat_close(&f->beat, on_closed);
  end_fixture(f);
}

static void test_beat_gathers_all_who_wait(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  uint64_t from = bb_clock_mono_ns(&f.clock), beat = BB_BEAT_MS * BB_NS_PER_MS;
  for (int i = 0; i < 3; i++) bb_beat_join(&f.beat, &f.waiters[i].wait);
  bb_beat_join(&f.beat, &f.waiters[0].wait);
  expect_uint("not inside join", f.waiters[0].n, 0);
  uv_run(&f.loop, UV_RUN_DEFAULT);
  uint64_t until = bb_clock_mono_ns(&f.clock);
  expect_true("not before the next multiple", until / beat > from / beat);
  for (unsigned i = 0; i < WAITERS; i++) expect_uint("once each", f.waiters[i].n, i < 3);
  expect_uint("one beat", f.beat.n_beats, 1);
  close_fixture(&f);
}

static void test_beat_joined_inside_is_the_next_one(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  f.waiters[0].again = true;
  bb_beat_join(&f.beat, &f.waiters[0].wait);
  for (unsigned i = 1; i <= 3; i++) {
    uint64_t beats = f.beat.n_beats;
    while (f.beat.n_beats == beats) uv_run(&f.loop, UV_RUN_ONCE);
    expect_uint("once a beat", f.waiters[0].n, i);
  }
  f.waiters[0].again = false;
  uv_run(&f.loop, UV_RUN_DEFAULT);
  expect_uint("the last", f.waiters[0].n, 4);
  expect_int("nothing runs when nobody waits", uv_loop_alive(&f.loop), 0);
  close_fixture(&f);
}

static void test_beat_left_is_not_called(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  bb_beat_leave(&f.waiters[3].wait); /* never joined */
  for (int i = 0; i < WAITERS; i++) bb_beat_join(&f.beat, &f.waiters[i].wait);
  bb_beat_leave(&f.waiters[0].wait);
  f.waiters[1].leave = &f.waiters[2];
  uv_run(&f.loop, UV_RUN_DEFAULT);
  expect_uint("left before", f.waiters[0].n, 0);
  expect_uint("stayed", f.waiters[1].n, 1);
  expect_uint("left inside the beat", f.waiters[2].n, 0);
  expect_uint("behind it", f.waiters[3].n, 1);
  bb_beat_join(&f.beat, &f.waiters[0].wait);
  uv_run(&f.loop, UV_RUN_DEFAULT);
  expect_uint("joined again", f.waiters[0].n, 1);
  close_fixture(&f);
}

static void test_beat_closed_with_waiters(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  for (int i = 0; i < WAITERS; i++) bb_beat_join(&f.beat, &f.waiters[i].wait);
  close_fixture(&f);
  for (int i = 0; i < WAITERS; i++) expect_uint("not called", f.waiters[i].n, 0);
}

/* Those whose turn was still to come hear nothing, nor does who joins behind the close. */
static void test_beat_closed_inside_a_beat(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  f.waiters[0].again = f.waiters[1].closes = f.waiters[1].again = true;
  for (int i = 0; i < WAITERS; i++) bb_beat_join(&f.beat, &f.waiters[i].wait);
  end_fixture(&f);
  expect_uint("before it", f.waiters[0].n, 1);
  expect_uint("closes it", f.waiters[1].n, 1);
  expect_uint("behind it", f.waiters[2].n, 0);
  expect_uint("behind it", f.waiters[3].n, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_beat_gathers_all_who_wait),
      cmocka_unit_test(test_beat_joined_inside_is_the_next_one),
      cmocka_unit_test(test_beat_left_is_not_called),
      cmocka_unit_test(test_beat_closed_with_waiters),
      cmocka_unit_test(test_beat_closed_inside_a_beat),
  };
  return cmocka_run_group_tests_name("beat", tests, NULL, NULL);
}
