/* SPDX-License-Identifier: Apache-2.0 */
/* See data_dir.h. */
#include "cli/data_dir.h"

#include <stdio.h>
#include <stdlib.h>

const char *bb_cli_data_dir(char *out, size_t cap) {
  static const char *const sources[] = {"BUSBAR_DATA", "STATE_DIRECTORY"};
  const char *home = getenv("HOME");
  for (size_t i = 0; i < 2; i++) {
    const char *dir = getenv(sources[i]);
    if (dir == NULL || dir[0] == 0) continue;
    snprintf(out, cap, "%s", dir);
    return sources[i];
  }
  snprintf(out, cap, "%s/.local/state/busbar", home != NULL && home[0] != 0 ? home : "/var/lib");
  return NULL;
}
