/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `busbar sim`. */
#ifndef BB_CLI_SIM_OPTIONS_H
#define BB_CLI_SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define BB_SIM_NAME "busbar sim"
#define BB_SIM_OPTIONS_FAULTS 32

typedef struct bb_sim_options {
  const char *profile; /* as given */
  const char *host;
  const char *faults[BB_SIM_OPTIONS_FAULTS];
  uint32_t n_faults;
  uint32_t count, port, max_requests, clients;
  uint32_t first_unit, last_unit;
  uint32_t delay_min_ms, delay_max_ms;
  uint64_t seed;
  bool clients_given, ignore_more, strict_gaps, rtu, help;
} bb_sim_options;

/* The texts point into argv. BB_EXIT_DONE, or BB_EXIT_USAGE after a sentence on stderr. */
int bb_sim_options_parse(bb_sim_options *options, int argc, char **argv);

void bb_sim_options_help(void);

#endif
