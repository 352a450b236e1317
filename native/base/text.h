/* SPDX-License-Identifier: Apache-2.0 */
/* Small questions about text: patterns, ids, UTF-8, durations, sizes, the nearest of several words. */
#ifndef BB_BASE_TEXT_H
#define BB_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if `text` fits `pattern`, in which '*' stands for any run of characters, '/' included. */
bool bb_text_match(const char *pattern, const char *text);

/* An id: 1 to BB_MAX_ID of A-Z a-z 0-9 - _ . and not starting with '.' or '-'. */
bool bb_text_is_id(const char *text);

/* A point, scan or tag name: 1 to BB_MAX_NAME of the characters of an id and '/', ':', '[', ']'. */
bool bb_text_is_name(const char *text);

/* Bytes of the UTF-8 character (RFC 3629) that `bytes` begins with; 0 when it begins with none. */
unsigned bb_text_utf8(const char *bytes, size_t len);

/* All of it is UTF-8. NUL is a character too. */
bool bb_text_is_utf8(const char *bytes, size_t len);

/* "250ms", "1s", "1.5s", "5min", "1h", "7d": milliseconds. 0, BB_ERR_FORMAT or BB_ERR_RANGE. */
int bb_text_duration_ms(const char *text, uint64_t *out_ms);

/* "4096", "64KiB", "16MiB", "1GiB", "1TiB": bytes. 0, BB_ERR_FORMAT or BB_ERR_RANGE. */
int bb_text_bytes(const char *text, uint64_t *out_bytes);

/* For sentences people read: what is whole as it is written in a config ("350 ms", "7 s", "90 min",
 * "45 d"; "64 KiB", "1 TiB"), else rounded to what matters ("12 s", "4.7 MiB"). Returns `out`. */
const char *bb_text_show_ms(char *out, size_t cap, uint64_t ms);
const char *bb_text_show_bytes(char *out, size_t cap, uint64_t bytes);

/* "1 batch waits", "3 batches wait": the number and what goes with it, into `out`; returns `out`. */
#define BB_TEXT_COUNT 128
const char *bb_text_count(char out[BB_TEXT_COUNT], uint64_t n, const char *one, const char *many);

/* How many edits turn one word into the other; stops counting above `most`. */
unsigned bb_text_distance(const char *a, const char *b, unsigned most);

/* The candidate that a misspelt word most likely meant, or NULL when none is near. */
const char *bb_text_nearest(const char *word, const char *const *candidates, size_t n);

/* "; did you mean hist?" into `out`, or `otherwise` when nothing is near; returns `out`. What goes on
 * behind it begins with a blank; `otherwise` is then ";". */
#define BB_TEXT_ASK 160
const char *bb_text_ask(char out[BB_TEXT_ASK], const char *near, const char *otherwise);

#endif
