/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server's answer to a write means. Pure.
 *
 * Bodies, as the servers send them:
 *
 *   1.x  {"error":"partial write: field type conflict: input field \"f\" on measurement \"m\" is type
 *        integer, already exists as type float dropped=1"}
 *   1.x  {"error":"partial write: unable to parse 'm f=1x 3': invalid number dropped=0"}
 *   2.x  {"code":"invalid","message":"unable to parse 'm f=1x 3': invalid number"}
 *   3.x  {"code":"invalid","line":2,"message":"..."}
 *
 * "partial write": all lines were written but those dropped and those named.
 */
#ifndef BB_SINKS_INFLUXDB_ANSWER_H
#define BB_SINKS_INFLUXDB_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plug/reason.h"
#include "sinks/influxdb/options.h"

typedef enum bb_influxdb_meaning {
  BB_INFLUXDB_WRITTEN,
  BB_INFLUXDB_BAD_LINES, /* some lines will never be taken */
  BB_INFLUXDB_TOO_LARGE,
  BB_INFLUXDB_BUSY,  /* the same may succeed later */
  BB_INFLUXDB_WRONG, /* someone has to put something right */
} bb_influxdb_meaning;

#define BB_INFLUXDB_MAX_NAMED 1024 /* lines that one message names; more are found by trying */

typedef struct bb_influxdb_complaint {
  const char *message; /* terminated, in the body's own bytes; "" when there is none */
  size_t len;
  bool partial;
  bool has_dropped;
  uint32_t dropped;
  uint32_t line; /* the number of the first bad one, from 1; 0: not told */
  uint32_t n_named;
  uint32_t named[BB_INFLUXDB_MAX_NAMED]; /* where in the message they stand */
  /* a field type conflict; "" when it is none */
  char measurement[BB_MAX_NAME + 1];
  char field[BB_MAX_NAME + 1];
  char type[16];
} bb_influxdb_complaint;

/* Reads an answer's body of `len` bytes, terminated, which is changed. */
void bb_influxdb_answer_read(bb_influxdb_complaint *out, char *body, size_t len);

bb_influxdb_meaning bb_influxdb_answer_judge(uint32_t status,
                                             const bb_influxdb_complaint *complaint);

/* True if the message names this line, without its line end; then the reason's place and length in
 * the message. */
bool bb_influxdb_answer_names(const bb_influxdb_complaint *complaint, const char *line, size_t len,
                              const char **reason, size_t *reason_len);

/* Why lines were refused: `text` is a part of the message, or all of it. */
void bb_influxdb_answer_refusal(bb_reason *out, const char *host, uint32_t status, const char *text,
                                size_t len);

/* What BUSY and WRONG come from, with what to check; never the secret. Without what is next. */
void bb_influxdb_answer_explain(bb_reason *out, const bb_influxdb_options *options,
                                const char *host, uint32_t status,
                                const bb_influxdb_complaint *complaint);

#endif
