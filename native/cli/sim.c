/* SPDX-License-Identifier: Apache-2.0 */
/* `busbar sim`: simulated Modbus devices until it is told to end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/sim_options.h"
#include "io/bundled.h"
#include "io/error.h"
#include "runtime/profile_list.h"
#include "sim/console.h"
#include "sim/server.h"

#define NAME BB_SIM_NAME

typedef struct {
  bb_sim sim;
  bb_sim_console console;
  uv_signal_t signals[2];
} simulator;

/* 0, or a negative code after its sentence. */
static int load_profile(bb_profile **out, const char *name) {
  char path[BB_MAX_PATH];
  const char *id = strcmp(name, "pm500") == 0 ? "rockwell/powermonitor-500" : name;
  bool bundled = bb_bundled_profile(id, path, sizeof(path)) == 0;
  if (!bundled && access(id, F_OK) != 0) {
    if (bb_profile_suggest(id, path, sizeof(path))) {
      fprintf(stderr, NAME ": there is no profile %s; did you mean %s?\n", id, path);
    } else {
      fprintf(stderr,
              NAME
              ": there is no profile %s; `busbar profiles` lists the bundled ones, and the path "
              "of a file will do\n",
              id);
    }
    return BB_ERR_NOTFOUND;
  }
  bb_report report;
  bb_report_init(&report);
  int err = bb_profile_load(out, bundled ? path : id, &report);
  if (err < 0) {
    bb_buf text;
    bb_buf_init(&text, 1u << 20);
    bb_report_sort(&report);
    bb_report_print(&report, &text);
    fputs(bb_buf_string(&text), stderr);
    if (bb_report_ok(&report)) fprintf(stderr, NAME ": %s: %s\n", id, bb_error_text(err));
    bb_buf_close(&text);
  }
  bb_report_close(&report);
  return err;
}

/* Each device and each client is a descriptor. */
static void raise_descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void fill_config(bb_sim_config *config, const bb_profile *profile, const bb_sim_options *o) {
  bb_sim_config_init(config, profile);
  config->host = o->host;
  config->first_port = (uint16_t)o->port;
  config->n_ports = o->count;
  config->first_unit = (uint8_t)o->first_unit;
  config->n_units = o->last_unit - o->first_unit + 1;
  config->rtu = o->rtu;
  config->delay_min_ms = o->delay_min_ms;
  config->delay_max_ms = o->delay_max_ms;
  if (o->clients_given) config->max_clients = o->clients;
  config->ignore_more = o->ignore_more;
  config->max_requests = o->max_requests;
  config->registers.strict_gaps = o->strict_gaps;
  config->seed = o->seed;
}

static void on_sim_closed(bb_sim *sim) {
  (void)sim;
}

static void stop(simulator *s) {
  bb_sim_console_close(&s->console);
  for (size_t i = 0; i < 2; i++) {
    uv_handle_t *handle = (uv_handle_t *)&s->signals[i];
    if (handle->data != NULL && !uv_is_closing(handle)) uv_close(handle, NULL);
  }
  bb_sim_close(&s->sim, on_sim_closed);
}

static void on_signal(uv_signal_t *handle, int number) {
  (void)number;
  stop(handle->data);
}

static void on_quit(bb_sim_console *console) {
  stop(console->user);
}

static int watch_signals(simulator *s, uv_loop_t *loop) {
  static const int numbers[] = {SIGINT, SIGTERM};
  int err = 0;
  for (size_t i = 0; err == 0 && i < 2; i++) {
    err = uv_signal_init(loop, &s->signals[i]);
    if (err < 0) break;
    s->signals[i].data = s;
    err = uv_signal_start(&s->signals[i], on_signal, numbers[i]);
  }
  return err;
}

/* Faults of the command line; a wrong one is found here, before anybody is served. */
static int add_faults(bb_sim *sim, const bb_sim_options *o) {
  for (uint32_t i = 0; i < o->n_faults; i++) {
    bb_fault fault;
    char why[256] = "there are too many";
    int err = bb_fault_parse(&fault, o->faults[i], why, sizeof(why));
    if (err == 0) err = bb_sim_fault(sim, &fault);
    if (err == 0) continue;
    fprintf(stderr, NAME ": --fault \"%s\": %s\n", o->faults[i], why);
    return BB_EXIT_USAGE;
  }
  return BB_EXIT_DONE;
}

static void print_ports(const bb_sim *sim) {
  bool v6 = strchr(sim->config.host, ':') != NULL;
  for (uint32_t i = 0; i < sim->config.n_ports; i++) {
    const bb_sim_port *port = &sim->ports[i];
    for (uint32_t k = 0; k < sim->config.n_units; k++) {
      printf("listening %s%s%s:%u %s unit %u\n", v6 ? "[" : "", sim->config.host, v6 ? "]" : "",
             port->number, sim->config.profile->id, port->devices[k].unit);
    }
  }
  fflush(stdout);
}

static int open_all(simulator *s, uv_loop_t *loop, const bb_sim_config *config,
                    const bb_sim_options *o) {
  uint16_t bad_port = 0;
  int err = bb_sim_open(&s->sim, loop, config, &bad_port);
  if (err < 0) {
    fprintf(stderr, NAME ": cannot listen on %s port %u: %s\n", o->host, bad_port,
            bb_error_text(err));
    return BB_EXIT_FAILED;
  }
  int code = add_faults(&s->sim, o);
  if (code != BB_EXIT_DONE) return code;
  s->console.user = s;
  err = watch_signals(s, loop);
  if (err == 0) err = bb_sim_console_open(&s->console, &s->sim, on_quit);
  if (err == 0) return BB_EXIT_DONE;
  fprintf(stderr, NAME ": cannot start: %s\n", bb_error_text(err));
  return BB_EXIT_FAILED;
}

int bb_cli_sim(int argc, char **argv) {
  bb_sim_options o;
  int code = bb_sim_options_parse(&o, argc, argv);
  if (code != BB_EXIT_DONE) return code;
  if (o.help) {
    bb_sim_options_help();
    return BB_EXIT_DONE;
  }
  bb_profile *profile;
  int err = load_profile(&profile, o.profile);
  if (err < 0) return err == BB_ERR_NOMEM ? BB_EXIT_FAILED : BB_EXIT_USAGE;
  simulator *s = calloc(1, sizeof(*s));
  uv_loop_t loop;
  bb_sim_config config;
  fill_config(&config, profile, &o);
  raise_descriptors();
  /* In the background of a terminal there are no commands, which is no reason to be stopped. */
  signal(SIGTTIN, SIG_IGN);
  if (s == NULL || uv_loop_init(&loop) < 0) {
    fprintf(stderr, NAME ": %s\n", bb_err_text(BB_ERR_NOMEM));
    free(s);
    bb_profile_unref(profile);
    return BB_EXIT_FAILED;
  }
  code = open_all(s, &loop, &config, &o);
  if (code == BB_EXIT_DONE) {
    print_ports(&s->sim);
  } else {
    stop(s);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
  free(s);
  bb_profile_unref(profile);
  return code;
}
