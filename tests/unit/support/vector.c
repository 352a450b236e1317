/* SPDX-License-Identifier: Apache-2.0 */
/* See vector.h. */
#define _POSIX_C_SOURCE 200809L
#include "support/vector.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "support/expect.h"

static void full_path(char *out, size_t cap, const char *path) {
  snprintf(out, cap, "%s/tests/vectors/%s", BB_REPO_DIR, path);
}

uint8_t *vector_read(const char *path, size_t *len) {
  char full[4096];
  full_path(full, sizeof(full), path);
  FILE *file = fopen(full, "rb");
  if (file == NULL) {
    fail_msg("%s: cannot be read: %s", full, strerror(errno));
    abort();
  }
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(size + 1);
  assert_non_null(bytes);
  *len = fread(bytes, 1, size, file);
  expect_uint(path, *len, size);
  bytes[size] = 0;
  fclose(file);
  return bytes;
}

static int digit_of(int c) {
  const char *digits = "0123456789abcdef";
  const char *found = c != 0 ? strchr(digits, c) : NULL;
  return found != NULL ? (int)(found - digits) : -1;
}

uint8_t *vector_read_hex(const char *path, size_t *len) {
  size_t text_len, n = 0;
  char *text = (char *)vector_read(path, &text_len);
  uint8_t *out = malloc(text_len / 2 + 1);
  assert_non_null(out);
  for (const char *p = text; *p != 0;) {
    if (strchr(" \t\r\n", *p) != NULL) {
      p++;
    } else if (*p == '#') {
      p += strcspn(p, "\n");
    } else {
      int high = digit_of(p[0]), low = high >= 0 ? digit_of(p[1]) : -1;
      if (low < 0) fail_msg("%s: \"%.8s\" is not hex", path, p);
      out[n++] = (uint8_t)(high << 4 | low);
      p += 2;
    }
  }
  free(text);
  uint8_t *exact = malloc(n > 0 ? n : 1);
  assert_non_null(exact);
  memcpy(exact, out, n);
  free(out);
  *len = n;
  return exact;
}

void vector_read_json(const char *path, bb_doc_tree *tree) {
  bb_report report;
  char full[4096];
  full_path(full, sizeof(full), path);
  bb_report_init(&report);
  int err = bb_doc_load(tree, full, &report);
  expect_text(path, report.n > 0 ? report.mistakes[0].text : "no mistake", "no mistake");
  expect_int(path, err, 0);
  bb_report_close(&report);
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t vector_names(const char *folder, const char *suffix, char *names[VECTOR_MAX_FILES]) {
  char full[4096];
  full_path(full, sizeof(full), folder);
  DIR *dir = opendir(full);
  if (dir == NULL) {
    fail_msg("%s: cannot be read: %s", full, strerror(errno));
    abort();
  }
  size_t n = 0, tail = strlen(suffix);
  for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
    size_t len = strlen(entry->d_name);
    if (len <= tail || strcmp(entry->d_name + len - tail, suffix) != 0) continue;
    assert_true(n < VECTOR_MAX_FILES);
    names[n++] = strndup(entry->d_name, len - tail);
  }
  closedir(dir);
  if (n == 0) fail_msg("%s: no file ends in %s", full, suffix);
  qsort(names, n, sizeof(names[0]), by_name);
  return n;
}

void vector_free_names(char *names[], size_t n) {
  for (size_t i = 0; i < n; i++) free(names[i]);
}
