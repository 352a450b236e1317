/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below tests/vectors/: `*.hex` is bytes in hex, blanks and # comments aside; `*.json` what
 * those bytes mean. A file that is missing or broken fails the test.
 */
#ifndef BB_TEST_VECTOR_H
#define BB_TEST_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/doc.h"

#define VECTOR_MAX_FILES 256

/* `path` begins below tests/vectors/: "frame/shape.hex". To be freed; never NULL. */
uint8_t *vector_read(const char *path, size_t *len);     /* as it is, with a 0 behind it */
uint8_t *vector_read_hex(const char *path, size_t *len); /* in exactly so many bytes, for ASan */
void vector_read_json(const char *path, bb_doc_tree *tree);

/* The names without `suffix` (".hex") of the files in `folder` ("frame"), sorted, each to be freed
 * by vector_free_names. At least one. */
size_t vector_names(const char *folder, const char *suffix, char *names[VECTOR_MAX_FILES]);
void vector_free_names(char *names[], size_t n);

#endif
