/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary directory of a test, and a log that can be read back. */
#ifndef BB_TEST_FOLDER_H
#define BB_TEST_FOLDER_H

#include "base/log.h"

typedef struct folder {
  char path[64];
  bb_log log;
  char text[16384]; /* of the log, as of folder_log */
} folder;

/* Made below /tmp, empty. */
void folder_open(folder *f);

/* Removed with all that is in it. */
void folder_close(folder *f);

/* What was logged since open. */
const char *folder_log(folder *f);

/* "<path>/<name>", in a static buffer, one of four in turn. */
const char *folder_path(const folder *f, const char *name);

#endif
