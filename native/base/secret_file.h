/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate or key for a library that opens files. The document names a file, or "secret:NAME", what
 * was handed over under that name (base/secret.h); this becomes a file that lies in memory only, has no
 * name in any directory, and ends with the process.
 */
#ifndef BB_BASE_SECRET_FILE_H
#define BB_BASE_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bb_secret_file {
  /* read-only: what can be opened, the same until close; NULL: none */
  const char *path;
  /* private */
  const char *option; /* NULL: the path is the document's */
  int fd;
  char own[32];
} bb_secret_file;

/* `option` as in the document, whose text outlives the file; NULL: none. What is handed over comes with
 * fill only. 0, or negative, with nothing to close. */
int bb_secret_file_open(bb_secret_file *file, const char *option);

/* Puts what was handed over last into it. 0, or negative with `why`; a file of the document is left
 * alone. Not while a library reads it. */
int bb_secret_file_fill(const bb_secret_file *file, char *why, size_t why_cap);

/* Also of one that is all zero, and again. */
void bb_secret_file_close(bb_secret_file *file);

#endif
