/* SPDX-License-Identifier: Apache-2.0 */
/* See console.h. */
#include "sim/console.h"

#include <stdio.h>
#include <string.h>

#include "sim/command.h"

#define STDIN 0

static void run_line(bb_sim_console *console) {
  char answer[512];
  bool quit = bb_sim_command(console->sim, console->line, answer, sizeof(answer));
  puts(answer);
  fflush(stdout);
  if (!quit) return;
  bb_sim_console_close(console);
  console->on_quit(console);
}

static void take(bb_sim_console *console, char c) {
  if (c != '\n') {
    if (console->len == sizeof(console->line) - 1) {
      console->skipping = true;
    } else {
      console->line[console->len++] = c;
    }
    return;
  }
  console->line[console->len] = 0;
  console->len = 0;
  if (console->skipping) {
    puts("error: the line is too long");
    fflush(stdout);
  } else if (console->line[strspn(console->line, " \t\r")] != 0) {
    run_line(console);
  }
  console->skipping = false;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  bb_sim_console *console = handle->data;
  (void)suggested;
  *buf = uv_buf_init(console->bytes, sizeof(console->bytes));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  bb_sim_console *console = stream->data;
  if (n < 0) bb_sim_console_close(console);
  for (ssize_t i = 0; i < n && console->is_open; i++) take(console, buf->base[i]);
}

/* Makes the handle of the right kind. 1 if standard input can be read as a stream, else 0. */
static int open_input(bb_sim_console *console, uv_loop_t *loop) {
  int err = 0;
  switch (uv_guess_handle(STDIN)) {
  case UV_NAMED_PIPE:
    err = uv_pipe_init(loop, &console->input.pipe, 0);
    if (err == 0) console->is_open = true;
    if (err == 0) err = uv_pipe_open(&console->input.pipe, STDIN);
    break;
  case UV_TTY:
    err = uv_tty_init(loop, &console->input.tty, STDIN, 1);
    if (err == 0) console->is_open = true;
    break;
  case UV_TCP:
    err = uv_tcp_init(loop, &console->input.tcp);
    if (err == 0) console->is_open = true;
    if (err == 0) err = uv_tcp_open(&console->input.tcp, STDIN);
    break;
  default:
    return 0;
  }
  return err < 0 ? err : 1;
}

int bb_sim_console_open(bb_sim_console *console, bb_sim *sim, bb_sim_console_quit_cb on_quit) {
  *console = (bb_sim_console){.user = console->user, .sim = sim, .on_quit = on_quit};
  int err = open_input(console, sim->loop);
  if (err <= 0) return err;
  console->input.handle.data = console;
  return uv_read_start(&console->input.stream, on_alloc, on_read);
}

void bb_sim_console_close(bb_sim_console *console) {
  if (!console->is_open) return;
  console->is_open = false;
  uv_close(&console->input.handle, NULL);
}
