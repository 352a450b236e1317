/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `busbar run`: the runtime as a process. Opens the data directory, the control socket and the
 * metrics address, applies the config, and ends in order on SIGTERM and SIGINT. SIGHUP reads the
 * config again.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "cli/cli.h"
#include "io/error.h"
#include "io/low_fd.h"
#include "runtime/health.h"
#include "runtime/place.h"
#include "runtime/runtime.h"
#include "runtime/socket.h"

#define NAME "busbar run"
#define DRAIN_MS 3000      /* what the sinks have to send the rest */
#define GIVE_UP_MS 4800    /* after which the process ends anyway */
#define LOW_DESCRIPTORS 16 /* kept for serial lines */
#define N_SIGNALS 3

static const char usage[] =
    "Usage: busbar run [CONFIG] [--data DIR]\n"
    "\n"
    "Polls the devices of CONFIG (YAML or JSON) and delivers to its sinks, until SIGTERM or\n"
    "SIGINT. SIGHUP reads CONFIG again and changes what differs. Without CONFIG it starts from\n"
    "the document that was applied last through the control socket.\n"
    "\n"
    "  --data DIR   where the lock, the control socket and what must be kept lie; one runtime a\n"
    "               directory. Default: BUSBAR_DATA, else STATE_DIRECTORY, else\n"
    "               ~/.local/state/busbar\n"
    "\n"
    "The log goes to stderr. /metrics, /healthz and /readyz answer on 127.0.0.1:9464 unless\n"
    "the config says otherwise.\n"
    "\n"
    "Example: busbar run site.yaml --data /var/lib/busbar\n"
    "\n"
    "Exit codes: 0 ended in order; 1 failed; 2 mistakes in the config, or wrong usage.\n";

typedef struct {
  const char *config_path; /* NULL: from the data directory */
  char data[BB_MAX_PATH];
  uv_loop_t loop;
  bb_log log;
  bb_place place;
  bb_runtime runtime;
  bb_socket socket;
  bb_health health;
  uv_signal_t signals[N_SIGNALS];
  uv_timer_t give_up;
  bool has_socket, stopping;
} process;

static void report_mistakes(bb_log *log, const bb_report *report) {
  for (uint32_t i = 0; i < report->n; i++) {
    const bb_mistake *mistake = &report->mistakes[i];
    char line[16] = "";
    if (mistake->line > 0) snprintf(line, sizeof(line), ":%u", mistake->line);
    bb_log_error(log, NULL, "%s%s: %s%s%s", mistake->file, line, mistake->path,
                 mistake->path[0] != 0 ? ": " : "", mistake->text);
  }
}

/* The config from the file, or the document that was applied last. */
static int read_config(process *self, bb_config **out) {
  bb_report report;
  bb_buf text;
  int err;
  *out = NULL;
  bb_report_init(&report);
  bb_buf_init(&text, BB_MAX_DOC_BYTES);
  if (self->config_path != NULL) {
    err = bb_config_load(out, self->config_path, self->runtime.kinds, &report);
  } else {
    err = bb_place_load_document(&self->place, &text);
    if (err == 0) {
      err = bb_config_parse(out, "last document", (const char *)text.bytes, text.len,
                            self->runtime.kinds, &report);
    }
  }
  report_mistakes(&self->log, &report);
  bb_buf_close(&text);
  bb_report_close(&report);
  return err;
}

static void serve_metrics(process *self, const bb_config *config) {
  bb_health_listen(&self->health, config->runtime.metrics);
  bb_place_record(&self->place, self->health.address[0] != 0 ? self->health.address : NULL);
}

static void take_config(process *self, bb_config *config) {
  self->socket.file_owned = self->config_path != NULL && config->runtime.owner == BB_OWNER_FILE;
  serve_metrics(self, config);
  bb_runtime_apply(&self->runtime, config);
}

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
  process *self = runtime->user;
  if (self->has_socket) bb_socket_close(&self->socket, on_socket_closed);
  bb_health_close(&self->health, on_health_closed);
  for (int i = 0; i < N_SIGNALS; i++) uv_close((uv_handle_t *)&self->signals[i], ignore_close);
}

/* Whatever still hangs, a peer or a driver, the process ends in time. */
static void on_give_up(uv_timer_t *timer) {
  process *self = timer->data;
  bb_log_warn(&self->log, NULL, "some connections did not close in time; ending without them");
  bb_place_close(&self->place);
  _exit(BB_EXIT_DONE);
}

static void stop(process *self) {
  if (self->stopping) return;
  self->stopping = true;
  bb_log_info(&self->log, NULL, "stopping");
  uv_timer_start(&self->give_up, on_give_up, GIVE_UP_MS, 0);
  uv_unref((uv_handle_t *)&self->give_up); /* open to the end: a lookup may outlive all else */
  bb_runtime_stop(&self->runtime, DRAIN_MS, on_stopped);
}

static void reload(process *self) {
  bb_config *config;
  if (self->config_path == NULL) {
    bb_log_warn(&self->log, NULL, "SIGHUP: there is no config file to be read again");
  } else if (read_config(self, &config) == 0) {
    take_config(self, config);
  } else {
    bb_log_error(&self->log, NULL, "%s has mistakes; the former config goes on", self->config_path);
  }
}

static void on_signal(uv_signal_t *handle, int number) {
  process *self = handle->data;
  if (number != SIGHUP) {
    stop(self);
  } else if (!self->stopping) {
    reload(self);
  }
}

static void on_stop_request(bb_socket *socket) {
  stop(socket->user);
}

static int on_applied_text(bb_socket *socket, const char *text, size_t len) {
  process *self = socket->user;
  if (self->runtime.next != NULL || self->runtime.config != NULL) {
    const bb_config *config =
        self->runtime.next != NULL ? self->runtime.next : self->runtime.config;
    serve_metrics(self, config);
  }
  int kept = bb_place_save_document(&self->place, text, len);
  return kept == 0 ? UV_EROFS : kept < 0 ? kept : 0;
}

/* --- the beginning --- */

static void open_socket(process *self) {
  self->socket = (bb_socket){.runtime = &self->runtime,
                             .path = self->place.socket,
                             .file_owned = self->config_path != NULL,
                             .user = self,
                             .on_applied_text = on_applied_text,
                             .on_stop = on_stop_request};
  int err = self->place.socket[0] != 0 ? bb_socket_init(&self->socket) : BB_ERR_NOTFOUND;
  self->has_socket = err == 0;
  if (err < 0) {
    bb_log_warn(&self->log, NULL,
                "no control socket at %s: %s; polling goes on, but no client can connect",
                self->place.socket, bb_error_text(err));
  }
}

static void watch_signals(process *self) {
  static const int numbers[N_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
  for (int i = 0; i < N_SIGNALS; i++) {
    uv_signal_init(&self->loop, &self->signals[i]);
    self->signals[i].data = self;
    uv_signal_start(&self->signals[i], on_signal, numbers[i]);
  }
  uv_timer_init(&self->loop, &self->give_up);
  self->give_up.data = self;
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

static int start(process *self) {
  char why[BB_PLACE_TEXT];
  bb_config *config = NULL;
  int err = bb_place_open(&self->place, self->data, &self->log, why, sizeof(why));
  if (err < 0) {
    bb_log_error(&self->log, NULL, "%s", why);
    return BB_EXIT_FAILED;
  }
  err = read_config(self, &config);
  if (err < 0 && !(self->config_path == NULL && err == BB_ERR_NOTFOUND)) {
    bb_place_close(&self->place);
    return err == BB_ERR_CONFIG ? BB_EXIT_USAGE : BB_EXIT_FAILED;
  }
  if (config != NULL) {
    self->log.level = (bb_log_level)config->runtime.log_level;
    self->log.json = config->runtime.log_format == 1;
  }
  self->runtime.data_dir = self->place.writable ? self->place.dir : NULL;
  self->runtime.boot = self->place.boot;
  err = bb_runtime_init(&self->runtime);
  if (err < 0) return BB_EXIT_FAILED;
  bb_health_init(&self->health, &self->runtime);
  watch_signals(self);
  open_socket(self);
  bb_log_info(&self->log, NULL, "busbar " BB_VERSION ", data in %s", self->place.dir);
  if (config != NULL) {
    take_config(self, config);
  } else {
    bb_health_listen(&self->health, "127.0.0.1:9464");
    bb_place_record(&self->place, self->health.address);
    bb_log_info(
        &self->log, NULL,
        "no config was given and none was applied before: name one (busbar run site.yaml), or "
        "apply one through the control socket");
  }
  return BB_EXIT_DONE;
}

static int run(process *self) {
  prepare_process();
  bb_log_init(&self->log, STDERR_FILENO);
  uv_loop_init(&self->loop);
  self->runtime.loop = &self->loop;
  self->runtime.log = &self->log;
  self->runtime.kinds = &bb_kinds_all;
  self->runtime.user = self;
  int code = start(self);
  if (code != BB_EXIT_DONE) return code;
  uv_run(&self->loop, UV_RUN_DEFAULT);
  uv_close((uv_handle_t *)&self->give_up, ignore_close);
  uv_run(&self->loop, UV_RUN_DEFAULT);
  uv_loop_close(&self->loop);
  bb_place_close(&self->place);
  bb_log_info(&self->log, NULL, "stopped");
  return BB_EXIT_DONE;
}

static void default_data(char *out, size_t cap) {
  const char *dir = getenv("BUSBAR_DATA"), *home = getenv("HOME");
  if (dir == NULL || dir[0] == 0) dir = getenv("STATE_DIRECTORY");
  if (dir != NULL && dir[0] != 0) {
    snprintf(out, cap, "%s", dir);
  } else {
    snprintf(out, cap, "%s/.local/state/busbar", home != NULL && home[0] != 0 ? home : "/var/lib");
  }
}

int bb_cli_run(int argc, char **argv) {
  static process self; /* large, and the loop's handles may not move */
  default_data(self.data, sizeof(self.data));
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      fputs(usage, stdout);
      return BB_EXIT_DONE;
    }
    if (strcmp(argv[i], "--data") == 0) {
      if (i + 1 == argc) {
        fputs(NAME ": --data needs a directory, such as --data /var/lib/busbar\n", stderr);
        return BB_EXIT_USAGE;
      }
      snprintf(self.data, sizeof(self.data), "%s", argv[++i]);
    } else if (argv[i][0] == '-') {
      fprintf(stderr, NAME ": there is no option %s; " NAME " --help tells more\n", argv[i]);
      return BB_EXIT_USAGE;
    } else if (self.config_path != NULL) {
      fprintf(stderr, NAME ": one config is enough: %s, not also %s\n", self.config_path, argv[i]);
      return BB_EXIT_USAGE;
    } else {
      self.config_path = argv[i];
    }
  }
  return run(&self);
}
