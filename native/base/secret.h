/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret is never written into the config document; the document names where it is found: the
 * environment variable `<key>_env` or the file `<key>_file`. Secrets are read when they are needed,
 * so that a rotated file takes effect with the next connection, and wiped after use.
 */
#ifndef BB_BASE_SECRET_H
#define BB_BASE_SECRET_H

#include <stddef.h>

#include "base/doc.h"
#include "base/report.h"

#define BB_SECRET_MAX 8192

/*
 * Reads the secret called `key` of `options` into `out`, terminated; one newline at a file's end is
 * left out. Its length; 0 when the document names none; BB_ERR_NOTFOUND (`why` then says which
 * variable or file is missing, and never what it holds) or BB_ERR_LIMIT. The strings come from the
 * document, so they can be passed without it.
 */
int bb_secret_read(const char *env, const char *file, char *out, size_t cap, char *why,
                   size_t why_cap);

/* Reports when both ways are given for one key. */
void bb_secret_check(const bb_doc *options, const char *key, bb_report *report);

/* Overwrites it, in a way that the compiler keeps. */
void bb_secret_wipe(void *secret, size_t len);

#endif
