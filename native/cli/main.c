/* SPDX-License-Identifier: Apache-2.0 */
/* The executable: finds the subcommand and hands over to it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"

typedef int (*command_run)(int argc, char **argv);

static int run_help(int argc, char **argv);
static int run_version(int argc, char **argv);

static const struct {
  const char *name;
  const char *summary;
  command_run run;
} commands[] = {
    {"run", "poll the devices and deliver to the sinks", bb_cli_run},
    {"check", "find the mistakes of a config document", bb_cli_check},
    {"probe", "read a device once and show what it said", bb_cli_probe},
    {"store", "show and change what waits on the disk for sinks", bb_cli_store},
    {"profiles", "list the device profiles, or the points of one", bb_cli_profiles},
    {"reference", "print every key of a config document or profile", bb_cli_reference},
    {"sim", "simulate Modbus devices", bb_cli_sim},
    {"version", "print the version", run_version},
    {"help", "print this text", run_help},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out) {
  fputs("Usage: busbar COMMAND [ARGUMENTS]\n\n"
        "The data plane of Node-RED at the energy edge: meters in, MQTT and InfluxDB out.\n\n",
        out);
  for (size_t i = 0; i < N_COMMANDS; i++) {
    fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
  }
  fputs("\nbusbar COMMAND --help tells more about one of them.\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.\n",
        out);
}

static int run_help(int argc, char **argv) {
  (void)argc;
  (void)argv;
  print_help(stdout);
  return BB_EXIT_DONE;
}

static int run_version(int argc, char **argv) {
  (void)argc;
  (void)argv;
  puts(BB_VERSION);
  return BB_EXIT_DONE;
}

static command_run find(const char *name) {
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) return run_help;
  if (strcmp(name, "--version") == 0) return run_version;
  for (size_t i = 0; i < N_COMMANDS; i++) {
    if (strcmp(name, commands[i].name) == 0) return commands[i].run;
  }
  return NULL;
}

static int refuse(const char *name) {
  const char *names[N_COMMANDS];
  for (size_t i = 0; i < N_COMMANDS; i++) names[i] = commands[i].name;
  char ask[BB_TEXT_ASK];
  const char *near = bb_text_nearest(name, names, N_COMMANDS);
  fprintf(stderr, "busbar: there is no command %s%s busbar --help lists them\n", name,
          bb_text_ask(ask, near, ";"));
  return BB_EXIT_USAGE;
}

int main(int argc, char **argv) {
  /* A name lookup that hangs holds a thread of libuv's pool, and of its four others are soon in
   * need. A peer that goes away while we write is an error code, not the end of the process. */
  setenv("UV_THREADPOOL_SIZE", "16", 0);
  signal(SIGPIPE, SIG_IGN);
  if (argc < 2) {
    print_help(stderr);
    return BB_EXIT_USAGE;
  }
  command_run run = find(argv[1]);
  return run != NULL ? run(argc - 1, argv + 1) : refuse(argv[1]);
}
