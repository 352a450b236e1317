/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text (RFC 8259): single values, and whole documents by a writer that sets commas and
 * brackets. Nothing is allocated but the buffer's own growth.
 *
 * Integers past ±(2^53 - 1) are written as decimal strings: a reader that keeps numbers as doubles,
 * JavaScript first of all, would change their last digits. Floating point numbers have the shortest
 * digits that read back as the same value of their own type. Bytes that are not UTF-8 become U+FFFD.
 *
 * Functions on a bb_buf return its error, so that a run of them needs one check at its end.
 */
#ifndef BB_ENCODE_JSON_WRITER_H
#define BB_ENCODE_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "encode/number.h"
#include "model/value.h"

/* With quotes and escapes. 0, BB_ERR_NOMEM or BB_ERR_LIMIT. */
int bb_json_string(bb_buf *out, const char *text, size_t len);

/* The same of a terminated text, and a colon: `"key":`. */
int bb_json_key(bb_buf *out, const char *key);

/* 0, BB_ERR_NOMEM, BB_ERR_LIMIT, or BB_ERR_RANGE: NaN and the infinities have no JSON; nothing was
 * written. */
int bb_json_value(bb_buf *out, bb_value value);

/* A number or a truth to where BB_JSON_NUMBER_MAX bytes are free, whatever it takes of them. Its end;
 * `at` where bb_json_value says BB_ERR_RANGE. */
char *bb_json_number(char *at, bb_value value);

#define BB_JSON_NUMBER_MAX BB_NUMBER_F64_MAX

#define BB_JSON_DEPTH 32 /* maps and lists inside each other */

/*
 * A document being written. In a map each item has a key, in a list and at the top it has none
 * (NULL). Strings are terminated; a NULL text is written as null.
 *
 *   bb_json_writer json;
 *   bb_json_writer_init(&json, &buf);
 *   bb_json_writer_map(&json, NULL);
 *   bb_json_writer_text(&json, "id", "meter-1");
 *   bb_json_writer_end(&json);
 *   int err = bb_json_writer_finish(&json);
 */
typedef struct bb_json_writer {
  /* read-only */
  bb_buf *out;
  uint32_t depth; /* maps and lists that are open */
  /* private */
  uint32_t filled; /* bit n: what is open at depth n + 1 has an item */
  uint32_t maps;   /* bit n: it is a map */
} bb_json_writer;

void bb_json_writer_init(bb_json_writer *json, bb_buf *out);

void bb_json_writer_map(bb_json_writer *json, const char *key);
void bb_json_writer_list(bb_json_writer *json, const char *key);
void bb_json_writer_end(bb_json_writer *json); /* of the innermost map or list */

void bb_json_writer_text(bb_json_writer *json, const char *key, const char *text);
void bb_json_writer_bool(bb_json_writer *json, const char *key, bool value);
void bb_json_writer_int(bb_json_writer *json, const char *key, int64_t value);
void bb_json_writer_uint(bb_json_writer *json, const char *key, uint64_t value);

/* NaN and the infinities are written as null. */
void bb_json_writer_number(bb_json_writer *json, const char *key, double value);
void bb_json_writer_value(bb_json_writer *json, const char *key, bb_value value);

/* The whole must be closed. 0, BB_ERR_NOMEM or BB_ERR_LIMIT. */
int bb_json_writer_finish(bb_json_writer *json);

#endif
