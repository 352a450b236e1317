/* SPDX-License-Identifier: Apache-2.0 */
/* See sim_options.h. */
#include "cli/sim_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/limits.h"
#include "base/text.h"
#include "cli/cli.h"
#include "sim/command.h"
#include "sim/server.h"

static const char usage[] =
    "Usage: busbar sim PROFILE [OPTIONS]\n"
    "\n"
    "Simulates Modbus devices over TCP. Their values move like those of an electrical plant.\n"
    "PROFILE is the id of a bundled profile, a file, or pm500 for rockwell/powermonitor-500.\n"
    "\n"
    "  --count N              as many devices, each on a port of its own (default: 1)\n"
    "  --host ADDRESS         where they listen (default: 127.0.0.1)\n"
    "  --port P               the first port, the others follow; 0: free ones (default: 0)\n"
    "  --units A-B            each port is a gateway to these unit ids (default: one device, 1)\n"
    "  --delay TIME[-TIME]    how long an answer takes, such as 2ms-30ms (default: 0ms)\n"
    "  --clients N|any        connections to a port at the same time (default: the device's own\n"
    "                         limit where it is known, else any)\n"
    "  --second-client WHAT   refuse or ignore one client too many (default: refuse)\n"
    "  --max-requests N       of a connection at the same time, 1 to 16, more are answered with\n"
    "                         exception 6 (default: 16)\n"
    "  --strict-gaps          what no point uses cannot be read (default: gaps up to max_gap can)\n"
    "  --framing tcp|rtu      Modbus TCP, or RTU frames over TCP (default: tcp)\n"
    "  --seed N               which plants they are in (default: 1)\n"
    "  --fault SPEC           a fault from the start, as below without the word fault; repeatable\n"
    "\n"
    "For each device one line is printed when all listen:\n"
    "  listening 127.0.0.1:40123 rockwell/powermonitor-500 unit 1\n"
    "\n"
    "Commands are read from standard input, each is answered by a line: ok, or error: and why.\n";

static const char usage_end[] =
    "\nExit codes: 0 ended by quit, SIGINT or SIGTERM; 1 failed; 2 wrong usage or profile.\n";

static bool parse_whole(const char *text, uint64_t least, uint64_t most, uint64_t *out) {
  if (*text < '0' || *text > '9') return false;
  char *end;
  *out = strtoull(text, &end, 10);
  return *end == 0 && *out >= least && *out <= most;
}

static bool parse_u32(const char *text, uint32_t least, uint32_t most, uint32_t *out) {
  uint64_t value;
  if (!parse_whole(text, least, most, &value)) return false;
  *out = (uint32_t)value;
  return true;
}

/* "7" or "1-32". */
static bool parse_units(const char *text, bb_sim_options *o) {
  char first[8];
  size_t len = strcspn(text, "-");
  if (len >= sizeof(first)) return false;
  memcpy(first, text, len);
  first[len] = 0;
  if (!parse_u32(first, 1, BB_SIM_MAX_UNITS, &o->first_unit)) return false;
  const char *last = text[len] == '-' ? text + len + 1 : first;
  return parse_u32(last, o->first_unit, BB_SIM_MAX_UNITS, &o->last_unit);
}

static bool parse_delay(const char *text, bb_sim_options *o) {
  char first[32];
  uint64_t low, high;
  size_t len = strcspn(text, "-");
  if (len >= sizeof(first)) return false;
  memcpy(first, text, len);
  first[len] = 0;
  if (bb_text_duration_ms(first, &low) < 0) return false;
  high = low;
  if (text[len] == '-' && bb_text_duration_ms(text + len + 1, &high) < 0) return false;
  o->delay_min_ms = (uint32_t)low;
  o->delay_max_ms = (uint32_t)high;
  return low <= high && high <= BB_SIM_MAX_DELAY_MS;
}

static bool is_address(const char *text) {
  unsigned char bytes[16];
  return uv_inet_pton(AF_INET, text, bytes) == 0 || uv_inet_pton(AF_INET6, text, bytes) == 0;
}

static bool parse_choice(const char *text, const char *no, const char *yes, bool *out) {
  *out = strcmp(text, yes) == 0;
  return *out || strcmp(text, no) == 0;
}

static bool parse_clients(const char *text, bb_sim_options *o) {
  o->clients_given = true;
  o->clients = 0;
  return strcmp(text, "any") == 0 || parse_u32(text, 1, 10000, &o->clients);
}

enum {
  COUNT = 256,
  HOST,
  PORT,
  UNITS,
  DELAY,
  CLIENTS,
  SECOND,
  MAX_REQUESTS,
  STRICT,
  FRAMING,
  SEED,
  FAULT,
  HELP
};

static const struct option names[] = {
    {"count", required_argument, NULL, COUNT},
    {"host", required_argument, NULL, HOST},
    {"port", required_argument, NULL, PORT},
    {"units", required_argument, NULL, UNITS},
    {"delay", required_argument, NULL, DELAY},
    {"clients", required_argument, NULL, CLIENTS},
    {"second-client", required_argument, NULL, SECOND},
    {"max-requests", required_argument, NULL, MAX_REQUESTS},
    {"strict-gaps", no_argument, NULL, STRICT},
    {"framing", required_argument, NULL, FRAMING},
    {"seed", required_argument, NULL, SEED},
    {"fault", required_argument, NULL, FAULT},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

/* Takes one option. NULL, or what is allowed when its argument is wrong. */
static const char *take_option(bb_sim_options *o, int name, const char *text) {
  switch (name) {
  case COUNT:
    return parse_u32(text, 1, BB_SIM_MAX_PORTS, &o->count) ? NULL : "1 to 20000";
  case HOST:
    o->host = text;
    return is_address(text) ? NULL : "an address in numbers, such as 0.0.0.0 or ::1";
  case PORT:
    return parse_u32(text, 0, UINT16_MAX, &o->port) ? NULL : "0 to 65535";
  case UNITS:
    return parse_units(text, o) ? NULL : "a unit id or a range, 1 to 247, such as 1-32";
  case DELAY:
    return parse_delay(text, o) ? NULL : "a time or a range, up to 60s, such as 2ms-30ms";
  case CLIENTS:
    return parse_clients(text, o) ? NULL : "1 to 10000, or any";
  case SECOND:
    return parse_choice(text, "refuse", "ignore", &o->ignore_more) ? NULL : "refuse or ignore";
  case MAX_REQUESTS:
    return parse_u32(text, 1, 16, &o->max_requests) ? NULL : "1 to 16";
  case STRICT:
    o->strict_gaps = true;
    return NULL;
  case FRAMING:
    return parse_choice(text, "tcp", "rtu", &o->rtu) ? NULL : "tcp or rtu";
  case SEED:
    return parse_whole(text, 0, UINT64_MAX, &o->seed) ? NULL : "a whole number from 0";
  case FAULT:
    if (o->n_faults == BB_SIM_OPTIONS_FAULTS) return "32 faults";
    o->faults[o->n_faults++] = text;
    return NULL;
  default:
    o->help = true;
    return NULL;
  }
}

static int complain_option(const char *given) {
  const char *known[sizeof(names) / sizeof(names[0])];
  size_t n = 0;
  for (; names[n].name != NULL; n++) known[n] = names[n].name;
  while (*given == '-') given++;
  char word[BB_MAX_NAME];
  snprintf(word, sizeof(word), "%.*s", (int)strcspn(given, "="), given);
  const char *near = bb_text_nearest(word, known, n);
  char ask[BB_TEXT_ASK], option[BB_MAX_NAME + 2];
  snprintf(option, sizeof(option), "--%s", near != NULL ? near : "");
  fprintf(stderr, BB_SIM_NAME ": there is no option --%s%s " BB_SIM_NAME " --help lists them\n",
          word, bb_text_ask(ask, near != NULL ? option : NULL, ";"));
  return BB_EXIT_USAGE;
}

int bb_sim_options_parse(bb_sim_options *o, int argc, char **argv) {
  *o =
      (bb_sim_options){.host = "127.0.0.1", .count = 1, .first_unit = 1, .last_unit = 1, .seed = 1};
  opterr = 0;
  for (;;) {
    int place = -1, at = optind, name = getopt_long(argc, argv, "-:h", names, &place);
    if (name == -1) break;
    if (name == '?') return complain_option(argv[at]);
    if (name == ':') {
      fprintf(stderr, BB_SIM_NAME ": %s needs an argument\n", argv[at]);
      return BB_EXIT_USAGE;
    }
    if (name == 1 && o->profile != NULL) {
      fprintf(stderr, BB_SIM_NAME ": one profile is enough: %s, not also %s\n", o->profile, optarg);
      return BB_EXIT_USAGE;
    }
    if (name == 1) {
      o->profile = optarg;
      continue;
    }
    const char *allowed = take_option(o, name, optarg);
    if (allowed == NULL) continue;
    fprintf(stderr, BB_SIM_NAME ": --%s: %s is not possible; allowed: %s\n", names[place].name,
            optarg, allowed);
    return BB_EXIT_USAGE;
  }
  if (o->profile != NULL || o->help) return BB_EXIT_DONE;
  fprintf(stderr, BB_SIM_NAME ": which profile is missing, such as pm500; " BB_SIM_NAME
                              " --help tells more\n");
  return BB_EXIT_USAGE;
}

void bb_sim_options_help(void) {
  printf("%s\n%s%s", usage, bb_sim_command_help, usage_end);
}
