/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a failed assertion leaves. cmocka jumps out of the test, so its loops, threads and children stay
 * as they are, and may hold up the tests behind it or the end of the program. So a program in which one
 * has failed goes on for a while, and is ended then; its children end with it, however it
 * ends. Linked in the place of cmocka's _fail.
 */
#ifndef BB_TEST_FAILURE_H
#define BB_TEST_FAILURE_H

#include <sys/types.h>

/* How long a program goes on after its first failure, in milliseconds. */
extern unsigned failure_rest_ms;

/*
 * For what a rig has with threads: begins and ends it. The threads of one that a failed test has left go
 * on using its memory, which is the stack of the next test; so that one fails at once.
 */
void failure_begin_threads(void);
void failure_end_threads(void);

/* As fork(); the child does not outlive the program, whose output it would hold open. */
pid_t failure_fork(void);

#endif
