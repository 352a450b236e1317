/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands from standard input, answers on standard output, line by line in their order. Where
 * standard input is no stream (a file, /dev/null) there are no commands; its end is no command.
 */
#ifndef BB_SIM_CONSOLE_H
#define BB_SIM_CONSOLE_H

#include <stdbool.h>
#include <uv.h>

#include "sim/server.h"

#define BB_SIM_MAX_LINE 4096 /* what is longer is answered with an error */

typedef struct bb_sim_console bb_sim_console;

typedef void (*bb_sim_console_quit_cb)(bb_sim_console *console);

struct bb_sim_console {
  /* public */
  void *user;
  /* private */
  bb_sim *sim;
  bb_sim_console_quit_cb on_quit;
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tty_t tty;
    uv_tcp_t tcp;
  } input;
  bool is_open;
  bool skipping; /* the rest of a line that was too long */
  size_t len;
  char bytes[1024];
  char line[BB_SIM_MAX_LINE];
};

/* 0 or a code of libuv. on_quit comes when `quit` was read. */
int bb_sim_console_open(bb_sim_console *console, bb_sim *sim, bb_sim_console_quit_cb on_quit);

/* Harmless when it is not open. The memory may be reused once the loop has run. */
void bb_sim_console_close(bb_sim_console *console);

#endif
