/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of line protocol, written from the reference and independent of the encoder: it
 * takes a text only if two kinds of readers, which differ in what a run of backslashes means, see the
 * same parts. InfluxDB 1 looks at the character before only; others let backslashes pair up.
 */
#ifndef BB_FUZZ_LINE_READER_H
#define BB_FUZZ_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct line_counts {
  unsigned lines, tags, fields;
} line_counts;

/* True if text[at] is not taken for itself. */
static inline bool line_is_escaped(const char *text, size_t start, size_t at, bool pairs) {
  size_t n = 0;
  while (at > start && text[at - 1] == '\\' && (pairs || n == 0)) {
    at--;
    n++;
  }
  return n % 2 == 1;
}

/* The first of `ends` that is not escaped, for both kinds of readers alike; `end` if there is none;
 * (size_t)-1 if they differ. */
static inline size_t line_find(const char *text, size_t at, size_t end, const char *ends) {
  size_t found[2] = {end, end};
  for (int pairs = 0; pairs < 2; pairs++) {
    for (size_t i = at; i < end; i++) {
      if (strchr(ends, text[i]) == NULL || line_is_escaped(text, at, i, pairs)) continue;
      found[pairs] = i;
      break;
    }
  }
  return found[0] == found[1] ? found[0] : (size_t)-1;
}

/* A value at text[at]: the place behind it, or 0. */
static inline size_t line_read_value(const char *text, size_t at, size_t end) {
  if (text[at] == '"') {
    for (size_t i = at + 1; i < end; i++) {
      if (text[i] == '\\') {
        i++;
      } else if (text[i] == '"') {
        return i + 1;
      }
    }
    return 0;
  }
  size_t stop = at;
  while (stop < end && text[stop] != ',' && text[stop] != ' ') stop++;
  size_t len = stop - at;
  char value[64];
  if (len == 0 || len >= sizeof(value)) return 0;
  memcpy(value, text + at, len);
  value[len] = 0;
  if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0) return stop;
  char last = value[len - 1], *behind;
  bool whole = last == 'i' || last == 'u';
  if (whole) value[--len] = 0;
  if (len == 0 || strspn(value, whole ? "-0123456789" : "-+.e0123456789") != len) return 0;
  if (last == 'i') {
    (void)strtoll(value, &behind, 10);
  } else if (last == 'u') {
    (void)strtoull(value, &behind, 10);
  } else {
    (void)strtod(value, &behind);
  }
  return *behind == 0 ? stop : 0;
}

/* One line without its line end. */
static inline bool line_read(const char *text, size_t len, line_counts *counts) {
  if (len == 0 || text[0] == '#' || text[0] == ' ' || text[0] == ',') return false;
  for (size_t i = 0; i < len; i++) {
    if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F) return false;
  }
  size_t at = line_find(text, 0, len, ", ");
  while (at < len && text[at] == ',') {
    size_t equals = line_find(text, at + 1, len, ",= ");
    if (equals >= len || text[equals] != '=' || equals == at + 1) return false;
    at = line_find(text, equals + 1, len, ",= ");
    if (at >= len || text[at] == '=' || at == equals + 1) return false;
    counts->tags++;
  }
  if (at >= len) return false;
  do {
    size_t equals = line_find(text, at + 1, len, ",= ");
    if (equals + 1 >= len || text[equals] != '=' || equals == at + 1) return false;
    if (memchr(text + at, '"', equals - at) != NULL) return false; /* VictoriaMetrics */
    at = line_read_value(text, equals + 1, len);
    if (at == 0 || at >= len) return false;
    counts->fields++;
  } while (text[at] == ',');
  size_t digits = at + 1 + (at + 1 < len && text[at + 1] == '-');
  if (text[at] != ' ' || digits >= len || len - digits > 19) return false;
  for (size_t i = digits; i < len; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  counts->lines++;
  return true;
}

/* True if all of it is lines, each with its line end. */
static inline bool line_read_all(const char *text, size_t len, line_counts *counts) {
  *counts = (line_counts){0, 0, 0};
  for (size_t at = 0; at < len;) {
    const char *end = memchr(text + at, '\n', len - at);
    if (end == NULL || !line_read(text + at, (size_t)(end - text) - at, counts)) return false;
    at = (size_t)(end - text) + 1;
  }
  return true;
}

#endif
