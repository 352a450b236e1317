/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An electrical feeder that exists only as a formula: a low-voltage line with three phases, a load
 * that follows the hours of the day, machines that switch, and what a meter on it would show.
 *
 * All is a pure function of the seed and the time, so that a thousand feeders need no timers and
 * the same question has the same answer after a restart. Powers are sums of waves whose integral is
 * known in closed form: an energy counter is the exact integral of the power that is shown, never
 * runs backwards, and does not depend on how often it was read. Only the maxima remember what was
 * seen.
 *
 * Consistent at each moment: in each phase P = U × I × PF and S² = P² + Q²; the system's P and Q are
 * the sums of the phases', and its S² = P² + Q².
 */
#ifndef BB_SIM_PLANT_H
#define BB_SIM_PLANT_H

#include <stdint.h>

#define BB_PLANT_DEMAND_S 900 /* the window of demand values */

/* Phases L1 to L3; then what stands at place 3. Volts, amperes, watts, vars, volt-amperes, hertz. */
typedef struct bb_plant_set {
  double line_neutral[4]; /* 3: mean */
  double line_line[4];    /* L1-L2, L2-L3, L3-L1; 3: mean */
  double current[4];      /* 3: neutral */
  double active[4];       /* 3: system, as in the next three */
  double reactive[4];
  double apparent[4];
  double factor[4];
  double angle[4]; /* between voltage and current, degrees */
  double mean_current, sum_current;
  double frequency;
  double thd_voltage[4]; /* per cent; 3: mean */
  double thd_current[4];
} bb_plant_set;

/* Counters in watt hours, var hours and hours. */
typedef struct bb_plant_energy {
  double active_import[4]; /* 3: system, as in the next five */
  double reactive_import[4];
  double active_export[4]; /* a rest from commissioning: nothing feeds in here */
  double reactive_export[4];
  double active_total[4]; /* both ways */
  double reactive_total[4];
  double apparent;      /* of the mean load */
  double hours;         /* in operation */
  double hours_minutes; /* the same as hours × 100 + minutes */
} bb_plant_energy;

typedef struct bb_plant_reading {
  bb_plant_set now;
  bb_plant_set demand; /* means over the last BB_PLANT_DEMAND_S */
  bb_plant_set max;    /* greatest values of `now` that were ever read */
  bb_plant_set demand_max;
  bb_plant_energy energy;
} bb_plant_reading;

typedef struct bb_plant {
  /* public, preset by init */
  double nominal_volts; /* between a phase and neutral: 230 */
  double nominal_hertz; /* 50 */
  double rated_watts;   /* of the feeder, all phases: 20,000 to 80,000 by seed */
  int64_t installed_ns; /* UTC, when the counters stood at zero: in the first half of 2025 */
  /* private */
  uint64_t seed;
  bb_plant_set max, demand_max;
} bb_plant;

void bb_plant_init(bb_plant *plant, uint64_t seed);

/* What the meter shows at that time. Times may come in any order. */
void bb_plant_read(bb_plant *plant, int64_t utc_ns, bb_plant_reading *out);

/* A number in [0, 1) that depends on nothing but its arguments: for whatever else a seed chooses. */
double bb_plant_chance(uint64_t seed, uint64_t index);

#endif
