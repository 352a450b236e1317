/* SPDX-License-Identifier: Apache-2.0 */
/* See process.h. */
#include "runtime/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define AT_ONCE 500 /* descriptors; some 0.3 ms */

uint64_t bb_process_resident_bytes(void) {
  char text[128];
  FILE *file = fopen("/proc/self/statm", "re");
  if (file == NULL) return 0;
  char *line = fgets(text, sizeof(text), file);
  fclose(file);
  if (line == NULL) return 0;
  /* proc(5): size, then resident, in pages. */
  char *end;
  strtoull(line, &end, 10);
  return strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t time_ns(struct timeval time) {
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

uint64_t bb_process_cpu_ns(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) < 0) return 0;
  return time_ns(usage.ru_utime) + time_ns(usage.ru_stime);
}

uint64_t bb_process_max_descriptors(void) {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : (uint64_t)limit.rlim_cur;
}

bool bb_descriptors_count(bb_descriptors *descriptors) {
  if (descriptors->folder == NULL) {
    descriptors->n = 0;
    descriptors->folder = opendir("/proc/self/fd");
    if (descriptors->folder == NULL) return false;
  }
  for (unsigned i = 0; i < AT_ONCE; i++) {
    const struct dirent *entry = readdir(descriptors->folder);
    if (entry == NULL) {
      /* The folder itself is open too, for the moment. */
      if (descriptors->n > 0) descriptors->n--;
      bb_descriptors_close(descriptors);
      return false;
    }
    if (entry->d_name[0] != '.') descriptors->n++;
  }
  return true;
}

void bb_descriptors_close(bb_descriptors *descriptors) {
  if (descriptors->folder != NULL) closedir(descriptors->folder);
  descriptors->folder = NULL;
}
