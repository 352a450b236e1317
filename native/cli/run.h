/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `busbar run`, for its files:
 *
 *   run          its life, from the data directory to the last handle
 *   run_options  the command line
 *   run_config   the config, at the start and on SIGHUP
 *   run_linger   the end for want of clients
 *   run_mend     what the disk did not let it do is tried again
 */
#ifndef BB_CLI_RUN_H
#define BB_CLI_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/limits.h"
#include "base/log.h"
#include "runtime/health.h"
#include "runtime/lifeline.h"
#include "runtime/notify.h"
#include "runtime/place.h"
#include "runtime/runtime.h"
#include "runtime/secrets.h"
#include "runtime/socket.h"

#define BB_RUN_SIGNALS 3

typedef struct bb_run_options {
  const char *config_path; /* NULL: from the data directory */
  char data[BB_MAX_PATH];
  const char *data_source; /* what named it: "--data", "BUSBAR_DATA"; NULL: it is the usual one */
  const char *log_path;    /* NULL: stderr */
  bool lingers;
  uint64_t linger_ms;
  int socket_mode;          /* unless the document says: place in bb_socket_modes */
  const char *socket_group; /* NULL: the process's own */
} bb_run_options;

typedef struct bb_run_process {
  bb_run_options options;
  uv_loop_t loop;
  bb_log log;
  bb_log_file log_file;
  bb_place place;
  bb_runtime runtime;
  bb_socket socket;
  bb_health health;
  bb_secrets secrets;
  bb_lifeline lifeline;
  bb_notify notify;
  uv_signal_t signals[BB_RUN_SIGNALS];
  uv_timer_t give_up;
  uv_timer_t linger;
  uv_timer_t mend;
  bool was_attended; /* a client has been there */
  bool has_socket, stopping;
  int socket_mode;       /* as it is */
  char socket_group[65]; /* "": the process's own */
} bb_run_process;

/* run.c: begins the ordered end. */
void bb_run_stop(bb_run_process *run);

/* Listens where bb_place has found a place. */
void bb_run_open_socket(bb_run_process *run);

/* run_options.c: 0; or what the process exits with, plus one, after it was told. */
int bb_run_options_read(bb_run_options *options, int argc, char **argv);

/* run_config.c */

/* The config from the file, or the document that was applied last. 0; or a code, with all that is
 * wrong in the log: BB_ERR_NOTFOUND (no file was named and nothing was applied before),
 * BB_ERR_CONFIG (it has mistakes, or its file cannot be read), ... */
int bb_run_read_config(bb_run_process *run, bb_config **out);
void bb_run_take_config(bb_run_process *run, bb_config *config);

/* Listens for scrapes where the config says so. */
void bb_run_serve_metrics(bb_run_process *run, const bb_config *config);

/* The address that is served; NULL: none. */
const char *bb_run_metrics(const bb_run_process *run);

/* Lets those connect whom the config, or else the command line, names; NULL: before there is one. */
void bb_run_share_socket(bb_run_process *run, const bb_config *config);

/* SIGHUP */
void bb_run_reload(bb_run_process *run);

/* run_linger.c */

/* The clock runs from here on, if there is one. */
void bb_run_linger_init(bb_run_process *run);
void bb_run_linger_close(bb_run_process *run);

/* As bb_socket.on_attended. */
void bb_run_attended(bb_socket *socket, bool attended);

/* run_mend.c */
void bb_run_mend_init(bb_run_process *run);
void bb_run_mend_close(bb_run_process *run);

#endif
