/* SPDX-License-Identifier: Apache-2.0 */
/* See report.h. */
#include "base/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

#define MAX_TEXT 2048
#define ARENA_MAX (16u << 20)

void bb_report_init(bb_report *report) {
  *report = (bb_report){.file = "document"};
  bb_arena_init(&report->arena, ARENA_MAX);
}

void bb_report_close(bb_report *report) {
  free(report->mistakes);
  bb_arena_close(&report->arena);
  bb_report_init(report);
}

const char *bb_report_file(bb_report *report, const char *file) {
  const char *former = report->file;
  report->file = file;
  return former;
}

static int grow(bb_report *report) {
  if (report->n >= BB_MAX_MISTAKES) return -1;
  if (report->n < report->cap) return 0;
  uint32_t cap = report->cap > 0 ? report->cap * 2 : 8;
  bb_mistake *mistakes = realloc(report->mistakes, cap * sizeof(*mistakes));
  if (mistakes == NULL) return -1;
  report->mistakes = mistakes;
  report->cap = cap;
  return 0;
}

/* A copy in which what a document holds can neither end the line nor be half a character. */
static const char *copy_line(bb_report *report, const char *text) {
  size_t len = strlen(text);
  char *copy = bb_arena_copy(&report->arena, text, len);
  if (copy == NULL) return NULL;
  for (size_t at = 0; at < len;) {
    unsigned n = bb_text_utf8(copy + at, len - at);
    unsigned char c = (unsigned char)copy[at];
    if (n == 0) copy[at] = '?';
    if (c < 0x20 || c == 0x7F) copy[at] = ' ';
    at += n > 0 ? n : 1;
  }
  return copy;
}

static bool keep(bb_report *report, bb_mistake mistake, const char *path, const char *text) {
  if (grow(report) < 0) return false;
  mistake.file = bb_arena_string(&report->arena, report->file);
  mistake.path = copy_line(report, path);
  mistake.text = copy_line(report, text);
  if (mistake.file == NULL || mistake.path == NULL || mistake.text == NULL) return false;
  report->mistakes[report->n++] = mistake;
  return true;
}

static void add(bb_report *report, bb_mistake mistake, const char *path, const char *format,
                va_list args) {
  char text[MAX_TEXT];
  bool warning = mistake.severity == BB_SEVERITY_WARNING;
  vsnprintf(text, sizeof(text), format, args);
  if (!keep(report, mistake, path, text)) {
    *(warning ? &report->more_warnings : &report->more) += 1;
  } else if (warning) {
    report->n_warnings++;
  }
}

static void add_at(bb_report *report, bb_severity severity, const bb_doc *doc, const char *format,
                   va_list args) {
  char path[BB_MAX_PATH] = "";
  bb_mistake mistake = {.severity = severity, .line = doc != NULL ? doc->line : 0};
  if (doc != NULL) bb_doc_path(doc, path, sizeof(path));
  add(report, mistake, path, format, args);
}

void bb_report_add(bb_report *report, const bb_doc *doc, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_at(report, BB_SEVERITY_MISTAKE, doc, format, args);
  va_end(args);
}

void bb_report_warn(bb_report *report, const bb_doc *doc, const char *format, ...) {
  va_list args;
  if (!report->wants_warnings) return;
  va_start(args, format);
  add_at(report, BB_SEVERITY_WARNING, doc, format, args);
  va_end(args);
}

void bb_report_add_line(bb_report *report, uint32_t line, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(report, (bb_mistake){.line = line}, "", format, args);
  va_end(args);
}

static bool stands_behind(const bb_mistake *a, const bb_mistake *b) {
  int file = strcmp(a->file, b->file);
  return file > 0 || (file == 0 && a->line > b->line);
}

/* By insertion: mistakes come nearly in order, and those of one line keep theirs. */
void bb_report_sort(bb_report *report) {
  bb_mistake *mistakes = report->mistakes;
  for (uint32_t i = 1; i < report->n; i++) {
    bb_mistake moving = mistakes[i];
    uint32_t at = i;
    for (; at > 0 && stands_behind(&mistakes[at - 1], &moving); at--) {
      mistakes[at] = mistakes[at - 1];
    }
    mistakes[at] = moving;
  }
}

static void print_more(bb_buf *out, uint32_t n, const char *what) {
  if (n > 0) bb_buf_printf(out, "and %u more %s%s\n", n, what, n == 1 ? "" : "s");
}

void bb_report_print(const bb_report *report, bb_buf *out) {
  for (uint32_t i = 0; i < report->n; i++) {
    const bb_mistake *mistake = &report->mistakes[i];
    bb_buf_text(out, mistake->file);
    if (mistake->line > 0) bb_buf_printf(out, ":%u", mistake->line);
    if (mistake->path[0] != 0) bb_buf_printf(out, ": %s", mistake->path);
    bool warning = mistake->severity == BB_SEVERITY_WARNING;
    bb_buf_printf(out, ": %s%s\n", warning ? "warning: " : "", mistake->text);
  }
  print_more(out, report->more, "mistake");
  print_more(out, report->more_warnings, "warning");
}
