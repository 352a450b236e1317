/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells systemd how this process is (sd_notify(3)): a datagram of lines to the Unix socket that
 * NOTIFY_SOCKET names, a path or "@" and an abstract name.
 *
 *   READY=1       it has started: what waits for the service may begin
 *   WATCHDOG=1    from the loop, twice in WATCHDOG_USEC: it does not hang. Who hears nothing for that
 *                 long ends the process and starts it again
 *   STOPPING=1    it is on its way out
 *
 * The variables are taken out of the environment, so that nothing else in the process answers to them.
 * Without NOTIFY_SOCKET everything here does nothing. Nothing waits: a message that the socket has no
 * room for is lost, and WATCHDOG has a second one in its time.
 */
#ifndef BB_RUNTIME_NOTIFY_H
#define BB_RUNTIME_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

#include "base/log.h"

typedef struct bb_notify {
  /* public: set before init */
  uv_loop_t *loop;
  bb_log *log;
  bool ignored; /* the variables are somebody else's, whose child this is */
  /* read-only */
  uint64_t beat_ms; /* between two WATCHDOG=1; 0: none are asked for */
  /* private */
  int fd; /* -1: nobody listens */
  struct sockaddr_un to;
  socklen_t to_len;
  uv_timer_t beat;
  bool failed; /* it was told */
} bb_notify;

/* Reads the environment. What is wrong with it is logged, and nobody is told then. */
void bb_notify_init(bb_notify *notify);

/* Also begins to beat. */
void bb_notify_ready(bb_notify *notify);

/* It goes on beating until it is closed: also an end may hang. */
void bb_notify_stopping(bb_notify *notify);

void bb_notify_close(bb_notify *notify);

#endif
