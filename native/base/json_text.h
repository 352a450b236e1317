/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text as a JSON string (RFC 8259, section 7), quotes included. Only what must be escaped is; bytes
 * that are not UTF-8 become U+FFFD.
 */
#ifndef BB_BASE_JSON_TEXT_H
#define BB_BASE_JSON_TEXT_H

#include <stddef.h>

#define BB_JSON_TEXT_MAX 6 /* bytes that one byte of a text may become: "\u0001" */

/* How many bytes the string has: len + 2 only if nothing in it is escaped or replaced. */
size_t bb_json_text_bytes(const char *text, size_t len);

/* Writes it; returns its end. */
char *bb_json_text_put(char *out, const char *text, size_t len);

#endif
