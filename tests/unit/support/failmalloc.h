/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fails the nth allocation of our own code, to see that every lack of memory ends in an error and
 * not in a crash or a leak. It works by the linker (--wrap=malloc, calloc and realloc, set in
 * native/CMakeLists.txt), so it takes in all code of ours, none of the shared libraries, and goes
 * with ASan, whose leak check completes it. One thread at a time may use it.
 *
 *   static int read_config(void *user) { ...; return err; }
 *   failmalloc_each(read_config, &state);
 */
#ifndef BB_TEST_FAILMALLOC_H
#define BB_TEST_FAILMALLOC_H

#include <stddef.h>

/* Does the same on each call, frees all that it took, and returns 0 or the error it met. */
typedef int (*failmalloc_body)(void *user);

/*
 * Runs `body` once, which must return 0, and then once for each of its allocations with that one
 * failing, where it must return BB_ERR_NOMEM. Fails the test when `body` allocates nothing. Returns
 * the number of allocations.
 */
size_t failmalloc_each(failmalloc_body body, void *user);

/*
 * The same for what does without the memory that it did not get (a report that loses a mistake):
 * `body` judges the outcome itself and returns 0 in every run.
 */
size_t failmalloc_each_survives(failmalloc_body body, void *user);

/* By hand: from here on the nth allocation fails (1: the next one; 0: none), and all are counted. */
void failmalloc_start(size_t nth);

/* Ends that. Returns how many allocations there were since, the failed one included. */
size_t failmalloc_stop(void);

#endif
