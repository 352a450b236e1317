/* SPDX-License-Identifier: Apache-2.0 */
/* What this process takes of the machine: memory, processor time, descriptors. */
#ifndef BB_RUNTIME_PROCESS_H
#define BB_RUNTIME_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Resident memory in bytes, from /proc/self/statm; 0: unknown. */
uint64_t bb_process_resident_bytes(void);

/* User and system time since the start, in ns. */
uint64_t bb_process_cpu_ns(void);

/* How many descriptors may be open at once. */
uint64_t bb_process_max_descriptors(void);

/* Counts the open descriptors a few at a time: a walk over 20,000 takes some 10 ms. All zero is a
 * count that has not begun. */
typedef struct bb_descriptors {
  /* read-only */
  uint64_t n; /* so far */
  /* private */
  void *folder;
} bb_descriptors;

/* Counts some more. True: there are more of them. */
bool bb_descriptors_count(bb_descriptors *descriptors);

void bb_descriptors_close(bb_descriptors *descriptors);

#endif
