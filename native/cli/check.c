/* SPDX-License-Identifier: Apache-2.0 */
/* `busbar check`: finds every mistake of a config document, and opens nothing. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"
#include "io/error.h"
#include "runtime/config.h"

#define NAME "busbar check"
#define MAX_TEXT (4u << 20) /* of all mistakes */

static const char usage[] =
    "Usage: busbar check CONFIG\n"
    "\n"
    "Reads a config document (YAML or JSON) and the profiles that it names, and tells every "
    "mistake\n"
    "as FILE:LINE: PATH: what is wrong; what is allowed. Where there is none, it warns of what is\n"
    "allowed and hardly meant: FILE:LINE: PATH: warning: ... It connects to nothing.\n"
    "\n"
    "Example: busbar check site.yaml\n"
    "\n"
    "Exit codes: 0 no mistake, with or without warnings; 1 failed; 2 mistakes, or wrong usage.\n";

static void print_count(const char *before, uint32_t n, const char *what) {
  printf("%s%u %s%s", before, n, what, n == 1 ? "" : "s");
}

static void print_report(bb_report *report) {
  bb_buf text;
  bb_buf_init(&text, MAX_TEXT);
  bb_report_sort(report);
  bb_report_print(report, &text);
  fputs(bb_buf_string(&text), stderr);
  bb_buf_close(&text);
}

static void print_summary(const char *path, const bb_config *config, uint32_t n_warnings) {
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
  if (n_warnings > 0) print_count("; ", n_warnings, "warning");
  putchar('\n');
}

static int check(const char *path) {
  bb_report report;
  bb_config *config;
  bb_report_init(&report);
  report.wants_warnings = true;
  int err = bb_config_load(&config, path, &bb_kinds_all, &report);
  print_report(&report);
  if (err == 0) {
    print_summary(path, config, report.n_warnings + report.more_warnings);
  } else if (bb_report_ok(&report)) {
    fprintf(stderr, NAME ": %s: %s\n", path, bb_error_text(err));
  }
  bb_config_unref(config);
  bb_report_close(&report);
  if (err == 0) return BB_EXIT_DONE;
  return err == BB_ERR_NOMEM ? BB_EXIT_FAILED : BB_EXIT_USAGE;
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
  return check(path);
}
