/* SPDX-License-Identifier: Apache-2.0 */
/* The few keys that matter of the JSON object in an answer's body, which may be any bytes. */
#ifndef BB_SINKS_INFLUXDB_ANSWER_JSON_H
#define BB_SINKS_INFLUXDB_ANSWER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bb_influxdb_json {
  char *message; /* of "error" or "message", without escapes, terminated; NULL: neither is there */
  uint32_t line; /* of "line"; 0: it is not there */
} bb_influxdb_json;

/* Reads `len` bytes and a terminator; texts are unescaped in place. False when they do not begin with
 * an object; one that ends too early gives what came before. */
bool bb_influxdb_json_read(bb_influxdb_json *out, char *body, size_t len);

#endif
