/* SPDX-License-Identifier: Apache-2.0 */
/* `busbar check`: finds every mistake of a config document, and opens nothing. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/load.h"

#define NAME "busbar check"

static const char usage[] =
    "Usage: busbar check CONFIG\n"
    "\n"
    "Reads a config document (YAML or JSON) and the profiles that it names, and tells every "
    "mistake\n"
    "as FILE:LINE: PATH: what is wrong; what is allowed. It connects to nothing.\n"
    "\n"
    "Example: busbar check site.yaml\n"
    "\n"
    "Exit codes: 0 no mistake; 1 failed; 2 mistakes, or wrong usage.\n";

static void print_count(const char *before, uint32_t n, const char *what) {
  printf("%s%u %s%s", before, n, what, n == 1 ? "" : "s");
}

static void print_summary(const char *path, const bb_config *config) {
  uint32_t n_points = 0, n_off = 0;
  for (uint32_t i = 0; i < config->n_devices; i++) {
    const bb_config_device *device = &config->devices[i];
    if (!device->enabled) n_off++;
    for (uint32_t k = 0; k < device->n_scans; k++) n_points += device->scans[k].n_points;
  }
  printf("%s: ok: ", path);
  print_count("", config->n_devices, "device");
  if (n_off > 0) printf(" (%u switched off)", n_off);
  print_count(", ", n_points, "point");
  print_count(", ", config->n_connections, "connection");
  print_count(", ", config->n_sinks, "sink");
  print_count(", ", config->n_routes, "route");
  putchar('\n');
}

int bb_cli_check(int argc, char **argv) {
  const char *path = NULL;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      fputs(usage, stdout);
      return BB_EXIT_DONE;
    }
    if (argv[i][0] == '-' && argv[i][1] != 0) {
      fprintf(stderr, NAME ": there is no option %s; " NAME " --help tells more\n", argv[i]);
      return BB_EXIT_USAGE;
    }
    if (path != NULL) {
      fprintf(stderr, NAME ": one config is enough: %s, not also %s\n", path, argv[i]);
      return BB_EXIT_USAGE;
    }
    path = argv[i];
  }
  if (path == NULL) {
    fputs(NAME ": which config is missing, such as site.yaml; " NAME " --help tells more\n",
          stderr);
    return BB_EXIT_USAGE;
  }
  bb_config *config;
  int code = bb_cli_load(&config, NAME, path);
  if (code != BB_EXIT_DONE) return code;
  print_summary(path, config);
  bb_config_unref(config);
  return BB_EXIT_DONE;
}
