/* SPDX-License-Identifier: Apache-2.0 */
/* See journal.h. */
#include "support/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "support/expect.h"

#define MAX_LINES 8192

static char lines[MAX_LINES][96];
static int n_lines;

void journal_clear(void) {
  n_lines = 0;
}

int journal_length(void) {
  return n_lines;
}

void journal_add(const char *format, ...) {
  va_list args;
  expect_true("the journal has room", n_lines < MAX_LINES);
  va_start(args, format);
  vsnprintf(lines[n_lines++], sizeof(lines[0]), format, args);
  va_end(args);
}

static bool fits(const char *pattern, const char *line) {
  size_t len = strlen(pattern);
  if (len > 0 && pattern[len - 1] == '*') return strncmp(pattern, line, len - 1) == 0;
  return strcmp(pattern, line) == 0;
}

int journal_find(const char *line, int from) {
  for (int i = from; i < n_lines; i++) {
    if (fits(line, lines[i])) return i;
  }
  return -1;
}

unsigned journal_count(const char *line) {
  unsigned n = 0;
  for (int i = 0; i < n_lines; i++) n += fits(line, lines[i]);
  return n;
}

void journal_expect_order(const char *const *wanted, const char *file, int line) {
  int at = -1;
  for (; *wanted != NULL; wanted++) {
    at = journal_find(*wanted, at + 1);
    if (at >= 0) continue;
    for (int i = 0; i < n_lines; i++) print_error("  %s\n", lines[i]);
    print_error("got the lines above, expected \"%s\" among them, in its order\n", *wanted);
    _fail(file, line);
  }
}
