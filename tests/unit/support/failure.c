/* SPDX-License-Identifier: Apache-2.0 */
/* See failure.h. */
#include "support/failure.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/failmalloc.h"

unsigned failure_rest_ms = 20000;

static atomic_bool has_failed;

/* Names that ld's --wrap gives to the original and to what stands in its place. */
void __real__fail(const char *file, int line);
static unsigned threaded;

void failure_begin_threads(void) {
  if (has_failed && threaded > 0) {
    fail_msg("not run: a test before it has failed, and its threads are still there");
  }
  threaded++;
}

void failure_end_threads(void) {
  threaded--;
}

void __wrap__fail(const char *file, int line);

/* A thread, because the one of the test may hang in a loop, in a lock, or in exit(). */
static void *end_later(void *unused) {
  struct timespec rest = {.tv_sec = failure_rest_ms / 1000,
                          .tv_nsec = failure_rest_ms % 1000 * 1000000L};
  while (nanosleep(&rest, &rest) < 0) continue;
  printf("# a test has failed, and what it left holds up the rest: ended after %u ms\n",
         failure_rest_ms);
  fflush(NULL);
  _exit(1);
  return unused;
}

static void start_ending(void) {
  pthread_t thread;
  sigset_t all, before;
  if (atomic_exchange(&has_failed, true)) return;
  sigfillset(&all); /* signals are for the test */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&thread, NULL, end_later, NULL) == 0) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void __wrap__fail(const char *file, int line) {
  failmalloc_stop();
  start_ending();
  __real__fail(file, line);
}

pid_t failure_fork(void) {
  pid_t parent = getpid(), child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1); /* it has just ended */
  return 0;
}
