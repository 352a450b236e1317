/* SPDX-License-Identifier: Apache-2.0 */
/* See low_fd.h. */
#include "io/low_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>
#include <uv.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
  int fd;
  bool lent;
} reserve[BB_LOW_FD_MOST];
static int n_reserved;

static int reserve_one(int source, int from) {
  for (int fd = from; fd > STDERR_FILENO; fd--) {
    /* F_DUPFD gives the lowest free number from fd on: fd itself, if it is free. */
    int got = fcntl(source, F_DUPFD_CLOEXEC, fd);
    if (got == fd) return fd;
    if (got >= 0) close(got);
  }
  return -1;
}

int bb_low_fd_reserve(int n) {
  int made = 0, from = BB_LOW_FD_END - 1;
  int source = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (source < 0) return 0;
  pthread_mutex_lock(&mutex);
  while (made < n && n_reserved < BB_LOW_FD_MOST) {
    int fd = reserve_one(source, from);
    if (fd < 0) break;
    reserve[n_reserved].fd = fd;
    reserve[n_reserved].lent = false;
    n_reserved++;
    made++;
    from = fd - 1;
  }
  pthread_mutex_unlock(&mutex);
  close(source);
  return made;
}

int bb_low_fd_move(int fd) {
  int result = UV_EMFILE;
  if (fd < BB_LOW_FD_END) return fd;
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < n_reserved && result < 0; i++) {
    if (reserve[i].lent || dup3(fd, reserve[i].fd, O_CLOEXEC) < 0) continue;
    reserve[i].lent = true;
    result = reserve[i].fd;
  }
  pthread_mutex_unlock(&mutex);
  if (result >= 0) close(fd);
  return result;
}

/* What lies on the number is replaced in one step, so that no other thread's open() gets it. */
static bool put_back(int i) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  bool done = null >= 0 && dup3(null, reserve[i].fd, O_CLOEXEC) >= 0;
  if (null >= 0) close(null);
  return done;
}

int bb_low_fd_return(int fd) {
  int result = fd;
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < n_reserved; i++) {
    if (!reserve[i].lent || reserve[i].fd != fd) continue;
    int other = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (other >= 0 && put_back(i)) {
      reserve[i].lent = false;
      result = other;
    } else {
      /* Out of descriptors: the number is lost to the reserve, but nothing leaks. */
      if (other >= 0) close(other);
      reserve[i] = reserve[--n_reserved];
    }
    break;
  }
  pthread_mutex_unlock(&mutex);
  return result;
}
