/* SPDX-License-Identifier: Apache-2.0 */
/* See many_fds.h. */
#include "support/many_fds.h"

#include <sys/socket.h>
#include <unistd.h>

#include "support/expect.h"

void many_fds_open(many_fds *many) {
  getrlimit(RLIMIT_NOFILE, &many->before);
  struct rlimit limit = many->before;
  if (limit.rlim_cur < MANY_FDS + 100) limit.rlim_cur = MANY_FDS + 100;
  if (limit.rlim_max < limit.rlim_cur) limit.rlim_max = limit.rlim_cur;
  expect_int("limit", setrlimit(RLIMIT_NOFILE, &limit), 0);
  for (int i = 0; i < MANY_FDS; i++) {
    many->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  }
  expect_true("high descriptors", many->fds[MANY_FDS - 1] >= 1024);
}

void many_fds_close(many_fds *many) {
  for (int i = 0; i < MANY_FDS; i++) close(many->fds[i]);
  setrlimit(RLIMIT_NOFILE, &many->before);
}
