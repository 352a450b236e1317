/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `busbar run`; see run.h. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/data_dir.h"
#include "cli/run.h"
#include "runtime/socket_access.h"

#define NAME "busbar run"

static const char usage[] =
    "Usage: busbar run [CONFIG] [OPTIONS]\n"
    "\n"
    "Polls the devices of CONFIG (YAML or JSON) and delivers to its sinks, until SIGTERM or\n"
    "SIGINT. SIGHUP reads CONFIG again and changes what differs. Without CONFIG it starts from\n"
    "the document that was applied last through the control socket.\n"
    "\n"
    "  --data DIR         where the lock, the control socket and what must be kept lie; one\n"
    "                     runtime a directory. Default: BUSBAR_DATA, else STATE_DIRECTORY, else\n"
    "                     ~/.local/state/busbar\n"
    "  --log FILE         the log goes to FILE instead of stderr. At 5 MiB it becomes FILE.1, in\n"
    "                     place of the one before, and a new one is begun\n"
    "  --linger DURATION  for a runtime that a client has spawned: it ends by itself when the\n"
    "                     client that applied last has been gone for so long (15min), and no\n"
    "                     other one has come; or none has come since the start. 0: at once.\n"
    "                     Default: never\n"
    "  --socket-mode MODE who may connect to the control socket: 0600 this user (default), 0660\n"
    "                     the group too, 0666 every user of this machine\n"
    "  --socket-group NAME\n"
    "                     the group, where it is not that of the process. runtime.socket in the\n"
    "                     config takes the place of both\n"
    "\n"
    "/metrics, /healthz and /readyz answer on 127.0.0.1:9464 unless the config says otherwise;\n"
    "before there is a config, nowhere.\n"
    "\n"
    "Example: busbar run site.yaml --data /var/lib/busbar\n"
    "\n"
    "Exit codes: 0 ended in order; 1 failed; 2 mistakes in the config, or wrong usage.\n";

static bool read_linger(bb_run_options *options, const char *text) {
  options->lingers = true;
  options->linger_ms = 0;
  if (strcmp(text, "0") == 0 || bb_text_duration_ms(text, &options->linger_ms) == 0) return true;
  fprintf(stderr, NAME ": --linger %s is no duration; write it as 15min, 90s or 0\n", text);
  return false;
}

static bool read_mode(bb_run_options *options, const char *text) {
  for (int i = 0; bb_socket_modes[i] != NULL; i++) {
    options->socket_mode = i;
    if (strcmp(bb_socket_modes[i], text) == 0) return true;
  }
  fprintf(stderr, NAME ": --socket-mode %s is not possible; allowed: 0600, 0660, 0666\n", text);
  return false;
}

/* What stands behind the option; NULL, and told, when nothing does. */
static const char *value_of(char **argv, int argc, int *at, const char *example) {
  if (*at + 1 < argc) return argv[++*at];
  fprintf(stderr, NAME ": %s needs %s\n", argv[*at], example);
  return NULL;
}

/* Whether all was well. */
static bool read_one(bb_run_options *options, char **argv, int argc, int *at) {
  const char *arg = argv[*at], *value;
  if (strcmp(arg, "--data") == 0) {
    value = value_of(argv, argc, at, "a directory, such as --data /var/lib/busbar");
    if (value != NULL) snprintf(options->data, sizeof(options->data), "%s", value);
    options->data_source = arg;
    return value != NULL;
  }
  if (strcmp(arg, "--log") == 0) {
    value = value_of(argv, argc, at, "a file, such as --log /var/log/busbar.log");
    options->log_path = value;
    return value != NULL;
  }
  if (strcmp(arg, "--linger") == 0) {
    value = value_of(argv, argc, at, "a duration, such as --linger 15min");
    return value != NULL && read_linger(options, value);
  }
  if (strcmp(arg, "--socket-mode") == 0) {
    value = value_of(argv, argc, at, "a mode, such as --socket-mode 0660");
    return value != NULL && read_mode(options, value);
  }
  if (strcmp(arg, "--socket-group") == 0) {
    value = value_of(argv, argc, at, "a group, such as --socket-group busbar");
    options->socket_group = value;
    return value != NULL;
  }
  if (arg[0] == '-') {
    fprintf(stderr, NAME ": there is no option %s; " NAME " --help tells more\n", arg);
    return false;
  }
  if (options->config_path != NULL) {
    fprintf(stderr, NAME ": one config is enough: %s, not also %s\n", options->config_path, arg);
    return false;
  }
  options->config_path = arg;
  return true;
}

int bb_run_options_read(bb_run_options *options, int argc, char **argv) {
  options->data_source = bb_cli_data_dir(options->data, sizeof(options->data));
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      fputs(usage, stdout);
      return 1 + BB_EXIT_DONE;
    }
    if (!read_one(options, argv, argc, &i)) return 1 + BB_EXIT_USAGE;
  }
  if (options->socket_group != NULL && options->socket_mode == 0) {
    fprintf(stderr, NAME ": with the mode 0600 no group may connect; add --socket-mode 0660\n");
    return 1 + BB_EXIT_USAGE;
  }
  return 0;
}
