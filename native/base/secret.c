/* SPDX-License-Identifier: Apache-2.0 */
/* See secret.h. */
#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"

static const bb_secret_source *in_use;

void bb_secret_use(const bb_secret_source *source) {
  in_use = source;
}

bool bb_secret_is_unset(const char *env) {
  const char *value = env != NULL ? getenv(env) : NULL;
  return env != NULL && (value == NULL || *value == 0);
}

static int from_env(const char *name, char *out, size_t cap, char *why, size_t why_cap) {
  const char *value = getenv(name);
  if (bb_secret_is_unset(name)) {
    snprintf(why, why_cap, "the environment variable %s is not set", name);
    return BB_ERR_NOTFOUND;
  }
  size_t len = strlen(value);
  if (len >= cap) {
    snprintf(why, why_cap, "the environment variable %s is too long", name);
    return BB_ERR_LIMIT;
  }
  memcpy(out, value, len + 1);
  return (int)len;
}

static int from_file(const char *path, char *out, size_t cap, char *why, size_t why_cap) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    snprintf(why, why_cap, "the file %s cannot be read: %s", path, strerror(errno));
    return BB_ERR_NOTFOUND;
  }
  setvbuf(file, NULL, _IONBF, 0); /* no copy of the secret in a stream's buffer */
  size_t len = fread(out, 1, cap, file);
  fclose(file);
  if (len >= cap) {
    snprintf(why, why_cap, "the file %s is too long for a secret", path);
    return BB_ERR_LIMIT;
  }
  if (len > 0 && out[len - 1] == '\n') len--;
  if (len > 0 && out[len - 1] == '\r') len--;
  out[len] = 0;
  if (len > 0) return (int)len;
  snprintf(why, why_cap, "the file %s is empty", path);
  return BB_ERR_NOTFOUND;
}

static int from_name(const char *name, char *out, size_t cap, char *why, size_t why_cap) {
  int len = in_use != NULL ? in_use->read(in_use->user, name, out, cap) : BB_ERR_NOTFOUND;
  if (len == BB_ERR_NOTFOUND) {
    snprintf(why, why_cap,
             "the secret %s was not handed over; deploy in Node-RED once, or put it into an "
             "environment variable or a file",
             name);
  } else if (len < 0) {
    snprintf(why, why_cap, "the secret %s is too long", name);
  }
  return len;
}

int bb_secret_read(const char *env, const char *file, char *out, size_t cap, char *why,
                   size_t why_cap) {
  out[0] = 0;
  if (env != NULL) return from_env(env, out, cap, why, why_cap);
  if (file == NULL) return 0;
  const char *name = bb_secret_name(file);
  if (name != NULL) return from_name(name, out, cap, why, why_cap);
  return from_file(file, out, cap, why, why_cap);
}

uint64_t bb_secret_mark(uint64_t mark, const char *env, const char *file) {
  char secret[BB_SECRET_MAX], why[64];
  if (mark == 0) return 0;
  int len = bb_secret_read(env, file, secret, sizeof(secret), why, sizeof(why));
  if (len >= 0) mark = bb_hash_string(mark, secret);
  bb_secret_wipe(secret, sizeof(secret));
  return len < 0 ? 0 : mark;
}

static uint64_t mark_named(uint64_t mark, const char *file) {
  char why[64], *bytes = malloc(BB_SECRET_LONGEST);
  if (bytes == NULL) return 0;
  int len = bb_secret_read(NULL, file, bytes, BB_SECRET_LONGEST, why, sizeof(why));
  if (len >= 0) mark = bb_hash_add(mark, bytes, (size_t)len);
  bb_secret_wipe(bytes, BB_SECRET_LONGEST);
  free(bytes);
  return len < 0 ? 0 : mark;
}

uint64_t bb_secret_mark_file(uint64_t mark, const char *path) {
  char bytes[4096];
  if (mark == 0 || path == NULL) return mark;
  if (bb_secret_name(path) != NULL) return mark_named(mark, path);
  FILE *file = fopen(path, "rb");
  if (file == NULL) return 0;
  setvbuf(file, NULL, _IONBF, 0);
  for (size_t n; (n = fread(bytes, 1, sizeof(bytes), file)) > 0;) {
    mark = bb_hash_add(mark, bytes, n);
  }
  bool failed = ferror(file) != 0;
  fclose(file);
  bb_secret_wipe(bytes, sizeof(bytes));
  return failed ? 0 : mark;
}

const char *bb_secret_name(const char *file) {
  size_t len = sizeof(BB_SECRET_PREFIX) - 1;
  return strncmp(file, BB_SECRET_PREFIX, len) == 0 ? file + len : NULL;
}

void bb_secret_check(const bb_doc *options, const char *key, bb_report *report) {
  char env[64], file[64];
  snprintf(env, sizeof(env), "%s_env", key);
  snprintf(file, sizeof(file), "%s_file", key);
  const bb_doc *second = bb_doc_get(options, file);
  if (second == NULL) return;
  if (bb_doc_get(options, env) != NULL) {
    bb_report_add(report, second, "%s and %s are both given; keep one", env, file);
  }
  const char *name = second->text != NULL ? bb_secret_name(second->text) : NULL;
  if (name != NULL && !bb_text_is_id(name)) {
    bb_report_add(
        report, second,
        "\"%.80s\" is no name of a secret; allowed: 1 to 64 of letters, digits, - _ . and "
        "not starting with . or -",
        name);
  }
}

void bb_secret_wipe(void *secret, size_t len) {
  volatile unsigned char *p = secret;
  while (len-- > 0) *p++ = 0;
}
