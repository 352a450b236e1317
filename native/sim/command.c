/* SPDX-License-Identifier: Apache-2.0 */
/* See command.h. */
#include "sim/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

#define MAX_LINE 512

#define XX(name, word, arguments, text) "    " word arguments "\n        " text "\n"
const char *const bb_sim_command_help =
    "  fault KIND [ARGUMENTS] [unit U] [port P] [times N]\n" BB_FAULT_MAP(
        XX) "  fault none [unit U] [port P]\n"
            "        faults of that target end; without one, all\n"
            "  set POINT VALUE [unit U] [port P]\n"
            "        the point keeps that value; `auto` sets it free, `raw 7fc00000` gives its "
            "bytes\n"
            "  status\n"
            "        how many requests, connections and clients there were and are\n"
            "  quit\n";
#undef XX

/* What follows the word, if the line begins with it; else NULL. */
static const char *after_word(const char *line, const char *word) {
  size_t len = strlen(word);
  if (strncmp(line, word, len) != 0 || (line[len] != 0 && line[len] != ' ')) return NULL;
  return line + len + strspn(line + len, " ");
}

static void run_fault(bb_sim *sim, const char *text, char *out, size_t cap) {
  char why[256];
  const char *rest = after_word(text, "none");
  int err;
  if (rest != NULL) {
    bb_fault_target target;
    err = bb_fault_parse_target(&target, rest, why, sizeof(why));
    if (err == 0) bb_fault_list_clear(&sim->faults, target);
  } else {
    bb_fault fault;
    err = bb_fault_parse(&fault, text, why, sizeof(why));
    if (err == 0 && bb_sim_fault(sim, &fault) < 0) {
      err = BB_ERR_LIMIT;
      snprintf(why, sizeof(why), "there are %d faults already; fault none removes them",
               BB_FAULT_MAX);
    }
  }
  if (err < 0) snprintf(out, cap, "error: %s", why);
}

/* Cuts the target off the end of the value. */
static char *find_target(char *text) {
  char *unit = strstr(text, " unit "), *port = strstr(text, " port ");
  char *first = unit == NULL || (port != NULL && port < unit) ? port : unit;
  if (first == NULL) return text + strlen(text);
  *first = 0;
  return first + 1;
}

/* Why a point does not take that value, and what it takes. */
static void explain(const bb_sim *sim, const char *name, const char *value, int err, char *out,
                    size_t cap) {
  const bb_profile *profile = sim->config.profile;
  unsigned bytes = profile->points[bb_profile_find(profile, name)].codec.raw_bytes;
  if (strncmp(value, "raw ", 4) == 0) {
    snprintf(out, cap, "error: %s has %u bytes; allowed: raw and %u hex digits", name, bytes,
             2 * bytes);
  } else if (err == BB_ERR_FORMAT) {
    snprintf(
        out, cap,
        "error: %s cannot hold %s, which is no number; allowed: a number such as 49.8, auto, or "
        "raw and %u hex digits",
        name, value, 2 * bytes);
  } else if (err == BB_ERR_INVALID) {
    snprintf(
        out, cap,
        "error: %s cannot hold %s, which stands for no value there; raw and %u hex digits set it",
        name, value, 2 * bytes);
  } else {
    snprintf(out, cap, "error: %s cannot hold %s, which does not fit into its %u bytes", name,
             value, bytes);
  }
}

static void run_set(bb_sim *sim, char *text, char *out, size_t cap) {
  char why[256];
  bb_fault_target target;
  const char *rest = find_target(text);
  char *value = strchr(text, ' ');
  if (value == NULL) {
    snprintf(out, cap, "error: a point and its value are needed, such as set frequency 49.8");
    return;
  }
  *value++ = 0;
  if (bb_fault_parse_target(&target, rest, why, sizeof(why)) < 0) {
    snprintf(out, cap, "error: %s", why);
    return;
  }
  int err = bb_sim_set(sim, target, text, value);
  if (err == BB_ERR_NOTFOUND) {
    snprintf(out, cap, "error: there is no point %s, or no device with that unit and port", text);
  } else if (err < 0) {
    explain(sim, text, value, err, out, cap);
  }
}

bool bb_sim_command(bb_sim *sim, const char *line, char *out, size_t cap) {
  static const char *const words[] = {"fault", "set", "status", "quit"};
  char text[MAX_LINE], *start = text;
  size_t len = strlen(line);
  snprintf(out, cap, "ok");
  if (len >= sizeof(text)) {
    snprintf(out, cap, "error: the line is too long; allowed: %d characters", MAX_LINE - 1);
    return false;
  }
  memcpy(text, line, len + 1);
  while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) text[--len] = 0;
  start += strspn(start, " \t");
  const char *rest = after_word(start, "fault");
  if (rest != NULL) {
    run_fault(sim, rest, out, cap);
  } else if ((rest = after_word(start, "set")) != NULL) {
    run_set(sim, start + (rest - start), out, cap);
  } else if (strcmp(start, "status") == 0) {
    snprintf(out, cap, "ok requests %" PRIu64 " connections %" PRIu64 " clients %u faults %u",
             sim->n_requests, sim->n_connections, sim->n_clients, sim->faults.n);
  } else if (strcmp(start, "quit") == 0) {
    return true;
  } else {
    start[strcspn(start, " ")] = 0;
    const char *near = bb_text_nearest(start, words, sizeof(words) / sizeof(words[0]));
    char ask[BB_TEXT_ASK];
    snprintf(out, cap, "error: there is no command %s%s", start,
             bb_text_ask(ask, near, "; allowed: fault, set, status, quit"));
  }
  return false;
}
