/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells when the other end of a socket has ended it, although the loop does not read from it. What
 * arrives wakes nobody: the sockets lie in an epoll set of their own that asks for EPOLLRDHUP only,
 * and the loop watches that set.
 */
#ifndef BB_IO_HANGUP_H
#define BB_IO_HANGUP_H

#include <stdbool.h>
#include <uv.h>

typedef struct bb_hangup_watch bb_hangup_watch;

/* A socket; all zero but for on_hangup before it is first added. */
struct bb_hangup_watch {
  /* public: the peer has closed or reset; the watch has been removed. What it sent before may still
   * lie in the socket. */
  void (*on_hangup)(bb_hangup_watch *watch);
  /* read-only */
  bool added;
  /* private */
  int fd;
};

typedef struct bb_hangup {
  /* private */
  uv_poll_t poll;
  int set;
} bb_hangup;

/* 0 or a code of libuv. */
int bb_hangup_init(bb_hangup *hangup, uv_loop_t *loop);

/* Sockets that are still there are forgotten. The handle's data is `data`. */
void bb_hangup_close(bb_hangup *hangup, void *data, uv_close_cb on_closed);

/* 0 or a code of libuv. A socket that has ended already is told of by the loop. */
int bb_hangup_add(bb_hangup *hangup, bb_hangup_watch *watch, int fd);

/* Before the socket is closed. Harmless for one that is not there. */
void bb_hangup_remove(bb_hangup *hangup, bb_hangup_watch *watch);

#endif
