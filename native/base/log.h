/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line an event: time, level, what it concerns, a sentence. As text for a person, or as one JSON
 * object for a machine. Lines are cut at BB_MAX_LOG_LINE; control characters are escaped, so that
 * foreign text cannot forge a line. Secrets are never passed to a log.
 *
 * Lines go to a descriptor, or to a file of bounded size; while that one cannot be written, which is
 * said once, they go to the descriptor.
 */
#ifndef BB_BASE_LOG_H
#define BB_BASE_LOG_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/log_file.h"

typedef enum bb_log_level {
  BB_LOG_ERROR, /* something the user asked for does not work */
  BB_LOG_WARN,  /* it works with a restriction, or does not for now */
  BB_LOG_INFO,  /* life cycle: started, connected, applied */
  BB_LOG_DEBUG, /* each retry, each refused register */
} bb_log_level;

typedef struct bb_log {
  /* public */
  bb_log_level level; /* what is less important is left out */
  bool json;
  int fd;
  bb_log_file *file; /* NULL: none */
  bb_clock clock;
  /* read-only */
  unsigned long long lines[4]; /* written, by level; also those left out */
} bb_log;

/* Text at level info to `fd`, with the system's clock. */
void bb_log_init(bb_log *log, int fd);

/* `subject`: the id of the device, connection, sink or part; NULL for the runtime itself. */
void bb_log_write(bb_log *log, bb_log_level level, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "error", "warn", "info", "debug". */
const char *bb_log_level_name(bb_log_level level);

#define bb_log_error(log, subject, ...) bb_log_write(log, BB_LOG_ERROR, subject, __VA_ARGS__)
#define bb_log_warn(log, subject, ...) bb_log_write(log, BB_LOG_WARN, subject, __VA_ARGS__)
#define bb_log_info(log, subject, ...) bb_log_write(log, BB_LOG_INFO, subject, __VA_ARGS__)
#define bb_log_debug(log, subject, ...) bb_log_write(log, BB_LOG_DEBUG, subject, __VA_ARGS__)

#endif
