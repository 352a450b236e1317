/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret is never written into the config document; the document names where it is found: the
 * environment variable `<key>_env`, the file `<key>_file`, or, where that is "secret:NAME", what was
 * handed over to this process under that name. Secrets are read when they are needed, and wiped after
 * use. Who holds a connection that was made with one remembers its mark, to see when it has changed.
 */
#ifndef BB_BASE_SECRET_H
#define BB_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/doc.h"
#include "base/report.h"

#define BB_SECRET_MAX 8192      /* bytes of a password or token, terminator included */
#define BB_SECRET_LONGEST 65536 /* and of what is handed over: certificates, too */
#define BB_SECRET_PREFIX "secret:"

/* Who keeps the named secrets. */
typedef struct bb_secret_source {
  void *user;
  /* Copies the secret, terminated: its length, BB_ERR_NOTFOUND or BB_ERR_LIMIT. */
  int (*read)(void *user, const char *name, char *out, size_t cap);
} bb_secret_source;

/*
 * From now on named secrets come from there; NULL: from nowhere. The source is the process's, as its
 * environment is: what reads secrets (a sink) has no other way to it, and one process is one runtime.
 * It must stay until another one, or none, is in use. For the loop thread, like all that reads.
 */
void bb_secret_use(const bb_secret_source *source);

/*
 * Reads the secret called `key` of `options` into `out`, terminated; one newline at a file's end is
 * left out. Its length; 0 when the document names none; BB_ERR_NOTFOUND (`why` then says which
 * variable, file or named secret is missing, and never what it holds) or BB_ERR_LIMIT. The strings
 * come from the document, so they can be passed without it.
 */
int bb_secret_read(const char *env, const char *file, char *out, size_t cap, char *why,
                   size_t why_cap);

/*
 * A number that is another one when the secret has another value, made from the number `mark`, so that
 * several go into one; 0: one of them cannot be read now, and nothing can be said. It lives in memory
 * only, beside what it is made of, and is told nobody.
 */
uint64_t bb_secret_mark(uint64_t mark, const char *env, const char *file);

/* The same for certificates or keys, a file or "secret:NAME"; NULL: none. */
uint64_t bb_secret_mark_file(uint64_t mark, const char *path);

/* The name in "secret:NAME"; NULL: that is a path. */
const char *bb_secret_name(const char *file);

/* A variable is named that has no value. This process will never see one: it has to start again. */
bool bb_secret_is_unset(const char *env);

/* Reports when both ways are given for one key, and a name that cannot be one. */
void bb_secret_check(const bb_doc *options, const char *key, bb_report *report);

/* Overwrites it, in a way that the compiler keeps. */
void bb_secret_wipe(void *secret, size_t len);

#endif
