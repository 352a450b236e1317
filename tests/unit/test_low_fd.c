/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors below 1,024 that are kept for libraries which need them. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "support/expect.h"

#include "io/low_fd.h"

static int high_file(void) {
  int low = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  int high = fcntl(low, F_DUPFD_CLOEXEC, 1500);
  expect_true("high descriptor", high >= 1500);
  close(low);
  return high;
}

static bool is_zero(int fd) {
  uint8_t byte = 1;
  return read(fd, &byte, 1) == 1 && byte == 0;
}

static bool is_open(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}

static int set_up(void **state) {
  (void)state;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 2048) limit.rlim_cur = 2048;
  if (limit.rlim_max < limit.rlim_cur) limit.rlim_max = limit.rlim_cur;
  return setrlimit(RLIMIT_NOFILE, &limit);
}

static void test_low_fd_moves_and_returns(void **state) {
  (void)state;
  int low = open("/dev/zero", O_RDONLY | O_CLOEXEC), high = high_file();
  expect_int("a low one stays", bb_low_fd_move(low), low);
  expect_int("none reserved", bb_low_fd_move(high), UV_EMFILE);
  expect_true("and it is as it was", is_zero(high));
  expect_int("reserve", bb_low_fd_reserve(2), 2);
  for (int i = 0; i < 3; i++) {
    int moved = bb_low_fd_move(high);
    expect_true("low", moved >= 0 && moved < BB_LOW_FD_END);
    expect_true("the same file", is_zero(moved));
    expect_true("the high one is closed", !is_open(high));
    expect_int("close-on-exec", fcntl(moved, F_GETFD), FD_CLOEXEC);
    int second = bb_low_fd_move(high_file());
    expect_true("another number", second >= 0 && second != moved);
    int third = high_file();
    expect_int("used up", bb_low_fd_move(third), UV_EMFILE);
    close(third);
    close(bb_low_fd_return(second));
    high = fcntl(moved, F_DUPFD_CLOEXEC, 1500);
    int other = bb_low_fd_return(moved);
    expect_true("another one to be closed", other != moved && is_zero(other));
    expect_true("the number stays taken", is_open(moved) && !is_zero(moved));
    close(other);
  }
  close(high);
  close(low);
}

static void test_low_fd_leaves_others_alone(void **state) {
  (void)state;
  int low = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  expect_int("not a reserved one", bb_low_fd_return(low), low);
  expect_true("as it was", is_zero(low));
  close(low);
}

static void test_low_fd_has_a_limit(void **state) {
  (void)state;
  int made = bb_low_fd_reserve(1000);
  expect_true("bounded", made > 0 && made <= BB_LOW_FD_MOST);
  expect_int("no more", bb_low_fd_reserve(1), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_low_fd_moves_and_returns),
      cmocka_unit_test(test_low_fd_leaves_others_alone),
      cmocka_unit_test(test_low_fd_has_a_limit),
  };
  return cmocka_run_group_tests_name("low fd", tests, set_up, NULL);
}
