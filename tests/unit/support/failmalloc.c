/* SPDX-License-Identifier: Apache-2.0 */
/* See failmalloc.h. */
#include "support/failmalloc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

/* Names that ld's --wrap gives to the original and to what stands in its place. */
void *__real_malloc(size_t len);
void *__real_calloc(size_t n, size_t len);
void *__real_realloc(void *old, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t n, size_t len);
void *__wrap_realloc(void *old, size_t len);

/* Atomic only because programs with threads are linked with this too. */
static atomic_bool counting;
static atomic_size_t count, failing;

static bool fails(void) {
  if (!atomic_load(&counting)) return false;
  if (atomic_fetch_add(&count, 1) + 1 != atomic_load(&failing)) return false;
  errno = ENOMEM;
  return true;
}

void *__wrap_malloc(size_t len) {
  return fails() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t n, size_t len) {
  return fails() ? NULL : __real_calloc(n, len);
}

void *__wrap_realloc(void *old, size_t len) {
  return fails() ? NULL : __real_realloc(old, len);
}

void failmalloc_start(size_t nth) {
  atomic_store(&count, 0);
  atomic_store(&failing, nth);
  atomic_store(&counting, true);
}

size_t failmalloc_stop(void) {
  atomic_store(&counting, false);
  return atomic_load(&count);
}

static size_t run_each(failmalloc_body body, void *user, int expected) {
  failmalloc_start(0);
  int err = body(user);
  size_t allocations = failmalloc_stop();
  if (err != 0) fail_msg("with enough memory: got %d, expected 0", err);
  if (allocations == 0) fail_msg("got no allocation, expected at least one");
  for (size_t nth = 1; nth <= allocations; nth++) {
    failmalloc_start(nth);
    err = body(user);
    failmalloc_stop();
    if (err != expected) {
      fail_msg("allocation %zu of %zu failing: got %d, expected %d", nth, allocations, err,
               expected);
    }
  }
  return allocations;
}

size_t failmalloc_each(failmalloc_body body, void *user) {
  return run_each(body, user, BB_ERR_NOMEM);
}

size_t failmalloc_each_survives(failmalloc_body body, void *user) {
  return run_each(body, user, 0);
}
