/* SPDX-License-Identifier: Apache-2.0 */
/* See exposition.h. */
#include "support/exposition.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "support/expect.h"

typedef struct {
  bb_arena arena;
  bb_map families, series;
  char family[128], type[16];
  double bucket; /* of the histogram under way: the last one's count */
  bool infinite; /* it had its last bucket */
  size_t n;
} reader;

static bool is_name(const char *text, size_t len, bool colon) {
  for (size_t i = 0; i < len; i++) {
    bool good = isalpha((unsigned char)text[i]) || text[i] == '_' || (colon && text[i] == ':') ||
                (i > 0 && isdigit((unsigned char)text[i]));
    if (!good) return false;
  }
  return len > 0;
}

static void remember(reader *r, bb_map *map, const char *text, size_t len, const char *line) {
  char *copy = bb_arena_copy(&r->arena, text, len);
  expect_true(line, copy != NULL && bb_map_add(map, copy, copy) == 0);
}

static void take_comment(reader *r, const char *line) {
  char word[8], name[128], rest[512];
  expect_int(line, sscanf(line, "# %7s %127s %511[^\n]", word, name, rest), 3);
  expect_true(line, is_name(name, strlen(name), true));
  if (strcmp(word, "HELP") == 0) {
    remember(r, &r->families, name, strlen(name), line);
    snprintf(r->family, sizeof(r->family), "%s", name);
    r->type[0] = 0;
    return;
  }
  expect_text(line, word, "TYPE");
  expect_text(line, name, r->family);
  expect_text(line, r->type, "");
  expect_true(line, strcmp(rest, "counter") == 0 || strcmp(rest, "gauge") == 0 ||
                        strcmp(rest, "histogram") == 0);
  snprintf(r->type, sizeof(r->type), "%.15s", rest);
  size_t len = strlen(name);
  bool total = len > 6 && strcmp(name + len - 6, "_total") == 0;
  expect_int(line, total, strcmp(rest, "counter") == 0);
}

/* Behind the closing brace. */
static const char *skip_labels(const char *at, const char *line) {
  do {
    at++;
    size_t len = strcspn(at, "=");
    expect_true(line, is_name(at, len, false) && at[len + 1] == '"');
    for (at += len + 2; *at != '"'; at++) {
      expect_true(line, *at != 0 && *at != '\n');
      if (*at != '\\') continue;
      at++;
      expect_true(line, *at == '\\' || *at == '"' || *at == 'n');
    }
    at++;
  } while (*at == ',');
  expect_int(line, *at, '}');
  return at + 1;
}

static void take_bucket(reader *r, const char *suffix, double value, const char *line) {
  if (strcmp(suffix, "_bucket") == 0) {
    expect_true(line, strstr(line, "le=\"") != NULL);
    expect_true(line, value >= r->bucket);
    r->bucket = value;
    r->infinite = strstr(line, "le=\"+Inf\"") != NULL;
  } else if (strcmp(suffix, "_count") == 0) {
    expect_true(line, r->infinite);
    expect_double(line, value, r->bucket);
    r->bucket = 0;
    r->infinite = false;
  } else {
    expect_text(line, suffix, "_sum");
  }
}

static void take_sample(reader *r, const char *line) {
  size_t len = strcspn(line, "{ \n"), base = strlen(r->family);
  char suffix[16];
  expect_true(line, is_name(line, len, true) && r->type[0] != 0);
  expect_true(line, len >= base && len - base < sizeof(suffix));
  expect_int(line, strncmp(line, r->family, base), 0);
  snprintf(suffix, sizeof(suffix), "%.*s", (int)(len - base), line + base);
  const char *at = line[len] == '{' ? skip_labels(line + len, line) : line + len;
  remember(r, &r->series, line, (size_t)(at - line), line);
  expect_int(line, *at, ' ');
  char *end;
  double value = strtod(at + 1, &end);
  expect_true(line, end > at + 1 && *end == '\n' && value >= 0);
  if (strcmp(r->type, "histogram") == 0) {
    take_bucket(r, suffix, value, line);
  } else {
    expect_text(line, suffix, "");
  }
  r->n++;
}

size_t exposition_check(const char *text) {
  reader r = {.n = 0};
  bb_arena_init(&r.arena, 64u << 20);
  for (const char *end; *text != 0; text = end + 1) {
    end = strchr(text, '\n');
    expect_true(text, end != NULL);
    char *line = bb_arena_copy(&r.arena, text, (size_t)(end - text) + 1);
    if (*line == '#') {
      take_comment(&r, line);
    } else {
      take_sample(&r, line);
    }
  }
  bb_map_close(&r.families);
  bb_map_close(&r.series);
  bb_arena_close(&r.arena);
  return r.n;
}

const char *exposition_get(const char *text, const char *series, char *out, size_t cap) {
  size_t len = strlen(series);
  *out = 0;
  for (const char *line = text; line != NULL && *line != 0;) {
    if (strncmp(line, series, len) == 0 && line[len] == ' ') {
      snprintf(out, cap, "%.*s", (int)strcspn(line + len + 1, "\n"), line + len + 1);
    }
    line = strchr(line, '\n');
    if (line != NULL) line++;
  }
  return out;
}
