/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which reads a plan makes, and what it learns from a device that refuses some of them. Points are
 * written as table, address and length, "h10+2"; blocks as "h10-11"; expected blocks are worked out
 * by hand. The tables: c coils, d discrete inputs, i input registers, h holding registers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/failmalloc.h"

#include "base/err.h"
#include "drivers/modbus/plan.h"

#define MOST_POINTS 128

typedef struct {
  bb_profile profile;
  bb_profile_point points[MOST_POINTS];
  bb_range ranges[8];
  uint16_t places[MOST_POINTS];
  uint16_t n;
  bb_modbus_limits limits;
  bb_modbus_plan plan;
} fixture;

static bb_space space_of(char letter) {
  return letter == 'c'   ? BB_SPACE_COIL
         : letter == 'd' ? BB_SPACE_DISCRETE
         : letter == 'i' ? BB_SPACE_INPUT
                         : BB_SPACE_HOLDING;
}

static const char letters[] = {'c', 'd', 'i', 'h'};

/* "h10+2 h12+2@0": the second point has its scale from the first. "x": no Modbus point. */
static void parse_points(fixture *f, const char *text) {
  memset(f, 0, sizeof(*f));
  f->profile.points = f->points;
  f->profile.modbus.max_registers = 125;
  f->profile.modbus.max_bits = 2000;
  f->profile.modbus.max_gap = 8;
  while (*text != 0) {
    bb_profile_point *point = &f->points[f->n];
    char *end;
    point->space = *text == 'x' ? BB_SPACE_ASSEMBLY : space_of(*text);
    point->address = (uint32_t)strtoul(text + 1, &end, 10);
    point->length = (uint16_t)(*end == '+' ? strtoul(end + 1, &end, 10) : 1);
    point->scale_from = (int16_t)(*end == '@' ? strtol(end + 1, &end, 10) : -1);
    f->places[f->n] = f->n;
    f->n++;
    text = end + strspn(end, " ");
  }
  f->profile.n_points = f->n;
}

static void parse_ranges(fixture *f, const char *text) {
  f->profile.modbus.unreadable = f->ranges;
  while (*text != 0) {
    bb_range *range = &f->ranges[f->profile.modbus.n_unreadable++];
    char *end;
    range->space = space_of(*text);
    range->first = (uint32_t)strtoul(text + 1, &end, 10);
    range->last = *end == '-' ? (uint32_t)strtoul(end + 1, &end, 10) : range->first;
    text = end + strspn(end, " ");
  }
}

static int make(fixture *f) {
  bb_modbus_limits_init(&f->limits, &f->profile);
  return bb_modbus_plan_init(&f->plan, &f->profile, f->places, f->n, &f->limits);
}

static void show(const fixture *f, char *out, size_t cap) {
  size_t len = 0;
  out[0] = 0;
  for (uint16_t i = 0; i < f->plan.n_blocks; i++) {
    const bb_modbus_block *block = &f->plan.blocks[i];
    len +=
        (size_t)snprintf(out + len, cap - len, "%s%c%u-%u", i > 0 ? " " : "", letters[block->space],
                         block->address, block->address + block->count - 1);
  }
}

/* Each point lies in exactly one block, as a whole, where its item says; no block reads what must
 * not be read; no block but one of a single value is too long. */
static void check_plan(const char *row, const fixture *f) {
  unsigned seen[MOST_POINTS] = {0};
  for (uint16_t b = 0; b < f->plan.n_blocks; b++) {
    const bb_modbus_block *block = &f->plan.blocks[b];
    unsigned end = (unsigned)block->address + block->count;
    expect_true(row, block->n > 0);
    expect_true(row, block->count <= f->limits.most[block->space] || block->n == 1);
    for (uint16_t i = 0; i < block->n; i++) {
      const bb_modbus_item *item = &f->plan.items[block->first + i];
      const bb_profile_point *point = &f->points[item->place];
      unsigned unit = point->space <= BB_SPACE_DISCRETE ? 1 : 2;
      seen[item->place]++;
      expect_int(row, block->space, point->space);
      expect_uint(row, item->at, (point->address - block->address) * unit);
      expect_true(row, point->address >= block->address && point->address + point->length <= end);
    }
    for (uint32_t r = 0; r < f->profile.modbus.n_unreadable; r++) {
      const bb_range *range = &f->ranges[r];
      expect_true(row, range->space != (bb_space)block->space || range->first >= end ||
                           range->last < block->address);
    }
  }
  for (uint16_t i = 0; i < f->n; i++) {
    expect_uint(row, seen[i], f->points[i].space == BB_SPACE_ASSEMBLY ? 0 : 1);
  }
}

typedef struct {
  const char *name, *points, *unreadable, *blocks;
  unsigned most, gap;
} build_row;

static const build_row build_rows[] = {
    {"one point", "h10+2", "", "h10-11", 125, 8},
    {"neighbours", "h10+2 h12+2 h14", "", "h10-14", 125, 8},
    {"order of points does not matter", "h14 h10+2 h12+2", "", "h10-14", 125, 0},
    {"gap just allowed", "h0+2 h10+2", "", "h0-11", 125, 8},
    {"gap one too wide", "h0+2 h11+2", "", "h0-1 h11-12", 125, 8},
    {"no gap allowed", "h0 h2", "", "h0-0 h2-2", 125, 0},
    {"all four tables", "h1 i1 d1 c1", "", "c1-1 d1-1 i1-1 h1-1", 125, 8},
    {"bits of one register", "h7 h7 h7", "", "h7-7", 125, 0},
    {"exactly full", "h0+62 h62+63", "", "h0-124", 125, 8},
    {"one too many", "h0+62 h62+64", "", "h0-61 h62-125", 125, 8},
    {"a value is not split at the limit", "h0+2 h2+2 h4+2", "", "h0-3 h4-5", 5, 8},
    {"sixty floats", "h0+2 h2+2 h4+2 h6+2 h8+2", "", "h0-9", 125, 8},
    {"unreadable in the gap", "h0 h3", "h1", "h0-0 h3-3", 125, 8},
    {"unreadable in another table", "h0 h3", "i1", "h0-3", 125, 8},
    {"unreadable behind", "h0 h3 h6", "h4-5", "h0-3 h6-6", 125, 8},
    {"unreadable at the edges", "h5 h6", "h0-4 h7-9", "h5-6", 125, 8},
    {"long one aside, short ones joined", "h0+2 h2+6 h4+2", "", "h0-5 h2-7", 6, 8},
    {"coils: 16 a register of gap", "c0 c17 c35", "", "c0-17 c35-35", 125, 1},
    {"last address", "h65534+2 h65533", "", "h65533-65535", 125, 8},
    {"what is no Modbus point is left to others", "x1 h5", "", "h5-5", 125, 8},
    {"a scale factor comes along across any gap", "h60 h0@0", "", "h0-60", 125, 8},
    {"and a second time if need be", "h100 h0@0 h130@0", "", "h0-100 h100-130", 120, 8},
    {"scale factor too far away", "h200 h0@0", "", "h0-0 h200-200", 125, 8},
    {"scale factor behind an unreadable range", "h9 h0@0", "h4", "h0-0 h9-9", 125, 8},
    {"scale factor in another table", "i9 h0@0", "", "i9-9 h0-0", 125, 8},
};

static void test_plan_makes_the_fewest_reads(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(build_rows) / sizeof(build_rows[0]); i++) {
    const build_row *row = &build_rows[i];
    fixture f;
    char blocks[512];
    parse_points(&f, row->points);
    parse_ranges(&f, row->unreadable);
    f.profile.modbus.max_registers = row->most;
    f.profile.modbus.max_gap = row->gap;
    expect_int(row->name, make(&f), 0);
    show(&f, blocks, sizeof(blocks));
    expect_text(row->name, blocks, row->blocks);
    check_plan(row->name, &f);
    bb_modbus_plan_close(&f.plan);
  }
}

static void test_plan_says_where_scale_factors_lie(void **state) {
  (void)state;
  fixture f;
  parse_points(&f, "h10 h4@0 h12@0 h500@0");
  make(&f);
  /* Block h4-12: the factor at 10 lies 6 registers in. Block h500: it is not there. */
  expect_uint("items", f.plan.n_items, 4);
  for (uint16_t i = 0; i < 4; i++) {
    const bb_modbus_item *item = &f.plan.items[i];
    uint16_t expected = item->place == 1 || item->place == 2 ? 12 : BB_MODBUS_NO_SCALE;
    expect_uint("scale_at", item->scale_at, expected);
  }
  bb_modbus_plan_close(&f.plan);
}

static void test_plan_of_nothing(void **state) {
  (void)state;
  fixture f;
  parse_points(&f, "");
  expect_int("init", make(&f), 0);
  bb_modbus_plan_begin(&f.plan, 0);
  expect_uint("blocks", f.plan.n_blocks, 0);
  expect_true("learn", !bb_modbus_plan_learn(&f.plan, 0));
  bb_modbus_plan_close(&f.plan);
}

/* The fewest blocks by trying every division of the sorted points into runs; right for points that
 * do not overlap. */
static unsigned fewest(const fixture *f, unsigned most, unsigned gap) {
  unsigned best[MOST_POINTS + 1] = {0};
  for (uint16_t end = 1; end <= f->n; end++) {
    best[end] = MOST_POINTS;
    for (uint16_t start = end; start > 0; start--) {
      const bb_profile_point *first = &f->points[start - 1], *last = &f->points[end - 1];
      if (start < end) {
        const bb_profile_point *next = &f->points[start];
        if (next->address - first->address - first->length > gap) break;
      }
      if (last->address + last->length - first->address > most && start < end) break;
      if (best[start - 1] + 1 < best[end]) best[end] = best[start - 1] + 1;
    }
  }
  return best[f->n];
}

static void test_plan_is_as_short_as_trying_all(void **state) {
  (void)state;
  unsigned random = 1;
  for (int round = 0; round < 300; round++) {
    fixture f;
    char text[2048] = "", row[64];
    size_t len = 0;
    unsigned address = 0;
    for (int i = 0; i < 60; i++) {
      random = random * 1103515245u + 12345u;
      address += (random >> 16) % 9;
      unsigned length = 1u << ((random >> 24) % 3);
      len += (size_t)snprintf(text + len, sizeof(text) - len, "h%u+%u ", address, length);
      address += length;
    }
    parse_points(&f, text);
    unsigned most = 4 + (random >> 16) % 60, gap = (random >> 20) % 6;
    f.profile.modbus.max_registers = most;
    f.profile.modbus.max_gap = gap;
    make(&f);
    snprintf(row, sizeof(row), "round %d, most %u, gap %u", round, most, gap);
    expect_uint(row, f.plan.n_blocks, fewest(&f, most, gap));
    check_plan(row, &f);
    bb_modbus_plan_close(&f.plan);
  }
}

/* A device with refused addresses and a longest read. */
typedef struct {
  const bool *refused; /* 256 addresses */
  unsigned longest;
  uint8_t code; /* for refused ones */
} device;

static uint8_t answer(const device *d, const bb_modbus_block *block) {
  if (block->count > d->longest) return 3;
  for (unsigned i = 0; i < block->count; i++) {
    if (d->refused[block->address + i]) return d->code;
  }
  return 0;
}

/* One poll. Returns how many blocks were read; `good` marks the points that were delivered. */
static unsigned poll(fixture *f, const device *d, uint64_t now, bool *good, unsigned *probes) {
  unsigned reads = 0;
  *probes = 0;
  memset(good, 0, MOST_POINTS * sizeof(*good));
  bb_modbus_plan_begin(&f->plan, now);
  for (uint16_t b = 0; b < f->plan.n_blocks; b++) {
    if (!bb_modbus_plan_reads(&f->plan, b)) continue;
    const bb_modbus_block *block = &f->plan.blocks[b];
    uint8_t code = answer(d, block);
    reads++;
    *probes += block->trust != BB_MODBUS_TRUSTED;
    if (code != 0) {
      bb_modbus_plan_refused(&f->plan, b, code);
      continue;
    }
    bb_modbus_plan_accepted(&f->plan, b);
    for (uint16_t i = 0; i < block->n; i++) {
      good[f->plan.items[block->first + i].place] = true;
    }
  }
  bb_modbus_plan_learn(&f->plan, now);
  return reads;
}

typedef struct {
  const char *name, *points, *refused;
  unsigned longest;
  unsigned polls;  /* until every readable point is delivered in each poll */
  unsigned blocks; /* then, without those left out */
} learn_row;

static const learn_row learn_rows[] = {
    {"nothing refused", "h0+2 h2+2 h4+2", "", 125, 1, 1},
    {"a gap", "h0+2 h4+2", "h3", 125, 3, 2},
    {"the first of two gaps", "h0+2 h4+2 h8+2", "h3", 125, 3, 2},
    {"one point of eight", "h0 h1 h2 h3 h4 h5 h6 h7", "h5", 125, 7, 3},
    {"two points of eight", "h0 h1 h2 h3 h4 h5 h6 h7", "h0 h7", 125, 10, 4},
    {"half a value", "h0+2 h2+2", "h1", 125, 2, 1},
    {"too long", "h0+2 h2+2 h4+2 h6+2", "", 4, 3, 2},
    {"too long by far", "h0 h1 h2 h3 h4 h5 h6 h7", "", 1, 5, 8},
    {"too long, and a point refused", "h0 h1 h2 h3", "h2", 2, 4, 2},
};

static void parse_refused(bool *refused, const char *text) {
  memset(refused, 0, 256 * sizeof(*refused));
  while (*text != 0) {
    char *end;
    refused[strtoul(text + 1, &end, 10)] = true;
    text = end + strspn(end, " ");
  }
}

static bool readable(const device *d, const bb_profile_point *point) {
  for (unsigned i = 0; i < point->length; i++) {
    if (d->refused[point->address + i]) return false;
  }
  return true;
}

static bool all_readable_good(const fixture *f, const device *d, const bool *good) {
  for (uint16_t i = 0; i < f->n; i++) {
    if (readable(d, &f->points[i]) != good[i]) return false;
  }
  return true;
}

static void test_plan_learns_what_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(learn_rows) / sizeof(learn_rows[0]); i++) {
    const learn_row *row = &learn_rows[i];
    fixture f;
    bool refused[256], good[MOST_POINTS], before[MOST_POINTS] = {0};
    device d = {refused, row->longest, 2};
    unsigned polls = 0, probes, reads = 0;
    parse_points(&f, row->points);
    parse_refused(refused, row->refused);
    make(&f);
    do {
      reads = poll(&f, &d, polls++, good, &probes);
      expect_true(row->name, probes <= 1);
      for (uint16_t p = 0; p < f.n; p++) {
        if (!before[p] || polls <= 2) continue;
        /* What was delivered once goes on while the rest is looked for. */
        expect_true(row->name, good[p]);
      }
      memcpy(before, good, sizeof(before));
    } while (!all_readable_good(&f, &d, good) && polls < 100);
    expect_uint(row->name, polls, row->polls);
    check_plan(row->name, &f);
    for (int more = 0; more < 20; more++) reads = poll(&f, &d, polls, good, &probes);
    expect_uint(row->name, reads, row->blocks);
    bb_modbus_plan_close(&f.plan);
  }
}

static void test_plan_probes_one_block_a_poll_when_all_is_refused(void **state) {
  (void)state;
  static const uint8_t codes[] = {1, 2, 3};
  for (size_t c = 0; c < sizeof(codes); c++) {
    fixture f;
    bool refused[256], good[MOST_POINTS];
    unsigned probes, reads;
    char row[64];
    device d = {refused, codes[c] == 3 ? 0 : 125, codes[c]};
    memset(refused, true, sizeof(refused));
    parse_points(&f, "h0+2 h2+2 h4+2 h6+2 h50+2 h52+2 h100");
    make(&f);
    expect_uint("first poll", poll(&f, &d, 0, good, &probes), 3);
    for (unsigned i = 1; i < 100; i++) {
      reads = poll(&f, &d, i, good, &probes);
      snprintf(row, sizeof(row), "exception %u, poll %u", codes[c], i);
      expect_uint(row, reads, 1);
    }
    /* The device comes to its senses: everything is read again, without waiting for the hour. */
    d = (device){refused, 125, 2};
    memset(refused, false, sizeof(refused));
    for (unsigned i = 100; i < 120; i++) poll(&f, &d, i, good, &probes);
    bb_modbus_plan_forgive(&f.plan);
    for (unsigned i = 120; i < 150; i++) poll(&f, &d, i, good, &probes);
    expect_true("all good again", all_readable_good(&f, &d, good));
    bb_modbus_plan_close(&f.plan);
  }
}

static void test_plan_tries_again_after_an_hour_and_when_forgiven(void **state) {
  (void)state;
  fixture f;
  bool refused[256], good[MOST_POINTS];
  unsigned probes;
  uint64_t now = 1000;
  device d = {refused, 125, 2};
  parse_points(&f, "h0 h1 h2 h3");
  parse_refused(refused, "h2");
  make(&f);
  for (int i = 0; i < 20; i++) poll(&f, &d, now, good, &probes);
  expect_uint("settled", probes, 0);
  poll(&f, &d, now + BB_MODBUS_RETRY_NS - 1, good, &probes);
  expect_uint("just before the hour", probes, 0);
  now += BB_MODBUS_RETRY_NS;
  poll(&f, &d, now, good, &probes);
  expect_uint("after the hour", probes, 1);
  poll(&f, &d, now + 1, good, &probes);
  expect_uint("still refused", probes, 0);
  parse_refused(refused, "");
  bb_modbus_plan_forgive(&f.plan);
  poll(&f, &d, now + 2, good, &probes);
  expect_uint("forgiven", probes, 1);
  expect_true("delivered", good[2]);
  poll(&f, &d, now + 3, good, &probes);
  expect_uint("trusted", probes, 0);
  expect_true("and again", all_readable_good(&f, &d, good));
  bb_modbus_plan_close(&f.plan);
}

static void test_plan_shares_a_smaller_limit(void **state) {
  (void)state;
  fixture a, b;
  bool refused[256] = {0}, good[MOST_POINTS];
  unsigned probes;
  device d = {refused, 4, 2};
  parse_points(&a, "h0+2 h2+2 h4+2 h6+2");
  parse_points(&b, "h10+2 h12+2 h14+2 h16+2 i0+2 i2+2 i4+2 i6+2");
  make(&a);
  expect_int("init", bb_modbus_plan_init(&b.plan, &b.profile, b.places, b.n, &a.limits), 0);
  poll(&a, &d, 0, good, &probes);
  expect_uint("learnt", a.limits.most[BB_SPACE_HOLDING], 4);
  expect_uint("the other table as it was", a.limits.most[BB_SPACE_INPUT], 125);
  bb_modbus_plan_begin(&b.plan, 0);
  char blocks[128];
  show(&b, blocks, sizeof(blocks));
  expect_text("the other plan", blocks, "i0-7 h10-13 h14-17");
  bb_modbus_plan_close(&a.plan);
  bb_modbus_plan_close(&b.plan);
}

static int make_and_close(void *user) {
  fixture *f = user;
  int err = make(f);
  bb_modbus_plan_close(&f->plan);
  return err;
}

static void test_plan_without_memory(void **state) {
  (void)state;
  fixture f;
  parse_points(&f, "h0+2 h2+2 h100 h200");
  /* Shrinking the list of blocks may fail without harm. */
  failmalloc_start(1);
  expect_int("items", make_and_close(&f), BB_ERR_NOMEM);
  failmalloc_stop();
  failmalloc_start(2);
  expect_int("blocks", make_and_close(&f), BB_ERR_NOMEM);
  failmalloc_stop();
  failmalloc_start(3);
  expect_int("shrinking", make_and_close(&f), 0);
  failmalloc_stop();
}

static void test_plan_learns_later_without_memory(void **state) {
  (void)state;
  static const unsigned longest[] = {125, 4};
  for (size_t i = 0; i < 2; i++) {
    fixture f;
    bool refused[256], good[MOST_POINTS];
    unsigned probes;
    device d = {refused, longest[i], 2};
    parse_points(&f, "h0+2 h2+2 h4+2 h6+2");
    parse_refused(refused, longest[i] == 125 ? "h2" : "");
    make(&f);
    failmalloc_start(1);
    poll(&f, &d, 0, good, &probes);
    failmalloc_stop();
    expect_uint("as it was", f.plan.n_blocks, 1);
    for (unsigned n = 1; n < 20; n++) poll(&f, &d, n, good, &probes);
    expect_true("learnt later", all_readable_good(&f, &d, good));
    check_plan("learnt later", &f);
    bb_modbus_plan_close(&f.plan);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_plan_makes_the_fewest_reads),
      cmocka_unit_test(test_plan_says_where_scale_factors_lie),
      cmocka_unit_test(test_plan_of_nothing),
      cmocka_unit_test(test_plan_is_as_short_as_trying_all),
      cmocka_unit_test(test_plan_learns_what_is_refused),
      cmocka_unit_test(test_plan_probes_one_block_a_poll_when_all_is_refused),
      cmocka_unit_test(test_plan_tries_again_after_an_hour_and_when_forgiven),
      cmocka_unit_test(test_plan_shares_a_smaller_limit),
      cmocka_unit_test(test_plan_without_memory),
      cmocka_unit_test(test_plan_learns_later_without_memory),
  };
  return cmocka_run_group_tests_name("modbus plan", tests, NULL, NULL);
}
