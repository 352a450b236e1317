/* SPDX-License-Identifier: Apache-2.0 */
/* See hangup.h. */
#include "io/hangup.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define AT_ONCE 64 /* the rest is told of by the next iteration */

/* One by one: what a callback removes must not be among those that were fetched. */
static void on_readable(uv_poll_t *poll, int status, int events) {
  bb_hangup *hangup = poll->data;
  struct epoll_event event;
  (void)status;
  (void)events;
  for (int i = 0; i < AT_ONCE && epoll_wait(hangup->set, &event, 1, 0) == 1; i++) {
    bb_hangup_watch *watch = event.data.ptr;
    bb_hangup_remove(hangup, watch);
    watch->on_hangup(watch);
  }
}

int bb_hangup_init(bb_hangup *hangup, uv_loop_t *loop) {
  hangup->set = epoll_create1(EPOLL_CLOEXEC);
  if (hangup->set < 0) return uv_translate_sys_error(errno);
  int err = uv_poll_init(loop, &hangup->poll, hangup->set);
  hangup->poll.data = hangup;
  if (err == 0) err = uv_poll_start(&hangup->poll, UV_READABLE, on_readable);
  if (err < 0) {
    close(hangup->set);
    return err;
  }
  /* Nobody waits for the end of a connection. */
  uv_unref((uv_handle_t *)&hangup->poll);
  return 0;
}

void bb_hangup_close(bb_hangup *hangup, void *data, uv_close_cb on_closed) {
  uv_poll_stop(&hangup->poll);
  close(hangup->set);
  hangup->set = -1;
  hangup->poll.data = data;
  uv_close((uv_handle_t *)&hangup->poll, on_closed);
}

int bb_hangup_add(bb_hangup *hangup, bb_hangup_watch *watch, int fd) {
  struct epoll_event event = {.events = EPOLLRDHUP, .data.ptr = watch};
  bb_hangup_remove(hangup, watch);
  if (epoll_ctl(hangup->set, EPOLL_CTL_ADD, fd, &event) < 0) return uv_translate_sys_error(errno);
  watch->fd = fd;
  watch->added = true;
  return 0;
}

void bb_hangup_remove(bb_hangup *hangup, bb_hangup_watch *watch) {
  if (!watch->added) return;
  watch->added = false;
  if (hangup->set >= 0) epoll_ctl(hangup->set, EPOLL_CTL_DEL, watch->fd, NULL);
}
