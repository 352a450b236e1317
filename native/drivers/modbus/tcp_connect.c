/* SPDX-License-Identifier: Apache-2.0 */
/* How a TCP connection comes, goes and comes back; see tcp.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "drivers/modbus/tcp.h"
#include "io/error.h"

#define LOOK_UP_EACH_NS (60 * BB_NS_PER_S) /* how long addresses are used without a lookup */
#define QUICK_NS BB_NS_PER_S               /* what says no sooner costs no time worth telling */

static void on_socket_closed(uv_handle_t *handle);

static void close_socket(bb_modbus_tcp *tcp) {
  bb_modbus_tcp_forget(tcp);
  if (tcp->has_socket && !uv_is_closing((uv_handle_t *)&tcp->socket)) {
    uv_close((uv_handle_t *)&tcp->socket, on_socket_closed);
  }
}

/* Why the connection is not there, without what comes next. */
static void explain(const bb_modbus_tcp *tcp, int status, bool was_open, char *out, size_t cap) {
  const char *place = tcp->line.place;
  if (tcp->state == BB_MODBUS_TCP_LOOKING) {
    snprintf(out, cap, "the address of %s was not found: %s", tcp->options.host,
             bb_error_text(status));
  } else if (!was_open && tcp->resolve.n_found > 1) {
    snprintf(out, cap, "no connection to %s (%u addresses): %s", place, tcp->resolve.n_found,
             bb_error_text(status));
  } else if (!was_open) {
    snprintf(out, cap, "no connection to %s: %s", place, bb_error_text(status));
  } else if (status == BB_ERR_FORMAT) {
    snprintf(out, cap, "%s sends what is not Modbus TCP", place);
  } else if (status == BB_ERR_TIMEOUT) {
    snprintf(out, cap, "%s has stopped answering", place);
  } else if (status == UV_EOF && !tcp->line.answered) {
    snprintf(out, cap, "%s closes each connection, perhaps because another client has it", place);
  } else if (status == UV_EOF) {
    snprintf(out, cap, "%s closed the connection", place);
  } else {
    snprintf(out, cap, "the connection to %s broke: %s", place, bb_error_text(status));
  }
}

/* The next try waits. */
static void fail(bb_modbus_tcp *tcp, int status, bool was_open) {
  bb_modbus_line *line = &tcp->line;
  char why[BB_MAX_REASON], next[32];
  bb_reason reason;
  uint32_t wait_ms = bb_backoff_next_ms(&tcp->backoff);
  explain(tcp, status, was_open, why, sizeof(why));
  bb_text_show_ms(next, sizeof(next), wait_ms);
  bb_reason_set(&reason, status == UV_EOF ? BB_ERR_CLOSED : status, 0, "%s; next try in %s", why,
                next);
  bb_log_debug(line->base.log, line->base.id, "%s", reason.text);
  if (tcp->state != BB_MODBUS_TCP_LOOKING) bb_resolve_pass(&tcp->resolve);
  tcp->state = BB_MODBUS_TCP_RESTING;
  tcp->again = false;
  tcp->until_ns = line->now_ns + wait_ms * BB_NS_PER_MS;
  close_socket(tcp);
  bb_modbus_tcp_wake(tcp, tcp->until_ns, true);
  bb_modbus_line_down(line, &reason);
}

/* The address in turn has not taken the connection. */
static void fail_here(bb_modbus_tcp *tcp, int status) {
  uint64_t began_ns = tcp->until_ns - tcp->options.connect_timeout_ms * BB_NS_PER_MS;
  bool was_last = tcp->resolve.n_left < 2;
  if (was_last || tcp->line.now_ns - began_ns >= QUICK_NS) {
    fail(tcp, status, false);
    return;
  }
  bb_log_debug(tcp->line.base.log, tcp->line.base.id, "%s: an address does not work: %s",
               tcp->line.place, bb_error_text(status));
  bb_resolve_pass(&tcp->resolve);
  tcp->state = BB_MODBUS_TCP_RESTING;
  tcp->again = true;
  tcp->until_ns = 0;
  close_socket(tcp);
}

/* Whether the address in turn is one to come back to. */
static void judge_address(bb_modbus_tcp *tcp) {
  if (tcp->line.answered) {
    bb_resolve_keep(&tcp->resolve);
    bb_backoff_reset(&tcp->backoff);
  } else if (tcp->line.silence > 0) {
    bb_resolve_pass(&tcp->resolve);
  }
}

void bb_modbus_tcp_lost(bb_modbus_tcp *tcp, int status) {
  bb_modbus_line *line = &tcp->line;
  if (tcp->state != BB_MODBUS_TCP_OPEN) return;
  line->base.counters.disconnects++;
  if (!line->answered && status != BB_ERR_TIMEOUT) {
    fail(tcp, status, true);
    return;
  }
  char why[BB_MAX_REASON];
  explain(tcp, status, true, why, sizeof(why));
  bb_log_debug(line->base.log, line->base.id, "%s; connecting again", why);
  judge_address(tcp);
  tcp->state = BB_MODBUS_TCP_RESTING;
  tcp->again = true;
  tcp->until_ns = 0;
  close_socket(tcp);
  bb_modbus_line_pause(line, status == BB_ERR_FORMAT || status == BB_ERR_TIMEOUT ? status
                                                                                 : BB_ERR_CLOSED);
}

void bb_modbus_tcp_rest(bb_modbus_tcp *tcp) {
  if (tcp->state != BB_MODBUS_TCP_OPEN) return;
  judge_address(tcp);
  tcp->state = BB_MODBUS_TCP_RESTING;
  tcp->until_ns = 0;
  close_socket(tcp);
  bb_modbus_line_pause(&tcp->line, BB_ERR_CLOSED);
}

static int set_up(bb_modbus_tcp *tcp) {
  int err = uv_tcp_nodelay(&tcp->socket, 1);
  unsigned seconds = (tcp->options.keepalive_ms + 999) / 1000;
  if (err == 0 && seconds > 0) err = uv_tcp_keepalive(&tcp->socket, 1, seconds);
  if (err == 0) err = bb_modbus_tcp_hear(tcp);
  return err;
}

static void on_connect(uv_connect_t *request, int status) {
  bb_modbus_tcp *tcp = request->data;
  if (tcp->state != BB_MODBUS_TCP_TRYING) return;
  bb_modbus_line_enter(&tcp->line);
  if (status == 0) status = set_up(tcp);
  if (status < 0) {
    fail_here(tcp, status);
  } else {
    bb_log_debug(tcp->line.base.log, tcp->line.base.id, "connected to %s", tcp->line.place);
    tcp->state = BB_MODBUS_TCP_OPEN;
    bb_modbus_line_up(&tcp->line, tcp->options.pause_after_connect_ms);
  }
  bb_modbus_line_leave(&tcp->line);
}

static void connect_to(bb_modbus_tcp *tcp, const struct sockaddr *address) {
  int err = uv_tcp_init(tcp->line.base.loop, &tcp->socket);
  tcp->state = BB_MODBUS_TCP_TRYING;
  if (err < 0) {
    fail(tcp, err, false);
    return;
  }
  tcp->has_socket = true;
  tcp->socket.data = tcp->connecting.data = tcp;
  err = uv_tcp_connect(&tcp->connecting, &tcp->socket, address, on_connect);
  if (err < 0) fail_here(tcp, err);
}

static void check_closed(bb_modbus_tcp *tcp);

/* What was known before serves too, when the lookup brings nothing. */
static void connect_in_turn(bb_modbus_tcp *tcp, int status) {
  const struct sockaddr *address = bb_resolve_turn(&tcp->resolve);
  if (address != NULL) {
    connect_to(tcp, address);
  } else {
    fail(tcp, status, false);
  }
}

static void on_resolved(bb_resolve *resolve, int status, const struct sockaddr *address) {
  bb_modbus_tcp *tcp = resolve->user;
  (void)address;
  if (tcp->state == BB_MODBUS_TCP_CLOSED) {
    check_closed(tcp);
    return;
  }
  if (tcp->state != BB_MODBUS_TCP_LOOKING) return;
  bb_modbus_line_enter(&tcp->line);
  connect_in_turn(tcp, status);
  bb_modbus_line_leave(&tcp->line);
}

static void look_up(bb_modbus_tcp *tcp) {
  tcp->state = BB_MODBUS_TCP_LOOKING;
  tcp->looked_ns = tcp->line.now_ns;
  tcp->resolve.user = tcp;
  /* A former lookup may still hang. */
  int err = tcp->resolve.busy
                ? BB_ERR_TIMEOUT
                : bb_resolve_start(&tcp->resolve, tcp->line.base.loop, tcp->options.host,
                                   (uint16_t)tcp->options.port, on_resolved);
  if (err < 0) connect_in_turn(tcp, err);
}

static bool is_known(const bb_modbus_tcp *tcp) {
  return bb_resolve_turn(&tcp->resolve) != NULL &&
         tcp->line.now_ns - tcp->looked_ns < LOOK_UP_EACH_NS;
}

void bb_modbus_tcp_start(bb_modbus_tcp *tcp) {
  struct sockaddr_storage address;
  if (tcp->state != BB_MODBUS_TCP_RESTING) return;
  if (tcp->has_socket) {
    tcp->again = true;
    return;
  }
  tcp->again = false;
  tcp->until_ns = tcp->line.now_ns + tcp->options.connect_timeout_ms * BB_NS_PER_MS;
  bb_modbus_tcp_wake(tcp, tcp->until_ns, false);
  if (bb_resolve_literal(tcp->options.host, (uint16_t)tcp->options.port, &address)) {
    connect_to(tcp, (const struct sockaddr *)&address);
  } else if (is_known(tcp)) {
    connect_to(tcp, bb_resolve_turn(&tcp->resolve));
  } else {
    look_up(tcp);
  }
}

void bb_modbus_tcp_check(bb_modbus_tcp *tcp) {
  if (tcp->state == BB_MODBUS_TCP_CLOSED || tcp->until_ns == 0) return;
  if (tcp->line.now_ns < tcp->until_ns) {
    bb_modbus_tcp_wake(tcp, tcp->until_ns, true);
  } else if (tcp->state == BB_MODBUS_TCP_RESTING) {
    bb_modbus_tcp_start(tcp);
  } else {
    fail(tcp, BB_ERR_TIMEOUT, false);
  }
}

/* Everything that holds the memory has ended. */
static void check_closed(bb_modbus_tcp *tcp) {
  if (tcp->has_socket || tcp->has_timer || tcp->resolve.busy) return;
  bb_modbus_line_close(&tcp->line);
  free((char *)tcp->line.place);
  tcp->line.base.host->on_closed(&tcp->line.base);
}

static void on_socket_closed(uv_handle_t *handle) {
  bb_modbus_tcp *tcp = handle->data;
  tcp->has_socket = false;
  if (tcp->state == BB_MODBUS_TCP_CLOSED) {
    check_closed(tcp);
  } else if (tcp->again) {
    bb_modbus_line_enter(&tcp->line);
    bb_modbus_tcp_start(tcp);
    bb_modbus_line_leave(&tcp->line);
  }
}

static void on_timer_closed(uv_handle_t *handle) {
  bb_modbus_tcp *tcp = handle->data;
  tcp->has_timer = false;
  check_closed(tcp);
}

void bb_modbus_tcp_close(bb_modbus_tcp *tcp) {
  tcp->state = BB_MODBUS_TCP_CLOSED;
  bb_resolve_cancel(&tcp->resolve);
  close_socket(tcp);
  uv_close((uv_handle_t *)&tcp->timer, on_timer_closed);
}
