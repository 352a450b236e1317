/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end for want of clients (--linger): a runtime that a client has spawned outlives it, so that a
 * crash or a restart of Node-RED leaves no gap, but not for ever. The clock runs from the start until
 * a client says hello, and again from when the client that applied has left.
 */
#include "base/text.h"
#include "cli/run.h"

#define FIRST_MS 10000 /* for who spawned it to connect, however short the time is else */

static void on_over(uv_timer_t *timer) {
  bb_run_process *run = timer->data;
  char time[32];
  uint64_t ms = run->options.linger_ms;
  if (run->was_attended && ms == 0) {
    bb_log_info(&run->log, NULL, "its client has left (--linger 0): it ends");
  } else {
    if (!run->was_attended && ms == 0) ms = FIRST_MS;
    bb_log_info(&run->log, NULL, "no client has %s for %s (--linger): it ends",
                run->was_attended ? "come back" : "connected",
                bb_text_show_ms(time, sizeof(time), ms));
  }
  bb_run_stop(run);
}

void bb_run_linger_init(bb_run_process *run) {
  const bb_run_options *options = &run->options;
  uv_timer_init(&run->loop, &run->linger);
  run->linger.data = run;
  if (!options->lingers) return;
  uv_timer_start(&run->linger, on_over, options->linger_ms > 0 ? options->linger_ms : FIRST_MS, 0);
}

static void ignore_close(uv_handle_t *handle) {
  (void)handle;
}

void bb_run_linger_close(bb_run_process *run) {
  uv_close((uv_handle_t *)&run->linger, ignore_close);
}

void bb_run_attended(bb_socket *socket, bool attended) {
  bb_run_process *run = socket->user;
  char time[32];
  if (!run->options.lingers || run->stopping) return;
  if (attended) {
    run->was_attended = true;
    uv_timer_stop(&run->linger);
  } else if (!uv_is_active((uv_handle_t *)&run->linger)) {
    uv_timer_start(&run->linger, on_over, run->options.linger_ms, 0);
    bb_log_debug(&run->log, NULL, "its client has left; unless one comes, it ends in %s",
                 bb_text_show_ms(time, sizeof(time), run->options.linger_ms));
  }
}
