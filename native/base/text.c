/* SPDX-License-Identifier: Apache-2.0 */
/* See text.h. */
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/err.h"
#include "base/limits.h"

bool bb_text_match(const char *pattern, const char *text) {
  const char *star = NULL, *resume = NULL;
  while (*text != 0) {
    if (*pattern == '*') {
      star = ++pattern;
      resume = text;
    } else if (*pattern == *text) {
      pattern++;
      text++;
    } else if (star != NULL) {
      pattern = star;
      text = ++resume;
    } else {
      return false;
    }
  }
  while (*pattern == '*') pattern++;
  return *pattern == 0;
}

static bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool all_of(const char *text, const char *also, size_t max) {
  size_t len = strlen(text);
  if (len == 0 || len > max || *text == '.' || *text == '-') return false;
  for (; *text != 0; text++) {
    if (!is_alnum(*text) && strchr(also, *text) == NULL) return false;
  }
  return true;
}

bool bb_text_is_id(const char *text) {
  return all_of(text, "-_.", BB_MAX_ID);
}

bool bb_text_is_name(const char *text) {
  return all_of(text, "-_./:[]", BB_MAX_NAME);
}

unsigned bb_text_utf8(const char *bytes, size_t len) {
  if (len == 0) return 0;
  unsigned first = (unsigned char)bytes[0];
  if (first < 0x80) return 1;
  unsigned n = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || n > len) return 0;
  for (unsigned i = 1; i < n; i++) {
    if (((unsigned char)bytes[i] & 0xC0) != 0x80) return 0;
  }
  /* Overlong forms, surrogates and what lies past U+10FFFF show in the second byte. */
  unsigned second = (unsigned char)bytes[1];
  if (first == 0xE0 && second < 0xA0) return 0;
  if (first == 0xED && second > 0x9F) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return n;
}

bool bb_text_is_utf8(const char *bytes, size_t len) {
  for (size_t at = 0; at < len;) {
    unsigned n = bb_text_utf8(bytes + at, len - at);
    if (n == 0) return false;
    at += n;
  }
  return true;
}

typedef struct {
  const char *name;
  uint64_t size;
} suffix;

/* digits × 10^exponent × size, exact where it is whole. */
static int scaled(const char *text, const suffix *suffixes, size_t n, uint64_t *out) {
  size_t len = strspn(text, "0123456789.");
  char number[32];
  if (len == 0 || len >= sizeof(number)) return BB_ERR_FORMAT;
  memcpy(number, text, len);
  number[len] = 0;
  bb_decimal value;
  int err = bb_decimal_parse(&value, number);
  if (err < 0) return err;
  while (text[len] == ' ') len++;
  for (size_t i = 0; i < n; i++) {
    if (strcmp(text + len, suffixes[i].name) != 0) continue;
    double product = bb_decimal_apply_unsigned(suffixes[i].size, value, 0, (bb_decimal){0, 0});
    if (product > 9e15) return BB_ERR_RANGE;
    *out = (uint64_t)(product + 0.5);
    return 0;
  }
  return BB_ERR_FORMAT;
}

/* The first of each are those that are shown, from the smallest to the largest. */
#define SHOWN 5
static const suffix durations[] = {{"ms", 1},      {"s", 1000},     {"min", 60000},
                                   {"h", 3600000}, {"d", 86400000}, {"m", 60000}};
static const suffix sizes[] = {
    {"B", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30},  {"TiB", 1ull << 40},
    {"", 1},  {"kB", 1000},      {"MB", 1000000},   {"GB", 1000000000}, {"TB", 1000000000000}};

int bb_text_duration_ms(const char *text, uint64_t *out_ms) {
  return scaled(text, durations, sizeof(durations) / sizeof(durations[0]), out_ms);
}

int bb_text_bytes(const char *text, uint64_t *out_bytes) {
  return scaled(text, sizes, sizeof(sizes) / sizeof(sizes[0]), out_bytes);
}

/* In the largest unit that it is a whole number of, if that number is below `limit`: a limit is told as
 * it is written in a config. */
static bool show_whole(char *out, size_t cap, const suffix units[SHOWN], uint64_t value,
                       uint64_t limit) {
  const suffix *unit = &units[0];
  for (size_t i = 1; i < SHOWN && value > 0 && value % units[i].size == 0; i++) unit = &units[i];
  if (value / unit->size >= limit) return false;
  snprintf(out, cap, "%" PRIu64 " %s", value / unit->size, unit->name);
  return true;
}

const char *bb_text_show_ms(char *out, size_t cap, uint64_t ms) {
  if (show_whole(out, cap, durations, ms, 1000)) return out;
  if (ms < 10000 && ms % 1000 >= 100) {
    snprintf(out, cap, "%.1f s", (double)ms / 1000);
  } else if (ms < 120000) {
    snprintf(out, cap, "%" PRIu64 " s", (ms + 500) / 1000);
  } else if (ms < 7200000) {
    snprintf(out, cap, "%" PRIu64 " min", ms / 60000);
  } else if (ms < 172800000) {
    snprintf(out, cap, "%" PRIu64 " h", ms / 3600000);
  } else {
    snprintf(out, cap, "%" PRIu64 " d", ms / 86400000);
  }
  return out;
}

const char *bb_text_show_bytes(char *out, size_t cap, uint64_t bytes) {
  if (show_whole(out, cap, sizes, bytes, 1024)) return out;
  size_t unit = 1;
  double size = (double)bytes / 1024;
  for (; size >= 1000 && unit + 1 < SHOWN; unit++) size /= 1024;
  snprintf(out, cap, "%.1f %s", size, sizes[unit].name);
  return out;
}

const char *bb_text_count(char out[BB_TEXT_COUNT], uint64_t n, const char *one, const char *many) {
  snprintf(out, BB_TEXT_COUNT, "%" PRIu64 " %s", n, n == 1 ? one : many);
  return out;
}

unsigned bb_text_distance(const char *a, const char *b, unsigned most) {
  unsigned row[BB_MAX_NAME + 1];
  size_t na = strlen(a), nb = strlen(b);
  if (nb > BB_MAX_NAME || na > nb + most || nb > na + most) return most + 1;
  for (size_t j = 0; j <= nb; j++) row[j] = (unsigned)j;
  for (size_t i = 1; i <= na; i++) {
    unsigned diagonal = row[0], best = row[0] = (unsigned)i;
    for (size_t j = 1; j <= nb; j++) {
      unsigned above = row[j], cost = diagonal + (a[i - 1] != b[j - 1]);
      if (above + 1 < cost) cost = above + 1;
      if (row[j - 1] + 1 < cost) cost = row[j - 1] + 1;
      diagonal = above;
      row[j] = cost;
      if (cost < best) best = cost;
    }
    if (best > most) return most + 1;
  }
  return row[nb];
}

const char *bb_text_nearest(const char *word, const char *const *candidates, size_t n) {
  unsigned most = (unsigned)strlen(word) / 3 + 1;
  const char *nearest = NULL;
  for (size_t i = 0; i < n; i++) {
    unsigned distance = bb_text_distance(word, candidates[i], most);
    if (distance > most) continue;
    nearest = candidates[i];
    if (distance == 0) break;
    most = distance - 1;
  }
  return nearest;
}

const char *bb_text_ask(char out[BB_TEXT_ASK], const char *near, const char *otherwise) {
  if (near == NULL) {
    snprintf(out, BB_TEXT_ASK, "%s", otherwise);
  } else {
    snprintf(out, BB_TEXT_ASK, "; did you mean %s?", near);
  }
  return out;
}
