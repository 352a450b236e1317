/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects every mistake of a document, so that all are told at once:
 * `site.yaml:12: devices[meter-1].unit: 300 is too large; allowed: 0 to 255`.
 *
 * A warning is what may be meant, but mostly is not. It stands among the mistakes with a severity of
 * its own and makes no document wrong. Only a report that wants warnings gets any.
 */
#ifndef BB_BASE_REPORT_H
#define BB_BASE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/doc.h"

typedef enum bb_severity { BB_SEVERITY_MISTAKE, BB_SEVERITY_WARNING } bb_severity;

typedef struct bb_mistake {
  bb_severity severity;
  uint32_t line;    /* 0: concerns the whole file */
  const char *file; /* like the rest, terminated and owned by the report */
  const char *path; /* "" for the root */
  const char *text;
} bb_mistake;

typedef struct bb_report {
  /* public: set after bb_report_init */
  bool wants_warnings;
  /* read-only */
  bb_mistake *mistakes; /* in the order of their lines once sorted */
  uint32_t n;           /* warnings included */
  uint32_t n_warnings;
  uint32_t more;          /* mistakes past BB_MAX_MISTAKES, or for which memory was lacking */
  uint32_t more_warnings; /* the same of warnings */
  /* private */
  uint32_t cap;
  const char *file;
  bb_arena arena;
} bb_report;

/* Allocates nothing. */
void bb_report_init(bb_report *report);
void bb_report_close(bb_report *report);

/* The file that the following mistakes lie in; the name is copied when a mistake is added. Returns
 * the former one, to be set back. */
const char *bb_report_file(bb_report *report, const char *file);

/* Adds a mistake at `doc` (NULL: the whole file). Text: "what is wrong; what is allowed"; it becomes
 * one line of UTF-8, whatever it quotes. */
void bb_report_add(bb_report *report, const bb_doc *doc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void bb_report_add_line(bb_report *report, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a warning; nothing where nobody wants them. Text: "what will happen; what to do". */
void bb_report_warn(bb_report *report, const bb_doc *doc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* True if no mistake was reported. */
static inline bool bb_report_ok(const bb_report *report) {
  return report->n == report->n_warnings && report->more == 0;
}

/* By file, then line; those of one line stay as they were added. */
void bb_report_sort(bb_report *report);

/* One line each: `file:line: path: text`, or `file:line: path: warning: text`. */
void bb_report_print(const bb_report *report, bb_buf *out);

#endif
