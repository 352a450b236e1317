/* SPDX-License-Identifier: Apache-2.0 */
/* `busbar probe`: reads a device once and shows what it said. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "cli/probe_hint.h"
#include "cli/probe_orders.h"
#include "cli/probe_read.h"
#include "cli/probe_table.h"

#define NAME "busbar probe"
#define MAX_TIMEOUT_MS 600000u

static const char usage[] =
    "Usage: busbar probe CONFIG DEVICE [OPTIONS]\n"
    "\n"
    "Reads all points of a device once and prints them as a table: point, value, unit, quality "
    "and\n"
    "the bytes as they came. Nothing is written or sent on. Many meters take one client only: stop "
    "a\n"
    "runtime that polls the same device first.\n"
    "\n"
    "  --orders        show the numbers of more than one register in all four word orders too,\n"
    "                  beside their bytes, as wide as the terminal (elsewhere 80, or COLUMNS)\n"
    "  --scan NAME     only the points of that scan\n"
    "  --timeout TIME  how long to wait for the connection and an answer (default: 5s)\n"
    "\n"
    "Example: busbar probe site.yaml meter-1 --orders\n"
    "\n"
    "Exit codes: 0 the device answered; 1 it did not; 2 wrong usage or config.\n";

typedef struct {
  const char *config, *device, *scan;
  uint32_t timeout_ms;
  bool orders, help;
} options;

static const struct option names[] = {
    {"orders", no_argument, NULL, 'o'},
    {"scan", required_argument, NULL, 's'},
    {"timeout", required_argument, NULL, 't'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int wrong_option(const char *given) {
  static const char *const known[] = {"--orders", "--scan", "--timeout", "--help"};
  char ask[BB_TEXT_ASK];
  const char *near = bb_text_nearest(given, known, 4);
  fprintf(stderr, NAME ": there is no option %s%s " NAME " --help lists them\n", given,
          bb_text_ask(ask, near, ";"));
  return BB_EXIT_USAGE;
}

static int take_timeout(options *o, const char *text) {
  uint64_t ms;
  if (bb_text_duration_ms(text, &ms) < 0 || ms < 10 || ms > MAX_TIMEOUT_MS) {
    fprintf(stderr, NAME ": --timeout: %s is not possible; allowed: a time from 10ms to 10min\n",
            text);
    return BB_EXIT_USAGE;
  }
  o->timeout_ms = (uint32_t)ms;
  return BB_EXIT_DONE;
}

static int take_word(options *o, const char *word) {
  if (o->config == NULL) {
    o->config = word;
  } else if (o->device == NULL) {
    o->device = word;
  } else {
    fprintf(stderr, NAME ": one device is enough: %s, not also %s\n", o->device, word);
    return BB_EXIT_USAGE;
  }
  return BB_EXIT_DONE;
}

static int parse(options *o, int argc, char **argv) {
  int code = BB_EXIT_DONE;
  *o = (options){.timeout_ms = 5000};
  opterr = 0;
  while (code == BB_EXIT_DONE) {
    int at = optind, name = getopt_long(argc, argv, "-:h", names, NULL);
    if (name == -1) break;
    if (name == '?') return wrong_option(argv[at]);
    if (name == ':') {
      fprintf(stderr, NAME ": %s needs an argument\n", argv[at]);
      return BB_EXIT_USAGE;
    }
    if (name == 'o') o->orders = true;
    if (name == 's') o->scan = optarg;
    if (name == 't') code = take_timeout(o, optarg);
    if (name == 'h') o->help = true;
    if (name == 1) code = take_word(o, optarg);
  }
  while (code == BB_EXIT_DONE && optind < argc) code = take_word(o, argv[optind++]);
  if (code != BB_EXIT_DONE || o->help || o->device != NULL) return code;
  fprintf(stderr, NAME ": which %s is missing; " NAME " --help tells more\n",
          o->config == NULL ? "config" : "device");
  return BB_EXIT_USAGE;
}

static int find_device(const bb_config *config, const options *o, const bb_config_device **out) {
  const char **ids = calloc(config->n_devices + (size_t)1, sizeof(*ids));
  *out = NULL;
  if (ids == NULL) return BB_EXIT_FAILED;
  for (uint32_t i = 0; i < config->n_devices; i++) {
    ids[i] = config->devices[i].id;
    if (strcmp(ids[i], o->device) == 0) *out = &config->devices[i];
  }
  char ask[BB_TEXT_ASK];
  const char *near = bb_text_nearest(o->device, ids, config->n_devices);
  free(ids);
  if (*out == NULL) {
    fprintf(stderr, NAME ": there is no device %s in %s%s\n", o->device, o->config,
            bb_text_ask(ask, near, ""));
    return BB_EXIT_USAGE;
  }
  if ((*out)->profile == NULL || (*out)->connection == NULL) {
    fprintf(stderr, NAME ": %s cannot be asked: it sends its points by itself\n", o->device);
    return BB_EXIT_USAGE;
  }
  return BB_EXIT_DONE;
}

/* The points of the chosen scan, or all. */
static int choose(const bb_profile *profile, const options *o, uint16_t *points, uint16_t *n) {
  const char *scans[BB_MAX_SCANS];
  uint32_t scan = 0;
  for (uint32_t i = 0; i < profile->n_scans; i++) scans[i] = profile->scans[i].name;
  while (o->scan != NULL && scan < profile->n_scans && strcmp(scans[scan], o->scan) != 0) scan++;
  if (scan == profile->n_scans) {
    char ask[BB_TEXT_ASK];
    const char *near = bb_text_nearest(o->scan, scans, profile->n_scans);
    fprintf(stderr, NAME ": profile %s has no scan %s%s allowed:", profile->id, o->scan,
            bb_text_ask(ask, near, ";"));
    for (uint32_t i = 0; i < profile->n_scans; i++) fprintf(stderr, " %s", scans[i]);
    fputc('\n', stderr);
    return BB_EXIT_USAGE;
  }
  *n = 0;
  for (uint32_t i = 0; i < profile->n_points; i++) {
    if (o->scan == NULL || profile->points[i].scan == scan) points[(*n)++] = (uint16_t)i;
  }
  if (*n > 0) return BB_EXIT_DONE;
  fprintf(stderr, NAME ": scan %s of profile %s has no points\n", o->scan, profile->id);
  return BB_EXIT_USAGE;
}

/* Why there is no table, and what may be done. */
static void explain(const bb_probe *probe) {
  int code = probe->reason.code;
  fprintf(stderr, NAME ": %s: ", probe->device->id);
  bb_probe_hint_silence(probe, stderr);
  if (code == BB_ERR_CLOSED || code == UV_ECONNREFUSED || code == UV_ECONNRESET) {
    fputs("Many meters take one client only: if a runtime polls this one, stop that first.\n",
          stderr);
  }
}

static int print(const bb_probe *probe, const options *o) {
  int err = bb_probe_table_print(probe, stdout);
  if (err == 0 && o->orders) {
    putchar('\n');
    err = bb_probe_orders_print(probe, bb_probe_orders_width(stdout), stdout);
  }
  fflush(stdout);
  if (err < 0) return BB_EXIT_FAILED;
  bb_probe_hint_points(probe, o->config, o->orders, stderr);
  return BB_EXIT_DONE;
}

static int run(const bb_config_device *device, const options *o) {
  uint16_t points[BB_MAX_POINTS];
  bb_probe *probe = calloc(1, sizeof(*probe));
  if (probe == NULL) return BB_EXIT_FAILED;
  probe->device = device;
  probe->points = points;
  probe->timeout_ms = o->timeout_ms;
  int code = choose(device->profile, o, points, &probe->n_points);
  if (code == BB_EXIT_DONE) {
    bb_probe_run(probe);
    code = BB_EXIT_FAILED;
    if (probe->answered) {
      code = print(probe, o);
    } else {
      explain(probe);
    }
    bb_probe_close(probe);
  }
  free(probe);
  return code;
}

int bb_cli_probe(int argc, char **argv) {
  options o;
  int code = parse(&o, argc, argv);
  if (code != BB_EXIT_DONE) return code;
  if (o.help) {
    fputs(usage, stdout);
    return BB_EXIT_DONE;
  }
  bb_config *config;
  const bb_config_device *device;
  code = bb_cli_load(&config, NAME, o.config);
  if (code != BB_EXIT_DONE) return code;
  code = find_device(config, &o, &device);
  if (code == BB_EXIT_DONE) code = run(device, &o);
  bb_config_unref(config);
  return code;
}
