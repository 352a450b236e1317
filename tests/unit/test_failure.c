/* SPDX-License-Identifier: Apache-2.0 */
/* What a failed assertion leaves holds up no test run. */
#include "support/failure.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/failmalloc.h"

/* --- a program that fails --- */

static void *block;

static void fail_with_a_child(void **state) {
  (void)state;
  if (failure_fork() == 0) {
    for (;;) pause();
  }
  failmalloc_start(1);
  expect_int("this fails", 1, 2);
}

static void allocate(void **state) {
  (void)state;
  block = malloc(1);
  expect_true("the failure before takes no memory here", block != NULL);
  free(block);
}

static void hang(void **state) {
  (void)state;
  for (;;) pause();
}

static void fail_with_threads(void **state) {
  (void)state;
  failure_begin_threads();
  expect_int("this fails", 1, 2);
}

static void begin_threads(void **state) {
  (void)state;
  failure_begin_threads();
  failure_end_threads();
}

static const struct CMUnitTest with_a_child[] = {
    cmocka_unit_test(begin_threads), cmocka_unit_test(fail_with_a_child),
    cmocka_unit_test(allocate), cmocka_unit_test(begin_threads)};
static const struct CMUnitTest with_a_hang[] = {cmocka_unit_test(fail_with_a_child),
                                                cmocka_unit_test(hang)};
static const struct CMUnitTest with_threads[] = {cmocka_unit_test(fail_with_threads),
                                                 cmocka_unit_test(allocate),
                                                 cmocka_unit_test(begin_threads)};

static _Noreturn void be_the_program(int out, const struct CMUnitTest *tests, size_t n) {
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  close(out);
  cmocka_set_message_output(CM_OUTPUT_TAP);
  failure_rest_ms = 300;
  exit(_cmocka_run_group_tests("of a child", tests, n, NULL, NULL));
}

/* --- */

/* Until nobody has its output open any more. */
static void read_all(int in, char *text, size_t cap) {
  size_t len = 0;
  for (;;) {
    struct pollfd ready = {.fd = in, .events = POLLIN};
    expect_int("it ends in time", poll(&ready, 1, 10000), 1);
    ssize_t n = read(in, text + len, cap - 1 - len);
    if (n <= 0) break;
    len += (size_t)n;
  }
  text[len] = 0;
}

/* What it prints has all of `parts`, up to NULL. */
static void expect_end(const struct CMUnitTest *tests, size_t n, const char *const *parts) {
  char text[4096];
  int ends[2], status = 0;
  fflush(NULL);
  expect_int("pipe", pipe(ends), 0);
  pid_t child = failure_fork();
  if (child == 0) {
    close(ends[0]);
    be_the_program(ends[1], tests, n);
  }
  close(ends[1]);
  read_all(ends[0], text, sizeof(text));
  close(ends[0]);
  expect_int("waited", waitpid(child, &status, 0), child);
  expect_true("its code says that it failed", WIFEXITED(status) && WEXITSTATUS(status) > 0);
  for (; *parts != NULL; parts++) expect_part("said", text, *parts);
}

static void test_failure_takes_its_child_along_and_no_memory(void **state) {
  static const char *const parts[] = {"ok 1 - begin_threads", "not ok 2 - fail_with_a_child",
                                      "\nok 3 - allocate", "\nok 4 - begin_threads", NULL};
  (void)state;
  expect_end(with_a_child, 4, parts);
}

static void test_failure_followed_by_a_hang_ends_the_program(void **state) {
  static const char *const parts[] = {"not ok 1 - fail_with_a_child",
                                      "what it left holds up the rest: ended after 300 ms", NULL};
  (void)state;
  expect_end(with_a_hang, 2, parts);
}

static void test_failure_that_leaves_threads_fails_those_behind_it(void **state) {
  static const char *const parts[] = {"not ok 1 - fail_with_threads", "\nok 2 - allocate",
                                      "not ok 3 - begin_threads", "its threads are still there",
                                      NULL};
  (void)state;
  expect_end(with_threads, 3, parts);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_failure_takes_its_child_along_and_no_memory),
      cmocka_unit_test(test_failure_followed_by_a_hang_ends_the_program),
      cmocka_unit_test(test_failure_that_leaves_threads_fails_those_behind_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
