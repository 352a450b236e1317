/* SPDX-License-Identifier: Apache-2.0 */
/* So many open descriptors that whatever is opened next has a number of 1,024 or more, which is too high
 * for select(). */
#ifndef BB_TEST_MANY_FDS_H
#define BB_TEST_MANY_FDS_H

#include <sys/resource.h>

#define MANY_FDS 2000

typedef struct many_fds {
  /* private */
  int fds[MANY_FDS];
  struct rlimit before;
} many_fds;

void many_fds_open(many_fds *many);
void many_fds_close(many_fds *many);

#endif
