/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `busbar run`: the runtime as a process. Opens the data directory, the control socket and the
 * metrics address, applies the config, and ends in order on SIGTERM and SIGINT. SIGHUP reads the
 * config again.
 */
#include "cli/run.h"

#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cli.h"
#include "io/error.h"
#include "io/low_fd.h"
#include "runtime/old_copies.h"

#define DRAIN_MS 3000      /* what the sinks have to send the rest */
#define GIVE_UP_MS 4800    /* after which the process ends anyway */
#define LOW_DESCRIPTORS 16 /* kept for serial lines */

/* --- the end --- */

static void ignore_close(uv_handle_t *handle) {
  (void)handle;
}

static void on_socket_closed(bb_socket *socket) {
  (void)socket;
}

static void on_health_closed(bb_health *health) {
  (void)health;
}

static void on_stopped(bb_runtime *runtime) {
  bb_run_process *run = runtime->user;
  if (run->has_socket) bb_socket_close(&run->socket, on_socket_closed);
  bb_health_close(&run->health, on_health_closed);
  bb_run_linger_close(run);
  bb_run_mend_close(run);
  bb_notify_close(&run->notify);
  for (int i = 0; i < BB_RUN_SIGNALS; i++) uv_close((uv_handle_t *)&run->signals[i], ignore_close);
}

/* Whatever still hangs, a peer or a driver, the process ends in time. */
static void on_give_up(uv_timer_t *timer) {
  bb_run_process *run = timer->data;
  bb_log_warn(&run->log, NULL, "some connections did not close in time; ending without them");
  bb_place_close(&run->place);
  _exit(BB_EXIT_DONE);
}

void bb_run_stop(bb_run_process *run) {
  if (run->stopping) return;
  run->stopping = true;
  bb_log_info(&run->log, NULL, "stopping");
  bb_notify_stopping(&run->notify);
  uv_timer_start(&run->give_up, on_give_up, GIVE_UP_MS, 0);
  uv_unref((uv_handle_t *)&run->give_up); /* open to the end: a lookup may outlive all else */
  bb_runtime_stop(&run->runtime, DRAIN_MS, on_stopped);
}

static void on_signal(uv_signal_t *handle, int number) {
  bb_run_process *run = handle->data;
  if (number != SIGHUP) {
    bb_run_stop(run);
  } else if (!run->stopping) {
    bb_run_reload(run);
  }
}

static void on_stop_request(bb_socket *socket) {
  bb_run_stop(socket->user);
}

static int on_applied_text(bb_socket *socket, const char *text, size_t len) {
  bb_run_process *run = socket->user;
  if (run->runtime.next != NULL || run->runtime.config != NULL) {
    const bb_config *config = run->runtime.next != NULL ? run->runtime.next : run->runtime.config;
    bb_run_serve_metrics(run, config);
    bb_run_share_socket(run, config);
  }
  int kept = bb_place_save_document(&run->place, text, len);
  return kept == 0 ? UV_EROFS : kept < 0 ? kept : 0;
}

/* --- the beginning --- */

void bb_run_open_socket(bb_run_process *run) {
  run->socket = (bb_socket){.runtime = &run->runtime,
                            .path = run->place.socket,
                            .file_owned = run->options.config_path != NULL,
                            .user = run,
                            .on_applied_text = on_applied_text,
                            .on_stop = on_stop_request,
                            .on_attended = bb_run_attended,
                            .secrets = &run->secrets,
                            .data = run->place.dir,
                            .lifeline = &run->lifeline,
                            .lingers = run->options.lingers,
                            .linger_ms = run->options.linger_ms};
  int err = run->place.socket[0] != 0 ? bb_socket_init(&run->socket) : BB_ERR_NOTFOUND;
  run->has_socket = err == 0;
  if (err < 0) {
    bb_log_warn(&run->log, NULL,
                "no control socket at %s: %s; polling goes on, but no client can connect",
                run->place.socket, bb_error_text(err));
  }
  bb_run_share_socket(run, run->runtime.config);
}

static void watch_signals(bb_run_process *run) {
  static const int numbers[BB_RUN_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
  for (int i = 0; i < BB_RUN_SIGNALS; i++) {
    uv_signal_init(&run->loop, &run->signals[i]);
    run->signals[i].data = run;
    uv_signal_start(&run->signals[i], on_signal, numbers[i]);
  }
  uv_timer_init(&run->loop, &run->give_up);
  run->give_up.data = run;
}

/* Thousands of sockets need more descriptors than the usual 1,024; serial lines need low ones. */
static void prepare_process(void) {
  struct rlimit limit;
  bb_low_fd_reserve(LOW_DESCRIPTORS);
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  mallopt(M_ARENA_MAX, 2); /* a heap a thread would be memory for nothing */
}

/* Boxes that are alike have started as often, and would all try again at the same moment. */
static uint64_t make_seed(void) {
  uint64_t seed = 0;
  if (uv_random(NULL, NULL, &seed, sizeof(seed), 0, NULL) < 0) {
    seed = uv_hrtime() ^ (uint64_t)getpid() << 32;
  }
  return seed;
}

static int open_place(bb_run_process *run) {
  char why[BB_PLACE_TEXT];
  run->place.source = run->options.data_source;
  int err = bb_place_open(&run->place, run->options.data, &run->log, why, sizeof(why));
  if (err < 0) bb_log_error(&run->log, NULL, "%s", why);
  return err < 0 ? BB_EXIT_FAILED : BB_EXIT_DONE;
}

/* A file with mistakes leaves no trace on the disk; what was applied last lies in the place. */
static int open_place_and_config(bb_run_process *run, bb_config **config) {
  bool from_file = run->options.config_path != NULL;
  int err = from_file ? bb_run_read_config(run, config) : 0;
  if (err < 0) return err == BB_ERR_CONFIG ? BB_EXIT_USAGE : BB_EXIT_FAILED;
  int code = open_place(run);
  if (code != BB_EXIT_DONE) {
    bb_config_unref(*config);
    return code;
  }
  if (!from_file) err = bb_run_read_config(run, config);
  /* Whoever applied it can apply a better one only to a runtime that is there. */
  if (err < 0 && err != BB_ERR_NOTFOUND) {
    bb_log_error(&run->log, NULL,
                 "the document that was applied last cannot be used; starting without one until "
                 "another is applied");
  }
  return BB_EXIT_DONE;
}

static int start(bb_run_process *run) {
  bb_config *config = NULL;
  int err = open_place_and_config(run, &config);
  if (err != BB_EXIT_DONE) return err;
  if (config != NULL) {
    run->log.level = (bb_log_level)config->runtime.log_level;
    run->log.json = config->runtime.log_format == 1;
    bb_old_copies_remove(run->place.dir, config->tree.root, &run->log);
  }
  run->runtime.data_dir = run->place.dir;
  run->runtime.boot = run->place.boot;
  run->runtime.seed = make_seed();
  char store_why[BB_STORE_WHY];
  err = bb_runtime_init(&run->runtime, store_why);
  if (err < 0) {
    bb_log_error(&run->log, NULL, "%s", store_why[0] != 0 ? store_why : bb_error_text(err));
    return BB_EXIT_FAILED;
  }
  bb_health_init(&run->health, &run->runtime);
  run->secrets.dir = run->runtime.data_dir;
  run->secrets.log = &run->log;
  bb_secrets_init(&run->secrets);
  bb_lifeline_find(&run->lifeline, run->options.lingers);
  run->notify = (bb_notify){.loop = &run->loop, .log = &run->log, .ignored = run->options.lingers};
  bb_notify_init(&run->notify);
  watch_signals(run);
  bb_run_linger_init(run);
  bb_run_open_socket(run);
  bb_run_mend_init(run);
  bb_log_info(&run->log, NULL, "busbar " BB_VERSION ", data in %s", run->place.dir);
  if (config != NULL) {
    bb_run_take_config(run, config);
  } else {
    bb_place_record(&run->place, NULL); /* no document has said yet where metrics are served */
    bb_log_info(
        &run->log, NULL,
        "no config was given and none was applied before: name one (busbar run site.yaml), or "
        "apply one through the control socket");
  }
  bb_notify_ready(&run->notify);
  return BB_EXIT_DONE;
}

static int live(bb_run_process *run) {
  prepare_process();
  bb_log_init(&run->log, STDERR_FILENO);
  bb_log_file_init(&run->log_file, run->options.log_path);
  if (run->options.log_path != NULL) run->log.file = &run->log_file;
  uv_loop_init(&run->loop);
  run->runtime.loop = &run->loop;
  run->runtime.log = &run->log;
  run->runtime.kinds = &bb_kinds_all;
  run->runtime.user = run;
  int code = start(run);
  if (code != BB_EXIT_DONE) return code;
  uv_run(&run->loop, UV_RUN_DEFAULT);
  uv_close((uv_handle_t *)&run->give_up, ignore_close);
  uv_run(&run->loop, UV_RUN_DEFAULT);
  uv_loop_close(&run->loop);
  bb_secrets_close(&run->secrets);
  bb_place_close(&run->place);
  bb_log_info(&run->log, NULL, "stopped");
  bb_log_file_close(&run->log_file);
  return BB_EXIT_DONE;
}

int bb_cli_run(int argc, char **argv) {
  static bb_run_process run; /* large, and the loop's handles may not move */
  int told = bb_run_options_read(&run.options, argc, argv);
  return told > 0 ? told - 1 : live(&run);
}
