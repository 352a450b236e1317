/* SPDX-License-Identifier: Apache-2.0 */
/* See place.h. */
#include "support/place.h"

#include <stdlib.h>

#include "support/expect.h"

void place_open_folders(folder *f, folder *temporary) {
  folder_open(f);
  folder_open(temporary);
  setenv("TMPDIR", temporary->path, 1);
}

void place_close_folders(folder *f, folder *temporary) {
  unsetenv("TMPDIR");
  folder_close(temporary);
  folder_close(f);
}

void place_open(bb_place *place, const char *dir, folder *f) {
  char why[BB_PLACE_TEXT] = "";
  expect_int(dir, bb_place_open(place, dir, &f->log, why, sizeof(why)), 0);
  expect_text(dir, why, "");
}
