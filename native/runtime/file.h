/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files of the data directory, read and replaced as a whole. A cut of the power leaves the old
 * content or the new one: written beside it, synced, renamed, and the directory synced. Mode 0600.
 *
 * Errors are libuv's (UV_EACCES, ...), and BB_ERR_NOMEM, BB_ERR_LIMIT.
 */
#ifndef BB_RUNTIME_FILE_H
#define BB_RUNTIME_FILE_H

#include <stddef.h>

#include "base/buf.h"

/* 0 or an error; then the old content stands. */
int bb_file_replace(const char *dir, const char *name, const void *bytes, size_t len);

/* Behind what is in `out`, up to its maximum. 0, UV_ENOENT, ... */
int bb_file_read(const char *dir, const char *name, bb_buf *out);

/* The first bytes, at most `cap`. How many, or an error. */
int bb_file_peek(const char *dir, const char *name, void *out, size_t cap);

/* 0 also when it is not there. */
int bb_file_remove(const char *dir, const char *name);

#endif
