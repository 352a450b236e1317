/* SPDX-License-Identifier: Apache-2.0 */
/* See notify.h. */
#include "runtime/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUBJECT "systemd"
#define US_PER_MS 1000ull

/* False: it is neither a path nor an abstract name. */
static bool read_address(const char *text, struct sockaddr_un *out, socklen_t *out_len) {
  size_t len = strlen(text);
  bool abstract = text[0] == '@';
  if ((text[0] != '/' && !abstract) || len < 2 || len >= sizeof(out->sun_path)) return false;
  *out = (struct sockaddr_un){.sun_family = AF_UNIX};
  memcpy(out->sun_path, text, len);
  if (abstract) out->sun_path[0] = 0;
  *out_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (abstract ? 0 : 1));
  return true;
}

/* Half of WATCHDOG_USEC in ms; 0: no watchdog, or not for this process. */
static uint64_t read_beat(const char *period, const char *pid) {
  char *end;
  if (period == NULL) return 0;
  if (pid != NULL && strtol(pid, NULL, 10) != getpid()) return 0;
  unsigned long long us = strtoull(period, &end, 10);
  if (period[0] < '0' || period[0] > '9' || *end != 0 || us == ULLONG_MAX) return 0;
  us /= 2 * US_PER_MS;
  return us > 0 ? us : 1;
}

static void tell(bb_notify *notify, const char *state) {
  if (notify->fd < 0) return;
  const struct sockaddr *to = (const struct sockaddr *)&notify->to;
  if (sendto(notify->fd, state, strlen(state), MSG_NOSIGNAL, to, notify->to_len) >= 0) return;
  if (errno == EAGAIN || notify->failed) return;
  notify->failed = true;
  bb_log_warn(notify->log, SUBJECT, "it cannot be told how the runtime is: %s", strerror(errno));
}

static void on_beat(uv_timer_t *timer) {
  tell(timer->data, "WATCHDOG=1");
}

static void open_socket(bb_notify *notify, const char *address) {
  if (!read_address(address, &notify->to, &notify->to_len)) {
    bb_log_warn(
        notify->log, SUBJECT,
        "NOTIFY_SOCKET is \"%.100s\", which is no address; allowed: a path, or @ and a name",
        address);
    return;
  }
  notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (notify->fd >= 0) return;
  bb_log_warn(notify->log, SUBJECT, "it cannot be told how the runtime is: %s", strerror(errno));
}

void bb_notify_init(bb_notify *notify) {
  const char *address = getenv("NOTIFY_SOCKET");
  notify->fd = -1;
  notify->beat_ms = 0;
  notify->failed = false;
  uv_timer_init(notify->loop, &notify->beat);
  notify->beat.data = notify;
  uv_unref((uv_handle_t *)&notify->beat);
  if (address != NULL && address[0] != 0 && !notify->ignored) open_socket(notify, address);
  if (notify->fd >= 0) {
    notify->beat_ms = read_beat(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
  }
  unsetenv("NOTIFY_SOCKET");
  unsetenv("WATCHDOG_USEC");
  unsetenv("WATCHDOG_PID");
}

void bb_notify_ready(bb_notify *notify) {
  tell(notify, "READY=1");
  if (notify->beat_ms > 0) uv_timer_start(&notify->beat, on_beat, 0, notify->beat_ms);
}

void bb_notify_stopping(bb_notify *notify) {
  tell(notify, "STOPPING=1");
}

void bb_notify_close(bb_notify *notify) {
  uv_close((uv_handle_t *)&notify->beat, NULL);
  if (notify->fd >= 0) close(notify->fd);
  notify->fd = -1;
}
