/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log in a file that never outgrows its bound: the line that would pass it begins a new file, and
 * the full one becomes FILE.1, in place of the one before. So at most twice the bound lies on disk.
 *
 * Made with mode 0600 and appended to. Nothing is remembered from line to line but the descriptor: a
 * file that was removed is made anew with the next line, and one that could not be written is tried
 * again with each. What is no regular file (/dev/stdout, a pipe) is never renamed.
 */
#ifndef BB_BASE_LOG_FILE_H
#define BB_BASE_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define BB_LOG_FILE_BYTES (5u << 20)

typedef struct bb_log_file {
  /* public */
  const char *path; /* must live as long as the file */
  size_t max_bytes; /* 0: BB_LOG_FILE_BYTES */
  /* read-only */
  bool failing; /* the last line could not be written */
  /* private */
  int fd; /* -1: not open */
} bb_log_file;

/* Opens nothing yet. */
void bb_log_file_init(bb_log_file *file, const char *path);
void bb_log_file_close(bb_log_file *file);

/* Appends one line, whole or not at all. 0, or errno's code negated. */
int bb_log_file_append(bb_log_file *file, const char *line, size_t len);

/* Lets go of the file, so that the next line goes to what then has its name: something else has
 * rotated it. */
void bb_log_file_reopen(bb_log_file *file);

#endif
