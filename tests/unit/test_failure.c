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

static _Noreturn void be_the_program(int out, bool hangs) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(fail_with_a_child),
                                     cmocka_unit_test(allocate), cmocka_unit_test(hang)};
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  close(out);
  cmocka_set_message_output(CM_OUTPUT_TAP);
  failure_rest_ms = 300;
  exit(_cmocka_run_group_tests("of a child", tests, hangs ? 3 : 2, NULL, NULL));
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

static void expect_end(bool hangs, const char *last) {
  char text[4096];
  int ends[2], status = 0;
  fflush(NULL);
  expect_int("pipe", pipe(ends), 0);
  pid_t child = failure_fork();
  if (child == 0) {
    close(ends[0]);
    be_the_program(ends[1], hangs);
  }
  close(ends[1]);
  read_all(ends[0], text, sizeof(text));
  close(ends[0]);
  expect_int("waited", waitpid(child, &status, 0), child);
  expect_true("it says by its code that it failed", WIFEXITED(status) && WEXITSTATUS(status) == 1);
  expect_part("what failed", text, "not ok 1 - fail_with_a_child");
  expect_part("what went on", text, "ok 2 - allocate");
  expect_part("the end", text, last);
}

static void test_failure_with_a_child_ends_the_program(void **state) {
  (void)state;
  expect_end(false, "ok 2 - allocate");
}

static void test_failure_followed_by_a_hang_ends_the_program(void **state) {
  (void)state;
  expect_end(true, "what it left holds up the rest: ended after 300 ms");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_failure_with_a_child_ends_the_program),
      cmocka_unit_test(test_failure_followed_by_a_hang_ends_the_program),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
