/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an answer is waited for by the loop or looked for at its beat; see tcp.h. */
#include <errno.h>
#include <unistd.h>

#include "drivers/modbus/tcp.h"

/* Going from one to the other costs some calls of the kernel, so a line becomes patient only when it has
 * been calm for a while, and what disturbs it now and then (a second scan) does not count for long. */
#define CALM_BEFORE 4
#define DISTURBED 2
/* Requests that follow each other faster, such as those of one poll, would be held up by beats. */
#define LEAST_NS (4 * BB_BEAT_MS * BB_NS_PER_MS)

static void disturb(bb_modbus_tcp *tcp) {
  tcp->calm = tcp->calm > DISTURBED ? (uint8_t)(tcp->calm - DISTURBED) : 0;
}

static void end_patience(bb_modbus_tcp *tcp) {
  bb_beat_leave(&tcp->beat);
  bb_hangup_remove(&tcp->line.base.beat->hangup, &tcp->hangup);
  tcp->patient = false;
}

static int become_prompt(bb_modbus_tcp *tcp) {
  if (!tcp->patient) return 0;
  uint64_t due_ns = bb_modbus_line_due_ns(&tcp->line);
  end_patience(tcp);
  if (due_ns != UINT64_MAX) bb_modbus_tcp_wake(tcp, due_ns, false);
  return bb_modbus_tcp_listen(tcp);
}

static void turn_prompt(bb_modbus_tcp *tcp) {
  int err = become_prompt(tcp);
  if (err < 0) bb_modbus_tcp_lost(tcp, err);
}

/* What lies in the socket, taken as if the loop had told of it. */
static void look(bb_modbus_tcp *tcp) {
  size_t room = (size_t)(BB_MODBUS_TCP_BUFFER - tcp->filled);
  uv_os_fd_t fd;
  ssize_t n;
  if (uv_fileno((uv_handle_t *)&tcp->socket, &fd) < 0) return;
  do {
    n = read(fd, tcp->buffer + tcp->filled, room);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (n < 0) {
    n = uv_translate_sys_error(errno);
  } else if (n == 0) {
    n = UV_EOF;
  }
  bb_modbus_tcp_got(tcp, n);
  /* There may be more of it than one answer is. */
  if (n == (ssize_t)room) turn_prompt(tcp);
}

static void on_beat(bb_beat_wait *wait) {
  bb_modbus_tcp *tcp = BB_LIST_ITEM(wait, bb_modbus_tcp, beat);
  bb_modbus_line_enter(&tcp->line);
  look(tcp);
  if (tcp->patient && tcp->line.n_busy > 0) {
    bb_beat_join(tcp->line.base.beat, &tcp->beat);
    bb_modbus_tcp_tick(tcp);
  }
  bb_modbus_line_leave(&tcp->line);
}

/* The loop reads what may still lie in the socket, and its end. */
static void on_hangup(bb_hangup_watch *watch) {
  bb_modbus_tcp *tcp = BB_LIST_ITEM(watch, bb_modbus_tcp, hangup);
  bb_modbus_line_enter(&tcp->line);
  turn_prompt(tcp);
  bb_modbus_line_leave(&tcp->line);
}

/* Whether the answer to this request can wait for the beat. */
static bool judge(bb_modbus_tcp *tcp, const bb_modbus_slot *slot) {
  uint64_t since_ns = slot->sent_ns - tcp->sent_ns;
  if (tcp->line.base.beat->always) return true;
  if (!bb_modbus_line_is_calm(&tcp->line, slot)) {
    disturb(tcp);
    return false;
  } else if (since_ns < LEAST_NS) {
    disturb(tcp);
  } else if (tcp->calm < CALM_BEFORE) {
    tcp->calm++;
  }
  return tcp->calm >= (tcp->patient ? 1 : CALM_BEFORE);
}

static int become_patient(bb_modbus_tcp *tcp) {
  uv_os_fd_t fd;
  int err = uv_fileno((uv_handle_t *)&tcp->socket, &fd);
  tcp->hangup.on_hangup = on_hangup;
  if (err == 0) err = bb_hangup_add(&tcp->line.base.beat->hangup, &tcp->hangup, fd);
  if (err < 0) return err;
  uv_read_stop((uv_stream_t *)&tcp->socket);
  tcp->patient = true;
  tcp->beat.on_beat = on_beat;
  return 0;
}

int bb_modbus_tcp_attend(bb_modbus_tcp *tcp, const bb_modbus_slot *slot) {
  bb_beat *beat = tcp->line.base.beat;
  if (beat == NULL) return 0;
  bool can_wait = judge(tcp, slot);
  tcp->sent_ns = slot->sent_ns;
  if (!can_wait) return become_prompt(tcp);
  /* Where the kernel watches over no more sockets, it stays prompt. */
  if (!tcp->patient && become_patient(tcp) < 0) return 0;
  bb_beat_join(beat, &tcp->beat);
  return 0;
}

void bb_modbus_tcp_look(bb_modbus_tcp *tcp) {
  if (!tcp->patient) return;
  if (tcp->line.n_busy == 0) {
    if (tcp->options.framing == BB_MODBUS_FRAMING_RTU) look(tcp);
  } else if (!tcp->line.base.beat->always) {
    disturb(tcp);
    turn_prompt(tcp);
  }
}

void bb_modbus_tcp_catch_up(bb_modbus_tcp *tcp) {
  if (tcp->patient && tcp->line.n_busy > 0) look(tcp);
}

void bb_modbus_tcp_forget(bb_modbus_tcp *tcp) {
  if (tcp->patient) end_patience(tcp);
  tcp->calm = 0;
}
