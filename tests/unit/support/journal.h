/* SPDX-License-Identifier: Apache-2.0 */
/* What the fake driver and the fake sink were told, one line each in its order, so that a test reads
 * as what happened: "meter-1 attach", "bus shape meter-1 fast 3 points", "bus live meter-1 fast 10". */
#ifndef BB_TEST_JOURNAL_H
#define BB_TEST_JOURNAL_H

void journal_clear(void);
void journal_add(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The place of the first line from `from` on that is `line`, where a * at its end stands for
 * anything. -1: there is none. */
int journal_find(const char *line, int from);

/* How many lines are so. */
unsigned journal_count(const char *line);
int journal_length(void);

/* These lines stand in the journal in this order, others between them. */
#define expect_order(...)                                                                          \
  journal_expect_order((const char *const[]){__VA_ARGS__, 0}, __FILE__, __LINE__)
void journal_expect_order(const char *const *lines, const char *file, int line);

#endif
