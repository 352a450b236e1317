/* SPDX-License-Identifier: Apache-2.0 */
/* See plant.h. Time is in seconds since 1970 here. */
#include "sim/plant.h"

#include <math.h>
#include <stddef.h>

#define TAU 6.283185307179586
#define DAY_S 86400.0
#define INSTALLED_FIRST_S 1735689600 /* 2025-01-01 */
#define NS_PER_S 1000000000
#define NOISE_S 0.1 /* a meter measures anew that often */

/* Places in the sequence of chances; a phase or a machine is added to them. */
enum {
  RATED = 1,
  INSTALLED,
  SHARE,
  REST_ACTIVE = 10,
  REST_REACTIVE = 20,
  TANGENT = 30,
  WAVE = 100,
  MACHINE = 200,
  VOLTS = 300,
  DISTORTION = 400,
};

/* The rate of something and its integral from an arbitrary start. */
typedef struct {
  double rate;
  double sum;
} flow;

/* What flows through one phase: active and reactive power. */
typedef struct {
  flow active;
  flow reactive;
} load;

/* splitmix64 */
static uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

double bb_plant_chance(uint64_t seed, uint64_t index) {
  return (double)(mix(seed ^ mix(index)) >> 11) * 0x1p-53;
}

/* Between -1 and 1, another one every NOISE_S. */
static double noise(uint64_t seed, unsigned index, double t) {
  uint64_t tick = (uint64_t)(int64_t)floor(t / NOISE_S);
  return 2 * bb_plant_chance(seed + index, tick) - 1;
}

/* cos(2π(t / period + phase)). The turns are reduced first: t is large. */
static flow wave(double t, double period, double phase) {
  double turns = t / period + phase;
  double angle = TAU * (turns - floor(turns));
  return (flow){cos(angle), sin(angle) * period / TAU};
}

/* 1 for `duty` of each period, else 0. */
static flow pulse(double t, double period, double phase, double duty) {
  double turns = t / period + phase, whole = floor(turns), part = turns - whole;
  return (flow){part < duty ? 1 : 0, period * (whole * duty + fmin(part, duty))};
}

static void add(flow *to, flow what, double factor) {
  to->rate += what.rate * factor;
  to->sum += what.sum * factor;
}

/* Low at night, a summit before noon and one in the afternoon, as part of the rated power. */
static flow day(double t) {
  flow all = {0.42, 0.42 * t};
  add(&all, wave(t, DAY_S, -14.0 / 24), 0.20);
  add(&all, wave(t, DAY_S / 2, -21.0 / 24), 0.06);
  add(&all, wave(t, DAY_S / 3, -9.5 / 8), 0.03);
  return all;
}

/* Compressors and pumps on all three phases, as part of the rated power. */
static flow machines(uint64_t seed, double t) {
  flow all = {0, 0};
  for (unsigned i = 0; i < 2; i++) {
    double period = (i == 0 ? 300 : 60) * (1 + 2 * bb_plant_chance(seed, MACHINE + 3 * i));
    double duty = 0.3 + 0.4 * bb_plant_chance(seed, MACHINE + 3 * i + 1);
    double phase = bb_plant_chance(seed, MACHINE + 3 * i + 2);
    add(&all, pulse(t, period, phase, duty), i == 0 ? 0.10 : 0.05);
  }
  return all;
}

/* What one phase wanders by itself, as part of the rated power. */
static flow wander(uint64_t seed, unsigned phase, double t) {
  static const double periods[] = {613, 97, 23, 3.7};
  flow all = {0, 0};
  for (unsigned i = 0; i < 4; i++) {
    double spread = 0.9 + 0.2 * bb_plant_chance(seed, WAVE + 8 * phase + 2 * i);
    double start = bb_plant_chance(seed, WAVE + 8 * phase + 2 * i + 1);
    add(&all, wave(t, periods[i] * spread, start), 0.004);
  }
  return all;
}

static void load_at(const bb_plant *plant, double t, load phases[3]) {
  flow daily = day(t), switched = machines(plant->seed, t);
  double third = 1 + 0.2 * (bb_plant_chance(plant->seed, SHARE) - 0.5);
  double shares[3] = {third / 3, (2 - third) / 3, 1.0 / 3};
  for (unsigned i = 0; i < 3; i++) {
    flow wandering = wander(plant->seed, i, t);
    double tangent = 0.25 + 0.25 * bb_plant_chance(plant->seed, TANGENT + i);
    phases[i] = (load){{0, 0}, {0, 0}};
    add(&phases[i].active, daily, plant->rated_watts * shares[i]);
    add(&phases[i].active, wandering, plant->rated_watts);
    phases[i].reactive = (flow){phases[i].active.rate * tangent, phases[i].active.sum * tangent};
    add(&phases[i].active, switched, plant->rated_watts / 3);
    add(&phases[i].reactive, switched, plant->rated_watts / 3 * 0.75);
  }
}

/* The grid is one for all feeders; the voltage also sinks with the feeder's own load. */
static void supply_at(const bb_plant *plant, double t, bb_plant_set *set) {
  set->frequency = plant->nominal_hertz + 0.02 * wave(t, 307, 0).rate +
                   0.01 * wave(t, 41, 0.3).rate + 0.004 * noise(0, 0, t);
  double common = 0.008 * wave(t, 1811, 0).rate + 0.004 * wave(t, 127, 0).rate;
  for (unsigned i = 0; i < 3; i++) {
    double own = 0.006 * (bb_plant_chance(plant->seed, VOLTS + i) - 0.5);
    double sag = 0.015 * 3 * set->active[i] / plant->rated_watts;
    double jitter = 0.0008 * noise(plant->seed, VOLTS + i, t);
    set->line_neutral[i] = plant->nominal_volts * (1.01 + common + own - sag + jitter);
  }
}

static double mean(const double values[3]) {
  return (values[0] + values[1] + values[2]) / 3;
}

/* Far from the ends of a double's range. (The newest version of hypot wants glibc 2.35.) */
static double length(double x, double y) {
  return sqrt(x * x + y * y);
}

/* The sum of the phase currents, each 120° on and behind its voltage by its own angle. */
static double neutral(const bb_plant_set *set) {
  static const double turn[3][2] = {
      {1, 0}, {-0.5, -0.8660254037844386}, {-0.5, 0.8660254037844386}};
  double re = 0, im = 0;
  for (unsigned i = 0; i < 3; i++) {
    double p = set->active[i] / set->line_neutral[i], q = -set->reactive[i] / set->line_neutral[i];
    re += p * turn[i][0] - q * turn[i][1];
    im += p * turn[i][1] + q * turn[i][0];
  }
  return length(re, im);
}

/* All that follows from voltages, active and reactive powers. */
static void solve(bb_plant_set *set) {
  for (unsigned i = 0; i < 3; i++) {
    double u = set->line_neutral[i], v = set->line_neutral[(i + 1) % 3];
    set->apparent[i] = length(set->active[i], set->reactive[i]);
    set->factor[i] = set->active[i] / set->apparent[i];
    set->current[i] = set->apparent[i] / u;
    set->angle[i] = atan2(set->reactive[i], set->active[i]) * 360 / TAU;
    set->line_line[i] = sqrt(u * u + v * v + u * v);
  }
  set->line_neutral[3] = mean(set->line_neutral);
  set->line_line[3] = mean(set->line_line);
  set->mean_current = mean(set->current);
  set->sum_current = 3 * set->mean_current;
  set->current[3] = neutral(set);
  set->active[3] = 3 * mean(set->active);
  set->reactive[3] = 3 * mean(set->reactive);
  set->apparent[3] = length(set->active[3], set->reactive[3]);
  set->factor[3] = set->active[3] / set->apparent[3];
  set->angle[3] = atan2(set->reactive[3], set->active[3]) * 360 / TAU;
}

/* Less load, more distortion: what is left are the power supplies. */
static void distort(const bb_plant *plant, double t, bb_plant_set *set) {
  for (unsigned i = 0; i < 3; i++) {
    double part = 3 * set->active[i] / plant->rated_watts;
    set->thd_voltage[i] =
        1.8 + 0.4 * wave(t, 937, bb_plant_chance(plant->seed, DISTORTION + i)).rate;
    set->thd_current[i] = 4 + 6 * (1 - fmin(part, 1)) + 0.2 * noise(plant->seed, DISTORTION + i, t);
  }
  set->thd_voltage[3] = mean(set->thd_voltage);
  set->thd_current[3] = mean(set->thd_current);
}

static void finish(const bb_plant *plant, double t, bb_plant_set *set) {
  supply_at(plant, t, set);
  solve(set);
  distort(plant, t, set);
}

static void keep_max(bb_plant_set *max, const bb_plant_set *now) {
  double *to = (double *)(void *)max;
  const double *from = (const double *)(const void *)now;
  for (size_t i = 0; i < sizeof(*max) / sizeof(double); i++) to[i] = fmax(to[i], from[i]);
}

static void count_hours(double hours, bb_plant_energy *out) {
  double whole = floor(hours);
  out->hours = hours;
  out->hours_minutes = 100 * whole + floor(60 * (hours - whole));
}

static void count(const bb_plant *plant, double t, const load end[3], bb_plant_energy *out) {
  double start = (double)plant->installed_ns / NS_PER_S;
  load begin[3];
  load_at(plant, start, begin);
  *out = (bb_plant_energy){0};
  for (unsigned i = 0; i < 3; i++) {
    if (t > start) {
      out->active_import[i] = (end[i].active.sum - begin[i].active.sum) / 3600;
      out->reactive_import[i] = (end[i].reactive.sum - begin[i].reactive.sum) / 3600;
    }
    out->active_export[i] = floor(3000 * bb_plant_chance(plant->seed, REST_ACTIVE + i));
    out->reactive_export[i] = floor(300 * bb_plant_chance(plant->seed, REST_REACTIVE + i));
    out->active_import[3] += out->active_import[i];
    out->reactive_import[3] += out->reactive_import[i];
    out->active_export[3] += out->active_export[i];
    out->reactive_export[3] += out->reactive_export[i];
  }
  for (unsigned i = 0; i < 4; i++) {
    out->active_total[i] = out->active_import[i] + out->active_export[i];
    out->reactive_total[i] = out->reactive_import[i] + out->reactive_export[i];
  }
  out->apparent = length(out->active_import[3], out->reactive_import[3]);
  count_hours(fmax(t - start, 0) / 3600, out);
}

void bb_plant_init(bb_plant *plant, uint64_t seed) {
  seed = mix(seed);
  double day_s = floor(180 * bb_plant_chance(seed, INSTALLED)) * DAY_S;
  *plant = (bb_plant){
      .nominal_volts = 230,
      .nominal_hertz = 50,
      .rated_watts = 20000 + 1000 * floor(61 * bb_plant_chance(seed, RATED)),
      .installed_ns = (INSTALLED_FIRST_S + (int64_t)day_s) * NS_PER_S,
      .seed = seed,
  };
}

void bb_plant_read(bb_plant *plant, int64_t utc_ns, bb_plant_reading *out) {
  double t = (double)utc_ns / NS_PER_S, before = t - BB_PLANT_DEMAND_S;
  load now[3], then[3];
  load_at(plant, t, now);
  load_at(plant, before, then);
  for (unsigned i = 0; i < 3; i++) {
    out->now.active[i] = now[i].active.rate;
    out->now.reactive[i] = now[i].reactive.rate;
    out->demand.active[i] = (now[i].active.sum - then[i].active.sum) / BB_PLANT_DEMAND_S;
    out->demand.reactive[i] = (now[i].reactive.sum - then[i].reactive.sum) / BB_PLANT_DEMAND_S;
  }
  finish(plant, t, &out->now);
  finish(plant, (t + before) / 2, &out->demand);
  count(plant, t, now, &out->energy);
  keep_max(&plant->max, &out->now);
  keep_max(&plant->demand_max, &out->demand);
  out->max = plant->max;
  out->demand_max = plant->demand_max;
}
